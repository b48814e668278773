//! One worker: where it finds its next task, and how it sleeps.
//!
//! What a worker needs to run is its `Desk`; the desk lies on a thread, and what
//! is in its `kit` is used by that thread alone. `block_in_place` moves the kit to another
//! thread and leaves the desk without one: tasks woken there go to the inject queue, and when
//! the poll that blocked ends, the thread leaves.

mod here;
mod owed;
mod warm;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use yamanote_base::atomic::plain::Ordering;
use yamanote_base::enter::{self, Entered};
use yamanote_base::probe::{self, Point};
use yamanote_base::rng::{self, Rng};
use yamanote_base::wake::WakeList;
use yamanote_driver::{Driver, Turned};
use yamanote_task::{RestingCells, Runnable, Warm};

use super::inject_pace::InjectPace;
use super::patience::{Look, Patience};
use super::queue::{LEN, Local};
use super::{Lane, Multi, NEXT_STREAK, Seat};
use crate::config::{Callback, Hooks};
use crate::countdown::Countdown;
use here::{DeskPlace, with_desk};

pub use here::current_worker;
pub(super) use here::{Here, here, index_of};

/// A worker that is to be run on a thread.
pub struct Worker {
    multi: Multi,
    kit: Box<Kit>,
}

/// What a worker works with; it moves from thread to thread with the worker.
struct Kit {
    index: usize,
    ring: Local<Runnable>,
    driver: Driver,
    /// Looks for a task until the driver is turned.
    until_turn: Countdown,
    /// When the inject queue comes first.
    inject: InjectPace,
    /// How many tasks in a row came from the next slot.
    streak: u8,
    /// Whether it counts as a searcher in [`super::idle`].
    searching: bool,
    /// While the driver's wakers are called: tasks go to the ring and wake no other worker.
    delivering: bool,
    patience: Patience,
    /// Looks at all workers, for [`Desk::search`] alone.
    looks: Vec<Look>,
    rng: Rng,
}

/// What comes before the worker's own tasks.
#[derive(Clone, Copy)]
struct Due {
    /// A turn of the driver.
    turn: bool,
    /// The inject queue.
    inject: bool,
}

/// What comes of a search.
enum Searched {
    Found(Runnable),
    /// One that another worker keeps, and that was woken.
    Warm(Warm),
    /// Others have tasks, and get on with them.
    Left,
    Nothing,
}

impl Searched {
    /// Lets go of what another worker keeps: a task is found, if it is to run.
    fn let_go(self) -> Self {
        match self {
            Searched::Warm(warm) => warm.let_go().map_or(Searched::Left, Searched::Found),
            other => other,
        }
    }
}

impl Kit {
    /// One look for a task further.
    #[inline]
    fn due(&mut self) -> Due {
        Due {
            turn: self.until_turn.is_over(),
            inject: self.inject.is_due(),
        }
    }

    fn turn(&mut self, limit: Option<Duration>, wakes: &mut WakeList) -> Turned {
        self.until_turn.restart();
        self.driver.turn(limit, wakes)
    }
}

/// The place on a thread where a worker works.
struct Desk {
    multi: Multi,
    index: usize,
    seat: Arc<Seat>,
    /// `None` after `block_in_place` has sent it to another thread.
    kit: RefCell<Option<Box<Kit>>>,
    /// Whether a task that is woken here goes to the next slot if that is empty, whatever else the
    /// kit says: it is here, is not [delivering](Kit::delivering), and there is such a slot.
    fills_next: Cell<bool>,
    /// Whether a task that waits may be kept for a poll: the kit is here, and so is a barrier.
    keeps_warm: Cell<bool>,
    /// So many more are kept in vain before none is until the next turn.
    warm_tries: Cell<u8>,
    /// While the worker itself calls user code, between two polls: then the kit stays here.
    keeps_kit: Cell<bool>,
    cells: RestingCells<Multi>,
}

