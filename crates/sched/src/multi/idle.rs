//! Which workers sleep, which search, and whom to wake: no wake-up is lost, and none is spare.

use yamanote_base::atomic::{AtomicU64, AtomicUsize, Ordering, fence};

/// The sleepers and searchers among the workers of one scheduler.
///
/// | word | counts or says | set by | cleared by |
/// |---|---|---|---|
/// | `sleepers[w / 64]` | `w` sleeps or is about to | `w`: `prepare_sleep` | who claims `w` |
/// | `searching` | who looks for work elsewhere | it, or its waker | it: work found, or asleep |
///
/// A sleeper is claimed by a producer, which will unpark it and has it search, or by itself.
///
/// **Why no work is stranded.** A producer makes its task visible, then (fence) looks at
/// `searching` and the sleepers. A worker that goes to sleep sets its bit, gives up searching,
/// then (fence) looks at all queues once more. In the single order of the fences one is first.
/// If the producer's: the worker's last look sees the task, and it stays awake. If the worker's:
/// the producer sees no searcher (unless another one, of which the same holds) and the bit, and
/// wakes the worker. A producer that sees a searcher wakes nobody: that searcher either finds a
/// task, and then wakes a successor as long as work is visible ([`Idle::stop_searching`] says
/// when), or goes to sleep, and then its last look comes after the producer's push.
///
/// **Why one may sleep beside a searcher.** A searcher may leave work where it is for a while: that
/// of a worker which gets on with it. One is enough to watch that. Others that see the same work,
/// and then (fence) the searcher, need not stay awake for it. The searcher stops later, and looks
/// (fence) at the queues once more: it sees that work, if it is still there, and either stays awake
/// or, if it found another task, wakes a sleeper; unless yet another one searches, of which the
/// same holds.
///
/// **Why a searcher may be counted late.** Who claims a sleeper counts it afterwards, and a sleeper
/// that something else has woken may find work, and stop, before. So the count may be too low, even
/// below 0, and is never too high: where it is above 0, a searcher was counted that stops later
/// in the order of the count. Who stops at a count that is too low looks for more work in vain, and
/// a producer that sees one wakes a worker more.
///
/// **Why there is no storm.** A producer wakes at most one worker, and none while one searches;
/// at most half of the workers search at a time.
#[derive(Debug)]
pub struct Idle {
    sleepers: Box<[AtomicU64]>,
    searching: AtomicUsize,
    /// Who went to sleep last: its caches are warm, and it may not sleep deeply yet. A hint.
    last: AtomicUsize,
    workers: usize,
}

