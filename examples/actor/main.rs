//! An actor by hand: one task owns what others may only ask for, by mail.
//!
//! This one lets its callers through at most so often (`bucket.rs`). Those see an address
//! (`limiter.rs`); a supervisor puts a new actor in the place of one that died (`supervisor.rs`).

mod bucket;
mod limiter;
mod supervisor;

use std::time::{Duration, Instant};

use limiter::{Limiter, MAIL, NotTaken};

// One thread, so that this page can say what happens between two of its `await`s: nothing.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), NotTaken> {
    let limiter = Limiter::start();

    // Five at once, then one each 10 ms: the sixth to the tenth had to wait for the timer.
    let start = Instant::now();
    for _ in 0..10 {
        limiter.take().await?;
    }
    let waited = start.elapsed() > Duration::from_millis(40);
    println!("took 10, waited for some: {waited}");

    // The bucket is empty and the actor reads no mail. The mailbox fills up, and then it is full.
    let sent: Result<Vec<_>, _> = (0..MAIL).map(|_| limiter.try_take()).collect();
    println!(
        "sent {MAIL} more, and another: {:?}",
        limiter.try_take().err()
    );
    for answer in sent? {
        answer.await?;
    }
    println!("all {MAIL} were answered");

    // A message that kills it. What was in the mailbox behind that one is answered by the next
    // life, which begins with a full bucket.
    limiter.refill_every(Duration::ZERO).await?;
    let left = limiter.take().await?;
    println!("after its death: {left} left");

    // A supervisor that went on for ever would hide a fault that does not go away.
    while limiter.refill_every(Duration::ZERO).await.is_ok() {}
    println!("at last: {:?}", limiter.take().await);
    Ok(())
}
