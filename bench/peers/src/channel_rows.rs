//! A bounded channel, there and back and one way.

use std::hint::black_box;

use crate::measure::Bench;
use crate::runtime;

pub(crate) fn run(bench: &mut Bench) {
    bench.row("ping-pong, two mpsc(1)", |operations| async move {
        let (ping, mut pinged) = runtime::bounded(1);
        let (pong, mut ponged) = runtime::bounded(1);
        let other = runtime::spawn(async move {
            while let Some(number) = runtime::receive(&mut pinged).await {
                // An error says that the row is over.
                let _ = pong.send(number).await;
            }
        });
        for number in 0..operations {
            ping.send(number).await.expect("the other is there");
            black_box(runtime::receive(&mut ponged).await);
        }
        drop(ping);
        runtime::join(other).await;
    });
    bench.row("mpsc(100), 1 producer", |operations| produce(1, operations));
    bench.row("mpsc(100), 4 producers", |operations| {
        produce(4, operations)
    });
}

async fn produce(producers: u64, operations: u64) {
    let (sender, mut receiver) = runtime::bounded(100);
    let mut tasks = Vec::new();
    for _ in 0..producers {
        let sender = sender.clone();
        tasks.push(runtime::spawn(async move {
            for number in 0..operations / producers {
                sender.send(number).await.expect("the receiver is there");
            }
        }));
    }
    drop(sender);
    while let Some(number) = runtime::receive(&mut receiver).await {
        black_box(number);
    }
    for task in tasks {
        runtime::join(task).await;
    }
}
