//! Numbers as bytes: the one table from which `read_u16`, `write_f64_le` and so on are made.

use std::io;
use std::task::{Context, Poll, ready};

use crate::future::{Attempt, poll_drain, poll_fill};
use crate::{AsyncRead, AsyncWrite};

/// A number of fixed size.
pub trait Number: Copy {
    /// An array of its size.
    type Bytes: AsRef<[u8]> + AsMut<[u8]> + Copy + Default;
}

/// Hands the table of numbers to `$with`: the type, its size in bytes, and the names of the
/// methods that read and write it, big-endian and little-endian.
macro_rules! number_table {
    ($with:ident) => {
        $with! {
            u16, 2, read_u16, read_u16_le, write_u16, write_u16_le;
            i16, 2, read_i16, read_i16_le, write_i16, write_i16_le;
            u32, 4, read_u32, read_u32_le, write_u32, write_u32_le;
            i32, 4, read_i32, read_i32_le, write_i32, write_i32_le;
            u64, 8, read_u64, read_u64_le, write_u64, write_u64_le;
            i64, 8, read_i64, read_i64_le, write_i64, write_i64_le;
            u128, 16, read_u128, read_u128_le, write_u128, write_u128_le;
            i128, 16, read_i128, read_i128_le, write_i128, write_i128_le;
            f32, 4, read_f32, read_f32_le, write_f32, write_f32_le;
            f64, 8, read_f64, read_f64_le, write_f64, write_f64_le;
        }
    };
}

/// The reading methods, for the body of `AsyncReadExt`.
macro_rules! read_methods {
    ($(
        $number:ty, $size:literal, $read:ident, $read_le:ident, $write:ident, $write_le:ident;
    )+) => {$(
        #[doc = concat!("Reads ", $size, " bytes as a big-endian `", stringify!($number), "`.")]
        ///
        /// *Cancel safety, errors*: as [`read_exact`](AsyncReadExt::read_exact).
        fn $read(&mut self) -> IoFuture<ReadNumber<'_, Self, $number>>
        where
            Self: Unpin,
        {
            IoFuture::new(ReadNumber::new(self, <$number>::from_be_bytes))
        }

        #[doc = concat!("Reads ", $size, " bytes as a little-endian `", stringify!($number), "`.")]
        ///
        /// *Cancel safety, errors*: as [`read_exact`](AsyncReadExt::read_exact).
        fn $read_le(&mut self) -> IoFuture<ReadNumber<'_, Self, $number>>
        where
            Self: Unpin,
        {
            IoFuture::new(ReadNumber::new(self, <$number>::from_le_bytes))
        }
    )+};
}

/// The writing methods, for the body of `AsyncWriteExt`.
macro_rules! write_methods {
    ($(
        $number:ty, $size:literal, $read:ident, $read_le:ident, $write:ident, $write_le:ident;
    )+) => {$(
        #[doc = concat!("Writes a `", stringify!($number), "` as ", $size, " bytes, big-endian.")]
        ///
        /// *Cancel safety, errors*: as [`write_all`](AsyncWriteExt::write_all).
        fn $write(&mut self, n: $number) -> IoFuture<WriteNumber<'_, Self, $number>>
        where
            Self: Unpin,
        {
            IoFuture::new(WriteNumber::new(self, n.to_be_bytes()))
        }

        #[doc = concat!(
            "Writes a `", stringify!($number), "` as ", $size, " bytes, little-endian."
        )]
        ///
        /// *Cancel safety, errors*: as [`write_all`](AsyncWriteExt::write_all).
        fn $write_le(&mut self, n: $number) -> IoFuture<WriteNumber<'_, Self, $number>>
        where
            Self: Unpin,
        {
            IoFuture::new(WriteNumber::new(self, n.to_le_bytes()))
        }
    )+};
}

macro_rules! impl_number {
    ($($number:ty, $size:literal, $($method:ident),+;)+) => {$(
        impl Number for $number {
            type Bytes = [u8; $size];
        }
    )+};
}

pub(crate) use {number_table, read_methods, write_methods};

number_table!(impl_number);

impl Number for u8 {
    type Bytes = [u8; 1];
}

impl Number for i8 {
    type Bytes = [u8; 1];
}

/// Reading one number.
#[derive(Debug)]
pub struct ReadNumber<'a, R: ?Sized, N: Number> {
    reader: &'a mut R,
    bytes: N::Bytes,
    read: usize,
    decode: fn(N::Bytes) -> N,
}

/// Writing one number.
#[derive(Debug)]
pub struct WriteNumber<'a, W: ?Sized, N: Number> {
    writer: &'a mut W,
    bytes: N::Bytes,
    written: usize,
}

impl<'a, R: ?Sized, N: Number> ReadNumber<'a, R, N> {
    pub(crate) fn new(reader: &'a mut R, decode: fn(N::Bytes) -> N) -> Self {
        Self {
            reader,
            bytes: N::Bytes::default(),
            read: 0,
            decode,
        }
    }
}

impl<'a, W: ?Sized, N: Number> WriteNumber<'a, W, N> {
    pub(crate) fn new(writer: &'a mut W, bytes: N::Bytes) -> Self {
        Self {
            writer,
            bytes,
            written: 0,
        }
    }
}

impl<R: AsyncRead + Unpin + ?Sized, N: Number> Attempt for ReadNumber<'_, R, N> {
    type Output = N;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<N>> {
        if ready!(poll_fill(
            &mut *self.reader,
            cx,
            self.bytes.as_mut(),
            &mut self.read
        ))? {
            Poll::Ready(Ok((self.decode)(self.bytes)))
        } else {
            Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()))
        }
    }
}

impl<W: AsyncWrite + Unpin + ?Sized, N: Number> Attempt for WriteNumber<'_, W, N> {
    type Output = ();

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_drain(
            &mut *self.writer,
            cx,
            self.bytes.as_ref(),
            &mut self.written,
        )
    }
}
