//! Reserved room in a bounded channel.

use std::fmt;
use std::iter::FusedIterator;
use std::mem;

use super::bounded::Sender;

/// Room for one value, from [`Sender::reserve`]; given back when dropped unused.
///
/// It stays good when the receiver [closes](super::Receiver::close) the channel, which is over for
/// it only when each permit was used or dropped.
///
/// ```
/// use tokio::sync::mpsc;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (tx, mut rx) = mpsc::channel(1);
/// let permit = tx.reserve().await.unwrap();
/// rx.close();
/// permit.send(1); // what has room still arrives
/// assert_eq!((rx.recv().await, rx.recv().await), (Some(1), None));
/// # }
/// ```
#[must_use]
pub struct Permit<'a, T> {
    sender: &'a Sender<T>,
}

/// Room for several values, from [`Sender::reserve_many`]: one [`Permit`] after another, the rest
/// is given back when dropped.
///
/// ```
/// use tokio::sync::mpsc;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (tx, mut rx) = mpsc::channel(3);
/// let mut permits = tx.reserve_many(3).await.unwrap();
/// permits.next().unwrap().send(1);
/// assert_eq!((permits.len(), tx.capacity()), (2, 0));
/// drop(permits);
/// assert_eq!((rx.len(), tx.capacity()), (1, 2));
/// # }
/// ```
#[must_use]
pub struct PermitIterator<'a, T> {
    sender: &'a Sender<T>,
    left: usize,
}

/// A [`Permit`] that holds its sender, from [`Sender::reserve_owned`]: for other tasks and structs.
#[must_use]
pub struct OwnedPermit<T> {
    /// `None` once used.
    sender: Option<Sender<T>>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(sender: &'a Sender<T>) -> Self {
        Self { sender }
    }
}

impl<T> Permit<'_, T> {
    /// Sends `value`. It is lost if the receiver was dropped since the room was reserved.
    pub fn send(self, value: T) {
        let sender = self.sender;
        // The room is used: the receiver gives it back. (First: to push wakes the receiver, which
        // may panic.)
        mem::forget(self);
        sender.push(value);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.sender.give_back(1);
    }
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(sender: &'a Sender<T>, left: usize) -> Self {
        Self { sender, left }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.left = self.left.checked_sub(1)?;
        Some(Permit::new(self.sender))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        if self.left > 0 {
            self.sender.give_back(self.left);
        }
    }
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(sender: Sender<T>) -> Self {
        Self {
            sender: Some(sender),
        }
    }

    /// Sends `value` and returns the sender. It is lost if the receiver was dropped since the
    /// room was reserved.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = mpsc::channel(2);
    /// let tx = tx.reserve_owned().await.unwrap().send(1);
    /// tx.reserve_owned().await.unwrap().send(2);
    /// assert_eq!((rx.recv().await, rx.recv().await), (Some(1), Some(2)));
    /// # }
    /// ```
    pub fn send(mut self, value: T) -> Sender<T> {
        let sender = self.take();
        sender.push(value);
        sender
    }

    /// Gives the room back and returns the sender.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, _rx) = mpsc::channel::<u8>(1);
    /// let permit = tx.reserve_owned().await.unwrap();
    /// assert_eq!(permit.release().capacity(), 1);
    /// # }
    /// ```
    pub fn release(mut self) -> Sender<T> {
        let sender = self.take();
        sender.give_back(1);
        sender
    }

    /// Whether both are of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.sender().same_channel(other.sender())
    }

    /// Whether `sender` sends to this permit's channel.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.sender().same_channel(sender)
    }

    fn sender(&self) -> &Sender<T> {
        self.sender.as_ref().expect("it is taken by value only")
    }

    fn take(&mut self) -> Sender<T> {
        self.sender.take().expect("it is taken by value only")
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.give_back(1);
        }
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("sender", self.sender)
            .finish()
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator")
            .field("sender", self.sender)
            .field("capacity", &self.left)
            .finish()
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit")
            .field("sender", &self.sender)
            .finish()
    }
}
