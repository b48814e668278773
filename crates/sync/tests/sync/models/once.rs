//! The models of `OnceCell` and `SetOnce`: one value for good, and a queue for the right to set it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::{OnceCell, SetError, SetOnce};

use super::{SLOTS, STEPS};
use crate::support::{Polled, polled};

/// What an initialiser does at its next poll: nothing, or end so.
type Gate = Cell<Option<Result<u8, ()>>>;

#[derive(Clone, Debug)]
enum Step {
    Make(usize),
    Decide(usize, Option<u8>),
    Poll(usize),
    Drop(usize),
    Set(u8),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Caller {
    None,
    Made,
    Queued,
    /// It has the right, or the value is there; not polled since.
    Told,
    Initialising,
}

#[derive(Default)]
struct Model {
    value: Option<u8>,
    queue: VecDeque<usize>,
    callers: Vec<Caller>,
}

impl Model {
    fn right_is_taken(&self) -> bool {
        let has = |caller: &Caller| [Caller::Told, Caller::Initialising].contains(caller);
        self.callers.iter().any(has)
    }

    fn poll(&mut self, slot: usize, gate: &Gate) -> Option<Result<u8, ()>> {
        if let (Some(value), true) = (self.value, self.callers[slot] != Caller::None) {
            self.callers[slot] = Caller::None;
            return Some(Ok(value));
        }
        match self.callers[slot] {
            Caller::Made if self.right_is_taken() => {
                self.callers[slot] = Caller::Queued;
                self.queue.push_back(slot);
                return None;
            }
            Caller::Queued | Caller::None => return None,
            Caller::Made | Caller::Told | Caller::Initialising => {}
        }
        self.callers[slot] = Caller::Initialising;
        let ended = gate.get()?;
        if let Ok(value) = ended {
            self.set(value);
        }
        self.drop(slot);
        Some(ended)
    }

    fn set(&mut self, value: u8) {
        self.value = Some(value);
        for slot in self.queue.drain(..) {
            self.callers[slot] = Caller::Told;
        }
    }

    fn drop(&mut self, slot: usize) {
        self.callers[slot] = Caller::None;
        self.queue.retain(|queued| *queued != slot);
        if self.value.is_none() && !self.right_is_taken() {
            if let Some(next) = self.queue.pop_front() {
                self.callers[next] = Caller::Told;
            }
        }
    }
}

type Slot<'a> = Option<Polled<'a, Result<u8, ()>>>;

async fn initialise(cell: &OnceCell<u8>, gate: &Gate) -> Result<u8, ()> {
    let ended = || poll_fn(|_| gate.get().map_or(Poll::Pending, Poll::Ready));
    cell.get_or_try_init(ended).await.copied()
}

fn apply<'a>(
    step: &Step,
    (cell, gates): (&'a OnceCell<u8>, &'a [Gate]),
    slots: &mut [Slot<'a>],
    model: &mut Model,
) {
    match *step {
        Step::Make(slot) if slots[slot].is_none() => {
            gates[slot].set(None);
            slots[slot] = Some(polled(initialise(cell, &gates[slot])));
            model.callers[slot] = Caller::Made;
        }
        Step::Make(_) => {}
        Step::Decide(slot, value) => gates[slot].set(Some(value.ok_or(()))),
        Step::Poll(slot) => {
            let Some(future) = &mut slots[slot] else {
                return;
            };
            let ended = match future.poll() {
                Poll::Pending => None,
                Poll::Ready(result) => Some(result),
            };
            assert_eq!(ended, model.poll(slot, &gates[slot]));
            if ended.is_some() {
                slots[slot] = None;
            }
        }
        Step::Drop(slot) => {
            slots[slot] = None;
            model.drop(slot);
        }
        Step::Set(value) => {
            let expected = match model.value {
                Some(_) => Err(SetError::AlreadyInitializedError(value)),
                None if model.right_is_taken() => Err(SetError::InitializingError(value)),
                None => Ok(()),
            };
            assert_eq!(cell.set(value), expected);
            if expected.is_ok() {
                model.set(value);
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    let outcome = prop::option::weighted(0.3, any::<u8>());
    prop_oneof![
        4 => slot.clone().prop_map(Step::Make),
        1 => (slot.clone(), outcome).prop_map(|(slot, outcome)| Step::Decide(slot, outcome)),
        6 => slot.clone().prop_map(Step::Poll),
        3 => slot.prop_map(Step::Drop),
        1 => any::<u8>().prop_map(Step::Set),
    ]
}

proptest! {
    #[test]
    fn a_once_cell_does_what_its_model_does(steps in sequence(step(), 0..STEPS)) {
        let cell = OnceCell::new();
        let gates: Vec<Gate> = (0..SLOTS).map(|_| Cell::new(None)).collect();
        let mut slots: Vec<Slot<'_>> = (0..SLOTS).map(|_| None).collect();
        let mut model = Model { callers: vec![Caller::None; SLOTS], ..Model::default() };
        for step in &steps {
            apply(step, (&cell, &gates), &mut slots, &mut model);
            prop_assert_eq!(cell.get().copied(), model.value);
            for (slot, caller) in slots.iter().zip(&model.callers) {
                let Some(future) = slot else { continue };
                match caller {
                    Caller::Told => prop_assert_eq!(future.wakes(), 1),
                    Caller::Queued => prop_assert_eq!(future.wakes(), 0),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn all_who_wait_for_a_set_once_hear_of_it_once(
        before in 0..SLOTS,
        dropped in 0..SLOTS,
        values in sequence(any::<u8>(), 1..3),
    ) {
        let cell = SetOnce::new();
        let mut waits: Vec<_> = (0..SLOTS).map(|_| polled(cell.wait())).collect();
        for wait in &mut waits[..before] {
            prop_assert!(wait.is_pending());
        }
        drop(waits.remove(dropped));
        for (i, value) in values.iter().enumerate() {
            prop_assert_eq!(cell.set(*value).is_ok(), i == 0);
        }
        let woken = waits.iter().map(Polled::wakes).sum::<usize>();
        prop_assert_eq!(woken, before - usize::from(dropped < before));
        for wait in &mut waits {
            prop_assert_eq!(*wait.expect(), values[0]);
        }
    }
}
