//! A table of values under keys that are never used twice: [`Slab`].
//!
//! Values lie in chunks of 64. The lowest free place is taken first, and a chunk that is empty
//! gives its memory back (all but one, so that a value that comes and goes costs nothing), so
//! the table is as large as what is in it, up to the stragglers. Each insertion is stamped, and a
//! key carries the stamp: a late key finds another stamp in its place, also when the chunk was
//! given back meanwhile. Insert looks at one bit a chunk, 64 at a time, from the first that is set.

use std::array;
use std::marker::PhantomData;

/// Places of a chunk: as many as a word has bits.
const CHUNK: usize = 64;

/// A table whose keys hold an index and a stamp.
#[derive(Debug)]
pub struct Slab<T> {
    chunks: Vec<Option<Box<Chunk<T>>>>,
    /// One bit a chunk: whether it has a free place. Absent chunks have.
    open: Vec<u64>,
    /// The words of `open` below are zero.
    open_from: usize,
    len: usize,
    /// Chunks that exist and are empty.
    empty_chunks: usize,
    /// The stamp of the next value.
    stamp: u32,
    /// Stamps count up to this and begin again at 0.
    stamp_max: u32,
}

#[derive(Debug)]
struct Chunk<T> {
    /// One bit a place: whether it is taken.
    taken: u64,
    places: [Option<Stamped<T>>; CHUNK],
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
            chunks: Vec::new(),
            open: Vec::new(),
            open_from: 0,
            len: 0,
            empty_chunks: 0,
            stamp: 0,
            stamp_max,
        }
    }

    /// How many values are in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a value, in the lowest free place.
    ///
    /// # Panics
    /// When there are 2^32 values.
    pub fn insert(&mut self, value: T) -> Key<T> {
        let number = self.open_chunk();
        let stamp = self.stamp;
        self.stamp = if stamp == self.stamp_max {
            0
        } else {
            stamp + 1
        };
        let chunk = match &mut self.chunks[number] {
            Some(chunk) => {
                self.empty_chunks -= usize::from(chunk.taken == 0);
                chunk
            }
            absent => absent.insert(Box::new(Chunk::new())),
        };
        let place = chunk.taken.trailing_ones() as usize;
        chunk.taken |= 1 << place;
        chunk.places[place] = Some(Stamped { stamp, value });
        if chunk.taken == u64::MAX {
            self.open[number / 64] &= !(1 << (number % 64));
        }
        self.len += 1;
        let index = u32::try_from(number * CHUNK + place).expect("fewer than 2^32 values");
        Key::new(index, stamp)
    }

    /// The lowest chunk that has a free place; it may be absent.
    fn open_chunk(&mut self) -> usize {
        // Each word that is passed by is full, and is passed by once.
        while self.open.get(self.open_from) == Some(&0) {
            self.open_from += 1;
        }
        let word = self.open_from;
        if word == self.open.len() {
            self.open.push(u64::MAX);
        }
        let number = word * 64 + self.open[word].trailing_zeros() as usize;
        if number >= self.chunks.len() {
            self.chunks.resize_with(number + 1, || None);
        }
        number
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: Key<T>) -> Option<&T> {
        let chunk = self.chunks.get(key.index as usize / CHUNK)?.as_ref()?;
        let stamped = chunk.places[key.index as usize % CHUNK].as_ref()?;
        (stamped.stamp == key.stamp).then_some(&stamped.value)
    }

    /// The value of `key`.
    pub fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        let chunk = self.chunks.get_mut(key.index as usize / CHUNK)?.as_mut()?;
        let stamped = chunk.places[key.index as usize % CHUNK].as_mut()?;
        (stamped.stamp == key.stamp).then_some(&mut stamped.value)
    }

    /// The value in a place, for who knows that one is there.
    ///
    /// # Panics
    /// When the place is free.
    #[must_use]
    pub fn at(&self, index: u32) -> &T {
        let chunk = self.chunks[index as usize / CHUNK].as_ref();
        let stamped = chunk.and_then(|chunk| chunk.places[index as usize % CHUNK].as_ref());
        &stamped.expect("the place is taken").value
    }

    /// The value in a place, for who knows that one is there.
    ///
    /// # Panics
    /// When the place is free.
    pub fn at_mut(&mut self, index: u32) -> &mut T {
        let chunk = self.chunks[index as usize / CHUNK].as_mut();
        let stamped = chunk.and_then(|chunk| chunk.places[index as usize % CHUNK].as_mut());
        &mut stamped.expect("the place is taken").value
    }

    /// Takes the value of `key` out.
    pub fn remove(&mut self, key: Key<T>) -> Option<T> {
        self.get(key)?;
        self.remove_at(key.index)
    }

    /// Takes out whatever is in a place.
    pub fn remove_at(&mut self, index: u32) -> Option<T> {
        let (number, place) = (index as usize / CHUNK, index as usize % CHUNK);
        let chunk = self.chunks.get_mut(number)?.as_mut()?;
        let value = chunk.places[place].take()?.value;
        chunk.taken &= !(1 << place);
        self.open[number / 64] |= 1 << (number % 64);
        self.open_from = self.open_from.min(number / 64);
        self.len -= 1;
        if chunk.taken == 0 {
            self.note_empty(number);
        }
        Some(value)
    }

    /// Keeps one empty chunk, gives further ones back.
    fn note_empty(&mut self, number: usize) {
        if self.empty_chunks == 0 {
            self.empty_chunks = 1;
            return;
        }
        self.chunks[number] = None;
        while matches!(self.chunks.last(), Some(None)) {
            self.chunks.pop();
        }
        self.chunks.shrink_to(2 * self.chunks.len());
    }

    /// All values with their keys, by index.
    pub fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        let chunks = self.chunks.iter().enumerate();
        let chunks = chunks.filter_map(|(number, chunk)| Some((number, chunk.as_ref()?)));
        chunks.flat_map(|(number, chunk)| {
            let places = chunk.places.iter().enumerate();
            places.filter_map(move |(place, stamped)| {
                let stamped = stamped.as_ref()?;
                let index = u32::try_from(number * CHUNK + place).ok()?;
                Some((Key::new(index, stamped.stamp), &stamped.value))
            })
        })
    }

    /// The keys of the values that `chosen` accepts, by index.
    pub fn keys_where(&self, chosen: impl Fn(&T) -> bool) -> Vec<Key<T>> {
        let chosen = self.iter().filter(|(_, value)| chosen(value));
        chosen.map(|(key, _)| key).collect()
    }

    /// All values, by index.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let chunks = self.chunks.iter_mut().flatten();
        let places = chunks.flat_map(|chunk| chunk.places.iter_mut().flatten());
        places.map(|stamped| &mut stamped.value)
    }
}

impl<T> Chunk<T> {
    fn new() -> Self {
        Self {
            taken: 0,
            places: array::from_fn(|_| None),
        }
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
    fn the_lowest_place_is_taken_first_and_memory_goes_back() {
        let mut slab = Slab::new();
        let keys: Vec<_> = (0..10_000).map(|i| slab.insert(i)).collect();
        for key in &keys[1..] {
            slab.remove(*key);
        }
        assert_eq!(slab.chunks.iter().flatten().count(), 2);
        assert!(slab.chunks.capacity() < 100);
        let key = slab.insert(7);
        assert_eq!(key.index(), 1);
        assert_eq!(slab.get(keys[1]), None, "a late key meets another stamp");
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
