//! A counting semaphore that tasks wait for: [`Semaphore`].

mod error;
mod needed;
mod permit;
mod raw;
mod word;

use std::fmt;
use std::sync::Arc;

use yamanote_base::{block, const_unless_model};
use yamanote_trace::{Resource, op, resource};

pub use error::{AcquireError, TryAcquireError, TryLockError};
pub(crate) use needed::PermitUse;
pub use permit::{OwnedSemaphorePermit, SemaphorePermit};
pub(crate) use raw::{Acquire, RawSemaphore};

/// Permits that tasks take, hold and give back; a fair queue forms when none is left.
///
/// First come, first served, also between requests of different size: a large one at the head of
/// the queue is not overtaken by small ones.
///
/// At most so many at a time:
///
/// ```
/// use std::sync::Arc;
/// use tokio::sync::Semaphore;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let slots = Arc::new(Semaphore::new(2));
/// let mut jobs = tokio::task::JoinSet::new();
/// for job in 0..8 {
///     let slot = slots.clone().acquire_owned().await.unwrap();
///     jobs.spawn(async move {
///         let _slot = slot; // given back at the end of the job
///         job
///     });
///     assert!(slots.available_permits() < 2);
/// }
/// assert_eq!(jobs.join_all().await.len(), 8);
/// assert_eq!(slots.available_permits(), 2);
/// # }
/// ```
///
/// A permit that is [forgotten](SemaphorePermit::forget), and others that are
/// [added](Self::add_permits) by a clock, make a limit of the rate instead.
pub struct Semaphore {
    raw: RawSemaphore,
    resource: Resource,
}

impl Semaphore {
    /// The most permits that a semaphore may hold: `usize::MAX >> 3`.
    pub const MAX_PERMITS: usize = raw::MAX_PERMITS;

    /// A semaphore with `permits` free ones.
    ///
    /// # Panics
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    #[must_use]
    pub fn new(permits: usize) -> Self {
        let resource = resource!("tokio::sync::semaphore", "Semaphore", "Sync");
        Self {
            raw: resource.in_scope(|| RawSemaphore::listed(permits)),
            resource,
        }
    }

    const_unless_model! {
        /// [`new`](Self::new), for statics. Consoles do not list it.
        ///
        /// # Panics
        /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
        ///
        /// ```
        /// static SLOTS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);
        /// assert_eq!(SLOTS.available_permits(), 2);
        /// ```
        #[track_caller]
        #[must_use]
        pub const fn const_new(permits: usize) -> Self {
            Self { raw: RawSemaphore::new(permits), resource: Resource::none() }
        }
    }

    /// How many permits are free. None are while somebody waits.
    pub fn available_permits(&self) -> usize {
        self.raw.available()
    }

    /// Adds `n` permits, which those who wait get first.
    ///
    /// # Panics
    /// When there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// ```
    /// let semaphore = tokio::sync::Semaphore::new(0);
    /// semaphore.add_permits(3);
    /// assert_eq!(semaphore.available_permits(), 3);
    /// ```
    #[inline]
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.raw.release(n);
    }

    /// Destroys up to `n` free permits; returns how many.
    ///
    /// ```
    /// let semaphore = tokio::sync::Semaphore::new(3);
    /// assert_eq!((semaphore.forget_permits(2), semaphore.forget_permits(2)), (2, 1));
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        self.raw.forget(n)
    }

    /// Waits for one permit, which is given back when dropped.
    ///
    /// *Cancel safety:* dropping the future only gives up its place in the queue.
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let semaphore = tokio::sync::Semaphore::new(1);
    /// let permit = semaphore.acquire().await.unwrap();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// drop(permit);
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # }
    /// ```
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        let waits = !self.raw.take_charged(1);
        if waits {
            self.wait(1, "Semaphore::acquire").await?;
        }
        Ok(SemaphorePermit::new(self, 1, waits))
    }

    /// Waits for `n` permits at once; else as [`acquire`](Self::acquire).
    ///
    /// What comes meanwhile is put by for it, so that small requests cannot starve a large one.
    ///
    /// *Cancel safety:* dropping the future gives back what was put by, and its place.
    ///
    /// # Errors
    /// When the semaphore is closed.
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        let waits = !self.raw.take_charged(n as usize);
        if waits {
            self.wait(n, "Semaphore::acquire_many").await?;
        }
        Ok(SemaphorePermit::new(self, n, waits))
    }

    /// Takes one permit, if one is free and nobody waits.
    ///
    /// # Errors
    /// When there is none, or the semaphore is closed.
    ///
    /// ```
    /// use tokio::sync::{Semaphore, TryAcquireError};
    ///
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    /// semaphore.close();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    /// ```
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits, if so many are free and nobody waits.
    ///
    /// # Errors
    /// When there are too few, or the semaphore is closed.
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.raw.try_acquire(n as usize)?;
        Ok(SemaphorePermit::new(self, n, false))
    }

    /// [`acquire`](Self::acquire) with a permit that keeps the semaphore alive and borrows nothing.
    ///
    /// # Errors
    /// When the semaphore is closed.
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        let waits = !self.raw.take_charged(1);
        if waits {
            self.wait(1, "Semaphore::acquire_owned").await?;
        }
        Ok(OwnedSemaphorePermit::new(self, 1, waits))
    }

    /// [`acquire_many`](Self::acquire_many) with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// When the semaphore is closed.
    pub async fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        let waits = !self.raw.take_charged(n as usize);
        if waits {
            self.wait(n, "Semaphore::acquire_many_owned").await?;
        }
        Ok(OwnedSemaphorePermit::new(self, n, waits))
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
        Ok(OwnedSemaphorePermit::new(self, n, false))
    }

    /// Waits for one permit on the current thread: for code that is not asynchronous.
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    ///
    /// ```
    /// let semaphore = tokio::sync::Semaphore::new(1);
    /// let permit = semaphore.blocking_acquire().unwrap();
    /// assert_eq!((permit.num_permits(), semaphore.available_permits()), (1, 0));
    /// ```
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        block::block_on(self.acquire())
    }

    /// Waits for `n` permits; else as [`blocking_acquire`](Self::blocking_acquire).
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let semaphore = tokio::sync::Semaphore::new(0);
    /// let (waited, ()) = tokio::join!(semaphore.acquire(), async { semaphore.close() });
    /// assert!(waited.is_err() && semaphore.is_closed());
    /// # }
    /// ```
    pub fn close(&self) {
        self.raw.close();
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.raw.is_closed()
    }

    /// Gives permits back; `waited` says whether they had to be waited for: then others most likely
    /// do.
    #[inline]
    fn give_back(&self, permits: usize, waited: bool) {
        self.raw.release_expecting(permits, waited);
    }

    /// Waits for `n` permits that could not be had at once; `source` is what the wait is called
    /// where waits are listed.
    async fn wait(&self, n: u32, source: &'static str) -> Result<(), AcquireError> {
        let op = op!("tokio::sync::semaphore", &self.resource, source);
        let acquire = self.raw.acquire(n as usize, PermitUse::Semaphore);
        op.wrap("poll", acquire).await
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("permits", &self.available_permits())
            .finish()
    }
}
