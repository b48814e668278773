//! What errors say of themselves. How other types show what is inside of them is not compared.

use std::error::Error;
use std::io;
use std::time::Duration;

use tokio::sync::{
    Mutex, OnceCell, RwLock, Semaphore, SetOnce, TryLockError, broadcast, mpsc, oneshot, watch,
};
use tokio::time::timeout;

use crate::time::paused;
use crate::trial::Trial;

/// Each error, once.
pub(crate) fn errors(trial: &mut Trial) {
    let runtime = paused();
    runtime.block_on(async {
        channels(trial).await;
        lagging(trial);
        values(trial).await;
        locks(trial).await;
        times(trial).await;
        tasks(trial).await;
    });
}

fn tell<T>(trial: &mut Trial, what: &str, came: Result<T, impl Error>) {
    match came {
        Ok(_) => trial.tell(format_args!("{what}: no error")),
        Err(error) => {
            let source = error.source().map(ToString::to_string);
            trial.tell(format_args!("{what}: {error} | {error:?} | {source:?}"));
        }
    }
}

async fn channels(trial: &mut Trial) {
    let limit = Duration::from_millis(1);
    let (sender, mut receiver) = mpsc::channel(1);
    tell(trial, "mpsc empty", receiver.try_recv());
    tell(trial, "mpsc room", sender.try_send(1));
    tell(trial, "mpsc full", sender.try_send(2));
    tell(trial, "mpsc no permit", sender.try_reserve());
    tell(trial, "mpsc no permits", sender.try_reserve_many(2));
    tell(trial, "mpsc too many permits", sender.reserve_many(2).await);
    tell(
        trial,
        "mpsc no owned permit",
        sender.clone().try_reserve_owned(),
    );
    tell(
        trial,
        "mpsc full for long",
        sender.send_timeout(3, limit).await,
    );
    receiver.close();
    tell(trial, "mpsc closed at once", sender.try_send(2));
    tell(trial, "mpsc closed", sender.send(3).await);
    tell(
        trial,
        "mpsc closed for long",
        sender.send_timeout(3, limit).await,
    );
    tell(trial, "mpsc reserve of closed", sender.reserve().await);
    tell(trial, "mpsc last value", receiver.try_recv());
    tell(trial, "mpsc end", receiver.try_recv());
    let (sender, receiver) = mpsc::unbounded_channel();
    drop(receiver);
    tell(trial, "unbounded closed", sender.send(1));
}

fn lagging(trial: &mut Trial) {
    let (sender, mut receiver) = broadcast::channel(2);
    tell(trial, "broadcast empty", receiver.try_recv());
    for value in 0..5 {
        tell(trial, "broadcast send", sender.send(value));
    }
    tell(trial, "broadcast lagged", receiver.try_recv());
    drop(receiver);
    tell(trial, "broadcast closed", sender.send(5));
    let mut receiver = sender.subscribe();
    drop(sender);
    tell(trial, "broadcast end", receiver.try_recv());
}

async fn values(trial: &mut Trial) {
    let (sender, mut receiver) = watch::channel(0);
    drop(sender);
    tell(trial, "watch end", receiver.changed().await);
    tell(trial, "watch end at once", receiver.has_changed());
    let (sender, receiver) = watch::channel(0);
    drop(receiver);
    tell(trial, "watch closed", sender.send(1));
    let (sender, mut receiver) = oneshot::channel::<u8>();
    tell(trial, "oneshot empty", receiver.try_recv());
    drop(sender);
    tell(trial, "oneshot end at once", receiver.try_recv());
    let (_, receiver) = oneshot::channel::<u8>();
    tell(trial, "oneshot end", receiver.await);
    let cell = OnceCell::new_with(Some(1));
    tell(trial, "OnceCell is set", cell.set(2));
    let cell = SetOnce::new_with(Some(1));
    tell(trial, "SetOnce is set", cell.set(2));
}

async fn locks(trial: &mut Trial) {
    let semaphore = Semaphore::new(1);
    tell(trial, "no permits", semaphore.try_acquire_many(2));
    semaphore.close();
    tell(trial, "closed at once", semaphore.try_acquire());
    tell(trial, "closed", semaphore.acquire().await);
    let mutex = Mutex::new(1);
    let guard = mutex.lock().await;
    tell(trial, "locked", mutex.try_lock());
    drop(guard);
    let lock = RwLock::new(1);
    let guard = lock.read().await;
    tell(trial, "read-locked", lock.try_write());
    drop(guard);
    let _guard = lock.write().await;
    let refused: Result<_, TryLockError> = lock.try_read();
    tell(trial, "write-locked", refused);
}

async fn times(trial: &mut Trial) {
    let limit = Duration::from_millis(1);
    let elapsed = async || timeout(limit, std::future::pending::<()>()).await;
    tell(trial, "elapsed", elapsed().await);
    tell(
        trial,
        "elapsed as io",
        elapsed().await.map_err(io::Error::from),
    );
}

async fn tasks(trial: &mut Trial) {
    let aborted = tokio::spawn(std::future::pending::<()>());
    aborted.abort();
    tell_without_id(trial, "aborted", aborted.await);
    let panicked = tokio::spawn(async { panic!("with words") });
    tell_without_id(trial, "panicked", panicked.await);
    let panicked = tokio::spawn(async { std::panic::panic_any(5) });
    tell_without_id(trial, "panicked without words", panicked.await);
}

/// The number of a task says how many there were before.
fn tell_without_id<T>(trial: &mut Trial, what: &str, came: Result<T, impl Error>) {
    if let Err(error) = came {
        let words = format!("{what}: {error} | {error:?}");
        trial.tell(words.replace(|letter: char| letter.is_ascii_digit(), "N"));
    }
}
