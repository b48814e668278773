//! What a worker counts. Only the worker writes; anybody may read, and may read a little late.

use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicU64, AtomicUsize, Ordering};

/// Counters of one worker. Alone on its cache lines, so that counting costs a plain store.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct WorkerMetrics {
    /// How often it went to sleep.
    pub parks: Counter,
    /// How often it went to sleep or woke up: odd while asleep.
    pub parks_and_unparks: Counter,
    /// How often it woke up and found nothing to do.
    pub empty_wakeups: Counter,
    /// Tasks that it polled.
    pub polls: Counter,
    /// Tasks that it took from others.
    pub stolen: Counter,
    /// How often it took tasks from others.
    pub steals: Counter,
    /// Tasks that were scheduled from the worker itself.
    pub local_schedules: Counter,
    /// How often its queue was full and half of it moved to the inject queue.
    pub overflows: Counter,
    /// Nanoseconds between waking up and going to sleep.
    pub busy_ns: Counter,
    /// Tasks in its queue when it last looked.
    pub queue_depth: AtomicUsize,
}

/// A number that one thread writes and others read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

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
}

impl WorkerMetrics {
    /// How long the worker was awake, up to the last time it went to sleep.
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy_ns.get())
    }

    /// Notes that the worker was awake for a while.
    pub fn note_busy(&self, awake: Duration) {
        self.busy_ns
            .add(u64::try_from(awake.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Notes that the worker goes to sleep after it was `awake`.
    pub fn note_park(&self, awake: Duration) {
        self.note_busy(awake);
        self.parks.add(1);
        self.parks_and_unparks.add(1);
    }

    /// Notes that the worker woke up.
    pub fn note_unpark(&self) {
        self.parks_and_unparks.add(1);
    }
}
