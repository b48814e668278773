//! Reading all that comes: the attempts behind `read_to_end` and `read_to_string`.

use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::AsyncRead;
use crate::future::{Attempt, retry_interrupted};
use crate::read_buf::GrowingVec;
use crate::string_loan::StringLoan;

/// Reading to the end, into a vector.
#[derive(Debug)]
pub struct ReadToEnd<'a, R: ?Sized> {
    reader: &'a mut R,
    /// Gets its bytes back when this is dropped.
    buf: &'a mut Vec<u8>,
    growing: GrowingVec,
    read: usize,
}

/// Reading to the end, into a string.
#[derive(Debug)]
pub struct ReadToString<'a, R: ?Sized> {
    reader: &'a mut R,
    string: StringLoan<'a>,
    growing: GrowingVec,
    read: usize,
}

impl<'a, R: ?Sized> ReadToEnd<'a, R> {
    pub(crate) fn new(reader: &'a mut R, buf: &'a mut Vec<u8>) -> Self {
        let growing = GrowingVec::new(mem::take(buf));
        Self {
            reader,
            buf,
            growing,
            read: 0,
        }
    }
}

impl<'a, R: ?Sized> ReadToString<'a, R> {
    pub(crate) fn new(reader: &'a mut R, string: &'a mut String) -> Self {
        let (string, bytes) = StringLoan::take(string);
        Self {
            reader,
            string,
            growing: GrowingVec::new(bytes),
            read: 0,
        }
    }
}

impl<R: ?Sized> Drop for ReadToEnd<'_, R> {
    fn drop(&mut self) {
        *self.buf = self.growing.take();
    }
}

impl<R: ?Sized> Drop for ReadToString<'_, R> {
    fn drop(&mut self) {
        self.string.give_back_before(self.growing.take());
    }
}

impl<R: AsyncRead + Unpin + ?Sized> Attempt for ReadToEnd<'_, R> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        poll_to_end(&mut *self.reader, cx, &mut self.growing, &mut self.read)
    }
}

impl<R: AsyncRead + Unpin + ?Sized> Attempt for ReadToString<'_, R> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(poll_to_end(
            &mut *self.reader,
            cx,
            &mut self.growing,
            &mut self.read
        ))?;
        self.string.give_back(self.growing.take())?;
        Poll::Ready(Ok(self.read))
    }
}

/// Reads until nothing comes; bounded by the source, like its caller's memory.
fn poll_to_end<R: AsyncRead + Unpin + ?Sized>(
    reader: &mut R,
    cx: &mut Context<'_>,
    growing: &mut GrowingVec,
    read: &mut usize,
) -> Poll<io::Result<usize>> {
    loop {
        let n = ready!(retry_interrupted(
            || growing.poll_read(Pin::new(&mut *reader), cx)
        ))?;
        if n == 0 {
            return Poll::Ready(Ok(*read));
        }
        *read += n;
    }
}
