//! What a runtime counts: [`RuntimeMetrics`].

use std::time::Duration;

use yamanote_sched::metrics::WorkerMetrics;

use crate::handle::{Handle, Scheduler};

/// A view of what a runtime counts. Numbers of other threads may be a little late.
#[derive(Clone, Debug)]
pub struct RuntimeMetrics {
    handle: Handle,
}

impl RuntimeMetrics {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// How many workers the runtime has; 1 for a current-thread runtime.
    #[must_use]
    pub fn num_workers(&self) -> usize {
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.workers(),
            Scheduler::Local(_) | Scheduler::Sim(_) => 1,
        }
    }

    /// How many tasks have not ended.
    #[must_use]
    pub fn num_alive_tasks(&self) -> usize {
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.tasks().alive(),
            Scheduler::Local(local) => local.tasks().alive(),
            Scheduler::Sim(host) => host.tasks_alive(),
        }
    }

    /// How many tasks were spawned so far.
    #[must_use]
    pub fn spawned_tasks_count(&self) -> u64 {
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.tasks().spawned(),
            Scheduler::Local(local) => local.tasks().spawned(),
            Scheduler::Sim(host) => host.tasks_spawned(),
        }
    }

    /// How many tasks wait in the queue for what comes from outside of the workers.
    #[must_use]
    pub fn global_queue_depth(&self) -> usize {
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.inject().len(),
            Scheduler::Local(local) => local.inject().len(),
            Scheduler::Sim(_) => 0,
        }
    }

    /// How many tasks came from outside of the workers so far.
    #[must_use]
    pub fn remote_schedule_count(&self) -> u64 {
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.inject().pushes() as u64,
            Scheduler::Local(local) => local.inject().pushes() as u64,
            Scheduler::Sim(_) => 0,
        }
    }

    /// How many threads of the pool exist, workers left out.
    #[must_use]
    pub fn num_blocking_threads(&self) -> usize {
        let workers = match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.workers(),
            Scheduler::Local(_) | Scheduler::Sim(_) => 0,
        };
        self.handle.pool().threads().saturating_sub(workers)
    }

    /// How many threads of the pool have nothing to do.
    #[must_use]
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.handle.pool().idle_threads()
    }

    /// How many calls of `spawn_blocking` wait for a thread.
    #[must_use]
    pub fn blocking_queue_depth(&self) -> usize {
        self.handle.pool().queue_depth()
    }

    /// How often `worker` went to sleep.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.worker(worker).map_or(0, |metrics| metrics.parks.get())
    }

    /// How often `worker` went to sleep or woke up: odd while it sleeps.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        self.worker(worker)
            .map_or(0, |metrics| metrics.parks_and_unparks.get())
    }

    /// How often `worker` woke up and found nothing to do.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_noop_count(&self, worker: usize) -> u64 {
        self.worker(worker)
            .map_or(0, |metrics| metrics.empty_wakeups.get())
    }

    /// How many tasks `worker` took from others.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        self.worker(worker)
            .map_or(0, |metrics| metrics.stolen.get())
    }

    /// How often `worker` took tasks from others.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_steal_operations(&self, worker: usize) -> u64 {
        self.worker(worker)
            .map_or(0, |metrics| metrics.steals.get())
    }

    /// How many polls `worker` has begun.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        self.worker(worker).map_or(0, |metrics| metrics.polls.get())
    }

    /// How many tasks became runnable on `worker` itself.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_local_schedule_count(&self, worker: usize) -> u64 {
        self.worker(worker)
            .map_or(0, |metrics| metrics.local_schedules.get())
    }

    /// How often the queue of `worker` was full.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_overflow_count(&self, worker: usize) -> u64 {
        self.worker(worker)
            .map_or(0, |metrics| metrics.overflows.get())
    }

    /// How long `worker` was awake, up to the last time it went to sleep.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.worker(worker)
            .map_or(Duration::ZERO, WorkerMetrics::busy)
    }

    /// How many tasks wait in the queue of `worker`.
    ///
    /// # Panics
    /// When there is no such worker.
    #[must_use]
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.worker_queue_depth(worker),
            Scheduler::Local(_) | Scheduler::Sim(_) => {
                assert!(
                    worker == 0,
                    "a current-thread runtime has one worker, number 0"
                );
                0
            }
        }
    }

    fn worker(&self, worker: usize) -> Option<&WorkerMetrics> {
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => Some(multi.worker_metrics(worker)),
            Scheduler::Local(local) => {
                assert!(
                    worker == 0,
                    "a current-thread runtime has one worker, number 0"
                );
                Some(local.metrics())
            }
            Scheduler::Sim(_) => None,
        }
    }
}
