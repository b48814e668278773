//! A table of values by number: [`Places`].
//!
//! Values lie in chunks of 64. The lowest free place is taken first, and a chunk that is empty
//! gives its memory back (all but one, so that a value that comes and goes costs nothing), so
//! the table is as large as what is in it, up to the stragglers. Insert looks at one bit a chunk,
//! 64 at a time, from the first that is set. Numbers are used again: who may come late with one
//! wants the keys of a [`Slab`](crate::slab::Slab).

use std::array;

/// Places of a chunk: as many as a word has bits.
const CHUNK: usize = 64;

/// A table of values, each in a place that has a number.
#[derive(Debug)]
pub struct Places<T> {
    chunks: Vec<Option<Box<Chunk<T>>>>,
    /// One bit a chunk: whether it has a free place. Absent chunks have.
    open: Vec<u64>,
    /// The words of `open` below are zero.
    open_from: usize,
    len: usize,
    /// Chunks that exist and are empty.
    empty_chunks: usize,
}

#[derive(Debug)]
struct Chunk<T> {
    /// One bit a place: whether it is taken.
    taken: u64,
    places: [Option<T>; CHUNK],
}

impl<T> Places<T> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            open: Vec::new(),
            open_from: 0,
            len: 0,
            empty_chunks: 0,
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

    /// Adds a value, in the lowest free place; the number of the place.
    ///
    /// # Panics
    /// When there are 2^32 values.
    #[inline]
    pub fn insert(&mut self, value: T) -> u32 {
        let number = self.open_chunk();
        let chunk = match &mut self.chunks[number] {
            Some(chunk) => {
                self.empty_chunks -= usize::from(chunk.taken == 0);
                chunk
            }
            absent => absent.insert(Box::new(Chunk::new())),
        };
        let place = chunk.taken.trailing_ones() as usize;
        chunk.taken |= 1 << place;
        chunk.places[place] = Some(value);
        if chunk.taken == u64::MAX {
            self.open[number / 64] &= !(1 << (number % 64));
        }
        self.len += 1;
        u32::try_from(number * CHUNK + place).expect("fewer than 2^32 values")
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

    /// What is in a place.
    #[must_use]
    #[inline]
    pub fn get(&self, index: u32) -> Option<&T> {
        let chunk = self.chunks.get(index as usize / CHUNK)?.as_ref()?;
        chunk.places[index as usize % CHUNK].as_ref()
    }

    /// What is in a place.
    #[inline]
    pub fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let chunk = self.chunks.get_mut(index as usize / CHUNK)?.as_mut()?;
        chunk.places[index as usize % CHUNK].as_mut()
    }

    /// Takes out what is in a place.
    #[inline]
    pub fn remove(&mut self, index: u32) -> Option<T> {
        let (number, place) = (index as usize / CHUNK, index as usize % CHUNK);
        let chunk = self.chunks.get_mut(number)?.as_mut()?;
        let value = chunk.places[place].take()?;
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

    /// All values, by the number of their places.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let chunks = self.chunks.iter().enumerate();
        let chunks = chunks.filter_map(|(number, chunk)| Some((number, chunk.as_ref()?)));
        chunks.flat_map(|(number, chunk)| {
            let places = chunk.places.iter().enumerate();
            places.filter_map(move |(place, value)| {
                let index = u32::try_from(number * CHUNK + place).ok()?;
                Some((index, value.as_ref()?))
            })
        })
    }

    /// All values, by the number of their places.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let chunks = self.chunks.iter_mut().flatten();
        chunks.flat_map(|chunk| chunk.places.iter_mut().flatten())
    }

    /// The values, by the number of their places.
    pub fn into_values(self) -> impl Iterator<Item = T> {
        let chunks = self.chunks.into_iter().flatten();
        chunks.flat_map(|chunk| chunk.places.into_iter().flatten())
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

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_place_is_taken_first_and_memory_goes_back() {
        let mut places = Places::new();
        for number in 0..10_000 {
            assert_eq!(places.insert(number), number);
        }
        for number in 1..10_000 {
            assert_eq!(places.remove(number), Some(number));
        }
        assert_eq!(places.chunks.iter().flatten().count(), 2);
        assert!(places.chunks.capacity() < 100);
        assert_eq!(places.insert(7), 1);
        assert_eq!((places.get(0), places.get(1)), (Some(&0), Some(&7)));
        assert_eq!(places.remove(9999), None);
        assert_eq!(places.into_values().collect::<Vec<_>>(), [0, 7]);
    }

    #[test]
    fn a_place_takes_no_more_than_its_value() {
        let pointers = size_of::<Chunk<Box<u8>>>();
        assert_eq!(pointers, size_of::<u64>() + CHUNK * size_of::<Box<u8>>());
    }
}
