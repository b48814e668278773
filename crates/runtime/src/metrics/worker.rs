//! What each worker counts by itself.

use std::thread::ThreadId;
use std::time::Duration;

use super::RuntimeMetrics;
use crate::handle::Scheduler;

impl RuntimeMetrics {
    /// The thread that `worker` runs on, or ran on last; `None` before it began. It is another
    /// one after `block_in_place`. That of a current-thread runtime is where the last `block_on`
    /// was, and before the first, where it was built.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// let here = std::thread::current().id();
    /// assert_eq!(runtime.metrics().worker_thread_id(0), Some(here));
    /// ```
    ///
    /// # Panics
    /// When there is no such worker; so it is with all functions that are given one.
    #[must_use]
    #[track_caller]
    pub fn worker_thread_id(&self, worker: usize) -> Option<ThreadId> {
        self.worker(worker).thread()
    }

    /// How long `worker` was awake, up to the last time it went to sleep; or how long
    /// `block_on` of a current-thread runtime was.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.worker(worker).busy()
    }

    /// How often `worker` went to sleep.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// runtime.block_on(async { tokio::time::sleep(Duration::from_millis(2)).await });
    /// let metrics = runtime.metrics();
    /// assert!(metrics.worker_park_count(0) > 0);
    /// // It has woken up as often.
    /// assert_eq!(metrics.worker_park_unpark_count(0), 2 * metrics.worker_park_count(0));
    /// ```
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.worker(worker).parks.get()
    }

    /// How often `worker` went to sleep or woke up: odd while it sleeps.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        self.worker(worker).parks_and_unparks.get()
    }

    /// How often `worker` went to sleep without having polled a task since the last time. The
    /// future in `block_on` is no task.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_noop_count(&self, worker: usize) -> u64 {
        self.worker(worker).empty_wakeups.get()
    }

    /// How many tasks `worker` took from others.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        self.worker(worker).stolen.get()
    }

    /// How often `worker` took tasks from others, be it one or half a queue.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_steal_operations(&self, worker: usize) -> u64 {
        self.worker(worker).steals.get()
    }

    /// How many polls of tasks `worker` has begun.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// runtime.block_on(runtime.spawn(tokio::task::yield_now())).unwrap();
    /// assert_eq!(runtime.metrics().worker_poll_count(0), 2);
    /// ```
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        self.worker(worker).polls.get()
    }

    /// How long a poll takes on `worker`, on average, where late ones weigh more.
    ///
    /// If poll times are
    /// [counted](crate::Builder::enable_metrics_poll_time_histogram), it is their mean. If not, it
    /// is the time that the worker is awake for each of its polls, which needs no look at the
    /// clock; of a current-thread runtime, whose thread does other things too, it is zero then.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .build()
    ///     .unwrap();
    /// let slow = runtime.spawn(async { std::thread::sleep(Duration::from_millis(3)) });
    /// runtime.block_on(slow).unwrap();
    /// assert!(runtime.metrics().worker_mean_poll_time(0) >= Duration::from_millis(3));
    /// ```
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_mean_poll_time(&self, worker: usize) -> Duration {
        let metrics = self.worker(worker);
        metrics
            .mean_poll_time()
            .unwrap_or_else(|| match self.handle.scheduler() {
                Scheduler::Multi(multi) => metrics.mean_awake_time(multi.driver().clock()),
                Scheduler::Local(_) | Scheduler::Sim(_) => Duration::ZERO,
            })
    }

    /// How often a task became runnable on `worker` itself.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_local_schedule_count(&self, worker: usize) -> u64 {
        self.worker(worker).local_schedules.get()
    }

    /// How often the queue of `worker` was full, so that a part of it went to the queue that all
    /// share. The queue of a current-thread runtime has no bound.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_overflow_count(&self, worker: usize) -> u64 {
        self.worker(worker).overflows.get()
    }

    /// How many tasks wait in the queue of `worker`; the one that it will run next, because the
    /// task before has woken it, is not in the queue.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// for _ in 0..3 {
    ///     tokio::spawn(async {});
    /// }
    /// let metrics = tokio::runtime::Handle::current().metrics();
    /// assert_eq!(metrics.worker_local_queue_depth(0), 3);
    /// # }
    /// ```
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    #[track_caller]
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        let metrics = self.worker(worker);
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.worker_queue_depth(worker),
            Scheduler::Local(_) => metrics.queued(),
            Scheduler::Sim(_) => 0,
        }
    }
}
