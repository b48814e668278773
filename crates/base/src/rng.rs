//! Random numbers for the runtime's own choices: small, seeded, one generator a thread.
//!
//! The generator is SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number
//! Generators", OOPSLA 2014): 64 bits of state, equidistributed, splittable by construction.
//! Not for secrets.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use crate::lock::Mutex;

/// The golden ratio in 64 bits: the step between two states.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A seeded generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng(u64);

/// The seed of a runtime's generators.
#[derive(Clone, Debug)]
pub struct RngSeed(u64);

/// Gives each thread of a runtime a seed of its own, in an order that the first seed decides.
#[derive(Debug)]
pub struct SeedSource(Mutex<Rng>);

impl Rng {
    /// The generator of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number below `n`; 0 if `n` is 0.
    ///
    /// The bias of the multiplication (Lemire 2019) is below 2^-32 and of no matter here.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        let product = (self.next_u64() >> 32) * u64::from(n);
        u32::try_from(product >> 32).expect("a 64-bit number shifted by 32 fits")
    }

    /// A generator that is independent of this one.
    #[must_use]
    pub fn split(&mut self) -> Rng {
        Rng(self.next_u64())
    }
}

#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl RngSeed {
    /// The seed made of `bytes`: the same bytes always give the same seed (FNV-1a, 64 bits).
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mix(hash))
    }

    /// The seed with this number.
    pub const fn from_u64(seed: u64) -> Self {
        Self(seed)
    }

    /// The number of this seed.
    pub const fn as_u64(&self) -> u64 {
        self.0
    }

    /// A seed that differs from run to run.
    #[must_use]
    pub fn random() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }
}

impl SeedSource {
    /// The source that `seed` begins.
    pub fn new(seed: &RngSeed) -> Self {
        Self(Mutex::new(Rng::new(seed.0)))
    }

    /// The next seed.
    pub fn next_seed(&self) -> RngSeed {
        RngSeed(self.0.lock().next_u64())
    }
}

thread_local! {
    static THREAD: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Restores the thread's generator when dropped.
#[derive(Debug)]
#[must_use = "the generator before is restored at once when this is dropped"]
pub struct ThreadRngGuard(Option<Rng>);

/// Gives the current thread the generator `rng` until the guard is dropped.
pub fn enter_thread(rng: Rng) -> ThreadRngGuard {
    ThreadRngGuard(replace_thread_rng(Some(rng)))
}

impl Drop for ThreadRngGuard {
    fn drop(&mut self) {
        replace_thread_rng(self.0.take());
    }
}

/// Gives the current thread the generator `rng`; returns the one before, if it had one.
pub fn replace_thread_rng(rng: Option<Rng>) -> Option<Rng> {
    let before = THREAD.try_with(|cell| cell.replace(rng.map(|rng| rng.0)));
    before.ok().flatten().map(Rng)
}

/// A random number below `n` from the current thread's generator; 0 if `n` is 0.
#[inline]
pub fn thread_rng_n(n: u32) -> u32 {
    with_thread_rng(|rng| rng.below(n))
}

/// Calls `f` with the current thread's generator, which is seeded at random if need be.
///
/// `f` is not to ask for it once more: it would get the same numbers.
#[inline]
pub fn with_thread_rng<R>(f: impl FnOnce(&mut Rng) -> R) -> R {
    let state = THREAD.try_with(Cell::get).ok().flatten();
    let mut rng = Rng(state.unwrap_or_else(|| RngSeed::random().0));
    let result = f(&mut rng);
    let _ = THREAD.try_with(|cell| cell.set(Some(rng.0)));
    result
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let draw = |bytes: &[u8]| {
            replace_thread_rng(Some(Rng::new(RngSeed::from_bytes(bytes).as_u64())));
            (0..50).map(|_| thread_rng_n(10)).collect::<Vec<_>>()
        };
        assert_eq!(draw(b"yama"), draw(b"yama"));
        assert_ne!(draw(b"yama"), draw(b"note"));
    }

    #[test]
    fn every_number_below_the_bound_comes_and_no_other() {
        let mut rng = Rng::new(1);
        let mut seen = [0_u32; 7];
        for _ in 0..7000 {
            seen[rng.below(7) as usize] += 1;
        }
        assert!(
            seen.iter().all(|count| (800..1200).contains(count)),
            "{seen:?}"
        );
        assert_eq!(rng.below(0), 0);
    }
}
