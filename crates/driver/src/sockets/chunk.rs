//! Bytes that have arrived, wherever they lie: [`Chunk`].

use std::any::Any;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::ops::Deref;

use yamanote_sys::held::Held;
use yamanote_sys::pooled;

/// Bytes that have arrived. When this is dropped, a provided buffer goes back to its ring, any
/// other to a pool.
pub struct Chunk(Held);

impl Chunk {
    /// Bytes of one that no ring has provided, at most.
    pub const LEN: usize = pooled::LEN;

    /// What is held and not done with.
    pub(super) fn of(held: Held) -> Self {
        Self(held)
    }

    /// What `op` receives of up to [`LEN`](Self::LEN) bytes, where no ring does.
    ///
    /// # Errors
    /// Those of `op`.
    #[inline]
    pub fn received(
        op: impl for<'a> FnOnce(&'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]>,
    ) -> io::Result<Self> {
        Held::received(op).map(Self)
    }

    /// Without the first `taken`.
    pub(super) fn advance(&mut self, taken: usize) {
        self.0.advance(taken);
    }

    /// Holds `buffer` to be read, for who does not want it back; a chunk, where it lies.
    pub fn hold<B: AsRef<[u8]> + Send + 'static>(buffer: B) -> Held {
        let mut buffer = Some(buffer);
        let chunk = (&mut buffer as &mut dyn Any).downcast_mut::<Option<Self>>();
        match (chunk.and_then(Option::take), buffer) {
            (Some(chunk), _) => chunk.0,
            (None, Some(buffer)) => Held::to_read(buffer),
            (None, None) => unreachable!("what was taken is a chunk"),
        }
    }
}

impl Deref for Chunk {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0.rest()
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
