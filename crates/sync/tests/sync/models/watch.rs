//! The model of a watch channel: a value, what each receiver has not seen, and who waits for a
//! change, for a value, or for the receivers to go, from one step to another.

use std::task::Poll;

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::watch::{Receiver, Sender};

use super::{SLOTS, STEPS, Waiting};
use crate::support::{Polled, polled};

#[derive(Clone, Debug)]
enum Step {
    Send,
    Replace,
    Modify,
    ModifyIf(bool),
    Subscribe(usize),
    CloneReceiver(usize, usize),
    See(usize),
    MarkChanged(usize),
    MarkUnchanged(usize),
    PollAndCancel(usize),
    Wait(usize, Until),
    Drop(usize),
    CloneSender,
    DropSender,
    PollClosed,
    DropClosed,
}

/// What is waited for.
#[derive(Clone, Copy, Debug)]
enum Until {
    Changed,
    DivisibleBy(usize),
}

/// A receiver, with the value that was accepted or the error that it is closed.
type Answer = (Receiver<usize>, Result<usize, ()>);

enum Slot {
    Empty,
    Idle(Receiver<usize>),
    Waiting(Until, Polled<'static, Answer>),
}

struct Real {
    senders: Vec<Sender<usize>>,
    /// Waits until there is no receiver, by a sender of its own.
    closed: Option<Polled<'static, ()>>,
    slots: Vec<Slot>,
}

#[derive(Default)]
struct Model {
    value: usize,
    senders: usize,
    closed: Option<Waiting>,
    /// Of each receiver, whether there is something it did not see.
    unseen: Vec<Option<bool>>,
    /// `Some` for receivers that wait.
    waiting: Vec<Option<Waiting>>,
}

impl Model {
    fn change(&mut self) {
        self.value += 1;
        self.unseen
            .iter_mut()
            .flatten()
            .for_each(|unseen| *unseen = true);
        self.wake_receivers();
    }

    fn wake_receivers(&mut self) {
        self.waiting.iter_mut().flatten().for_each(Waiting::wake);
    }

    fn receivers(&self) -> usize {
        self.unseen.iter().flatten().count()
    }

    fn drop_sender(&mut self) {
        self.senders -= 1;
        if self.senders == 0 {
            self.wake_receivers();
        }
    }

    fn drop_receiver(&mut self, slot: usize) {
        let was_there = self.unseen[slot].take().is_some();
        self.waiting[slot] = None;
        if was_there && self.receivers() == 0 {
            self.closed.iter_mut().for_each(Waiting::wake);
        }
    }

    /// One poll of a wait; `None` while pending.
    fn wait(&mut self, slot: usize, until: Until) -> Option<Result<usize, ()>> {
        let is_first = self.waiting[slot].is_none();
        let unseen = self.unseen[slot].replace(false) == Some(true);
        let accepted = match until {
            Until::Changed => unseen,
            Until::DivisibleBy(n) => (is_first || unseen) && self.value % n == 0,
        };
        if accepted || self.senders == 0 {
            self.waiting[slot] = None;
            return Some(accepted.then_some(self.value).ok_or(()));
        }
        self.waiting[slot].get_or_insert_default().is_queued = true;
        None
    }
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    let until = prop_oneof![
        Just(Until::Changed),
        (2_usize..5).prop_map(Until::DivisibleBy)
    ];
    prop_oneof![
        4 => Just(Step::Send),
        2 => Just(Step::Replace),
        2 => Just(Step::Modify),
        3 => any::<bool>().prop_map(Step::ModifyIf),
        4 => slot.clone().prop_map(Step::Subscribe),
        2 => (slot.clone(), slot.clone()).prop_map(|(from, to)| Step::CloneReceiver(from, to)),
        4 => slot.clone().prop_map(Step::See),
        2 => slot.clone().prop_map(Step::MarkChanged),
        2 => slot.clone().prop_map(Step::MarkUnchanged),
        4 => slot.clone().prop_map(Step::PollAndCancel),
        12 => (slot.clone(), until).prop_map(|(slot, until)| Step::Wait(slot, until)),
        3 => slot.prop_map(Step::Drop),
        1 => Just(Step::CloneSender),
        2 => Just(Step::DropSender),
        4 => Just(Step::PollClosed),
        1 => Just(Step::DropClosed),
    ]
}

fn send(step: &Step, sender: &Sender<usize>, model: &mut Model) {
    let changes = match *step {
        Step::Send => {
            let sent = sender.send(model.value + 1).is_ok();
            assert_eq!(sent, model.receivers() > 0);
            sent
        }
        Step::Replace => {
            assert_eq!(sender.send_replace(model.value + 1), model.value);
            true
        }
        Step::Modify => {
            sender.send_modify(|value| *value += 1);
            true
        }
        Step::ModifyIf(change) => {
            let modified = sender.send_if_modified(|value| {
                *value += usize::from(change);
                change
            });
            assert_eq!(modified, change);
            change
        }
        _ => unreachable!("not a step of the sender"),
    };
    if changes {
        model.change();
    }
}

fn receive(step: &Step, receiver: &mut Receiver<usize>, unseen: &mut bool, open: bool) {
    let after = match step {
        Step::See(_) => {
            assert_eq!(receiver.borrow_and_update().has_changed(), *unseen);
            false
        }
        Step::PollAndCancel(_) => {
            let expected = match (*unseen, open) {
                (true, _) => Poll::Ready(true),
                (false, true) => Poll::Pending,
                (false, false) => Poll::Ready(false),
            };
            let polled = polled(receiver.changed()).poll();
            assert_eq!(polled.map(|result| result.is_ok()), expected);
            false
        }
        Step::MarkChanged(_) => {
            receiver.mark_changed();
            true
        }
        _ => {
            receiver.mark_unchanged();
            false
        }
    };
    *unseen = after;
}

fn start(until: Until, mut receiver: Receiver<usize>) -> Polled<'static, Answer> {
    polled(async move {
        let result = match until {
            Until::Changed => receiver.changed().await.map(|()| *receiver.borrow()),
            Until::DivisibleBy(n) => {
                let accepted = receiver.wait_for(|value| value % n == 0).await;
                accepted.map(|value| *value)
            }
        };
        (receiver, result.map_err(|_| ()))
    })
}

