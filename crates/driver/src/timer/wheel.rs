//! A hierarchical timing wheel in a table: [`Wheel`].
//!
//! After G. Varghese and A. Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP 1987), scheme 7.
//! Six levels of 64 slots; a slot of level `n` spans 64^n ticks of a millisecond. A timer is on
//! the lowest level on which its tick differs from the present one, so the lowest occupied slot
//! of the lowest occupied level holds the earliest timers. When time reaches a slot of a
//! higher level, its timers move down. What is more than two years away waits in a last slot,
//! which is looked at every 64^6 ticks. Insert and remove are O(1).

use std::num::NonZeroU64;
use std::task::Waker;

use yamanote_base::places::Places;
use yamanote_base::small_waker::SmallWaker;
use yamanote_base::wake::WakeList;

const LEVELS: usize = 6;
const SLOT_BITS: usize = 6;
const SLOTS: usize = 1 << SLOT_BITS;
/// The number of the last slot, of what is too far away for any level.
const FAR: u16 = (LEVELS * SLOTS) as u16;
const FAR_BITS: usize = LEVELS * SLOT_BITS;
/// The "slot" of timers that are in none.
const FIRED: u16 = FAR + 1;

/// A tick is told from later ones up to this: 8,900 years.
const TICK_MAX: u64 = (1 << (u64::BITS - When::SLOT_BITS)) - 1;

const NIL: u32 = u32::MAX;
const IN_PLACE: &str = "a timer has its place until it gives it back";
/// How many timers of a slot are looked at to tell when exactly the next one is due.
const LOOK_MAX: usize = 16;

/// The timers of one shard.
///
/// Unbounded: as many as there are futures that wait.
#[derive(Debug)]
pub(crate) struct Wheel {
    /// The last tick up to which all timers have fired.
    elapsed: u64,
    entries: Places<Entry>,
    len: usize,
    /// For each level, which of its slots are not empty.
    occupied: [u64; LEVELS],
    /// The first entry of each slot's ring.
    heads: [u32; FAR as usize + 1],
    /// The tick at which the driver means to wake up, while it waits.
    sleeping_until: Option<u64>,
    is_shut_down: bool,
}

/// A timer: in a slot's ring, or fired. Many may be asleep, so it is small.
#[derive(Debug)]
struct Entry {
    when: When,
    waker: Option<SmallWaker>,
    prev: u32,
    next: u32,
}

/// A tick, up to [`TICK_MAX`], and the slot that its timer is in.
#[derive(Clone, Copy, Debug)]
struct When(NonZeroU64);

/// What a poll finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    /// It has fired.
    Fired,
    /// It will wake the given waker.
    Waiting,
    /// It would wake another waker: use [`Wheel::set_waker`].
    OtherWaker,
    /// It never will fire.
    ShutDown,
}

