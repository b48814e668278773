//! Tasks of one thread, which spawn, join, abort and wait for each other: the log is the order in
//! which they ran.
//!
//! Left out: tasks that yield. Ours run again in the order in which they yielded, those of the
//! published tokio in the reverse of it; neither is promised. And receives that are given up: the
//! next send wakes a task of the published tokio all the same, which then stands in the queue at
//! another place.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::time::paused;
use crate::trial::{Draws, Trial};

/// Operations of all tasks together, a bound for what spawns what it spawns.
const OPERATIONS_MAX: usize = 80;

/// How deep tasks that tasks have spawned may spawn in turn.
const DEPTH_MAX: usize = 4;

/// What all tasks of a program use.
struct Common {
    log: Mutex<Vec<String>>,
    semaphore: Semaphore,
    notify: Notify,
    sender: mpsc::UnboundedSender<usize>,
    receiver: AsyncMutex<mpsc::UnboundedReceiver<usize>>,
    spawned: AtomicUsize,
    operations: AtomicUsize,
}

/// A task: what it draws, and what it has spawned.
struct Body {
    common: Arc<Common>,
    draws: Draws,
    name: usize,
    depth: usize,
    handles: Vec<JoinHandle<usize>>,
    set: JoinSet<usize>,
}

/// One to three tasks, and whatever comes of them.
pub(crate) fn tasks(trial: &mut Trial) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let common = Arc::new(Common {
        log: Mutex::default(),
        semaphore: Semaphore::new(2),
        notify: Notify::new(),
        sender,
        receiver: AsyncMutex::new(receiver),
        spawned: AtomicUsize::new(0),
        operations: AtomicUsize::new(0),
    });
    let runtime = paused();
    let roots: Vec<Body> = (0..1 + trial.below(3))
        .map(|_| Body::new(&common, trial.draws(), 0))
        .collect();
    let ended = runtime.block_on(async {
        let mut ended = Vec::new();
        for handle in roots.into_iter().map(Body::spawn).collect::<Vec<_>>() {
            // A task that receives may wait for ever; the clock jumps when all wait.
            ended.push(timeout(Duration::from_secs(1), handle).await.is_ok());
        }
        ended
    });
    common.say("the runtime is dropped");
    drop(runtime);
    let log = common.log.lock().expect("no task panics while it writes");
    log.iter().for_each(|line| trial.tell(line));
    trial.tell(format_args!("{ended:?}"));
}

impl Common {
    fn say(&self, line: &str) {
        let mut log = self.log.lock().expect("no task panics while it writes");
        log.push(line.to_owned());
    }
}

impl Body {
    fn new(common: &Arc<Common>, draws: Draws, depth: usize) -> Body {
        Body {
            common: common.clone(),
            draws,
            name: common.spawned.fetch_add(1, Ordering::Relaxed),
            depth,
            handles: Vec::new(),
            set: JoinSet::new(),
        }
    }

    fn child(&mut self) -> Body {
        let child = Body::new(&self.common, self.draws.draws(), self.depth + 1);
        self.say(&format!("spawns {}", child.name));
        child
    }

    fn spawn(self) -> JoinHandle<usize> {
        tokio::spawn(self.boxed())
    }

    fn boxed(self) -> Pin<Box<dyn Future<Output = usize> + Send>> {
        Box::pin(self.run())
    }

    fn say(&self, what: &str) {
        self.common.say(&format!("{}: {what}", self.name));
    }

    async fn run(mut self) -> usize {
        for _ in 0..8 {
            let done = self.common.operations.fetch_add(1, Ordering::Relaxed);
            if done >= OPERATIONS_MAX {
                break;
            }
            self.step().await;
        }
        self.say("ends");
        self.name
    }

    async fn step(&mut self) {
        match self.draws.below(12) {
            0 | 1 if self.depth < DEPTH_MAX => {
                let handle = self.child().spawn();
                self.handles.push(handle);
            }
            2 if self.depth < DEPTH_MAX => {
                let child = self.child();
                self.set.spawn(child.boxed());
            }
            3 => self.join().await,
            4 => self.join_next().await,
            5 => self.abort(),
            6 => self.hold_permit().await,
            7 => {
                self.say("notifies");
                self.common.notify.notify_one();
            }
            8 => self.be_notified().await,
            9 => self.sleep().await,
            10 => {
                let sent = self.common.sender.send(self.name);
                self.say(&format!("sends: {}", sent.is_ok()));
            }
            _ => self.receive().await,
        }
    }

    async fn join(&mut self) {
        if let Some(handle) = self.handles.pop() {
            self.say("joins");
            let joined = handle.await.map_err(|error| error.is_cancelled());
            self.say(&format!("has joined {joined:?}"));
        }
    }

    async fn join_next(&mut self) {
        self.say("joins the next of its set");
        let joined = self.set.join_next().await;
        let joined = joined.map(|joined| joined.map_err(|error| error.is_cancelled()));
        self.say(&format!("has joined {joined:?}"));
    }

    fn abort(&mut self) {
        match self.draws.below(4) {
            0 => self.set.abort_all(),
            _ => self.handles.iter().take(1).for_each(JoinHandle::abort),
        }
        let finished = self.handles.first().map(JoinHandle::is_finished);
        self.say(&format!("aborts; finished: {finished:?}"));
    }

    async fn hold_permit(&mut self) {
        self.say("wants a permit");
        let permit = self.common.semaphore.acquire().await;
        self.say("has a permit");
        let held = timeout(Duration::from_millis(1), self.common.notify.notified()).await;
        drop(permit);
        self.say(&format!(
            "has released its permit; notified: {}",
            held.is_ok()
        ));
    }

    async fn be_notified(&mut self) {
        let limit = Duration::from_millis(self.draws.below(5) as u64);
        self.say(&format!("waits for a notification, at most {limit:?}"));
        let came = timeout(limit, self.common.notify.notified()).await;
        self.say(&format!("was notified: {}", came.is_ok()));
    }

    async fn sleep(&mut self) {
        let after = Duration::from_millis(self.draws.below(4) as u64);
        self.say(&format!("sleeps {after:?}"));
        sleep(after).await;
        self.say("has slept");
    }

    async fn receive(&mut self) {
        self.say("receives");
        let mut receiver = self.common.receiver.lock().await;
        self.say("has the receiver");
        let value = receiver.recv().await;
        self.say(&format!("has received {value:?}"));
    }
}
