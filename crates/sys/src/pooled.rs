//! Buffers for what is received where no ring provides them: [`Held::received`].
//!
//! Their memory is the pool's (`base/cell_pool`), so the thread that has just dropped one takes the
//! same again for what comes next, while that is in its caches.

use std::any::TypeId;
use std::io;
use std::mem::{self, MaybeUninit, offset_of};
use std::ptr::NonNull;

use yamanote_base::cell_pool::Room;

use crate::held::{Header, Held, Kind};

/// Bytes of a buffer and its header: as many as from one of a ring's to the next.
const SPACE: usize = 2048;

/// How many bytes such a buffer has.
pub const LEN: usize = SPACE - size_of::<Header>();

/// The header is at the beginning, where a [`Held`] looks for it.
#[repr(C)]
struct PooledCell {
    header: Header,
    bytes: [MaybeUninit<u8>; LEN],
}

impl Held {
    /// Holds what `op` puts into a buffer of [`LEN`] bytes of the pool, to which that goes back
    /// when this is dropped, on whatever thread. Its bytes are read.
    ///
    /// # Errors
    /// Those of `op`.
    ///
    /// # Panics
    /// If `op` returns other memory than the front of what it got.
    #[inline]
    pub fn received(
        op: impl for<'a> FnOnce(&'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]>,
    ) -> io::Result<Self> {
        let cell: NonNull<PooledCell> = Room::take().into_raw();
        // SAFETY: the room has a place for them.
        let bytes = unsafe { cell.byte_add(offset_of!(PooledCell, bytes)) }.cast::<u8>();
        let header = Header::new(PooledCell::KIND, bytes.as_ptr());
        // SAFETY: there is room for it, and it is at the beginning.
        unsafe { cell.cast().write(header) };
        // SAFETY: the header was just made, for a buffer of which nothing counts yet, and which is
        // nobody else's.
        let empty = unsafe { Held::lent(cell.cast(), 0) };
        let space = NonNull::slice_from_raw_parts(bytes.cast(), LEN);
        // SAFETY: there are so many bytes, to which an empty `Held` does not lead.
        let filled = op(unsafe { &mut *space.as_ptr() })?;
        let (start, len) = (filled.as_ptr(), filled.len());
        assert!(
            len == 0 || (start == bytes.as_ptr() && len <= LEN),
            "an operation returned memory of its own"
        );
        mem::forget(empty);
        // SAFETY: it is the same, and has so many bytes, which `op` has initialised.
        Ok(unsafe { Held::lent(cell.cast(), len) })
    }
}

impl PooledCell {
    const KIND: &'static Kind = &Kind {
        id: TypeId::of::<Self>,
        drop: Self::drop,
        is_lent: false,
    };

    /// Gives the room back.
    ///
    /// # Safety
    /// It is the header of a cell of [`Held::received`], which nobody uses any more.
    unsafe fn drop(header: NonNull<Header>) {
        // SAFETY: the header is at the beginning of a cell, whose place came from `into_raw`, and
        // is used for this once. What is there needs no drop.
        drop(unsafe { Room::<Self>::from_raw(header.cast()) });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::receive::zero;

    fn filled(with: &[u8]) -> Held {
        let held = Held::received(|space| {
            let space = zero(&mut space[..with.len()]);
            space.copy_from_slice(with);
            Ok(space)
        });
        held.expect("nothing fails")
    }

    #[test]
    fn what_an_operation_has_received_is_held_and_no_more() {
        let mut held = filled(b"abc");
        assert_eq!((held.bytes(), held.rest()), (&b"abc"[..], &b"abc"[..]));
        held.advance(1);
        assert_eq!((held.rest(), held.done()), (&b"bc"[..], 1));
        held.truncate(2);
        let held = std::thread::spawn(move || held);
        assert_eq!(held.join().expect("it moves").rest(), b"b");
        assert!(filled(b"").is_empty());
        assert_eq!(filled(&[7; LEN]).bytes(), [7; LEN]);
    }

    #[test]
    fn a_buffer_is_used_again_when_it_is_dropped_or_was_not_filled() {
        let first = filled(b"abc");
        let start = first.start();
        drop(first);
        let failed = Held::received(|_| Err(io::ErrorKind::WouldBlock.into()));
        assert!(failed.is_err());
        let again = filled(b"defg");
        assert_eq!((again.start(), again.bytes()), (start, &b"defg"[..]));
    }

    #[test]
    #[should_panic(expected = "memory of its own")]
    fn an_operation_cannot_return_other_memory_than_the_front() {
        let _ = Held::received(|space| Ok(zero(&mut space[1..3])));
    }

    #[test]
    #[should_panic(expected = "a B")]
    fn what_was_received_is_no_buffer_of_the_users() {
        let _ = filled(b"abc").into_buffer::<Vec<u8>>();
    }
}
