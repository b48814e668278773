//! A buffer to read into whose memory need not be initialized: [`ReadBuf`].
//!
//! All of the crate's unsafe code is here, with what hides it from the other files:
//! [`poll_read_buf`], [`poll_read_limited`] and [`GrowingVec`].

use std::fmt;
use std::io;
use std::mem::{self, MaybeUninit};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use bytes::buf::UninitSlice;

use crate::AsyncRead;

/// A byte buffer that is filled step by step.
///
/// ```text
/// [              capacity              ]
/// [  filled  |        unfilled         ]
/// [      initialized      |   uninit   ]
/// ```
///
/// `filled <= initialized <= capacity` always holds; what is initialized stays so.
///
/// # Examples
/// ```
/// use std::mem::MaybeUninit;
/// use tokio::io::ReadBuf;
///
/// let mut memory = [MaybeUninit::uninit(); 8];
/// let mut buf = ReadBuf::uninit(&mut memory);
/// buf.put_slice(b"abc");
/// buf.initialize_unfilled_to(2).copy_from_slice(b"de");
/// buf.advance(2);
/// assert_eq!((buf.filled(), buf.remaining()), (&b"abcde"[..], 3));
/// ```
pub struct ReadBuf<'a> {
    buf: &'a mut [MaybeUninit<u8>],
    filled: usize,
    initialized: usize,
}

impl<'a> ReadBuf<'a> {
    /// A buffer over initialized memory, with nothing filled.
    #[inline]
    pub fn new(buf: &'a mut [u8]) -> ReadBuf<'a> {
        let initialized = buf.len();
        // SAFETY: both types have the same layout, and `ReadBuf` writes initialized bytes only
        // (its unsafe methods ask the same of their callers).
        let buf = unsafe { &mut *(ptr_of_mut(buf) as *mut [MaybeUninit<u8>]) };
        ReadBuf {
            buf,
            filled: 0,
            initialized,
        }
    }

    /// A buffer over memory of which nothing is known to be initialized.
    #[inline]
    pub fn uninit(buf: &'a mut [MaybeUninit<u8>]) -> ReadBuf<'a> {
        ReadBuf {
            buf,
            filled: 0,
            initialized: 0,
        }
    }

    /// How many bytes fit in all.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.buf.len()
    }

    /// The bytes that were filled so far.
    #[inline]
    pub fn filled(&self) -> &[u8] {
        let filled = &self.buf[..self.filled];
        // SAFETY: filled <= initialized.
        unsafe { assume_init(filled) }
    }

    /// The bytes that were filled so far, to be changed.
    #[inline]
    pub fn filled_mut(&mut self) -> &mut [u8] {
        let filled = &mut self.buf[..self.filled];
        // SAFETY: filled <= initialized.
        unsafe { assume_init_mut(filled) }
    }

    /// A buffer of its own over the first `n` unfilled bytes, or over all if there are fewer.
    ///
    /// What is filled there is not yet filled here: see [`assume_init`](Self::assume_init) and
    /// [`advance`](Self::advance).
    #[inline]
    pub fn take(&mut self, n: usize) -> ReadBuf<'_> {
        let n = n.min(self.remaining());
        ReadBuf::uninit(&mut self.buf[self.filled..][..n])
    }

    /// The bytes that are known to be initialized, filled or not.
    #[inline]
    pub fn initialized(&self) -> &[u8] {
        let initialized = &self.buf[..self.initialized];
        // SAFETY: that is what the field says.
        unsafe { assume_init(initialized) }
    }

    /// The bytes that are known to be initialized, to be changed.
    #[inline]
    pub fn initialized_mut(&mut self) -> &mut [u8] {
        let initialized = &mut self.buf[..self.initialized];
        // SAFETY: that is what the field says.
        unsafe { assume_init_mut(initialized) }
    }

