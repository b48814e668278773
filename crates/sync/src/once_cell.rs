//! A cell that is filled once, by an asynchronous initialiser if need be: [`OnceCell`].

use std::error::Error;
use std::fmt;
use std::future::Future;

use yamanote_base::const_unless_model;

use crate::once_value::{OnceValue, once_traits};
use crate::semaphore::{PermitUse, RawSemaphore, TryAcquireError};

/// A cell that holds nothing, and then one value for good.
///
/// If the initialiser fails, panics or is cancelled, the next one who waits tries its own.
///
/// ```
/// use tokio::sync::OnceCell;
///
/// async fn settings() -> &'static str {
///     static SETTINGS: OnceCell<String> = OnceCell::const_new();
///     SETTINGS.get_or_init(|| async { "read once".to_owned() }).await
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (one, two) = tokio::join!(settings(), settings());
/// assert!(std::ptr::eq(one, two));
/// # }
/// ```
pub struct OnceCell<T> {
    value: OnceValue<T>,
    /// Its one permit is the right to initialise. Once `value` is set, there is none any more: it
    /// was closed, or never had one.
    right: RawSemaphore,
}

/// Why a cell could not be set; with the value that was to be in it.
#[derive(Debug, PartialEq, Eq)]
pub enum SetError<T> {
    /// It has a value already.
    AlreadyInitializedError(T),
    /// Somebody else is just initialising it.
    InitializingError(T),
}

once_traits! { OnceCell }

/// The right to initialise; given back when dropped without a value.
struct InitRight<'a>(&'a RawSemaphore);

impl Drop for InitRight<'_> {
    fn drop(&mut self) {
        self.0.release(1);
    }
}

impl<T> OnceCell<T> {
    /// An empty cell.
    #[must_use]
    pub fn new() -> Self {
        Self {
            value: OnceValue::empty(),
            right: RawSemaphore::new(1),
        }
    }

    const_unless_model! {
        /// [`new`](Self::new), for statics.
        #[must_use]
        pub const fn const_new() -> Self {
            Self { value: OnceValue::empty(), right: RawSemaphore::new(1) }
        }

        /// A cell that holds `value`, for statics.
        ///
        /// ```
        /// static FULL: tokio::sync::OnceCell<u8> = tokio::sync::OnceCell::const_new_with(4);
        /// assert_eq!(FULL.get(), Some(&4));
        /// ```
        #[must_use]
        pub const fn const_new_with(value: T) -> Self {
            // No permit is ever free, so nobody waits for one before finding the value.
            Self { value: OnceValue::full(value), right: RawSemaphore::new(0) }
        }
    }

    /// A cell that holds `value`, if that is one.
    #[must_use]
    pub fn new_with(value: Option<T>) -> Self {
        match value {
            Some(value) => Self::from(value),
            None => Self::new(),
        }
    }

    /// Whether the cell has its value.
    pub fn initialized(&self) -> bool {
        self.value.is_set()
    }

    /// The value, if the cell has it.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, to be changed, if the cell has it.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Sets the value, if the cell is empty and nobody is initialising it.
    ///
    /// # Errors
    /// When it is set, or about to be; `value` comes back with the error.
    ///
    /// ```
    /// use tokio::sync::{OnceCell, SetError};
    ///
    /// let cell = OnceCell::new();
    /// assert!(cell.set(1).is_ok());
    /// assert_eq!(cell.set(2), Err(SetError::AlreadyInitializedError(2)));
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        match self.right.try_acquire(1) {
            Ok(()) => {
                self.fill(InitRight(&self.right), value);
                Ok(())
            }
            Err(_) if self.initialized() => Err(SetError::AlreadyInitializedError(value)),
            Err(TryAcquireError::NoPermits) => Err(SetError::InitializingError(value)),
            Err(TryAcquireError::Closed) => unreachable!("it is closed after the value was set"),
        }
    }

    /// The value; if there is none yet, that of `f`, which only one caller at a time runs.
    ///
    /// An initialiser that waits for its own cell waits forever.
    ///
    /// *Cancel safety:* dropping the future while `f` runs leaves the cell to the next caller.
    ///
    /// *Panics* of `f` are the caller's, and leave the cell to the next.
    pub async fn get_or_init<F, Fut>(&self, f: F) -> &T
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        if let Some(value) = self.get() {
            return value;
        }
        let Ok(()) = self.right.acquire(1, PermitUse::Cell).await else {
            return self.expect_value();
        };
        let right = InitRight(&self.right);
        let value = f().await;
        self.fill(right, value)
    }

    /// [`get_or_init`](Self::get_or_init) with an initialiser that may fail.
    ///
    /// # Errors
    /// The error of `f`; the cell stays empty then.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cell = tokio::sync::OnceCell::new();
    /// assert_eq!(cell.get_or_try_init(|| async { Err("no") }).await, Err("no"));
    /// assert_eq!(cell.get_or_try_init(|| async { Ok::<_, ()>(1) }).await, Ok(&1));
    /// assert_eq!(cell.get_or_try_init(|| async { Err("not run") }).await, Ok(&1));
    /// # }
    /// ```
    pub async fn get_or_try_init<E, F, Fut>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let Ok(()) = self.right.acquire(1, PermitUse::Cell).await else {
            return Ok(self.expect_value());
        };
        let right = InitRight(&self.right);
        let value = f().await?;
        Ok(self.fill(right, value))
    }

    /// The value, out of the cell.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// The value, out of the cell, which is empty afterwards.
    ///
    /// ```
    /// let mut cell = tokio::sync::OnceCell::from(1);
    /// assert_eq!((cell.take(), cell.take()), (Some(1), None));
    /// ```
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }

    /// Fills the cell, by the right to do so, and tells those who wait.
    fn fill(&self, right: InitRight<'_>, value: T) -> &T {
        assert!(self.value.set(value).is_ok(), "one right, one value");
        self.right.close();
        // Kept for good: nobody initialises a second time.
        std::mem::forget(right);
        self.expect_value()
    }

    fn expect_value(&self) -> &T {
        self.value
            .get()
            .expect("the right is closed once the value is set")
    }
}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        Self {
            value: OnceValue::full(value),
            right: RawSemaphore::new(0),
        }
    }
}

impl<T> SetError<T> {
    /// Whether the cell had a value already.
    pub fn is_already_init_err(&self) -> bool {
        matches!(self, Self::AlreadyInitializedError(_))
    }

    /// Whether somebody else was just initialising the cell.
    pub fn is_initializing_err(&self) -> bool {
        matches!(self, Self::InitializingError(_))
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyInitializedError(_) => "AlreadyInitializedError",
            Self::InitializingError(_) => "InitializingError",
        })
    }
}

impl<T: fmt::Debug> Error for SetError<T> {}
