//! The ring of one shard, for operations that own their buffers: [`ShardRing`].
//!
//! Made when first used, absent for good if that fails. Any thread submits, under the lock.
//!
//! **Why no submission is left lying.** Who submits hands over before the lock goes, whatever it
//! does next. What the kernel does not take then is kept; while there is such, the attendant's
//! sleeps are short, and each turn tries again. Why no completion is: see [`ShardRing`].

#[cfg(all(test, target_os = "linux", not(loom)))]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicUsize, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_base::wake::WakeList;
use yamanote_sys::ring::{Completion, Kind, Request, RequestKey, Ring};

use crate::reactor::Reactor;

/// Places of the submission queue. Each submission is handed over at once: few are needed.
const ENTRIES: u32 = 64;
/// How long a shutdown waits for what was cancelled, or has to be completed.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(1);
/// The longest of the waits that this is made of, and of the sleeps while something is kept.
const ROUND: Duration = Duration::from_millis(1);

/// What hears that a request has ended.
pub(crate) trait Submitted: Send + Sync {
    /// Remembers by what the request is known; called under the lock of the ring.
    fn set_key(&self, key: RequestKey);

    /// Whether it goes on though the runtime shuts down.
    fn is_mandatory(&self) -> bool;

    /// The request has ended. Returns what is to be submitted next, if there is more to do.
    fn ended(
        &self,
        request: Request,
        result: io::Result<u32>,
        wakes: &mut WakeList,
    ) -> Option<Request>;

    /// The request was not carried out, or not to its end.
    fn lost(&self, wakes: &mut WakeList);

    /// The kernel has it still, and nobody will ever know how it has ended.
    fn left(&self, wakes: &mut WakeList);
}

pub(crate) type Tag = Arc<dyn Submitted>;

/// A shard's ring. Its lock is the last one: no other is taken under it, and no user code runs.
///
/// **Why no completion is left lying.** A request counts in the table of the reactor before the
/// kernel has it, and until it was collected; so somebody of the group attends, or is awake, as
/// for a registered source. The kernel's word is an edge of the ring's descriptor, which the
/// selector reports to one turn; that collects from all rings of the group, and waits for their
/// locks. What comes after that is another edge.
#[derive(Debug)]
pub(crate) struct ShardRing {
    state: Mutex<RingState>,
    /// How many requests are under way or kept; written under the lock of `state`, read by all.
    under_way: AtomicUsize,
    /// Whether some are kept; as `under_way`.
    kept: AtomicUsize,
}

enum RingState {
    /// Nobody has asked for it yet.
    Unmade,
    Made(Box<MadeRing>),
    /// The system does not give one.
    Absent,
    /// The runtime is shut down.
    Ended,
}

struct MadeRing {
    ring: Ring<Tag>,
    /// What the kernel did not take. As many as there are tasks that wait.
    kept: VecDeque<(Request, Tag)>,
}

impl ShardRing {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(RingState::Unmade),
            under_way: AtomicUsize::new(0),
            kept: AtomicUsize::new(0),
        }
    }

    /// Whether it takes requests of `kind`; makes the ring, to be watched by `reactor`, if nobody
    /// has asked before.
    pub(crate) fn can(&self, kind: Kind, reactor: &Reactor) -> bool {
        let mut state = self.state.lock();
        if let RingState::Unmade = *state {
            *state = MadeRing::new(reactor)
                .map_or(RingState::Absent, |made| RingState::Made(Box::new(made)));
        }
        matches!(&*state, RingState::Made(made) if made.ring.can(kind))
    }

    /// Hands `request` to the kernel; a turn finds out how it ends. The caller must see to it that
    /// `reactor` is attended.
    pub(crate) fn submit(&self, request: Request, tag: Tag, reactor: &Reactor) {
        reactor.note_begun();
        let mut state = self.state.lock();
        if let RingState::Made(made) = &mut *state {
            made.kept.push_back((request, tag));
            self.hand_over(made);
            return;
        }
        drop(state);
        // Nobody waits for it yet: no waker comes out of this.
        tag.lost(&mut WakeList::new());
        reactor.note_ended(1);
    }

    /// Asks the kernel to give up on the request that is known by `key`.
    pub(crate) fn cancel(&self, key: RequestKey) {
        if let RingState::Made(made) = &mut *self.state.lock() {
            made.ring.cancel(key);
            // What it does not take now it takes in the next turn.
            let _ = made.ring.flush();
            self.note(made);
        }
    }

    /// Collects what has ended; returns how many.
    #[inline]
    pub(crate) fn collect(&self, reactor: &Reactor, wakes: &mut WakeList) -> usize {
        // Acquire: pairs with the Release in note(), which comes before the kernel is told. So who
        // hears of a completion, through the kernel, sees that there is something under way.
        match self.under_way.load(Ordering::Acquire) {
            0 => 0,
            _ => self.advance(reactor, wakes),
        }
    }

    /// Limits a sleep while something is kept that the kernel did not take.
    pub(crate) fn limit(&self, limit: Option<Duration>) -> Option<Duration> {
        // Relaxed: the worker has just collected, or is woken by the next submission.
        match self.kept.load(Ordering::Relaxed) {
            0 => limit,
            _ => Some(limit.map_or(ROUND, |limit| limit.min(ROUND))),
        }
    }

    /// Ends all that is under way: what may be dropped is cancelled, the rest is completed.
    pub(crate) fn shut_down(&self, reactor: &Reactor, wakes: &mut WakeList) {
        let state = mem::replace(&mut *self.state.lock(), RingState::Ended);
        if let RingState::Made(made) = state {
            for tag in made.shut_down(wakes) {
                tag.lost(wakes);
            }
        }
        // Relaxed: nobody writes to it any more, and nobody acts on it.
        reactor.note_ended(self.under_way.swap(0, Ordering::Relaxed));
    }

    /// Collects what has ended, tells those whom it concerns, and hands over what they want next,
    /// and what was kept.
    fn advance(&self, reactor: &Reactor, wakes: &mut WakeList) -> usize {
        let (mut next, mut count) = (Vec::new(), 0);
        // Bounded: each round brings requests further, and few want a second one.
        loop {
            let ended = self.exchange(&mut next);
            // The ring has gone.
            let mut finished = next.len();
            next.drain(..)
                .for_each(|(request, tag)| end_here(request, &tag, wakes));
            for Completion {
                tag,
                request,
                result,
            } in ended
            {
                count += 1;
                match tag.ended(request, result, wakes) {
                    Some(again) => next.push((again, tag)),
                    None => finished += 1,
                }
            }
            reactor.note_ended(finished);
            if next.is_empty() {
                return count;
            }
        }
    }

    /// Hands `next` over, if the ring is there; returns what has ended.
    fn exchange(&self, next: &mut Vec<(Request, Tag)>) -> Vec<Completion<Tag>> {
        let mut state = self.state.lock();
        let RingState::Made(made) = &mut *state else {
            return Vec::new();
        };
        made.kept.extend(next.drain(..));
        self.hand_over(made);
        let ended = made.collect();
        self.note(made);
        ended
    }

    /// Hands over what is kept, as far as the kernel takes it.
    fn hand_over(&self, made: &mut MadeRing) {
        // First: who hears of a completion, perhaps before this returns, must not find nothing.
        self.note(made);
        made.hand_over();
        self.note(made);
    }

    /// Shows others how much there is.
    fn note(&self, made: &mut MadeRing) {
        let kept = made.kept.len();
        // Relaxed: see limit().
        self.kept
            .store(kept + made.ring.queued(), Ordering::Relaxed);
        // Release: pairs with the Acquire in collect().
        self.under_way
            .store(kept + made.ring.len(), Ordering::Release);
    }
}

