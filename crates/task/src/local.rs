//! Values that belong to a task: [`LocalKey`].
//!
//! While a scope's future is polled (or dropped), its value lies in a thread-local; between
//! polls it lies in the future.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use pin_project_lite::pin_project;

/// The key of a task-local value; declared by `task_local!`.
///
/// It has a value only inside of its scopes: those of [`scope`](Self::scope), whatever threads
/// they are polled on, and [`sync_scope`](Self::sync_scope). Scopes may be nested; the innermost
/// counts.
///
/// ```
/// tokio::task_local! {
///     static USER: String;
/// }
///
/// async fn greeting() -> String {
///     USER.with(|user| format!("hello {user}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(USER.scope("alice".to_owned(), greeting()).await, "hello alice");
/// assert!(USER.try_get().is_err());
/// # }
/// ```
pub struct LocalKey<T: 'static> {
    /// Where the value lies while its scope runs. For `task_local!` only.
    #[doc(hidden)]
    pub inner: thread::LocalKey<RefCell<Option<T>>>,
}

/// There is no value: no scope of the key runs on this thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessError {
    _private: (),
}

pin_project! {
    /// A future in whose polls a task-local has a value; made by [`LocalKey::scope`].
    ///
    /// Also its destructor sees the value.
    pub struct TaskLocalFuture<T, F>
    where
        T: 'static,
    {
        key: &'static LocalKey<T>,
        value: Option<T>,
        #[pin]
        future: Option<F>,
        #[pin]
        _pin: PhantomPinned,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                // So that the future's destructor sees the value; without one it must do alone.
                let key = *this.key;
                let dropped = key.enter(this.value, || this.future.set(None));
                if dropped.is_err() {
                    this.future.set(None);
                }
            }
        }
    }
}

/// Why a scope was not entered.
enum ScopeError {
    Borrowed,
    Destroyed,
}

impl<T: 'static> LocalKey<T> {
    /// Awaits `future`, in which the key has `value`.
    ///
    /// *Cancel safety:* as that of `future`.
    pub fn scope<F>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F>
    where
        F: Future,
    {
        TaskLocalFuture {
            key: self,
            value: Some(value),
            future: Some(future),
            _pin: PhantomPinned,
        }
    }

    /// Calls `f`, in which the key has `value`.
    ///
    /// # Panics
    /// When called from within [`with`](Self::with) of the same key.
    ///
    /// ```
    /// tokio::task_local! {
    ///     static DEPTH: u32;
    /// }
    /// assert_eq!(DEPTH.sync_scope(1, || DEPTH.get() + 1), 2);
    /// ```
    #[track_caller]
    pub fn sync_scope<F, R>(&'static self, value: T, f: F) -> R
    where
        F: FnOnce() -> R,
    {
        let mut value = Some(value);
        match self.enter(&mut value, f) {
            Ok(result) => result,
            Err(error) => error.panic(),
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Panics
    /// Outside of all scopes of the key.
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        match self.try_with(f) {
            Ok(result) => result,
            Err(_) => panic!("cannot access a task-local storage value without setting it first"),
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Errors
    /// Outside of all scopes of the key.
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        let found = self.inner.try_with(|slot| slot.borrow().as_ref().map(f));
        found.ok().flatten().ok_or(AccessError { _private: () })
    }

    /// Runs `f` with `value` in the thread-local, and takes it back afterwards, also when `f`
    /// panics.
    fn enter<R>(
        &'static self,
        value: &mut Option<T>,
        f: impl FnOnce() -> R,
    ) -> Result<R, ScopeError> {
        struct Leave<'a, T: 'static>(&'static LocalKey<T>, &'a mut Option<T>);

        impl<T: 'static> Drop for Leave<'_, T> {
            fn drop(&mut self) {
                // It could be swapped in, on this thread, and borrows have ended since.
                let _ = self.0.swap(self.1);
            }
        }

        self.swap(value)?;
        let _leave = Leave(self, value);
        Ok(f())
    }

    fn swap(&'static self, value: &mut Option<T>) -> Result<(), ScopeError> {
        let swapped = self.inner.try_with(|slot| {
            let mut slot = slot.try_borrow_mut().map_err(|_| ScopeError::Borrowed)?;
            std::mem::swap(&mut *slot, value);
            Ok(())
        });
        swapped.unwrap_or(Err(ScopeError::Destroyed))
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// A clone of the value.
    ///
    /// # Panics
    /// Outside of all scopes of the key.
    #[track_caller]
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }

    /// A clone of the value.
    ///
    /// # Errors
    /// Outside of all scopes of the key.
    pub fn try_get(&'static self) -> Result<T, AccessError> {
        self.try_with(T::clone)
    }
}

impl ScopeError {
    #[track_caller]
    fn panic(self) -> ! {
        match self {
            ScopeError::Borrowed => {
                panic!("cannot enter a task-local scope while the task-local storage is borrowed")
            }
            ScopeError::Destroyed => panic!(
                "cannot enter a task-local scope during or after destruction of the underlying \
                 thread-local"
            ),
        }
    }
}

impl<T, F> TaskLocalFuture<T, F> {
    /// Takes the value out; there is none while the future is polled, and after it was taken.
    ///
    /// For what a scope has gathered, when its future has ended.
    ///
    /// ```
    /// use std::cell::RefCell;
    ///
    /// tokio::task_local! {
    ///     static WORDS: RefCell<Vec<&'static str>>;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut scope = Box::pin(WORDS.scope(RefCell::default(), async {
    ///     WORDS.with(|words| words.borrow_mut().push("done"));
    /// }));
    /// scope.as_mut().await;
    /// assert_eq!(scope.as_mut().take_value().unwrap().into_inner(), ["done"]);
    /// # }
    /// ```
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().value.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let key = *this.key;
        let polled = key.enter(this.value, || {
            let future = this.future.as_mut().as_pin_mut()?;
            let polled = future.poll(cx);
            if polled.is_ready() {
                // Dropped within the scope, so that its destructor sees the value.
                this.future.set(None);
            }
            Some(polled)
        });
        match polled {
            Ok(Some(polled)) => polled,
            Ok(None) => panic!("`TaskLocalFuture` polled after completion"),
            Err(error) => error.panic(),
        }
    }
}

impl<T: fmt::Debug + 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("TaskLocalFuture");
        match &self.value {
            Some(value) => text.field("value", value),
            None => text.field("value", &format_args!("<missing>")),
        };
        text.finish()
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("LocalKey { .. }")
    }
}

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task-local value not set")
    }
}

impl Error for AccessError {}
