//! A system without queues that are shared with the kernel: there is no [`Ring`].

use std::convert::Infallible;
use std::ffi::CString;
use std::io;
use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

pub use crate::request::{Kind, Request, RequestKey};
use crate::selector::Registrar;

/// A pair of queues shared with the kernel; there is none here.
#[derive(Debug)]
pub struct Ring<T> {
    never: Infallible,
    _tags: PhantomData<T>,
}

/// A request that has ended; none does here.
#[derive(Debug)]
pub struct Completion<T> {
    /// What was submitted with it.
    pub tag: T,
    /// With what has come out of it.
    pub request: Request,
    /// What the operation returned.
    pub result: io::Result<u32>,
}

/// The path as the kernel reads it.
#[must_use]
pub fn path(_path: &Path) -> Option<CString> {
    None
}

/// Whether the kernel has given up on a request.
#[must_use]
pub fn is_given_up(_error: &io::Error) -> bool {
    false
}

impl<T> Ring<T> {
    /// No ring.
    ///
    /// # Errors
    /// `Unsupported`.
    pub fn new(_entries: u32) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Has the selector of `registrar` report completions.
    ///
    /// # Errors
    /// None: there is no ring.
    pub fn watch(&self, _registrar: &Registrar, _token: usize) -> io::Result<()> {
        match self.never {}
    }

    /// Whether the system knows this kind of request.
    #[must_use]
    pub fn can(&self, _kind: Kind) -> bool {
        match self.never {}
    }

    /// How many requests are under way.
    #[must_use]
    pub fn len(&self) -> usize {
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
    pub fn submit(&mut self, _request: Request, _tag: T) -> Result<RequestKey, (Request, T)> {
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

    /// How many entries wait for a [`flush`](Self::flush).
    pub fn queued(&mut self) -> usize {
        match self.never {}
    }

    /// Passes on each request that has ended.
    pub fn completions(&mut self, _each: impl FnMut(Completion<T>)) -> usize {
        match self.never {}
    }

    /// Waits for a completion that was not collected.
    pub fn wait(&mut self, _limit: Duration) {
        match self.never {}
    }

    /// Cancels all whose tags `chosen` accepts.
    pub fn cancel_where(&mut self, _chosen: impl Fn(&T) -> bool) {
        match self.never {}
    }

    /// Gives up all that is under way; returns the tags.
    pub fn abandon(&mut self) -> Vec<T> {
        match self.never {}
    }
}
