//! Writing to a connected socket: [`Sending`].

use std::io::{self, IoSlice, Write};

use crate::source::Descriptor;
use crate::transfer;

/// A connected socket, as what is written to.
#[derive(Debug)]
pub struct Sending<'a, S>(pub &'a S);

impl<S> Write for Sending<'_, S>
where
    S: Descriptor,
    for<'a> &'a S: Write,
{
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        transfer::send(self.0, buf)
    }

    #[inline]
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
