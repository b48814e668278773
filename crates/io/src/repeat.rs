//! A reader that yields one byte for ever: [`repeat`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::future::poll_budget;
use crate::{AsyncRead, ReadBuf};

/// A reader of one byte without end; made by [`repeat`].
#[derive(Debug)]
pub struct Repeat {
    byte: u8,
}

/// A reader of `byte` without end.
///
/// # Examples
/// ```
/// use tokio::io::AsyncReadExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut bytes = [0; 3];
/// tokio::io::repeat(7).read_exact(&mut bytes).await?;
/// assert_eq!(bytes, [7; 3]);
/// # Ok(())
/// # }
/// ```
pub fn repeat(byte: u8) -> Repeat {
    Repeat { byte }
}

impl AsyncRead for Repeat {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(poll_budget(cx));
        let unfilled = buf.initialize_unfilled();
        unfilled.fill(self.byte);
        let n = unfilled.len();
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}
