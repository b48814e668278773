//! A connection whose receives and sends a ring carries out: [`Conversation`].
//!
//! | receiving | means | a receive | a word of the kernel |
//! |---|---|---|---|
//! | `Idle` | nothing is under way | begins `Many` or `Once` | - |
//! | `Many` | the kernel receives into provided buffers | waits | bytes; at the end `Idle` |
//! | `Once`, wanted | into the buffer of the future that waits | waits | `Done` |
//! | `Once`, unwanted | that future is gone, or never was | waits | bytes, `Idle` |
//! | `Done` | the buffer is there to be taken | takes it: `Idle` | - |
//!
//! Bytes that nobody waits for lie in a queue, from which each receive is served first. So what
//! the kernel has taken from the connection is given out once, and in order, whichever futures
//! are dropped. Sending has `Idle`, `Once` and `Done` alone, and no queue; a send that was posted
//! goes from `Once` to `Idle`, as nobody waits for its buffer.

use std::fmt;
use std::io;
use std::iter;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use yamanote_base::atomic::ListLock;
use yamanote_base::biased_lock::BiasedLock;
use yamanote_base::budget;
use yamanote_base::wake::WakeList;
use yamanote_sys::barrier::ProcessBarrier;
use yamanote_sys::held::Held;
use yamanote_sys::sockets::{After, SocketRequest, SocketTag, Word};
use yamanote_sys::source::OwnedDescriptor;

use super::chunk::Chunk;
use super::place::PlaceCell;
use super::receiving::{Last, ReceiveState, Receiving};
use super::sending::{SendState, Sending};
use super::{Beside, Hears, Home, Tag};

/// Bytes of the buffer for a receive that finds no provided ones.
const OWN_LEN: usize = 4096;

/// A connected socket for operations that own their buffers.
///
/// One task at a time receives, and one sends. Who stops to do so for good calls
/// [`forget_receive`](Self::forget_receive) or [`forget_send`](Self::forget_send).
#[derive(Clone)]
pub struct Conversation(Arc<Exchange>);

/// What the rings and the conversation share: one place in memory for all of a connection, as
/// each message of one of many finds it out of the caches. Three lines of them: what receives,
/// what sends, and the rest.
#[repr(C, align(64))]
struct Exchange {
    receive: BiasedLock<ReceiveState, ListLock<()>, ProcessBarrier>,
    send: BiasedLock<SendState, ListLock<()>, ProcessBarrier>,
    /// Where the requests are under way that came last, to be cancelled there.
    receives_at: PlaceCell,
    sends_at: PlaceCell,
    socket: OwnedDescriptor,
    home: Home,
}

impl Conversation {
    /// Has the rings of the current runtime serve `socket`, which must block.
    ///
    /// # Errors
    /// Gives the socket back where there is no ring.
    pub fn new(socket: OwnedDescriptor) -> Result<Self, OwnedDescriptor> {
        let Some((home, barrier)) = Home::of_current() else {
            return Err(socket);
        };
        Ok(Self(Arc::new(Exchange {
            receive: BiasedLock::new(ReceiveState::default(), barrier),
            send: BiasedLock::new(SendState::default(), barrier),
            receives_at: PlaceCell::new(),
            sends_at: PlaceCell::new(),
            socket,
            home,
        })))
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &OwnedDescriptor {
        &self.0.socket
    }

    /// The next bytes that arrive; `None` at the end of the stream.
    ///
    /// *Cancel safety:* who does not poll again leaves the bytes to the next receive.
    ///
    /// # Errors
    /// Those of the connection; when the runtime is shut down.
    pub fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Chunk>>> {
        let charge = ready!(budget::poll_proceed(cx));
        // The user's: not dropped under the lock.
        let _unused;
        let mut state = self.0.receive.lock();
        _unused = state.keep_done();
        if let Some(first) = state.next_chunk() {
            drop(state);
            charge.made_progress();
            return Poll::Ready(Ok(Some(first)));
        }
        if let Some(last) = state.take_last() {
            return Poll::Ready(last.map(|_| None));
        }
        let old = state.waker.replace(cx.waker().clone());
        if !matches!(state.now, Receiving::Idle) {
            drop(state);
            drop(old);
            return Poll::Pending;
        }
        let request = if state.take_starved() {
            state.now = Receiving::Once { is_wanted: false };
            SocketRequest::ReceiveInto(Held::to_fill(vec![0; OWN_LEN]))
        } else {
            state.now = Receiving::Many;
            SocketRequest::Receive
        };
        drop(state);
        drop(old);
        match self.submit(request) {
            Ok(()) => Poll::Pending,
            Err((_, error)) => {
                self.0.receive.lock().now = Receiving::Idle;
                Poll::Ready(Err(error))
            }
        }
    }

    /// Receives into what `held` holds, once: how much, 0 being the end of the stream. Takes the
    /// buffer at first, and gives it back with the result. Who stops to poll must call
    /// [`forget_receive`](Self::forget_receive).
    ///
    /// # Errors
    /// Those of the connection; when the runtime is shut down.
    ///
    /// # Panics
    /// If the buffer is lost in a kernel that does not end what was cancelled.
    pub fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        held: &mut Option<Held>,
    ) -> Poll<io::Result<usize>> {
        let charge = ready!(budget::poll_proceed(cx));
        let _unused;
        let mut state = self.0.receive.lock();
        if let Some(buffer) = held {
            _unused = state.keep_done();
            if buffer.is_empty() {
                return Poll::Ready(Ok(0));
            }
            if let Some(copied) = state.copy_to(buffer) {
                drop(state);
                charge.made_progress();
                // A buffer of a type of the user's may be in it.
                drop(copied.1);
                return Poll::Ready(Ok(copied.0));
            }
            if let Some(last) = state.take_last() {
                return Poll::Ready(last);
            }
        } else if let Receiving::Done(..) = state.now {
            if let Receiving::Done(buffer, result) = mem::take(&mut state.now) {
                *held = Some(buffer);
                state.note_end(&result);
                charge.made_progress();
                return Poll::Ready(result);
            }
        } else if state.is_lost() {
            panic!("the kernel has not given the buffer back of a receive that was cancelled");
        }
        let old = state.waker.replace(cx.waker().clone());
        let buffer = match state.now {
            Receiving::Idle => held.take(),
            _ => None,
        };
        let Some(buffer) = buffer else {
            drop(state);
            drop(old);
            return Poll::Pending;
        };
        state.now = Receiving::Once { is_wanted: true };
        drop(state);
        drop(old);
        match self.submit(SocketRequest::ReceiveInto(buffer)) {
            Ok(()) => Poll::Pending,
            Err((request, error)) => {
                self.0.receive.lock().now = Receiving::Idle;
                *held = request.into_held();
                Poll::Ready(Err(error))
            }
        }
    }

