//! Which way operations on files go: [`FileRoute`].

use std::fmt;
use std::str::FromStr;

use yamanote_sys::request::Kind;

/// The longest read that a ring is never slower at: what waits for the disk is copied by the worker
/// that collects, while the pool's threads copy on all cores.
const RING_LEN_MAX: usize = 16 * 1024;

/// Which way operations on files go. The results are the same on each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileRoute {
    /// The way that measured best for the kind and the size of the operation: what cannot block is
    /// done by the thread that asks, the rest goes to io_uring or to threads that may block.
    #[default]
    Fastest,
    /// The same without io_uring, as on a system that does not have it.
    NoRing,
    /// All that io_uring can do is done by it, the rest by threads that may block.
    Ring,
    /// All is done by threads that may block.
    Pool,
}

/// No [`FileRoute`] has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRoute(String);

const NAMES: [(&str, FileRoute); 4] = [
    ("fastest", FileRoute::Fastest),
    ("no-ring", FileRoute::NoRing),
    ("ring", FileRoute::Ring),
    ("pool", FileRoute::Pool),
];

impl FileRoute {
    /// Whether what cannot block is tried by the thread that asks.
    pub(crate) fn tries(self) -> bool {
        matches!(self, FileRoute::Fastest | FileRoute::NoRing)
    }

    /// Whether a ring may be used at all.
    pub(crate) fn may_use_ring(self) -> bool {
        matches!(self, FileRoute::Fastest | FileRoute::Ring)
    }

    /// Whether a ring is to do an operation of `kind` that moves `len` bytes, for one of so many
    /// workers.
    ///
    /// A single worker is left to the pool: whoever blocks its thread until a file is read, as
    /// other executors' `block_on` does, would wait for a turn that never comes.
    pub(crate) fn prefers_ring(self, kind: Kind, len: usize, workers: usize) -> bool {
        match self {
            FileRoute::Fastest => kind == Kind::Read && len <= RING_LEN_MAX && workers > 1,
            FileRoute::Ring => true,
            FileRoute::NoRing | FileRoute::Pool => false,
        }
    }
}

impl FromStr for FileRoute {
    type Err = UnknownRoute;

    fn from_str(name: &str) -> Result<Self, UnknownRoute> {
        let known = NAMES.into_iter().find(|(known, _)| *known == name);
        known
            .map(|(_, route)| route)
            .ok_or_else(|| UnknownRoute(name.to_owned()))
    }
}

impl fmt::Display for UnknownRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no way {:?} for files, but ", self.0)?;
        let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
        f.write_str(&names.join(", "))
    }
}

impl std::error::Error for UnknownRoute {}