impl Idle {
    /// All `workers` awake, none searching.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        let sleepers = (0..workers.div_ceil(64))
            .map(|_| AtomicU64::new(0))
            .collect();
        Self {
            sleepers,
            searching: AtomicUsize::new(0),
            last: AtomicUsize::new(0),
            workers,
        }
    }

    /// After making work visible: claims a sleeper, to be unparked by the caller, if one is
    /// needed. The claimed worker counts as searching.
    #[must_use = "the claimed worker must be unparked"]
    pub fn claim_sleeper(&self) -> Option<usize> {
        // SeqCst: the producer's fence in the argument above.
        fence(Ordering::SeqCst);
        if self.searchers() > 0 {
            return None;
        }
        // Relaxed: a hint; the claim decides.
        let last = self.last.load(Ordering::Relaxed);
        if self.is_marked(last) && self.claim(last) {
            // SeqCst: seen by every producer whose fence comes later.
            self.searching.fetch_add(1, Ordering::SeqCst);
            return Some(last);
        }
        for (i, word) in self.sleepers.iter().enumerate() {
            // Relaxed: ordered by the fence; the claim below decides.
            let mut bits = word.load(Ordering::Relaxed);
            while bits != 0 {
                let bit = bits & bits.wrapping_neg();
                // SeqCst: one order with the sleeper's own attempt in `wake_up`.
                if word.fetch_and(!bit, Ordering::SeqCst) & bit != 0 {
                    // SeqCst: seen by every producer whose fence comes later.
                    self.searching.fetch_add(1, Ordering::SeqCst);
                    return Some(i * 64 + bit.trailing_zeros() as usize);
                }
                bits &= !bit;
            }
        }
        None
    }

    /// Claims the sleeper `worker` for a reason of its own (not as a searcher).
    #[must_use = "the claimed worker must be unparked"]
    pub fn claim(&self, worker: usize) -> bool {
        let (word, bit) = self.place(worker);
        // SeqCst: as in `claim_sleeper`.
        word.fetch_and(!bit, Ordering::SeqCst) & bit != 0
    }

    /// Before sleeping: `worker` marks itself, and gives up searching. The caller must look at
    /// all queues once more afterwards, and call [`wake_up`](Self::wake_up) if it finds work.
    pub fn prepare_sleep(&self, worker: usize, was_searching: bool) {
        let (word, bit) = self.place(worker);
        // Relaxed: a hint.
        self.last.store(worker, Ordering::Relaxed);
        // SeqCst: the bit is set before searching is given up.
        word.fetch_or(bit, Ordering::SeqCst);
        if was_searching {
            // SeqCst: as above.
            self.searching.fetch_sub(1, Ordering::SeqCst);
        }
        // SeqCst: the sleeper's fence in the argument above.
        fence(Ordering::SeqCst);
    }

    /// After sleeping, or instead of it: whether `worker` was claimed by somebody as a searcher.
    /// If not, it is awake now as a worker that does not search.
    pub fn wake_up(&self, worker: usize) -> bool {
        !self.claim(worker)
    }

    /// Whether the caller may search; then it counts as a searcher.
    pub fn start_searching(&self) -> bool {
        // Only a limit; an error by one does no harm.
        let searchers = usize::try_from(self.searchers()).unwrap_or(0);
        if 2 * searchers >= self.workers {
            return false;
        }
        // SeqCst: seen by every producer whose fence comes later.
        self.searching.fetch_add(1, Ordering::SeqCst);
        true
    }

    /// The searcher found work. `true` if it was the last: then it must look whether more work
    /// is visible, and wake a successor if so.
    #[must_use = "the last searcher must see to a successor"]
    pub fn stop_searching(&self) -> bool {
        // SeqCst: before the look at the queues that the caller owes.
        let before = self.searching.fetch_sub(1, Ordering::SeqCst);
        // SeqCst: a producer that saw this searcher made its work visible before this fence.
        fence(Ordering::SeqCst);
        before as isize <= 1
    }

    /// Whether somebody searches, so that the caller may sleep although it saw work after
    /// [`prepare_sleep`](Self::prepare_sleep).
    pub fn is_searched(&self) -> bool {
        // SeqCst: after the caller's look at the queues, as argued above.
        fence(Ordering::SeqCst);
        self.searchers() > 0
    }

    /// Whether the caller, who searches, is the only one, at a glance.
    pub fn searches_alone(&self) -> bool {
        // A glance; who gives up searching for it looks at the queues once more.
        self.searchers() == 1
    }

    /// How many search; too few, even below 0, while one that was claimed is yet to be counted.
    fn searchers(&self) -> isize {
        // Relaxed: ordered by the caller's fence, if that is to be relied on.
        self.searching.load(Ordering::Relaxed) as isize
    }

    /// Whether `worker` sleeps or is about to.
    pub fn is_asleep(&self, worker: usize) -> bool {
        let (word, bit) = self.place(worker);
        // SeqCst: with the monitor's fence, see `Monitor`.
        word.load(Ordering::SeqCst) & bit != 0
    }

    /// Whether any worker sleeps or is about to, at a glance.
    pub fn any_asleep(&self) -> bool {
        // Relaxed: a glance.
        let is_any = |word: &AtomicU64| word.load(Ordering::Relaxed) != 0;
        self.sleepers.iter().any(is_any)
    }

    /// Whether the bit of `worker` is set, at a glance.
    fn is_marked(&self, worker: usize) -> bool {
        let (word, bit) = self.place(worker);
        // Relaxed: a hint; a claim follows.
        word.load(Ordering::Relaxed) & bit != 0
    }

    fn place(&self, worker: usize) -> (&AtomicU64, u64) {
        (&self.sleepers[worker / 64], 1 << (worker % 64))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_push_wakes_one_sleeper_and_none_while_one_searches() {
        let idle = Idle::new(70);
        idle.prepare_sleep(3, false);
        idle.prepare_sleep(68, false);
        assert_eq!(idle.claim_sleeper(), Some(68), "the last to go to sleep");
        assert_eq!(idle.claim_sleeper(), None);
        assert!(idle.stop_searching());
        assert_eq!(idle.claim_sleeper(), Some(3));
        assert!(idle.wake_up(3));
        assert!(!idle.is_asleep(68));
    }

    #[test]
    fn half_of_the_workers_search_at_most() {
        let idle = Idle::new(4);
        assert!(idle.start_searching());
        assert!(idle.start_searching());
        assert!(!idle.start_searching());
        assert!(!idle.stop_searching());
        assert!(idle.stop_searching());
    }
}
