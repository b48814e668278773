//! A table of values under keys that are never used twice: [`Slab`].
//!
//! It is [`Places`], and each insertion is stamped, and a key carries the stamp: a late key finds
//! another stamp in its place, also when the place was given up meanwhile.

use std::marker::PhantomData;

use crate::places::Places;

/// A table whose keys hold an index and a stamp.
#[derive(Debug)]
pub struct Slab<T> {
    places: Places<Stamped<T>>,
    /// The stamp of the next value.
    stamp: u32,
    /// Stamps count up to this and begin again at 0.
    stamp_max: u32,
}

#[derive(Debug)]
struct Stamped<T> {
    stamp: u32,
    value: T,
}

/// The key of a `T` in its table: where it lies, and which one it is.
#[derive(Debug)]
pub struct Key<T> {
    index: u32,
    stamp: u32,
    _of: PhantomData<fn() -> T>,
}

impl<T> Slab<T> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_stamps_up_to(u32::MAX)
    }

    /// An empty table whose stamps are at most `stamp_max`.
    #[must_use]
    pub const fn with_stamps_up_to(stamp_max: u32) -> Self {
        Self {
            places: Places::new(),
            stamp: 0,
            stamp_max,
        }
    }

    /// How many values are in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Adds a value, in the lowest free place.
    ///
    /// # Panics
    /// When there are 2^32 values.
    #[inline]
    pub fn insert(&mut self, value: T) -> Key<T> {
        let stamp = self.stamp;
        self.stamp = if stamp == self.stamp_max {
            0
        } else {
            stamp + 1
        };
        Key::new(self.places.insert(Stamped { stamp, value }), stamp)
    }

    /// The value of `key`.
    #[must_use]
    #[inline]
    pub fn get(&self, key: Key<T>) -> Option<&T> {
        let stamped = self.places.get(key.index)?;
        (stamped.stamp == key.stamp).then_some(&stamped.value)
    }

    /// The value of `key`.
    #[inline]
    pub fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        let stamped = self.places.get_mut(key.index)?;
        (stamped.stamp == key.stamp).then_some(&mut stamped.value)
    }

    /// Takes the value of `key` out.
    #[inline]
    pub fn remove(&mut self, key: Key<T>) -> Option<T> {
        self.get(key)?;
        Some(self.places.remove(key.index)?.value)
    }

    /// All values with their keys, by index.
    pub fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        let stamped = self.places.iter();
        stamped.map(|(index, stamped)| (Key::new(index, stamped.stamp), &stamped.value))
    }

    /// The keys of the values that `chosen` accepts, by index.
    pub fn keys_where(&self, chosen: impl Fn(&T) -> bool) -> Vec<Key<T>> {
        let chosen = self.iter().filter(|(_, value)| chosen(value));
        chosen.map(|(key, _)| key).collect()
    }

    /// All values, by index.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.values_mut().map(|stamped| &mut stamped.value)
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Key<T> {
    /// The key with this index and stamp.
    #[must_use]
    pub const fn new(index: u32, stamp: u32) -> Self {
        Self {
            index,
            stamp,
            _of: PhantomData,
        }
    }

    /// The place; others may be in it before and after.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Tells those in one place apart, unless as many values as there are stamps came between.
    #[must_use]
    pub const fn stamp(self) -> u32 {
        self.stamp
    }

    /// The key as a number.
    #[must_use]
    pub fn as_u64(self) -> u64 {
        u64::from(self.stamp) << 32 | u64::from(self.index)
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_u64() == other.as_u64()
    }
}

impl<T> Eq for Key<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use std::collections::BTreeMap;

    #[test]
    fn it_agrees_with_a_sorted_map() {
        let (mut slab, mut map, mut rng) = (Slab::new(), BTreeMap::new(), Rng::new(1));
        for step in 0..20_000_u32 {
            // Grows to a few thousand values, then shrinks.
            let grow = rng.below(100) < if step < 12_000 { 70 } else { 20 };
            if grow || map.is_empty() {
                assert!(map.insert(slab.insert(step).as_u64(), step).is_none());
                continue;
            }
            let at = rng.below(u32::try_from(map.len()).unwrap()) as usize;
            let (number, value) = map
                .iter()
                .nth(at)
                .map(|(key, value)| (*key, *value))
                .unwrap();
            let key = Key::new(number as u32, (number >> 32) as u32);
            map.remove(&number);
            assert_eq!(slab.remove(key), Some(value));
            assert_eq!(slab.get(key), None);
        }
        assert_eq!(slab.len(), map.len());
        assert!(
            slab.iter()
                .all(|(key, value)| map.get(&key.as_u64()) == Some(value))
        );
        assert_eq!(slab.iter().count(), map.len());
    }

    #[test]
    fn a_late_key_meets_another_stamp() {
        let mut slab = Slab::new();
        let keys: Vec<_> = (0..10_000).map(|i| slab.insert(i)).collect();
        for key in &keys[1..] {
            slab.remove(*key);
        }
        let key = slab.insert(7);
        assert_eq!(key.index(), keys[1].index());
        assert_eq!((slab.get(key), slab.get(keys[1])), (Some(&7), None));
    }

    #[test]
    fn stamps_begin_again_after_the_last() {
        let mut slab = Slab::with_stamps_up_to(1);
        let stamps = [(), (), ()].map(|()| {
            let key = slab.insert(());
            slab.remove(key);
            key.stamp()
        });
        assert_eq!(stamps, [0, 1, 0]);
    }
}
