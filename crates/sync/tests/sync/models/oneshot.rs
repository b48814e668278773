//! The model of a oneshot channel: a value that was sent or not, and which ends are left.

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use yamanote_sync::oneshot::error::TryRecvError;
use yamanote_sync::oneshot::{Receiver, Sender, channel};

use super::STEPS;
use crate::support::{Wakes, panics};

#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    DropSender,
    PollClosed(usize),
    TryRecv,
    PollRecv(usize),
    Close,
    DropReceiver,
}

struct Real {
    sender: Option<Sender<u32>>,
    receiver: Option<Receiver<u32>>,
    /// Two tasks, so that an end can pass from one to the other.
    tasks: [Arc<Wakes>; 2],
}

#[derive(Default)]
struct Model {
    sent: bool,
    closed: bool,
    answered: bool,
    /// The task that waits for the value, and the one that waits for the end.
    receiving: Option<usize>,
    closing: Option<usize>,
    wakes: [usize; 2],
}

impl Model {
    fn wake_receiver(&mut self) {
        if let Some(task) = self.receiving.take() {
            self.wakes[task] += 1;
        }
    }

    fn close(&mut self) {
        self.closed = true;
        if let Some(task) = self.closing.take() {
            self.wakes[task] += 1;
        }
    }

    /// What the receiver finds; `None` while it must wait.
    fn look(&self, sender_left: bool) -> Option<Result<u32, ()>> {
        if self.sent && !self.answered {
            return Some(Ok(7));
        }
        (self.answered || self.closed || !sender_left).then_some(Err(()))
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Send),
        1 => Just(Step::DropSender),
        3 => (0_usize..2).prop_map(Step::PollClosed),
        2 => Just(Step::TryRecv),
        4 => (0_usize..2).prop_map(Step::PollRecv),
        1 => Just(Step::Close),
        1 => Just(Step::DropReceiver),
    ]
}

fn of_sender(step: Step, real: &mut Real, model: &mut Model) {
    let Some(mut sender) = real.sender.take() else {
        return;
    };
    match step {
        Step::Send => {
            let expected = if model.closed { Err(7) } else { Ok(()) };
            assert_eq!(sender.send(7), expected);
            model.sent = expected.is_ok();
        }
        Step::DropSender => drop(sender),
        Step::PollClosed(task) => {
            let waker = Waker::from(real.tasks[task].clone());
            let polled = sender.poll_closed(&mut Context::from_waker(&waker));
            assert_eq!(polled.is_ready(), model.closed);
            model.closing = (!model.closed).then_some(task);
            real.sender = Some(sender);
            return;
        }
        _ => unreachable!("not a step of the sender"),
    }
    // It has gone, with its waker.
    model.closing = None;
    model.wake_receiver();
}

fn of_receiver(step: Step, real: &mut Real, model: &mut Model) {
    let expected = model.look(real.sender.is_some());
    let Some(receiver) = &mut real.receiver else {
        return;
    };
    match step {
        Step::TryRecv => {
            let error = expected.map_or(TryRecvError::Empty, |_| TryRecvError::Closed);
            let found = expected.and_then(Result::ok).ok_or(error);
            assert_eq!(receiver.try_recv(), found);
            end_if_answered(expected, model);
        }
        Step::PollRecv(task) => {
            let waker = Waker::from(real.tasks[task].clone());
            let mut cx = Context::from_waker(&waker);
            if model.answered {
                assert!(panics(|| drop(Pin::new(receiver).poll(&mut cx))));
                return;
            }
            let polled = Pin::new(receiver)
                .poll(&mut cx)
                .map(|got| got.map_err(drop));
            assert_eq!(polled, expected.map_or(Poll::Pending, Poll::Ready));
            model.receiving = expected.is_none().then_some(task);
            end_if_answered(expected, model);
        }
        Step::Close if model.answered => receiver.close(),
        Step::Close => {
            receiver.close();
            // It will not be told of the sender.
            model.receiving = None;
            model.close();
        }
        Step::DropReceiver => {
            real.receiver = None;
            model.receiving = None;
            model.close();
        }
        _ => unreachable!("not a step of the receiver"),
    }
}

/// The receiver leaves its channel with the answer.
fn end_if_answered(expected: Option<Result<u32, ()>>, model: &mut Model) {
    if expected.is_some() {
        model.answered = true;
        model.receiving = None;
        model.close();
    }
}

proptest! {
    #[test]
    fn a_oneshot_channel_does_what_its_model_does(steps in sequence(step(), 0..STEPS)) {
        let (sender, receiver) = channel();
        let tasks = [Arc::default(), Arc::default()];
        let mut real = Real { sender: Some(sender), receiver: Some(receiver), tasks };
        let mut model = Model::default();
        for &step in &steps {
            match step {
                Step::Send | Step::DropSender | Step::PollClosed(_) => {
                    of_sender(step, &mut real, &mut model);
                }
                _ => of_receiver(step, &mut real, &mut model),
            }
            let wakes = [real.tasks[0].count(), real.tasks[1].count()];
            prop_assert_eq!(wakes, model.wakes, "{:?}", step);
            if let Some(sender) = &real.sender {
                prop_assert_eq!(sender.is_closed(), model.closed);
            }
            if let Some(receiver) = &real.receiver {
                prop_assert_eq!(receiver.is_terminated(), model.answered);
                prop_assert_eq!(receiver.is_empty(), !model.sent || model.answered);
            }
        }
    }
}
