//! Channels that hold one value, whose changes receivers wait for.

use std::sync::Arc;

use tokio::sync::watch::{self, Receiver, Sender};

use crate::trial::{Operation, Outcome, Trial, go_on};
use crate::turn::Turn;

struct Ends {
    senders: Vec<Arc<Sender<usize>>>,
    receivers: Vec<Turn<Receiver<usize>>>,
    last: usize,
}

/// A value that is sent, changed, marked, waited for.
pub(crate) fn watch(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Ends>] = &[
        (3, send),
        (3, change),
        (9, changed),
        (3, wait_for),
        (6, look),
        (3, subscribe),
        (3, clone_receiver),
        (1, drop_receiver),
        (3, count),
        (1, closed),
        (1, clone_or_drop_sender),
        (15, go_on),
    ];
    let (sender, receiver) = watch::channel(0);
    let mut ends = Ends {
        senders: vec![Arc::new(sender)],
        receivers: vec![Turn::new(receiver)],
        last: 0,
    };
    trial.run(130, &mut ends, OPERATIONS);
}

fn send(ends: &mut Ends, trial: &mut Trial) {
    if let Some(sender) = ends.senders.first() {
        ends.last += 1;
        let sent = sender.send(ends.last).map_err(|error| error.to_string());
        trial.tell(format_args!("send {}: {sent:?}", ends.last));
    }
}

fn change(ends: &mut Ends, trial: &mut Trial) {
    let Some(sender) = ends.senders.first() else {
        return;
    };
    match trial.below(4) {
        0 => {
            sender.send_modify(|value| *value += 1);
            trial.tell("send_modify");
        }
        1 => {
            ends.last += 1;
            let before = sender.send_replace(ends.last);
            trial.tell(format_args!("send_replace: {before}"));
        }
        n => {
            let told = sender.send_if_modified(|value| {
                *value += 1;
                n == 2
            });
            trial.tell(format_args!("send_if_modified: {told}"));
        }
    }
}

fn changed(ends: &mut Ends, trial: &mut Trial) {
    if let Some(receiver) = trial.pick(&ends.receivers) {
        receiver.start(trial, "changed", async |receiver| {
            Outcome::of(receiver.changed().await.map_err(|error| error.to_string()))
        });
    }
}

fn wait_for(ends: &mut Ends, trial: &mut Trial) {
    let wanted = trial.below(4);
    if let Some(receiver) = trial.pick(&ends.receivers) {
        let what = format!("wait_for {wanted}");
        receiver.start(trial, &what, async move |receiver| {
            let found = receiver.wait_for(|value| value % 4 == wanted).await;
            let found = found.map(|value| (*value, value.has_changed()));
            Outcome::of(found.map_err(|error| error.to_string()))
        });
    }
}

fn look(ends: &mut Ends, trial: &mut Trial) {
    let Some(receiver) = trial.pick(&ends.receivers) else {
        return;
    };
    match trial.below(6) {
        0 => receiver.now(trial, "mark_changed", |receiver| receiver.mark_changed()),
        1 => receiver.now(trial, "mark_unchanged", |receiver| {
            receiver.mark_unchanged()
        }),
        2 => receiver.now(trial, "borrow_and_update", |receiver| {
            let value = receiver.borrow_and_update();
            (*value, value.has_changed())
        }),
        3 => receiver.now(trial, "borrow", |receiver| {
            let value = receiver.borrow();
            (*value, value.has_changed())
        }),
        _ => receiver.now(trial, "has_changed", |receiver| {
            receiver.has_changed().map_err(|error| error.to_string())
        }),
    }
}

fn subscribe(ends: &mut Ends, trial: &mut Trial) {
    if let Some(sender) = ends.senders.first() {
        ends.receivers.push(Turn::new(sender.subscribe()));
        trial.tell("subscribe");
    }
}

fn clone_receiver(ends: &mut Ends, trial: &mut Trial) {
    if let Some(receiver) = trial.pick(&ends.receivers) {
        let clone = receiver.try_now(|receiver| receiver.clone());
        trial.tell(format_args!("a receiver is cloned: {}", clone.is_ok()));
        ends.receivers.extend(clone.map(Turn::new));
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
        let counts = (sender.receiver_count(), sender.sender_count());
        let (closed, value) = (sender.is_closed(), *sender.borrow());
        trial.tell(format_args!("{counts:?}, closed: {closed}, {value}"));
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
        true => {
            let clone = ends.senders.first().map(|sender| Sender::clone(sender));
            ends.senders.extend(clone.map(Arc::new));
        }
        false => drop(ends.senders.pop()),
    }
    trial.tell(format_args!("{} senders", ends.senders.len()));
}
