//! The model of a bounded channel: a queue, free places, and who waits for a place in turn.

use std::collections::VecDeque;

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::mpsc::error::{TryRecvError, TrySendError};
use yamanote_sync::mpsc::{OwnedPermit, Receiver, Sender, channel};

use super::STEPS;
use crate::support::{now, polled};

#[derive(Clone, Debug)]
enum Step {
    TrySend,
    TryReserve,
    SendReserved,
    DropReserved,
    CancelledSend,
    TryRecv,
    PollRecv,
    RecvMany(usize),
    Close,
    DropSender,
}

struct Real {
    sender: Option<Sender<usize>>,
    receiver: Receiver<usize>,
    permits: Vec<OwnedPermit<usize>>,
}

struct Model {
    queue: VecDeque<usize>,
    free: usize,
    sent: usize,
    is_closed: bool,
}

impl Model {
    /// What a sender hears that wants a place.
    fn take_place(&mut self) -> Result<(), TrySendError<()>> {
        if self.is_closed {
            return Err(TrySendError::Closed(()));
        }
        match self.free.checked_sub(1) {
            Some(free) => self.free = free,
            None => return Err(TrySendError::Full(())),
        }
        Ok(())
    }

    fn push(&mut self) {
        self.queue.push_back(self.sent);
        self.sent += 1;
    }

    fn pop(&mut self) -> Option<usize> {
        let value = self.queue.pop_front()?;
        self.free += 1;
        Some(value)
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::TrySend),
        4 => Just(Step::TryReserve),
        4 => Just(Step::SendReserved),
        2 => Just(Step::DropReserved),
        4 => Just(Step::CancelledSend),
        6 => Just(Step::TryRecv),
        6 => Just(Step::PollRecv),
        3 => (0_usize..5).prop_map(Step::RecvMany),
        1 => Just(Step::Close),
        1 => Just(Step::DropSender),
    ]
}

fn send(step: &Step, real: &mut Real, model: &mut Model) {
    let Some(sender) = &real.sender else { return };
    match step {
        Step::TrySend => {
            let sent = sender.try_send(model.sent).map_err(|error| match error {
                TrySendError::Full(_) => TrySendError::Full(()),
                TrySendError::Closed(_) => TrySendError::Closed(()),
            });
            let expected = model.take_place();
            assert_eq!(sent, expected);
            if expected.is_ok() {
                model.push();
            }
        }
        Step::TryReserve => {
            let permit = sender.clone().try_reserve_owned();
            assert_eq!(permit.is_ok(), model.take_place().is_ok());
            real.permits.extend(permit);
        }
        // One that must wait is dropped, and leaves no trace.
        _ => {
            let is_ready = !polled(sender.send(model.sent)).is_pending();
            let expected = model.take_place();
            assert_eq!(is_ready, expected != Err(TrySendError::Full(())));
            if expected.is_ok() {
                model.push();
            }
        }
    }
}

fn receive(step: &Step, real: &mut Real, model: &mut Model) {
    let senders_gone = real.sender.is_none() && real.permits.is_empty();
    let is_over = senders_gone || (model.is_closed && real.permits.is_empty());
    match *step {
        Step::TryRecv => {
            let empty = if is_over {
                TryRecvError::Disconnected
            } else {
                TryRecvError::Empty
            };
            assert_eq!(real.receiver.try_recv(), model.pop().ok_or(empty));
        }
        Step::PollRecv => {
            let expected = model.pop();
            let mut receiving = polled(real.receiver.recv());
            if expected.is_some() || is_over {
                assert_eq!(receiving.expect(), expected);
            } else {
                assert!(receiving.is_pending());
            }
        }
        Step::RecvMany(limit) => {
            if limit > 0 && model.queue.is_empty() && !is_over {
                return;
            }
            let mut values = Vec::new();
            let n = now(real.receiver.recv_many(&mut values, limit));
            let expected: Vec<usize> = (0..limit).map_while(|_| model.pop()).collect();
            assert_eq!((n, values), (expected.len(), expected));
        }
        _ => unreachable!("not a step of the receiver"),
    }
}

fn apply(step: &Step, real: &mut Real, model: &mut Model) {
    match step {
        Step::TrySend | Step::TryReserve | Step::CancelledSend => send(step, real, model),
        Step::SendReserved => {
            let Some(permit) = real.permits.pop() else {
                return;
            };
            drop(permit.send(model.sent));
            model.push();
        }
        Step::DropReserved => {
            if real.permits.pop().is_some() {
                model.free += 1;
            }
        }
        Step::Close => {
            real.receiver.close();
            model.is_closed = true;
        }
        Step::DropSender => real.sender = None,
        _ => receive(step, real, model),
    }
}

proptest! {
    #[test]
    fn a_bounded_channel_does_what_its_model_does(
        capacity in 1_usize..5,
        steps in sequence(step(), 0..STEPS),
    ) {
        let (sender, receiver) = channel(capacity);
        let mut real = Real { sender: Some(sender), receiver, permits: Vec::new() };
        let queue = VecDeque::new();
        let mut model = Model { queue, free: capacity, sent: 0, is_closed: false };
        for step in &steps {
            apply(step, &mut real, &mut model);
            prop_assert_eq!(real.receiver.len(), model.queue.len());
            prop_assert_eq!(real.receiver.is_empty(), model.queue.is_empty());
            prop_assert_eq!(real.receiver.max_capacity(), capacity);
            prop_assert_eq!(real.receiver.capacity(), model.free);
        }
    }
}
