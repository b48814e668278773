//! A buffer for each direction: [`BufStream`].

use std::pin::Pin;

use pin_project_lite::pin_project;

use crate::buf_read::forward_buf_read;
use crate::read::forward_read;
use crate::seek::forward_seek;
use crate::write::forward_write;
use crate::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, BufReader, BufWriter};

pin_project! {
    /// A stream with a buffer for reading and a buffer for writing; see [`BufReader`] and
    /// [`BufWriter`].
    ///
    /// # Examples
    /// ```
    /// use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream, duplex};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (near, far) = duplex(64);
    /// let (mut near, mut far) = (BufStream::new(near), BufStream::new(far));
    /// near.write_all(b"a line\n").await?;
    /// near.flush().await?;
    /// let mut line = String::new();
    /// far.read_line(&mut line).await?;
    /// assert_eq!(line, "a line\n");
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    pub struct BufStream<RW> {
        #[pin]
        buffered: BufReader<BufWriter<RW>>,
    }
}

impl<RW: AsyncRead + AsyncWrite> BufStream<RW> {
    /// A stream with two buffers of 8 KiB.
    pub fn new(stream: RW) -> BufStream<RW> {
        BufStream {
            buffered: BufReader::new(BufWriter::new(stream)),
        }
    }

    /// A stream with a buffer of so many bytes for reading and one for writing.
    ///
    /// # Panics
    /// If `reader_capacity` is zero.
    #[track_caller]
    pub fn with_capacity(
        reader_capacity: usize,
        writer_capacity: usize,
        stream: RW,
    ) -> BufStream<RW> {
        let writer = BufWriter::with_capacity(writer_capacity, stream);
        BufStream {
            buffered: BufReader::with_capacity(reader_capacity, writer),
        }
    }

    /// The stream behind the buffers.
    pub fn get_ref(&self) -> &RW {
        self.buffered.get_ref().get_ref()
    }

    /// The stream behind the buffers; using it directly passes by what is buffered.
    pub fn get_mut(&mut self) -> &mut RW {
        self.buffered.get_mut().get_mut()
    }

    /// The stream behind the buffers, pinned; as [`get_mut`](Self::get_mut).
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut RW> {
        self.project().buffered.get_pin_mut().get_pin_mut()
    }

    /// The stream, out of here; what is buffered is lost.
    pub fn into_inner(self) -> RW {
        self.buffered.into_inner().into_inner()
    }
}

impl<RW> From<BufReader<BufWriter<RW>>> for BufStream<RW> {
    fn from(buffered: BufReader<BufWriter<RW>>) -> Self {
        BufStream { buffered }
    }
}

impl<RW> From<BufWriter<BufReader<RW>>> for BufStream<RW> {
    fn from(buffered: BufWriter<BufReader<RW>>) -> Self {
        let (reader, writer) = buffered.exchange(());
        let (stream, reader) = reader.exchange(());
        let ((), writer) = writer.exchange(stream);
        let ((), buffered) = reader.exchange(writer);
        BufStream { buffered }
    }
}

impl<RW: AsyncRead + AsyncWrite> AsyncRead for BufStream<RW> {
    forward_read!(|this| this.project().buffered);
}

impl<RW: AsyncRead + AsyncWrite> AsyncBufRead for BufStream<RW> {
    forward_buf_read!(|this| this.project().buffered);
}

impl<RW: AsyncRead + AsyncWrite> AsyncWrite for BufStream<RW> {
    forward_write!(|this| this.project().buffered, |me| me.buffered);
}

/// A seek empties both buffers: one is written, the other forgotten.
impl<RW: AsyncRead + AsyncWrite + AsyncSeek> AsyncSeek for BufStream<RW> {
    forward_seek!(|this| this.project().buffered);
}
