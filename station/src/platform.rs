//! What differs between platforms: being told to stop, and directories that can be synced.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::sync_directory;
#[cfg(unix)]
pub use unix::terminated;
#[cfg(windows)]
pub(crate) use windows::sync_directory;
#[cfg(windows)]
pub use windows::terminated;
