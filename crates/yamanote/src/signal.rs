//! Signals of the operating system to the process.

#[cfg(any(unix, windows))]
pub use yamanote_signal::ctrl_c;

/// What only Unix knows: signals by kind.
#[cfg(unix)]
pub mod unix {
    pub use yamanote_signal::unix::{Signal, SignalKind, signal};
}

/// What only Windows knows: the events of a console.
#[cfg(windows)]
pub mod windows {
    pub use yamanote_signal::windows::{
        CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close,
        ctrl_logoff, ctrl_shutdown,
    };
}
