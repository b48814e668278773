//! Why a task gave no output: [`JoinError`].

use std::any::Any;
use std::fmt;
use std::io;

use yamanote_base::lock::Mutex;

use crate::id::Id;

/// A task gave no output: it was cancelled, or it panicked.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = tokio::spawn(async { panic!("no luck") }).await.unwrap_err();
/// assert!(error.to_string().ends_with(r#"panicked with message "no luck""#));
/// let payload = error.into_panic();
/// assert_eq!(*payload.downcast::<&str>().unwrap(), "no luck");
/// # }
/// ```
pub struct JoinError {
    cause: Cause,
    id: Id,
}

/// A [`JoinError`] without the id, which its task knows.
pub(crate) enum Cause {
    Cancelled,
    /// In a lock only so that the error is `Sync`, which the payload is not; in a box so that
    /// results, which each task has room for, stay small.
    Panic(Box<Mutex<Box<dyn Any + Send + 'static>>>),
}

impl Cause {
    /// It panicked with `payload`.
    pub(crate) fn panic(payload: Box<dyn Any + Send + 'static>) -> Self {
        Cause::Panic(Box::new(Mutex::new(payload)))
    }
}

impl JoinError {
    /// Why the task `id` gave no output.
    pub(crate) fn new(cause: Cause, id: Id) -> Self {
        Self { cause, id }
    }

    /// Whether the task was cancelled: by an abort, or because its runtime shut down.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.cause, Cause::Cancelled)
    }

    /// Whether the task panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.cause, Cause::Panic(_))
    }

    /// What the task panicked with; to be passed on with
    /// [`resume_unwind`](std::panic::resume_unwind), or to be looked at.
    ///
    /// # Panics
    /// When it did not panic.
    #[track_caller]
    #[must_use]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic()
            .expect("`JoinError` reason is not a panic.")
    }

    /// What the task panicked with.
    ///
    /// # Errors
    /// The error itself, when the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.cause {
            Cause::Panic(payload) => Ok(payload.into_inner()),
            Cause::Cancelled => Err(self),
        }
    }

    /// The id of the task.
    #[must_use]
    pub fn id(&self) -> Id {
        self.id
    }
}

/// The message of a panic, if its payload is one.
fn message(payload: &Mutex<Box<dyn Any + Send + 'static>>) -> Option<String> {
    let payload = payload.lock();
    if let Some(message) = payload.downcast_ref::<&'static str>() {
        return Some((*message).to_owned());
    }
    payload.downcast_ref::<String>().cloned()
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Cancelled => write!(f, "task {} was cancelled", self.id),
            Cause::Panic(payload) => match message(payload) {
                Some(message) => {
                    write!(f, "task {} panicked with message {message:?}", self.id)
                }
                None => write!(f, "task {} panicked", self.id),
            },
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Cancelled => write!(f, "JoinError::Cancelled({:?})", self.id),
            Cause::Panic(payload) => match message(payload) {
                Some(message) => write!(f, "JoinError::Panic({:?}, {message:?}, ...)", self.id),
                None => write!(f, "JoinError::Panic({:?}, ...)", self.id),
            },
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(match error.cause {
            Cause::Cancelled => "task was cancelled",
            Cause::Panic(_) => "task panicked",
        })
    }
}
