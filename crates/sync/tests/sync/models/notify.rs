//! The model of a `Notify`: one stored permit, rounds, and a queue with two ends.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::Notify;
use yamanote_sync::futures::Notified;

use super::{SLOTS, STEPS};
use crate::support::Wakes;

#[derive(Clone, Debug)]
enum Step {
    Make(usize),
    Poll(usize),
    Enable(usize),
    Drop(usize),
    One,
    Last,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wait {
    None,
    Made { round: usize },
    Queued,
    ToldFirst,
    ToldLast,
    ToldAll,
    Done,
}

#[derive(Default)]
struct Model {
    permit: bool,
    round: usize,
    queue: VecDeque<usize>,
    waits: Vec<Wait>,
}

impl Model {
    fn poll(&mut self, slot: usize) -> bool {
        let ready = match self.waits[slot] {
            Wait::Made { round } => round != self.round || std::mem::take(&mut self.permit),
            Wait::Queued => return false,
            _ => true,
        };
        self.waits[slot] = if ready { Wait::Done } else { Wait::Queued };
        if !ready {
            self.queue.push_back(slot);
        }
        ready
    }

    fn one(&mut self) {
        match self.queue.pop_front() {
            Some(slot) => self.waits[slot] = Wait::ToldFirst,
            None => self.permit = true,
        }
    }

    fn last(&mut self) {
        match self.queue.pop_back() {
            Some(slot) => self.waits[slot] = Wait::ToldLast,
            None => self.permit = true,
        }
    }

    fn all(&mut self) {
        self.round += 1;
        for slot in self.queue.drain(..) {
            self.waits[slot] = Wait::ToldAll;
        }
    }

    fn drop(&mut self, slot: usize) {
        match std::mem::replace(&mut self.waits[slot], Wait::None) {
            Wait::Queued => self.queue.retain(|queued| *queued != slot),
            Wait::ToldFirst => self.one(),
            Wait::ToldLast => self.last(),
            _ => {}
        }
    }
}

struct Slot<'a> {
    future: Pin<Box<Notified<'a>>>,
    wakes: Arc<Wakes>,
    polled: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        4 => slot.clone().prop_map(Step::Make),
        6 => slot.clone().prop_map(Step::Poll),
        2 => slot.clone().prop_map(Step::Enable),
        3 => slot.prop_map(Step::Drop),
        2 => Just(Step::One),
        2 => Just(Step::Last),
        1 => Just(Step::All),
    ]
}

fn apply<'a>(step: &Step, notify: &'a Notify, slots: &mut [Option<Slot<'a>>], model: &mut Model) {
    match *step {
        Step::Make(slot) if slots[slot].is_none() => {
            slots[slot] = Some(Slot {
                future: Box::pin(notify.notified()),
                wakes: Arc::default(),
                polled: false,
            });
            model.waits[slot] = Wait::Made { round: model.round };
        }
        Step::Make(_) => {}
        Step::Poll(slot) => {
            let Some(real) = &mut slots[slot] else { return };
            let waker = Waker::from(real.wakes.clone());
            let polled = real.future.as_mut().poll(&mut Context::from_waker(&waker));
            real.polled = true;
            assert_eq!(polled.is_ready(), model.poll(slot));
        }
        Step::Enable(slot) => {
            let Some(real) = &mut slots[slot] else { return };
            assert_eq!(real.future.as_mut().enable(), model.poll(slot));
        }
        Step::Drop(slot) => {
            slots[slot] = None;
            model.drop(slot);
        }
        Step::One => {
            notify.notify_one();
            model.one();
        }
        Step::Last => {
            notify.notify_last();
            model.last();
        }
        Step::All => {
            notify.notify_waiters();
            model.all();
        }
    }
}

proptest! {
    #[test]
    fn a_notify_does_what_its_model_does(steps in sequence(step(), 0..STEPS)) {
        let notify = Notify::new();
        let mut slots: Vec<Option<Slot<'_>>> = (0..SLOTS).map(|_| None).collect();
        let mut model = Model { waits: vec![Wait::None; SLOTS], ..Model::default() };
        for step in &steps {
            apply(step, &notify, &mut slots, &mut model);
            for (slot, wait) in slots.iter().zip(&model.waits) {
                let Some(slot) = slot else { continue };
                let told = matches!(wait, Wait::ToldFirst | Wait::ToldLast | Wait::ToldAll);
                if told && slot.polled {
                    prop_assert_eq!(slot.wakes.count(), 1);
                }
                if *wait == Wait::Queued {
                    prop_assert_eq!(slot.wakes.count(), 0);
                }
            }
        }
    }
}
