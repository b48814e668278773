//! A thread that runs only while it holds the baton: [`Seat`].
//!
//! A simulated world gives work that blocks such a thread, so that it may wait in the middle of a
//! function while all else stays in one order. Who hands the baton over stands still meanwhile.
//!
//! ```text
//!  the world's thread:  hand_over() ── stands still ──────────▶ Back::Waits or Back::Done
//!                            │                                        ▲
//!  the seat's thread:        └──▶ runs ──▶ wait(), or the work's end ─┘
//! ```

use std::cell::RefCell;
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use crate::atomic::RawCondvar as Condvar;
use crate::lock::{Mutex, MutexGuard};
use crate::quietly::quietly;
use crate::simulated;

/// The real time after which a thread that neither works nor gives the baton back is lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of that time a thread is on a processor that works.
const AT_WORK: Duration = Duration::from_millis(100);

/// The place of a thread that waits for the baton; clones are the same one.
#[derive(Clone)]
pub struct Seat(Arc<SeatParts>);

struct SeatParts {
    state: Mutex<SeatState>,
    /// Notified when the baton changes hands.
    passed: Condvar,
}

#[derive(Default)]
struct SeatState {
    /// Whether the seat's thread has the baton.
    is_here: bool,
    is_done: bool,
    order: Order,
    /// Who is told that the thread could go on.
    waker: Option<Waker>,
    /// What the thread waits for.
    waits_for: &'static str,
    /// The folder in which Linux tells of the thread.
    thread: PathBuf,
}

/// What the thread is to do with the baton.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// See whether it can go on.
    #[default]
    Go,
    /// Give up what it waits for: nothing will come of it.
    Leave,
}

/// Why the baton came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// The work is done, the thread is about to end.
    Done,
    /// The thread waits for this.
    Waits(&'static str),
    /// It did not: the thread waits for something that no baton is given back for.
    Lost,
}

/// What goes through the work of a thread that is to leave.
struct Leaving;

thread_local! {
    static CURRENT: RefCell<Option<Seat>> = const { RefCell::new(None) };
}

/// The seat that the current thread runs on.
#[must_use]
pub fn current() -> Option<Seat> {
    let current = CURRENT.try_with(|current| current.borrow().clone());
    current.ok().flatten()
}

impl Seat {
    /// A new thread for `work`, which begins when the baton is first handed over.
    ///
    /// # Errors
    /// When the system denies a thread.
    pub fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let seat = Self(Arc::new(SeatParts {
            state: Mutex::new(SeatState::default()),
            passed: Condvar::new(),
        }));
        let own = seat.clone();
        let run = move || own.run(work);
        thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(seat)
    }

    /// On the seat's thread: waits for the baton, does the work, gives the baton back for good.
    fn run(self, work: impl FnOnce()) {
        let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
        self.0.state.lock().thread = Path::new("/proc").join(thread);
        CURRENT.set(Some(self.clone()));
        if self.await_baton() == Order::Go {
            // A panic is the work's own affair; this one is that of a thread that leaves.
            quietly(work);
        }
        CURRENT.set(None);
        let mut state = self.0.state.lock();
        state.is_done = true;
        self.pass(state, false);
    }

    /// Hands the baton to the seat's thread and stands still until it comes back.
    pub fn hand_over(&self, waker: &Waker, order: Order) -> Back {
        // What it waits with, and how long, is the system's.
        let _outside = simulated::leave();
        let mut state = self.0.state.lock();
        if state.is_done {
            return Back::Done;
        }
        state.order = order;
        state.waker = Some(waker.clone());
        self.pass(state, true);
        let mut worked = Duration::ZERO;
        let mut state = self.0.state.lock().into_raw();
        // Ends when the baton is back, or when the thread has not worked for a while.
        while state.is_here {
            let waited = self.0.passed.wait_timeout(state, PATIENCE);
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = after;
            if state.is_here && timeout.timed_out() {
                let before = std::mem::replace(&mut worked, time_on_processor(&state.thread));
                if worked.saturating_sub(before) < AT_WORK {
                    return Back::Lost;
                }
            }
        }
        match state.is_done {
            true => Back::Done,
            false => Back::Waits(state.waits_for),
        }
    }

    /// On the seat's thread: gives the baton back until somebody hands it over again, after a
    /// [`wake`](Self::wake) or without one.
    pub fn wait(&self, waits_for: &'static str) -> Order {
        // As in hand_over().
        let _outside = simulated::leave();
        let mut state = self.0.state.lock();
        state.waits_for = waits_for;
        self.pass(state, false);
        self.await_baton()
    }

    /// [`wait`](Self::wait) of work that can be left in its middle: it is, if so ordered.
    pub fn wait_or_leave(&self, waits_for: &'static str) {
        if self.wait(waits_for) == Order::Leave {
            resume_unwind(Box::new(Leaving));
        }
    }

    /// Tells that the thread could go on.
    pub fn wake(&self) {
        let waker = self.0.state.lock().waker.clone();
        // Called outside of the lock.
        waker.into_iter().for_each(Waker::wake);
    }

    fn pass(&self, mut state: MutexGuard<'_, SeatState>, is_here: bool) {
        state.is_here = is_here;
        drop(state);
        self.0.passed.notify_all();
    }

    fn await_baton(&self) -> Order {
        let mut state = self.0.state.lock().into_raw();
        while !state.is_here {
            let passed = self.0.passed.wait(state);
            state = passed.unwrap_or_else(PoisonError::into_inner);
        }
        state.order
    }
}

/// How long the thread of this folder was on a processor; no time where the system does not tell.
fn time_on_processor(thread: &Path) -> Duration {
    let text = std::fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

impl Wake for Seat {
    fn wake(self: Arc<Self>) {
        Seat::wake(&self);
    }
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_thread_runs_only_while_it_has_the_baton() {
        let (sender, said) = mpsc::channel();
        let work = move || {
            let seat = current().expect("it is a seat's");
            sender.send(1).unwrap();
            assert_eq!(seat.wait("a word"), Order::Go);
            sender.send(2).unwrap();
        };
        let seat = Seat::start("seat", work).unwrap();
        assert!(said.try_recv().is_err());
        assert_eq!(
            seat.hand_over(Waker::noop(), Order::Go),
            Back::Waits("a word")
        );
        assert_eq!(said.try_iter().collect::<Vec<_>>(), [1]);
        assert_eq!(seat.hand_over(Waker::noop(), Order::Go), Back::Done);
        assert_eq!(said.try_iter().collect::<Vec<_>>(), [2]);
        assert_eq!(seat.hand_over(Waker::noop(), Order::Go), Back::Done);
        assert!(current().is_none());
    }

    #[test]
    fn a_thread_that_is_to_leave_drops_what_it_has() {
        let (sender, said) = mpsc::channel::<()>();
        let work = move || {
            let _held = sender;
            current()
                .expect("it is a seat's")
                .wait_or_leave("what never comes");
            unreachable!("it leaves");
        };
        let seat = Seat::start("seat", work).unwrap();
        let back = seat.hand_over(Waker::noop(), Order::Go);
        assert_eq!(back, Back::Waits("what never comes"));
        assert_eq!(seat.hand_over(Waker::noop(), Order::Leave), Back::Done);
        assert_eq!(said.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }
}
