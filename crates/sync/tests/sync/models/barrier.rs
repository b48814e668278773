//! The model of a barrier: a count of arrivals, which a dropped future does not take back.

use std::task::Poll;

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::{Barrier, BarrierWaitResult};

use super::{SLOTS, STEPS};
use crate::support::{Polled, polled};

#[derive(Clone, Debug)]
enum Step {
    Make(usize),
    Poll(usize),
    Drop(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Arrival {
    None,
    Made,
    Waiting,
    Released,
}

struct Model {
    n: usize,
    arrived: usize,
    arrivals: Vec<Arrival>,
}

impl Model {
    fn release(&mut self) {
        self.arrived = 0;
        let waiting = |arrival: &&mut Arrival| **arrival == Arrival::Waiting;
        let waiting = self.arrivals.iter_mut().filter(waiting);
        waiting.for_each(|arrival| *arrival = Arrival::Released);
    }

    /// `Some(leads)` when ready.
    fn poll(&mut self, slot: usize) -> Option<bool> {
        match self.arrivals[slot] {
            Arrival::Made => {
                self.arrived += 1;
                if self.arrived < self.n {
                    self.arrivals[slot] = Arrival::Waiting;
                    return None;
                }
                self.release();
                Some(true)
            }
            Arrival::Released => Some(false),
            _ => None,
        }
    }
}

type Slot<'a> = Option<Polled<'a, BarrierWaitResult>>;

fn apply<'a>(step: &Step, barrier: &'a Barrier, slots: &mut [Slot<'a>], model: &mut Model) {
    match *step {
        Step::Make(slot) => {
            slots[slot] = Some(polled(barrier.wait()));
            model.arrivals[slot] = Arrival::Made;
        }
        Step::Poll(slot) => {
            let Some(future) = &mut slots[slot] else {
                return;
            };
            let leads = match future.poll() {
                Poll::Pending => None,
                Poll::Ready(result) => Some(result.is_leader()),
            };
            assert_eq!(leads, model.poll(slot));
            if leads.is_some() {
                slots[slot] = None;
                model.arrivals[slot] = Arrival::None;
            }
        }
        Step::Drop(slot) => {
            slots[slot] = None;
            model.arrivals[slot] = Arrival::None;
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        2 => slot.clone().prop_map(Step::Make),
        5 => slot.clone().prop_map(Step::Poll),
        1 => slot.prop_map(Step::Drop),
    ]
}

proptest! {
    #[test]
    fn a_barrier_does_what_its_model_does(
        n in 0..SLOTS,
        steps in sequence(step(), 0..STEPS),
    ) {
        let barrier = Barrier::new(n);
        let mut slots: Vec<Slot<'_>> = (0..SLOTS).map(|_| None).collect();
        let arrivals = vec![Arrival::None; SLOTS];
        let mut model = Model { n: n.max(1), arrived: 0, arrivals };
        for step in &steps {
            apply(step, &barrier, &mut slots, &mut model);
            for (slot, arrival) in slots.iter().zip(&model.arrivals) {
                if let Some(future) = slot {
                    let released = *arrival == Arrival::Released;
                    prop_assert_eq!(future.wakes(), usize::from(released));
                }
            }
        }
    }
}
