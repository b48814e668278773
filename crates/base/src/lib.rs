//! Not an API: a layer of yamanote. What every other layer stands on; imports only `std`.
//!
//! Knows nothing of tasks, drivers, runtimes or the operating system's selector.
//!
//! ```text
//!  atomic ── lock ──┬── biased_lock            (who has what)
//!                   ├── wait ──── ready        (who waits for what)
//!                   └── waker_cell, wake       (how they are told)
//!  budget   rng   enter   block   linger   hooks   probe   (what belongs to the current thread)
//!  baton    simulated   waits                                    (and to one that is in a world)
//! ```
//!
//! Read next: [`wait`] (the one waiter list), then [`ready`] (readiness of one resource).

pub mod ahead;
pub mod atomic;
pub mod biased_lock;
pub mod cell_pool;
#[cfg(not(target_os = "linux"))]
#[path = "huge_absent.rs"]
pub mod huge;
#[cfg(target_os = "linux")]
#[path = "huge_linux.rs"]
pub mod huge;
pub mod lock;
pub mod places;
pub mod slab;

pub mod small_waker;
pub mod wait;
pub mod wake;
pub mod waker_cell;

pub mod interest;
pub mod ready;

pub mod baton;
pub mod block;
pub mod budget;
pub mod enter;
pub mod hooks;
pub mod linger;
pub mod probe;
pub mod quietly;
pub mod rng;
pub mod simulated;
pub mod waits;
