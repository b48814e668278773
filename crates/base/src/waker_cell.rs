//! One waker that one side leaves and any other side takes: [`WakerCell`].
//!
//! Two bits of the word are rights: who sets one first owns the slot until it clears it. The
//! third, `STORED`, only says whether a waker lies in the slot.
//!
//! | state (but for `STORED`) | who owns the slot | goes to |
//! |---|---|---|
//! | `IDLE` | nobody | `STORING` by register, `TAKING` by take |
//! | `STORING` | the registering thread | `IDLE + STORED`; or a taker adds `TAKING` and leaves |
//! | `TAKING` | the taker | `IDLE` when it has the waker |
//! | `STORING + TAKING` | the registering thread | `IDLE`, and it wakes what it has just stored |

use std::task::Waker;

use crate::atomic::{AtomicUsize, Ordering, UnsafeCell, spin_loop};
use crate::const_unless_model;

const IDLE: usize = 0;
const STORING: usize = 1;
const TAKING: usize = 2;
const STORED: usize = 4;

/// A slot for one waker: one thread at a time registers, any thread wakes.
pub struct WakerCell {
    state: AtomicUsize,
    /// Read and written only by the thread that owns the slot, by the table above.
    slot: UnsafeCell<Option<Waker>>,
}

// SAFETY: the slot moves between threads by the state word alone, and wakers are `Send`.
unsafe impl Send for WakerCell {}
// SAFETY: as above; no reference to the slot leaves this file.
unsafe impl Sync for WakerCell {}

impl WakerCell {
    const_unless_model! {
        /// An empty cell.
        pub const fn new() -> Self {
            Self { state: AtomicUsize::new(IDLE), slot: UnsafeCell::new(None) }
        }
    }

    /// Leaves `waker` to be woken by the next [`wake`](Self::wake).
    ///
    /// Whoever registers must look at the condition once more afterwards. A wake that happens
    /// meanwhile wakes the new waker, and so does a registration that meets another one (which
    /// is a fault of the caller, met with a spare wake).
    pub fn register(&self, waker: &Waker) {
        drop(self.replace(waker));
    }

    /// Like [`register`](Self::register); gives the waker that was there before to the caller,
    /// who may look at the condition once more before that one's destructor runs.
    pub fn replace(&self, waker: &Waker) -> Option<Waker> {
        // Relaxed: a guess, which the exchange below checks.
        let idle = self.state.load(Ordering::Relaxed) & STORED;
        // Acquire: pairs with the Release in take(), so that its emptying of the slot is seen.
        match self
            .state
            .compare_exchange(idle, STORING, Ordering::Acquire, Ordering::Acquire)
        {
            Ok(_) => self.store(waker),
            // A taker is at work: what it takes is the old waker, so this one is woken here.
            Err(_) => {
                waker.wake_by_ref();
                // The taker is about to finish; the model checker lets it.
                spin_loop();
                None
            }
        }
    }

    /// Whether a waker is stored, by one plain load.
    ///
    /// The caller orders this load and its change of the condition against the registering
    /// thread's registration and second look at the condition.
    #[inline]
    pub fn is_stored(&self) -> bool {
        // Relaxed: see above; what a waker publishes is seen through take().
        self.state.load(Ordering::Relaxed) & STORED != 0
    }

    fn store(&self, waker: &Waker) -> Option<Waker> {
        /// Gives the slot back, even if cloning the waker panicked.
        struct GiveBack<'a>(&'a WakerCell);

        impl Drop for GiveBack<'_> {
            fn drop(&mut self) {
                self.0.give_back();
            }
        }

        let give_back = GiveBack(self);
        let old = self.slot.with_mut(|slot| {
            // SAFETY: STORING was set by `register`; it excludes every other access.
            let slot = unsafe { &mut *slot };
            match slot {
                Some(known) if known.will_wake(waker) => None,
                _ => slot.replace(waker.clone()),
            }
        });
        drop(give_back);
        old
    }

    fn give_back(&self) {
        // Release: publishes the slot to take(). Acquire: sees what a taker did before it left.
        if self
            .state
            .compare_exchange(STORING, STORED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            return;
        }
        let fresh = self.slot.with_mut(|slot| {
            // SAFETY: STORING + TAKING leaves the slot with the registering thread.
            unsafe { &mut *slot }.take()
        });
        // AcqRel: publishes the empty slot; nobody else changes the word in this state.
        self.state.swap(IDLE, Ordering::AcqRel);
        if let Some(fresh) = fresh {
            fresh.wake();
        }
    }

    /// Takes the waker out, if one is registered and nobody else is at the slot.
    pub fn take(&self) -> Option<Waker> {
        // AcqRel: Acquire sees the waker that store() published; Release shows the registering
        // thread what happened before this wake.
        if self.state.fetch_or(TAKING, Ordering::AcqRel) & !STORED != IDLE {
            return None;
        }
        let waker = self.slot.with_mut(|slot| {
            // SAFETY: TAKING was set alone, by the line above; it excludes every other access.
            unsafe { &mut *slot }.take()
        });
        // Release: pairs with the Acquire in register(); publishes the empty slot.
        self.state.fetch_and(!(TAKING | STORED), Ordering::Release);
        waker
    }

    /// Wakes and forgets the registered waker.
    pub fn wake(&self) {
        if let Some(waker) = self.take() {
            waker.wake();
        }
    }
}

impl Default for WakerCell {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for WakerCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WakerCell").finish_non_exhaustive()
    }
}
