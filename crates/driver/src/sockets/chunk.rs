//! Bytes that have arrived, wherever they lie: [`Chunk`].

use std::any::Any;
use std::fmt;
use std::ops::Deref;

use yamanote_sys::held::Held;

/// Bytes that have arrived. A provided buffer goes back to its ring when this is dropped.
pub struct Chunk(Held);

impl Chunk {
    /// What is held and not done with.
    pub(super) fn of(held: Held) -> Self {
        Self(held)
    }

    /// Bytes that were received otherwise.
    #[must_use]
    pub fn own(bytes: Vec<u8>) -> Self {
        Self(Held::to_read(bytes))
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