/// What became of a new or moved timer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// It is in the wheel, in this place.
    At {
        /// The place; it must be given back by [`Wheel::remove`].
        index: u32,
        /// The driver sleeps longer than that: unpark it.
        unpark: bool,
    },
    /// It was due already, and is not in the wheel.
    Due,
    /// The wheel takes no more.
    ShutDown,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self {
            elapsed: 0,
            entries: Places::new(),
            len: 0,
            occupied: [0; LEVELS],
            heads: [NIL; FAR as usize + 1],
            sleeping_until: None,
            is_shut_down: false,
        }
    }

    /// How many timers are in the wheel and have not fired.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a timer that wakes `waker` at `tick`; `now` is a tick that has passed for sure.
    ///
    /// Leaves the waker with the caller unless it is [`Inserted::At`].
    pub(crate) fn insert(&mut self, tick: u64, now: u64, waker: &mut Option<Waker>) -> Inserted {
        if self.is_shut_down {
            return Inserted::ShutDown;
        }
        let tick = tick.min(TICK_MAX);
        if tick <= self.elapsed.max(now) {
            return Inserted::Due;
        }
        let entry = Entry {
            when: When::new(tick, FIRED),
            waker: waker.take().map(SmallWaker::new),
            prev: NIL,
            next: NIL,
        };
        let index = self.entries.insert(entry);
        self.link(index, tick);
        self.len += 1;
        Inserted::At {
            index,
            unpark: self.must_unpark(tick),
        }
    }

    /// Whether the driver sleeps beyond `tick`; it is told once.
    fn must_unpark(&mut self, tick: u64) -> bool {
        match self.sleeping_until {
            Some(until) if tick < until => {
                self.sleeping_until = Some(tick);
                true
            }
            _ => false,
        }
    }

    /// Looks at the timer at `index`.
    pub(crate) fn poll(&self, index: u32, waker: &Waker) -> Polled {
        let entry = self.entry(index);
        if entry.when.slot() == FIRED {
            return Polled::Fired;
        }
        if self.is_shut_down {
            return Polled::ShutDown;
        }
        match &entry.waker {
            Some(known) if known.will_wake(waker) => Polled::Waiting,
            _ => Polled::OtherWaker,
        }
    }

    /// Replaces the waker of a timer that has not fired; drop the old one after unlocking.
    pub(crate) fn set_waker(&mut self, index: u32, waker: Waker) -> Option<Waker> {
        let waker = SmallWaker::new(waker);
        let before = self.entry_mut(index).waker.replace(waker);
        before.map(SmallWaker::into_waker)
    }

    /// Whether the timer at `index` has fired.
    pub(crate) fn is_fired(&self, index: u32) -> bool {
        self.entry(index).when.slot() == FIRED
    }

    /// Whether the timer at `index` has fired, or never will.
    pub(crate) fn is_over(&self, index: u32) -> bool {
        self.is_shut_down || self.is_fired(index)
    }

    /// Whether whatever is due at `tick` has fired, or never will.
    pub(crate) fn has_fired_all(&self, tick: u64) -> bool {
        self.is_shut_down || tick.min(TICK_MAX) <= self.elapsed
    }

    /// Moves a timer that has not fired to another tick, with its waker.
    pub(crate) fn move_to(&mut self, index: u32, tick: u64) -> Inserted {
        debug_assert!(!self.is_fired(index));
        if self.is_shut_down {
            return Inserted::ShutDown;
        }
        let tick = tick.min(TICK_MAX);
        if tick <= self.elapsed {
            return Inserted::Due;
        }
        let &Entry {
            prev, next, when, ..
        } = self.entry(index);
        self.unlink(index, when.slot(), (prev, next));
        self.link(index, tick);
        Inserted::At {
            index,
            unpark: self.must_unpark(tick),
        }
    }

    /// Takes a timer out, fired or not; drop its waker after unlocking.
    #[must_use]
    pub(crate) fn remove(&mut self, index: u32) -> Option<Waker> {
        let entry = self.entries.remove(index)?;
        let slot = entry.when.slot();
        if slot != FIRED {
            self.unlink(index, slot, (entry.prev, entry.next));
            self.len -= 1;
        }
        entry.waker.map(SmallWaker::into_waker)
    }

    /// When the first timer is due: never too late, and exact unless a slot is crowded.
    pub(crate) fn next_tick(&self) -> Option<u64> {
        let (slot, start) = self.first_slot()?;
        if usize::from(slot) < SLOTS {
            return Some(start);
        }
        let head = self.heads[usize::from(slot)];
        let mut earliest = u64::MAX;
        let mut index = head;
        for _ in 0..LOOK_MAX {
            let entry = self.entry(index);
            earliest = earliest.min(entry.when.tick());
            index = entry.next;
            if index == head {
                return Some(earliest);
            }
        }
        Some(start)
    }

    /// Notes that the driver will sleep; returns until when.
    #[inline]
    pub(crate) fn begin_sleep(&mut self) -> Option<u64> {
        let next = match self.len {
            0 => None,
            _ => self.next_tick(),
        };
        self.sleeping_until = Some(next.unwrap_or(u64::MAX));
        next
    }

    /// Fires all that is due at `now`, in the order of their ticks; ends the driver's sleep.
    ///
    /// The wakers go to `wakes`; returns how many timers there were.
    #[inline]
    pub(crate) fn fire(&mut self, now: u64, wakes: &mut WakeList) -> usize {
        self.sleeping_until = None;
        let before = self.len;
        if before > 0 {
            self.fire_due(now, wakes);
        }
        self.elapsed = self.elapsed.max(now);
        before - self.len
    }

    fn fire_due(&mut self, now: u64, wakes: &mut WakeList) {
        // Bounded: each round empties a slot, and its timers fire or move to a lower level.
        while let Some((slot, start)) = self.first_slot() {
            if start > now {
                break;
            }
            self.elapsed = self.elapsed.max(start);
            self.empty_slot(slot, wakes);
        }
    }

    /// Takes the whole ring off the slot; each of its timers fires, or is linked anew.
    fn empty_slot(&mut self, slot: u16, wakes: &mut WakeList) {
        let head = std::mem::replace(&mut self.heads[usize::from(slot)], NIL);
        if slot != FAR {
            self.occupied[usize::from(slot) / SLOTS] &= !(1 << (usize::from(slot) % SLOTS));
        }
        let mut index = head;
        loop {
            let &Entry { next, when, .. } = self.entry(index);
            if usize::from(slot) < SLOTS {
                self.fire_one(index, wakes);
            } else {
                self.link(index, when.tick());
            }
            if next == head {
                return;
            }
            index = next;
        }
    }

    fn fire_one(&mut self, index: u32, wakes: &mut WakeList) {
        let entry = self.entry_mut(index);
        entry.when = When::new(entry.when.tick(), FIRED);
        wakes.extend(entry.waker.take().map(SmallWaker::into_waker));
        self.len -= 1;
    }

    /// Fires nothing more: every waiting timer's task is woken, to find the wheel shut down.
    pub(crate) fn shut_down(&mut self, wakes: &mut WakeList) {
        self.is_shut_down = true;
        for entry in self.entries.values_mut() {
            wakes.extend(entry.waker.take().map(SmallWaker::into_waker));
        }
    }

    /// The first slot that holds a timer, and the tick at which it begins.
    fn first_slot(&self) -> Option<(u16, u64)> {
        let low = self
            .occupied
            .iter()
            .enumerate()
            .find(|(_, occupied)| **occupied != 0);
        if let Some((level, occupied)) = low {
            // No slot before the present one is occupied: its timers would have moved or fired.
            let digit = occupied.trailing_zeros() as usize;
            let shift = level * SLOT_BITS;
            let above = self.elapsed >> (shift + SLOT_BITS) << (shift + SLOT_BITS);
            let start = above | ((digit as u64) << shift);
            return Some(((level * SLOTS + digit) as u16, start));
        }
        if self.heads[usize::from(FAR)] == NIL {
            return None;
        }
        Some((FAR, ((self.elapsed >> FAR_BITS) + 1) << FAR_BITS))
    }

    /// The slot of a tick that is not past, seen from `elapsed`.
    fn slot_of(&self, tick: u64) -> u16 {
        debug_assert!(tick >= self.elapsed);
        let differs = (tick ^ self.elapsed) | (SLOTS as u64 - 1);
        let level = differs.ilog2() as usize / SLOT_BITS;
        if level >= LEVELS {
            return FAR;
        }
        let digit = (tick >> (level * SLOT_BITS)) as usize % SLOTS;
        (level * SLOTS + digit) as u16
    }

    /// Puts an entry at the end of the ring of the slot of `tick`.
    #[inline]
    fn link(&mut self, index: u32, tick: u64) {
        let slot = self.slot_of(tick);
        let head = self.heads[usize::from(slot)];
        let (prev, next) = if head == NIL {
            self.heads[usize::from(slot)] = index;
            if slot != FAR {
                self.occupied[usize::from(slot) / SLOTS] |= 1 << (usize::from(slot) % SLOTS);
            }
            (index, index)
        } else {
            let tail = std::mem::replace(&mut self.entry_mut(head).prev, index);
            self.entry_mut(tail).next = index;
            (tail, head)
        };
        let entry = self.entry_mut(index);
        entry.when = When::new(tick, slot);
        (entry.prev, entry.next) = (prev, next);
    }

    /// Closes the ring of `slot` where the entry at `index` was, between `prev` and `next`.
    #[inline]
    fn unlink(&mut self, index: u32, slot: u16, (prev, next): (u32, u32)) {
        debug_assert!(slot <= FAR);
        if next == index {
            self.heads[usize::from(slot)] = NIL;
            if slot != FAR {
                self.occupied[usize::from(slot) / SLOTS] &= !(1 << (usize::from(slot) % SLOTS));
            }
            return;
        }
        self.entry_mut(prev).next = next;
        self.entry_mut(next).prev = prev;
        if self.heads[usize::from(slot)] == index {
            self.heads[usize::from(slot)] = next;
        }
    }

    #[inline]
    fn entry(&self, index: u32) -> &Entry {
        self.entries.get(index).expect(IN_PLACE)
    }

    #[inline]
    fn entry_mut(&mut self, index: u32) -> &mut Entry {
        self.entries.get_mut(index).expect(IN_PLACE)
    }
}