/// Starts a wait that goes on over the following steps, or polls the one that there is.
fn wait(slot: &mut Slot, index: usize, until: Until, model: &mut Model) {
    let (until, mut future) = match std::mem::replace(slot, Slot::Empty) {
        Slot::Empty => return,
        Slot::Idle(receiver) => (until, start(until, receiver)),
        Slot::Waiting(until, future) => (until, future),
    };
    let expected = model.wait(index, until);
    *slot = match future.poll() {
        Poll::Pending => {
            assert_eq!(expected, None);
            Slot::Waiting(until, future)
        }
        Poll::Ready((receiver, result)) => {
            assert_eq!(Some(result), expected);
            Slot::Idle(receiver)
        }
    };
}

fn poll_closed(real: &mut Real, model: &mut Model) {
    if real.closed.is_none() {
        let Some(sender) = real.senders.first().cloned() else {
            return;
        };
        real.closed = Some(polled(async move { sender.closed().await }));
        model.closed = Some(Waiting::default());
        model.senders += 1;
    }
    let (Some(closed), Some(waiting)) = (&mut real.closed, &mut model.closed) else {
        return;
    };
    let is_pending = closed.is_pending();
    waiting.is_queued = is_pending;
    assert_eq!(is_pending, model.receivers() > 0);
    if !is_pending {
        drop_closed(real, model);
    }
}

fn drop_closed(real: &mut Real, model: &mut Model) {
    if real.closed.take().is_some() {
        model.closed = None;
        model.drop_sender();
    }
}

fn subscribe(real: &mut Real, model: &mut Model, step: &Step) {
    let (slot, receiver, unseen) = match *step {
        Step::CloneReceiver(from, to) => {
            let Slot::Idle(receiver) = &real.slots[from] else {
                return;
            };
            (to, receiver.clone(), model.unseen[from])
        }
        Step::Subscribe(slot) => {
            let Some(sender) = real.senders.first() else {
                return;
            };
            (slot, sender.subscribe(), Some(false))
        }
        _ => unreachable!("not a step that makes a receiver"),
    };
    real.slots[slot] = Slot::Idle(receiver);
    model.unseen[slot] = unseen;
    model.waiting[slot] = None;
}

fn apply(step: &Step, real: &mut Real, model: &mut Model) {
    match *step {
        Step::Send | Step::Replace | Step::Modify | Step::ModifyIf(_) => {
            if let Some(sender) = real.senders.last() {
                send(step, sender, model);
            }
        }
        Step::Subscribe(_) | Step::CloneReceiver(..) => subscribe(real, model, step),
        Step::Drop(slot) => {
            real.slots[slot] = Slot::Empty;
            model.drop_receiver(slot);
        }
        Step::CloneSender => {
            let sender = real.senders.first().cloned();
            model.senders += usize::from(sender.is_some());
            real.senders.extend(sender);
        }
        Step::DropSender => {
            if real.senders.pop().is_some() {
                model.drop_sender();
            }
        }
        Step::Wait(slot, until) => wait(&mut real.slots[slot], slot, until, model),
        Step::PollClosed => poll_closed(real, model),
        Step::DropClosed => drop_closed(real, model),
        Step::See(slot)
        | Step::PollAndCancel(slot)
        | Step::MarkChanged(slot)
        | Step::MarkUnchanged(slot) => {
            if let (Slot::Idle(receiver), Some(unseen)) =
                (&mut real.slots[slot], model.unseen[slot].as_mut())
            {
                receive(step, receiver, unseen, model.senders > 0);
            }
        }
    }
}

fn compare(real: &Real, model: &Model) {
    for (index, slot) in real.slots.iter().enumerate() {
        match slot {
            Slot::Empty => assert_eq!(model.unseen[index], None),
            Slot::Idle(receiver) => {
                assert_eq!(*receiver.borrow(), model.value);
                assert_eq!(receiver.is_closed(), model.senders == 0);
                let changed = model.unseen[index].filter(|_| model.senders > 0);
                assert_eq!(receiver.has_changed().ok(), changed);
            }
            Slot::Waiting(_, future) => {
                let waiting = model.waiting[index].as_ref();
                assert_eq!(Some(future.wakes()), waiting.map(|w| w.wakes));
            }
        }
    }
    if let (Some(closed), Some(waiting)) = (&real.closed, &model.closed) {
        assert_eq!(closed.wakes(), waiting.wakes);
    }
    if let Some(sender) = real.senders.first() {
        assert_eq!(*sender.borrow(), model.value);
        assert_eq!(sender.receiver_count(), model.receivers());
        assert_eq!(sender.sender_count(), model.senders);
    }
}

proptest! {
    #[test]
    fn a_watch_channel_does_what_its_model_does(steps in sequence(step(), 0..STEPS)) {
        let slots = (0..SLOTS).map(|_| Slot::Empty).collect();
        let mut real = Real { senders: vec![Sender::new(0)], closed: None, slots };
        let mut model = Model {
            senders: 1,
            unseen: vec![None; SLOTS],
            waiting: vec![None; SLOTS],
            ..Model::default()
        };
        for step in &steps {
            apply(step, &mut real, &mut model);
            compare(&real, &model);
        }
    }
}
