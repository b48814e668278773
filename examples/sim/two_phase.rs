//! Two accounts change together or not at all, by a commit in two phases. A participant that has
//! promised and keeps its promise in memory alone forgets it in a crash: the one account has
//! changed, the other has not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sim::{Sim, Swarm, SwarmFault};
use tokio::time::sleep;

use crate::{Form, at_once, finds, insist, passes, serve};

const PORT: u16 = 7006;
const TRANSACTIONS: u64 = 10;
const HOSTS: [&str; 2] = ["account0", "account1"];

/// What a participant has on its disk.
#[derive(Default)]
struct Disk {
    promised: BTreeSet<u64>,
    committed: BTreeSet<u64>,
}

/// The messages of the coordinator: twice the number of the transaction, plus 1 for a commit.
async fn participant(form: Form, disk: Arc<Mutex<Disk>>) -> std::io::Result<()> {
    let memory = Mutex::new(BTreeSet::new());
    let memory = Arc::new(memory);
    let answer = move |message: u64| {
        let (transaction, is_commit) = (message / 2, message % 2 == 1);
        let mut disk = disk.lock().unwrap();
        let mut memory = memory.lock().unwrap();
        let promised = match form {
            Form::Buggy => &mut *memory,
            Form::Fixed => &mut disk.promised,
        };
        if !is_commit {
            promised.insert(transaction);
        } else if promised.contains(&transaction) {
            disk.committed.insert(transaction);
        }
        1
    };
    serve(PORT, at_once(answer)).await
}

async fn coordinator() {
    for transaction in 0..TRANSACTIONS {
        for phase in 0..2 {
            for host in HOSTS {
                insist(host, PORT, transaction * 2 + phase).await;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) async fn world(sim: Sim, form: Form) {
    let mut disks = BTreeMap::new();
    for host in HOSTS {
        let disk = Arc::new(Mutex::new(Disk::default()));
        disks.insert(host, disk.clone());
        sim.host(host, move || participant(form, disk.clone()));
    }
    let swarm = Swarm::default().only([SwarmFault::Crash]).max_down(1);
    let chaos = sim.nemesis(swarm);
    sim.client("coordinator", coordinator()).await.unwrap();
    drop(chaos);
    let committed = disks
        .values()
        .map(|disk| disk.lock().unwrap().committed.clone());
    let committed = committed.collect::<Vec<_>>();
    assert_eq!(committed[0], committed[1], "both accounts or none");
}

#[test]
fn a_promise_that_is_forgotten_leaves_one_account_behind() {
    let failure = finds("two_phase", |sim| world(sim, Form::Buggy));
    assert!(failure.text.contains("both accounts or none"), "{failure}");
}

#[test]
fn a_promise_on_the_disk_is_kept() {
    passes("two_phase", |sim| world(sim, Form::Fixed));
}
