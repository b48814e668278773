//! Many senders, one receiver: [`channel`] holds so many values, [`unbounded_channel`] any number.
//!
//! Values of one sender arrive in the order in which it sent them. A bounded channel slows down
//! senders that are faster than the receiver: they wait for room, first come, first served. An
//! unbounded one does not, and grows with the backlog.
//!
//! The channel ends from either side. When the last sender has gone the receiver takes what is
//! left and then gets `None`. When the receiver is dropped, or [closes](Receiver::close) the
//! channel, sending fails and gives the value back.
//!
//! Threads outside of the runtime take part: [`Sender::blocking_send`] and
//! [`Receiver::blocking_recv`] wait there, and [`UnboundedSender::send`] needs no waiting at all.
//! The channels need no runtime, except for [`Sender::send_timeout`].
//!
//! ```
//! use tokio::sync::mpsc;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let (tx, mut rx) = mpsc::channel(8);
//! for worker in 0..3 {
//!     let tx = tx.clone();
//!     tokio::spawn(async move { tx.send(worker).await });
//! }
//! drop(tx); // else the loop would wait for it
//! let mut sum = 0;
//! while let Some(n) = rx.recv().await {
//!     sum += n;
//! }
//! assert_eq!(sum, 3);
//! # }
//! ```

mod block;
mod bounded;
mod channel;
pub mod error;
mod list;
mod permit;
mod receiver;
mod unbounded;
mod weak;

pub use bounded::{Sender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use receiver::{Receiver, UnboundedReceiver};
pub use unbounded::{UnboundedSender, unbounded_channel};
pub use weak::{WeakSender, WeakUnboundedSender};
