//! A stream that does what a script says at each call, and writes down each call.

use std::cell::RefCell;
use std::fmt::{Debug, Display, Write as _};
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::trial::Trial;

/// How often a future is polled before it counts as one that does not end.
const POLLS_MAX: usize = 300;

/// The bytes of which data consist: they have lines, words, and a letter of two bytes.
const LETTERS: &[u8] = b"ab\n\r,\xc3\xa9z";

/// The calls to the streams of one operation, in their order.
pub(crate) type Calls = Rc<RefCell<String>>;

#[derive(Clone, Copy, Debug)]
enum Act {
    Waits,
    IsInterrupted,
    Fails,
    /// Reads or writes at most so many bytes.
    Moves(usize),
}

/// A stream with data to read, and room for what is written.
pub(crate) struct Scripted {
    name: char,
    calls: Calls,
    script: Vec<Act>,
    step: usize,
    unread: Vec<u8>,
    written: Vec<u8>,
}

impl Scripted {
    /// A stream that is drawn; a quarter of them have trouble of each kind.
    pub(crate) fn draw(trial: &mut Trial, name: char, calls: &Calls) -> Scripted {
        let len = trial.below(80);
        let troubled = trial.one_in(4);
        // Some wait often, and some move little at a time.
        let waits = [0, 0, 6][trial.below(3)];
        let moves_little = trial.one_in(3);
        let script = |_| match trial.below(20) {
            0 => Act::Waits,
            1 if troubled => Act::IsInterrupted,
            2 if troubled => Act::Fails,
            3 if troubled => Act::Moves(0),
            n if n < waits => Act::Waits,
            n if moves_little => Act::Moves(n % 4 + 1),
            n => Act::Moves(n.max(4)),
        };
        Scripted {
            name,
            calls: calls.clone(),
            script: (0..20).map(script).collect(),
            step: 0,
            unread: (0..len)
                .map(|_| LETTERS[trial.below(LETTERS.len())])
                .collect(),
            written: Vec::new(),
        }
    }

    /// What it has left, and what it was given.
    pub(crate) fn ends(&self) -> (usize, &[u8]) {
        (self.unread.len(), &self.written)
    }

    /// Its data, for a stream of another kind.
    pub(crate) fn into_data(self) -> Vec<u8> {
        self.unread
    }

    /// Writes down what the calls do not tell.
    pub(crate) fn note(&self, words: impl Display) {
        let _ = write!(self.calls.borrow_mut(), " {words}");
    }

    fn act(&mut self, call: &str, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let act = self.script[self.step % self.script.len()];
        self.step += 1;
        let _ = write!(self.calls.borrow_mut(), " {}.{call}:{act:?}", self.name);
        match act {
            Act::Waits => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Act::IsInterrupted => Poll::Ready(Err(ErrorKind::Interrupted.into())),
            Act::Fails => Poll::Ready(Err(ErrorKind::Other.into())),
            Act::Moves(n) => Poll::Ready(Ok(n)),
        }
    }
}

impl AsyncRead for Scripted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.act("read", cx).map_ok(|max| {
            let len = max.min(buffer.remaining()).min(self.unread.len());
            let read: Vec<u8> = self.unread.drain(..len).collect();
            buffer.put_slice(&read);
        })
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let call = format!("write({})", bytes.len());
        self.act(&call, cx).map_ok(|max| {
            let len = max.min(bytes.len());
            self.written.extend(&bytes[..len]);
            len
        })
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.act("flush", cx).map_ok(|_| ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.act("shutdown", cx).map_ok(|_| ())
    }
}

/// The words for what an operation comes to; it is polled again as long as it is pending.
pub(crate) fn end_of<T: Debug>(operation: impl Future<Output = io::Result<T>>) -> String {
    let mut operation = pin!(operation);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..POLLS_MAX {
        match operation.as_mut().poll(&mut cx) {
            Poll::Ready(Ok(value)) => return format!("{value:?}"),
            Poll::Ready(Err(error)) => return format!("{:?}: {error}", error.kind()),
            Poll::Pending => {}
        }
    }
    "does not end".to_owned()
}
