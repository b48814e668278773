//! What connected streams do, TCP's and Unix's alike.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;

use yamanote_sys::sending::Sending;
use yamanote_sys::socket::SockRef;
use yamanote_sys::source::{Descriptor, Source};
use yamanote_sys::{pieces, receive};
use yamanote_world::net::TcpStream;

use crate::resource::Resource;

/// What a simulated stream does.
pub trait WorldStream {
    /// How many bytes can be read at once.
    fn readable_len(&self) -> usize;

    /// Reads into several buffers.
    ///
    /// # Errors
    /// `WouldBlock`; those of the connection.
    fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize>;

    /// Sends of several buffers what there is room for.
    ///
    /// # Errors
    /// As [`read_vectored`](Self::read_vectored).
    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Shuts one or both directions down.
    ///
    /// # Errors
    /// When it is not connected.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
}

/// Writes [`WorldStream`] for a stream of the world's that has all of it.
macro_rules! world_stream {
    ($Stream:ty) => {
        impl $crate::resource::stream::WorldStream for $Stream {
            fn readable_len(&self) -> usize {
                self.readable_len()
            }

            fn read_vectored(
                &self,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> std::io::Result<usize> {
                self.read_vectored(bufs)
            }

            fn write_vectored(&self, bufs: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
                self.write_vectored(bufs)
            }

            fn shutdown(&self, how: std::net::Shutdown) -> std::io::Result<()> {
                self.shutdown(how)
            }
        }
    };
}

world_stream!(TcpStream);

impl<S, W> Resource<S, W>
where
    S: Source + Descriptor,
    for<'a> &'a S: Read + Write,
    W: WorldStream,
{
    /// Reads what has arrived into `buf`; returns the part that was filled, empty at the end.
    ///
    /// # Errors
    /// `WouldBlock`; those of the connection.
    #[inline]
    pub fn read<'a>(&self, buf: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]> {
        match self {
            Resource::Os(stream) => receive::recv_uninit(stream.get(), buf),
            Resource::World(stream) => {
                // Only what will be filled is zeroed; one byte at least, to be told of the end.
                let most = buf.len().min(stream.readable_len().max(1));
                let buf = receive::zero(&mut buf[..most]);
                let n = stream.read_vectored(&mut [IoSliceMut::new(buf)])?;
                Ok(&mut buf[..n])
            }
        }
    }

    /// Reads into several buffers.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match self {
            Resource::Os(stream) => stream.get().read_vectored(bufs),
            Resource::World(stream) => stream.read_vectored(bufs),
        }
    }

    /// Sends of `buf` what there is room for.
    ///
    /// # Errors
    /// `WouldBlock`; those of the connection.
    #[inline]
    pub fn write(&self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Resource::Os(stream) => Sending(stream.get()).write(buf),
            Resource::World(stream) => stream.write_vectored(&[IoSlice::new(buf)]),
        }
    }

    /// Sends of several buffers what there is room for.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    #[inline]
    pub fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Resource::Os(stream) => pieces::write(Sending(stream.get()), bufs),
            Resource::World(stream) => stream.write_vectored(bufs),
        }
    }

    /// Shuts one or both directions down.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Resource::Os(stream) => SockRef::from(stream.get()).shutdown(how),
            Resource::World(stream) => stream.shutdown(how),
        }
    }
}
