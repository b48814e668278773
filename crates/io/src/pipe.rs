//! A pipe in memory, one way, with a bound: what `duplex` and `simplex` are made of.
//!
//! An operation takes the lock once. One that will have to wait needs a clone of its waker, which
//! is not made under the lock: a look at [`Pipe::len_seen`] tells beforehand, nearly always
//! rightly, whether it will. Where the guess was wrong, the lock is taken again.

use std::io::{self, IoSlice};
use std::mem;
use std::task::{Context, Poll, Waker};

use yamanote_base::atomic::ListLock;
use yamanote_base::atomic::plain::{AtomicUsize, Ordering};
use yamanote_base::budget::poll_charged;
use yamanote_base::waits;

use crate::ReadBuf;
use crate::byte_queue::ByteQueue;

/// A bounded pipe. Each side may be used by one task at a time.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// Held while bytes are copied, at most as many as the pipe holds.
    state: ListLock<PipeState>,
    /// How many bytes there are, for a guess: written under the lock, read without it.
    len_seen: AtomicUsize,
    len_max: usize,
}

#[derive(Debug)]
struct PipeState {
    bytes: ByteQueue,
    /// Nothing more can be written; what is there can still be read.
    closed: bool,
    /// Who waits for bytes or for room, or for the end, by side.
    wakers: [Option<Waker>; 2],
}

/// One side of a pipe: where its waker is.
type Side = usize;

const READER: Side = 0;
const WRITER: Side = 1;

/// What a side waits for, as reports have it.
const WAITS: [&str; 2] = ["a pipe in memory: bytes", "a pipe in memory: room"];

/// What an attempt yields, and whether that concerns the other side; `None` to wait.
type Attempted<T> = Option<(io::Result<T>, bool)>;

/// What one side does with the pipe. Its methods are inlined into both ways of [`Pipe::poll`].
trait PipeAttempt {
    type Output;
    const SIDE: Side;

    /// Whether it will most likely have to wait, when there are so many bytes.
    fn will_wait(pipe: &Pipe, len: usize) -> bool;

    /// Does it, under the lock.
    fn attempt(&mut self, pipe: &Pipe, state: &mut PipeState) -> Attempted<Self::Output>;
}

/// Reading into a buffer.
struct ReadInto<'a, 'b>(&'a mut ReadBuf<'b>);

/// Writing, by a function that says how much it has written, and whether that is all it can.
struct WriteBy<F>(F);

impl PipeAttempt for ReadInto<'_, '_> {
    type Output = ();
    const SIDE: Side = READER;

    #[inline]
    fn will_wait(_pipe: &Pipe, len: usize) -> bool {
        len == 0
    }

    #[inline(always)]
    fn attempt(&mut self, pipe: &Pipe, state: &mut PipeState) -> Attempted<()> {
        if state.bytes.is_empty() {
            let done = state.closed || self.0.remaining() == 0;
            return done.then_some((Ok(()), false));
        }
        let n = state.bytes.move_to(self.0);
        pipe.note_len(state);
        Some((Ok(()), n > 0))
    }
}

impl<F: FnMut(&Pipe, &mut PipeState) -> (usize, bool)> PipeAttempt for WriteBy<F> {
    type Output = usize;
    const SIDE: Side = WRITER;

    #[inline]
    fn will_wait(pipe: &Pipe, len: usize) -> bool {
        len == pipe.len_max
    }

    #[inline(always)]
    fn attempt(&mut self, pipe: &Pipe, state: &mut PipeState) -> Attempted<usize> {
        if state.closed {
            return Some((Err(io::ErrorKind::BrokenPipe.into()), false));
        }
        let (n, done) = (self.0)(pipe, state);
        pipe.note_len(state);
        done.then_some((Ok(n), n > 0))
    }
}

impl Pipe {
    /// An empty pipe for at most `len_max` bytes.
    ///
    /// # Panics
    /// If that is zero.
    #[track_caller]
    pub(crate) fn new(len_max: usize) -> Self {
        assert!(len_max > 0, "`max_buf_size` must be greater than 0");
        let state = PipeState {
            bytes: ByteQueue::default(),
            closed: false,
            wakers: [None, None],
        };
        Self {
            state: ListLock::new(state),
            len_seen: AtomicUsize::new(0),
            len_max,
        }
    }

