//! Telling tasks that something happened, without a value: [`Notify`].

mod wait;
mod word;

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;
use yamanote_base::const_unless_model;
use yamanote_base::wait::{Locked, WaitQueue};

use word::NotifyWord;

pub(crate) use wait::NotifyWait;

/// Wakes one task, or all tasks, that wait for a notification.
///
/// A notification for one is stored when nobody waits (at most one is), so that the next to wait
/// gets it at once. A notification for all reaches every [`Notified`] that exists at that time,
/// polled or not, and is not stored.
///
/// What is done before a notification is seen by whoever it reaches.
///
/// ```
/// use std::sync::Arc;
/// use tokio::sync::Notify;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let ready = Arc::new(Notify::new());
/// let told = ready.clone();
/// let task = tokio::spawn(async move {
///     told.notified().await;
///     "ready"
/// });
/// ready.notify_one(); // before or after the other waits
/// assert_eq!(task.await.unwrap(), "ready");
/// # }
/// ```
///
/// Who waits for a state that others change and tell of by
/// [`notify_waiters`](Self::notify_waiters) makes the future first, looks at the state then, and
/// waits last, so that no change is missed in between:
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
/// use tokio::sync::Notify;
///
/// async fn opened(open: &AtomicBool, changed: &Notify) {
///     loop {
///         let change = changed.notified();
///         if open.load(SeqCst) {
///             return;
///         }
///         change.await;
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (open, changed) = (AtomicBool::new(false), Notify::new());
/// tokio::join!(opened(&open, &changed), async {
///     open.store(true, SeqCst);
///     changed.notify_waiters();
/// });
/// # }
/// ```
#[derive(Debug)]
pub struct Notify {
    word: NotifyWord,
    waiters: WaitQueue<(), Told>,
}

/// How a waiter that left the queue was notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// Alone, as the first in the queue.
    First,
    /// Alone, as the last in the queue.
    Last,
    /// With all others.
    All,
}

/// Who of those who wait is notified.
#[derive(Clone, Copy, Debug)]
enum Order {
    First,
    Last,
}

impl UnwindSafe for Notify {}
impl RefUnwindSafe for Notify {}

impl Notify {
    /// A `Notify` with nothing stored.
    #[must_use]
    pub fn new() -> Self {
        Self {
            word: NotifyWord::new(),
            waiters: WaitQueue::new(()),
        }
    }

    const_unless_model! {
        /// [`new`](Self::new), for statics.
        ///
        /// ```
        /// static STOP: tokio::sync::Notify = tokio::sync::Notify::const_new();
        /// STOP.notify_one();
        /// ```
        #[must_use]
        pub const fn const_new() -> Self {
            Self { word: NotifyWord::new(), waiters: WaitQueue::new(()) }
        }
    }

