//! A writer that takes all and keeps nothing: [`sink`].

use std::fmt;
use std::io::IoSlice;

/// A writer that keeps nothing; made by [`sink`].
pub struct Sink {
    _private: (),
}

/// A writer that takes whatever is written and forgets it.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let n = tokio::io::copy(&mut &b"counted"[..], &mut tokio::io::sink()).await?;
/// assert_eq!(n, 7);
/// # Ok(())
/// # }
/// ```
pub fn sink() -> Sink {
    Sink { _private: () }
}

/// Implements `AsyncWrite` for what takes all and keeps nothing.
macro_rules! forget_writes {
    ($Writer:ty) => {
        impl $crate::AsyncWrite for $Writer {
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $crate::future::poll_budget(cx).map(|()| Ok(buf.len()))
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $crate::future::poll_budget(cx).map(|()| Ok($crate::sink::len_of(bufs)))
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                $crate::future::poll_budget(cx).map(Ok)
            }

            fn poll_shutdown(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                $crate::future::poll_budget(cx).map(Ok)
            }
        }
    };
}

pub(crate) use forget_writes;

forget_writes!(Sink);

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").finish_non_exhaustive()
    }
}

/// How many bytes there are in all; as many as can be counted if slices repeat.
pub(crate) fn len_of(bufs: &[IoSlice<'_>]) -> usize {
    bufs.iter()
        .fold(0, |sum, buf| usize::saturating_add(sum, buf.len()))
}
