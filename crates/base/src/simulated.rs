//! Whether the current thread is in a simulated world, for what stands in the place of the
//! system's own functions there.

use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

thread_local! {
    static SIMULATED: Cell<bool> = const { Cell::new(false) };
}

/// What is called with a name.
pub type NameVisitor<'a> = &'a mut dyn FnMut(&str);

/// What the runtime knows of the host that the thread stands on.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// What the host's clock shows that only goes forward, in nanoseconds since the world's
    /// beginning; each reading takes a few.
    pub monotonic_ns: fn() -> u64,
    /// What the host's clock on the wall shows, in nanoseconds since 1970; as above.
    pub wall_ns: fn() -> u64,
    /// The number of the host.
    pub host: fn() -> u32,
    /// The name of the host, for `f`.
    pub with_name: fn(NameVisitor<'_>),
    /// Something happened that a report is to tell of.
    pub note: fn(what: &'static str),
    /// Something happened that the world does not decide.
    pub leak: fn(what: &'static str),
    /// Waits for a wake at an address, of those in the mask, or for so many nanoseconds.
    pub park_at: fn(address: usize, mask: u32, limit_ns: Option<u64>) -> Parked,
    /// Wakes so many of those that wait at an address; returns how many. Of use on any thread.
    pub unpark_at: fn(address: usize, mask: u32, most: usize) -> usize,
    /// Lets so many nanoseconds go by.
    pub nap: fn(nanos: u64),
    /// The addresses of a name; takes a while.
    pub resolve: fn(name: &str) -> Result<Vec<IpAddr>, Unresolved>,
    /// Binds a socket of the system, known to it by a number, to an address of the host.
    pub bind: fn(cookie: u64, addr: SocketAddr, how: Binding) -> io::Result<()>,
    /// Where a socket of the system was bound so.
    pub bound: fn(cookie: u64) -> Option<SocketAddr>,
}

/// What there is to know of a socket that is to be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Whether it is for TCP, not for UDP.
    pub is_stream: bool,
    /// Whether it leaves the port to others of version 4, where it is one of version 6.
    pub only_v6: bool,
    /// Whether it leaves the port to others that say so, too.
    pub reuse_port: bool,
}

/// Why a name leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Nobody has it.
    Unknown,
    /// There is no answer now.
    Temporary,
}

/// How a wait at an address ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// Somebody may have woken it.
    Woken,
    /// The time was up.
    TimedOut,
    /// The thread is none that can wait so: it did not.
    NotHere,
}

static SURROUNDINGS: OnceLock<Surroundings> = OnceLock::new();

/// The thread is in a world until this is dropped.
#[derive(Debug)]
#[must_use = "the thread leaves the world at once when this is dropped"]
pub struct SimulatedGuard {
    before: bool,
    _not_send: PhantomData<*mut ()>,
}

/// Says how to ask for the surroundings; later calls change nothing.
pub fn set_surroundings(surroundings: Surroundings) {
    let _ = SURROUNDINGS.set(surroundings);
}

/// The thread is in a world from now on.
pub fn enter() -> SimulatedGuard {
    set(true)
}

/// The thread is in no world from now on: what it does is the runtime's own.
pub fn leave() -> SimulatedGuard {
    set(false)
}

fn set(is_simulated: bool) -> SimulatedGuard {
    let before = SIMULATED.try_with(|cell| cell.replace(is_simulated));
    SimulatedGuard {
        before: before.unwrap_or(false),
        _not_send: PhantomData,
    }
}

/// What surrounds the thread, if it is in a world.
#[inline]
pub fn surroundings() -> Option<&'static Surroundings> {
    let is_simulated = SIMULATED.try_with(Cell::get).unwrap_or(false);
    if is_simulated {
        SURROUNDINGS.get()
    } else {
        None
    }
}

/// What surrounds threads that are in a world, if any ever was.
#[inline]
pub fn any_surroundings() -> Option<&'static Surroundings> {
    SURROUNDINGS.get()
}

impl Drop for SimulatedGuard {
    fn drop(&mut self) {
        let _ = SIMULATED.try_with(|cell| cell.set(self.before));
    }
}
