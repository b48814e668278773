//! A stream that follows a script, for the tests of this crate.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use yamanote_io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the stream does at its next poll.
pub(crate) enum Step {
    Data(&'static [u8]),
    Fail(io::ErrorKind),
    /// Not ready; the task is woken at once.
    Wait,
    /// A write takes so many bytes at most.
    Accept(usize),
}

#[derive(Default)]
pub(crate) struct Script {
    steps: VecDeque<Step>,
    pub(crate) written: Vec<u8>,
    pub(crate) flushed: usize,
    pub(crate) shut_down: bool,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.steps.pop_front() {
            Some(Step::Data(data)) => {
                let n = data.len().min(buf.remaining());
                buf.put_slice(&data[..n]);
                if n < data.len() {
                    self.steps.push_front(Step::Data(&data[n..]));
                }
                Poll::Ready(Ok(()))
            }
            Some(Step::Fail(kind)) => Poll::Ready(Err(kind.into())),
            Some(_) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let n = match self.steps.pop_front() {
            Some(Step::Accept(n)) => n.min(buf.len()),
            Some(Step::Fail(kind)) => return Poll::Ready(Err(kind.into())),
            Some(_) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            None => buf.len(),
        };
        self.written.extend_from_slice(&buf[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushed += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shut_down = true;
        Poll::Ready(Ok(()))
    }
}
