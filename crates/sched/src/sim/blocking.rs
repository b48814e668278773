//! Work that blocks, as a task: a thread of its own does it, which runs only while the task is
//! polled. So the order of all threads is the order of polls, which the world decides.
//!
//! ```text
//!  Queued ── a while, as drawn ──▶ Seated ── hand_over ──▶ Done
//!                                     │  ▲        │
//!                  poll ends, Pending ◀──┴────────┘ the work waits for something
//! ```

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use yamanote_base::baton::{Back, Order, Seat};
use yamanote_base::rng;
use yamanote_base::{budget, simulated, waits};
use yamanote_driver::context::{self, Alarm};
use yamanote_task::SpawnLocation;
use yamanote_world::ChoiceKind;

use super::{RUNNING, SimHost};

/// Work that may block.
pub type Work = Box<dyn FnOnce() + Send>;

/// The longest that work waits for a thread, in nanoseconds of virtual time.
const QUEUED_MAX_NS: u64 = 50_000;
/// How often work that is left at the end of a world may wait again before it is left for good.
const FAREWELLS: usize = 64;

/// The task that has its work done by a thread.
pub(super) struct Blocking {
    host: SimHost,
    place: SpawnLocation,
    stage: Stage,
}

enum Stage {
    Queued(Work, Option<Alarm>),
    Seated(Seat),
    Done,
}

impl Blocking {
    pub(super) fn new(host: SimHost, work: Work, place: SpawnLocation) -> Self {
        let (world, id) = (host.sim().world(), host.host().id());
        let queued_ns = world.choose_on(ChoiceKind::BlockingTime, id, QUEUED_MAX_NS);
        let queued = Duration::from_nanos(queued_ns);
        let alarm = (queued_ns > 0).then(|| world.alarm("a thread to run on", queued));
        Self {
            host,
            place,
            stage: Stage::Queued(work, alarm),
        }
    }

    /// Waits for a thread, and gets one.
    fn poll_queued(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Stage::Queued(_, alarm) = &self.stage else {
            return Poll::Ready(());
        };
        if alarm
            .as_ref()
            .is_some_and(|alarm| alarm.poll(cx).is_pending())
        {
            return Poll::Pending;
        }
        let Stage::Queued(work, _) = std::mem::replace(&mut self.stage, Stage::Done) else {
            unreachable!("it was looked at above")
        };
        match seat(&self.host, work) {
            Ok(seat) => self.stage = Stage::Seated(seat),
            Err(error) => self.host.sim().lose(format!(
                "the work spawned at {} got no thread: {error}",
                self.place
            )),
        }
        Poll::Ready(())
    }
}

impl Future for Blocking {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_queued(cx).is_pending() {
            return Poll::Pending;
        }
        let Stage::Seated(seat) = &self.stage else {
            return Poll::Ready(());
        };
        match seat.hand_over(cx.waker(), Order::Go) {
            Back::Done => self.stage = Stage::Done,
            Back::Waits(what) => {
                waits::note(|| what);
                return Poll::Pending;
            }
            Back::Lost => {
                self.stage = Stage::Done;
                self.host.sim().lose(format!(
                    "the work that was given to spawn_blocking at {} waits for what is not \
                     simulated (a read, a lock or a sleep of the system, another thread), and \
                     hence for ever",
                    self.place
                ));
            }
        }
        Poll::Ready(())
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // Of a program that was killed: nothing of it goes on, until the world ends.
        if let Stage::Seated(seat) = std::mem::replace(&mut self.stage, Stage::Done) {
            self.host.sim().0.orphans.lock().push(seat);
        }
    }
}

/// Lets work whose task is gone come to an end, if it does.
pub(super) fn bid_farewell(seat: &Seat) {
    for _ in 0..FAREWELLS {
        if !matches!(seat.hand_over(Waker::noop(), Order::Leave), Back::Waits(_)) {
            return;
        }
    }
}

/// A thread for `work` that stands on `host` as its tasks do.
fn seat(host: &SimHost, work: Work) -> std::io::Result<Seat> {
    let own_rng = host.host().application_rng();
    let host = host.clone();
    let name = format!("blocking-{}", host.host().name());
    let stand = move || {
        let _rng = rng::enter_thread(own_rng);
        let _sockets = context::enter_host(host.host().clone());
        let _timers = context::enter_worker(host.driver(), 0);
        let _simulated = simulated::enter();
        RUNNING.set(host.sim().id());
        budget::with_unlimited(work);
    };
    // The thread is the world's own.
    let _outside = simulated::leave();
    Seat::start(&name, stand)
}
