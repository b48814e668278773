//! Receiving into memory that is not initialised yet.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;

use socket2::SockRef;

use crate::socket;
use crate::source::Descriptor;
use crate::transfer;

/// Receives from a socket into `buf`; returns the bytes at its front that are now initialised.
///
/// # Errors
/// Those of recv(2).
#[inline]
pub fn recv_uninit<'a>(
    socket: &impl Descriptor,
    buf: &'a mut [MaybeUninit<u8>],
) -> io::Result<&'a mut [u8]> {
    let n = transfer::recv(socket, buf)?;
    // SAFETY: recv(2) has initialised the first `n` bytes.
    Ok(unsafe { assume_init(&mut buf[..n]) })
}

/// [`recv_uninit`] of a datagram, with its sender.
///
/// # Errors
/// Those of recvfrom(2).
pub fn recv_from_uninit<'a>(
    socket: &impl Descriptor,
    buf: &'a mut [MaybeUninit<u8>],
) -> io::Result<(&'a mut [u8], SocketAddr)> {
    let (n, from) = SockRef::from(socket).recv_from(buf)?;
    let from = socket::inet_addr(&from)?;
    // SAFETY: recvfrom(2) has initialised the first `n` bytes.
    Ok((unsafe { assume_init(&mut buf[..n]) }, from))
}

/// Who has sent the datagram that is next, which stays where it is.
///
/// # Errors
/// As [`recv_from_uninit`].
pub fn peek_sender(socket: &impl Descriptor) -> io::Result<SocketAddr> {
    socket::inet_addr(&SockRef::from(socket).peek_sender()?)
}

/// Sets all of `buf` to zero.
pub fn zero(buf: &mut [MaybeUninit<u8>]) -> &mut [u8] {
    buf.fill(MaybeUninit::new(0));
    // SAFETY: the line above initialised all of it.
    unsafe { assume_init(buf) }
}

/// The same bytes, known to be initialised.
///
/// # Safety
/// All of `buf` must be initialised.
pub(crate) unsafe fn assume_init(buf: &mut [MaybeUninit<u8>]) -> &mut [u8] {
    let data = buf.as_mut_ptr().cast::<u8>();
    // SAFETY: the same memory, of which the caller says that it is initialised.
    unsafe { std::slice::from_raw_parts_mut(data, buf.len()) }
}
