//! Sleeps, timeouts and intervals on a paused clock.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{
    Instant, Interval, MissedTickBehavior, advance, interval, interval_at, sleep, sleep_until,
    timeout,
};

use crate::trial::{Operation, Outcome, Trial, go_on};

struct Clock {
    runtime: Runtime,
    start: Instant,
}

impl Clock {
    fn new() -> Clock {
        let runtime = paused();
        let start = runtime.block_on(async { Instant::now() });
        Clock { runtime, start }
    }

    fn now(&self) -> Duration {
        let _entered = self.runtime.enter();
        self.start.elapsed()
    }
}

/// A runtime of one thread, whose clock stands unless a program moves it.
pub(crate) fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    let built = builder.enable_all().start_paused(true).build();
    built.expect("a runtime needs no more than a thread")
}

fn micros(trial: &mut Trial, below: usize) -> Duration {
    Duration::from_micros(trial.below(below) as u64)
}

/// Sleeps that are polled, moved and dropped while the clock advances.
pub(crate) fn sleeps(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Clock>] = &[
        (2, start_sleep),
        (1, start_timeout),
        (1, start_reset),
        (2, advance_clock),
        (1, sleep_now),
        (3, go_on),
    ];
    let mut clock = Clock::new();
    let handle = clock.runtime.handle().clone();
    let _entered = handle.enter();
    trial.run(80, &mut clock, OPERATIONS);
    trial.drop_all();
}

fn start_sleep(clock: &mut Clock, trial: &mut Trial) {
    let (start, after) = (clock.start, micros(trial, 200_000));
    trial.start(&format!("sleep {after:?}"), async move {
        sleep(after).await;
        Outcome::of(start.elapsed())
    });
}

fn start_timeout(clock: &mut Clock, trial: &mut Trial) {
    let (start, limit, after) = (clock.start, micros(trial, 20_000), micros(trial, 30_000));
    trial.start(&format!("timeout {limit:?} of {after:?}"), async move {
        let ended = timeout(limit, sleep(after)).await;
        Outcome::of((ended.map_err(|error| error.to_string()), start.elapsed()))
    });
}

fn start_reset(clock: &mut Clock, trial: &mut Trial) {
    let (start, after, then) = (clock.start, micros(trial, 200_000), micros(trial, 100_000));
    let is_polled = trial.one_in(2);
    trial.start(&format!("sleep {after:?}, reset to {then:?}"), async move {
        let mut sleep = pin!(sleep_until(Instant::now() + after));
        if is_polled {
            poll_fn(|cx| std::task::Poll::Ready(sleep.as_mut().poll(cx).is_ready())).await;
        }
        sleep.as_mut().reset(start + then);
        let was_elapsed = sleep.is_elapsed();
        sleep.as_mut().await;
        Outcome::of((
            sleep.deadline() - start,
            was_elapsed,
            sleep.is_elapsed(),
            start.elapsed(),
        ))
    });
}

fn advance_clock(clock: &mut Clock, trial: &mut Trial) {
    let below = [1_000, 20_000, 3_000_000][trial.below(3)];
    let by = micros(trial, below);
    clock.runtime.block_on(advance(by));
    trial.tell(format_args!("advance {by:?} to {:?}", clock.now()));
}

/// The runtime has nothing else to do, so the clock jumps.
fn sleep_now(clock: &mut Clock, trial: &mut Trial) {
    let after = micros(trial, 50_000);
    clock.runtime.block_on(async { sleep(after).await });
    trial.tell(format_args!("slept {after:?} until {:?}", clock.now()));
}

struct Ticks {
    clock: Clock,
    interval: Interval,
}

/// Intervals that are late, and what they then do.
pub(crate) fn intervals(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Ticks>] = &[(5, tick), (2, pass), (1, reset)];
    const BEHAVIORS: [MissedTickBehavior; 3] = [
        MissedTickBehavior::Burst,
        MissedTickBehavior::Delay,
        MissedTickBehavior::Skip,
    ];
    for _ in 0..4 {
        let clock = Clock::new();
        let handle = clock.runtime.handle().clone();
        let _entered = handle.enter();
        let period = Duration::from_micros(1) + micros(trial, 30_000);
        let first = clock.start + micros(trial, 100_000);
        let mut interval = match trial.one_in(2) {
            true => interval(period),
            false => interval_at(first, period),
        };
        interval.set_missed_tick_behavior(BEHAVIORS[trial.below(3)]);
        let (period, behavior) = (interval.period(), interval.missed_tick_behavior());
        trial.tell(format_args!("every {period:?}, {behavior:?}"));
        trial.run(20, &mut Ticks { clock, interval }, OPERATIONS);
    }
}

fn tick(ticks: &mut Ticks, trial: &mut Trial) {
    let at = ticks.clock.runtime.block_on(ticks.interval.tick());
    let at = at - ticks.clock.start;
    trial.tell(format_args!("tick {at:?} at {:?}", ticks.clock.now()));
}

fn pass(ticks: &mut Ticks, trial: &mut Trial) {
    let by = micros(trial, 100_000);
    ticks.clock.runtime.block_on(advance(by));
    trial.tell(format_args!("advance {by:?}"));
}

fn reset(ticks: &mut Ticks, trial: &mut Trial) {
    let way = trial.below(4);
    match way {
        0 => ticks.interval.reset(),
        1 => ticks.interval.reset_immediately(),
        2 => ticks.interval.reset_after(micros(trial, 2_000)),
        _ => ticks
            .interval
            .reset_at(ticks.clock.start + micros(trial, 100_000)),
    }
    trial.tell(format_args!("reset {way}"));
}
