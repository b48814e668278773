//! Two ends of a connection in memory: [`duplex`].

use std::sync::Arc;

use crate::pipe::{Pipe, read_and_write_pipes};

/// One end of a connection in memory; made by [`duplex`].
///
/// When it is dropped, the other end reads what is there and then the end, and can no longer write.
#[derive(Debug)]
pub struct DuplexStream {
    incoming: Arc<Pipe>,
    outgoing: Arc<Pipe>,
}

/// A connection in memory: what is written to one end is read from the other.
///
/// Each direction holds at most `max_buf_size` bytes; a writer then waits for the reader.
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
/// let (mut client, mut server) = tokio::io::duplex(64);
/// client.write_all(b"ping").await?;
/// let mut request = [0; 4];
/// server.read_exact(&mut request).await?;
/// assert_eq!(&request, b"ping");
/// drop(client);
/// assert_eq!(server.read(&mut request).await?, 0);
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn duplex(max_buf_size: usize) -> (DuplexStream, DuplexStream) {
    let one = Arc::new(Pipe::new(max_buf_size));
    let two = Arc::new(Pipe::new(max_buf_size));
    let here = DuplexStream {
        incoming: one.clone(),
        outgoing: two.clone(),
    };
    (
        here,
        DuplexStream {
            incoming: two,
            outgoing: one,
        },
    )
}

read_and_write_pipes!(DuplexStream, incoming, outgoing);

impl Drop for DuplexStream {
    fn drop(&mut self) {
        self.outgoing.close();
        self.incoming.close();
    }
}
