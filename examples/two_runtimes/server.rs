//! The part that answers: it accepts, answers, and ends when it is told to, in this order.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::primes::Primes;
use crate::{PATIENCE, thread_name};

pub(crate) struct Server {
    executor: Handle,
    primes: Primes,
    stop: watch::Receiver<()>,
}

impl Server {
    pub(crate) fn new(executor: Handle, primes: Primes, stop: watch::Receiver<()>) -> Server {
        Server {
            executor,
            primes,
            stop,
        }
    }

    pub(crate) async fn serve(mut self, listener: TcpListener) -> io::Result<()> {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                _ = self.stop.changed() => break,
                accepted = listener.accept() => {
                    let connection = answer(accepted?.0, self.primes.clone(), self.stop.clone());
                    connections.spawn_on(connection, &self.executor);
                }
                // Those that have ended, so that the set does not grow for ever.
                Some(ended) = connections.join_next() => report(ended?),
            }
        }
        // First no more come in; then those that are in get what they asked for.
        drop(listener);
        println!("accepts no more");
        let all_answered = async {
            while let Some(ended) = connections.join_next().await {
                report(ended?);
            }
            io::Result::Ok(())
        };
        match timeout(PATIENCE, all_answered).await {
            Ok(result) => result?,
            Err(_) => println!("gives up on some"),
        }
        println!("all is answered");
        Ok(())
    }
}

fn report(ended: io::Result<()>) {
    if let Err(error) = ended {
        eprintln!("a connection broke: {error}");
    }
}

async fn answer(
    mut stream: TcpStream,
    primes: Primes,
    mut stop: watch::Receiver<()>,
) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    loop {
        // Only here does it stop, between two requests: who was heard is answered.
        let line = tokio::select! {
            _ = stop.changed() => return Ok(()),
            line = lines.next_line() => line?,
        };
        let answer = match line.as_deref() {
            None => return Ok(()),
            Some("ping") => format!("pong, by {}", thread_name()),
            Some(line) => match line.parse() {
                Ok(limit) => primes.below(limit).await?,
                Err(_) => format!("neither `ping` nor a number: {line}"),
            },
        };
        writer.write_all(format!("{answer}\n").as_bytes()).await?;
    }
}
