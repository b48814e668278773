//! From each of two streams to the other: [`copy_bidirectional`].

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::copy::CopyBuffer;
use crate::{AsyncRead, AsyncWrite, BUF_SIZE};

/// Copies from `a` to `b` and from `b` to `a` until both have ended; returns how many bytes went
/// each way. When one has ended, the other is shut down; the other direction goes on.
///
/// *Cancel safety*: none; what is in the buffers (8 KiB for each direction) is lost.
///
/// # Errors
/// Those of either, at once; the other direction is then left where it is.
///
/// # Examples
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional, duplex};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (mut client, mut inbound) = duplex(64);
/// let (mut outbound, mut server) = duplex(64);
/// let proxy = tokio::spawn(async move { copy_bidirectional(&mut inbound, &mut outbound).await });
/// client.write_all(b"ping").await?;
/// server.read_exact(&mut [0; 4]).await?;
/// server.write_all(b"hello").await?;
/// client.read_exact(&mut [0; 5]).await?;
/// drop((client, server));
/// assert_eq!(proxy.await??, (4, 5));
/// # Ok(())
/// # }
/// ```
pub async fn copy_bidirectional<A, B>(a: &mut A, b: &mut B) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    copy_bidirectional_with_sizes(a, b, BUF_SIZE, BUF_SIZE).await
}

/// Like [`copy_bidirectional`], with buffers of so many bytes.
///
/// # Panics
/// If a size is zero.
///
/// # Errors
/// As there.
pub async fn copy_bidirectional_with_sizes<A, B>(
    a: &mut A,
    b: &mut B,
    a_to_b_buf_size: usize,
    b_to_a_buf_size: usize,
) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    assert!(
        a_to_b_buf_size > 0,
        "`a_to_b_buf_size` must be greater than 0"
    );
    assert!(
        b_to_a_buf_size > 0,
        "`b_to_a_buf_size` must be greater than 0"
    );
    let mut a_to_b = Direction::Copying(CopyBuffer::new(a_to_b_buf_size));
    let mut b_to_a = Direction::Copying(CopyBuffer::new(b_to_a_buf_size));
    poll_fn(|cx| {
        let from_a = a_to_b.poll(cx, &mut *a, &mut *b)?;
        let from_b = b_to_a.poll(cx, &mut *b, &mut *a)?;
        // Both were polled, so both will wake the task.
        Poll::Ready(Ok((ready!(from_a), ready!(from_b))))
    })
    .await
}

/// How far one direction has come.
enum Direction {
    Copying(CopyBuffer),
    /// All is written; so many bytes.
    ShuttingDown(u64),
    Done(u64),
}

impl Direction {
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
    ) -> Poll<io::Result<u64>>
    where
        R: AsyncRead + Unpin + ?Sized,
        W: AsyncWrite + Unpin + ?Sized,
    {
        if let Direction::Copying(buffer) = self {
            let copied = ready!(buffer.poll_copy(cx, reader, writer))?;
            *self = Direction::ShuttingDown(copied);
        }
        if let Direction::ShuttingDown(copied) = *self {
            ready!(Pin::new(writer).poll_shutdown(cx))?;
            *self = Direction::Done(copied);
        }
        match self {
            Direction::Done(copied) => Poll::Ready(Ok(*copied)),
            _ => unreachable!("the other states were left above"),
        }
    }
}
