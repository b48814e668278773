//! Signals of Unix systems: [`Signal`], [`SignalKind`] and [`ctrl_c`].

use std::future::poll_fn;
use std::io;
use std::os::raw::c_int;
use std::task::{Context, Poll};

use crate::listener::Listener;

/// A kind of signal, by its number.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct SignalKind(c_int);

/// Hears one kind of signal; made by [`signal`].
///
/// Signals that come while nobody polls count as one.
#[must_use = "a listener hears nothing unless it is polled"]
#[derive(Debug)]
pub struct Signal {
    listener: Listener,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident = $number:ident;)*) => {
        impl SignalKind {
            $(
                $(#[doc = $doc])*
                #[must_use]
                pub const fn $name() -> Self {
                    Self(libc::$number)
                }
            )*
        }
    };
}

kinds! {
    /// `SIGALRM`: a timer of the system has expired. Ends the process by default.
    alarm = SIGALRM;
    /// `SIGCHLD`: a child process has changed its state. Ignored by default.
    child = SIGCHLD;
    /// `SIGHUP`: the terminal is gone. Ends the process by default.
    hangup = SIGHUP;
    /// `SIGINT`: the user asks to stop, usually by Ctrl-C. Ends the process by default.
    interrupt = SIGINT;
    /// `SIGIO`: a descriptor may be used. Ends the process by default on most systems.
    io = SIGIO;
    /// `SIGPIPE`: nobody reads what is written. Ends the process by default.
    pipe = SIGPIPE;
    /// `SIGQUIT`: the user asks to stop with a core dump. Ends the process by default.
    quit = SIGQUIT;
    /// `SIGTERM`: somebody asks to stop. Ends the process by default.
    terminate = SIGTERM;
    /// `SIGUSR1`: what the program makes of it. Ends the process by default.
    user_defined1 = SIGUSR1;
    /// `SIGUSR2`: what the program makes of it. Ends the process by default.
    user_defined2 = SIGUSR2;
    /// `SIGWINCH`: the terminal has another size. Ignored by default.
    window_change = SIGWINCH;
}

impl SignalKind {
    /// The kind with this number, for instance a real-time signal.
    #[must_use]
    pub const fn from_raw(number: c_int) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn as_raw_value(&self) -> c_int {
        self.0
    }
}

impl From<c_int> for SignalKind {
    fn from(number: c_int) -> Self {
        Self::from_raw(number)
    }
}

impl From<SignalKind> for c_int {
    fn from(kind: SignalKind) -> Self {
        kind.as_raw_value()
    }
}

/// Hears signals of `kind` from now on, instead of their default action.
///
/// The default action does not come back when the listener is dropped. A signal that comes after
/// that is kept for a listener that is made before the runtime's driver turns again: so a listener
/// may be replaced by another one without a gap.
///
/// # Errors
/// When the signal cannot be handled (`SIGKILL`, `SIGSTOP` and those that tell of a fault), and
/// when the system has no descriptors left.
///
/// # Panics
/// Outside of a runtime with I/O.
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    Ok(Signal {
        listener: Listener::new(kind.0)?,
    })
}

impl Signal {
    /// Waits for the next signal. `None` is reserved: it never comes.
    ///
    /// *Cancel safety:* a signal is not lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<()> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Polls for the next signal; the task is woken when it comes.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.listener.poll_heard(cx).map(Some)
    }
}

/// Waits for the user to ask the process to stop (`SIGINT`).
///
/// From the first call on, `SIGINT` no longer ends the process.
///
/// # Errors
/// As [`signal`].
///
/// # Panics
/// Outside of a runtime with I/O.
pub async fn ctrl_c() -> io::Result<()> {
    signal(SignalKind::interrupt())?.recv().await;
    Ok(())
}
