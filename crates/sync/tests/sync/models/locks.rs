//! The model of `RwLock` and `Mutex`: who is in, and a queue that lets in whom it can, in order.

use std::collections::VecDeque;
use std::task::Poll;

use proptest::collection::vec as sequence;
use proptest::prelude::*;
use yamanote_sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{SLOTS, STEPS};
use crate::support::{Polled, polled};

#[derive(Clone, Debug)]
enum Step {
    Ask(usize, bool),
    Poll(usize),
    Drop(usize),
    Try(usize, bool),
    Downgrade(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Claim {
    None,
    Asked(bool),
    Queued(bool),
    /// Let in, and not polled since.
    Told(bool),
    Held(bool),
}

struct Model {
    readers_max: usize,
    queue: VecDeque<usize>,
    claims: Vec<Claim>,
}

impl Model {
    fn has_room(&self, exclusive: bool) -> bool {
        let held = |exclusive| {
            let is =
                |claim: &&Claim| [Claim::Told(exclusive), Claim::Held(exclusive)].contains(claim);
            self.claims.iter().filter(is).count()
        };
        held(true) == 0 && held(false) < if exclusive { 1 } else { self.readers_max }
    }

    fn take(&self, exclusive: bool) -> bool {
        self.queue.is_empty() && self.has_room(exclusive)
    }

    fn let_in(&mut self) {
        while let Some(&first) = self.queue.front() {
            let Claim::Queued(exclusive) = self.claims[first] else {
                panic!("only those who wait are in the queue")
            };
            if !self.has_room(exclusive) {
                break;
            }
            self.claims[first] = Claim::Told(exclusive);
            self.queue.pop_front();
        }
    }

    fn poll(&mut self, slot: usize) -> bool {
        match self.claims[slot] {
            Claim::Asked(exclusive) if self.take(exclusive) => {
                self.claims[slot] = Claim::Held(exclusive);
            }
            Claim::Asked(exclusive) => {
                self.claims[slot] = Claim::Queued(exclusive);
                self.queue.push_back(slot);
            }
            Claim::Told(exclusive) => self.claims[slot] = Claim::Held(exclusive),
            _ => {}
        }
        matches!(self.claims[slot], Claim::Held(_))
    }

    fn drop(&mut self, slot: usize) {
        self.claims[slot] = Claim::None;
        self.queue.retain(|queued| *queued != slot);
        self.let_in();
    }
}

/// One of the two locks; a mutex takes each claim for an exclusive one.
enum Lock {
    Mutex(Mutex<u32>),
    RwLock(RwLock<u32>),
}

enum Guard<'a> {
    Mutex(MutexGuard<'a, u32>),
    Read(RwLockReadGuard<'a, u32>),
    Write(RwLockWriteGuard<'a, u32>),
}

enum Slot<'a> {
    None,
    Future(Polled<'a, Guard<'a>>),
    Guard(Guard<'a>),
}

impl Lock {
    async fn acquire(&self, exclusive: bool) -> Guard<'_> {
        match self {
            Self::Mutex(mutex) => Guard::Mutex(mutex.lock().await),
            Self::RwLock(lock) if exclusive => Guard::Write(lock.write().await),
            Self::RwLock(lock) => Guard::Read(lock.read().await),
        }
    }

    fn try_acquire(&self, exclusive: bool) -> Option<Guard<'_>> {
        match self {
            Self::Mutex(mutex) => mutex.try_lock().ok().map(Guard::Mutex),
            Self::RwLock(lock) if exclusive => lock.try_write().ok().map(Guard::Write),
            Self::RwLock(lock) => lock.try_read().ok().map(Guard::Read),
        }
    }
}

fn apply<'a>(step: &Step, lock: &'a Lock, slots: &mut [Slot<'a>], model: &mut Model) {
    let is_mutex = matches!(lock, Lock::Mutex(_));
    match *step {
        Step::Ask(slot, exclusive) if matches!(slots[slot], Slot::None) => {
            slots[slot] = Slot::Future(polled(lock.acquire(exclusive)));
            model.claims[slot] = Claim::Asked(exclusive || is_mutex);
        }
        Step::Poll(slot) => {
            let Slot::Future(future) = &mut slots[slot] else {
                return;
            };
            let polled = future.poll();
            assert_eq!(polled.is_ready(), model.poll(slot));
            if let Poll::Ready(guard) = polled {
                slots[slot] = Slot::Guard(guard);
            }
        }
        Step::Drop(slot) => {
            slots[slot] = Slot::None;
            model.drop(slot);
        }
        Step::Try(slot, exclusive) if matches!(slots[slot], Slot::None) => {
            let guard = lock.try_acquire(exclusive);
            assert_eq!(guard.is_some(), model.take(exclusive || is_mutex));
            if let Some(guard) = guard {
                slots[slot] = Slot::Guard(guard);
                model.claims[slot] = Claim::Held(exclusive || is_mutex);
            }
        }
        Step::Downgrade(slot) => match std::mem::replace(&mut slots[slot], Slot::None) {
            Slot::Guard(Guard::Write(guard)) => {
                slots[slot] = Slot::Guard(Guard::Read(guard.downgrade()));
                model.claims[slot] = Claim::Held(false);
                model.let_in();
            }
            other => slots[slot] = other,
        },
        Step::Ask(..) | Step::Try(..) => {}
    }
}

/// Those who may write do; what those see who may read is always what was written last.
fn use_guards(slots: &mut [Slot<'_>], written: &mut u32) {
    for slot in slots {
        match slot {
            Slot::Guard(Guard::Mutex(value)) => {
                assert_eq!(**value, *written);
                **value += 1;
                *written += 1;
            }
            Slot::Guard(Guard::Write(value)) => {
                assert_eq!(**value, *written);
                **value += 1;
                *written += 1;
            }
            Slot::Guard(Guard::Read(value)) => assert_eq!(**value, *written),
            Slot::None | Slot::Future(_) => {}
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    let claim = (slot.clone(), prop::bool::weighted(0.4));
    prop_oneof![
        4 => claim.clone().prop_map(|(slot, exclusive)| Step::Ask(slot, exclusive)),
        6 => slot.clone().prop_map(Step::Poll),
        4 => slot.clone().prop_map(Step::Drop),
        1 => claim.prop_map(|(slot, exclusive)| Step::Try(slot, exclusive)),
        1 => slot.prop_map(Step::Downgrade),
    ]
}

proptest! {
    #[test]
    fn a_lock_does_what_its_model_does(
        is_mutex in prop::bool::weighted(0.3),
        readers_max in 1..4_u32,
        steps in sequence(step(), 0..STEPS),
    ) {
        let lock = if is_mutex {
            Lock::Mutex(Mutex::new(0))
        } else {
            Lock::RwLock(RwLock::with_max_readers(0, readers_max))
        };
        let mut slots: Vec<Slot<'_>> = (0..SLOTS).map(|_| Slot::None).collect();
        let mut model = Model {
            readers_max: readers_max as usize,
            queue: VecDeque::new(),
            claims: vec![Claim::None; SLOTS],
        };
        let mut written = 0;
        for step in &steps {
            apply(step, &lock, &mut slots, &mut model);
            use_guards(&mut slots, &mut written);
            for (slot, claim) in slots.iter().zip(&model.claims) {
                if let Slot::Future(future) = slot {
                    let told = matches!(claim, Claim::Told(_));
                    prop_assert_eq!(future.wakes(), usize::from(told));
                }
            }
        }
    }
}
