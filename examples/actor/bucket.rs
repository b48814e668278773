//! The actor: a task that owns a bucket of tokens, reads its mail, and refills by a timer.
//!
//! While the bucket is empty it reads no mail. So the mailbox fills up and its senders wait: the
//! load is held back where it comes from, and no queue grows. That is back-pressure.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

pub(crate) const SIZE: u32 = 5;
const PERIOD: Duration = Duration::from_millis(10);

pub(crate) enum Message {
    /// Asks for a token; the answer is how many are left.
    Take {
        reply: oneshot::Sender<u32>,
    },
    RefillEvery(Duration),
}

/// No lock anywhere: nobody but the actor's task ever sees it.
pub(crate) struct Bucket {
    left: u32,
    refill: Interval,
}

impl Bucket {
    pub(crate) fn new() -> Bucket {
        Bucket {
            left: SIZE,
            refill: every(PERIOD),
        }
    }

    /// Lives until nobody is left who could write.
    pub(crate) async fn run(mut self, mailbox: &mut mpsc::Receiver<Message>) {
        loop {
            // Whichever comes first. What did not come is dropped, which both allow: no tick and
            // no message is lost by it.
            tokio::select! {
                _ = self.refill.tick() => self.left = SIZE.min(self.left + 1),
                message = mailbox.recv(), if self.left > 0 => match message {
                    Some(message) => self.read(message),
                    None => return,
                },
            }
        }
    }

    fn read(&mut self, message: Message) {
        match message {
            // Whoever has gone away in the meantime takes nothing.
            Message::Take { reply } => {
                if reply.send(self.left - 1).is_ok() {
                    self.left -= 1;
                }
            }
            // The bug of this actor: zero is not caught, and a timer of that period panics.
            Message::RefillEvery(period) => self.refill = every(period),
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    // After a delay, go on from there: tokens that nobody could take are not made up for.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
