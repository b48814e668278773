//! A system without queues that are shared with the kernel: there is no [`Ring`].

use std::convert::Infallible;
use std::fmt::Debug;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

/// A pair of queues shared with the kernel; there is none here.
#[derive(Debug)]
pub struct Ring<T> {
    never: Infallible,
    _tags: PhantomData<T>,
}

/// An operation and what belongs to it; none is known here.
#[derive(Debug)]
pub enum Request {}

/// Which operation a [`Request`] asks for; none is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {}

/// What tells requests apart; there are none here.
pub type RequestKey<T> = (Infallible, PhantomData<T>);

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