    /// All of the memory.
    ///
    /// # Safety
    /// The caller must not make initialized bytes uninitialized.
    #[inline]
    pub unsafe fn inner_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        self.buf
    }

    /// The memory that is not filled.
    ///
    /// # Safety
    /// The caller must not make initialized bytes uninitialized.
    #[inline]
    pub unsafe fn unfilled_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.buf[self.filled..]
    }

    /// The unfilled part, after the rest of it was set to zero.
    #[inline]
    pub fn initialize_unfilled(&mut self) -> &mut [u8] {
        self.initialize_unfilled_to(self.remaining())
    }

    /// The first `n` unfilled bytes, after those not yet initialized were set to zero.
    ///
    /// # Panics
    /// If fewer than `n` bytes are left.
    #[inline]
    #[track_caller]
    pub fn initialize_unfilled_to(&mut self, n: usize) -> &mut [u8] {
        assert!(self.remaining() >= n, "n overflows remaining");
        let end = self.filled + n;
        if self.initialized < end {
            self.buf[self.initialized..end].fill(MaybeUninit::new(0));
            self.initialized = end;
        }
        let unfilled = &mut self.buf[self.filled..end];
        // SAFETY: the lines above made initialized >= end.
        unsafe { assume_init_mut(unfilled) }
    }

    /// How many bytes can still be filled.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.capacity() - self.filled
    }

    /// Makes the buffer empty; what is initialized stays so.
    #[inline]
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// Declares `n` further bytes filled.
    ///
    /// # Panics
    /// If they are not known to be initialized.
    #[inline]
    #[track_caller]
    pub fn advance(&mut self, n: usize) {
        let filled = self.filled.checked_add(n).expect("filled overflow");
        self.set_filled(filled);
    }

    /// Declares the first `n` bytes, and no more, filled.
    ///
    /// # Panics
    /// If they are not known to be initialized.
    #[inline]
    #[track_caller]
    pub fn set_filled(&mut self, n: usize) {
        assert!(
            n <= self.initialized,
            "filled must not become larger than initialized"
        );
        self.filled = n;
    }

    /// Declares the first `n` unfilled bytes initialized.
    ///
    /// # Safety
    /// They must be.
    ///
    /// # Panics
    /// If there are fewer than `n` unfilled bytes.
    #[inline]
    pub unsafe fn assume_init(&mut self, n: usize) {
        assert!(n <= self.remaining(), "n overflows remaining");
        self.initialized = self.initialized.max(self.filled + n);
    }

    /// Appends `src` to what is filled.
    ///
    /// # Panics
    /// If it does not fit into what remains.
    #[inline]
    #[track_caller]
    pub fn put_slice(&mut self, src: &[u8]) {
        assert!(
            self.remaining() >= src.len(),
            "buf.len() must fit in remaining(); buf.len() = {}, remaining() = {}",
            src.len(),
            self.remaining()
        );
        let end = self.filled + src.len();
        // SAFETY: every initialized byte is a valid `MaybeUninit<u8>`; the borrow is shared.
        let src = unsafe { &*(src as *const [u8] as *const [MaybeUninit<u8>]) };
        self.buf[self.filled..end].copy_from_slice(src);
        self.initialized = self.initialized.max(end);
        self.filled = end;
    }
}

// SAFETY: `chunk_mut` is the unfilled part, and `remaining_mut` its length.
unsafe impl BufMut for ReadBuf<'_> {
    fn remaining_mut(&self) -> usize {
        self.remaining()
    }

    unsafe fn advance_mut(&mut self, n: usize) {
        // SAFETY: the caller has initialized these bytes.
        unsafe { self.assume_init(n) };
        self.advance(n);
    }

    fn chunk_mut(&mut self) -> &mut UninitSlice {
        UninitSlice::uninit(&mut self.buf[self.filled..])
    }
}

impl fmt::Debug for ReadBuf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBuf")
            .field("filled", &self.filled)
            .field("initialized", &self.initialized)
            .field("capacity", &self.capacity())
            .finish()
    }
}

/// Reads once into the free part of `buf` and advances it; returns how many bytes came.
pub(crate) fn poll_read_buf<R, B>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    buf: &mut B,
) -> Poll<io::Result<usize>>
where
    R: AsyncRead + ?Sized,
    B: BufMut + ?Sized,
{
    if !buf.has_remaining_mut() {
        return Poll::Ready(Ok(0));
    }
    let chunk = buf.chunk_mut();
    // SAFETY: `ReadBuf` never makes an initialized byte uninitialized.
    let chunk = unsafe { chunk.as_uninit_slice_mut() };
    let n = ready!(poll_read_all_of(reader, cx, &mut ReadBuf::uninit(chunk)))?;
    // SAFETY: the reader has filled the first `n` bytes of this very chunk.
    unsafe { buf.advance_mut(n) };
    Poll::Ready(Ok(n))
}

