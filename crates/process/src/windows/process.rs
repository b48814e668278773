//! A process that may still run, and the watch on its end: [`Process`].

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, RawHandle};
use std::process::ExitStatus;
use std::task::{Context, Poll};

use crate::exit_wait::ExitWait;

/// A child process that may have ended.
#[derive(Debug)]
pub(crate) struct Process {
    /// Begun by the first poll. Dropped before the handle that it waits for is closed.
    wait: Option<ExitWait>,
    std: std::process::Child,
}

impl Process {
    /// Takes `std`.
    ///
    /// # Errors
    /// None here; elsewhere the child too.
    pub(crate) fn new(std: std::process::Child) -> Result<Self, (std::process::Child, io::Error)> {
        Ok(Self { wait: None, std })
    }

    pub(crate) fn id(&self) -> u32 {
        self.std.id()
    }

    pub(crate) fn raw_handle(&self) -> RawHandle {
        self.std.as_raw_handle()
    }

    /// Asks the system to end it.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.std.kill()
    }

    /// Its status, if it has ended.
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.std.try_wait()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        if let Some(status) = self.std.try_wait()? {
            self.wait = None;
            return Poll::Ready(Ok(status));
        }
        let wait = match &mut self.wait {
            Some(wait) => wait,
            // The waker must be there before the system begins to wait.
            none => none.insert(ExitWait::new(self.std.as_handle(), cx.waker())?),
        };
        wait.register(cx.waker());
        // It may have ended before the waker was there.
        match self.std.try_wait()? {
            Some(status) => {
                self.wait = None;
                Poll::Ready(Ok(status))
            }
            None => Poll::Pending,
        }
    }
}