impl When {
    const SLOT_BITS: u32 = u16::BITS;

    #[inline]
    fn new(tick: u64, slot: u16) -> Self {
        debug_assert!(tick <= TICK_MAX);
        // Above zero whatever they are: so an entry's place takes no room for whether it is free.
        let slot = NonZeroU64::MIN.saturating_add(slot.into());
        Self(slot | (tick << Self::SLOT_BITS))
    }

    #[inline]
    fn tick(self) -> u64 {
        self.0.get() >> Self::SLOT_BITS
    }

    #[inline]
    fn slot(self) -> u16 {
        (self.0.get() as u16) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

    use yamanote_base::rng::Rng;

    struct Note(u64, Arc<Mutex<Vec<u64>>>);

    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    /// A wheel beside a map that says what it should do.
    #[derive(Default)]
    struct Model {
        timers: BTreeMap<u32, u64>,
        now: u64,
        fired: Arc<Mutex<Vec<u64>>>,
    }

    impl Model {
        fn insert(&mut self, wheel: &mut Wheel, tick: u64) {
            let mut waker = Some(Waker::from(Arc::new(Note(tick, self.fired.clone()))));
            match wheel.insert(tick, 0, &mut waker) {
                Inserted::At { index, .. } => assert!(self.timers.insert(index, tick).is_none()),
                Inserted::Due => assert!(tick <= self.now),
                Inserted::ShutDown => panic!("nobody shut it down"),
            }
        }

        fn pick(&self, rng: &mut Rng) -> Option<u32> {
            let count = u32::try_from(self.timers.len().max(1)).unwrap();
            let at = rng.below(count) as usize;
            self.timers.keys().nth(at).copied()
        }

        fn go_to(&mut self, wheel: &mut Wheel, now: u64) {
            let due = |tick: &u64| *tick <= now;
            let mut expected: Vec<_> = self.timers.values().copied().filter(due).collect();
            expected.sort_unstable();
            let mut wakes = WakeList::new();
            assert_eq!(wheel.fire(now, &mut wakes), expected.len());
            wakes.wake_all();
            assert_eq!(std::mem::take(&mut *self.fired.lock().unwrap()), expected);
            let gone: Vec<_> = self
                .timers
                .iter()
                .filter(|(_, tick)| due(tick))
                .map(|(i, _)| *i)
                .collect();
            for index in gone {
                assert!(wheel.is_fired(index));
                assert!(wheel.remove(index).is_none());
                self.timers.remove(&index);
            }
            self.now = now;
        }

        fn check(&self, wheel: &Wheel) {
            assert_eq!(wheel.len(), self.timers.len());
            let earliest = self.timers.values().min().copied();
            let next = wheel.next_tick();
            assert_eq!(next.is_some(), earliest.is_some());
            assert!(next <= earliest && next.is_none_or(|next| next > self.now));
            if self.timers.len() <= LOOK_MAX && earliest.is_some_and(|tick| tick >> 36 == 0) {
                assert_eq!(next, earliest);
            }
        }
    }

    #[test]
    fn an_entry_has_at_most_24_bytes() {
        assert!(size_of::<Option<Entry>>() <= 24);
        for (tick, slot) in [(0, 0), (5, FIRED), (TICK_MAX, FAR)] {
            let when = When::new(tick, slot);
            assert_eq!((when.tick(), when.slot()), (tick, slot));
        }
    }

    fn distance(rng: &mut Rng) -> u64 {
        let bits = rng.below(42);
        (rng.next_u64() & ((1 << bits) - 1)).max(1)
    }

    fn step(wheel: &mut Wheel, model: &mut Model, rng: &mut Rng) {
        let tick = model.now + distance(rng);
        match (rng.below(8), model.pick(rng)) {
            (0, _) => model.go_to(wheel, tick),
            (1, Some(_)) => {
                let next = wheel.next_tick().unwrap();
                model.go_to(wheel, next);
            }
            (2, Some(index)) => {
                assert!(wheel.remove(index).is_some());
                model.timers.remove(&index);
            }
            (3, Some(index)) if tick > model.now => {
                assert!(matches!(wheel.move_to(index, tick), Inserted::At { .. }));
                let waker = Waker::from(Arc::new(Note(tick, model.fired.clone())));
                wheel.set_waker(index, waker);
                model.timers.insert(index, tick);
            }
            _ => model.insert(wheel, tick),
        }
    }

    #[test]
    fn it_does_what_a_sorted_map_does() {
        for seed in 0..200 {
            let mut rng = Rng::new(seed);
            let (mut wheel, mut model) = (Wheel::new(), Model::default());
            for _ in 0..300 {
                step(&mut wheel, &mut model, &mut rng);
                model.check(&wheel);
            }
            model.go_to(&mut wheel, u64::MAX);
            assert!(wheel.next_tick().is_none());
        }
    }

    #[test]
    fn an_earlier_timer_unparks_a_sleeping_driver_once() {
        let mut wheel = Wheel::new();
        let add =
            |wheel: &mut Wheel, tick| match wheel.insert(tick, 0, &mut Some(Waker::noop().clone()))
            {
                Inserted::At { unpark, .. } => unpark,
                _ => panic!("it is in the future"),
            };
        assert!(!add(&mut wheel, 100));
        assert_eq!(wheel.begin_sleep(), Some(100));
        assert!(!add(&mut wheel, 100));
        assert!(add(&mut wheel, 50));
        assert!(!add(&mut wheel, 60));
        wheel.fire(1, &mut WakeList::new());
        assert!(!add(&mut wheel, 10));
    }

    #[test]
    fn after_the_shutdown_waiting_timers_are_woken_and_say_so() {
        let mut wheel = Wheel::new();
        let mut wakes = WakeList::new();
        let mut waker = Some(Waker::noop().clone());
        let Inserted::At { index, .. } = wheel.insert(5, 0, &mut waker) else {
            panic!()
        };
        wheel.shut_down(&mut wakes);
        assert_eq!(wakes.len(), 1);
        assert_eq!(wheel.poll(index, Waker::noop()), Polled::ShutDown);
        assert_eq!(wheel.insert(9, 0, &mut waker), Inserted::ShutDown);
        assert!(wheel.remove(index).is_none());
    }
}
