//! What glommio has besides bounded channels.

use std::hint::black_box;

use glommio::channels::local_channel::new_unbounded;
use glommio::sync::{RwLock, Semaphore};

use crate::measure::Bench;

pub(crate) fn run(bench: &mut Bench) {
    bench.row("mpsc unbounded", |operations| async move {
        let (sender, receiver) = new_unbounded();
        for number in 0..operations {
            sender.try_send(number).expect("the receiver is there");
            black_box(receiver.recv().await);
        }
    });
    bench.row("RwLock read, uncontended", |operations| async move {
        let lock = RwLock::new(1_u64);
        for _ in 0..operations {
            let guard = black_box(&lock).read().await;
            black_box(*guard.expect("it is not closed"));
        }
    });
    bench.row("Semaphore, uncontended", |operations| async move {
        let semaphore = Semaphore::new(10);
        for _ in 0..operations {
            let permit = black_box(&semaphore).acquire_permit(1).await;
            drop(permit.expect("it is not closed"));
        }
    });
}
