//! The model of a broadcast channel: all values ever sent, and a place in them a receiver, which
//! is idle or waits from one step to another.

use std::task::Poll;

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::broadcast::error::{RecvError, TryRecvError};
use yamanote_sync::broadcast::{Receiver, Sender, WeakSender, channel};

use super::{SLOTS, STEPS, Waiting};
use crate::support::{Polled, polled};

#[derive(Clone, Debug)]
enum Step {
    Send,
    Subscribe(usize),
    Receive(usize),
    Poll(usize),
    Await(usize),
    DropReceiver(usize),
    DropSender,
    Upgrade,
}

#[derive(Default)]
struct Model {
    capacity: usize,
    sent: usize,
    next: Vec<Option<usize>>,
    /// `Some` for receivers that wait.
    waiting: Vec<Option<Waiting>>,
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

    fn wake_all(&mut self) {
        self.waiting.iter_mut().flatten().for_each(Waiting::wake);
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

type Received = (Receiver<usize>, Result<usize, RecvError>);

enum Slot {
    Empty,
    Idle(Receiver<usize>),
    Waiting(Polled<'static, Received>),
}

struct Real {
    sender: Option<Sender<usize>>,
    weak: WeakSender<usize>,
    slots: Vec<Slot>,
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        8 => Just(Step::Send),
        4 => slot.clone().prop_map(Step::Subscribe),
        6 => slot.clone().prop_map(Step::Receive),
        4 => slot.clone().prop_map(Step::Poll),
        8 => slot.clone().prop_map(Step::Await),
        2 => slot.prop_map(Step::DropReceiver),
        1 => Just(Step::DropSender),
        1 => Just(Step::Upgrade),
    ]
}

/// Starts a wait that goes on over the following steps, or polls it again.
fn wait(slot: &mut Slot, index: usize, model: &mut Model, open: bool) {
    *slot = match std::mem::replace(slot, Slot::Empty) {
        Slot::Empty => return,
        Slot::Idle(mut receiver) => Slot::Waiting(polled(async move {
            let received = receiver.recv().await;
            (receiver, received)
        })),
        waiting @ Slot::Waiting(_) => waiting,
    };
    let Slot::Waiting(future) = slot else { return };
    let expected = model.receive(index, open);
    match future.poll() {
        Poll::Pending => {
            assert_eq!(expected, Err(TryRecvError::Empty));
            model.waiting[index].get_or_insert_default().is_queued = true;
        }
        Poll::Ready((receiver, received)) => {
            let expected = expected.map_err(|error| match error {
                TryRecvError::Lagged(missed) => RecvError::Lagged(missed),
                TryRecvError::Closed => RecvError::Closed,
                TryRecvError::Empty => panic!("there is nothing to receive"),
            });
            assert_eq!(received, expected);
            model.waiting[index] = None;
            *slot = Slot::Idle(receiver);
        }
    }
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
            model.wake_all();
        }
        Step::Subscribe(slot) => {
            let Some(sender) = &real.sender else { return };
            real.slots[slot] = Slot::Idle(sender.subscribe());
            model.next[slot] = Some(model.sent);
            model.waiting[slot] = None;
        }
        Step::Receive(slot) => {
            let Slot::Idle(receiver) = &mut real.slots[slot] else {
                return;
            };
            assert_eq!(receiver.try_recv(), model.receive(slot, open));
        }
        Step::Poll(slot) => {
            let Slot::Idle(receiver) = &mut real.slots[slot] else {
                return;
            };
            let is_ready = !polled(receiver.recv()).is_pending();
            let expected = model.receive(slot, open);
            assert_eq!(is_ready, expected != Err(TryRecvError::Empty));
        }
        Step::Await(slot) => wait(&mut real.slots[slot], slot, model, open),
        Step::DropReceiver(slot) => {
            real.slots[slot] = Slot::Empty;
            model.next[slot] = None;
            model.waiting[slot] = None;
        }
        Step::DropSender => {
            real.sender = None;
            model.wake_all();
        }
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
        let slots = (0..SLOTS).map(|_| Slot::Empty).collect();
        let mut real = Real { sender: Some(sender), weak, slots };
        let (next, waiting) = (vec![None; SLOTS], vec![None; SLOTS]);
        let mut model = Model { capacity, sent: 0, next, waiting };
        for step in &steps {
            apply(step, &mut real, &mut model);
            for (index, slot) in real.slots.iter().enumerate() {
                let behind = model.next[index].map(|next| model.sent - next);
                let waiting = model.waiting[index].as_ref();
                match slot {
                    Slot::Empty => prop_assert_eq!(behind, None),
                    Slot::Idle(receiver) => prop_assert_eq!(Some(receiver.len()), behind),
                    Slot::Waiting(future) => {
                        prop_assert_eq!(Some(future.wakes()), waiting.map(|w| w.wakes));
                    }
                }
            }
            let Some(sender) = &real.sender else { continue };
            prop_assert_eq!(sender.receiver_count(), model.receivers());
            prop_assert_eq!(sender.len(), model.len());
            prop_assert_eq!(sender.is_empty(), model.len() == 0);
        }
    }
}
