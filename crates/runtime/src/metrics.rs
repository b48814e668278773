//! What a runtime counts: [`RuntimeMetrics`].
//!
//! Here is what the whole runtime counts; `worker` has what each worker counts by itself, and
//! `histogram` what is counted only if a builder asked for it.

mod histogram;
mod worker;

use yamanote_sched::metrics::WorkerMetrics;

use crate::handle::{Handle, Scheduler};

/// A view of what a runtime counts, from its start on; it lives on after the runtime.
///
/// Each worker counts for itself and nobody waits for that: numbers of other threads may be a
/// little late, and several numbers read one after the other need not fit together. All counts
/// only grow, but those of what is there now.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let metrics = tokio::runtime::Handle::current().metrics();
/// let task = tokio::spawn(std::future::pending::<()>());
/// assert_eq!((metrics.num_workers(), metrics.num_alive_tasks()), (1, 1));
/// task.abort();
/// assert!(task.await.is_err());
/// assert_eq!((metrics.num_alive_tasks(), metrics.spawned_tasks_count()), (0, 1));
/// # }
/// ```
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

    /// [`num_alive_tasks`](Self::num_alive_tasks).
    #[must_use]
    #[deprecated(note = "it is called num_alive_tasks")]
    pub fn active_tasks_count(&self) -> usize {
        self.num_alive_tasks()
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
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// runtime.spawn(async {});
    /// assert_eq!(runtime.metrics().global_queue_depth(), 1);
    /// runtime.block_on(tokio::task::yield_now());
    /// assert_eq!(runtime.metrics().global_queue_depth(), 0);
    /// ```
    #[must_use]
    pub fn global_queue_depth(&self) -> usize {
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.inject().len(),
            Scheduler::Local(local) => local.inject().len(),
            // All that is runnable in a simulated world waits in one queue.
            Scheduler::Sim(host) => host.sim().queue_depth(),
        }
    }

    /// How often a task became runnable elsewhere than on a worker. In a simulation: never.
    #[must_use]
    pub fn remote_schedule_count(&self) -> u64 {
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.inject().pushes() as u64,
            Scheduler::Local(local) => local.inject().pushes() as u64,
            Scheduler::Sim(_) => 0,
        }
    }

    /// How many polls ended because the task had spent its budget; see `task::coop`.
    ///
    /// ```
    /// use tokio::task::consume_budget;
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// runtime.block_on(async {
    ///     for _ in 0..1000 {
    ///         consume_budget().await;
    ///     }
    /// });
    /// assert!(runtime.metrics().budget_forced_yield_count() > 0);
    /// ```
    #[must_use]
    pub fn budget_forced_yield_count(&self) -> u64 {
        let elsewhere = self.handle.forced_yields_elsewhere();
        let workers = 0..self.num_workers();
        let counts = workers.map(|worker| self.worker(worker).forced_yields.get());
        counts.sum::<u64>() + elsewhere
    }

    /// How many threads for work that blocks exist; workers are not counted.
    #[must_use]
    pub fn num_blocking_threads(&self) -> usize {
        let workers = match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.workers(),
            Scheduler::Local(_) | Scheduler::Sim(_) => 0,
        };
        self.handle.pool().threads().saturating_sub(workers)
    }

    /// How many threads for work that blocks have none.
    #[must_use]
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.handle.pool().idle_threads()
    }

    /// How many calls of `spawn_blocking` wait for a thread.
    #[must_use]
    pub fn blocking_queue_depth(&self) -> usize {
        self.handle.pool().queue_depth()
    }

    /// How many descriptors (sockets, pipes ...) were registered with a selector so far. One is
    /// registered when a task must wait for it the first time, not when it is opened.
    #[must_use]
    pub fn io_driver_fd_registered_count(&self) -> u64 {
        self.handle.driver().registered_count()
    }

    /// How many descriptors were registered with a selector so far and are not any more.
    #[must_use]
    pub fn io_driver_fd_deregistered_count(&self) -> u64 {
        self.handle.driver().deregistered_count()
    }

    /// How many times a descriptor was reported ready.
    #[must_use]
    pub fn io_driver_ready_count(&self) -> u64 {
        self.handle.driver().ready_count()
    }

    /// What `worker` counts.
    ///
    /// # Panics
    /// When there is no such worker.
    #[track_caller]
    fn worker(&self, worker: usize) -> &WorkerMetrics {
        self.assert_worker(worker);
        match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.worker_metrics(worker),
            Scheduler::Local(local) => local.metrics(),
            Scheduler::Sim(host) => host.sim().metrics(),
        }
    }

    #[track_caller]
    fn assert_worker(&self, worker: usize) {
        let workers = self.num_workers();
        assert!(
            worker < workers,
            "the runtime has {workers} workers, counted from 0, of which {worker} is none"
        );
    }
}
