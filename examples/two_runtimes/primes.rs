//! The part that computes: what it is asked runs on its own executor, whoever asks.

use std::io;

use tokio::runtime::Handle;

use crate::thread_name;

#[derive(Clone)]
pub(crate) struct Primes {
    executor: Handle,
}

impl Primes {
    pub(crate) fn new(executor: Handle) -> Primes {
        Primes { executor }
    }

    /// The caller waits as for anything else: its thread is free meanwhile.
    pub(crate) async fn below(&self, limit: u64) -> io::Result<String> {
        // To compute for a second without an `await` holds up all other tasks of a thread. Where
        // that would be somebody's sockets it is a fault; here all tasks are of this kind.
        let job = self.executor.spawn(async move {
            let count = (2..limit).filter(|&n| is_prime(n)).count();
            format!("{count}, by {}", thread_name())
        });
        Ok(job.await?)
    }
}

fn is_prime(n: u64) -> bool {
    (2..).take_while(|d| d * d <= n).all(|d| n % d != 0)
}
