//! What Windows tells a console's processes: Ctrl-C and its kin.
//!
//! The system calls one handler for the process, on a thread of its own; the handler sets a flag
//! for each listener, and wakes it. No driver is needed for that.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use crate::console::{ConsoleEvent, Listener};

/// Writes the listener of one event, and the function that makes it.
macro_rules! listeners {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident -> $Listener:ident = $Event:ident;
    )*) => {$(
        #[doc = concat!("Hears one kind of event; made by [`", stringify!($name), "`].")]
        ///
        /// Events that come while nobody polls count as one.
        #[must_use = "a listener hears nothing unless it is polled"]
        #[derive(Debug)]
        pub struct $Listener {
            listener: Listener,
        }

        $(#[doc = $doc])*
        ///
        /// Other listeners of the process hear it, too.
        ///
        /// # Errors
        /// When the system refuses the handler.
        pub fn $name() -> io::Result<$Listener> {
            Ok($Listener {
                listener: Listener::new(ConsoleEvent::$Event)?,
            })
        }

        impl $Listener {
            /// Waits for the next event. `None` is reserved: it never comes.
            ///
            /// *Cancel safety:* an event is not lost when the future is dropped.
            pub async fn recv(&mut self) -> Option<()> {
                poll_fn(|cx| self.poll_recv(cx)).await
            }

            /// Polls for the next event; the task is woken when it comes.
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
                self.listener.poll_heard(cx).map(Some)
            }
        }
    )*};
}

listeners! {
    /// Hears Ctrl-C from now on, which then does not end the process any more.
    ctrl_c -> CtrlC = CtrlC;
    /// Hears Ctrl-Break from now on, which then does not end the process any more.
    ctrl_break -> CtrlBreak = CtrlBreak;
    /// Hears from now on that the console is closed.
    ///
    /// The process is ended all the same, a few seconds after that.
    ctrl_close -> CtrlClose = Close;
    /// Hears from now on that a user logs off, which only services hear.
    ///
    /// The process is ended all the same, a few seconds after that.
    ctrl_logoff -> CtrlLogoff = Logoff;
    /// Hears from now on that the system shuts down, which only services hear.
    ///
    /// The process is ended all the same, a few seconds after that.
    ctrl_shutdown -> CtrlShutdown = Shutdown;
}

/// Waits for the user to ask the process to stop (Ctrl-C).
///
/// From the first call on, Ctrl-C no longer ends the process.
///
/// # Errors
/// As [`ctrl_c`].
pub async fn wait_for_ctrl_c() -> io::Result<()> {
    ctrl_c()?.recv().await;
    Ok(())
}
