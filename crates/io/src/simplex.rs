//! A pipe in memory: [`simplex`].

use crate::pipe::{Pipe, read_and_write_pipes};
use crate::{ReadHalf, WriteHalf, split};

/// A pipe in memory: what is written to it is read from it, in that order.
///
/// # Examples
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt, SimplexStream};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut pipe = SimplexStream::new_unsplit(64);
/// pipe.write_u16(7).await?;
/// assert_eq!(pipe.read_u16().await?, 7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SimplexStream {
    pipe: Pipe,
}

/// The two ends of a pipe in memory that holds at most `max_buf_size` bytes.
///
/// The reader sees the end when the writer was shut down; dropping the writer alone is not enough.
///
/// # Panics
/// If `max_buf_size` is zero.
///
/// # Examples
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (mut reader, mut writer) = tokio::io::simplex(64);
/// writer.write_all(b"all of it").await?;
/// writer.shutdown().await?;
/// let mut text = String::new();
/// reader.read_to_string(&mut text).await?;
/// assert_eq!(text, "all of it");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn simplex(max_buf_size: usize) -> (ReadHalf<SimplexStream>, WriteHalf<SimplexStream>) {
    split(SimplexStream::new_unsplit(max_buf_size))
}

impl SimplexStream {
    /// A pipe in memory, both ends in one, that holds at most `max_buf_size` bytes.
    ///
    /// # Panics
    /// If `max_buf_size` is zero.
    #[track_caller]
    pub fn new_unsplit(max_buf_size: usize) -> SimplexStream {
        SimplexStream {
            pipe: Pipe::new(max_buf_size),
        }
    }
}

read_and_write_pipes!(SimplexStream, pipe, pipe);
