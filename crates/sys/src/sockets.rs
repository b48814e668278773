//! What a socket ring may be asked to do, and what it says: [`SocketRequest`], [`Word`].
//!
//! The same on each system, so that only the ring itself may be absent.

use std::io;
use std::sync::Arc;

use crate::held::Held;
use crate::source::OwnedDescriptor;

pub use crate::socket_ring::{SocketRing, is_cancelled, is_out_of_buffers};

/// What has a socket, and keeps it open: the tag of each request says on which it is.
pub trait SocketTag {
    /// The same each time, at the same place in memory, which is no other tag's.
    fn socket(&self) -> &OwnedDescriptor;
}

impl<T: SocketTag + ?Sized> SocketTag for Arc<T> {
    fn socket(&self) -> &OwnedDescriptor {
        (**self).socket()
    }
}

/// An operation on a socket and what belongs to it. As it moves often, it is two words.
#[derive(Debug)]
pub enum SocketRequest {
    /// Takes connections, until it is cancelled or fails.
    Accept,
    /// Receives into provided buffers, until the stream ends, or they do, or it is cancelled.
    Receive,
    /// Receives once.
    ReceiveInto(Held),
    /// Sends the rest of what is held, or a part.
    Send(Held),
    /// Sends the rest, or a part, and is to go on then with what is left.
    SendAll(Held),
}

impl SocketRequest {
    /// Whether it sends.
    #[must_use]
    pub fn is_send(&self) -> bool {
        matches!(self, Self::Send(_) | Self::SendAll(_))
    }

    /// The buffer that it has, if that is a program's.
    #[must_use]
    pub fn into_held(self) -> Option<Held> {
        match self {
            Self::ReceiveInto(held) | Self::Send(held) | Self::SendAll(held) => Some(held),
            Self::Accept | Self::Receive => None,
        }
    }
}

/// What the kernel says about a request.
#[derive(Debug)]
pub enum Word {
    /// A connection.
    Accepted(OwnedDescriptor),
    /// Bytes, in a provided buffer, which goes back to its ring when this is dropped.
    Received(Held),
    /// It has ended, which is the last word on it. If it is submitted [again](After::Again), it is
    /// known by the same key.
    Ended(SocketRequest, io::Result<usize>),
}

/// What is to be done after a [`Word`].
#[derive(Debug)]
pub enum After {
    /// Nothing.
    Nothing,
    /// The request is to be submitted again.
    Again(SocketRequest),
    /// Nobody needs the request any more. Its buffer must not be dropped under a lock.
    Done(SocketRequest),
    /// It is to be cancelled; only for one that has not ended.
    Cancel,
}

/// What nobody needs any more, once the locks are let go: a tag, a request with its buffer.
pub type Done<T> = (Option<T>, Option<SocketRequest>);