    /// Nobody waits any more for a receive whose buffer was taken: it is cancelled, and what it
    /// brings all the same is for the next.
    pub fn forget_receive(&self) {
        let mut state = self.0.receive.lock();
        let mut unused = None;
        match state.now {
            Receiving::Once { .. } => state.now = Receiving::Once { is_wanted: false },
            _ => unused = state.keep_done(),
        }
        drop(state);
        // The user's: not under the lock.
        drop(unused);
        self.0.home.cancel(self.0.receives_at.get());
    }

    /// Sends what `held` holds, or what there is room for unless `all`; how much. As
    /// [`poll_receive`](Self::poll_receive), with [`forget_send`](Self::forget_send).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    pub fn poll_send(
        &self,
        cx: &mut Context<'_>,
        held: &mut Option<Held>,
        all: bool,
    ) -> Poll<io::Result<usize>> {
        let charge = ready!(budget::poll_proceed(cx));
        let _unused;
        let mut state = self.0.send.lock();
        if let Some(buffer) = held {
            if buffer.is_empty() {
                return Poll::Ready(Ok(0));
            }
            // That of a future that was forgotten, not dropped.
            _unused = state.take_done();
            if let Some(error) = state.failed.take() {
                return Poll::Ready(Err(error));
            }
        } else {
            if let Some((buffer, result)) = state.take_done() {
                *held = Some(buffer);
                charge.made_progress();
                return Poll::Ready(result);
            }
            assert!(
                !state.is_lost,
                "the kernel has not given the buffer back of a send that was cancelled"
            );
        }
        let old = state.waker.replace(cx.waker().clone());
        let buffer = match state.now {
            Sending::Idle => held.take(),
            _ => None,
        };
        let Some(buffer) = buffer else {
            drop(state);
            drop(old);
            return Poll::Pending;
        };
        state.now = Sending::ONCE;
        drop(state);
        drop(old);
        match self.submit_send(buffer, all) {
            Ok(()) => Poll::Pending,
            Err((buffer, error)) => {
                *held = buffer;
                Poll::Ready(Err(error))
            }
        }
    }

    /// Has what `held` holds sent, whose buffer does not come back. Ready when the ring has it,
    /// before it is sent: what becomes of it is told by the next call.
    ///
    /// # Errors
    /// Those of the post before; when the runtime is shut down.
    pub fn poll_post(&self, cx: &mut Context<'_>, held: &mut Option<Held>) -> Poll<io::Result<()>> {
        let charge = ready!(budget::poll_proceed(cx));
        let (_unused, _old);
        let mut state = self.0.send.lock();
        _unused = state.take_done();
        if let Some(error) = state.take_error() {
            return Poll::Ready(Err(error));
        }
        if !matches!(state.now, Sending::Idle) {
            _old = state.waker.replace(cx.waker().clone());
            drop(state);
            return Poll::Pending;
        }
        let Some(buffer) = held.take_if(|buffer| !buffer.rest().is_empty()) else {
            return Poll::Ready(Ok(()));
        };
        state.now = Sending::POSTED;
        drop(state);
        charge.made_progress();
        let submitted = self.submit_send(buffer, true);
        Poll::Ready(submitted.map_err(|(_, error)| error))
    }

    /// Ready when all that was [posted](Self::poll_post) is sent.
    ///
    /// # Errors
    /// As there.
    pub fn poll_posted(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _old;
        let mut state = self.0.send.lock();
        if let Some(error) = state.take_error() {
            return Poll::Ready(Err(error));
        }
        if !state.is_posted() {
            return Poll::Ready(Ok(()));
        }
        _old = state.waker.replace(cx.waker().clone());
        drop(state);
        Poll::Pending
    }

    #[inline]
    fn submit_send(&self, held: Held, all: bool) -> Result<(), (Option<Held>, io::Error)> {
        let request = match all {
            true => SocketRequest::SendAll(held),
            false => SocketRequest::Send(held),
        };
        self.submit(request).map_err(|(request, error)| {
            self.0.send.lock().now = Sending::Idle;
            (request.into_held(), error)
        })
    }

    /// Nobody waits any more for a send whose buffer was taken: it is cancelled. A part of it may
    /// have been sent.
    pub fn forget_send(&self) {
        let mut state = self.0.send.lock();
        let unused = state.forget();
        drop(state);
        drop(unused);
        self.0.home.cancel(self.0.sends_at.get());
    }

    /// Ends receiving; ready when the kernel has nothing under way for it.
    pub fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.receive.lock();
        if state.has_ended() {
            return Poll::Ready(());
        }
        let old = state.waker.replace(cx.waker().clone());
        drop(state);
        drop(old);
        self.0.home.cancel(self.0.receives_at.get());
        let has_ended = self.0.receive.lock().has_ended();
        match has_ended {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    /// All that has arrived and was not given out, after [`poll_ended`](Self::poll_ended).
    ///
    /// # Errors
    /// That of the connection which was received and not told, as the kernel tells it once; when
    /// the runtime is shut down.
    pub fn take_waiting(&self) -> io::Result<Vec<u8>> {
        let mut state = self.0.receive.lock();
        let unused = state.keep_done();
        // Bounded by `WAITING_MAX`.
        let chunks: Vec<_> = iter::from_fn(|| state.next_chunk()).collect();
        let last = state.take_last();
        drop(state);
        // The user's: not under the lock.
        drop(unused);
        let bytes = chunks.iter().map(|chunk| &**chunk);
        let bytes = bytes.collect::<Vec<_>>().concat();
        last.transpose().map(|_| bytes)
    }

    #[inline]
    fn submit(&self, request: SocketRequest) -> Result<(), (SocketRequest, io::Error)> {
        let (own, other) = match request.is_send() {
            true => (&self.0.sends_at, &self.0.receives_at),
            false => (&self.0.receives_at, &self.0.sends_at),
        };
        let beside = Beside {
            socket: self.socket(),
            place: other.get(),
        };
        let tag = || -> Tag { self.0.clone() };
        let note = |place| own.set(place);
        self.0.home.submit(request, beside, note, tag)
    }
}

