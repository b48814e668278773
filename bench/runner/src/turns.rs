//! Several programs that are kept and driven in turn: what the machine does besides is in all of
//! them, so that what they reach in one round can be compared.

use std::io;

/// How often each is driven.
#[derive(Clone, Copy)]
pub(crate) struct Turns {
    pub(crate) rounds: usize,
    /// After so many rounds there are new ones: where the memory and the threads of one come to lie
    /// is luck.
    pub(crate) rounds_kept: usize,
}

impl Turns {
    /// `start` and `drive` get the number of the one that is meant, of `count`.
    ///
    /// # Errors
    /// Those of `start` and `drive`.
    pub(crate) fn take<K>(
        self,
        count: usize,
        start: impl Fn(usize) -> io::Result<K>,
        mut drive: impl FnMut(usize, &mut K) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut kept = Vec::new();
        for round in 0..self.rounds {
            if round % self.rounds_kept == 0 {
                // Before there are new ones: what these take would be missing.
                kept.clear();
                let new = (0..count).map(|at| Ok((at, start(at)?)));
                kept = new.collect::<io::Result<Vec<_>>>()?;
            }
            for (at, one) in &mut kept {
                drive(*at, one)?;
            }
            // Not always the same first, nor one twice in succession if there are more than two:
            // its connections would still be in the processor's caches.
            kept.rotate_left(1);
        }
        Ok(())
    }
}
