//! A user's buffer on its way through the kernel: [`Held`].

use std::any::TypeId;
use std::fmt;
use std::mem;
use std::ptr::NonNull;

/// A buffer of any type, and the bytes in it that the kernel reads or fills.
///
/// The buffer lies on the heap, or is one of a ring's, and is not touched until it is taken out: so
/// its bytes stay where they are, however often this moves. It is one word, since it moves often.
pub struct Held(NonNull<Header>);

/// What lies before the buffer, and is the same for all types.
#[derive(Debug)]
pub(crate) struct Header {
    kind: &'static Kind,
    bytes: *mut u8,
    len: usize,
    /// So many of the bytes are done with.
    done: usize,
    /// Whether the bytes may be written.
    is_to_fill: bool,
}

/// The buffer and its header, in one piece of memory.
#[repr(C)]
struct HeldCell<B> {
    header: Header,
    buffer: B,
}

/// What depends on the buffer's type.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) id: fn() -> TypeId,
    /// Drops the cell that begins there, which nobody uses any more.
    pub(crate) drop: unsafe fn(NonNull<Header>),
    /// Whether a ring lends it, whose knowledge of the buffer begins with the header.
    #[allow(dead_code)] // As `Held::lent_header`.
    pub(crate) is_lent: bool,
}

// SAFETY: the buffer is `Send`, and the bytes are a part of it, or what it alone refers to.
unsafe impl Send for Held {}
// SAFETY: through a shared reference nothing but the length can be reached.
unsafe impl Sync for Held {}

impl Held {
    /// Holds a buffer whose bytes are read.
    pub fn to_read<B: AsRef<[u8]> + Send + 'static>(buffer: B) -> Self {
        // Nobody writes through it: see `is_to_fill`.
        let bytes = |buffer: &'static mut B| NonNull::from(B::as_ref(buffer));
        Self::new(buffer, false, bytes)
    }

    /// Holds a buffer whose bytes are filled.
    pub fn to_fill<B: AsMut<[u8]> + Send + 'static>(buffer: B) -> Self {
        let bytes = |buffer: &'static mut B| NonNull::from(B::as_mut(buffer));
        Self::new(buffer, true, bytes)
    }

    fn new<B: Send + 'static>(
        buffer: B,
        is_to_fill: bool,
        bytes: impl FnOnce(&'static mut B) -> NonNull<[u8]>,
    ) -> Self {
        let nowhere = NonNull::dangling().as_ptr();
        let header = Header {
            is_to_fill,
            ..Header::new(HeldCell::<B>::KIND, nowhere)
        };
        let cell = Box::into_raw(Box::new(HeldCell { header, buffer }));
        // SAFETY: it was just made. The buffer is borrowed from here on until it is taken out.
        let bytes = bytes(unsafe { &mut (*cell).buffer });
        // SAFETY: as above; the header is no part of the buffer.
        let header = unsafe { &mut (*cell).header };
        header.bytes = bytes.as_ptr().cast();
        header.len = bytes.len();
        // SAFETY: a box is not null.
        Self(unsafe { NonNull::new_unchecked(cell.cast()) })
    }

    /// Holds the first `len` bytes of a buffer that has its header before it, and is the caller's.
    ///
    /// # Safety
    /// The header is one of [`Header::new`], and there are so many bytes. Nobody else uses either
    /// until the kind's `drop` is called with it.
    #[inline]
    pub(crate) unsafe fn lent(header: NonNull<Header>, len: usize) -> Self {
        let mut held = Self(header);
        let header = held.header_mut();
        (header.len, header.done) = (len, 0);
        held
    }

    /// Where the header is of a buffer that a ring lends.
    #[allow(dead_code)] // Rings lend buffers, and not every system has them.
    #[inline]
    pub(crate) fn lent_header(&self) -> Option<NonNull<Header>> {
        self.header().kind.is_lent.then_some(self.0)
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: the cell lives as long as this, and its header is written before that is made.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn header_mut(&mut self) -> &mut Header {
        // SAFETY: as above; this alone leads to it.
        unsafe { self.0.as_mut() }
    }

    /// How many bytes there are.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.header().len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the bytes are.
    #[must_use]
    #[inline]
    pub fn start(&self) -> *mut u8 {
        self.header().bytes
    }

    /// The bytes, which nobody may be writing: not while the kernel has them.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the buffer lends them since it was made, and lives as long as this does.
        unsafe { std::slice::from_raw_parts(self.start(), self.len()) }
    }

    /// Those of the bytes that are not done with; as [`bytes`](Self::bytes).
    #[must_use]
    #[inline]
    pub fn rest(&self) -> &[u8] {
        &self.bytes()[self.done()..]
    }

    /// How many bytes are done with.
    #[must_use]
    #[inline]
    pub fn done(&self) -> usize {
        self.header().done
    }

    /// So many more are.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        let header = self.header_mut();
        header.done = header.len.min(header.done + count);
    }

    /// Only the first `len` of the bytes count from here on.
    pub fn truncate(&mut self, len: usize) {
        let header = self.header_mut();
        header.len = header.len.min(len);
    }

    /// Copies `from` to the beginning.
    ///
    /// # Panics
    /// If there is no room, or the buffer is one to be read.
    pub fn fill(&mut self, from: &[u8]) {
        assert!(
            self.header().is_to_fill && from.len() <= self.len(),
            "it is to be filled with less"
        );
        // SAFETY: there is room for so many bytes, which the buffer lends to this alone.
        unsafe {
            self.start()
                .copy_from_nonoverlapping(from.as_ptr(), from.len())
        };
    }

    /// The buffer, which was made as a `B`.
    ///
    /// # Panics
    /// If it was made as another type.
    #[must_use]
    pub fn into_buffer<B: 'static>(self) -> B {
        let is_made_so = (self.header().kind.id)() == TypeId::of::<B>();
        assert!(is_made_so, "the caller has put in a B");
        let cell = self.0.cast::<HeldCell<B>>();
        mem::forget(self);
        // SAFETY: it came from `Box::into_raw`, is of this type, and nobody has it any more.
        let cell = unsafe { Box::from_raw(cell.as_ptr()) };
        cell.buffer
    }
}

