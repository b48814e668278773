//! How much a task may do before it must let others run: operations that are always ready, until
//! one of them is pending.
//!
//! Left out, since neither runtime promises it: `copy` and its kind, of which ours pay for each
//! round and the published ones once a call; and to be told that a semaphore is closed, for which
//! ours pays and the published one does not.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{
    AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex, empty, repeat, sink,
};
use tokio::net::UdpSocket;
use tokio::runtime::Builder;
use tokio::sync::{
    Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce, broadcast, mpsc, oneshot, watch,
};
use tokio::task::coop::has_budget_remaining;
use tokio::task::{JoinSet, consume_budget, unconstrained, yield_now};
use tokio::time::{sleep, timeout};

use crate::trial::Trial;

/// Operations in a row, of which a budget allows fewer.
const OPERATIONS_MAX: usize = 400;

/// Values that channels hold, so that none is ever empty.
const STOCK: usize = 900;

/// A seed for each operation alone, and then for mixtures.
pub(crate) const SEEDS: u64 = OPERATIONS.len() as u64 + 300;

type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

type Operation = (&'static str, fn(&mut Stock) -> Work<'_>);

/// A table of operations on the stock, whose outputs are dropped.
macro_rules! operations {
    ($($name:literal: $stock:pat => $output:expr;)*) => {
        &[$(($name, |$stock| Box::pin(async move { let _ = $output; }))),*]
    };
}

/// What operations find ready.
struct Stock {
    semaphore: Semaphore,
    mutex: Mutex<()>,
    rwlock: RwLock<()>,
    notify: Notify,
    barrier: Barrier,
    bounded: (mpsc::Sender<u8>, mpsc::Receiver<u8>),
    unbounded: (mpsc::UnboundedSender<u8>, mpsc::UnboundedReceiver<u8>),
    broadcast: (broadcast::Sender<u8>, broadcast::Receiver<u8>),
    watch: (watch::Sender<u8>, watch::Receiver<u8>),
    pipe: (DuplexStream, DuplexStream),
    socket: UdpSocket,
    join_set: JoinSet<()>,
}

const OPERATIONS: &[Operation] = operations! {
    "consume_budget": _ => consume_budget().await;
    "Semaphore::acquire": s => s.semaphore.acquire().await;
    "Mutex::lock": s => s.mutex.lock().await;
    "RwLock::read": s => s.rwlock.read().await;
    "RwLock::write": s => s.rwlock.write().await;
    "Notify::notified": s => {
        s.notify.notify_one();
        s.notify.notified().await
    };
    "Barrier::wait": s => s.barrier.wait().await;
    "OnceCell::get_or_init": _ => OnceCell::new().get_or_init(async || 1).await;
    "SetOnce::wait": _ => SetOnce::new_with(Some(1)).wait().await;
    "mpsc recv": s => s.bounded.1.recv().await;
    "mpsc recv_many": s => s.bounded.1.recv_many(&mut Vec::new(), 2).await;
    "mpsc reserve": s => s.bounded.0.reserve().await;
    "mpsc end": _ => {
        let (_, mut receiver) = mpsc::channel::<u8>(1);
        receiver.recv().await
    };
    "mpsc closed": _ => {
        let (sender, _) = mpsc::channel::<u8>(1);
        sender.closed().await
    };
    "unbounded recv": s => s.unbounded.1.recv().await;
    "unbounded recv_many": s => s.unbounded.1.recv_many(&mut Vec::new(), 1).await;
    "broadcast recv": s => s.broadcast.1.recv().await;
    "broadcast closed": _ => {
        let (sender, _) = broadcast::channel::<u8>(1);
        sender.closed().await
    };
    "watch changed": s => {
        s.watch.0.send_replace(1);
        s.watch.1.changed().await
    };
    "watch wait_for": s => s.watch.1.wait_for(|_| true).await.is_ok();
    "watch closed": _ => {
        let (sender, _) = watch::channel(0);
        sender.closed().await
    };
    "oneshot recv": _ => {
        let (sender, receiver) = oneshot::channel();
        (sender.send(1), receiver.await)
    };
    "oneshot end": _ => {
        let (_, receiver) = oneshot::channel::<u8>();
        receiver.await
    };
    "oneshot closed": _ => {
        let (mut sender, _) = oneshot::channel::<u8>();
        sender.closed().await
    };
    "JoinSet::join_next": s => s.join_set.join_next().await;
    "sleep": _ => sleep(Duration::ZERO).await;
    "timeout": s => timeout(Duration::from_secs(1), s.semaphore.acquire()).await;
    "timeout of ready": _ => timeout(Duration::from_secs(1), async { 1 }).await;
    "unconstrained": s => unconstrained(s.semaphore.acquire()).await;
    "select!": s => tokio::select! {
        biased;
        _ = s.semaphore.acquire() => 1,
        _ = s.bounded.1.recv() => 2,
    };
    "join!": s => tokio::join!(s.mutex.lock(), s.bounded.1.recv());
    "duplex read": s => s.pipe.0.read(&mut [0]).await;
    "duplex write": s => s.pipe.0.write(&[1]).await;
    "duplex flush": s => s.pipe.0.flush().await;
    "empty read": _ => empty().read(&mut [0; 4]).await;
    "repeat read": _ => repeat(1).read(&mut [0; 4]).await;
    "sink write": _ => sink().write(&[0; 4]).await;
    "BufReader read": _ => BufReader::new(&b"abc"[..]).read_u8().await;
    "UdpSocket::send_to": s => match s.socket.local_addr() {
        Ok(address) => s.socket.send_to(b"x", address).await,
        Err(error) => Err(error),
    };
};