impl Worker {
    pub(super) fn new(multi: Multi, index: usize, ring: Local<Runnable>, driver: Driver) -> Self {
        let rng = Rng::new(multi.config().seeds.next_seed().as_u64());
        let kit = Kit {
            index,
            ring,
            driver,
            until_turn: Countdown::new(multi.config().event_interval),
            inject: InjectPace::new(multi.config()),
            streak: 0,
            searching: false,
            delivering: false,
            patience: Patience::default(),
            looks: Vec::new(),
            rng,
        };
        Self {
            multi,
            kit: Box::new(kit),
        }
    }

    /// Works on the current thread until the scheduler closes, or until `block_in_place` sends
    /// the worker to another thread.
    pub fn run(self) {
        let Worker { multi, mut kit } = self;
        let index = kit.index;
        let _rng = rng::enter_thread(kit.rng.split());
        let _shard = yamanote_driver::context::enter_worker(multi.driver(), index);
        let _entered = enter::set(Entered::Driving {
            block_in_place: true,
        });
        let seat = multi.0.seats[index].clone();
        let desk = Rc::new(Desk {
            fills_next: Cell::new(!multi.config().disable_lifo_slot),
            keeps_warm: Cell::new(seat.warm.is_cheap()),
            warm_tries: Cell::new(warm::TRIES),
            multi,
            index,
            seat,
            kit: RefCell::new(Some(kit)),
            keeps_kit: Cell::new(false),
            cells: RestingCells::new(),
        });
        let _place = DeskPlace::take(&desk);
        desk.seat.metrics.note_thread();
        desk.work();
    }
}

impl Desk {
    fn work(&self) {
        let clock = self.multi.driver().clock();
        while let Some(task) = self.next_task() {
            let warm = self.seat.warm.word();
            self.seat.metrics.run(task, clock);
            // Was it kept for this poll in vain? Whoever was kept at its end is another one.
            if !warm.is_null() && self.seat.warm.word() == warm {
                self.let_go();
            }
        }
        // Else the worker has moved to another thread.
        if self.kit.borrow().is_some() {
            self.retire();
        }
    }

    /// The next task to run, slept for if need be; `None` when the worker is to leave, or has
    /// moved to another thread.
    fn next_task(&self) -> Option<Runnable> {
        loop {
            if self.multi.is_closed() {
                return None;
            }
            let found = match self.usual()? {
                Ok(task) => Some(task),
                Err(due) => {
                    self.let_go();
                    self.find(due)
                }
            };
            if found.is_some() {
                return found;
            }
        }
    }

    /// The usual case, with one look at the kit: a task of the worker's own, if nothing is due.
    #[inline]
    fn usual(&self) -> Option<Result<Runnable, Due>> {
        let mut kit = self.kit.borrow_mut();
        let kit = kit.as_mut()?;
        let due = kit.due();
        if due.turn || due.inject || kit.searching || self.seat.has_woken_warm() {
            return Some(Err(due));
        }
        Some(self.own(kit).ok_or(due))
    }

    /// Does what is due, and finds a task, or sleeps until there may be one.
    fn find(&self, due: Due) -> Option<Runnable> {
        if due.turn {
            self.turn(Some(Duration::ZERO));
            self.make_owed_turns();
        }
        let own = || self.with_kit(|kit| self.own(kit));
        let found = match due.inject {
            true => self.injected_first().or_else(own),
            false => own().or_else(|| self.injected()),
        };
        let searched = found.map_or_else(|| self.search(), Searched::Found);
        match searched.let_go() {
            Searched::Found(task) => {
                self.stop_searching();
                return Some(task);
            }
            // One is enough to watch; what its driver has may be run meanwhile.
            Searched::Left if self.multi.0.idle.searches_alone() => {
                self.turn(Some(Duration::ZERO));
            }
            Searched::Left | Searched::Warm(_) | Searched::Nothing => {
                if !self.make_owed_turns() {
                    self.sleep();
                }
            }
        }
        None
    }

