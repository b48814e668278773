//! Receiving into buffers whose memory may not be initialised.

use std::io;
use std::mem::MaybeUninit;
use std::task::{Context, Poll};

use bytes::BufMut;
use yamanote_base::ready::Direction;
use yamanote_driver::resource::Watched;
use yamanote_io::ReadBuf;

/// Calls `op` with the free memory of `buf`, and advances `buf` by what `op` returns of it.
///
/// Returns how many bytes that were, and what else `op` said.
///
/// # Panics
/// If `op` returns other memory than the front of what it got.
#[inline]
pub(crate) fn fill_with<B, X>(
    buf: &mut B,
    op: impl for<'a> FnOnce(&'a mut [MaybeUninit<u8>]) -> io::Result<(&'a mut [u8], X)>,
) -> io::Result<(usize, X)>
where
    B: BufMut + ?Sized,
{
    // SAFETY: `op` gets it as memory that may be uninitialised; safe code cannot make bytes that
    // are initialised uninitialised other than by writing them so, and every `BufMut` whose
    // chunk is initialised already (a slice) is filled only by `op`s of this project, that do not.
    let chunk = unsafe { buf.chunk_mut().as_uninit_slice_mut() };
    let start = chunk.as_ptr().cast::<u8>();
    let (filled, more) = op(chunk)?;
    let n = filled.len();
    assert!(
        n == 0 || filled.as_ptr() == start,
        "an operation returned memory of its own"
    );
    // SAFETY: the first `n` bytes of the chunk are `filled`, as checked above: initialised.
    unsafe { buf.advance_mut(n) };
    Ok((n, more))
}

/// [`fill_with`] of an operation that says nothing else.
#[inline]
pub(crate) fn fill<B: BufMut + ?Sized>(
    buf: &mut B,
    op: impl for<'a> FnOnce(&'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]>,
) -> io::Result<usize> {
    let (n, ()) = fill_with(buf, |chunk| Ok((op(chunk)?, ())))?;
    Ok(n)
}

/// `poll_read` of a stream: fills `buf` as soon as something is there.
#[inline]
pub(crate) fn poll_read(
    watched: &impl Watched,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
    op: impl for<'a> Fn(&'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]>,
) -> Poll<io::Result<()>> {
    let asked = buf.remaining();
    watched
        .poll_transfer(cx, Direction::Read, asked, || fill(buf, &op))
        .map_ok(drop)
}
