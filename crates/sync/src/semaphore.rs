//! A counting semaphore that tasks wait for: [`Semaphore`].

mod error;
mod permit;
mod raw;
mod word;

use std::sync::Arc;

use yamanote_base::{block, const_unless_model};

pub use error::{AcquireError, TryAcquireError, TryLockError};
pub use permit::{OwnedSemaphorePermit, SemaphorePermit};
pub(crate) use raw::RawSemaphore;

/// Permits that tasks take, hold and give back; a fair queue forms when none is left.
///
/// First come, first served, also between requests of different size: a large one at the head of
/// the queue is not overtaken by small ones.
#[derive(Debug)]
pub struct Semaphore {
    raw: RawSemaphore,
}

impl Semaphore {
    /// The most permits that a semaphore may hold.
    pub const MAX_PERMITS: usize = raw::MAX_PERMITS;

    /// A semaphore with `permits` free ones.
    ///
    /// # Panics
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self {
            raw: RawSemaphore::new(permits),
        }
    }

    const_unless_model! {
        /// [`new`](Self::new), for statics.
        ///
        /// # Panics
        /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
        #[track_caller]
        #[must_use]
        pub const fn const_new(permits: usize) -> Self {
            Self { raw: RawSemaphore::new(permits) }
        }
    }

    /// How many permits are free.
    pub fn available_permits(&self) -> usize {
        self.raw.available()
    }

    /// Adds `n` permits.
    ///
    /// # Panics
    /// When there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.raw.release(n);
    }

    /// Destroys up to `n` free permits; returns how many.
    pub fn forget_permits(&self, n: usize) -> usize {
        self.raw.forget(n)
    }

    /// Waits for one permit.
    ///
    /// *Cancel safety:* dropping the future only gives up its place in the queue.
    ///
    /// # Errors
    /// When the semaphore is closed.
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.raw.acquire(1).await?;
        Ok(SemaphorePermit::new(self, 1))
    }

    /// Waits for `n` permits; else as [`acquire`](Self::acquire).
    ///
    /// # Errors
    /// When the semaphore is closed.
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.raw.acquire(n as usize).await?;
        Ok(SemaphorePermit::new(self, n))
    }

    /// Takes one permit, if one is free and nobody waits.
    ///
    /// # Errors
    /// When there is none, or the semaphore is closed.
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits, if so many are free and nobody waits.
    ///
    /// # Errors
    /// When there are too few, or the semaphore is closed.
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.raw.try_acquire(n as usize)?;
        Ok(SemaphorePermit::new(self, n))
    }

    /// [`acquire`](Self::acquire) with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// When the semaphore is closed.
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.raw.acquire(1).await?;
        Ok(OwnedSemaphorePermit::new(self, 1))
    }

    /// [`acquire_many`](Self::acquire_many) with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// When the semaphore is closed.
    pub async fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.raw.acquire(n as usize).await?;
        Ok(OwnedSemaphorePermit::new(self, n))
    }

    /// [`try_acquire`](Self::try_acquire) with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// When there is none, or the semaphore is closed.
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// [`try_acquire_many`](Self::try_acquire_many) with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// When there are too few, or the semaphore is closed.
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.raw.try_acquire(n as usize)?;
        Ok(OwnedSemaphorePermit::new(self, n))
    }

    /// Waits for one permit on the current thread.
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        block::block_on(self.acquire())
    }

    /// Waits for `n` permits on the current thread.
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        block::block_on(self.acquire_many(n))
    }

    /// [`blocking_acquire`](Self::blocking_acquire) with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        block::block_on(self.acquire_owned())
    }

    /// [`blocking_acquire_many`](Self::blocking_acquire_many) with a permit that keeps the
    /// semaphore alive.
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        block::block_on(self.acquire_many_owned(n))
    }

    /// Grants no permits any more; all who wait get an error. Permits held stay valid.
    pub fn close(&self) {
        self.raw.close();
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.raw.is_closed()
    }
}