    /// A worker whose thread came to run only when all was over has not slept; it looks at the
    /// driver once, so that each worker has, on a busy machine too.
    fn sleep_once(&self) {
        let (metrics, clock) = (&self.seat.metrics, self.multi.driver().clock());
        if metrics.parks.get() == 0 {
            metrics.note_park(clock);
            let read = self.turn(Some(Duration::ZERO));
            metrics.note_unpark(clock, read);
        }
    }

    /// A task of the worker's own: from the next slot, unless too often in a row, or the ring.
    #[inline]
    fn own(&self, kit: &mut Kit) -> Option<Runnable> {
        // SAFETY: whoever has the kit is the worker; it moves from thread to thread by a lock.
        match unsafe { self.seat.next.take() } {
            Some(next) if kit.streak < NEXT_STREAK => {
                kit.streak += 1;
                return Some(next);
            }
            // It keeps nobody waiting. In the ring a thief would see it until it is popped.
            Some(next) if kit.ring.is_empty() => {
                kit.streak = 0;
                return Some(next);
            }
            Some(next) => self.push_to_ring(kit, next),
            None => {}
        }
        kit.streak = 0;
        kit.ring.pop()
    }

    /// Whether the worker has a task of its own.
    fn has_own(&self) -> bool {
        !self.seat.next.is_empty() || self.with_kit(|kit| !kit.ring.is_empty())
    }

    /// The same, because the inject queue is due.
    fn injected_first(&self) -> Option<Runnable> {
        let clock = self.multi.driver().clock();
        self.with_kit(|kit| kit.inject.note_look(&self.seat.metrics, || clock.elapsed()));
        self.injected()
    }

    /// This worker's share of the inject queue: one task to run, the others to the ring.
    fn injected(&self) -> Option<Runnable> {
        let inject = &self.multi.0.inject;
        if inject.is_empty() {
            return None;
        }
        self.with_kit(|kit| {
            let room = LEN - kit.ring.len();
            let share = inject.len() / self.multi.workers() + 1;
            let most = share.min(room).clamp(1, LEN / 2);
            inject.pop_batch(most, |task| {
                kit.ring.push(task, |_| {
                    unreachable!("no more were taken than there is room for")
                });
            })
        })
    }

    /// Looks at all other workers' rings, twice if there are tasks and it has patience.
    fn search(&self) -> Searched {
        let seats = &self.multi.0.seats;
        if seats.len() == 1 {
            return Searched::Nothing;
        }
        let clock = self.multi.driver().clock();
        self.with_kit(|kit| kit.patience.learn(|| clock.elapsed()));
        if !self.start_searching() {
            return Searched::Nothing;
        }
        if !self.multi.has_stealable() {
            return Searched::Nothing;
        }
        let first = clock.elapsed();
        if self.with_kit(|kit| kit.patience.is_over()) {
            return self.steal(first);
        }
        self.with_kit(|kit| {
            let looks = seats.iter().map(|seat| seat.look(first));
            kit.looks.clear();
            kit.looks.extend(looks);
            kit.patience.wait(&mut kit.driver);
        });
        let second = clock.elapsed();
        self.seat.metrics.note_rest(second.saturating_sub(first));
        self.steal(second)
    }

    /// Takes tasks from the first worker, from a random one on, to whom they are not to be left.
    /// The second look is `now`.
    fn steal(&self, now: Duration) -> Searched {
        let seats = &self.multi.0.seats;
        self.with_kit(|kit| {
            let count = u32::try_from(seats.len()).unwrap_or(u32::MAX);
            let start = kit.rng.below(count) as usize;
            let others = (0..seats.len()).map(|i| (start + i) % seats.len());
            let mut searched = Searched::Nothing;
            for victim in others.filter(|victim| *victim != kit.index) {
                let seat = &seats[victim];
                if seat.steal.is_empty() && !seat.has_woken_warm() {
                    continue;
                }
                searched = Searched::Left;
                if !kit.patience.is_over() && !kit.looks[victim].is_slow(seat.look(now)) {
                    continue;
                }
                if let Some((task, taken)) = seat.steal.steal_into(&mut kit.ring) {
                    let metrics = &self.seat.metrics;
                    metrics.steals.add(1);
                    metrics.stolen.add(taken as u64);
                    kit.patience.note_taken(now, taken);
                    return Searched::Found(task);
                }
                if let Some(warm) = seat.take_warm_if_woken() {
                    return Searched::Warm(warm);
                }
            }
            if let Searched::Left = searched {
                kit.patience.note_left();
            }
            searched
        })
    }

