//! Many senders, one receiver: [`channel`] holds so many values, [`unbounded_channel`] any number.

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
