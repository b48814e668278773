//! The model of a broadcast channel: all values ever sent, and a place in them a receiver.

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::broadcast::error::TryRecvError;
use yamanote_sync::broadcast::{Receiver, Sender, WeakSender, channel};

use super::{SLOTS, STEPS};
use crate::support::polled;

#[derive(Clone, Debug)]
enum Step {
    Send,
    Subscribe(usize),
    Receive(usize),
    Poll(usize),
    DropReceiver(usize),
    DropSender,
    Upgrade,
}

#[derive(Default)]
struct Model {
    capacity: usize,
    sent: usize,
    next: Vec<Option<usize>>,
}

impl Model {
    fn receivers(&self) -> usize {
        self.next.iter().flatten().count()
    }

    fn receive(&mut self, slot: usize, open: bool) -> Result<usize, TryRecvError> {
        let oldest = self.sent.saturating_sub(self.capacity);
        let next = self.next[slot].as_mut().expect("the slot is taken");
        if *next < oldest {
            let missed = (oldest - *next) as u64;
            *next = oldest;
            return Err(TryRecvError::Lagged(missed));
        }
        if *next == self.sent {
            return Err(if open {
                TryRecvError::Empty
            } else {
                TryRecvError::Closed
            });
        }
        *next += 1;
        Ok(*next - 1)
    }

    /// How many values somebody is still to have.
    fn len(&self) -> usize {
        let behind = self
            .next
            .iter()
            .flatten()
            .map(|next| self.sent - next)
            .max();
        behind.unwrap_or(0).min(self.capacity)
    }
}

struct Real {
    sender: Option<Sender<usize>>,
    weak: WeakSender<usize>,
    receivers: Vec<Option<Receiver<usize>>>,
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        8 => Just(Step::Send),
        4 => slot.clone().prop_map(Step::Subscribe),
        6 => slot.clone().prop_map(Step::Receive),
        6 => slot.clone().prop_map(Step::Poll),
        2 => slot.prop_map(Step::DropReceiver),
        1 => Just(Step::DropSender),
        1 => Just(Step::Upgrade),
    ]
}

fn apply(step: &Step, real: &mut Real, model: &mut Model) {
    let open = real.sender.is_some();
    match *step {
        Step::Send => {
            let Some(sender) = &real.sender else { return };
            let receivers = model.receivers();
            let sent = sender.send(model.sent).ok();
            assert_eq!(sent, (receivers > 0).then_some(receivers));
            model.sent += usize::from(receivers > 0);
        }
        Step::Subscribe(slot) => {
            let Some(sender) = &real.sender else { return };
            real.receivers[slot] = Some(sender.subscribe());
            model.next[slot] = Some(model.sent);
        }
        Step::Receive(slot) => {
            let Some(receiver) = &mut real.receivers[slot] else {
                return;
            };
            assert_eq!(receiver.try_recv(), model.receive(slot, open));
        }
        Step::Poll(slot) => {
            let Some(receiver) = &mut real.receivers[slot] else {
                return;
            };
            let is_ready = !polled(receiver.recv()).is_pending();
            let expected = model.receive(slot, open);
            assert_eq!(is_ready, expected != Err(TryRecvError::Empty));
        }
        Step::DropReceiver(slot) => {
            real.receivers[slot] = None;
            model.next[slot] = None;
        }
        Step::DropSender => real.sender = None,
        Step::Upgrade => assert_eq!(real.weak.upgrade().is_some(), open),
    }
}

proptest! {
    #[test]
    fn a_broadcast_channel_does_what_its_model_does(
        power in 0_u32..4,
        steps in sequence(step(), 0..STEPS),
    ) {
        let capacity = 1 << power;
        let (sender, receiver) = channel(capacity);
        let weak = sender.downgrade();
        drop(receiver);
        let receivers = (0..SLOTS).map(|_| None).collect();
        let mut real = Real { sender: Some(sender), weak, receivers };
        let mut model = Model { capacity, sent: 0, next: vec![None; SLOTS] };
        for step in &steps {
            apply(step, &mut real, &mut model);
            for (receiver, next) in real.receivers.iter().zip(&model.next) {
                let len = receiver.as_ref().map(Receiver::len);
                prop_assert_eq!(len, next.map(|next| model.sent - next));
            }
            let Some(sender) = &real.sender else { continue };
            prop_assert_eq!(sender.receiver_count(), model.receivers());
            prop_assert_eq!(sender.len(), model.len());
            prop_assert_eq!(sender.is_empty(), model.len() == 0);
        }
    }
}
