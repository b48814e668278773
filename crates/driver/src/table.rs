//! Which token belongs to which resource: [`RegistrationTable`].
//!
//! A token carries the stamp of its registration: an event that was on its way when its resource
//! went finds another stamp in the slab, and is dropped.

use std::sync::Arc;

use yamanote_base::interest::Ready;
use yamanote_base::ready::ReadyCell;
use yamanote_base::slab::{Key, Slab};
use yamanote_base::wake::WakeList;

/// Half of the token is the index, half the stamp.
const INDEX_BITS: u32 = usize::BITS / 2;
const INDEX_MASK: usize = (1 << INDEX_BITS) - 1;
/// One bit less, so that no token is the selector's own (all ones).
const STAMP_MAX: u32 = (INDEX_MASK >> 1) as u32;

/// The token of rings, which no registration has: its stamp is too large.
pub(crate) const RING_TOKEN: usize = usize::MAX - 1;

/// One registration of one table.
pub(crate) type CellKey = Key<Arc<ReadyCell>>;

/// The registrations of one selector.
///
/// Unbounded by itself: the system bounds the descriptors.
#[derive(Debug)]
pub(crate) struct RegistrationTable {
    cells: Slab<Arc<ReadyCell>>,
    /// How many requests of rings are under way, which are waited for in the same selector.
    pub(crate) requests: usize,
    is_shut_down: bool,
}

/// The number by which a selector knows the registration of `key`.
pub(crate) fn token(key: CellKey) -> usize {
    debug_assert!(
        key.index() as usize <= INDEX_MASK,
        "the system has fewer descriptors"
    );
    ((key.stamp() as usize) << INDEX_BITS) | key.index() as usize
}

fn key_of(token: usize) -> CellKey {
    // Both halves fit, by the two constants above.
    Key::new((token & INDEX_MASK) as u32, (token >> INDEX_BITS) as u32)
}

impl RegistrationTable {
    pub(crate) const fn new() -> Self {
        Self {
            cells: Slab::with_stamps_up_to(STAMP_MAX),
            requests: 0,
            is_shut_down: false,
        }
    }

    /// A place for `cell`; `None` after the shutdown.
    pub(crate) fn insert(&mut self, cell: Arc<ReadyCell>) -> Option<CellKey> {
        (!self.is_shut_down).then(|| self.cells.insert(cell))
    }

    /// Frees the place; drop what it held after unlocking.
    #[must_use]
    pub(crate) fn remove(&mut self, key: CellKey) -> Option<Arc<ReadyCell>> {
        self.cells.remove(key)
    }

    /// Sets the readiness of the resource with `token`; `false` if it has gone.
    pub(crate) fn set(&self, token: usize, ready: Ready, wakes: &mut WakeList) -> bool {
        let cell = self.cells.get(key_of(token));
        if let Some(cell) = cell {
            cell.set(ready, wakes);
        }
        cell.is_some()
    }

    /// Refuses further registrations; returns those that there are.
    pub(crate) fn shut_down(&mut self) -> Vec<Arc<ReadyCell>> {
        self.is_shut_down = true;
        self.cells.iter().map(|(_, cell)| cell.clone()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yamanote_base::interest::Interest;

    #[test]
    fn a_stale_event_does_not_reach_the_next_resource_in_the_slot() {
        let mut table = RegistrationTable::new();
        let mut wakes = WakeList::new();
        let old = table.insert(Arc::new(ReadyCell::new())).unwrap();
        assert!(table.set(token(old), Ready::READABLE, &mut wakes));
        assert!(table.remove(old).is_some());
        let cell = Arc::new(ReadyCell::new());
        let new = table.insert(cell.clone()).unwrap();
        assert_eq!(new.index(), old.index());
        assert!(!table.set(token(old), Ready::READABLE, &mut wakes));
        assert!(table.remove(old).is_none());
        assert!(cell.event(Interest::READABLE).ready.is_empty());
        assert!(table.set(token(new), Ready::READABLE, &mut wakes));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_token_is_never_the_selectors_own() {
        let key = Key::new(INDEX_MASK as u32, STAMP_MAX);
        assert!(token(key) < RING_TOKEN);
        assert_eq!(key_of(token(key)), key);
    }

    #[test]
    fn after_the_shutdown_nothing_is_taken() {
        let mut table = RegistrationTable::new();
        table.insert(Arc::new(ReadyCell::new())).unwrap();
        assert_eq!(table.shut_down().len(), 1);
        assert!(table.insert(Arc::new(ReadyCell::new())).is_none());
    }
}