/// Reads once into `buf`, at most `limit` bytes; returns how many came.
pub(crate) fn poll_read_limited<R: AsyncRead + ?Sized>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
    limit: usize,
) -> Poll<io::Result<usize>> {
    let known = buf.initialized - buf.filled;
    let mut part = buf.take(limit);
    let known = known.min(part.capacity());
    // SAFETY: `part` is the unfilled part of `buf`, of which that many bytes are initialized.
    unsafe { part.assume_init(known) };
    let n = ready!(poll_read_all_of(reader, cx, &mut part))?;
    // SAFETY: the reader has filled the first `n` unfilled bytes of `buf`.
    unsafe { buf.assume_init(n) };
    buf.advance(n);
    Poll::Ready(Ok(n))
}

/// Reads once into `buf`, of which nothing is filled; returns how many bytes came.
///
/// # Panics
/// If the reader has put another buffer in the place of `buf`.
fn poll_read_all_of<R: AsyncRead + ?Sized>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<usize>> {
    let start = buf.buf.as_ptr();
    let polled = reader.poll_read(cx, buf);
    // Also if it has not ended: what the buffer says of its memory is remembered.
    assert_eq!(
        start,
        buf.buf.as_ptr(),
        "the reader must fill the buffer that it was given"
    );
    ready!(polled)?;
    Poll::Ready(Ok(buf.filled))
}

/// A vector that grows while something is read to its end.
///
/// It remembers how much of its spare memory is initialized, so that a reader that needs
/// initialized memory does not clear the same bytes at each step.
#[derive(Debug)]
pub(crate) struct GrowingVec {
    vec: Vec<u8>,
    /// So many bytes behind `vec.len()` are initialized.
    initialized: usize,
    capacity_before: usize,
}

/// The least room to offer to a reader.
const ROOM_MIN: usize = 32;

impl GrowingVec {
    pub(crate) fn new(vec: Vec<u8>) -> Self {
        let capacity_before = vec.capacity();
        Self {
            vec,
            initialized: 0,
            capacity_before,
        }
    }

    /// The vector, out of here.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.initialized = 0;
        mem::take(&mut self.vec)
    }

    /// Reads once, with at least [`ROOM_MIN`] bytes of room; returns how many bytes came.
    pub(crate) fn poll_read<R: AsyncRead + ?Sized>(
        &mut self,
        reader: Pin<&mut R>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.vec.capacity() - self.vec.len() >= ROOM_MIN {
            return self.poll_read_spare(reader, cx);
        }
        if self.vec.capacity() == self.capacity_before {
            // The capacity may have been chosen to fit: see if there is more before growing.
            return self.poll_read_aside(reader, cx);
        }
        self.vec.reserve(ROOM_MIN);
        self.initialized = 0;
        self.poll_read_spare(reader, cx)
    }

    fn poll_read_spare<R: AsyncRead + ?Sized>(
        &mut self,
        reader: Pin<&mut R>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::uninit(self.vec.spare_capacity_mut());
        // SAFETY: that is what the field says; whatever moves or extends the vector resets it.
        unsafe { buf.assume_init(self.initialized) };
        let result = poll_read_all_of(reader, cx, &mut buf);
        self.initialized = buf.initialized;
        let n = ready!(result)?;
        self.initialized -= n;
        let len = self.vec.len() + n;
        // SAFETY: the reader has filled the first `n` bytes of the spare memory.
        unsafe { self.vec.set_len(len) };
        Poll::Ready(Ok(n))
    }

    fn poll_read_aside<R: AsyncRead + ?Sized>(
        &mut self,
        reader: Pin<&mut R>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut aside = [MaybeUninit::uninit(); ROOM_MIN];
        let mut buf = ReadBuf::uninit(&mut aside);
        let n = ready!(poll_read_all_of(reader, cx, &mut buf))?;
        self.vec.extend_from_slice(buf.filled());
        self.initialized = 0;
        Poll::Ready(Ok(n))
    }
}

