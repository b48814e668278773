//! Intervals against a plain model, in milliseconds of a paused clock.
#![cfg(not(loom))]

use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use yamanote_runtime::Builder;
use yamanote_time::{Duration, Instant, Interval, MissedTickBehavior, advance, interval_at};

/// A tick that is taken so late is not missed.
const SLACK_MS: u64 = 5;

#[derive(Clone, Debug)]
enum Step {
    Advance(u64),
    Tick,
    Behave(MissedTickBehavior),
    Reset,
    ResetNow,
    ResetAfter(u64),
    /// To so much before or after the present.
    ResetAt(i64),
}

/// What an interval is, without timers.
struct Model {
    now: u64,
    due: u64,
    period: u64,
    behavior: MissedTickBehavior,
}

impl Model {
    fn tick(&mut self) -> Option<u64> {
        let due = self.due;
        if self.now < due {
            return None;
        }
        self.due += self.period;
        let is_missed = self.now > due + SLACK_MS;
        if is_missed && self.behavior == MissedTickBehavior::Delay {
            self.due = self.now + self.period;
        }
        while is_missed && self.behavior == MissedTickBehavior::Skip && self.due <= self.now {
            self.due += self.period;
        }
        Some(due)
    }
}

fn behavior() -> impl Strategy<Value = MissedTickBehavior> {
    prop_oneof![
        Just(MissedTickBehavior::Burst),
        Just(MissedTickBehavior::Delay),
        Just(MissedTickBehavior::Skip),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..200_u64).prop_map(Step::Advance),
        6 => Just(Step::Tick),
        1 => behavior().prop_map(Step::Behave),
        1 => Just(Step::Reset),
        1 => Just(Step::ResetNow),
        1 => (0..300_u64).prop_map(Step::ResetAfter),
        1 => (-100..300_i64).prop_map(Step::ResetAt),
    ]
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// An interval, its model, and when both began.
struct Pair {
    zero: Instant,
    interval: Interval,
    model: Model,
}

impl Pair {
    fn tick(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        let expected = match self.model.tick() {
            Some(due) => Poll::Ready(self.zero + ms(due)),
            None => Poll::Pending,
        };
        assert_eq!(self.interval.poll_tick(&mut cx), expected);
    }

    /// All steps but those that wait.
    fn change(&mut self, step: &Step) {
        let Self {
            zero,
            interval,
            model,
        } = self;
        match *step {
            Step::Advance(_) | Step::Tick => {}
            Step::Behave(behavior) => {
                interval.set_missed_tick_behavior(behavior);
                model.behavior = behavior;
            }
            Step::Reset => {
                interval.reset();
                model.due = model.now + model.period;
            }
            Step::ResetNow => {
                interval.reset_immediately();
                model.due = model.now;
            }
            Step::ResetAfter(after) => {
                interval.reset_after(ms(after));
                model.due = model.now + after;
            }
            Step::ResetAt(offset) => {
                model.due = model.now.saturating_add_signed(offset);
                interval.reset_at(*zero + ms(model.due));
            }
        }
    }
}

async fn run(period: u64, start: u64, steps: Vec<Step>) {
    let zero = Instant::now();
    let interval = interval_at(zero + ms(start), ms(period));
    let behavior = MissedTickBehavior::default();
    let (now, due) = (0, start);
    let model = Model {
        now,
        due,
        period,
        behavior,
    };
    let mut pair = Pair {
        zero,
        interval,
        model,
    };
    for step in steps {
        match step {
            Step::Advance(by) => {
                advance(ms(by)).await;
                pair.model.now += by;
            }
            Step::Tick => pair.tick(),
            change => pair.change(&change),
        }
        assert_eq!(zero.elapsed(), ms(pair.model.now));
        assert_eq!(pair.interval.missed_tick_behavior(), pair.model.behavior);
    }
}

proptest! {
    #[test]
    fn an_interval_ticks_when_its_model_does(
        period in 1..80_u64,
        start in 0..100_u64,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(run(period, start, steps));
    }
}