    fn start_searching(&self) -> bool {
        self.with_kit(|kit| {
            kit.searching = kit.searching || self.multi.0.idle.start_searching();
            kit.searching
        })
    }

    fn stop_searching(&self) {
        let was = self.with_kit(|kit| std::mem::take(&mut kit.searching));
        if was && self.multi.0.idle.stop_searching() && self.multi.work_is_visible() {
            self.multi.wake_one();
        }
    }

    /// Sleeps in the driver until there is something to do.
    fn sleep(&self) {
        let parts = &self.multi.0;
        self.call_hook(&parts.config.hooks.before_park);
        if self.has_own() {
            // The hook woke a task: on this thread, which calls nobody.
            self.call_hook(&parts.config.hooks.after_unpark);
            return;
        }
        let was_searching = self.with_kit(|kit| std::mem::take(&mut kit.searching));
        parts.idle.prepare_sleep(self.index, was_searching);
        let is_needed = self.multi.work_is_visible() && !parts.idle.is_searched();
        if is_needed || self.multi.is_closed() {
            let claimed = parts.idle.wake_up(self.index);
            self.with_kit(|kit| kit.searching = claimed);
            self.call_hook(&parts.config.hooks.after_unpark);
            return;
        }
        let metrics = &self.seat.metrics;
        let clock = parts.driver.clock();
        metrics.note_park(clock);
        probe::emit(Point::Park, self.index as u64);
        let read = self.turn_asleep();
        probe::emit(Point::Unpark, self.index as u64);
        metrics.note_unpark(clock, read);
        self.call_hook(&parts.config.hooks.after_unpark);
    }

    fn call_hook(&self, hook: &Option<Callback>) {
        self.keeps_kit.set(true);
        Hooks::call(hook.as_ref());
        self.keeps_kit.set(false);
    }

    /// Returns what the clock showed when the worker woke up, if it was read.
    fn turn_asleep(&self) -> Option<Duration> {
        let mut wakes = WakeList::new();
        let turned = self.with_kit(|kit| kit.turn(None, &mut wakes));
        let parts = &self.multi.0;
        let claimed = parts.idle.wake_up(self.index);
        parts.monitor.note_awake();
        self.with_kit(|kit| kit.searching = claimed);
        self.deliver(&mut wakes);
        turned.now
    }

    /// Looks what happened, for at most `limit`; returns what the clock showed, if it was read.
    fn turn(&self, limit: Option<Duration>) -> Option<Duration> {
        self.try_warm();
        let mut wakes = WakeList::new();
        let turned = self.with_kit(|kit| kit.turn(limit, &mut wakes));
        self.deliver(&mut wakes);
        turned.now
    }

    /// Calls the driver's wakers: their tasks go to this worker's ring.
    fn deliver(&self, wakes: &mut WakeList) {
        if wakes.is_empty() {
            return;
        }
        self.with_kit(|kit| kit.delivering = true);
        self.fills_next.set(false);
        self.keeps_kit.set(true);
        wakes.wake_quietly();
        self.keeps_kit.set(false);
        self.fills_next.set(!self.multi.config().disable_lifo_slot);
        let queued = self.with_kit(|kit| {
            kit.delivering = false;
            kit.ring.len()
        });
        // One of them is for this worker.
        if queued > 1 {
            self.multi.wake_one();
        }
    }

