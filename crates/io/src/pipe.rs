//! A pipe in memory, one way, with a bound: what `duplex` and `simplex` are made of.

use std::io::{self, IoSlice};
use std::mem;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use yamanote_base::lock::Mutex;

use crate::ReadBuf;
use crate::future::poll_budget;

/// A bounded pipe. Each side may be used by one task at a time.
#[derive(Debug)]
pub(crate) struct Pipe {
    state: Mutex<PipeState>,
}

#[derive(Debug)]
struct PipeState {
    bytes: BytesMut,
    len_max: usize,
    /// Nothing more can be written; what is there can still be read.
    closed: bool,
    /// Who waits for bytes or for the end.
    reader: Option<Waker>,
    /// Who waits for room or for the end.
    writer: Option<Waker>,
}

/// One side of a pipe: where its waker is.
type Side = fn(&mut PipeState) -> &mut Option<Waker>;

const READER: Side = |state| &mut state.reader;
const WRITER: Side = |state| &mut state.writer;

impl Pipe {
    /// An empty pipe for at most `len_max` bytes.
    ///
    /// # Panics
    /// If that is zero.
    #[track_caller]
    pub(crate) fn new(len_max: usize) -> Self {
        assert!(len_max > 0, "a pipe must hold at least one byte");
        let bytes = BytesMut::new();
        let state = PipeState {
            bytes,
            len_max,
            closed: false,
            reader: None,
            writer: None,
        };
        Self {
            state: Mutex::new(state),
        }
    }

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll(cx, READER, WRITER, |state| {
            let n = state.bytes.len().min(buf.remaining());
            buf.put_slice(&state.bytes[..n]);
            state.bytes.advance(n);
            let done = n > 0 || state.closed || buf.remaining() == 0;
            done.then_some(Ok(())).map(|done| (done, n > 0))
        })
    }

    pub(crate) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, WRITER, READER, |state| {
            if state.closed {
                return Some((Err(io::ErrorKind::BrokenPipe.into()), false));
            }
            let before = state.bytes.len();
            for buf in bufs {
                let n = buf.len().min(state.len_max - state.bytes.len());
                state.bytes.extend_from_slice(&buf[..n]);
            }
            let n = state.bytes.len() - before;
            let done = n > 0 || bufs.iter().all(|buf| buf.is_empty());
            done.then_some((Ok(n), n > 0))
        })
    }

    /// Ends the pipe, for both sides.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Runs `attempt` under the lock; it says what came of it and whether that concerns the other
    /// side, or `None` to wait. Wakers are cloned, woken and dropped outside of the lock.
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        this: Side,
        other: Side,
        mut attempt: impl FnMut(&mut PipeState) -> Option<(io::Result<T>, bool)>,
    ) -> Poll<io::Result<T>> {
        ready!(poll_budget(cx));
        let mut waker = None;
        // At most twice: the second time there is a waker to leave.
        loop {
            let mut state = self.state.lock();
            if let Some((done, concerns_other)) = attempt(&mut state) {
                let wake = if concerns_other {
                    other(&mut state).take()
                } else {
                    None
                };
                drop(state);
                wake.into_iter().for_each(Waker::wake);
                return Poll::Ready(done);
            }
            let known = this(&mut state);
            if known
                .as_ref()
                .is_some_and(|known| known.will_wake(cx.waker()))
            {
                return Poll::Pending;
            }
            if waker.is_some() {
                let old = mem::replace(known, waker);
                drop(state);
                drop(old);
                return Poll::Pending;
            }
            drop(state);
            waker = Some(cx.waker().clone());
        }
    }
}
