//! What goes through a connected socket, as the system's library has it.

use std::io::{self, Write};
use std::mem::MaybeUninit;

use socket2::SockRef;

use crate::source::Descriptor;

/// Receives into `buf`; returns how many bytes at its front are now initialised.
#[inline]
pub(crate) fn recv(socket: &impl Descriptor, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    SockRef::from(socket).recv(buf)
}

/// Sends of `buf` what there is room for: so many bytes. A broken connection is an error, not a
/// signal.
#[inline]
pub(crate) fn send<S>(mut socket: &S, buf: &[u8]) -> io::Result<usize>
where
    for<'a> &'a S: Write,
{
    socket.write(buf)
}
