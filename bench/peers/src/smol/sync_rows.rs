//! What async-channel and async-lock have besides bounded channels.

use std::hint::black_box;
use std::sync::Arc;

use smol::channel;
use smol::lock::{Mutex, RwLock, Semaphore};

use crate::measure::Bench;
use crate::runtime;

pub(crate) fn run(bench: &mut Bench) {
    bench.row("mpsc unbounded", |operations| async move {
        let (sender, receiver) = channel::unbounded();
        for number in 0..operations {
            sender.try_send(number).expect("the receiver is there");
            black_box(receiver.recv().await.expect("it was sent"));
        }
    });
    bench.row("Mutex, uncontended", |operations| async move {
        let mutex = Mutex::new(0_u64);
        for _ in 0..operations {
            *black_box(&mutex).lock().await += 1;
        }
    });
    bench.row("RwLock read, uncontended", |operations| async move {
        let lock = RwLock::new(1_u64);
        for _ in 0..operations {
            black_box(*black_box(&lock).read().await);
        }
    });
    bench.row("Semaphore, uncontended", |operations| async move {
        let semaphore = Semaphore::new(10);
        for _ in 0..operations {
            drop(black_box(&semaphore).acquire().await);
        }
    });
    bench.row(
        "Mutex, 8 tasks, held over a yield",
        |operations| async move {
            let mutex = Arc::new(Mutex::new(0));
            let contender = |_| runtime::spawn(contend(Arc::clone(&mutex), operations / 8));
            let tasks: Vec<_> = (0..8).map(contender).collect();
            for task in tasks {
                task.await;
            }
        },
    );
}

async fn contend(mutex: Arc<Mutex<u64>>, times: u64) {
    for _ in 0..times {
        let mut guard = mutex.lock().await;
        *guard += 1;
        runtime::yield_now().await;
    }
}
