//! Not an API: a layer of yamanote. Threads for work that blocks.
//!
//! Knows nothing of tasks or runtimes: a [`Job`] is a closure, and dropping it unrun is how a
//! job is cancelled.
//!
//! ```text
//!  submit ──▶ queue (FIFO) ──▶ the thread that went idle last ──▶ run
//!                          └─▶ a new thread, if none is idle and the limit allows
//! ```
//!
//! Who submits calls a thread, unless as many are on their way as there are jobs, or, from the idle
//! stack, as can run at once. A thread that takes a job calls the next one before it runs that, by
//! the same rule. So where many submit short jobs, those who are awake do them, and nobody pays
//! for waking the others in vain; and jobs that wait for each other all begin: as long as jobs
//! are queued, a thread is coming, or all that there may be are busy.
//!
//! All state is under one lock, held for a few instructions; nothing is started, woken, run or
//! dropped under it. An idle thread has a place in the idle stack and a waker of its own. Whoever
//! takes a thread off the stack owes it a wake, and a thread that finds itself off the stack
//! looks at the queue once more before it leaves: so no job waits while a thread leaves.
#![forbid(unsafe_code)]

mod job;

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, OnceLock, PoisonError};
use std::task::Wake;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use yamanote_base::atomic::RawCondvar as Condvar;
use yamanote_base::block::ThreadWaker;
use yamanote_base::linger::{CallTime, Lingering};
use yamanote_base::lock::{Mutex, MutexGuard};
use yamanote_base::quietly::quietly;

pub use job::{Job, SharedWork};

/// What a callback on a pool thread looks like.
pub type ThreadHook = Arc<dyn Fn() + Send + Sync>;

/// How a pool makes its threads.
#[derive(Clone)]
pub struct Config {
    /// The most threads at a time; jobs beyond wait in the queue, which has no bound.
    pub threads_max: usize,
    /// How long a thread stays when there is nothing to do.
    pub keep_alive: Duration,
    /// Makes the name of the next thread.
    pub name: Arc<dyn Fn() -> String + Send + Sync>,
    /// Bytes of stack of each thread; `None` is the platform's usual size.
    pub stack_size: Option<usize>,
    /// Called by each thread before its first job.
    pub on_start: Option<ThreadHook>,
    /// Called by each thread after its last job.
    pub on_stop: Option<ThreadHook>,
}

impl Config {
    /// Up to `threads_max` threads called `name`, of the usual size and without callbacks.
    #[must_use]
    pub fn plain(name: &'static str, threads_max: usize, keep_alive: Duration) -> Self {
        Self {
            threads_max,
            keep_alive,
            name: Arc::new(move || name.to_owned()),
            stack_size: None,
            on_start: None,
            on_stop: None,
        }
    }
}

/// Why a job was not taken; the job was dropped.
#[derive(Debug)]
pub enum Rejected {
    /// The pool is shutting down.
    ShutDown,
    /// There is no thread at all, and the system would not make one.
    NoThread(io::Error),
}

/// A pool of threads; clones are the same pool.
#[derive(Clone)]
pub struct Pool(Arc<PoolParts>);

struct PoolParts {
    config: Config,
    state: Mutex<PoolState>,
    /// Notified whenever a thread has gone.
    gone: Condvar,
}

#[derive(Default)]
struct PoolState {
    queue: VecDeque<Job>,
    /// The last one is the one that went idle last.
    idle: Vec<Arc<ThreadWaker>>,
    /// Without those that leave: another may be started in the place of each.
    threads: usize,
    /// Threads that run a job no more, nor will, but have not ended: they may be in a callback.
    leaving: usize,
    /// Threads that were started or taken off the stack for a job that they have not fetched
    /// yet: so many jobs at the front of the queue count as begun.
    called: usize,
    /// Of these, those that were taken off the stack: they come without running a hook first.
    woken: usize,
    lingering: Lingering,
    /// When an idle thread was called, if none lingered.
    call_time: CallTime,
    handles: Vec<JoinHandle<()>>,
    shut_down: bool,
}

// No user code runs under the lock, so a panic leaves the state whole; the callbacks are shared
// by threads anyway.
impl UnwindSafe for Pool {}
impl RefUnwindSafe for Pool {}

