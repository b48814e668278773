//! How a runtime runs its tasks: the order, what a panic does, and whom to tell.

use std::sync::Arc;

use yamanote_base::rng::RngSeed;
use yamanote_sched::config::{TaskCallback, UnhandledPanic};
use yamanote_task::TaskMeta;

use super::Builder;

impl Builder {
    /// Called before each task is made, on the spawning thread; the callback may spawn, too.
    ///
    /// Work for `spawn_blocking` and the tasks of a `LocalSet` are no tasks of the runtime's: of
    /// them none of the callbacks here hears.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let live = Arc::new(AtomicUsize::new(0));
    /// let (more, less) = (live.clone(), live.clone());
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .on_task_spawn(move |_| {
    ///         more.fetch_add(1, Ordering::Relaxed);
    ///     })
    ///     .on_task_terminate(move |_| {
    ///         less.fetch_sub(1, Ordering::Relaxed);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// let task = runtime.spawn(std::future::pending::<()>());
    /// assert_eq!(live.load(Ordering::Relaxed), 1);
    /// task.abort();
    /// assert!(runtime.block_on(task).is_err());
    /// assert_eq!(live.load(Ordering::Relaxed), 0);
    /// ```
    ///
    /// # Panics
    /// A panic of this callback is the spawner's; there is no task then. Panics of the other
    /// callbacks about tasks end there, and harm no task.
    pub fn on_task_spawn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.on_task_spawn = task_callback(f);
        self
    }

    /// Called before each poll of a task, on the thread that polls.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let polls = Arc::new(AtomicUsize::new(0));
    /// let count = polls.clone();
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .on_before_task_poll(move |_| {
    ///         count.fetch_add(1, Ordering::Relaxed);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(tokio::task::yield_now())).unwrap();
    /// assert_eq!(polls.load(Ordering::Relaxed), 2);
    /// ```
    pub fn on_before_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.before_poll = task_callback(f);
        self
    }

    /// Called after each poll of a task, be the task ready, pending or panicking. See
    /// [`on_before_task_poll`](Self::on_before_task_poll).
    pub fn on_after_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.after_poll = task_callback(f);
        self
    }

    /// Called when a task has ended, its future is dropped, and nobody has been told yet. See
    /// [`on_task_spawn`](Self::on_task_spawn).
    pub fn on_task_terminate<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.on_task_terminate = task_callback(f);
        self
    }

    /// What happens when a task panics; of every flavor. See [`UnhandledPanic`].
    ///
    /// ```should_panic
    /// use tokio::runtime::{Builder, UnhandledPanic};
    ///
    /// let runtime = Builder::new_current_thread()
    ///     .unhandled_panic(UnhandledPanic::ShutdownRuntime)
    ///     .build()
    ///     .unwrap();
    /// runtime.spawn(async { panic!("nobody joins this task") });
    /// runtime.block_on(std::future::pending::<()>());
    /// ```
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Self {
        self.unhandled_panic = behavior;
        self
    }

    /// Task polls between two looks at the driver, for those who keep the runtime busy; 61 unless
    /// set. Smaller: sockets and timers are seen to sooner; greater: fewer calls of the system.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .event_interval(31)
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(async {});
    /// ```
    ///
    /// # Panics
    /// When `polls` is 0.
    #[track_caller]
    pub fn event_interval(&mut self, polls: u32) -> &mut Self {
        assert!(polls > 0, "event_interval must be greater than 0");
        self.event_interval = polls;
        self
    }

    /// Task polls between two looks at the queue for tasks from outside before the thread's own;
    /// unless set, 31, or on several workers as many as take 200 µs, if these are fewer. With 1,
    /// what comes from outside always goes first.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .global_queue_interval(7)
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(async {});
    /// ```
    ///
    /// # Panics
    /// When `polls` is 0.
    #[track_caller]
    pub fn global_queue_interval(&mut self, polls: u32) -> &mut Self {
        assert!(polls > 0, "global_queue_interval must be greater than 0");
        self.inject_interval = Some(polls);
        self
    }

    /// Leaves out the slot for the task that a worker runs next: tasks run first come, first
    /// served, and a task that another one wakes may be stolen at once.
    ///
    /// With the slot, messages between two tasks travel faster. It cannot strand a task: no worker
    /// takes more than three tasks in a row from it, and if a worker is stuck in a long poll,
    /// another one gets the task in its slot within 20 milliseconds.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .disable_lifo_slot()
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(async {});
    /// ```
    pub fn disable_lifo_slot(&mut self) -> &mut Self {
        self.disable_lifo_slot = true;
        self
    }

    /// Where the random choices on the runtime's threads begin: at which branch `select!` looks
    /// first, whom a worker steals from. The same seed gives the same numbers on a thread; for a
    /// whole program that repeats, see `runtime::sim`.
    ///
    /// ```
    /// use tokio::runtime::{Builder, RngSeed};
    ///
    /// let first_branches = || {
    ///     let runtime = Builder::new_current_thread()
    ///         .rng_seed(RngSeed::from_bytes(b"a seed"))
    ///         .build()
    ///         .unwrap();
    ///     runtime.block_on(async {
    ///         let mut chosen = Vec::new();
    ///         for _ in 0..10 {
    ///             chosen.push(tokio::select! { _ = async {} => 'a', _ = async {} => 'b' });
    ///         }
    ///         chosen
    ///     })
    /// };
    /// assert_eq!(first_branches(), first_branches());
    /// ```
    pub fn rng_seed(&mut self, seed: RngSeed) -> &mut Self {
        self.seed = Some(seed);
        self
    }

    /// As [`enable_time`](Self::enable_time), but the runtime's end ends its timers: a sleep that
    /// is polled later is over, where it panics otherwise.
    ///
    /// In Tokio this names timers without a lock that all workers share. Here each worker has
    /// timers of its own in any case.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .enable_alt_timer()
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(async {});
    /// ```
    pub fn enable_alt_timer(&mut self) -> &mut Self {
        self.alt_timer = true;
        self.enable_time()
    }

    /// Accepted, and changes nothing: it names a remedy of Tokio's against a worker that is stuck
    /// in a long poll and keeps the driver to itself. Here others see to a stuck worker's
    /// sockets and timers within 20 milliseconds in any case, if there is more than one worker.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .enable_eager_driver_handoff()
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(async {});
    /// ```
    pub fn enable_eager_driver_handoff(&mut self) -> &mut Self {
        self
    }

    /// Accepted, and changes nothing: it names another queue of Tokio's for work that blocks. Here
    /// there is one queue, under a lock that is held for a few instructions.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .enable_sharded_blocking_queue()
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 5)).unwrap(), 5);
    /// ```
    pub fn enable_sharded_blocking_queue(&mut self) -> &mut Self {
        self
    }
}

fn task_callback(f: impl Fn(&TaskMeta<'_>) + Send + Sync + 'static) -> Option<TaskCallback> {
    Some(Arc::new(f))
}
