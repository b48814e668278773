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

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Relaxed: a guess, see above.
        let will_wait = self.len_seen.load(Ordering::Relaxed) == 0;
        self.poll(cx, READER, will_wait, |state| {
            if state.bytes.is_empty() {
                let done = state.closed || buf.remaining() == 0;
                return done.then_some((Ok(()), false));
            }
            let n = state.bytes.move_to(buf);
            self.note_len(state);
            Some((Ok(()), n > 0))
        })
    }

    pub(crate) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Relaxed: a guess, see above.
        let will_wait = self.len_seen.load(Ordering::Relaxed) == self.len_max;
        self.poll(cx, WRITER, will_wait, |state| {
            if state.closed {
                return Some((Err(io::ErrorKind::BrokenPipe.into()), false));
            }
            let before = state.bytes.len();
            for buf in bufs {
                let n = buf.len().min(self.len_max - state.bytes.len());
                state.bytes.push(&buf[..n]);
            }
            self.note_len(state);
            let n = state.bytes.len() - before;
            let done = n > 0 || bufs.iter().all(|buf| buf.is_empty());
            done.then_some((Ok(n), n > 0))
        })
    }

    /// Ends the pipe, for both sides.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let wakers = mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn note_len(&self, state: &PipeState) {
        // Relaxed: nothing is published; whoever needs the truth takes the lock.
        self.len_seen.store(state.bytes.len(), Ordering::Relaxed);
    }

    /// Runs `attempt` under the lock, for one side; if it yields nothing, leaves the task's waker.
    /// Wakers are cloned, woken and dropped outside of the lock.
    #[inline]
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        side: Side,
        will_wait: bool,
        mut attempt: impl FnMut(&mut PipeState) -> Attempted<T>,
    ) -> Poll<io::Result<T>> {
        poll_charged(cx, |cx| {
            let mut waker = will_wait.then(|| cx.waker().clone());
            // At most twice: the second time there is a waker to leave.
            loop {
                let mut state = self.state.lock();
                if let Some((done, concerns_other)) = attempt(&mut state) {
                    let other = &mut state.wakers[1 - side];
                    let wake = if concerns_other { other.take() } else { None };
                    drop(state);
                    wake.into_iter().for_each(Waker::wake);
                    return Poll::Ready(done);
                }
                let known = &mut state.wakers[side];
                if matches!(known, Some(known) if known.will_wake(cx.waker())) {
                    waits::note(|| WAITS[side]);
                    return Poll::Pending;
                }
                if waker.is_some() {
                    let old = mem::replace(known, waker);
                    drop(state);
                    drop(old);
                    waits::note(|| WAITS[side]);
                    return Poll::Pending;
                }
                drop(state);
                waker = Some(cx.waker().clone());
            }
        })
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
                self.$outgoing.poll_write(cx, &[std::io::IoSlice::new(buf)])
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.$outgoing.poll_write(cx, bufs)
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
