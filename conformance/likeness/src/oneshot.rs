//! Channels of one value.
//!
//! Left out: whether `closed` is woken once more when a closed receiver is closed again or dropped.
//! The published tokio does so though the sender has been told; ours does not.

use tokio::sync::oneshot::{self, Receiver, Sender};

use crate::caught;
use crate::trial::{Operation, Outcome, Trial, go_on};

struct Ends {
    sender: Option<Sender<u32>>,
    receiver: Option<Receiver<u32>>,
    closed: bool,
}

impl Ends {
    fn leave_out_wakes(&self, trial: &mut Trial) {
        if self.closed {
            trial.forget_wakes();
        }
    }
}

/// Ten channels, one after the other, whose ends act in any order.
pub(crate) fn oneshot(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Ends>] = &[
        (2, send),
        (1, drop_sender),
        (1, drop_receiver),
        (1, close),
        (4, try_receive),
        (2, receive),
        (2, closed),
        (2, is_closed),
        (2, |ends, trial| {
            let sender = trial.take_held::<Sender<u32>>();
            ends.sender = sender.or(ends.sender.take());
        }),
        (6, go_on),
    ];
    for _ in 0..10 {
        trial.drop_all();
        let (sender, receiver) = oneshot::channel();
        let mut ends = Ends {
            sender: Some(sender),
            receiver: Some(receiver),
            closed: false,
        };
        trial.run(16, &mut ends, OPERATIONS);
    }
}

fn send(ends: &mut Ends, trial: &mut Trial) {
    if let Some(sender) = ends.sender.take() {
        let sent = sender.send(5);
        trial.tell(format_args!("send: {sent:?}"));
    }
}

fn drop_sender(ends: &mut Ends, trial: &mut Trial) {
    if ends.sender.take().is_some() {
        trial.tell("the sender is dropped");
    }
}

fn drop_receiver(ends: &mut Ends, trial: &mut Trial) {
    if ends.receiver.take().is_some() {
        ends.leave_out_wakes(trial);
        trial.tell("the receiver is dropped");
    }
}

fn close(ends: &mut Ends, trial: &mut Trial) {
    if let Some(receiver) = &mut ends.receiver {
        receiver.close();
        ends.leave_out_wakes(trial);
        ends.closed = true;
        trial.tell("close");
    }
}

fn try_receive(ends: &mut Ends, trial: &mut Trial) {
    if let Some(receiver) = &mut ends.receiver {
        let got = caught(|| receiver.try_recv().map_err(|error| error.to_string()));
        let state = caught(|| (receiver.is_empty(), receiver.is_terminated()));
        trial.tell(format_args!("try_recv: {got:?} {state:?}"));
    }
}

/// A closed receiver is left alone: the end of its future drops it, and see above.
fn receive(ends: &mut Ends, trial: &mut Trial) {
    if ends.closed {
        return;
    }
    if let Some(receiver) = ends.receiver.take_if(|receiver| !receiver.is_terminated()) {
        trial.start("recv", async {
            Outcome::of(receiver.await.map_err(|error| error.to_string()))
        });
    }
}

fn closed(ends: &mut Ends, trial: &mut Trial) {
    if let Some(mut sender) = ends.sender.take() {
        trial.start("closed", async {
            sender.closed().await;
            Outcome::holding("closed", sender)
        });
    }
}

fn is_closed(ends: &mut Ends, trial: &mut Trial) {
    if let Some(sender) = &ends.sender {
        trial.tell(format_args!("is_closed: {}", sender.is_closed()));
    }
}