/// Up to three operations in turn, until one is pending.
pub(crate) fn budget(trial: &mut Trial) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime needs no more than a thread");
    let drawn = match OPERATIONS.get(trial.seed() as usize) {
        Some(operation) => vec![operation],
        None => (0..1 + trial.below(3))
            .filter_map(|_| trial.pick(OPERATIONS))
            .collect(),
    };
    let names: Vec<_> = drawn.iter().map(|(name, _)| *name).collect();
    let task = runtime.spawn(async move {
        let mut stock = Stock::new().await;
        // A fresh budget.
        yield_now().await;
        done_at_once(&mut stock, &drawn).await
    });
    let done = runtime.block_on(task).map_err(|error| error.is_panic());
    trial.tell(format_args!("{}: {done:?}", names.join(", ")));
}

/// How many operations are done in one poll, and whether any budget is left then.
async fn done_at_once(stock: &mut Stock, operations: &[&Operation]) -> (usize, bool) {
    let mut done = 0;
    let work = async {
        for (_, start) in operations.iter().cycle().take(OPERATIONS_MAX) {
            start(stock).await;
            done += 1;
        }
    };
    poll_once(work).await;
    (done, has_budget_remaining())
}

async fn poll_once(work: impl Future) {
    let mut work = pin!(work);
    poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx).is_ready())).await;
}

impl Stock {
    async fn new() -> Stock {
        let mut stock = Stock {
            semaphore: Semaphore::new(STOCK),
            mutex: Mutex::default(),
            rwlock: RwLock::default(),
            notify: Notify::new(),
            barrier: Barrier::new(1),
            bounded: mpsc::channel(2 * STOCK),
            unbounded: mpsc::unbounded_channel(),
            broadcast: broadcast::channel(STOCK),
            watch: watch::channel(0),
            pipe: duplex(4 * STOCK),
            socket: UdpSocket::bind("127.0.0.1:0")
                .await
                .expect("loopback is there"),
            join_set: JoinSet::new(),
        };
        for _ in 0..STOCK {
            stock.bounded.0.try_send(1).expect("there is room");
            stock.unbounded.0.send(1).expect("the receiver is there");
            stock.broadcast.0.send(1).expect("the receiver is there");
        }
        let written = stock.pipe.1.write_all(&[7; STOCK]).await;
        written.expect("there is room");
        stock
    }
}
