//! What a task waits for, noted by the leaf that has nothing yet, for the report of a simulation.
//!
//! This file is the switch: with the feature `waits`, `noted`; without, `silent`, where the same
//! names have no size and do nothing. The facade's feature `sim` brings it, so a program that is
//! built for real pays nothing.

#[cfg(feature = "waits")]
mod noted;
#[cfg(feature = "waits")]
pub use noted::*;

#[cfg(not(feature = "waits"))]
mod silent;
#[cfg(not(feature = "waits"))]
pub use silent::*;

use std::panic::Location;
use std::time::Instant;

use crate::interest::Interest;

/// Of one poll so many waits are kept, the first ones.
pub const WAITS_MAX: usize = 4;

/// Something that a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What it is, as a report names it.
    pub what: &'static str,
    /// What more there is to say.
    pub detail: Detail,
}

/// Which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// There is no more to say.
    None,
    /// The task that was spawned there.
    SpawnedAt(&'static Location<'static>),
    /// The moment.
    Until(Instant),
    /// The socket whose readiness is in the cell at this address, and what of it: the world knows
    /// which one that is.
    Socket(usize, Interest),
    /// What is at this address, and may have been [taken](note_taken).
    Taken(usize),
}

/// What one poll has found; `None` beyond the last.
pub type Waits = [Option<Wait>; WAITS_MAX];

impl From<&'static str> for Wait {
    fn from(what: &'static str) -> Self {
        (what, Detail::None).into()
    }
}

impl From<(&'static str, Detail)> for Wait {
    fn from((what, detail): (&'static str, Detail)) -> Self {
        Self { what, detail }
    }
}
