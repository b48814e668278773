//! Permits of a [`Semaphore`] that are given back when dropped.

use std::mem;
use std::sync::Arc;

use super::Semaphore;

/// Permits of a [`Semaphore`], given back when dropped.
///
/// ```
/// let semaphore = tokio::sync::Semaphore::new(3);
/// let permits = semaphore.try_acquire_many(2).unwrap();
/// assert_eq!((permits.num_permits(), semaphore.available_permits()), (2, 1));
/// ```
#[must_use]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
    /// Whether some had to be waited for.
    waited: bool,
}

/// Permits of a [`Semaphore`], which they keep alive; given back when dropped.
#[must_use]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
    /// Whether some had to be waited for.
    waited: bool,
}

impl<'a> SemaphorePermit<'a> {
    #[inline]
    pub(super) fn new(semaphore: &'a Semaphore, permits: u32, waited: bool) -> Self {
        Self {
            semaphore,
            permits: permits as usize,
            waited,
        }
    }

    /// Destroys the permits: they are never given back.
    ///
    /// ```
    /// let semaphore = tokio::sync::Semaphore::new(3);
    /// semaphore.try_acquire().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Adds the permits of `other` to these.
    ///
    /// # Panics
    /// If they are of different semaphores.
    ///
    /// ```
    /// let semaphore = tokio::sync::Semaphore::new(3);
    /// let mut permits = semaphore.try_acquire().unwrap();
    /// permits.merge(semaphore.try_acquire_many(2).unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// ```
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert_same(self.semaphore, other.semaphore);
        self.permits += mem::take(&mut other.permits);
        self.waited |= other.waited;
    }

    /// Splits `n` permits off; `None` if there are fewer.
    ///
    /// ```
    /// let semaphore = tokio::sync::Semaphore::new(3);
    /// let mut permits = semaphore.try_acquire_many(3).unwrap();
    /// drop(permits.split(2));
    /// assert_eq!((permits.num_permits(), semaphore.available_permits()), (1, 2));
    /// assert!(permits.split(2).is_none());
    /// ```
    pub fn split(&mut self, n: usize) -> Option<Self> {
        let permits = split_off(&mut self.permits, n)?;
        Some(Self {
            semaphore: self.semaphore,
            permits,
            waited: self.waited,
        })
    }

    /// How many permits these are.
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// The semaphore that they belong to.
    pub fn semaphore(&self) -> &Semaphore {
        self.semaphore
    }
}

impl OwnedSemaphorePermit {
    pub(super) fn new(semaphore: Arc<Semaphore>, permits: u32, waited: bool) -> Self {
        Self {
            semaphore,
            permits: permits as usize,
            waited,
        }
    }

    /// Destroys the permits, as [`SemaphorePermit::forget`].
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Adds the permits of `other` to these, as [`SemaphorePermit::merge`].
    ///
    /// # Panics
    /// If they are of different semaphores.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert_same(&self.semaphore, &other.semaphore);
        self.permits += mem::take(&mut other.permits);
        self.waited |= other.waited;
    }

    /// Splits `n` permits off, as [`SemaphorePermit::split`].
    pub fn split(&mut self, n: usize) -> Option<Self> {
        let permits = split_off(&mut self.permits, n)?;
        Some(Self {
            semaphore: Arc::clone(&self.semaphore),
            permits,
            waited: self.waited,
        })
    }

    /// How many permits these are.
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// The semaphore that they belong to.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}

impl Drop for SemaphorePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.give_back(self.permits, self.waited);
    }
}

impl Drop for OwnedSemaphorePermit {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.give_back(self.permits, self.waited);
    }
}

#[track_caller]
fn assert_same(one: &Semaphore, other: &Semaphore) {
    assert!(
        std::ptr::eq(one, other),
        "merging permits from different semaphore instances"
    );
}

fn split_off(permits: &mut usize, n: usize) -> Option<usize> {
    *permits = permits.checked_sub(n)?;
    Some(n)
}
