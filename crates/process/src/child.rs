//! A child process: [`Child`].

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::mem;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Output};
use std::task::{Context, Poll, ready};

use yamanote_io::{AsyncRead, AsyncReadExt};

use crate::orphans;
use crate::process::Process;
use crate::{ChildStderr, ChildStdin, ChildStdout};

/// A child process; made by [`Command::spawn`](crate::Command::spawn).
///
/// Dropping it does not end the process, unless [`kill_on_drop`](crate::Command::kill_on_drop) was
/// set. A process that goes on is waited for when it ends, as long as a runtime is there.
pub struct Child {
    life: Life,
    /// Where its standard input is written, if it is a pipe.
    pub stdin: Option<ChildStdin>,
    /// Where its standard output is read, if it is a pipe.
    pub stdout: Option<ChildStdout>,
    /// Where its standard error is read, if it is a pipe.
    pub stderr: Option<ChildStderr>,
}

/// A process until it has ended, then its status.
pub(crate) struct Life {
    stage: Stage,
    kill_on_drop: bool,
}

enum Stage {
    Running(Process),
    Ended(ExitStatus),
    /// Given to the orphans.
    Gone,
}

impl Child {
    pub(crate) fn new(life: Life) -> Self {
        Self {
            life,
            stdin: None,
            stdout: None,
            stderr: None,
        }
    }

    /// The process, unless its status is known.
    pub(crate) fn running(&self) -> Option<&Process> {
        match &self.life.stage {
            Stage::Running(process) => Some(process),
            Stage::Ended(_) | Stage::Gone => None,
        }
    }

    /// The number that the system knows it by; `None` once its status is known, because the number
    /// may then be that of another process.
    pub fn id(&self) -> Option<u32> {
        self.running().map(Process::id)
    }

    /// Asks the system to end the process at once (`SIGKILL`), and does not wait. Does nothing if
    /// it is known to have ended.
    ///
    /// # Errors
    /// Those of the system.
    pub fn start_kill(&mut self) -> io::Result<()> {
        match &mut self.life.stage {
            Stage::Running(process) => process.kill(),
            Stage::Ended(_) | Stage::Gone => Ok(()),
        }
    }

    /// Ends the process at once (`SIGKILL`) and waits for that.
    ///
    /// *Cancel safety*: the process is ended all the same.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.start_kill()?;
        self.wait().await.map(drop)
    }

    /// Waits for the end of the process; the same status each time.
    ///
    /// Drops the process's standard input first: else both might wait for each other.
    ///
    /// *Cancel safety*: nothing is lost.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        poll_fn(|cx| self.life.poll_exit(cx)).await
    }

    /// The status, if the process has ended. The standard input stays open.
    ///
    /// # Errors
    /// Those of the system.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        match &mut self.life.stage {
            Stage::Running(process) => {
                let status = process.try_wait()?;
                if let Some(status) = status {
                    self.life.stage = Stage::Ended(status);
                }
                Ok(status)
            }
            Stage::Ended(status) => Ok(Some(*status)),
            Stage::Gone => Ok(None),
        }
    }

    /// Waits for the end of the process, and collects what it writes meanwhile to the streams that
    /// are pipes. Drops its standard input first.
    ///
    /// *Cancel safety*: none; what was collected is lost, and the child is dropped.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let mut exit = pin!(self.wait());
        let mut stdout = pin!(read_all(stdout));
        let mut stderr = pin!(read_all(stderr));
        let (mut status, mut written, mut complaints) = (None, None, None);
        poll_fn(|cx| {
            let done = poll_part(&mut status, exit.as_mut(), cx)?
                & poll_part(&mut written, stdout.as_mut(), cx)?
                & poll_part(&mut complaints, stderr.as_mut(), cx)?;
            if !done {
                return Poll::Pending;
            }
            let all = (status.take(), written.take(), complaints.take());
            let (Some(status), Some(stdout), Some(stderr)) = all else {
                unreachable!("each part is done")
            };
            Poll::Ready(Ok(Output {
                status,
                stdout,
                stderr,
            }))
        })
        .await
    }
}

/// All that comes from a pipe, if there is one.
async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut all).await?;
    }
    Ok(all)
}

/// Polls one of several futures, unless it is done; whether it is now.
fn poll_part<T>(
    part: &mut Option<T>,
    future: Pin<&mut impl Future<Output = io::Result<T>>>,
    cx: &mut Context<'_>,
) -> io::Result<bool> {
    if part.is_none() {
        if let Poll::Ready(output) = future.poll(cx) {
            *part = Some(output?);
        }
    }
    Ok(part.is_some())
}

impl Life {
    pub(crate) fn new(process: Process, kill_on_drop: bool) -> Self {
        Self {
            stage: Stage::Running(process),
            kill_on_drop,
        }
    }

    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        if let Stage::Running(process) = &mut self.stage {
            let status = ready!(process.poll_exit(cx))?;
            self.stage = Stage::Ended(status);
        }
        match &self.stage {
            Stage::Ended(status) => Poll::Ready(Ok(*status)),
            Stage::Running(_) | Stage::Gone => unreachable!("it has ended, and is not dropped"),
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("child", &self.life)
            .field("stdin", &self.stdin)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .finish()
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stage {
            Stage::Running(process) => {
                let guard = Guard(process, self.kill_on_drop);
                f.debug_tuple("Child").field(&guard).finish()
            }
            Stage::Ended(status) => f.debug_tuple("Done").field(status).finish(),
            Stage::Gone => f.write_str("Gone"),
        }
    }
}

/// A process that runs, as it is shown, and whether it is killed on drop.
struct Guard<'a>(&'a Process, bool);

impl fmt::Debug for Guard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildDropGuard")
            .field("inner", self.0)
            .field("kill_on_drop", &self.1)
            .finish()
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Stage::Running(mut process) = mem::replace(&mut self.stage, Stage::Gone) {
            if self.kill_on_drop {
                // It may have ended already; else the orphans still wait for its own end.
                let _ = process.kill();
            }
            orphans::adopt(process);
        }
    }
}
