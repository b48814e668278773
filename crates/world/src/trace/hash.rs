//! The rolling hash of a trace, 128 bits.
//!
//! The mixing is the body and the finish of MurmurHash3_x64_128 (Austin Appleby, 2011, public
//! domain): two lanes, one multiplication and rotation each way for 16 bytes of input. It is
//! fast and spreads well; it does not resist an adversary, and need not.

use std::fmt;

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// A rolling hash of everything that was folded into it, in order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceHash {
    high: u64,
    low: u64,
    blocks: u64,
}

impl TraceHash {
    /// The hash of nothing, under a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            high: seed,
            low: seed,
            blocks: 0,
        }
    }

    /// Folds 16 bytes in.
    #[inline]
    pub fn fold(&mut self, one: u64, two: u64) {
        let k1 = one.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
        self.high = (self.high ^ k1).rotate_left(27).wrapping_add(self.low);
        self.high = self.high.wrapping_mul(5).wrapping_add(0x52dc_e729);
        let k2 = two.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
        self.low = (self.low ^ k2).rotate_left(31).wrapping_add(self.high);
        self.low = self.low.wrapping_mul(5).wrapping_add(0x3849_5ab5);
        self.blocks = self.blocks.wrapping_add(1);
    }

    /// Folds the bytes in; their number is to be folded by the caller.
    pub fn fold_bytes(&mut self, bytes: &[u8]) {
        let mut blocks = bytes.chunks_exact(16);
        for block in &mut blocks {
            let mut whole = [0_u8; 16];
            whole.copy_from_slice(block);
            self.fold_block(whole);
        }
        let rest = blocks.remainder();
        if !rest.is_empty() {
            let mut padded = [0_u8; 16];
            padded[..rest.len()].copy_from_slice(rest);
            self.fold_block(padded);
        }
    }

    #[inline]
    fn fold_block(&mut self, block: [u8; 16]) {
        let number = u128::from_le_bytes(block);
        self.fold(number as u64, (number >> 64) as u64);
    }

    /// The hash of all so far.
    #[must_use]
    pub fn finish(&self) -> u128 {
        let (mut high, mut low) = (self.high ^ self.blocks, self.low ^ self.blocks);
        high = high.wrapping_add(low);
        low = low.wrapping_add(high);
        high = avalanche(high);
        low = avalanche(low);
        high = high.wrapping_add(low);
        low = low.wrapping_add(high);
        u128::from(high) << 64 | u128::from(low)
    }
}

fn avalanche(mut k: u64) -> u64 {
    k = (k ^ (k >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    k = (k ^ (k >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ (k >> 33)
}

impl fmt::Debug for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceHash({:032x})", self.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_length_and_seed_matter() {
        let hash = |seed, blocks: &[(u64, u64)]| {
            let mut hash = TraceHash::new(seed);
            blocks.iter().for_each(|(one, two)| hash.fold(*one, *two));
            hash.finish()
        };
        assert_eq!(hash(1, &[(1, 2), (3, 4)]), hash(1, &[(1, 2), (3, 4)]));
        assert_ne!(hash(1, &[(1, 2), (3, 4)]), hash(1, &[(3, 4), (1, 2)]));
        assert_ne!(hash(1, &[(0, 0)]), hash(1, &[(0, 0), (0, 0)]));
        assert_ne!(hash(1, &[]), hash(2, &[]));
    }

    #[test]
    fn one_changed_bit_changes_about_half_of_the_hash() {
        let hash = |bytes: &[u8]| {
            let mut hash = TraceHash::new(0);
            hash.fold_bytes(bytes);
            hash.finish()
        };
        let mut bytes = [7_u8; 40];
        let before = hash(&bytes);
        for bit in 0..320 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let changed = (hash(&bytes) ^ before).count_ones();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(
                (30..98).contains(&changed),
                "bit {bit} changed {changed} bits"
            );
        }
    }
}
