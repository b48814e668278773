//! A cell that is set once and can be waited for: [`SetOnce`].

use std::error::Error;
use std::fmt;

use yamanote_base::const_unless_model;

use crate::notify::Notify;
use crate::once_value::{OnceValue, once_traits};

/// A cell that holds nothing, and then one value for good, for which tasks may wait.
///
/// ```
/// use std::sync::Arc;
/// use tokio::sync::SetOnce;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let answer = Arc::new(SetOnce::new());
/// let waiting = answer.clone();
/// let task = tokio::spawn(async move { *waiting.wait().await });
/// answer.set(42).unwrap();
/// assert_eq!(task.await.unwrap(), 42);
/// assert_eq!(answer.set(43).unwrap_err().0, 43);
/// # }
/// ```
pub struct SetOnce<T> {
    value: OnceValue<T>,
    /// Told, all at once, when `value` is set.
    set: Notify,
}

/// The cell has a value already; with the value that was to be in it.
#[derive(Debug, PartialEq, Eq)]
pub struct SetOnceError<T>(pub T);

once_traits! { SetOnce }

impl<T> SetOnce<T> {
    /// An empty cell.
    #[must_use]
    pub fn new() -> Self {
        Self {
            value: OnceValue::empty(),
            set: Notify::new(),
        }
    }

    const_unless_model! {
        /// [`new`](Self::new), for statics.
        #[must_use]
        pub const fn const_new() -> Self {
            Self { value: OnceValue::empty(), set: Notify::const_new() }
        }

        /// A cell that holds `value`, for statics.
        ///
        /// ```
        /// static FULL: tokio::sync::SetOnce<u8> = tokio::sync::SetOnce::const_new_with(4);
        /// assert_eq!(FULL.get(), Some(&4));
        /// ```
        #[must_use]
        pub const fn const_new_with(value: T) -> Self {
            Self { value: OnceValue::full(value), set: Notify::const_new() }
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

    /// Sets the value and wakes all who wait for it.
    ///
    /// # Errors
    /// When it is set already, or just being set; `value` comes back with the error.
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        self.value.set(value).map_err(SetOnceError)?;
        self.set.notify_waiters();
        Ok(())
    }

    /// The value, out of the cell.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Waits for the value.
    ///
    /// *Cancel safety:* dropping the future leaves no trace.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cell = tokio::sync::SetOnce::new();
    /// let (seen, set) = tokio::join!(cell.wait(), async { cell.set("value") });
    /// assert!(set.is_ok());
    /// assert_eq!(*seen, "value");
    /// # }
    /// ```
    pub async fn wait(&self) -> &T {
        // Two turns at most: told of `set`, the value is there.
        loop {
            // Before the look at the value, so that a `set` in between is heard of.
            let set = self.set.wait();
            if let Some(value) = self.value.get() {
                return value;
            }
            set.await;
        }
    }
}

impl<T> From<T> for SetOnce<T> {
    fn from(value: T) -> Self {
        Self {
            value: OnceValue::full(value),
            set: Notify::new(),
        }
    }
}

impl<T> fmt::Display for SetOnceError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetOnceError")
    }
}

impl<T: fmt::Debug> Error for SetOnceError<T> {}
