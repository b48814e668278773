//! The model of an unbounded channel: a queue, how many senders there are, and who waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::mpsc::error::{SendError, TryRecvError};
use yamanote_sync::mpsc::{
    UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel,
};

use super::STEPS;
use crate::support::Wakes;

#[derive(Clone, Copy, Debug)]
enum Step {
    Send(usize),
    Clone,
    Upgrade,
    DropSender,
    TryRecv,
    PollRecv,
    PollRecvMany(usize),
    Close,
}

struct Real {
    senders: Vec<UnboundedSender<usize>>,
    weak: WeakUnboundedSender<usize>,
    receiver: UnboundedReceiver<usize>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Model {
    queue: VecDeque<usize>,
    sent: usize,
    is_closed: bool,
    is_waiting: bool,
    wakes: usize,
}

impl Model {
    fn wake(&mut self) {
        self.wakes += usize::from(self.is_waiting);
        self.is_waiting = false;
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..40).prop_map(Step::Send),
        2 => Just(Step::Clone),
        1 => Just(Step::Upgrade),
        3 => Just(Step::DropSender),
        4 => Just(Step::TryRecv),
        6 => Just(Step::PollRecv),
        6 => (0_usize..60).prop_map(Step::PollRecvMany),
        1 => Just(Step::Close),
    ]
}

fn send(sender: &UnboundedSender<usize>, model: &mut Model) {
    let value = model.sent;
    if model.is_closed {
        assert_eq!(sender.send(value), Err(SendError(value)));
        return;
    }
    assert_eq!(sender.send(value), Ok(()));
    model.queue.push_back(value);
    model.sent += 1;
    model.wake();
}

fn of_senders(step: Step, real: &mut Real, model: &mut Model) {
    match step {
        Step::Send(n) => {
            if let Some(sender) = real.senders.last() {
                (0..n).for_each(|_| send(sender, model));
            }
        }
        Step::Clone => real.senders.extend(real.senders.last().cloned()),
        Step::Upgrade => {
            let upgraded = real.weak.upgrade();
            assert_eq!(upgraded.is_some(), !real.senders.is_empty());
            real.senders.extend(upgraded);
        }
        _ => {
            if real.senders.pop().is_some() && real.senders.is_empty() {
                model.wake();
            }
        }
    }
}

fn of_receiver(step: Step, real: &mut Real, model: &mut Model) {
    let is_over = model.queue.is_empty() && (model.is_closed || real.senders.is_empty());
    let must_wait = model.queue.is_empty() && !is_over;
    let waker = Waker::from(real.wakes.clone());
    let mut cx = Context::from_waker(&waker);
    match step {
        Step::TryRecv => {
            let empty = if is_over {
                TryRecvError::Disconnected
            } else {
                TryRecvError::Empty
            };
            assert_eq!(
                real.receiver.try_recv(),
                model.queue.pop_front().ok_or(empty)
            );
        }
        Step::PollRecv if must_wait => {
            assert!(real.receiver.poll_recv(&mut cx).is_pending());
            model.is_waiting = true;
        }
        Step::PollRecv => {
            let value = model.queue.pop_front();
            assert_eq!(real.receiver.poll_recv(&mut cx), Poll::Ready(value));
        }
        Step::PollRecvMany(limit) => {
            let mut values = Vec::new();
            let polled = real.receiver.poll_recv_many(&mut cx, &mut values, limit);
            if must_wait && limit > 0 {
                assert!(polled.is_pending());
                model.is_waiting = true;
                return;
            }
            let n = limit.min(model.queue.len());
            let expected: Vec<usize> = model.queue.drain(..n).collect();
            assert_eq!((polled, values), (Poll::Ready(n), expected));
        }
        _ => {
            real.receiver.close();
            model.is_closed = true;
        }
    }
}

proptest! {
    #[test]
    fn an_unbounded_channel_does_what_its_model_does(steps in sequence(step(), 0..STEPS)) {
        let (sender, receiver) = unbounded_channel();
        let weak = sender.downgrade();
        let mut real = Real { senders: vec![sender], weak, receiver, wakes: Arc::default() };
        let mut model = Model::default();
        for &step in &steps {
            match step {
                Step::Send(_) | Step::Clone | Step::Upgrade | Step::DropSender => {
                    of_senders(step, &mut real, &mut model);
                }
                _ => of_receiver(step, &mut real, &mut model),
            }
            // A receiver that found something keeps its waker: one wake for nothing may come.
            prop_assert!(real.wakes.count() >= model.wakes, "{:?}", step);
            prop_assert_eq!(real.receiver.len(), model.queue.len());
            prop_assert_eq!(real.receiver.sender_strong_count(), real.senders.len());
            let is_closed = model.is_closed || real.senders.is_empty();
            prop_assert_eq!(real.receiver.is_closed(), is_closed);
        }
    }
}
