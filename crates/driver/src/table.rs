//! Which token belongs to which resource: a slab with generations, [`RegistrationTable`].
//!
//! A slot's generation grows each time it is freed, and a token carries it: an event that was
//! on its way when its resource went finds a slot of another generation and is dropped.

use std::sync::Arc;

use yamanote_base::interest::Ready;
use yamanote_base::ready::ReadyCell;
use yamanote_base::wake::WakeList;

/// Half of the token is the index, half the generation.
const INDEX_BITS: u32 = usize::BITS / 2;
const INDEX_MASK: usize = (1 << INDEX_BITS) - 1;
/// One bit less, so that no token is the selector's own (all ones).
const GENERATION_MASK: usize = INDEX_MASK >> 1;

/// The registrations of one selector.
///
/// Unbounded by itself: the system bounds the descriptors.
#[derive(Debug, Default)]
pub(crate) struct RegistrationTable {
    slots: Vec<Slot>,
    /// The indices of the empty slots.
    free: Vec<usize>,
    is_shut_down: bool,
}

#[derive(Debug)]
struct Slot {
    generation: usize,
    cell: Option<Arc<ReadyCell>>,
}

/// One registration of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: usize,
    generation: usize,
}

impl Key {
    pub(crate) fn token(self) -> usize {
        (self.generation << INDEX_BITS) | self.index
    }

    fn of_token(token: usize) -> Self {
        Self {
            index: token & INDEX_MASK,
            generation: token >> INDEX_BITS,
        }
    }
}

impl RegistrationTable {
    /// A place for `cell`; `None` after the shutdown.
    pub(crate) fn insert(&mut self, cell: Arc<ReadyCell>) -> Option<Key> {
        if self.is_shut_down {
            return None;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                cell: None,
            });
            self.slots.len() - 1
        });
        assert!(
            index < INDEX_MASK,
            "more registrations than a token can tell apart"
        );
        let slot = &mut self.slots[index];
        debug_assert!(slot.cell.is_none());
        slot.cell = Some(cell);
        Some(Key {
            index,
            generation: slot.generation,
        })
    }

    /// Frees the place; drop what it held after unlocking.
    #[must_use]
    pub(crate) fn remove(&mut self, key: Key) -> Option<Arc<ReadyCell>> {
        let slot = self.slots.get_mut(key.index)?;
        if slot.generation != key.generation {
            return None;
        }
        let cell = slot.cell.take()?;
        slot.generation = (slot.generation + 1) & GENERATION_MASK;
        self.free.push(key.index);
        Some(cell)
    }

    /// Sets the readiness of the resource with `token`; `false` if it has gone.
    pub(crate) fn set(&self, token: usize, ready: Ready, wakes: &mut WakeList) -> bool {
        let key = Key::of_token(token);
        let slot = self
            .slots
            .get(key.index)
            .filter(|slot| slot.generation == key.generation);
        let Some(cell) = slot.and_then(|slot| slot.cell.as_ref()) else {
            return false;
        };
        cell.set(ready, wakes);
        true
    }

    /// Refuses further registrations; returns those that there are.
    pub(crate) fn shut_down(&mut self) -> Vec<Arc<ReadyCell>> {
        self.is_shut_down = true;
        self.slots
            .iter()
            .filter_map(|slot| slot.cell.clone())
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yamanote_base::interest::Interest;

    #[test]
    fn a_stale_event_does_not_reach_the_next_resource_in_the_slot() {
        let mut table = RegistrationTable::default();
        let mut wakes = WakeList::new();
        let old = table.insert(Arc::new(ReadyCell::new())).unwrap();
        assert!(table.set(old.token(), Ready::READABLE, &mut wakes));
        assert!(table.remove(old).is_some());
        let cell = Arc::new(ReadyCell::new());
        let new = table.insert(cell.clone()).unwrap();
        assert_eq!(new.index, old.index);
        assert!(!table.set(old.token(), Ready::READABLE, &mut wakes));
        assert!(table.remove(old).is_none());
        assert!(cell.event(Interest::READABLE).ready.is_empty());
        assert!(table.set(new.token(), Ready::READABLE, &mut wakes));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_token_is_never_the_selectors_own() {
        let key = Key {
            index: INDEX_MASK,
            generation: GENERATION_MASK,
        };
        assert_ne!(key.token(), usize::MAX);
        assert_eq!(Key::of_token(key.token()), key);
    }

    #[test]
    fn after_the_shutdown_nothing_is_taken() {
        let mut table = RegistrationTable::default();
        table.insert(Arc::new(ReadyCell::new())).unwrap();
        assert_eq!(table.shut_down().len(), 1);
        assert!(table.insert(Arc::new(ReadyCell::new())).is_none());
    }
}