/// Who is to come for the jobs that are queued.
enum Call {
    /// Enough are coming, or whoever comes first calls the next.
    Nobody,
    Wake(Arc<ThreadWaker>),
    Start,
}

impl PoolState {
    /// Notes that a thread is called, if one is to be; that is carried out without the lock.
    fn call(&mut self, config: &Config) -> Call {
        if self.queue.len() <= self.called {
            return Call::Nobody;
        }
        if self.idle.is_empty() {
            if self.threads >= config.threads_max {
                return Call::Nobody;
            }
            self.threads += 1;
            self.called += 1;
            return Call::Start;
        }
        self.call_idle().map_or(Call::Nobody, Call::Wake)
    }

    /// Takes a thread off the idle stack, if one is to come from there; it is owed a wake.
    fn call_idle(&mut self) -> Option<Arc<ThreadWaker>> {
        if self.queue.len() <= self.called || self.woken >= woken_max() {
            return None;
        }
        let idle = self.idle.pop()?;
        if !self.lingering.is_occupied() {
            self.call_time.note();
        }
        self.called += 1;
        self.woken += 1;
        Some(idle)
    }

    /// A thread has no job, and is to end.
    fn leave(&mut self) {
        self.threads -= 1;
        self.leaving += 1;
    }

    /// A thread that was called as a new one does not come. Returns who is to come instead: others
    /// may have gone idle, and jobs have been left to the one that does not come.
    fn count_out(&mut self) -> Option<Arc<ThreadWaker>> {
        self.threads -= 1;
        self.called -= 1;
        self.call_idle()
    }
}

/// How many threads are on their way from the idle stack at once: as many as can run. The number is
/// the process's, and looked up once.
fn woken_max() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

thread_local! {
    /// Which pool the current thread belongs to, as the address of its parts.
    static MEMBER_OF: Cell<usize> = const { Cell::new(0) };
}

