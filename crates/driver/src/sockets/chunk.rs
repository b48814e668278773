//! Bytes that have arrived, wherever they lie: [`Chunk`].

use std::fmt;
use std::ops::Deref;

use yamanote_sys::held::Held;
use yamanote_sys::sockets::Provided;

/// Bytes that have arrived. A provided buffer goes back to its ring when this is dropped.
///
/// As it moves often, it is two words.
pub struct Chunk(ChunkPlace);

enum ChunkPlace {
    Provided(Provided),
    Held(Held),
}

impl Chunk {
    pub(super) fn provided(bytes: Provided) -> Self {
        Self(ChunkPlace::Provided(bytes))
    }

    /// The first `len` bytes of `held`.
    pub(super) fn held(mut held: Held, len: usize) -> Self {
        held.truncate(len);
        Self(ChunkPlace::Held(held))
    }

    /// Bytes that were received otherwise.
    #[must_use]
    pub fn own(bytes: Vec<u8>) -> Self {
        Self(ChunkPlace::Held(Held::to_read(bytes)))
    }

    /// Without the first `taken`.
    pub(super) fn after(self, taken: usize) -> Self {
        match taken {
            0 => self,
            _ => Self::own(self[taken..].to_vec()),
        }
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            ChunkPlace::Provided(chunk) => chunk,
            ChunkPlace::Held(held) => held.bytes(),
        }
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
