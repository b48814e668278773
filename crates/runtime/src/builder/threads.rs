//! The threads of a runtime: how many, their names, and what is called on them.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::Builder;

/// The environment variable that sets the number of workers.
const WORKERS_VARIABLE: &str = "TOKIO_WORKER_THREADS";

impl Builder {
    /// How many workers a multi-thread runtime has: one a core, unless set here or by the
    /// environment variable `TOKIO_WORKER_THREADS`, which yields to this. Current-thread runtimes
    /// do not care.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(runtime.metrics().num_workers(), 2);
    /// ```
    ///
    /// # Panics
    /// When `workers` is 0. [`build`](Self::build) panics when the variable is asked and holds
    /// no number, or 0.
    #[track_caller]
    pub fn worker_threads(&mut self, workers: usize) -> &mut Self {
        assert!(workers > 0, "Worker threads cannot be set to 0");
        self.workers = Some(workers);
        self
    }

    /// The most threads for work that blocks, workers not counted; 512 unless set.
    ///
    /// Beyond that, calls of `spawn_blocking` wait in a queue, which has no bound.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .max_blocking_threads(1)
    ///     .build()
    ///     .unwrap();
    /// let id = || std::thread::current().id();
    /// let (one, two) = (runtime.spawn_blocking(id), runtime.spawn_blocking(id));
    /// let same = runtime.block_on(async { one.await.unwrap() == two.await.unwrap() });
    /// assert!(same);
    /// ```
    ///
    /// # Panics
    /// When `threads` is 0.
    #[track_caller]
    pub fn max_blocking_threads(&mut self, threads: usize) -> &mut Self {
        assert!(threads > 0, "Max blocking threads cannot be set to 0");
        self.blocking_threads_max = threads;
        self
    }

    /// The name of all threads; `tokio-rt-worker` unless set.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .thread_name("yard")
    ///     .build()
    ///     .unwrap();
    /// let name = runtime.spawn(async { std::thread::current().name().map(String::from) });
    /// assert_eq!(runtime.block_on(name).unwrap().as_deref(), Some("yard"));
    /// ```
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        self.thread_name_fn(move || name.clone())
    }

    /// Makes the name of the next thread.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .thread_name_fn(|| {
    ///         static NEXT: AtomicUsize = AtomicUsize::new(1);
    ///         format!("yard-{}", NEXT.fetch_add(1, Ordering::Relaxed))
    ///     })
    ///     .build()
    ///     .unwrap();
    /// let name = runtime.spawn_blocking(|| std::thread::current().name().map(String::from));
    /// assert_eq!(runtime.block_on(name).unwrap().as_deref(), Some("yard-1"));
    /// ```
    pub fn thread_name_fn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() -> String + Send + Sync + 'static,
    {
        self.thread_name = Arc::new(f);
        self
    }

    /// The stack of each thread, in bytes; the standard library's usual size unless set.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .thread_stack_size(512 * 1024)
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(async {});
    /// ```
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.stack_size = Some(bytes);
        self
    }

    /// How long a thread for work that blocks stays when there is none; 10 seconds unless set.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .thread_keep_alive(Duration::from_millis(100))
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn_blocking(|| ())).unwrap();
    /// ```
    pub fn thread_keep_alive(&mut self, duration: Duration) -> &mut Self {
        self.keep_alive = Some(duration);
        self
    }

    /// How long a worker, or the thread in `block_on` of a current-thread runtime, looks for
    /// something to do before it sleeps; not at all unless set.
    ///
    /// What comes within this time is found without waking a thread, which takes some microseconds.
    /// The price is that the worker keeps its core busy for so long each time that it has nothing
    /// to do: this is for programs that have a core for each worker, and work that comes often.
    /// Without it workers wait awake for some 20 microseconds, where they have learnt that it pays.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .spin_before_park(Duration::from_micros(100))
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(runtime.block_on(runtime.spawn(async { 7 })).unwrap(), 7);
    /// ```
    pub fn spin_before_park(&mut self, time: Duration) -> &mut Self {
        self.spin = time;
        self
    }

    /// Called by each thread of the runtime when it begins: workers, and those for work that
    /// blocks. A second call replaces the first; so it is with all callbacks here.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let begun = Arc::new(AtomicUsize::new(0));
    /// let count = begun.clone();
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .worker_threads(2)
    ///     .on_thread_start(move || {
    ///         count.fetch_add(1, Ordering::Relaxed);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// // Waits for the threads to end.
    /// drop(runtime);
    /// assert_eq!(begun.load(Ordering::Relaxed), 2);
    /// ```
    pub fn on_thread_start<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.on_thread_start = Some(Arc::new(f));
        self
    }

    /// Called by each thread of the runtime when it ends. See
    /// [`on_thread_start`](Self::on_thread_start).
    pub fn on_thread_stop<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.on_thread_stop = Some(Arc::new(f));
        self
    }

    /// Called by a worker, or by the thread in `block_on` of a current-thread runtime, when it
    /// has nothing to do and is about to sleep. If the callback wakes a task, it does not sleep.
    ///
    /// A callback that panics is ignored; the panic hook has told of it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use std::time::Duration;
    ///
    /// let sleeps = Arc::new(AtomicUsize::new(0));
    /// let count = sleeps.clone();
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .enable_time()
    ///     .on_thread_park(move || {
    ///         count.fetch_add(1, Ordering::Relaxed);
    ///     })
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(async { tokio::time::sleep(Duration::from_millis(5)).await });
    /// assert!(sleeps.load(Ordering::Relaxed) > 0);
    /// ```
    pub fn on_thread_park<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.hooks.before_park = Some(Arc::new(f));
        self
    }

    /// Called after each [`on_thread_park`](Self::on_thread_park), when the thread has woken up
    /// and before it runs anything.
    pub fn on_thread_unpark<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.hooks.after_unpark = Some(Arc::new(f));
        self
    }
}

/// One worker a core, or what the environment says.
#[track_caller]
pub(super) fn default_workers() -> usize {
    match std::env::var(WORKERS_VARIABLE) {
        Ok(value) => {
            let workers = value.parse::<usize>().unwrap_or_else(|error| {
                panic!("\"{WORKERS_VARIABLE}\" must be usize, error: {error}, value: {value}")
            });
            assert!(workers > 0, "\"{WORKERS_VARIABLE}\" cannot be set to 0");
            workers
        }
        Err(std::env::VarError::NotPresent) => {
            thread::available_parallelism().map_or(1, usize::from)
        }
        Err(std::env::VarError::NotUnicode(value)) => {
            panic!("\"{WORKERS_VARIABLE}\" must be valid unicode, error: {value:?}")
        }
    }
}