impl Pool {
    /// A pool without threads; they are made when jobs come.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let state = Mutex::new(PoolState::default());
        Self(Arc::new(PoolParts {
            config,
            state,
            gone: Condvar::new(),
        }))
    }

    /// Has `job` run on some thread, in the order of submission.
    ///
    /// # Errors
    /// [`Rejected`]; a job that could only be queued because no *further* thread can be made is
    /// not rejected.
    pub fn submit(&self, job: Job) -> Result<(), Rejected> {
        let mut state = self.0.state.lock();
        if state.shut_down {
            drop(state);
            drop(job);
            return Err(Rejected::ShutDown);
        }
        state.queue.push_back(job);
        let call = state.call(&self.0.config);
        drop(state);
        self.carry_out(call)
    }

    /// Has the thread come that was called; the lock is free.
    fn carry_out(&self, call: Call) -> Result<(), Rejected> {
        match call {
            Call::Nobody => Ok(()),
            Call::Wake(idle) => {
                idle.wake();
                Ok(())
            }
            Call::Start => self.start_thread(),
        }
    }

    /// Starts the thread that was counted already.
    ///
    /// # Panics
    /// When the function that names threads does, or gives a name that no thread can have; then
    /// there is no such thread.
    fn start_thread(&self) -> Result<(), Rejected> {
        let started = catch_unwind(AssertUnwindSafe(|| self.spawn_thread()));
        let mut state = self.0.state.lock();
        match started {
            Ok(Ok(handle)) => {
                // Handles of threads that have ended are of no use; the others are joined later.
                state.handles.retain(|handle| !handle.is_finished());
                state.handles.push(handle);
                Ok(())
            }
            Err(panic) => {
                let instead = state.count_out();
                drop(state);
                instead.into_iter().for_each(Wake::wake);
                self.0.gone.notify_all();
                resume_unwind(panic)
            }
            Ok(Err(error)) => {
                let instead = state.count_out();
                let is_alone = state.threads == 0;
                // Others' jobs, too: they were taken because this thread was to come.
                let left = is_alone.then(|| std::mem::take(&mut state.queue));
                drop(state);
                drop(left);
                instead.into_iter().for_each(Wake::wake);
                self.0.gone.notify_all();
                match is_alone {
                    true => Err(Rejected::NoThread(error)),
                    false => Ok(()),
                }
            }
        }
    }

    fn spawn_thread(&self) -> io::Result<JoinHandle<()>> {
        let mut builder = thread::Builder::new().name((self.0.config.name)());
        if let Some(bytes) = self.0.config.stack_size {
            builder = builder.stack_size(bytes);
        }
        let pool = self.clone();
        builder.spawn(move || pool.run_thread())
    }

    fn run_thread(self) {
        /// Counts the thread out, even if a hook panics.
        struct Leave {
            pool: Pool,
            stage: Stage,
        }

        enum Stage {
            /// It is not there yet for the job that it was called for.
            Comes,
            Works,
            Leaves,
        }

        impl Drop for Leave {
            fn drop(&mut self) {
                let mut state = self.pool.0.state.lock();
                let mut instead = None;
                match self.stage {
                    Stage::Comes => instead = state.count_out(),
                    Stage::Works => state.threads -= 1,
                    Stage::Leaves => state.leaving -= 1,
                }
                // Nobody comes any more for what this thread was to do.
                let is_over = state.shut_down && state.threads == 0;
                let left = is_over.then(|| std::mem::take(&mut state.queue));
                drop(state);
                drop(left);
                instead.into_iter().for_each(Wake::wake);
                self.pool.0.gone.notify_all();
            }
        }

        let mut leave = Leave {
            pool: self,
            stage: Stage::Comes,
        };
        let pool = leave.pool.clone();
        MEMBER_OF.set(pool.id());
        if let Some(on_start) = &pool.0.config.on_start {
            on_start();
        }
        let waker = ThreadWaker::current();
        let mut next = {
            let mut state = pool.0.state.lock();
            state.called -= 1;
            leave.stage = Stage::Works;
            pool.next_job(state, &waker)
        };
        while let Some(job) = next {
            job.run();
            next = pool.next_job(pool.0.state.lock(), &waker);
        }
        leave.stage = Stage::Leaves;
        if let Some(on_stop) = &pool.0.config.on_stop {
            on_stop();
        }
    }

    /// The next job, waited for up to the keep-alive time; `None` when the thread is to end, which
    /// counts as one that leaves then.
    fn next_job<'a>(
        &'a self,
        mut state: MutexGuard<'a, PoolState>,
        waker: &Arc<ThreadWaker>,
    ) -> Option<Job> {
        loop {
            let Some(job) = state.queue.pop_front() else {
                if state.shut_down {
                    state.leave();
                    return None;
                }
                state = self.idle(state, waker)?;
                continue;
            };
            if !state.shut_down || job.mandatory {
                let call = state.call(&self.0.config);
                drop(state);
                // This thread is there, so no job is refused: at worst it runs them all. A panic
                // has been reported; this job is not to suffer for it.
                quietly(|| drop(self.carry_out(call)));
                return Some(job);
            }
            drop(state);
            drop(job);
            state = self.0.state.lock();
        }
    }

    /// Sleeps on the idle stack; `None` when the time is over and nobody has called.
    fn idle<'a>(
        &'a self,
        mut state: MutexGuard<'a, PoolState>,
        waker: &Arc<ThreadWaker>,
    ) -> Option<MutexGuard<'a, PoolState>> {
        state.idle.push(waker.clone());
        let mut wait = state.lingering.begin();
        drop(state);
        wait.linger(|| waker.is_woken());
        let called = match Instant::now().checked_add(self.0.config.keep_alive) {
            Some(deadline) => waker.park_until(deadline),
            None => {
                waker.park();
                true
            }
        };
        let mut state = self.0.state.lock();
        state.lingering.end(&wait, called);
        let place = state.idle.iter().position(|idle| Arc::ptr_eq(idle, waker));
        match place {
            Some(place) => {
                state.idle.remove(place);
                // A wake that finds the thread on the stack is a late one of an earlier job.
                if called {
                    return Some(state);
                }
                // Before anybody else has the lock: who comes with a job now starts a thread for
                // it, and does not count upon this one.
                state.leave();
                None
            }
            // Somebody has taken this thread off the stack: there is a job. If the time was over
            // first, that wake is still to come, and ends a later sleep early.
            None => {
                if called && !wait.was_in_time() {
                    state.call_time.arrive();
                }
                state.called -= 1;
                state.woken -= 1;
                Some(state)
            }
        }
    }

    /// Refuses new jobs, cancels those that have not begun (but the mandatory ones), and waits
    /// for the threads to end, at most for `timeout`. Returns whether all have ended.
    ///
    /// A thread of this very pool does not wait for itself.
    pub fn shut_down(&self, timeout: Option<Duration>) -> bool {
        let mut state = self.0.state.lock();
        state.shut_down = true;
        let idle = std::mem::take(&mut state.idle);
        let begun = state.called;
        let (mut kept, mut cancelled) = (VecDeque::new(), Vec::new());
        for (i, mut job) in std::mem::take(&mut state.queue).into_iter().enumerate() {
            job.mandatory |= i < begun;
            if job.mandatory {
                kept.push_back(job);
            } else {
                cancelled.push(job);
            }
        }
        state.queue = kept;
        state.called += idle.len();
        state.woken += idle.len();
        drop(state);
        idle.into_iter().for_each(Wake::wake);
        drop(cancelled);
        let ended = self.wait_until_ended(timeout);
        if ended && !self.is_own_thread() {
            let handles = std::mem::take(&mut self.0.state.lock().handles);
            for handle in handles {
                // A panic in a thread hook was reported when it happened.
                let _ = handle.join();
            }
        }
        ended
    }

    fn wait_until_ended(&self, timeout: Option<Duration>) -> bool {
        let rest = usize::from(self.is_own_thread());
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.0.state.lock();
        while state.threads + state.leaving > rest {
            let Some(deadline) = deadline else {
                let waited = self.0.gone.wait(state.into_raw());
                state = MutexGuard::from_raw(waited.unwrap_or_else(PoisonError::into_inner));
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.gone.wait_timeout(state.into_raw(), left);
            state = MutexGuard::from_raw(waited.unwrap_or_else(PoisonError::into_inner).0);
        }
        true
    }

    /// Threads that exist now, without those that are about to end.
    pub fn threads(&self) -> usize {
        self.0.state.lock().threads
    }

    /// Threads that wait for a job now.
    pub fn idle_threads(&self) -> usize {
        self.0.state.lock().idle.len()
    }

    /// Jobs that wait for a thread now.
    pub fn queue_depth(&self) -> usize {
        self.0.state.lock().queue.len()
    }

    /// Whether the current thread belongs to this pool.
    fn is_own_thread(&self) -> bool {
        MEMBER_OF.try_with(Cell::get) == Ok(self.id())
    }

    fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Barrier, mpsc};

    fn pool(threads_max: usize, keep_alive: Duration) -> Pool {
        Pool::new(Config::plain("pool-test", threads_max, keep_alive))
    }

    #[test]
    fn jobs_run_and_a_panic_does_not_cost_the_thread() {
        let pool = pool(1, Duration::from_secs(10));
        let (tx, rx) = mpsc::channel();
        pool.submit(Job::new(|| std::panic::resume_unwind(Box::new("job"))))
            .unwrap();
        for i in 0..10 {
            let tx = tx.clone();
            pool.submit(Job::new(move || tx.send(i).unwrap())).unwrap();
        }
        assert_eq!(
            rx.iter().take(10).collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
        assert_eq!(pool.threads(), 1);
        assert!(pool.shut_down(None));
        assert!(matches!(
            pool.submit(Job::new(|| ())),
            Err(Rejected::ShutDown)
        ));
    }

    #[test]
    fn jobs_that_wait_for_each_other_all_begin() {
        // More than are called at once, so that those who come must call the others.
        let jobs = 4 * woken_max();
        let pool = pool(jobs, Duration::from_secs(10));
        let (tx, rx) = mpsc::channel();
        // In the first round threads are started, in later ones they are called from the stack.
        for _ in 0..200 {
            let gate = Arc::new(Barrier::new(jobs));
            for _ in 0..jobs {
                let (gate, tx) = (gate.clone(), tx.clone());
                let wait = move || tx.send(gate.wait().is_leader()).unwrap();
                pool.submit(Job::new(wait)).unwrap();
            }
            let ended = (0..jobs).map(|_| rx.recv_timeout(Duration::from_secs(20)));
            assert_eq!(ended.filter(|ended| *ended == Ok(true)).count(), 1);
        }
        assert!(pool.shut_down(None));
    }
}
