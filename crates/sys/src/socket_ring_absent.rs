//! A system without queues that are shared with the kernel: there is no [`SocketRing`].

use std::convert::Infallible;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

use crate::request::RequestKey;
use crate::selector::Registrar;
use crate::sockets::{After, Done, SocketRequest, Word};
use crate::source::OwnedDescriptor;

/// A pair of queues shared with the kernel; there is none here.
#[derive(Debug)]
pub struct SocketRing<T> {
    never: Infallible,
    _tags: PhantomData<T>,
}

impl<T> SocketRing<T> {
    /// No ring.
    ///
    /// # Errors
    /// `Unsupported`.
    pub fn new(_entries: u32, _words: u32) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Has the selector of `registrar` report completions.
    ///
    /// # Errors
    /// None: there is no ring.
    pub fn watch(&self, _registrar: &Registrar, _token: usize) -> io::Result<()> {
        match self.never {}
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self.never {}
    }

    /// Queues `request`.
    ///
    /// # Errors
    /// None: there is no ring.
    pub fn submit(
        &mut self,
        _request: SocketRequest,
        _socket: &OwnedDescriptor,
        _beside: RequestKey,
        _tag: impl FnOnce() -> T,
    ) -> Result<RequestKey, SocketRequest> {
        match self.never {}
    }

    /// Asks the kernel to give up on a request.
    pub fn cancel(&mut self, _key: RequestKey) {
        match self.never {}
    }

    /// Hands what is queued over to the kernel.
    ///
    /// # Errors
    /// None: there is no ring.
    pub fn flush(&mut self) -> io::Result<()> {
        match self.never {}
    }

    /// Passes on each word.
    pub fn words(
        &mut self,
        _arrivals_max: usize,
        _done: &mut Vec<Done<T>>,
        _each: impl FnMut(&T, Word) -> After,
    ) -> usize {
        match self.never {}
    }

    /// Waits for a word that was not collected.
    pub fn wait(&mut self, _limit: Duration) {
        match self.never {}
    }

    /// Cancels all that is under way.
    pub fn cancel_all(&mut self) {
        match self.never {}
    }

    /// Gives up all that is under way.
    pub fn abandon(&mut self) -> Vec<T> {
        match self.never {}
    }
}

/// Whether the kernel has given up on a request.
#[must_use]
pub fn is_cancelled(_error: &io::Error) -> bool {
    false
}

/// Whether a receive has ended because all provided buffers are in use.
#[must_use]
pub fn is_out_of_buffers(_error: &io::Error) -> bool {
    false
}
