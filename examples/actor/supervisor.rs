//! The supervisor: after a life that ended in a panic, another one, from the start.
//!
//! The mailbox is the supervisor's and only lent to the actor, so it outlives it with all the mail
//! in it, except for the message that was being read. Its sender learns that: the reply channel
//! is dropped with the rest of that life.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::bucket::{Bucket, Message};

const RESTARTS: u32 = 3;

pub(crate) async fn supervise(mut mailbox: mpsc::Receiver<Message>) {
    let mut restarts = 0;
    loop {
        // Unwind safe, since nothing of a dead bucket is used again; a mailbox has no state that
        // a reader could leave half changed.
        let life = AssertUnwindSafe(Bucket::new().run(&mut mailbox));
        if life.catch_unwind().await.is_ok() {
            return;
        }
        if restarts == RESTARTS {
            println!("died: given up");
            return;
        }
        restarts += 1;
        println!("died: restart {restarts} of {RESTARTS}");
        // Longer each time, for what kills it may need a while to go away.
        sleep(Duration::from_millis(1) * 2_u32.pow(restarts)).await;
    }
}
