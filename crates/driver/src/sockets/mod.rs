//! The ring for the sockets of one shard, `ShardSockets`, and what stands on it:
//! [`Conversation`] and [`Acceptor`].

pub mod acceptor;
pub mod chunk;
pub mod conversation;
mod place;
mod receiving;
mod sending;

use std::fmt;
use std::io;
use std::mem;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use yamanote_base::biased_lock::{BiasedLock, Sleeping};
use yamanote_base::wake::WakeList;
use yamanote_sys::barrier::{self, ProcessBarrier};
use yamanote_sys::request::RequestKey;
use yamanote_sys::sockets::{After, Done, SocketRequest, SocketRing, SocketTag, Word};
use yamanote_sys::source::OwnedDescriptor;

use crate::context;
use crate::handle::Handle;
use crate::reactor::Reactor;

use place::Place;

pub use acceptor::Acceptor;
pub use chunk::Chunk;
pub use conversation::Conversation;
pub use yamanote_sys::held::Held;
pub use yamanote_sys::socket::{SockAddr, SockRef};

/// Places of the submission queue: what a turn's tasks submit fits mostly.
const ENTRIES: u32 = 1024;
/// Places of the completion queue; what does not fit the kernel keeps.
const WORDS: u32 = 8192;
/// Of what has arrived, so many words are passed on by each turn of a lone worker. It looks once in
/// 61 polls, and what arrives causes two, mostly: one that answers, and one when that was sent.
const ARRIVALS_FEW: usize = 32;
/// How long a shutdown waits for what was cancelled.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(1);
/// The longest of the waits that this is made of.
const ROUND: Duration = Duration::from_millis(1);

/// What hears the kernel's words on its requests. Called under the lock of a ring: takes its own
/// lock, and no other.
pub(crate) trait Hears: SocketTag + Send + Sync {
    /// The kernel has said something.
    fn hears(&self, word: Word, wakes: &mut WakeList) -> After;

    /// Nobody will ever know how its requests have ended.
    fn lost(&self, wakes: &mut WakeList);
}

pub(crate) type Tag = Arc<dyn Hears>;

/// What a request is on, and where the other of its socket is under way, if one is: that may be out
/// of date, and is only a hint.
#[derive(Clone, Copy, Debug)]
struct Beside<'a> {
    socket: &'a OwnedDescriptor,
    place: Option<Place>,
}

/// Whose rings serve a socket: a runtime's, and there this shard's if a thread has none.
#[derive(Clone, Copy, Debug)]
struct Home {
    runtime: usize,
    shard: usize,
}

/// A shard's ring for sockets. Lock order: this, then the lock of who [`Hears`].
///
/// **Why no submission is left lying.** Who turns the shard's driver hands over what is queued,
/// under the lock, before it sleeps, and leaves its mark there. Who submits and finds another mark
/// than its own hands over at once. So what is left queued was queued by the thread that turns
/// the driver next; if another one turns it, after all, that one finds it when it leaves its mark.
///
/// **Why no completion is.** As in [`ring`](crate::ring): while something is under way, it counts
/// in the table of the reactor, and somebody attends that or is awake; the kernel's words are
/// edges of the ring's descriptor. Of what it says while it takes a submission, the thread that
/// hands over looks for itself. What the ring keeps of what has arrived was kept by the thread that
/// has turned the driver last, and is there for the one that turns it next, which does not sleep
/// as long as it finds some. Others leave none there.
///
/// **Whose the locks are.** Of a lone worker's ring and connections they are biased to its thread,
/// which nearly always is the only one that takes them.
pub(crate) struct ShardSockets {
    /// Empty until somebody asks; then without a ring if the system does not give one, or the
    /// runtime was shut down before.
    ring: OnceLock<Option<RingLock>>,
    is_alone: bool,
}

/// Empty once the runtime is shut down.
type RingLock = BiasedLock<Option<Box<MadeSockets>>, Sleeping, ProcessBarrier>;

struct MadeSockets {
    ring: SocketRing<Tag>,
    /// The mark of the thread that has turned the driver last.
    turned_by: usize,
    /// Whether what is under way counts in the reactor.
    counts: bool,
    /// What nobody needs any more: dropped without the lock.
    done: Vec<Done<Tag>>,
}

thread_local! {
    static MARK: u8 = const { 0 };
}

/// What tells the thread from all others that live; 0 is none.
fn mark() -> usize {
    MARK.try_with(|mark| std::ptr::from_ref(mark) as usize)
        .unwrap_or(0)
}

impl ShardSockets {
    /// Of a worker that `is_alone`, or one of several.
    pub(crate) fn new(is_alone: bool) -> Self {
        Self {
            ring: OnceLock::new(),
            is_alone,
        }
    }

    /// Whether there is a ring; makes it if nobody has asked before. This is of `shard`, whose
    /// reactor watches it.
    #[inline(never)]
    fn is_there(&self, handle: &Handle, shard: usize) -> bool {
        let make = || {
            let made = MadeSockets::new(handle.reactor_of(shard)).ok()?;
            Some(BiasedLock::new(Some(Box::new(made)), self.barrier(handle)))
        };
        let ring = self.ring.get_or_init(make).as_ref();
        ring.is_some_and(|ring| ring.lock().is_some())
    }

