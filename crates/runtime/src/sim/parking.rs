//! Where threads of blocking work wait when they wait through the system: for a word in memory to
//! change, which is how locks and channels of `std` sleep, or for time to go by.
//!
//! Only where the system's calls are replaced (feature `sim`) does anybody come here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicBool, AtomicUsize, Ordering};
use yamanote_base::baton::{self, Order, Seat};
use yamanote_base::lock::Mutex;
use yamanote_base::simulated::{self, Parked};
use yamanote_driver::context;

/// A thread that waits at an address.
struct Sleeper {
    seat: Seat,
    /// Which wakes it listens to.
    mask: u32,
    woken: AtomicBool,
}

/// Who waits, by address, in the order of arrival: at most one place for each thread.
static SLEEPERS: Mutex<BTreeMap<usize, VecDeque<Arc<Sleeper>>>> = Mutex::new(BTreeMap::new());
/// How many wait. Written under the lock of [`SLEEPERS`], read by whoever wakes.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Waits until somebody wakes the threads at `address`, or until the limit; not at all on a thread
/// that nobody can run meanwhile.
///
/// May return early, as the system's call may.
pub(super) fn park_at(address: usize, mask: u32, limit_ns: Option<u64>) -> Parked {
    let Some(seat) = baton::current() else {
        return Parked::NotHere;
    };
    // The locks here are none that the world may see.
    let _outside = simulated::leave();
    let sleeper = Arc::new(Sleeper {
        seat,
        mask,
        woken: AtomicBool::new(false),
    });
    change(address, |queue| queue.push_back(sleeper.clone()));
    let is_woken = sleep(
        &sleeper.seat,
        limit_ns,
        "a lock or a channel of std",
        || {
            // Relaxed: only one of the threads that matter runs at a time.
            sleeper.woken.load(Ordering::Relaxed)
        },
    );
    let is_other = |other: &Arc<Sleeper>| !Arc::ptr_eq(other, &sleeper);
    // Who has woken it has taken it out.
    change(address, |queue| queue.retain(is_other));
    if is_woken {
        Parked::Woken
    } else {
        Parked::TimedOut
    }
}

/// Wakes at most `most` of the threads at `address`; returns how many.
pub(super) fn unpark_at(address: usize, mask: u32, most: usize) -> usize {
    // Relaxed: who waits has said so before the one that wakes got its turn.
    if COUNT.load(Ordering::Relaxed) == 0 {
        return 0;
    }
    // As in park_at().
    let _outside = simulated::leave();
    let mut woken = Vec::new();
    change(address, |queue| {
        while woken.len() < most {
            let next = queue.iter().position(|sleeper| sleeper.mask & mask != 0);
            let Some(sleeper) = next.and_then(|index| queue.remove(index)) else {
                break;
            };
            woken.push(sleeper);
        }
    });
    for sleeper in &woken {
        // Relaxed: as where it is read.
        sleeper.woken.store(true, Ordering::Relaxed);
        sleeper.seat.wake();
    }
    woken.len()
}

/// Lets so much virtual time go by.
pub(super) fn nap(nanos: u64) {
    match baton::current() {
        Some(seat) => drop(sleep(&seat, Some(nanos), "the end of a nap", || false)),
        // The whole world waits for this thread.
        None => {
            let host = context::host();
            let skip = |host: yamanote_world::Host| host.world().skip(Duration::from_nanos(nanos));
            host.map(skip);
        }
    }
}

/// Waits until `is_over`, or until the limit; returns whether it is over.
fn sleep(
    seat: &Seat,
    limit_ns: Option<u64>,
    what: &'static str,
    is_over: impl Fn() -> bool,
) -> bool {
    let alarm = limit_ns.and_then(|nanos| {
        let host = context::host()?;
        Some(host.world().alarm(what, Duration::from_nanos(nanos)))
    });
    let waker = Waker::from(Arc::new(seat.clone()));
    let mut cx = Context::from_waker(&waker);
    // Bounded by who wakes it, by the limit, or by the end of the world.
    loop {
        if is_over() {
            return true;
        }
        if alarm
            .as_ref()
            .is_some_and(|alarm| alarm.poll(&mut cx).is_ready())
        {
            return false;
        }
        if seat.wait(what) == Order::Leave {
            return limit_ns.is_none();
        }
    }
}

/// Changes who waits at `address`, and keeps the count true.
fn change(address: usize, f: impl FnOnce(&mut VecDeque<Arc<Sleeper>>)) {
    let mut sleepers = SLEEPERS.lock();
    let queue = sleepers.entry(address).or_default();
    let before = queue.len();
    f(queue);
    let after = queue.len();
    if after == 0 {
        sleepers.remove(&address);
    }
    // Relaxed: see unpark_at().
    let count = COUNT.load(Ordering::Relaxed);
    COUNT.store(count + after - before, Ordering::Relaxed);
}
