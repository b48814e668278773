//! Many senders, one receiver: [`channel`] holds so many values, [`unbounded_channel`] any number.
//!
//! Values of one sender arrive in order. A bounded channel slows fast senders down: they wait for
//! room, first come, first served. An unbounded one does not, and grows with the backlog.
//!
//! When the last sender has gone the receiver takes what is left and then gets `None`. When the
//! receiver is dropped, or [closes](Receiver::close) the channel, sending gives the value back.
//!
//! Other threads use [`Sender::blocking_send`], [`Receiver::blocking_recv`] and
//! [`UnboundedSender::send`]. Only [`Sender::send_timeout`] needs a runtime.
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
mod sending;
mod unbounded;
mod weak;

pub use bounded::{Sender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use receiver::{Receiver, UnboundedReceiver};
pub use unbounded::{UnboundedSender, unbounded_channel};
pub use weak::{WeakSender, WeakUnboundedSender};
