//! How values show themselves to who debugs: `{:?}`.
//!
//! All of a text is compared where its fields are what users know; else only how it begins.

use std::fmt::Debug;
use std::future::ready;
use std::sync::Arc;

use tokio::io::{self, AsyncBufReadExt, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixStream};
use tokio::runtime::{self, Handle};
use tokio::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::{self, JoinSet, LocalSet, coop};
use tokio::time::{self, Duration, Instant};

use crate::time::paused;
use crate::trial::Trial;

/// Each value, once.
pub(crate) fn shown(trial: &mut Trial) {
    let runtime = paused();
    name(trial, &runtime);
    runtime.block_on(async {
        of_locks(trial).await;
        of_channels(trial);
        of_streams(trial);
        of_sockets(trial).await;
        of_tasks(trial).await;
        of_time(trial);
    });
}

/// Tells how the text begins.
fn name(trial: &mut Trial, value: &impl Debug) {
    let text = format!("{value:?}");
    let is_name = |letter: char| letter.is_alphanumeric() || "_:".contains(letter);
    let mut parts = text.split(|letter| !is_name(letter));
    trial.tell(parts.next().unwrap_or_default());
}

/// Tells the text. Its numbers are descriptors, ports, and counts of this process.
fn whole(trial: &mut Trial, value: &impl Debug) {
    let text = format!("{value:?}");
    let parts = text.split(|letter: char| letter.is_ascii_digit());
    let told: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    trial.tell(told.join("N"));
}

async fn of_locks(trial: &mut Trial) {
    let mutex = Arc::new(Mutex::new(1));
    whole(trial, &mutex);
    let guard = mutex.lock().await;
    whole(trial, &mutex);
    whole(trial, &guard);
    let lock = Arc::new(RwLock::new(1));
    whole(trial, &lock);
    whole(trial, &lock.read().await);
    let guard = lock.clone().write_owned().await;
    whole(trial, &guard);
    whole(trial, &lock);
    let semaphore = Semaphore::new(3);
    name(trial, &semaphore);
    name(trial, &semaphore.acquire().await.expect("it is open"));
    whole(trial, &OnceCell::new_with(Some(1)));
    whole(trial, &SetOnce::new_with(Some(1)));
    whole(trial, &OnceCell::<u8>::new());
    whole(trial, &SetOnce::<u8>::new());
    let barrier = Barrier::new(1);
    name(trial, &barrier);
    whole(trial, &barrier.wait().await);
    let notify = Notify::new();
    name(trial, &notify);
    name(trial, &notify.notified());
}

fn of_channels(trial: &mut Trial) {
    let (sender, receiver) = mpsc::channel(2);
    name(trial, &sender);
    name(trial, &receiver);
    whole(trial, &sender.downgrade());
    name(trial, &sender.try_reserve().expect("there is room"));
    name(trial, &sender.try_reserve_many(1).expect("there is room"));
    name(
        trial,
        &sender.clone().try_reserve_owned().expect("there is room"),
    );
    let _ = sender.try_send(1);
    let (sender, receiver) = mpsc::unbounded_channel::<u8>();
    name(trial, &sender);
    name(trial, &receiver);
    whole(trial, &sender.downgrade());
    let (sender, receiver) = broadcast::channel::<u8>(2);
    name(trial, &sender);
    name(trial, &receiver);
    whole(trial, &sender.downgrade());
    let (sender, receiver) = oneshot::channel::<u8>();
    name(trial, &sender);
    name(trial, &receiver);
    let (sender, receiver) = watch::channel(7);
    name(trial, &sender);
    name(trial, &receiver);
    name(trial, &receiver.borrow());
}

fn of_streams(trial: &mut Trial) {
    let bytes: &[u8] = b"ab";
    whole(trial, &bytes.take(1));
    whole(trial, &bytes.chain(bytes));
    whole(trial, &bytes.lines());
    whole(trial, &AsyncBufReadExt::split(bytes, b'b'));
    whole(trial, &io::BufReader::new(bytes));
    name(trial, &io::BufWriter::new(io::sink()));
    name(trial, &io::BufStream::new(io::empty()));
    whole(trial, &io::join(bytes, io::sink()));
    whole(trial, &io::repeat(1));
    name(trial, &io::duplex(8).0);
    whole(trial, &io::split(io::empty()));
    name(trial, &io::stdin());
    name(trial, &io::stdout());
    whole(trial, &io::ReadBuf::new(&mut [0; 4]));
    whole(trial, &(io::Interest::READABLE | io::Interest::PRIORITY));
    whole(trial, &(io::Ready::READABLE | io::Ready::WRITE_CLOSED));
    let mut reader = bytes;
    name(trial, &reader.read_exact(&mut [0]));
    name(trial, &reader.read_line(&mut String::new()));
}

async fn of_sockets(trial: &mut Trial) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let addr = listener.local_addr().expect("it is bound");
    let stream = TcpStream::connect(addr).await.expect("somebody listens");
    whole(trial, &listener);
    whole(trial, &stream);
    whole(trial, &stream.into_split());
    whole(trial, &UdpSocket::bind("127.0.0.1:0").await);
    whole(trial, &tokio::net::TcpSocket::new_v4());
    let (mut one, other) = UnixStream::pair().expect("two descriptors");
    whole(trial, &one);
    whole(trial, &one.split());
    whole(trial, &other.into_split());
    whole(trial, &UnixDatagram::unbound());
    whole(trial, &tokio::fs::File::open("/dev/null").await);
    name(trial, &tokio::fs::OpenOptions::new());
    whole(trial, &tokio::fs::DirBuilder::new());
    name(
        trial,
        &tokio::fs::read_dir("/dev").await.expect("it is there"),
    );
    whole(trial, &tokio::process::Command::new("true"));
    whole(trial, &tokio::process::Command::new("true").spawn());
    let kind = tokio::signal::unix::SignalKind::hangup();
    whole(trial, &kind);
    name(
        trial,
        &tokio::signal::unix::signal(kind).expect("there is a reactor"),
    );
}

async fn of_tasks(trial: &mut Trial) {
    name(trial, &runtime::Builder::new_current_thread());
    name(trial, &Handle::current());
    whole(trial, &Handle::current().runtime_flavor());
    name(trial, &Handle::current().metrics());
    name(trial, &Handle::current().enter());
    whole(trial, &Handle::current().id());
    whole(trial, &LocalSet::new());
    let task = task::spawn(async {});
    whole(trial, &task);
    whole(trial, &task.id());
    whole(trial, &task.abort_handle());
    whole(trial, &task.await);
    whole(trial, &JoinSet::<u8>::new());
    whole(trial, &coop::cooperative(ready(1)));
    tokio::task_local!(static KEY: u8);
    whole(trial, &KEY);
    whole(trial, &KEY.scope(1, ready(2)));
    whole(trial, &KEY.try_with(|_| ()));
}

fn of_time(trial: &mut Trial) {
    name(trial, &time::sleep(Duration::ZERO));
    name(trial, &time::interval(Duration::from_secs(1)));
    name(trial, &time::timeout(Duration::ZERO, ready(1)));
    whole(trial, &time::MissedTickBehavior::Burst);
    whole(trial, &Instant::now());
}
