//! The model of a semaphore: free permits, and a queue of requests that are served in order.

use std::collections::VecDeque;
use std::task::Poll;

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::{AcquireError, Semaphore, SemaphorePermit, TryAcquireError};

use super::{SLOTS, STEPS};
use crate::support::{Polled, polled};

#[derive(Clone, Debug)]
enum Step {
    Ask(usize, u32),
    Poll(usize),
    Drop(usize),
    Try(usize, u32),
    Add(usize),
    Forget(usize),
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Request {
    None,
    Asked { wanted: usize },
    Queued { wanted: usize, got: usize },
    Told { wanted: usize, got: usize },
    Held(usize),
}

#[derive(Default)]
struct Model {
    free: usize,
    closed: bool,
    queue: VecDeque<usize>,
    requests: Vec<Request>,
}

impl Model {
    fn release(&mut self, mut n: usize) {
        while let (Some(&first), true) = (self.queue.front(), n > 0) {
            let Request::Queued { wanted, got } = &mut self.requests[first] else {
                panic!("only those who wait are in the queue")
            };
            let given = n.min(*wanted - *got);
            *got += given;
            n -= given;
            if got == wanted {
                let (wanted, got) = (*wanted, *got);
                self.requests[first] = Request::Told { wanted, got };
                self.queue.pop_front();
            }
        }
        self.free += n;
    }

    fn take(&mut self, n: usize) -> Result<(), TryAcquireError> {
        if self.closed {
            return Err(TryAcquireError::Closed);
        }
        if n > 0 && (!self.queue.is_empty() || self.free < n) {
            return Err(TryAcquireError::NoPermits);
        }
        self.free -= n;
        Ok(())
    }

    /// `None`: pending. `Some(false)`: closed.
    fn poll(&mut self, slot: usize) -> Option<bool> {
        match self.requests[slot] {
            Request::Asked { wanted } => match self.take(wanted) {
                Ok(()) => {
                    self.requests[slot] = Request::Held(wanted);
                    Some(true)
                }
                Err(TryAcquireError::Closed) => {
                    self.requests[slot] = Request::None;
                    Some(false)
                }
                Err(TryAcquireError::NoPermits) => {
                    let all = self.queue.is_empty();
                    let got = if all { self.free } else { 0 };
                    self.free -= got;
                    self.requests[slot] = Request::Queued { wanted, got };
                    self.queue.push_back(slot);
                    None
                }
            },
            Request::Told { wanted, got } if got == wanted && !self.closed => {
                self.requests[slot] = Request::Held(wanted);
                Some(true)
            }
            Request::Told { got, .. } => {
                self.requests[slot] = Request::None;
                self.release(got);
                Some(false)
            }
            _ => None,
        }
    }

    fn drop(&mut self, slot: usize) {
        match std::mem::replace(&mut self.requests[slot], Request::None) {
            Request::Queued { got, .. } => {
                self.queue.retain(|queued| *queued != slot);
                self.release(got);
            }
            Request::Told { got, .. } | Request::Held(got) => self.release(got),
            Request::None | Request::Asked { .. } => {}
        }
    }

    fn close(&mut self) {
        self.closed = true;
        for slot in self.queue.drain(..) {
            if let Request::Queued { wanted, got } = self.requests[slot] {
                self.requests[slot] = Request::Told { wanted, got };
            }
        }
    }
}

enum Slot<'a> {
    None,
    Future(Polled<'a, Result<SemaphorePermit<'a>, AcquireError>>),
    Permit { _held: SemaphorePermit<'a> },
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        4 => (slot.clone(), 0..5_u32).prop_map(|(slot, n)| Step::Ask(slot, n)),
        6 => slot.clone().prop_map(Step::Poll),
        3 => slot.clone().prop_map(Step::Drop),
        1 => (slot, 0..4_u32).prop_map(|(slot, n)| Step::Try(slot, n)),
        2 => (0..4_usize).prop_map(Step::Add),
        1 => (0..4_usize).prop_map(Step::Forget),
        1 => prop::bool::weighted(0.2).prop_map(|c| if c { Step::Close } else { Step::Add(1) }),
    ]
}

fn apply<'a>(step: &Step, semaphore: &'a Semaphore, slots: &mut [Slot<'a>], model: &mut Model) {
    match *step {
        Step::Ask(slot, n) if matches!(slots[slot], Slot::None) => {
            slots[slot] = Slot::Future(polled(semaphore.acquire_many(n)));
            model.requests[slot] = Request::Asked { wanted: n as usize };
        }
        Step::Poll(slot) => {
            let Slot::Future(future) = &mut slots[slot] else {
                return;
            };
            let (got, now) = match future.poll() {
                Poll::Pending => (None, None),
                Poll::Ready(Ok(_held)) => (Some(true), Some(Slot::Permit { _held })),
                Poll::Ready(Err(_)) => (Some(false), Some(Slot::None)),
            };
            assert_eq!(got, model.poll(slot));
            if let Some(now) = now {
                slots[slot] = now;
            }
        }
        Step::Drop(slot) => {
            slots[slot] = Slot::None;
            model.drop(slot);
        }
        Step::Try(slot, n) if matches!(slots[slot], Slot::None) => {
            let got = semaphore.try_acquire_many(n);
            let expected = model.take(n as usize);
            assert_eq!(
                got.as_ref().map(|_| ()).map_err(ToString::to_string),
                expected.map_err(|error| error.to_string())
            );
            if let Ok(permit) = got {
                slots[slot] = Slot::Permit { _held: permit };
                model.requests[slot] = Request::Held(n as usize);
            }
        }
        Step::Add(n) => {
            semaphore.add_permits(n);
            model.release(n);
        }
        Step::Forget(n) => {
            let gone = n.min(model.free);
            assert_eq!(semaphore.forget_permits(n), gone);
            model.free -= gone;
        }
        Step::Close => {
            semaphore.close();
            model.close();
        }
        Step::Ask(..) | Step::Try(..) => {}
    }
}

proptest! {
    #[test]
    fn a_semaphore_does_what_its_model_does(
        permits in 0..4_usize,
        steps in sequence(step(), 0..STEPS),
    ) {
        let semaphore = Semaphore::new(permits);
        let mut slots: Vec<Slot<'_>> = (0..SLOTS).map(|_| Slot::None).collect();
        let requests = vec![Request::None; SLOTS];
        let mut model = Model { free: permits, requests, ..Model::default() };
        for step in &steps {
            apply(step, &semaphore, &mut slots, &mut model);
            prop_assert_eq!(semaphore.available_permits(), model.free);
            prop_assert_eq!(semaphore.is_closed(), model.closed);
            for (slot, request) in slots.iter().zip(&model.requests) {
                if let Slot::Future(future) = slot {
                    let told = matches!(request, Request::Told { .. });
                    prop_assert_eq!(future.wakes(), usize::from(told));
                }
            }
        }
    }
}
