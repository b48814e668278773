//! Bytes in their order, in one piece: [`ByteQueue`].

use crate::ReadBuf;

/// A queue of bytes that always lie side by side, so that each end copies once.
///
/// Its memory grows with what is inside, to at most four times the most that ever was inside.
#[derive(Debug, Default)]
pub(crate) struct ByteQueue {
    bytes: Vec<u8>,
    /// `bytes[start..]` is inside; what lies before was taken. Zero if nothing is inside.
    start: usize,
}

impl ByteQueue {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // What was emptied begins anew.
        self.bytes.is_empty()
    }

    /// Appends `src`.
    #[inline]
    pub(crate) fn push(&mut self, src: &[u8]) {
        if src.len() > self.bytes.capacity() - self.bytes.len() {
            self.make_room(src.len());
        }
        self.bytes.extend_from_slice(src);
    }

    /// Moves what fits to `dst`; returns how many bytes those were.
    #[inline]
    pub(crate) fn move_to(&mut self, dst: &mut ReadBuf<'_>) -> usize {
        let n = self.len().min(dst.remaining());
        dst.put_slice(&self.bytes[self.start..][..n]);
        self.start += n;
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
        n
    }

    #[cold]
    fn make_room(&mut self, additional: usize) {
        // Moves no more bytes than were taken since the last move: constant cost for each.
        if self.start >= self.len() {
            let len = self.len();
            self.bytes.copy_within(self.start.., 0);
            self.bytes.truncate(len);
            self.start = 0;
        }
        self.bytes.reserve(additional);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_keep_their_order_and_memory_its_bound() {
        let mut queue = ByteQueue::default();
        let (mut put, mut taken) = (0u8, 0u8);
        for round in 0..1000 {
            // Between 3 and 100 bytes are inside.
            while queue.len() < 90 - round % 60 {
                queue.push(&[put, put.wrapping_add(1), put.wrapping_add(2)]);
                put = put.wrapping_add(3);
            }
            let mut memory = [0; 7];
            let mut buf = ReadBuf::new(&mut memory);
            assert_eq!(queue.move_to(&mut buf), 7);
            for byte in buf.filled() {
                assert_eq!(*byte, taken);
                taken = taken.wrapping_add(1);
            }
        }
        assert!(queue.bytes.capacity() <= 400);
    }

    #[test]
    fn an_emptied_queue_begins_anew() {
        let mut queue = ByteQueue::default();
        queue.push(b"abc");
        queue.move_to(&mut ReadBuf::new(&mut [0; 3]));
        assert_eq!((queue.len(), queue.start), (0, 0));
    }
}