impl MadeRing {
    fn new(reactor: &Reactor) -> io::Result<Self> {
        let ring = Ring::new(ENTRIES)?;
        reactor.watch(&ring)?;
        let kept = VecDeque::new();
        Ok(Self { ring, kept })
    }

    /// Hands over what is kept, as far as the kernel takes it.
    fn hand_over(&mut self) {
        while let Some((request, tag)) = self.kept.pop_front() {
            match self.ring.submit(request, tag.clone()) {
                Ok(key) => tag.set_key(key),
                Err(back) => {
                    self.kept.push_front(back);
                    break;
                }
            }
        }
        // What it does not take stays queued in the ring, or kept here.
        let _ = self.ring.flush();
    }

    fn collect(&mut self) -> Vec<Completion<Tag>> {
        let mut ended = Vec::new();
        self.ring.completions(|completion| ended.push(completion));
        ended
    }

    /// Cancels what may be dropped and completes the rest; returns those that were not. What the
    /// kernel has still when the time is over is left to it.
    fn shut_down(mut self, wakes: &mut WakeList) -> Vec<Tag> {
        let (kept, dropped) = mem::take(&mut self.kept)
            .into_iter()
            .partition::<Vec<_>, _>(|(_, tag)| tag.is_mandatory());
        self.kept = kept.into();
        self.ring.cancel_where(|tag| !tag.is_mandatory());
        let mut lost: Vec<Tag> = dropped.into_iter().map(|(_, tag)| tag).collect();
        for _ in 0..SHUTDOWN_LIMIT.as_millis() / ROUND.as_millis() {
            self.hand_over();
            for Completion {
                tag,
                request,
                result,
            } in self.collect()
            {
                match tag.ended(request, result, wakes) {
                    Some(again) if tag.is_mandatory() => self.kept.push_back((again, tag)),
                    Some(_) => lost.push(tag),
                    None => {}
                }
            }
            if self.ring.is_empty() && self.kept.is_empty() {
                break;
            }
            self.ring.wait(ROUND);
        }
        let kept = self.kept.drain(..);
        kept.for_each(|(request, tag)| end_here(request, &tag, wakes));
        let left = self.ring.abandon();
        left.iter().for_each(|tag| tag.left(wakes));
        lost
    }
}

/// Ends what no ring takes any more: what has to be done, by this thread, as a thread of the pool
/// would; the rest is lost.
fn end_here(mut request: Request, tag: &Tag, wakes: &mut WakeList) {
    // Bounded: each round writes a part of the rest, or fails.
    while let Some(result) = tag.is_mandatory().then(|| request.write_here()).flatten() {
        match tag.ended(request, result, wakes) {
            Some(rest) => request = rest,
            None => return,
        }
    }
    tag.lost(wakes);
}

impl fmt::Debug for RingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RingState::Unmade => "Unmade",
            RingState::Made(_) => "Made",
            RingState::Absent => "Absent",
            RingState::Ended => "Ended",
        })
    }
}
