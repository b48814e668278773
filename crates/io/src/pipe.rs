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

impl PipeState {
    /// Moves bytes to `buf`, which has room.
    #[inline(always)]
    fn read_into(&mut self, buf: &mut ReadBuf<'_>) -> Attempted<()> {
        if self.bytes.is_empty() {
            return self.closed.then_some((Ok(()), false));
        }
        self.bytes.move_to(buf);
        Some((Ok(()), true))
    }

    /// Calls `write`, which says how much it has written; nothing is done, too, if `is_empty`.
    #[inline(always)]
    fn write_by(
        &mut self,
        is_empty: bool,
        write: impl FnOnce(&mut ByteQueue) -> usize,
    ) -> Attempted<usize> {
        if self.closed {
            return Some((Err(io::ErrorKind::BrokenPipe.into()), false));
        }
        let n = write(&mut self.bytes);
        (n > 0 || is_empty).then_some((Ok(n), n > 0))
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
        poll_charged(cx, |cx| {
            if buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            self.poll(cx, READER, true, |state| state.read_into(buf))
        })
    }

    #[inline]
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_by(cx, buf.is_empty(), |bytes| self.push(bytes, buf))
    }

    pub(crate) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let is_empty = bufs.iter().all(|buf| buf.is_empty());
        self.poll_write_by(cx, is_empty, |bytes| {
            bufs.iter().map(|buf| self.push(bytes, buf)).sum()
        })
    }

    /// Writes by a function that says how much it has written; if that `is_empty`, without a wait.
    #[inline(always)]
    fn poll_write_by(
        &self,
        cx: &mut Context<'_>,
        is_empty: bool,
        write: impl Fn(&mut ByteQueue) -> usize,
    ) -> Poll<io::Result<usize>> {
        poll_charged(cx, |cx| {
            self.poll(cx, WRITER, !is_empty, |state| {
                state.write_by(is_empty, &write)
            })
        })
    }

    /// Appends what there is room for; returns how many bytes those were.
    #[inline]
    fn push(&self, bytes: &mut ByteQueue, buf: &[u8]) -> usize {
        let n = buf.len().min(self.len_max - bytes.len());
        bytes.push(&buf[..n]);
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

    /// Makes the attempt. If it yields nothing, as it does only when it `may_wait`, leaves the
    /// task's waker.
    #[inline(always)]
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        side: Side,
        may_wait: bool,
        mut attempt: impl FnMut(&mut PipeState) -> Attempted<T>,
    ) -> Poll<io::Result<T>> {
        // Relaxed: a guess, see above.
        let len = self.len_seen.load(Ordering::Relaxed);
        let mut waits = may_wait && len == self.len_stuck(side);
        // Twice at most: what a side need not wait for, it alone uses up.
        loop {
            if !waits {
                if let Some(done) = self.attempt(side, &mut attempt) {
                    return Poll::Ready(done);
                }
            }
            if self.leave_waker(cx, side) {
                return Poll::Pending;
            }
            waits = false;
        }
    }

    /// Makes the attempt under the lock, and wakes the other side if that is concerned.
    #[inline(always)]
    fn attempt<T>(
        &self,
        side: Side,
        attempt: impl FnOnce(&mut PipeState) -> Attempted<T>,
    ) -> Option<io::Result<T>> {
        let mut state = self.state.lock();
        let (done, concerns_other) = attempt(&mut state)?;
        let mut other = None;
        if concerns_other {
            // Relaxed: nothing is published; whoever needs the truth takes the lock.
            self.len_seen.store(state.bytes.len(), Ordering::Relaxed);
            other = state.wakers[1 - side].take();
        }
        drop(state);
        if let Some(other) = other {
            other.wake();
        }
        Some(done)
    }

    /// With how many bytes inside a side has to wait.
    #[inline]
    fn len_stuck(&self, side: Side) -> usize {
        if side == READER { 0 } else { self.len_max }
    }

    /// Leaves the task's waker, if the side has to wait; returns whether it has. The waker is
    /// cloned, and the one before dropped, outside of the lock.
    #[inline(never)]
    fn leave_waker(&self, cx: &mut Context<'_>, side: Side) -> bool {
        let mut waker = Some(cx.waker().clone());
        let mut state = self.state.lock();
        let waits = !state.closed && state.bytes.len() == self.len_stuck(side);
        if waits {
            mem::swap(&mut state.wakers[side], &mut waker);
        }
        drop(state);
        if waits {
            waits::note(|| WAITS[side]);
        }
        waits
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
