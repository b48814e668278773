//! Not an API: a layer of yamanote. Who runs next.
//!
//! Knows nothing of sockets or of what tasks do: it takes [`Runnable`](yamanote_task::Runnable)s
//! from wakers, runs them, and calls `Driver::turn` when there is nothing to run (and now and
//! then in between).
//!
//! ```text
//!            waker ──▶ Schedule::schedule ──┬─▶ the thread's own queue   (on a worker)
//!                                           └─▶ inject queue + unpark    (from elsewhere)
//!  local   one thread, the one in `block_on`
//!  multi   N workers, each with a ring, a slot for the next task, a driver; they steal
//!  sim     one thread, many hosts, the order drawn from a seed
//! ```
//!
//! Read next: [`local`], then [`multi`].

mod burst;
pub mod config;
mod countdown;
pub mod histogram;
pub mod inject;
pub mod local;
pub mod metrics;
pub mod multi;
pub mod sim;
