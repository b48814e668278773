//! Channels: one way, there and back, one to many.

use std::hint::black_box;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use crate::measure::Bench;

/// Messages that a broadcast channel holds.
const ROUND: u64 = 64;

pub(crate) fn run(bench: &mut Bench) {
    ping_pongs(bench);
    streams(bench);
    bench.row("oneshot", |operations| async move {
        for number in 0..operations {
            let (sender, receiver) = oneshot::channel();
            sender.send(number).expect("the receiver is there");
            black_box(receiver.await.expect("it was sent"));
        }
    });
    bench.row("request/reply to an actor", |operations| async move {
        let (asks, mut asked) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(16);
        tokio::spawn(async move {
            while let Some((number, answer)) = asked.recv().await {
                answer.send(number + 1).expect("the asker waits");
            }
        });
        for number in 0..operations {
            let (answer, answered) = oneshot::channel();
            asks.send((number, answer))
                .await
                .expect("the actor is there");
            black_box(answered.await.expect("the actor answers"));
        }
    });
    bench.row("select! of three channels", |operations| async move {
        let (one, mut first) = mpsc::channel::<u64>(16);
        let (two, mut second) = mpsc::channel::<u64>(16);
        let (three, mut third) = mpsc::channel::<u64>(16);
        for number in 0..operations {
            let sender = [&one, &two, &three][(number % 3) as usize];
            sender.try_send(number).expect("there is space");
            tokio::select! {
                got = first.recv() => black_box(got),
                got = second.recv() => black_box(got),
                got = third.recv() => black_box(got),
            };
        }
    });
    bench.row("duplex, 64 B there and back", |operations| async move {
        let (mut near, mut far) = tokio::io::duplex(1024);
        tokio::spawn(async move {
            let mut bytes = [0; 64];
            while far.read_exact(&mut bytes).await.is_ok() {
                far.write_all(&bytes).await.expect("the near end is there");
            }
        });
        let mut bytes = [1; 64];
        for _ in 0..operations {
            near.write_all(&bytes).await.expect("the far end is there");
            near.read_exact(&mut bytes)
                .await
                .expect("the far end answers");
        }
    });
}

fn ping_pongs(bench: &mut Bench) {
    bench.row("ping-pong, two mpsc(1)", |operations| async move {
        let (ping, mut pinged) = mpsc::channel(1);
        let (pong, mut ponged) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(number) = pinged.recv().await {
                // An error says that the row is over.
                let _ = pong.send(number).await;
            }
        });
        for number in 0..operations {
            ping.send(number).await.expect("the other is there");
            black_box(ponged.recv().await);
        }
    });
    bench.row("ping-pong, two Notify", |operations| async move {
        let (ping, pong) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (pinged, ponged) = (Arc::clone(&ping), Arc::clone(&pong));
        let other = tokio::spawn(async move {
            for _ in 0..operations {
                pinged.notified().await;
                pong.notify_one();
            }
        });
        for _ in 0..operations {
            ping.notify_one();
            ponged.notified().await;
        }
        other.await.expect("it does not panic");
    });
    bench.row("ping-pong, two watch", |operations| async move {
        let (ping, mut pinged) = watch::channel(0);
        let (pong, mut ponged) = watch::channel(0);
        tokio::spawn(async move {
            while pinged.changed().await.is_ok() {
                let number = *pinged.borrow_and_update();
                // An error says that the row is over.
                let _ = pong.send(number);
            }
        });
        for number in 1..=operations {
            ping.send(number).expect("the other is there");
            ponged.changed().await.expect("the other answers");
            black_box(*ponged.borrow_and_update());
        }
    });
}

fn streams(bench: &mut Bench) {
    bench.row("mpsc(100), 1 producer", |operations| produce(1, operations));
    bench.row("mpsc(100), 4 producers", |operations| {
        produce(4, operations)
    });
    bench.row("mpsc unbounded", |operations| async move {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        for number in 0..operations {
            sender.send(number).expect("the receiver is there");
            black_box(receiver.recv().await);
        }
    });
    bench.row("broadcast, 1 to 4 (per message)", announce);
}

async fn produce(producers: u64, operations: u64) {
    let (sender, mut receiver) = mpsc::channel(100);
    for _ in 0..producers {
        let sender = sender.clone();
        tokio::spawn(async move {
            for number in 0..operations / producers {
                sender.send(number).await.expect("the receiver is there");
            }
        });
    }
    drop(sender);
    while let Some(number) = receiver.recv().await {
        black_box(number);
    }
}

/// Messages to four, in rounds of what fits; each is waited for, so that nobody misses any.
async fn announce(operations: u64) {
    let (sender, receiver) = broadcast::channel(ROUND as usize);
    let (done, mut all_done) = mpsc::channel(4);
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(tokio::spawn(hear(receiver.resubscribe(), done.clone())));
    }
    drop(receiver);
    for number in 0..operations {
        sender.send(number).expect("receivers are there");
        if number % ROUND < ROUND - 1 {
            continue;
        }
        for _ in 0..4 {
            all_done.recv().await.expect("receivers answer");
        }
    }
    drop(sender);
    for task in tasks {
        task.await.expect("it does not panic");
    }
}

async fn hear(mut receiver: broadcast::Receiver<u64>, done: mpsc::Sender<()>) {
    while let Ok(number) = receiver.recv().await {
        if number % ROUND == ROUND - 1 {
            done.send(()).await.expect("the row waits");
        }
    }
}
