//! A stream that moves bytes in pieces of any size, for the tests against plain models.

use std::io::{self, ErrorKind, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use proptest::collection::vec;
use proptest::prelude::*;
use yamanote_io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

/// What the stream does at its next poll.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    /// It moves so many bytes at most, at least one.
    Move(usize),
    /// Not ready; the task is woken at once.
    Wait,
    /// It was interrupted and has done nothing.
    Interrupt,
}

/// Reads `source` from `at` on, keeps in `sunk` what is written; takes its turns in a circle.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) source: Vec<u8>,
    pub(crate) at: usize,
    pub(crate) sunk: Vec<u8>,
    pub(crate) shut_down: bool,
    turns: Vec<Turn>,
    next_turn: usize,
}

/// Turns of which at least one moves something.
pub(crate) fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        4 => (1..20usize).prop_map(Turn::Move),
        2 => Just(Turn::Wait),
        1 => Just(Turn::Interrupt),
    ];
    (vec(turn, 0..8), 1..200usize).prop_map(|(mut turns, last)| {
        turns.push(Turn::Move(last));
        turns
    })
}

/// A peer with any source of up to `len_max` bytes.
pub(crate) fn peer(len_max: usize) -> impl Strategy<Value = Peer> {
    (vec(any::<u8>(), 0..len_max), turns()).prop_map(|(source, turns)| Peer::new(source, turns))
}

impl Peer {
    pub(crate) fn new(source: Vec<u8>, turns: Vec<Turn>) -> Self {
        Self {
            source,
            at: 0,
            sunk: Vec::new(),
            shut_down: false,
            turns,
            next_turn: 0,
        }
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let turn = self.turns[self.next_turn % self.turns.len()];
        self.next_turn += 1;
        match turn {
            Turn::Move(n) => Poll::Ready(Ok(n)),
            Turn::Interrupt => Poll::Ready(Err(ErrorKind::Interrupted.into())),
            Turn::Wait => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    /// Flushes and shutdowns: a copy whose flush is interrupted ends there.
    fn poll_uninterrupted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_turn(cx).map(drop)
    }
}

impl AsyncRead for Peer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n = ready!(self.poll_turn(cx))?;
        let rest = self.source.get(self.at..).unwrap_or_default();
        let n = n.min(rest.len()).min(buf.remaining());
        buf.put_slice(&rest[..n]);
        self.at += n;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(self.poll_turn(cx))?.min(buf.len());
        self.sunk.extend_from_slice(&buf[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_uninterrupted(cx).map(Ok)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_uninterrupted(cx));
        self.shut_down = true;
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for Peer {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        let to = match position {
            SeekFrom::Start(to) => to as i64,
            SeekFrom::Current(by) => self.at as i64 + by,
            SeekFrom::End(by) => self.source.len() as i64 + by,
        };
        self.at = usize::try_from(to).map_err(|_| ErrorKind::InvalidInput)?;
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        match ready!(self.poll_turn(cx)) {
            // A seek has been done; nothing interrupts asking where that led.
            Ok(_) | Err(_) => Poll::Ready(Ok(self.at as u64)),
        }
    }
}