impl SocketTag for Exchange {
    fn socket(&self) -> &OwnedDescriptor {
        &self.socket
    }
}

impl Hears for Exchange {
    fn hears(&self, word: Word, wakes: &mut WakeList) -> After {
        match word {
            Word::Ended(request, result) if request.is_send() => {
                let mut state = self.send.lock();
                let after = state.ended(request, result);
                if !matches!(after, After::Again(_)) {
                    wakes.extend(state.waker.take());
                }
                after
            }
            Word::Ended(request, result) => {
                let mut state = self.receive.lock();
                let after = state.ended(request, result);
                if !matches!(after, After::Again(_)) {
                    wakes.extend(state.waker.take());
                }
                after
            }
            Word::Received(bytes) => {
                let mut state = self.receive.lock();
                wakes.extend(state.waker.take());
                state.received(Chunk::of(bytes))
            }
            Word::Accepted(_) => After::Nothing,
        }
    }

    fn lost(&self, wakes: &mut WakeList) {
        let mut state = self.receive.lock();
        state.set_last(Last::Lost);
        wakes.extend(state.waker.take());
        drop(state);
        let mut state = self.send.lock();
        state.is_lost = true;
        wakes.extend(state.waker.take());
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("socket", &self.0.socket)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_three_cache_lines() {
        type Line<T> = BiasedLock<T, ListLock<()>, ProcessBarrier>;
        assert!(size_of::<Line<ReceiveState>>() <= 64);
        assert!(size_of::<Line<SendState>>() <= 64);
        assert!(size_of::<Exchange>() <= 3 * 64);
    }
}