fn ptr_of_mut(buf: &mut [u8]) -> *mut [u8] {
    buf
}

/// # Safety
/// Every byte of `bytes` is initialized.
unsafe fn assume_init(bytes: &[MaybeUninit<u8>]) -> &[u8] {
    // SAFETY: same layout, and initialized, as the caller promises.
    unsafe { &*(bytes as *const [MaybeUninit<u8>] as *const [u8]) }
}

/// # Safety
/// Every byte of `bytes` is initialized.
unsafe fn assume_init_mut(bytes: &mut [MaybeUninit<u8>]) -> &mut [u8] {
    // SAFETY: same layout, and initialized, as the caller promises.
    unsafe { &mut *(bytes as *mut [MaybeUninit<u8>] as *mut [u8]) }
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, Ordering};

    use super::*;

    #[test]
    fn initialized_memory_stays_initialized() {
        let mut memory = [MaybeUninit::uninit(); 8];
        let mut buf = ReadBuf::uninit(&mut memory);
        assert_eq!(buf.initialize_unfilled_to(4), [0; 4]);
        buf.put_slice(b"ab");
        assert_eq!(
            (buf.filled(), buf.initialized()),
            (&b"ab"[..], &b"ab\0\0"[..])
        );
        buf.clear();
        assert_eq!((buf.remaining(), buf.initialized().len()), (8, 4));
        buf.advance(4);
        assert_eq!(buf.filled(), b"ab\0\0");
    }

    #[test]
    fn what_is_taken_is_separate() {
        let mut memory = [0; 8];
        let mut buf = ReadBuf::new(&mut memory);
        buf.put_slice(b"x");
        assert_eq!(buf.take(3).capacity(), 3);
        assert_eq!(buf.take(30).capacity(), 7);
        assert_eq!(buf.filled(), b"x");
    }

    #[test]
    #[should_panic(expected = "filled must not become larger than initialized")]
    fn uninitialized_memory_cannot_be_declared_filled() {
        ReadBuf::uninit(&mut [MaybeUninit::uninit(); 2]).advance(1);
    }

    /// Puts a buffer of its own in the place of the one that it is given.
    struct Swaps(&'static mut [u8], Poll<()>);

    impl Swaps {
        fn new(place: &'static AtomicPtr<[u8; 4]>, polled: Poll<()>) -> Self {
            let leaked = Box::leak(Box::new([1; 4]));
            // Known to a static, it counts as in use, not as lost.
            place.store(leaked, Ordering::Relaxed);
            Self(leaked, polled)
        }
    }

    impl AsyncRead for Swaps {
        fn poll_read(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let this = self.get_mut();
            let other = mem::take(&mut this.0);
            // A leaked buffer lives long enough for any lifetime.
            *buf = ReadBuf::new(other);
            buf.advance(1);
            this.1.map(Ok)
        }
    }

    #[test]
    #[should_panic(expected = "must fill the buffer that it was given")]
    fn a_reader_that_swaps_the_buffer_is_found_out() {
        static LEAKED: AtomicPtr<[u8; 4]> = AtomicPtr::new(ptr::null_mut());
        let mut reader = Swaps::new(&LEAKED, Poll::Ready(()));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let _ = poll_read_buf(Pin::new(&mut reader), &mut cx, &mut Vec::with_capacity(4));
    }

    #[test]
    #[should_panic(expected = "must fill the buffer that it was given")]
    fn a_reader_that_swaps_the_buffer_and_waits_is_found_out() {
        static LEAKED: AtomicPtr<[u8; 4]> = AtomicPtr::new(ptr::null_mut());
        let mut reader = Swaps::new(&LEAKED, Poll::Pending);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        // Else the next read is told that its first bytes are initialized.
        let mut growing = GrowingVec::new(Vec::with_capacity(64));
        let _ = growing.poll_read(Pin::new(&mut reader), &mut cx);
    }
}
