//! What a conversation sends: [`SendState`].

use std::io;
use std::mem;
use std::task::Waker;

use yamanote_sys::held::Held;
use yamanote_sys::sockets::{After, SocketRequest, is_cancelled};

use crate::shut_down_error;

#[derive(Default)]
pub(super) struct SendState {
    pub(super) now: Sending,
    /// Nobody will ever know how the last send has ended.
    pub(super) is_lost: bool,
    /// What became of a post, for who asks next.
    pub(super) failed: Option<io::Error>,
    pub(super) waker: Option<Waker>,
}

#[derive(Default)]
pub(super) enum Sending {
    #[default]
    Idle,
    Once {
        is_wanted: bool,
        /// Nobody waits for its buffer.
        is_posted: bool,
    },
    Done(Held, io::Result<usize>),
}

impl Sending {
    pub(super) const ONCE: Self = Self::Once {
        is_wanted: true,
        is_posted: false,
    };
    pub(super) const POSTED: Self = Self::Once {
        is_wanted: true,
        is_posted: true,
    };
}

impl SendState {
    /// The send that has ended, if nobody has taken it yet.
    #[inline]
    pub(super) fn take_done(&mut self) -> Option<(Held, io::Result<usize>)> {
        if !matches!(self.now, Sending::Done(..)) {
            return None;
        }
        match mem::take(&mut self.now) {
            Sending::Done(held, result) => Some((held, result)),
            _ => None,
        }
    }

    /// Why no more can be posted.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        match self.is_lost {
            true => Some(shut_down_error()),
            false => self.failed.take(),
        }
    }

    pub(super) fn is_posted(&self) -> bool {
        matches!(
            self.now,
            Sending::Once {
                is_posted: true,
                ..
            }
        )
    }

    /// Nobody waits any more for what is under way; returns a buffer without use.
    pub(super) fn forget(&mut self) -> Option<(Held, io::Result<usize>)> {
        if let Sending::Once { is_wanted, .. } = &mut self.now {
            *is_wanted = false;
        }
        self.take_done()
    }

    #[inline]
    pub(super) fn ended(&mut self, mut request: SocketRequest, result: io::Result<usize>) -> After {
        let is_all = matches!(request, SocketRequest::SendAll(_));
        let (SocketRequest::Send(held) | SocketRequest::SendAll(held)) = &mut request else {
            return After::Done(request);
        };
        let (is_wanted, is_posted) = match self.now {
            Sending::Once {
                is_wanted,
                is_posted,
            } => (is_wanted, is_posted),
            _ => (false, false),
        };
        let result = match result {
            _ if !is_wanted => {
                self.now = Sending::Idle;
                return After::Done(request);
            }
            Err(error) if is_cancelled(&error) => return After::Again(request),
            Ok(sent) => {
                held.advance(sent);
                if is_all && sent > 0 && !held.rest().is_empty() {
                    return After::Again(request);
                }
                Ok(held.done())
            }
            Err(error) => Err(error),
        };
        match request {
            SocketRequest::Send(held) | SocketRequest::SendAll(held) if !is_posted => {
                self.now = Sending::Done(held, result);
                After::Nothing
            }
            request => {
                self.now = Sending::Idle;
                self.failed = result.err();
                After::Done(request)
            }
        }
    }
}
