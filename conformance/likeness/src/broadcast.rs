//! Channels in which each receiver sees each value, unless it is too late.

use tokio::sync::broadcast::{self, Receiver, Sender, WeakSender};

use crate::trial::{Operation, Outcome, Trial, go_on};
use crate::turn::Turn;

struct Ends {
    senders: Vec<Sender<u32>>,
    weak: Vec<WeakSender<u32>>,
    receivers: Vec<Turn<Receiver<u32>>>,
    last: u32,
}

/// A channel of a few places, whose receivers come, lag and go.
pub(crate) fn broadcast(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Ends>] = &[
        (9, send),
        (9, receive),
        (6, try_receive),
        (3, subscribe),
        (3, resubscribe),
        (1, drop_receiver),
        (3, count),
        (1, closed),
        (1, clone_or_drop_sender),
        (1, downgrade_or_upgrade),
        (15, go_on),
    ];
    let places = 1 + trial.below(5);
    let (sender, receiver) = broadcast::channel(places);
    let mut ends = Ends {
        senders: vec![sender],
        weak: Vec::new(),
        receivers: vec![Turn::new(receiver)],
        last: 0,
    };
    trial.run(150, &mut ends, OPERATIONS);
}

fn send(ends: &mut Ends, trial: &mut Trial) {
    if let Some(sender) = ends.senders.first() {
        ends.last += 1;
        let sent = sender.send(ends.last).map_err(|error| error.to_string());
        trial.tell(format_args!("send {}: {sent:?}", ends.last));
    }
}

fn receive(ends: &mut Ends, trial: &mut Trial) {
    if let Some(receiver) = trial.pick(&ends.receivers) {
        receiver.start(trial, "recv", async |receiver| {
            Outcome::of(receiver.recv().await.map_err(|error| error.to_string()))
        });
    }
}

fn try_receive(ends: &mut Ends, trial: &mut Trial) {
    if let Some(receiver) = trial.pick(&ends.receivers) {
        receiver.now(trial, "try_recv", |receiver| {
            let left = (receiver.len(), receiver.is_empty(), receiver.is_closed());
            let senders = (receiver.sender_strong_count(), receiver.sender_weak_count());
            let got = receiver.try_recv().map_err(|error| error.to_string());
            (left, senders, got)
        });
    }
}

fn subscribe(ends: &mut Ends, trial: &mut Trial) {
    if let Some(sender) = ends.senders.first() {
        ends.receivers.push(Turn::new(sender.subscribe()));
        trial.tell("subscribe");
    }
}

fn resubscribe(ends: &mut Ends, trial: &mut Trial) {
    if let Some(receiver) = trial.pick(&ends.receivers) {
        let new = receiver.try_now(|receiver| receiver.resubscribe());
        trial.tell(format_args!("resubscribe: {}", new.is_ok()));
        ends.receivers.extend(new.map(Turn::new));
    }
}

fn drop_receiver(ends: &mut Ends, trial: &mut Trial) {
    if !ends.receivers.is_empty() {
        let index = trial.below(ends.receivers.len());
        ends.receivers.remove(index);
        trial.tell("a receiver is dropped");
    }
}

fn count(ends: &mut Ends, trial: &mut Trial) {
    if let Some(sender) = ends.senders.first() {
        let values = (sender.len(), sender.is_empty());
        let senders = (sender.strong_count(), sender.weak_count());
        let receivers = sender.receiver_count();
        trial.tell(format_args!("{values:?} {senders:?} {receivers}"));
    }
}

fn closed(ends: &mut Ends, trial: &mut Trial) {
    if let Some(sender) = ends.senders.first().cloned() {
        trial.start(
            "closed",
            async move { Outcome::after(sender.closed()).await },
        );
    }
}

fn clone_or_drop_sender(ends: &mut Ends, trial: &mut Trial) {
    match trial.one_in(2) {
        true => ends.senders.extend(ends.senders.first().cloned()),
        false => drop(ends.senders.pop()),
    }
    trial.tell(format_args!("{} senders", ends.senders.len()));
}

fn downgrade_or_upgrade(ends: &mut Ends, trial: &mut Trial) {
    match trial.one_in(2) {
        true => ends
            .weak
            .extend(ends.senders.first().map(Sender::downgrade)),
        false => {
            let upgraded = ends.weak.pop().map(|weak| weak.upgrade());
            ends.senders.extend(upgraded.into_iter().flatten());
        }
    }
    trial.tell(format_args!(
        "{} senders after weak ones",
        ends.senders.len()
    ));
}
