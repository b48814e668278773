//! What local-sync has besides bounded channels.

use std::hint::black_box;

use local_sync::mpsc::{bounded, unbounded};
use local_sync::{oneshot, semaphore::Semaphore};

use crate::measure::Bench;
use crate::runtime;

pub(crate) fn run(bench: &mut Bench) {
    bench.row("mpsc unbounded", |operations| async move {
        let (sender, mut receiver) = unbounded::channel();
        for number in 0..operations {
            sender.send(number).expect("the receiver is there");
            black_box(receiver.recv().await);
        }
    });
    bench.row("oneshot", |operations| async move {
        for number in 0..operations {
            let (sender, receiver) = oneshot::channel();
            sender.send(number).expect("the receiver is there");
            black_box(receiver.await.expect("it was sent"));
        }
    });
    bench.row("request/reply to an actor", |operations| async move {
        let (asks, mut asked) = bounded::channel::<(u64, oneshot::Sender<u64>)>(16);
        runtime::spawn(async move {
            while let Some((number, answer)) = asked.recv().await {
                answer.send(number + 1).expect("the asker waits");
            }
        });
        for number in 0..operations {
            let (answer, answered) = oneshot::channel();
            let asked = asks.send((number, answer)).await;
            asked.expect("the actor is there");
            black_box(answered.await.expect("the actor answers"));
        }
    });
    bench.row("Semaphore, uncontended", |operations| async move {
        let semaphore = Semaphore::new(10);
        for _ in 0..operations {
            let permit = black_box(&semaphore).acquire().await;
            drop(permit.expect("it is not closed"));
        }
    });
}
