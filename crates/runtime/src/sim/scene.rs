//! What a thread knows of the simulation that it is a part of, to be taken to another one.

use std::fmt;
use std::sync::Weak;

use super::panics::{self, Witness};
use super::{SimParts, points};

/// The simulation that a thread takes part in, and who notes its panics.
pub(crate) struct Scene {
    sim: Option<Weak<SimParts>>,
    witness: Option<Witness>,
}

impl Scene {
    /// That of this thread.
    pub(crate) fn here() -> Self {
        Self {
            sim: points::current_sim(),
            witness: panics::witness(),
        }
    }

    /// Calls `f` as a part of it.
    pub(crate) fn play(self, f: impl FnOnce()) {
        let _current = points::enter_sim(self.sim);
        let _watch = panics::watch_with(self.witness);
        f();
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").finish_non_exhaustive()
    }
}
