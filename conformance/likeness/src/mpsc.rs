//! Channels of many senders and one receiver, bounded and not.

use std::fmt::Debug;

use tokio::sync::mpsc::{
    self, OwnedPermit, PermitIterator, Receiver, Sender, UnboundedReceiver, UnboundedSender,
    WeakSender, WeakUnboundedSender,
};

use crate::trial::{Operation, Outcome, Trial, go_on};
use crate::turn::Turn;

/// The ends of a channel, and the number that was sent last.
struct Ends<Tx: 'static, Weak, Rx> {
    senders: Vec<Tx>,
    weak: Vec<Weak>,
    receiver: Turn<Rx>,
    last: u32,
    /// A sender that lives for ever, which permits of several at once borrow.
    lasting: Option<&'static Tx>,
}

type Bounded = Ends<Sender<u32>, WeakSender<u32>, Receiver<u32>>;
type Unbounded = Ends<UnboundedSender<u32>, WeakUnboundedSender<u32>, UnboundedReceiver<u32>>;

impl<Tx, Weak, Rx: 'static> Ends<Tx, Weak, Rx> {
    fn new(sender: Tx, receiver: Rx) -> Self {
        Ends {
            senders: vec![sender],
            weak: Vec::new(),
            receiver: Turn::new(receiver),
            last: 0,
            lasting: None,
        }
    }

    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }
}

/// What both kinds of channel have.
trait Channel: Sized {
    fn downgrade(&mut self);
    fn upgrade(&mut self) -> Option<bool>;
    fn clone_sender(&mut self);
    fn drop_sender(&mut self) -> bool;
    fn counts(&self) -> Option<impl Debug>;
    fn close(&mut self, trial: &mut Trial);
    fn drop_receiver(&mut self) -> bool;
    fn receive(&mut self, trial: &mut Trial);
    fn receive_many(&mut self, trial: &mut Trial);
    fn try_receive(&mut self, trial: &mut Trial);
    fn closed(&mut self, trial: &mut Trial);
}

macro_rules! channel {
    ($ends:ident, $($capacity:ident)*) => {
        impl Channel for $ends {
            fn downgrade(&mut self) {
                let weak = self.senders.iter().take(1).map(|sender| sender.downgrade());
                self.weak.extend(weak);
            }

            fn upgrade(&mut self) -> Option<bool> {
                let sender = self.weak.pop()?.upgrade();
                let upgraded = sender.is_some();
                self.senders.extend(sender);
                Some(upgraded)
            }

            fn clone_sender(&mut self) {
                self.senders.extend(self.senders.first().cloned());
            }

            fn drop_sender(&mut self) -> bool {
                self.senders.pop().is_some()
            }

            fn counts(&self) -> Option<impl Debug> {
                let sender = self.senders.first()?;
                let counts = (sender.strong_count(), sender.weak_count());
                Some((counts, sender.is_closed(), $(sender.$capacity(),)*))
            }

            fn close(&mut self, trial: &mut Trial) {
                self.receiver.now(trial, "close", |receiver| receiver.close());
            }

            fn drop_receiver(&mut self) -> bool {
                self.receiver.take().is_some()
            }

            fn receive(&mut self, trial: &mut Trial) {
                self.receiver.start(trial, "recv", async |receiver| {
                    Outcome::of(receiver.recv().await)
                });
            }

            fn receive_many(&mut self, trial: &mut Trial) {
                let limit = trial.below(4);
                let what = format!("recv_many {limit}");
                self.receiver.start(trial, &what, async move |receiver| {
                    let mut values = Vec::new();
                    let n = receiver.recv_many(&mut values, limit).await;
                    Outcome::of((n, values))
                });
            }

            fn try_receive(&mut self, trial: &mut Trial) {
                self.receiver.now(trial, "try_recv", |receiver| {
                    let got = receiver.try_recv().map_err(|error| error.to_string());
                    let left = (receiver.len(), receiver.is_empty(), receiver.is_closed());
                    let senders = (receiver.sender_strong_count(), receiver.sender_weak_count());
                    (got, left, senders, $(receiver.$capacity(),)*)
                });
            }

            fn closed(&mut self, trial: &mut Trial) {
                if let Some(sender) = self.senders.first().cloned() {
                    trial.start("closed", async move { Outcome::after(sender.closed()).await });
                }
            }
        }
    };
}

channel!(Bounded, capacity max_capacity);
channel!(Unbounded,);

