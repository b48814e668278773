//! Channels: one way, there and back, one to many.

use std::hint::black_box;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use crate::measure::Bench;

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
                if pong.send(number).await.is_err() {
                    break;
                }
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
                if pong.send(number).is_err() {
                    break;
                }
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
    for producers in [1, 4] {
        let name = format!("mpsc(100), {producers} producers");
        bench.row(&name, move |operations| async move {
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
        });
    }
    bench.row("mpsc unbounded", |operations| async move {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        for number in 0..operations {
            sender.send(number).expect("the receiver is there");
            black_box(receiver.recv().await);
        }
    });
    bench.row("broadcast, 1 to 4 (per message)", |operations| async move {
        let (sender, receiver) = broadcast::channel(64);
        let mut tasks = Vec::new();
        // Rounds of what fits, each waited for, so that nobody misses any.
        let (done, mut all_done) = mpsc::channel::<()>(4);
        for _ in 0..4 {
            let (mut receiver, done) = (receiver.resubscribe(), done.clone());
            tasks.push(tokio::spawn(async move {
                while let Ok(number) = receiver.recv().await {
                    if number % 64 == 63 && done.send(()).await.is_err() {
                        break;
                    }
                }
            }));
        }
        drop(receiver);
        for number in 0..operations {
            sender.send(number).expect("receivers are there");
            if number % 64 == 63 {
                for _ in 0..4 {
                    all_done.recv().await.expect("receivers answer");
                }
            }
        }
        drop(sender);
        for task in tasks {
            task.await.expect("it does not panic");
        }
    });
}
