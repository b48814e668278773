//! A user's buffer on its way through the kernel: [`Held`].

use std::any::Any;
use std::fmt;
use std::ptr::NonNull;

/// A buffer of any type, and the bytes in it that the kernel reads or fills.
///
/// The buffer lies on the heap and is not touched until it is taken out: so its bytes stay where
/// they are, however often this moves.
pub struct Held {
    /// From `Box::into_raw`; `None` once it was taken out.
    buffer: Option<NonNull<dyn Any + Send>>,
    bytes: *mut u8,
    len: usize,
    /// Whether the bytes may be written.
    is_to_fill: bool,
}

// SAFETY: the buffer is `Send`, and the bytes are a part of it, or what it alone refers to.
unsafe impl Send for Held {}
// SAFETY: through a shared reference nothing but the length can be reached.
unsafe impl Sync for Held {}

impl Held {
    /// Holds a buffer whose bytes are read.
    pub fn to_read<B: AsRef<[u8]> + Send + 'static>(buffer: B) -> Self {
        let buffer = Box::into_raw(Box::new(buffer));
        // SAFETY: it was just made, and is borrowed from here on until it is taken out.
        let bytes: &'static [u8] = unsafe { &*buffer }.as_ref();
        Self {
            buffer: NonNull::new(buffer as *mut (dyn Any + Send)),
            // Nobody writes through it: see `is_to_fill`.
            bytes: bytes.as_ptr().cast_mut(),
            len: bytes.len(),
            is_to_fill: false,
        }
    }

    /// Holds a buffer whose bytes are filled.
    pub fn to_fill<B: AsMut<[u8]> + Send + 'static>(buffer: B) -> Self {
        let buffer = Box::into_raw(Box::new(buffer));
        // SAFETY: as in `to_read`.
        let bytes: &'static mut [u8] = unsafe { &mut *buffer }.as_mut();
        Self {
            buffer: NonNull::new(buffer as *mut (dyn Any + Send)),
            bytes: bytes.as_mut_ptr(),
            len: bytes.len(),
            is_to_fill: true,
        }
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the bytes are.
    #[must_use]
    pub fn start(&self) -> *mut u8 {
        self.bytes
    }

    /// The bytes, which nobody may be writing: not while the kernel has them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the buffer lends them since it was made, and lives as long as this does.
        unsafe { std::slice::from_raw_parts(self.bytes, self.len) }
    }

    /// Copies `from` to the beginning.
    ///
    /// # Panics
    /// If there is no room, or the buffer is one to be read.
    pub fn fill(&mut self, from: &[u8]) {
        assert!(
            self.is_to_fill && from.len() <= self.len,
            "it is to be filled with less"
        );
        // SAFETY: there is room for so many bytes, which the buffer lends to this alone.
        unsafe {
            self.bytes
                .copy_from_nonoverlapping(from.as_ptr(), from.len())
        };
    }

    /// The buffer, which was made as a `B`.
    ///
    /// # Panics
    /// If it was made as another type.
    #[must_use]
    pub fn into_buffer<B: 'static>(mut self) -> B {
        let buffer = self.buffer.take().expect("it is taken out once");
        // SAFETY: it came from `Box::into_raw`, and nobody else has it: it was just taken.
        let buffer = unsafe { Box::from_raw(buffer.as_ptr()) };
        let buffer: Box<dyn Any> = buffer;
        *buffer.downcast().expect("the caller has put in a B")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            // SAFETY: it came from `Box::into_raw`, and was not taken out.
            drop(unsafe { Box::from_raw(buffer.as_ptr()) });
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("len", &self.len).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_as_it_was_wherever_it_lies() {
        let held = Held::to_fill([7_u8; 3]);
        let start = held.start();
        let held = vec![held].remove(0);
        assert_eq!((held.start(), held.bytes()), (start, &[7, 7, 7][..]));
        assert_eq!(held.into_buffer::<[u8; 3]>(), [7; 3]);
        assert_eq!(Held::to_read("abc").bytes(), b"abc");
    }
}
