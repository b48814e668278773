//! What a worker counts. Only the worker writes; anybody may read, and may read a little late.

use std::thread::ThreadId;
use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicU64, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_driver::clock::Clock;
use yamanote_task::Runnable;

use crate::config::Config;
use crate::histogram::{Histogram, HistogramConfiguration};

/// A poll's weight in a mean of polls: one of ten.
const WEIGHT: u64 = 10;

/// A time awake that may have been one long poll.
pub const LONG: Duration = Duration::from_millis(10);

/// Counters of one worker. Alone on its cache lines, so that counting costs a plain store.
#[derive(Debug)]
#[repr(align(128))]
pub struct WorkerMetrics {
    /// How often it went to sleep.
    pub parks: Counter,
    /// How often it went to sleep or woke up: odd while asleep.
    pub parks_and_unparks: Counter,
    /// How often it went to sleep without having polled a task since it woke up.
    pub empty_wakeups: Counter,
    /// Tasks that it polled.
    pub polls: Counter,
    /// Tasks that it took from others.
    pub stolen: Counter,
    /// How often it took tasks from others.
    pub steals: Counter,
    /// Tasks that were scheduled from the worker itself.
    pub local_schedules: Counter,
    /// Tasks that left its queue otherwise than by being polled, less those that were polled
    /// without having been in it; wraps around.
    pub detours: Counter,
    /// How often its queue was full and half of it moved to the inject queue.
    pub overflows: Counter,
    /// Polls that ended because the budget was spent.
    pub forced_yields: Counter,
    /// Nanoseconds between waking up and going to sleep.
    pub busy_ns: Counter,
    /// How often it was awake for [`LONG`] or longer.
    pub long_stretches: Counter,
    /// How long a poll took, as far as the times awake tell.
    awake_mean: Mean,
    /// Polls when it woke up.
    polls_before: Counter,
    /// Nanoseconds of the runtime's age when it woke up.
    awake_since_ns: Counter,
    /// What costs looks at the clock, if somebody asked for it.
    timing: Option<Box<Timing>>,
    /// The thread that it runs on, or ran on last.
    thread: Mutex<Option<ThreadId>>,
}

/// How long tasks waited and how long their polls took.
#[derive(Debug)]
struct Timing {
    poll_times: Option<PollTimes>,
    latencies: Option<Histogram>,
    /// Whether tasks are stamped when they are queued.
    stamped: bool,
}

#[derive(Debug)]
struct PollTimes {
    histogram: Histogram,
    mean: Mean,
}

/// A number that one thread writes and others read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// A mean in which late values weigh more. One thread writes.
#[derive(Debug, Default)]
struct Mean(AtomicU64);

/// What is measured of each poll, at the price of looks at the clock.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// The ranges of the poll times, if they are counted.
    pub poll_times: Option<HistogramConfiguration>,
    /// The ranges of the times between being queued and being polled, if they are counted.
    pub latencies: Option<HistogramConfiguration>,
    /// Whether tasks are stamped when they are queued: so that hooks are told how long they
    /// waited, and that the latencies are known.
    pub stamped: bool,
}

impl Counter {
    /// Adds `n`. Only the owner may call it: it is a load and a store, not one operation.
    #[inline]
    pub fn add(&self, n: u64) {
        // Relaxed: a counter publishes nothing.
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(n),
            Ordering::Relaxed,
        );
    }

    /// The number now.
    #[inline]
    pub fn get(&self) -> u64 {
        // Relaxed: as above.
        self.0.load(Ordering::Relaxed)
    }

    /// Puts `n` there. Only the owner may call it.
    fn set(&self, n: u64) {
        // Relaxed: as above.
        self.0.store(n, Ordering::Relaxed);
    }
}

impl Mean {
    /// The mean after `times` values more, which sum up to `sum`.
    fn after(&self, sum: u64, times: u64) -> u64 {
        let old = self.get();
        if times == 0 || old == 0 {
            return sum.checked_div(times).unwrap_or(old);
        }
        old.saturating_mul(WEIGHT - 1).saturating_add(sum) / (WEIGHT - 1 + times)
    }

