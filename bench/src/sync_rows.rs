//! Locks and permits: alone, and in a crowd.

use std::hint::black_box;
use std::sync::Arc;

use tokio::sync::{Mutex, RwLock, Semaphore};
use tokio::task::{JoinSet, yield_now};

use crate::measure::Bench;

pub(crate) fn run(bench: &mut Bench) {
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
            drop(
                black_box(&semaphore)
                    .acquire()
                    .await
                    .expect("it is not closed"),
            );
        }
    });
    bench.row(
        "Mutex, 8 tasks, held over a yield",
        |operations| async move {
            let mutex = Arc::new(Mutex::new(0));
            let mut tasks = JoinSet::new();
            for _ in 0..8 {
                tasks.spawn(contend(Arc::clone(&mutex), operations / 8));
            }
            tasks.join_all().await;
        },
    );
}

async fn contend(mutex: Arc<Mutex<u64>>, times: u64) {
    for _ in 0..times {
        let mut guard = mutex.lock().await;
        *guard += 1;
        yield_now().await;
    }
}