    #[inline]
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll(cx, ReadInto(buf))
    }

    #[inline]
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let write = |pipe: &Self, state: &mut PipeState| {
            let n = pipe.push(state, buf);
            (n, n > 0 || buf.is_empty())
        };
        self.poll(cx, WriteBy(write))
    }

    pub(crate) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = |pipe: &Self, state: &mut PipeState| {
            let n = bufs.iter().map(|buf| pipe.push(state, buf)).sum();
            (n, n > 0 || bufs.iter().all(|buf| buf.is_empty()))
        };
        self.poll(cx, WriteBy(write))
    }

    /// Appends what there is room for; returns how many bytes those were.
    #[inline]
    fn push(&self, state: &mut PipeState, buf: &[u8]) -> usize {
        let n = buf.len().min(self.len_max - state.bytes.len());
        state.bytes.push(&buf[..n]);
        n
    }

    /// Ends the pipe, for both sides.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let wakers = mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    #[inline]
    fn note_len(&self, state: &PipeState) {
        // Relaxed: nothing is published; whoever needs the truth takes the lock.
        self.len_seen.store(state.bytes.len(), Ordering::Relaxed);
    }

    /// Makes the attempt under the lock; if it yields nothing, leaves the task's waker.
    #[inline]
    fn poll<A: PipeAttempt>(
        &self,
        cx: &mut Context<'_>,
        mut attempt: A,
    ) -> Poll<io::Result<A::Output>> {
        poll_charged(cx, |cx| {
            // Relaxed: a guess, see above.
            if !A::will_wait(self, self.len_seen.load(Ordering::Relaxed)) {
                if let Some(done) = self.attempt(&mut attempt, |_| ()) {
                    return Poll::Ready(done);
                }
            }
            self.poll_waiting(cx, attempt)
        })
    }

    /// [`poll`](Self::poll) of who will most likely have to wait. The waker is cloned, and the
    /// one before dropped, outside of the lock.
    #[inline(never)]
    fn poll_waiting<A: PipeAttempt>(
        &self,
        cx: &mut Context<'_>,
        mut attempt: A,
    ) -> Poll<io::Result<A::Output>> {
        let mut waker = Some(cx.waker().clone());
        let leave_waker = |state: &mut PipeState| mem::swap(&mut state.wakers[A::SIDE], &mut waker);
        if let Some(done) = self.attempt(&mut attempt, leave_waker) {
            return Poll::Ready(done);
        }
        waits::note(|| WAITS[A::SIDE]);
        Poll::Pending
    }

    /// Makes the attempt under the lock, and wakes the other side if that is concerned. If it
    /// yields nothing, calls `wait` there.
    #[inline]
    fn attempt<A: PipeAttempt>(
        &self,
        attempt: &mut A,
        wait: impl FnOnce(&mut PipeState),
    ) -> Option<io::Result<A::Output>> {
        let mut state = self.state.lock();
        let Some((done, concerns_other)) = attempt.attempt(self, &mut state) else {
            wait(&mut state);
            return None;
        };
        let other = match concerns_other {
            true => state.wakers[1 - A::SIDE].take(),
            false => None,
        };
        drop(state);
        if let Some(other) = other {
            other.wake();
        }
        Some(done)
    }
}

/// Implements `AsyncRead` and `AsyncWrite` for what reads one pipe and writes one.
macro_rules! read_and_write_pipes {
    ($Stream:ty, $incoming:ident, $outgoing:ident) => {
        impl $crate::AsyncRead for $Stream {
            #[inline]
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &mut $crate::ReadBuf<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.$incoming.poll_read(cx, buf)
            }
        }

        impl $crate::AsyncWrite for $Stream {
            #[inline]
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.$outgoing.poll_write(cx, buf)
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.$outgoing.poll_write_vectored(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                _cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::task::Poll::Ready(Ok(()))
            }

            fn poll_shutdown(
                self: std::pin::Pin<&mut Self>,
                _cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.$outgoing.close();
                std::task::Poll::Ready(Ok(()))
            }
        }
    };
}

pub(crate) use read_and_write_pipes;