    /// Takes `times` values in, which sum up to `sum`. Only the owner may call it.
    fn take_in(&self, sum: u64, times: u64) {
        // Relaxed: a figure publishes nothing.
        self.0.store(self.after(sum, times), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        // Relaxed: as above.
        self.0.load(Ordering::Relaxed)
    }
}

impl WorkerMetrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let measured = &config.measured;
        let timing = (measured.poll_times.is_some() || measured.stamped).then(|| {
            let poll_times = measured.poll_times.clone().map(|ranges| PollTimes {
                histogram: Histogram::new(ranges),
                mean: Mean::default(),
            });
            Box::new(Timing {
                poll_times,
                latencies: measured.latencies.clone().map(Histogram::new),
                stamped: measured.stamped,
            })
        });
        Self {
            parks: Counter::default(),
            parks_and_unparks: Counter::default(),
            empty_wakeups: Counter::default(),
            polls: Counter::default(),
            stolen: Counter::default(),
            steals: Counter::default(),
            local_schedules: Counter::default(),
            detours: Counter::default(),
            overflows: Counter::default(),
            forced_yields: Counter::default(),
            busy_ns: Counter::default(),
            long_stretches: Counter::default(),
            awake_mean: Mean::default(),
            polls_before: Counter::default(),
            awake_since_ns: Counter::default(),
            timing,
            thread: Mutex::default(),
        }
    }

    /// Runs `task`, and counts that.
    #[inline]
    pub fn run(&self, task: Runnable, clock: &Clock) {
        self.polls.add(1);
        match &self.timing {
            None => task.run(),
            Some(timing) => timing.run(task, clock),
        }
    }

    /// Tasks in the queue of a worker from which nobody steals.
    #[must_use]
    pub fn queued(&self) -> usize {
        let left = self.polls.get().wrapping_add(self.detours.get());
        let queued = self.local_schedules.get().wrapping_sub(left);
        // Read one after the other: a little less than none is none.
        match queued > u64::MAX / 2 {
            true => 0,
            false => usize::try_from(queued).unwrap_or(usize::MAX),
        }
    }

    /// How long the worker was awake, up to the last time it went to sleep.
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy_ns.get())
    }

    /// Notes that the worker is awake from now on.
    pub fn note_awake(&self, clock: &Clock) {
        self.begin_stretch(clock.age());
    }

    fn begin_stretch(&self, now: Duration) {
        self.awake_since_ns.set(nanos(now));
        self.polls_before.set(self.polls.get());
    }

    /// Notes that the worker has rested for `time` since it woke up: that counts as asleep.
    pub fn note_rest(&self, time: Duration) {
        self.awake_since_ns.add(nanos(time));
    }

    /// Notes that the worker was awake until now.
    pub fn note_busy(&self, clock: &Clock) {
        let now = clock.age();
        let (awake, polls) = self.awake(now);
        self.busy_ns.add(awake);
        if awake >= nanos(LONG) {
            self.long_stretches.add(1);
        }
        self.awake_mean.take_in(awake, polls);
        self.begin_stretch(now);
    }

    /// Notes that the worker goes to sleep.
    pub fn note_park(&self, clock: &Clock) {
        if self.polls.get() == self.polls_before.get() {
            self.empty_wakeups.add(1);
        }
        self.note_busy(clock);
        self.parks.add(1);
        self.parks_and_unparks.add(1);
    }

    /// Notes that the worker woke up, at what the driver's turn read off the clock if it did. (A
    /// clock that may jump does not tell how long a worker is at work.)
    pub fn note_unpark(&self, clock: &Clock, read: Option<Duration>) {
        self.parks_and_unparks.add(1);
        let read = read.filter(|_| !clock.is_virtual());
        self.begin_stretch(read.unwrap_or_else(|| clock.age()));
    }

    /// The runtime's age and the worker's polls when it woke up.
    pub fn stretch(&self) -> (Duration, u64) {
        let since = Duration::from_nanos(self.awake_since_ns.get());
        (since, self.polls_before.get())
    }

    /// Nanoseconds from when the worker woke up until `now`, and polls.
    fn awake(&self, now: Duration) -> (u64, u64) {
        let since = nanos(now).saturating_sub(self.awake_since_ns.get());
        let polls = self.polls.get().saturating_sub(self.polls_before.get());
        (since, polls)
    }

    /// Notes that the worker runs on the current thread from now on.
    pub fn note_thread(&self) {
        let here = std::thread::current().id();
        *self.thread.lock() = Some(here);
    }

    /// The thread that the worker runs on, or ran on last.
    #[must_use]
    pub fn thread(&self) -> Option<ThreadId> {
        *self.thread.lock()
    }

    /// The mean time of a poll; `None` unless poll times are counted.
    #[must_use]
    pub fn mean_poll_time(&self) -> Option<Duration> {
        let times = self.timing.as_ref()?.poll_times.as_ref()?;
        Some(Duration::from_nanos(times.mean.get()))
    }

    /// The mean time awake for a poll.
    #[must_use]
    pub fn mean_awake_time(&self, clock: &Clock) -> Duration {
        let is_awake = self.parks_and_unparks.get() % 2 == 0;
        let mean = match self.awake(clock.age()) {
            (awake, polls) if is_awake => self.awake_mean.after(awake, polls),
            _ => self.awake_mean.get(),
        };
        Duration::from_nanos(mean)
    }

    /// The poll times, if they are counted.
    #[must_use]
    pub fn poll_times(&self) -> Option<&Histogram> {
        let times = self.timing.as_ref()?.poll_times.as_ref()?;
        Some(&times.histogram)
    }

    /// The times between being queued and being polled, if they are counted.
    #[must_use]
    pub fn latencies(&self) -> Option<&Histogram> {
        self.timing.as_ref()?.latencies.as_ref()
    }
}

impl Timing {
    /// Not inlined: few want it.
    #[cold]
    #[inline(never)]
    fn run(&self, task: Runnable, clock: &Clock) {
        let begin = clock.age();
        if self.stamped {
            let waited = task.note_taken(begin);
            if let (Some(latencies), Some(waited)) = (&self.latencies, waited) {
                latencies.record(waited);
            }
        }
        task.run();
        if let Some(times) = &self.poll_times {
            let taken = clock.age().saturating_sub(begin);
            times.histogram.record(taken);
            times.mean.take_in(nanos(taken), 1);
        }
    }
}

/// Stamps a task that is about to be queued, if tasks are stamped.
#[inline]
pub fn stamp(task: &Runnable, config: &Config, clock: &Clock) {
    if config.measured.stamped {
        stamp_now(task, clock);
    }
}

/// Not inlined: few want it.
#[cold]
#[inline(never)]
fn stamp_now(task: &Runnable, clock: &Clock) {
    task.note_queued(clock.age());
}

/// Nanoseconds; more than 584 years count as that.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
