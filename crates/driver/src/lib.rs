//! Not an API: a layer of yamanote. What happened: I/O, timers, and work that owns its buffers.
//!
//! Knows nothing of tasks and runtimes, and wakes nobody by itself: [`Driver::turn`] waits and
//! returns the wakers. Here is the only choice between the real system and a simulated world.
//!
//! ```text
//!  a socket's poll ──▶ resource (the wait loop) ──▶ reactor: registrations ──▶ selector
//!  a timer's poll  ──▶ timer ─────────────────────▶ shard: wheel                   │
//!  an operation    ──▶ op ──▶ the pool, or ring ──▶ the kernel ─────────────────┤
//!  a worker        ──▶ Driver::turn ◀── selector events, due timers, unpark ◀──────┘
//!                          └──▶ wakers, for the worker to wake
//! ```
//!
//! Each worker has one [`Driver`] and one shard; up to eight workers share a reactor, and all
//! share a [`Handle`]. Read next: [`turn`], then [`resource`] and [`timer`].

#![forbid(unsafe_code)]

pub mod context;
pub mod handle;
mod registry;
pub mod turn;

pub mod clock;
pub mod timer;

pub mod files;
pub mod op;
pub mod resource;

pub mod attendance;
mod reactor;
mod ring;
mod shard;
pub mod sockets;
mod table;
pub mod unpark;

pub use handle::{Config, Handle, new};
pub use turn::{Driver, Turned};
pub use yamanote_sys::barrier;

use std::fmt;
use std::io;

/// What Tokio says when something waits for a runtime that has gone.
pub(crate) const SHUT_DOWN_MESSAGE: &str =
    "A Tokio 1.x context was found, but it is being shutdown.";

/// The error of an operation that would have to wait for a runtime that has gone.
pub(crate) fn shut_down_error() -> io::Error {
    io::Error::other(ShutDown)
}

/// Whether `error` is that of an operation whose runtime is shut down.
#[must_use]
pub fn is_shutdown_error(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.is::<ShutDown>())
}

/// The cause of errors of operations whose runtime is shut down.
struct ShutDown;

impl fmt::Debug for ShutDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(SHUT_DOWN_MESSAGE, f)
    }
}

impl fmt::Display for ShutDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHUT_DOWN_MESSAGE)
    }
}

impl std::error::Error for ShutDown {}
