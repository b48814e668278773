//! Not an API: a layer of yamanote. This operating system: its selector and its sockets.
//!
//! Knows nothing of timers, runtimes or tasks, and calls nobody: it returns what became ready.
//! A [`Selector`](selector::Selector) waits, and each [`Event`](selector::Event) carries the token
//! under which a [`Source`](source::Source) was registered.
//!
//! ```text
//!  socket, receive, sending, pieces, file (what the system offers beyond std)
//!  ring: requests that own their buffers, and their completions
//!  source ── registered with ──▶ selector ── wait ──▶ events: token + Ready
//! ```
//!
//! Platforms: the table below chooses whole modules. Read next: [`selector`].

pub mod selector;

pub mod held;
pub mod likeness;
pub mod pieces;
pub mod pooled;
pub mod receive;
pub mod request;
pub mod sending;
pub mod socket;
pub mod sockets;

#[cfg(not(target_os = "linux"))]
#[path = "barrier_absent.rs"]
pub mod barrier;
#[cfg(not(target_os = "linux"))]
#[path = "file_absent.rs"]
pub mod file;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{barrier, file};

#[cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
#[path = "linux/rings.rs"]
mod rings;
#[cfg(not(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
)))]
#[path = "rings_absent.rs"]
mod rings;
pub use rings::ring;
use rings::socket_ring;

#[cfg(not(target_os = "linux"))]
#[path = "stand_in_absent.rs"]
mod stand_in;
#[cfg(target_os = "linux")]
#[path = "linux/stand_in.rs"]
mod stand_in;

// Where the calls have numbers of their own: on all of these since Linux 4.3, on most from the
// beginning.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[path = "linux/transfer.rs"]
mod transfer;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
#[path = "transfer_absent.rs"]
mod transfer;

#[cfg(all(unix, not(target_os = "linux")))]
#[path = "unix/abstract_absent.rs"]
mod abstract_name;
#[cfg(target_os = "linux")]
#[path = "unix/abstract_linux.rs"]
mod abstract_name;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{credentials, pipe, read, source, unix_socket};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{named_pipe, source};

#[cfg(not(any(unix, windows)))]
compile_error!("this platform has no module in yamanote-sys yet");
