//! What the tasks of one call site have in common, found when one is spawned: [`Origin`].
//!
//! ```text
//!   task ──▶ Origin { functions, location } ◀── table of the process
//! ```
//!
//! A task has one word for what would be two. The table only grows: it has a record for each type
//! of future at each place that spawns it, so the program's text bounds it.

use std::ptr;

use yamanote_base::atomic::plain::{AtomicPtr, Ordering};

use crate::header::Vtable;
use crate::meta::SpawnLocation;

/// Where tasks come from: what they are made of, and the place that spawns them.
#[derive(Debug)]
pub(crate) struct Origin {
    /// A copy, one look nearer than the table that it is known by.
    pub(crate) vtable: Vtable,
    pub(crate) location: SpawnLocation,
    known_by: &'static Vtable,
    next: Option<&'static Origin>,
}

/// How many chains there are: most programs spawn at fewer places.
const CHAINS: usize = 256;

/// The records, by a hash of both addresses. A record that is there stays, and is not changed, so
/// one that is found was published by whoever put it at the head of its chain.
static TABLE: [AtomicPtr<Origin>; CHAINS] = [const { AtomicPtr::new(ptr::null_mut()) }; CHAINS];

impl Origin {
    /// The record of the tasks that are made of `vtable` and spawned at `location`.
    #[inline]
    pub(crate) fn of(vtable: &'static Vtable, location: SpawnLocation) -> &'static Self {
        let chain = &TABLE[chain_of(vtable, location)];
        match first_of(chain) {
            Some(first) if first.is(vtable, location) => first,
            first => Self::find(chain, first, vtable, location),
        }
    }

    #[inline]
    fn is(&self, vtable: &'static Vtable, location: SpawnLocation) -> bool {
        ptr::eq(self.known_by, vtable) && self.location.is(location)
    }

    /// Looks behind the `first` of the chain, and adds a record if there is none.
    #[inline(never)]
    fn find(
        chain: &AtomicPtr<Origin>,
        mut first: Option<&'static Self>,
        vtable: &'static Vtable,
        location: SpawnLocation,
    ) -> &'static Self {
        let mut made = None;
        // Each round begins with a record that another thread has just put there.
        loop {
            let mut records = std::iter::successors(first, |record| record.next);
            if let Some(known) = records.find(|record| record.is(vtable, location)) {
                return known;
            }
            let mut record = made.take().unwrap_or_else(|| {
                Box::new(Self {
                    vtable: *vtable,
                    location,
                    known_by: vtable,
                    next: None,
                })
            });
            record.next = first;
            let record = Box::into_raw(record);
            let head = first.map_or(ptr::null_mut(), |first| ptr::from_ref(first).cast_mut());
            // Release: publishes the record; pairs with the Acquire in first_of(). Relaxed: the
            // next round looks for itself.
            match chain.compare_exchange(head, record, Ordering::Release, Ordering::Relaxed) {
                // SAFETY: it is in the table, which keeps it, unchanged.
                Ok(_) => return unsafe { &*record },
                // SAFETY: from `into_raw` above; it did not get into the table.
                Err(_) => made = Some(unsafe { Box::from_raw(record) }),
            }
            first = first_of(chain);
        }
    }
}

/// The record that was added to the chain last.
#[inline]
fn first_of(chain: &AtomicPtr<Origin>) -> Option<&'static Origin> {
    // Acquire: pairs with the Release in find(); what is in the record is there, and so are those
    // behind it, which whoever added it had seen.
    let first = chain.load(Ordering::Acquire);
    // SAFETY: null, or a record, which is kept for good and not changed.
    unsafe { first.as_ref() }
}

/// The chain of a record: both addresses are multiples of eight, and most often each is in one
/// record only.
#[inline]
fn chain_of(vtable: &'static Vtable, location: SpawnLocation) -> usize {
    let addresses = [
        ptr::from_ref(vtable).addr(),
        ptr::from_ref(location.location()).addr(),
    ];
    (addresses[0].wrapping_add(addresses[1]) / 8) % CHAINS
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::future::Pending;
    use std::panic::Location;
    use std::sync::Barrier;
    use std::thread;

    use crate::cell::TaskCell;
    use crate::runnable::Runnable;
    use crate::schedule::Schedule;

    struct Nowhere;

    // SAFETY: it points to nothing.
    unsafe impl Schedule for Nowhere {
        fn schedule(&self, task: Runnable) {
            drop(task);
        }
    }

    static VTABLE: Vtable = TaskCell::<Pending<()>, Nowhere>::VTABLE;

    /// As many places as is asked for, each an address of its own.
    fn places(count: usize) -> &'static [Location<'static>] {
        let places = vec![*Location::caller(); count];
        Box::leak(places.into_boxed_slice())
    }

    #[test]
    fn threads_that_look_for_the_same_at_once_find_the_same() {
        // More than there are chains, so that most records are behind others.
        let count = 2 * CHAINS;
        let threads = 4;
        for _ in 0..5 {
            let (places, barrier) = (places(count), Barrier::new(threads));
            let look = |at: usize| {
                barrier.wait();
                let turned = places.iter().cycle().skip(at % 2).take(count);
                let found = turned.map(|place| {
                    let origin = Origin::of(&VTABLE, SpawnLocation(place));
                    assert!(origin.location.is(SpawnLocation(place)));
                    ptr::from_ref(origin).addr()
                });
                let mut found: Vec<usize> = found.collect();
                found.sort_unstable();
                found
            };
            let found: Vec<Vec<usize>> = thread::scope(|scope| {
                let all: Vec<_> = (0..threads)
                    .map(|at| scope.spawn(move || look(at)))
                    .collect();
                all.into_iter()
                    .map(|one| one.join().expect("it found them"))
                    .collect()
            });
            assert!(found.iter().all(|records| *records == found[0]));
            assert_eq!(found[0].iter().collect::<BTreeSet<_>>().len(), count);
        }
    }
}