    /// Takes in a task that became runnable on this thread; gives it back without a kit.
    #[inline(always)]
    fn accept(&self, task: Runnable, lane: Lane) -> Result<(), Runnable> {
        if lane == Lane::Back || !self.fills_next.get() {
            return self.accept_by_kit(task, lane);
        }
        match self.seat.next.put(task) {
            Ok(()) => {
                self.seat.metrics.local_schedules.add(1);
                Ok(())
            }
            Err(task) => self.accept_by_kit(task, lane),
        }
    }

    /// The same, if it is not the usual case.
    #[inline(never)]
    fn accept_by_kit(&self, task: Runnable, lane: Lane) -> Result<(), Runnable> {
        let mut kit = self.kit.borrow_mut();
        let Some(kit) = kit.as_mut() else {
            return Err(task);
        };
        self.seat.metrics.local_schedules.add(1);
        if kit.delivering || lane == Lane::Back {
            // What comes back runs on this worker, unless others wait and call a thief anyway.
            self.push_to_ring(kit, task);
            return Ok(());
        }
        let displaced = match self.multi.config().disable_lifo_slot {
            true => Some(task),
            // SAFETY: as in `own`.
            false => unsafe { self.seat.next.replace(task) },
        };
        if let Some(displaced) = displaced {
            self.push_to_ring(kit, displaced);
            self.multi.wake_one();
        }
        Ok(())
    }

    fn push_to_ring(&self, kit: &mut Kit, task: Runnable) {
        let mut overflow = VecDeque::new();
        kit.ring.push(task, |task| overflow.push_back(task));
        if !overflow.is_empty() {
            self.seat.metrics.overflows.add(1);
            self.multi.0.inject.push_batch(overflow);
        }
    }

    /// Drops all tasks; the last worker to do so cleans up what all share.
    fn retire(&self) {
        let parts = &self.multi.0;
        self.sleep_once();
        self.let_go();
        // No destructor sends it to another thread, where it would retire once more. What they
        // wake goes to the inject queue.
        let kit = self.take_kit();
        parts.tasks.close_and_cancel_all();
        self.seat.metrics.note_busy(parts.driver.clock());
        if let Some(mut kit) = kit {
            self.multi.drop_queued(&mut kit.ring);
        }
        // AcqRel: the last worker sees what the others did.
        if parts.active.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.multi.retire_last();
        }
    }

    /// Takes the kit away: the desk takes no tasks any more.
    fn take_kit(&self) -> Option<Box<Kit>> {
        let kit = self.kit.take()?;
        self.fills_next.set(false);
        self.keeps_warm.set(false);
        Some(kit)
    }

    fn put_kit_back(&self, kit: Box<Kit>) {
        *self.kit.borrow_mut() = Some(kit);
        self.fills_next.set(!self.multi.config().disable_lifo_slot);
        self.keeps_warm.set(self.seat.warm.is_cheap());
    }

    /// The worker, for another thread, if it is here and not in the middle of something.
    fn lend(&self) -> Option<Worker> {
        if self.keeps_kit.get() {
            return None;
        }
        let (multi, kit) = (self.multi.clone(), self.take_kit()?);
        Some(Worker { multi, kit })
    }

    fn with_kit<R>(&self, f: impl FnOnce(&mut Kit) -> R) -> R {
        let mut kit = self.kit.borrow_mut();
        f(kit
            .as_mut()
            .expect("a worker has its kit between two polls"))
    }
}

/// Runs `f`, which may block, after sending the worker to another thread, if this is one.
///
/// `launch` runs the worker on another thread, or gives it back if there is none for it: then it
/// waits for `f`. If the poll that blocks is the last thing that holds the worker back, it goes on
/// there.
pub fn block_in_place<R>(
    launch: impl FnOnce(Worker) -> Result<(), Worker>,
    f: impl FnOnce() -> R,
) -> R {
    with_desk(|desk| {
        let Some((desk, worker)) = desk.and_then(|desk| Some((desk, desk.lend()?))) else {
            return;
        };
        if let Err(worker) = launch(worker) {
            desk.put_kit_back(worker.kit);
        }
    });
    let _outside = enter::set(Entered::No);
    yamanote_base::budget::with_unlimited(f)
}
