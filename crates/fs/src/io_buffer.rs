//! The buffer that goes with an operation and comes back: [`IoBuffer`].

use std::io::{self, IoSlice, Read, Write};

use yamanote_io::ReadBuf;

/// How much one operation moves at most, in bytes, unless the user says otherwise.
pub(crate) const LEN_MAX: usize = 2 * 1024 * 1024;

/// Bytes on their way between the user and a blocking reader or writer.
#[derive(Debug, Default)]
pub(crate) struct IoBuffer {
    /// All of it is initialized; it grows to the largest operation and stays so.
    bytes: Vec<u8>,
    /// `bytes[start..end]` was read and not taken, or is to be written.
    start: usize,
    end: usize,
}

impl IoBuffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Forgets what is inside; returns how many bytes that was.
    pub(crate) fn discard(&mut self) -> usize {
        let len = self.len();
        (self.start, self.end) = (0, 0);
        len
    }

    /// Moves what fits to `dst`.
    pub(crate) fn move_to(&mut self, dst: &mut ReadBuf<'_>) {
        let n = dst.remaining().min(self.end - self.start);
        dst.put_slice(&self.bytes[self.start..][..n]);
        self.start += n;
    }

    /// Takes up to `len_max` bytes of `srcs` in the place of what is inside; returns how many.
    pub(crate) fn fill(&mut self, srcs: &[IoSlice<'_>], len_max: usize) -> usize {
        self.bytes.clear();
        for src in srcs {
            let n = src.len().min(len_max - self.bytes.len());
            self.bytes.extend_from_slice(&src[..n]);
        }
        (self.start, self.end) = (0, self.bytes.len());
        self.end
    }

    /// Reads once, behind what is inside, up to `len_max` bytes in all; returns how many came. An
    /// error shows only if nothing is inside.
    pub(crate) fn read_from(&mut self, src: &mut impl Read, len_max: usize) -> io::Result<usize> {
        if self.is_empty() {
            self.discard();
        }
        debug_assert_eq!(self.start, 0, "what is inside was not begun to be taken");
        if self.bytes.len() < len_max {
            self.bytes.resize(len_max, 0);
        }
        // Not bounded: an interrupted read has done nothing, and nothing interrupts forever.
        loop {
            match src.read(&mut self.bytes[self.end..len_max]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if !self.is_empty() => return Ok(0),
                Err(error) => return Err(error),
                Ok(n) => {
                    self.end += n;
                    return Ok(n);
                }
            }
        }
    }

    /// The memory, for an operation that appends to what is inside.
    pub(crate) fn into_space(mut self) -> Vec<u8> {
        debug_assert!(self.is_empty() || self.start == 0);
        self.bytes.truncate(self.len());
        self.bytes
    }

    /// What is to be written, if nothing of it was.
    pub(crate) fn into_content(self) -> Vec<u8> {
        debug_assert_eq!((self.start, self.end), (0, self.bytes.len()));
        self.bytes
    }

    /// What was read.
    pub(crate) fn of_content(bytes: Vec<u8>) -> Self {
        let (start, end) = (0, bytes.len());
        Self { bytes, start, end }
    }

    /// Memory with nothing inside.
    pub(crate) fn of_space(bytes: Vec<u8>) -> Self {
        let (start, end) = (0, 0);
        Self { bytes, start, end }
    }

    /// Writes all that is inside; afterwards it is empty, written or not.
    pub(crate) fn write_to(&mut self, dst: &mut impl Write) -> io::Result<()> {
        let written = dst.write_all(&self.bytes[self.start..self.end]);
        self.discard();
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_stays() {
        let mut buffer = IoBuffer::default();
        assert_eq!(buffer.read_from(&mut &b"hello"[..], 4).unwrap(), 4);
        let mut memory = [0; 3];
        buffer.move_to(&mut ReadBuf::new(&mut memory));
        assert_eq!(
            (&memory, buffer.discard(), buffer.is_empty()),
            (b"hel", 1, true)
        );
    }

    #[test]
    fn what_is_read_comes_behind_what_is_there() {
        let mut buffer = IoBuffer::default();
        assert_eq!(buffer.fill(&[IoSlice::new(b"ab")], 2), 2);
        assert_eq!(buffer.read_from(&mut &b"cdef"[..], 5).unwrap(), 3);
        let mut memory = [0; 5];
        buffer.move_to(&mut ReadBuf::new(&mut memory));
        assert_eq!((&memory, buffer.is_empty()), (b"abcde", true));
        assert_eq!(buffer.read_from(&mut &b"gh"[..], 5).unwrap(), 2);
        assert_eq!(buffer.discard(), 2);
    }

    #[test]
    fn slices_are_taken_up_to_the_limit() {
        let mut buffer = IoBuffer::default();
        let srcs = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
        assert_eq!(buffer.fill(&srcs, 4), 4);
        let mut out = Vec::new();
        buffer.write_to(&mut out).unwrap();
        assert_eq!(out, b"abcd");
    }
}
