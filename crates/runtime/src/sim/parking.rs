//! Where threads of blocking work wait when they wait through the system: for a word in memory to
//! change, which is how locks and channels of `std` sleep, or for time to go by. What blocks in
//! place has the world's own thread, and runs the others itself meanwhile.
//!
//! Only where the system's calls are replaced (feature `sim`) does anybody come here.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicBool, AtomicUsize, Ordering};
use yamanote_base::baton::{self, Order, Seat};
use yamanote_base::enter::{self, Entered};
use yamanote_base::lock::Mutex;
use yamanote_base::simulated::{self, Parked};
use yamanote_base::waits;
use yamanote_base::waker_cell::WakerCell;
use yamanote_driver::context;

use crate::handle::{Handle, Scheduler};

/// A thread that waits at an address.
struct Sleeper {
    waker: WakerCell,
    /// Which wakes it listens to.
    mask: u32,
    woken: AtomicBool,
}

/// Who waits, by address, in the order of arrival: at most one place for each thread.
static SLEEPERS: Mutex<BTreeMap<usize, VecDeque<Arc<Sleeper>>>> = Mutex::new(BTreeMap::new());
/// How many wait. Written under the lock of [`SLEEPERS`], read by whoever wakes.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Waits until somebody wakes the threads at `address`, or until the limit; not at all on a thread
/// without which nobody runs.
///
/// May return early, as the system's call may.
pub(super) fn park_at(address: usize, mask: u32, limit_ns: Option<u64>) -> Parked {
    // The locks here are none that the world may see.
    let _outside = simulated::leave();
    let sleeper = Arc::new(Sleeper {
        waker: WakerCell::new(),
        mask,
        woken: AtomicBool::new(false),
    });
    change(address, |queue| queue.push_back(sleeper.clone()));
    let is_woken = stand_still(limit_ns, "a lock or a channel of std", |waker| {
        sleeper.waker.register(waker);
        // Relaxed: only one of the threads that matter runs at a time.
        sleeper.woken.load(Ordering::Relaxed)
    });
    let is_other = |other: &Arc<Sleeper>| !Arc::ptr_eq(other, &sleeper);
    // Who has woken it has taken it out.
    change(address, |queue| queue.retain(is_other));
    match is_woken {
        Some(true) => Parked::Woken,
        Some(false) => Parked::TimedOut,
        None => Parked::NotHere,
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
        let waker = sleeper.waker.take();
        waker.into_iter().for_each(Waker::wake);
    }
    woken.len()
}

/// Lets so much virtual time go by.
pub(super) fn nap(nanos: u64) {
    if stand_still(Some(nanos), "the end of a nap", |_| false).is_none() {
        // The whole world waits for this thread.
        let host = context::host();
        let skip = |host: yamanote_world::Host| host.world().skip(Duration::from_nanos(nanos));
        host.map(skip);
    }
}

/// Waits until `is_over`, or until the limit; returns whether it is over, `None` if this thread
/// cannot wait. `is_over` is asked again after a wake.
fn stand_still(
    limit_ns: Option<u64>,
    what: &'static str,
    is_over: impl Fn(&Waker) -> bool,
) -> Option<bool> {
    let seat = baton::current();
    // Without a seat it is the world's own thread, which waits if a task blocks in place there.
    if seat.is_none() && enter::current() != Entered::No {
        return None;
    }
    let alarm = limit_ns.and_then(|nanos| {
        let host = context::host()?;
        Some(host.world().alarm(what, Duration::from_nanos(nanos)))
    });
    let poll = |cx: &mut Context<'_>| match &alarm {
        _ if is_over(cx.waker()) => Poll::Ready(true),
        Some(alarm) => alarm.poll(cx).map(|()| false),
        None => Poll::Pending,
    };
    match seat {
        Some(seat) => give_way(&seat, what, poll).or(Some(limit_ns.is_none())),
        None => run_others(what, poll),
    }
}

/// On a thread of its own: others run until `poll` is ready; `None` if nobody will see to that.
fn give_way(
    seat: &Seat,
    what: &'static str,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<bool>,
) -> Option<bool> {
    let waker = Waker::from(Arc::new(seat.clone()));
    let mut cx = Context::from_waker(&waker);
    // Bounded by who wakes it, by the limit, or by the end of the world.
    loop {
        if let Poll::Ready(is_over) = poll(&mut cx) {
            return Some(is_over);
        }
        if seat.wait(what) == Order::Leave {
            return None;
        }
    }
}

/// On the world's thread: runs the others until `poll` is ready; `None` if the world comes to its
/// end meanwhile.
fn run_others(
    what: &'static str,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<bool>,
) -> Option<bool> {
    let host = |handle: &Handle| match handle.scheduler() {
        Scheduler::Sim(host) => Some(host.clone()),
        _ => None,
    };
    let host = crate::context::try_with(host).ok().flatten()?;
    let _driving = crate::context::start_driving(true);
    let waits = poll_fn(|cx| {
        let polled = poll(cx);
        if polled.is_pending() {
            waits::note(|| what);
        }
        polled
    });
    host.sim().run(&host, waits).ok()
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
