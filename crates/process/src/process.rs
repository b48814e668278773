//! A process that was not waited for yet, and the watch on its end: [`Process`].

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::task::{Context, Poll, ready};

use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_base::interest::Interest;
use yamanote_base::ready::Direction;
use yamanote_driver::resource::{Registration, Watched};
use yamanote_driver::{Handle, context};
use yamanote_signal::unix::{Signal, SignalKind, signal};

use crate::pidfd;

/// A child process that may have ended, but was not waited for.
///
/// Dropping it leaves the process alone; give it to [`adopt`](crate::orphans::adopt) instead.
pub(crate) struct Process {
    std: std::process::Child,
    watch: Watch,
}

/// How the end of a process is noticed, by the driver of one runtime.
#[derive(Debug)]
enum Watch {
    /// The descriptor becomes readable.
    Pidfd(Registration<OwnedFd>),
    /// Some child of this process has changed its state.
    AnyChild(Signal, Handle),
}

static BY_SIGNALS: AtomicBool = AtomicBool::new(false);

/// Has the ends of children noticed by `SIGCHLD`, as on a system without pidfd_open(2). For tests.
pub fn watch_by_signals() {
    // Relaxed: as in Watch::new().
    BY_SIGNALS.store(true, Ordering::Relaxed);
}

impl Process {
    /// Watches `std` with the driver of the runtime that the caller stands in.
    ///
    /// # Errors
    /// The child too, when the system has no descriptors left.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub(crate) fn new(std: std::process::Child) -> Result<Self, (std::process::Child, io::Error)> {
        match Watch::new(std.id()) {
            Ok(watch) => Ok(Self { std, watch }),
            Err(error) => Err((std, error)),
        }
    }

    /// The child, which nobody watches then.
    pub(crate) fn into_std(self) -> std::process::Child {
        self.std
    }

    pub(crate) fn id(&self) -> u32 {
        self.std.id()
    }

    /// Asks the system to end it: by its descriptor, if there is one, since the number may be
    /// another process's already where somebody else waits for each child.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        if let Watch::Pidfd(pidfd) = &self.watch {
            let killed = pidfd::kill(pidfd.get());
            // Where that is forbidden, the number is all there is.
            if killed.as_ref().err().is_none_or(pidfd::is_gone) {
                return killed;
            }
        }
        self.std.kill()
    }

    /// Its status, if it has ended.
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.std.try_wait()
    }

    /// Waits for its end. If the runtime that watches is gone, the current one takes over.
    ///
    /// # Errors
    /// When the system does not know the child (any more), and when nobody can watch.
    pub(crate) fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        let mut taken_over = false;
        // At most twice.
        loop {
            let Self { std, watch } = self;
            let lost = match ready!(watch.poll(cx, || std.try_wait())) {
                Ok(waited) => return Poll::Ready(waited),
                Err(lost) => lost,
            };
            let can_take_over = context::try_current().is_some_and(|here| here.io_enabled());
            if taken_over || !can_take_over {
                return Poll::Ready(Err(lost));
            }
            self.watch = Watch::new(self.id())?;
            taken_over = true;
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("pid", &self.id()).finish()
    }
}

impl Watch {
    #[track_caller]
    fn new(pid: u32) -> io::Result<Self> {
        let handle = context::current_io();
        // Relaxed: a test's choice, for what that test spawns.
        if !BY_SIGNALS.load(Ordering::Relaxed) {
            if let Ok(fd) = pidfd::open(pid) {
                return Registration::new(handle, fd, Interest::READABLE).map(Watch::Pidfd);
            }
        }
        Ok(Watch::AnyChild(signal(SignalKind::child())?, handle))
    }

    /// Calls `try_wait` until it has an answer, now and after each sign of an end.
    ///
    /// # Errors
    /// When the runtime that watches is gone. An error of `try_wait` is an answer.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut try_wait: impl FnMut() -> io::Result<Option<ExitStatus>>,
    ) -> Poll<io::Result<io::Result<ExitStatus>>> {
        let answer = || match try_wait().transpose() {
            Some(answer) => Ok(answer),
            None => Err(io::ErrorKind::WouldBlock.into()),
        };
        match self {
            Watch::Pidfd(pidfd) => pidfd.poll_io(cx, Direction::Read, answer),
            Watch::AnyChild(signal, handle) => poll_any_child(cx, signal, handle, answer),
        }
    }
}

/// Calls `answer` after each signal, until it does not say `WouldBlock`.
fn poll_any_child<T>(
    cx: &mut Context<'_>,
    signal: &mut Signal,
    handle: &Handle,
    mut answer: impl FnMut() -> io::Result<T>,
) -> Poll<io::Result<T>> {
    // Bounded: each round takes a signal, or ends.
    loop {
        let heard = signal.poll_recv(cx);
        match answer() {
            Ok(answer) => return Poll::Ready(Ok(answer)),
            Err(_) if handle.is_shut_down() => {
                let message = "the runtime that watched the process is gone";
                return Poll::Ready(Err(io::Error::other(message)));
            }
            Err(_) if heard.is_pending() => return Poll::Pending,
            Err(_) => {}
        }
    }
}