    /// That of locks that are to be the current thread's, if it is the lone worker.
    fn barrier(&self, handle: &Handle) -> Option<ProcessBarrier> {
        let is_here = self.is_alone && context::shard_of(handle).is_some();
        is_here.then(barrier::of_process).flatten()
    }

    /// Whether the ring is there, or was: it was asked for.
    #[inline]
    pub(crate) fn is_made(&self) -> bool {
        self.made().is_some()
    }

    #[inline]
    fn made(&self) -> Option<&RingLock> {
        self.ring.get()?.as_ref()
    }

    /// How many words about what has arrived a turn passes on. All, where others could run the
    /// tasks while this worker is busy.
    fn arrivals_max(&self) -> usize {
        if self.is_alone {
            ARRIVALS_FEW
        } else {
            usize::MAX
        }
    }

    /// Queues `request`, `beside` another of its socket if that is here; the thread that turns the
    /// driver hands it over, another thread does at once. Where it is under way is told to `note`,
    /// under the lock of the ring.
    ///
    /// # Errors
    /// Gives the request back when the runtime is shut down, or the kernel takes none now.
    #[inline]
    fn submit(
        ring: &RingLock,
        (handle, shard): (&Handle, usize),
        request: SocketRequest,
        beside: Beside<'_>,
        note: impl FnOnce(Place),
        tag: impl FnOnce() -> Tag,
    ) -> Result<(), SocketRequest> {
        let Beside { socket, place } = beside;
        let key = match place {
            Some(place) if place.shard == shard => place.key,
            _ => RequestKey::NONE,
        };
        let mut ring = ring.lock();
        let Some(made) = &mut *ring else {
            return Err(request);
        };
        let key = made.ring.submit(request, socket, key, tag)?;
        note(Place { shard, key });
        let begins = made.count(handle.reactor_of(shard));
        if made.turned_by != mark() {
            // What it does not take now it takes in the next turn.
            let _ = made.ring.flush();
        }
        drop(ring);
        if begins {
            handle.have_attended_beside(shard);
        }
        Ok(())
    }

    /// Asks the kernel to give up on a request, and takes its answer if it is there.
    fn cancel(&self, key: RequestKey, reactor: &Reactor, wakes: &mut WakeList) {
        self.with(reactor, wakes, |made| {
            made.ring.cancel(key);
            let _ = made.ring.flush();
        });
    }

    /// Hands over what is queued, and collects what the kernel has said; returns how much.
    #[inline]
    pub(crate) fn advance(&self, reactor: &Reactor, wakes: &mut WakeList) -> usize {
        self.with(reactor, wakes, |made| {
            let _ = made.ring.flush();
        })
    }

    /// [`advance`](Self::advance), by the thread that turns the driver.
    #[inline]
    pub(crate) fn turn(&self, reactor: &Reactor, wakes: &mut WakeList) -> usize {
        self.with(reactor, wakes, |made| {
            made.turned_by = mark();
            let _ = made.ring.flush();
        })
    }

    #[inline]
    fn with(
        &self,
        reactor: &Reactor,
        wakes: &mut WakeList,
        first: impl FnOnce(&mut MadeSockets),
    ) -> usize {
        match self.made() {
            Some(ring) => self.with_made(ring, reactor, wakes, first),
            None => 0,
        }
    }

    #[inline(never)]
    fn with_made(
        &self,
        ring: &RingLock,
        reactor: &Reactor,
        wakes: &mut WakeList,
        first: impl FnOnce(&mut MadeSockets),
    ) -> usize {
        let mut locked = ring.lock();
        let Some(made) = &mut *locked else {
            return 0;
        };
        first(made);
        let count = made.collect(self.arrivals_max(), wakes);
        made.count(reactor);
        if made.done.is_empty() {
            return count;
        }
        let mut done = mem::take(&mut made.done);
        drop(locked);
        // User code may run: that of a buffer's destructor.
        done.clear();
        if let Some(made) = &mut *ring.lock() {
            if made.done.capacity() == 0 {
                made.done = done;
            }
        }
        count
    }

    /// Ends all that is under way.
    pub(crate) fn shut_down(&self, reactor: &Reactor, wakes: &mut WakeList) {
        let ring = self.ring.get_or_init(|| None).as_ref();
        let made = ring.and_then(|ring| ring.lock().take());
        if let Some(mut made) = made {
            reactor.note_ended(usize::from(made.counts));
            for tag in made.shut_down(wakes) {
                tag.lost(wakes);
            }
        }
    }
}

impl MadeSockets {
    fn new(reactor: &Reactor) -> io::Result<Self> {
        let ring = SocketRing::new(ENTRIES, WORDS)?;
        reactor.watch_sockets(&ring)?;
        Ok(Self {
            ring,
            turned_by: 0,
            counts: false,
            done: Vec::new(),
        })
    }

