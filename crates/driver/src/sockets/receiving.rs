//! What a conversation has received, and what is under way for it: [`ReceiveState`].

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::task::Waker;

use yamanote_sys::held::Held;
use yamanote_sys::sockets::{After, SocketRequest, is_cancelled, is_out_of_buffers};

use super::chunk::Chunk;
use crate::shut_down_error;

/// Pieces that wait to be asked for, at most: then others wait in the kernel.
const WAITING_MAX: usize = 16;

/// With its lock it fills a cache line, which is what a message of one of many connections costs.
#[derive(Default)]
pub(super) struct ReceiveState {
    pub(super) waker: Option<Waker>,
    /// The first that waits lies here: there is one, mostly.
    first: Option<Chunk>,
    pub(super) now: Receiving,
    /// What there is seldom, or at the end alone. Once made it stays.
    behind: Option<Box<Behind>>,
}

#[derive(Default)]
struct Behind {
    /// What waits behind the first.
    rest: VecDeque<Chunk>,
    /// What comes after those: the end for ever, an error once.
    last: Option<Last>,
    /// The kernel has found no provided buffer.
    is_starved: bool,
}

pub(super) enum Last {
    End,
    Error(io::Error),
    Lost,
}

#[derive(Default)]
pub(super) enum Receiving {
    #[default]
    Idle,
    Many,
    Once {
        is_wanted: bool,
    },
    Done(Held, io::Result<usize>),
}

impl ReceiveState {
    /// What comes after all bytes, if that is known: 0 at the end.
    pub(super) fn take_last(&mut self) -> Option<io::Result<usize>> {
        let last = &mut self.behind.as_mut()?.last;
        match last.take()? {
            Last::End => {
                *last = Some(Last::End);
                Some(Ok(0))
            }
            Last::Lost => {
                *last = Some(Last::Lost);
                Some(Err(shut_down_error()))
            }
            Last::Error(error) => Some(Err(error)),
        }
    }

    pub(super) fn set_last(&mut self, last: Last) {
        self.behind.get_or_insert_default().last = Some(last);
    }

    /// Whether nobody will ever know how the receive has ended.
    pub(super) fn is_lost(&self) -> bool {
        let last = self.behind.as_ref().map(|behind| &behind.last);
        matches!(last, Some(Some(Last::Lost)))
    }

    /// Whether nothing is under way, as far as anybody will ever know.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.now, Receiving::Idle | Receiving::Done(..)) || self.is_lost()
    }

    /// Whether the kernel had no buffer for the last receive; asked once.
    pub(super) fn take_starved(&mut self) -> bool {
        let behind = self.behind.as_mut();
        behind.is_some_and(|behind| mem::take(&mut behind.is_starved))
    }

    /// Keeps what a future has left that was forgotten, not dropped.
    pub(super) fn keep_done(&mut self) -> Option<Held> {
        if !matches!(self.now, Receiving::Done(..)) {
            return None;
        }
        match mem::take(&mut self.now) {
            Receiving::Done(held, result) => self.keep(held, result),
            _ => None,
        }
    }

    pub(super) fn note_end(&mut self, result: &io::Result<usize>) {
        if let Ok(0) = result {
            self.set_last(Last::End);
        }
    }

    /// The first that waits, without what was given out of it.
    #[inline]
    pub(super) fn next_chunk(&mut self) -> Option<Chunk> {
        let second = self.behind.as_mut();
        let second = second.and_then(|behind| behind.rest.pop_front());
        mem::replace(&mut self.first, second)
    }

    /// Has `chunk` wait; how many wait now.
    #[inline]
    fn push(&mut self, chunk: Chunk) -> usize {
        if self.first.is_none() {
            self.first = Some(chunk);
            return 1;
        }
        let rest = &mut self.behind.get_or_insert_default().rest;
        rest.push_back(chunk);
        1 + rest.len()
    }

    /// Copies of the first that waits what there is room for; how much, and what is used up.
    pub(super) fn copy_to(&mut self, buffer: &mut Held) -> Option<(usize, Option<Chunk>)> {
        let first = self.first.as_mut()?;
        let count = first.len().min(buffer.len());
        buffer.fill(&first[..count]);
        first.advance(count);
        match first.is_empty() {
            true => Some((count, self.next_chunk())),
            false => Some((count, None)),
        }
    }

    /// Keeps what a receive has brought that nobody waits for; returns a buffer without use.
    pub(super) fn keep(&mut self, mut held: Held, result: io::Result<usize>) -> Option<Held> {
        match result {
            Ok(0) => self.set_last(Last::End),
            Ok(len) => {
                held.truncate(len);
                self.push(Chunk::of(held));
                return None;
            }
            Err(error) if is_cancelled(&error) => {}
            Err(error) => self.set_last(Last::Error(error)),
        }
        Some(held)
    }

    #[inline]
    pub(super) fn received(&mut self, chunk: Chunk) -> After {
        match self.push(chunk) {
            WAITING_MAX.. => After::Cancel,
            _ => After::Nothing,
        }
    }

    pub(super) fn ended(&mut self, request: SocketRequest, result: io::Result<usize>) -> After {
        match request {
            SocketRequest::ReceiveInto(held) => self.once_ended(held, result),
            _ => {
                self.many_ended(result);
                After::Done(request)
            }
        }
    }

    /// The receives into provided buffers have ended.
    pub(super) fn many_ended(&mut self, result: io::Result<usize>) {
        self.now = Receiving::Idle;
        match result {
            Ok(0) => self.set_last(Last::End),
            Ok(_) => {}
            Err(error) if is_cancelled(&error) => {}
            // Others have all of them: this one gets on with a buffer of its own.
            Err(error) if is_out_of_buffers(&error) => {
                self.behind.get_or_insert_default().is_starved = true;
            }
            Err(error) => self.set_last(Last::Error(error)),
        }
    }

    /// A receive into a buffer has ended.
    pub(super) fn once_ended(&mut self, held: Held, result: io::Result<usize>) -> After {
        let is_wanted = matches!(self.now, Receiving::Once { is_wanted: true });
        if is_wanted && result.as_ref().is_err_and(is_cancelled) {
            return After::Again(SocketRequest::ReceiveInto(held));
        }
        if is_wanted {
            self.now = Receiving::Done(held, result);
            return After::Nothing;
        }
        self.now = Receiving::Idle;
        match self.keep(held, result) {
            Some(held) => After::Done(SocketRequest::ReceiveInto(held)),
            None => After::Nothing,
        }
    }
}
