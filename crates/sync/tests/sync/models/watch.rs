//! The model of a watch channel: a value, its version, and the version each receiver saw.

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::watch::{Receiver, Sender};

use super::{SLOTS, STEPS};
use crate::support::polled;

#[derive(Clone, Debug)]
enum Step {
    Send,
    Replace,
    Modify(bool),
    Subscribe(usize),
    See(usize),
    Changed(usize),
    MarkChanged(usize),
    MarkUnchanged(usize),
    Drop(usize),
    DropSender,
}

struct Real {
    sender: Option<Sender<usize>>,
    receivers: Vec<Option<Receiver<usize>>>,
}

struct Model {
    value: usize,
    /// Of each receiver, whether there is something it did not see.
    unseen: Vec<Option<bool>>,
}

impl Model {
    fn change(&mut self) {
        self.value += 1;
        for unseen in self.unseen.iter_mut().flatten() {
            *unseen = true;
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        4 => Just(Step::Send),
        2 => Just(Step::Replace),
        3 => any::<bool>().prop_map(Step::Modify),
        4 => slot.clone().prop_map(Step::Subscribe),
        4 => slot.clone().prop_map(Step::See),
        6 => slot.clone().prop_map(Step::Changed),
        2 => slot.clone().prop_map(Step::MarkChanged),
        2 => slot.clone().prop_map(Step::MarkUnchanged),
        2 => slot.prop_map(Step::Drop),
        1 => Just(Step::DropSender),
    ]
}

fn send(step: &Step, sender: &Sender<usize>, model: &mut Model) {
    match *step {
        Step::Send => {
            let has_receivers = model.unseen.iter().any(Option::is_some);
            let sent = sender.send(model.value + 1).is_ok();
            assert_eq!(sent, has_receivers);
            if sent {
                model.change();
            }
        }
        Step::Replace => {
            assert_eq!(sender.send_replace(model.value + 1), model.value);
            model.change();
        }
        Step::Modify(change) => {
            let modified = sender.send_if_modified(|value| {
                *value += usize::from(change);
                change
            });
            assert_eq!(modified, change);
            if change {
                model.change();
            }
        }
        _ => unreachable!("not a step of the sender"),
    }
}

fn receive(step: &Step, receiver: &mut Receiver<usize>, unseen: &mut bool, open: bool) {
    match step {
        Step::See(_) => {
            assert_eq!(receiver.borrow_and_update().has_changed(), *unseen);
            *unseen = false;
        }
        Step::Changed(_) => {
            let mut changed = polled(receiver.changed());
            if *unseen {
                assert!(changed.expect().is_ok());
            } else if open {
                assert!(changed.is_pending());
            } else {
                assert!(changed.expect().is_err());
            }
            *unseen = false;
        }
        Step::MarkChanged(_) => {
            receiver.mark_changed();
            *unseen = true;
        }
        _ => {
            receiver.mark_unchanged();
            *unseen = false;
        }
    }
}

fn apply(step: &Step, real: &mut Real, model: &mut Model) {
    match *step {
        Step::Send | Step::Replace | Step::Modify(_) => {
            if let Some(sender) = &real.sender {
                send(step, sender, model);
            }
        }
        Step::Subscribe(slot) => {
            let Some(sender) = &real.sender else { return };
            real.receivers[slot] = Some(sender.subscribe());
            model.unseen[slot] = Some(false);
        }
        Step::Drop(slot) => {
            real.receivers[slot] = None;
            model.unseen[slot] = None;
        }
        Step::DropSender => real.sender = None,
        Step::See(slot)
        | Step::Changed(slot)
        | Step::MarkChanged(slot)
        | Step::MarkUnchanged(slot) => {
            let pair = real.receivers[slot]
                .as_mut()
                .zip(model.unseen[slot].as_mut());
            if let Some((receiver, unseen)) = pair {
                receive(step, receiver, unseen, real.sender.is_some());
            }
        }
    }
}

proptest! {
    #[test]
    fn a_watch_channel_does_what_its_model_does(steps in sequence(step(), 0..STEPS)) {
        let receivers = (0..SLOTS).map(|_| None).collect();
        let mut real = Real { sender: Some(Sender::new(0)), receivers };
        let mut model = Model { value: 0, unseen: vec![None; SLOTS] };
        for step in &steps {
            apply(step, &mut real, &mut model);
            for (receiver, unseen) in real.receivers.iter().zip(&model.unseen) {
                let (Some(receiver), Some(unseen)) = (receiver, unseen) else { continue };
                prop_assert_eq!(*receiver.borrow(), model.value);
                let changed = real.sender.as_ref().map(|_| *unseen);
                prop_assert_eq!(receiver.has_changed().ok(), changed);
            }
            let Some(sender) = &real.sender else { continue };
            prop_assert_eq!(*sender.borrow(), model.value);
            prop_assert_eq!(sender.receiver_count(), model.unseen.iter().flatten().count());
        }
    }
}