    fn collect(&mut self, arrivals_max: usize, wakes: &mut WakeList) -> usize {
        let arrivals_max = match self.turned_by == mark() {
            true => arrivals_max,
            false => usize::MAX,
        };
        let hear = |tag: &Tag, word: Word| tag.hears(word, wakes);
        self.ring.words(arrivals_max, &mut self.done, hear)
    }

    /// Counts in `reactor` whether something is under way; `true` if it begins to.
    #[inline]
    fn count(&mut self, reactor: &Reactor) -> bool {
        let counts = !self.ring.is_empty();
        if mem::replace(&mut self.counts, counts) == counts {
            return false;
        }
        if counts {
            reactor.note_begun();
        } else {
            reactor.note_ended(1);
        }
        counts
    }

    /// Cancels all; returns those of which nobody will know how they have ended.
    fn shut_down(&mut self, wakes: &mut WakeList) -> Vec<Tag> {
        for _ in 0..SHUTDOWN_LIMIT.as_millis() / ROUND.as_millis() {
            // Again each time: not all may have found room.
            self.ring.cancel_all();
            let _ = self.ring.flush();
            let hear = |tag: &Tag, word| match tag.hears(word, wakes) {
                After::Again(request) => {
                    let error = crate::shut_down_error();
                    tag.hears(Word::Ended(request, Err(error)), wakes)
                }
                after => after,
            };
            self.ring.words(usize::MAX, &mut self.done, hear);
            if self.ring.is_empty() {
                break;
            }
            self.ring.wait(ROUND);
        }
        self.done.clear();
        self.ring.abandon()
    }
}

/// Whether the current runtime has a ring for sockets.
#[must_use]
pub fn are_available() -> bool {
    Home::of_current().is_some()
}

impl Home {
    /// That of what the current thread opens, if its runtime has rings; and the barrier for the
    /// locks of that.
    fn of_current() -> Option<(Self, Option<ProcessBarrier>)> {
        let home = |handle: &Handle| {
            let may = handle.file_route().may_use_ring();
            if !may || handle.world().is_some() || handle.is_shut_down() {
                return None;
            }
            let shard = handle.shard_here();
            let sockets = &handle.shard(shard).sockets;
            let runtime = handle.id();
            let is_there = sockets.is_there(handle, shard);
            is_there.then(|| (Self { runtime, shard }, sockets.barrier(handle)))
        };
        context::try_with(home).flatten()
    }

    /// Submits to the ring of the thread's shard; to that of this one if there is none. Needs a tag
    /// unless it joins what is `beside` it. Tells `note` where, under the lock of the ring.
    ///
    /// # Errors
    /// Gives the request back when the runtime is shut down, or the kernel takes none now.
    #[inline]
    fn submit(
        self,
        request: SocketRequest,
        beside: Beside<'_>,
        note: impl FnOnce(Place),
        tag: impl FnOnce() -> Tag,
    ) -> Result<(), (SocketRequest, io::Error)> {
        let mut left = Some(request);
        Handle::with(self.runtime, |handle| {
            let (shard, ring) = self.ring_in(handle)?;
            let request = left.take()?;
            let submitted = ShardSockets::submit(ring, (handle, shard), request, beside, note, tag);
            left = submitted.err();
            Some(())
        });
        match left {
            None => Ok(()),
            Some(request) => Err((request, self.refusal())),
        }
    }

    /// The ring for what the current thread submits, and whose it is.
    #[inline]
    fn ring_in(self, handle: &Handle) -> Option<(usize, &RingLock)> {
        let here = handle.shard_here();
        match handle.shard(here).sockets.made() {
            Some(ring) => Some((here, ring)),
            None => self.ring_elsewhere(handle, here),
        }
    }

    /// As [`ring_in`](Self::ring_in), if there may be none `here`.
    #[cold]
    fn ring_elsewhere(self, handle: &Handle, here: usize) -> Option<(usize, &RingLock)> {
        let there = |shard: usize| {
            let sockets = &handle.shard(shard).sockets;
            sockets.is_there(handle, shard);
            Some((shard, sockets.made()?))
        };
        there(here).or_else(|| there(self.shard))
    }

    /// Why a request was not taken.
    #[cold]
    fn refusal(self) -> io::Error {
        match Handle::with(self.runtime, Handle::is_shut_down) {
            Some(false) => io::ErrorKind::OutOfMemory.into(),
            _ => crate::shut_down_error(),
        }
    }

    /// Cancels what is under way at `place`, if there is something.
    fn cancel(self, place: Option<Place>) {
        let Some(place) = place else { return };
        let mut wakes = WakeList::new();
        Handle::with(self.runtime, |handle| {
            let reactor = handle.reactor_of(place.shard);
            let sockets = &handle.shard(place.shard).sockets;
            sockets.cancel(place.key, reactor, &mut wakes);
        });
        wakes.wake_all();
    }
}

impl fmt::Debug for ShardSockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardSockets")
            .field("is_made", &self.is_made())
            .finish_non_exhaustive()
    }
}