/// A channel in which a few values have room, with permits of each kind.
pub(crate) fn bounded(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Bounded>] = &[
        (16, send),
        (8, reserve),
        (8, reserve_many),
        (8, try_send),
        (8, try_reserve),
        (8, try_reserve_many),
        (12, use_permit),
        (8, use_permits),
        (20, |ends, trial| ends.receive(trial)),
        (60, any),
    ];
    let room = 1 + trial.below(4);
    let (sender, receiver) = mpsc::channel(room);
    let mut ends = Bounded::new(sender, receiver);
    // In the other half of the programs the last sender goes.
    if trial.one_in(2) {
        ends.lasting = Some(Box::leak(Box::new(ends.senders[0].clone())));
    }
    trial.run(150, &mut ends, OPERATIONS);
}

/// A channel that has room for everything.
pub(crate) fn unbounded(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Unbounded>] = &[
        (2, |ends, trial| {
            let value = ends.next();
            if let Some(sender) = ends.senders.first() {
                let sent = sender.send(value).map_err(|error| error.to_string());
                trial.tell(format_args!("send {value}: {sent:?}"));
            }
        }),
        (2, |ends, trial| ends.receive(trial)),
        (8, any),
    ];
    let (sender, receiver) = mpsc::unbounded_channel();
    trial.run(120, &mut Unbounded::new(sender, receiver), OPERATIONS);
}

/// An operation that each kind of channel has, or a step of what is under way.
fn any<C: Channel>(ends: &mut C, trial: &mut Trial) {
    match trial.below(60) {
        0..=5 => ends.receive_many(trial),
        6..=10 => ends.try_receive(trial),
        11 => ends.close(trial),
        12 if trial.one_in(2) => {
            let dropped = ends.drop_receiver();
            trial.tell(format_args!("the receiver is dropped: {dropped}"));
        }
        13..=14 => ends.closed(trial),
        15..=17 => {
            ends.clone_sender();
            trial.tell(format_args!("a sender is cloned: {:?}", ends.counts()));
        }
        18..=21 => {
            let dropped = ends.drop_sender();
            trial.tell(format_args!("a sender is dropped: {dropped}"));
        }
        22..=24 => ends.downgrade(),
        25..=27 => {
            let upgraded = ends.upgrade();
            trial.tell(format_args!("upgrade: {upgraded:?}, {:?}", ends.counts()));
        }
        _ => go_on(ends, trial),
    }
}

fn send(ends: &mut Bounded, trial: &mut Trial) {
    let value = ends.next();
    if let Some(sender) = trial.pick(&ends.senders).cloned() {
        trial.start(&format!("send {value}"), async move {
            Outcome::of(sender.send(value).await.map_err(|error| error.to_string()))
        });
    }
}

fn reserve(ends: &mut Bounded, trial: &mut Trial) {
    if let Some(sender) = trial.pick(&ends.senders).cloned() {
        trial.start("reserve_owned", async {
            Outcome::got(sender.reserve_owned().await)
        });
    }
}

fn reserve_many(ends: &mut Bounded, trial: &mut Trial) {
    let n = trial.below(4);
    if let Some(sender) = ends.lasting {
        trial.start(&format!("reserve_many {n}"), async move {
            Outcome::got(sender.reserve_many(n).await)
        });
    }
}

fn try_send(ends: &mut Bounded, trial: &mut Trial) {
    let value = ends.next();
    if let Some(sender) = ends.senders.first() {
        trial.got(&format!("try_send {value}"), sender.try_send(value));
    }
}

fn try_reserve(ends: &mut Bounded, trial: &mut Trial) {
    if let Some(sender) = ends.senders.first().cloned() {
        trial.got("try_reserve_owned", sender.try_reserve_owned());
    }
}

fn try_reserve_many(ends: &mut Bounded, trial: &mut Trial) {
    let n = trial.below(4);
    if let Some(sender) = ends.lasting {
        trial.got(&format!("try_reserve_many {n}"), sender.try_reserve_many(n));
    }
}

fn use_permit(ends: &mut Bounded, trial: &mut Trial) {
    let Some(permit) = trial.take_held::<OwnedPermit<u32>>() else {
        return;
    };
    let value = ends.next();
    match trial.one_in(2) {
        true => ends.senders.push(permit.send(value)),
        false => ends.senders.push(permit.release()),
    }
    trial.tell(format_args!("a permit is used: {:?}", ends.counts()));
}

fn use_permits(ends: &mut Bounded, trial: &mut Trial) {
    if let Some(mut permits) = trial.take_held::<PermitIterator<'static, u32>>() {
        let value = ends.next();
        let used = permits.next().map(|permit| permit.send(value));
        trial.hold(permits);
        trial.tell(format_args!("one of many permits is used: {used:?}"));
    }
}
