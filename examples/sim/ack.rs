//! A ledger acknowledges an entry when it is written, and what is written is in memory: the power
//! fails, and an entry that was acknowledged is not in the ledger any more.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::sim::{Sim, Swarm, SwarmFault};
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::{Form, finds, insist, open_log, passes, serve};

const PORT: u16 = 7007;
const LEDGER: &str = "/ledger";
const ENTRIES: u64 = 20;

/// The questions are twice the number of an entry, to write it, and plus 1 whether it is there.
async fn ledger(form: Form) -> io::Result<()> {
    let file = Arc::new(Mutex::new(open_log(LEDGER).await?));
    serve(PORT, move |question| {
        let file = file.clone();
        async move {
            match question % 2 {
                0 => write(form, &file, question / 2).await,
                _ => is_there(question / 2).await.map(u64::from),
            }
        }
    })
    .await
}

async fn write(form: Form, file: &Mutex<File>, entry: u64) -> io::Result<u64> {
    let mut file = file.lock().await;
    file.write_u64(entry).await?;
    file.flush().await?;
    if form == Form::Fixed {
        file.sync_data().await?;
    }
    Ok(1)
}

async fn is_there(entry: u64) -> io::Result<bool> {
    let ledger = fs::read(LEDGER).await?;
    Ok(ledger.chunks(8).any(|bytes| bytes == entry.to_be_bytes()))
}

async fn client() {
    for entry in 1..=ENTRIES {
        insist("ledger", PORT, entry * 2).await;
        sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) async fn world(sim: Sim, form: Form) {
    sim.host("ledger", move || ledger(form));
    let chaos = sim.nemesis(Swarm::default().only([SwarmFault::PowerLoss]));
    sim.client("client", client()).await.unwrap();
    drop(chaos);
    for entry in 1..=ENTRIES {
        let is_there = insist("ledger", PORT, entry * 2 + 1).await;
        assert_eq!(is_there, 1, "entry {entry} was acknowledged");
    }
}

#[test]
fn an_entry_in_memory_is_acknowledged_and_lost() {
    let failure = finds("ack", |sim| world(sim, Form::Buggy));
    assert!(failure.text.contains("was acknowledged"), "{failure}");
}

#[test]
fn an_entry_on_the_disk_is_kept() {
    passes("ack", |sim| world(sim, Form::Fixed));
}