impl<B: 'static> HeldCell<B> {
    const KIND: &'static Kind = &Kind {
        id: TypeId::of::<B>,
        drop: Self::drop,
        is_lent: false,
    };

    /// # Safety
    /// A cell of this type begins there, from `Box::into_raw`, and nobody uses it any more.
    unsafe fn drop(cell: NonNull<Header>) {
        // SAFETY: as the caller says.
        drop(unsafe { Box::from_raw(cell.cast::<Self>().as_ptr()) });
    }
}

impl Header {
    /// That of a buffer which begins at `bytes`.
    pub(crate) fn new(kind: &'static Kind, bytes: *mut u8) -> Self {
        Self {
            kind,
            bytes,
            len: 0,
            done: 0,
            is_to_fill: false,
        }
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        let drop = self.header().kind.drop;
        // SAFETY: the kind is that of the cell, which was not taken out: then this is forgotten.
        unsafe { drop(self.0) };
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("len", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_buffer_comes_back_as_it_was_wherever_it_lies() {
        let held = Held::to_fill([7_u8; 3]);
        let start = held.start();
        let held = vec![held].remove(0);
        assert_eq!((held.start(), held.bytes()), (start, &[7, 7, 7][..]));
        assert_eq!(held.into_buffer::<[u8; 3]>(), [7; 3]);
        assert_eq!(Held::to_read("abc").bytes(), b"abc");
    }

    #[test]
    fn what_is_done_with_is_no_rest_and_what_is_cut_off_not_there() {
        let mut held = Held::to_read("abcde");
        held.truncate(4);
        held.advance(1);
        assert_eq!((held.bytes(), held.rest()), (&b"abcd"[..], &b"bcd"[..]));
        held.advance(9);
        held.truncate(9);
        assert_eq!((held.done(), held.len()), (4, 4));
        assert!(held.rest().is_empty());
    }

    #[test]
    fn a_buffer_that_is_not_taken_out_is_dropped_once() {
        struct Counted(Arc<()>);
        impl AsRef<[u8]> for Counted {
            fn as_ref(&self) -> &[u8] {
                b"abc"
            }
        }
        let drops = Arc::new(());
        let held = Held::to_read(Counted(drops.clone()));
        let other = Held::to_read(Counted(drops.clone())).into_buffer::<Counted>();
        assert_eq!(Arc::strong_count(&drops), 3);
        drop(held);
        assert_eq!(Arc::strong_count(&other.0), 2);
    }

    #[test]
    #[should_panic(expected = "a B")]
    fn a_buffer_does_not_come_back_as_another() {
        let _ = Held::to_read("abc").into_buffer::<String>();
    }
}