    /// Waits for a notification.
    ///
    /// The future takes its place in the queue when first polled (or [enabled](Notified::enable)),
    /// but hears of [`notify_waiters`](Self::notify_waiters) from now on.
    ///
    /// *Cancel safety:* dropping the future gives up its place; a notification that was meant for
    /// it alone goes to the next in line.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let notify = tokio::sync::Notify::new();
    /// let before = notify.notified();
    /// notify.notify_waiters();
    /// before.await; // though it was not polled in time
    /// # }
    /// ```
    #[inline]
    pub fn notified(&self) -> Notified<'_> {
        Notified { wait: self.wait() }
    }

    /// [`notified`](Self::notified) with a future that keeps the `Notify` alive.
    ///
    /// ```
    /// use std::sync::Arc;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let notify = Arc::new(tokio::sync::Notify::new());
    /// let waiting = tokio::spawn(notify.clone().notified_owned());
    /// notify.notify_one();
    /// waiting.await.unwrap();
    /// # }
    /// ```
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        OwnedNotified {
            wait: NotifyWait::new(self),
        }
    }

    /// Notifies the task that has waited longest, or stores the notification for the next.
    ///
    /// One notification is stored at most: several calls while nobody waits are as good as one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let notify = tokio::sync::Notify::new();
    /// notify.notify_one();
    /// notify.notified().await; // at once
    /// # }
    /// ```
    pub fn notify_one(&self) {
        self.notify(Order::First);
    }

    /// Notifies the task that came last, or stores the notification for the next.
    ///
    /// What one has started to work with last is most likely still in a processor's cache.
    ///
    /// ```
    /// use std::pin::pin;
    ///
    /// let notify = tokio::sync::Notify::new();
    /// let (mut first, mut last) = (pin!(notify.notified()), pin!(notify.notified()));
    /// assert!(!first.as_mut().enable() && !last.as_mut().enable());
    /// notify.notify_last();
    /// assert!(!first.enable() && last.enable());
    /// ```
    pub fn notify_last(&self) {
        self.notify(Order::Last);
    }

    /// Notifies everyone who waits now, or holds a future made before this; stores nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let notify = tokio::sync::Notify::new();
    /// let (one, two) = (notify.notified(), notify.notified());
    /// notify.notify_waiters();
    /// tokio::join!(one, two);
    /// # }
    /// ```
    pub fn notify_waiters(&self) {
        let locked = self.waiters.lock();
        self.word.begin_round();
        locked.wake_all(|told| *told = Told::All);
    }

    /// [`notified`](Self::notified), by its own name, for this crate's own futures.
    #[inline]
    pub(crate) fn wait(&self) -> NotifyWait<&Self> {
        NotifyWait::new(self)
    }

    #[inline]
    fn notify(&self, order: Order) {
        let mut locked = self.waiters.lock();
        let woken = self.tell_one(&mut locked, order);
        drop(locked);
        if let Some(waker) = woken {
            waker.wake();
        }
    }

    /// Notifies one waiter, whose waker it returns, or stores the notification.
    fn tell_one(&self, locked: &mut Locked<'_, (), Told>, order: Order) -> Option<Waker> {
        let woken = match order {
            Order::First => locked.pop_front_with(|told| *told = Told::First),
            Order::Last => locked.pop_back_with(|told| *told = Told::Last),
        };
        if woken.is_none() {
            self.word.store_permit();
        }
        woken
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

pin_project! {
    /// A future that waits for a notification; made by [`Notify::notified`].
    ///
    /// *Cancel safety:* dropped after it was notified alone and before it was polled again, it
    /// passes the notification on.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Notified<'a> {
        #[pin]
        wait: NotifyWait<&'a Notify>,
    }

    impl PinnedDrop for Notified<'_> {
        fn drop(this: Pin<&mut Self>) {
            this.project().wait.leave();
        }
    }
}

pin_project! {
    /// A [`Notified`] that keeps the [`Notify`] alive; made by [`Notify::notified_owned`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct OwnedNotified {
        #[pin]
        wait: NotifyWait<Arc<Notify>>,
    }

    impl PinnedDrop for OwnedNotified {
        fn drop(this: Pin<&mut Self>) {
            this.project().wait.leave();
        }
    }
}

impl Notified<'_> {
    /// Takes a place in the queue before the first poll; returns whether notified already.
    ///
    /// So the future does not miss a [`notify_one`](Notify::notify_one) that comes before its
    /// first poll: a look at some state can go between.
    ///
    /// ```
    /// use std::pin::pin;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let notify = tokio::sync::Notify::new();
    /// let mut notified = pin!(notify.notified());
    /// assert!(!notified.as_mut().enable());
    /// notify.notify_one(); // goes to `notified`, and is not stored
    /// assert!(notified.as_mut().enable());
    /// notified.await;
    /// # }
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.project().wait.enable()
    }
}

impl OwnedNotified {
    /// Takes a place in the queue before the first poll, as [`Notified::enable`].
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.project().wait.enable()
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().wait.poll_wait(cx)
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().wait.poll_wait(cx)
    }
}

impl fmt::Debug for NotifyWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.round().fmt(f)
    }
}
