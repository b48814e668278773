//! Of three voters two make a leader, and each votes once a term. A vote that is not on the disk
//! when it is told is forgotten when the power fails, and given again: two leaders in a term.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::sim::{Sim, Swarm, SwarmFault};
use tokio::time::sleep;

use crate::{Form, finds, insist, open_log, passes, serve};

const PORT: u16 = 7010;
const LOG: &str = "/votes";
const TERMS: u64 = 10;
const VOTERS: [&str; 3] = ["voter0", "voter1", "voter2"];

/// What a voter has told: by the term, the number of the candidate.
struct Votes {
    log: File,
    given: BTreeMap<u64, u64>,
}

impl Votes {
    async fn open() -> io::Result<Self> {
        let log = open_log(LOG).await?;
        let bytes = fs::read(LOG).await?;
        let votes = bytes.chunks_exact(8).map(|vote| {
            let vote = vote.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
            (vote / 2, vote % 2)
        });
        Ok(Self {
            log,
            given: votes.collect(),
        })
    }

    /// Whether the candidate has the vote; the question is twice the term, plus the candidate.
    async fn ask(&mut self, form: Form, question: u64) -> io::Result<u64> {
        let (term, candidate) = (question / 2, question % 2);
        if let Some(other) = self.given.get(&term) {
            return Ok(u64::from(*other == candidate));
        }
        self.log.write_u64(question).await?;
        self.log.flush().await?;
        if form == Form::Fixed {
            self.log.sync_data().await?;
        }
        self.given.insert(term, candidate);
        Ok(1)
    }
}

async fn voter(form: Form) -> io::Result<()> {
    let votes = Arc::new(tokio::sync::Mutex::new(Votes::open().await?));
    serve(PORT, move |question| {
        let votes = votes.clone();
        async move { votes.lock().await.ask(form, question).await }
    })
    .await
}

/// The leader of each term, and whoever else takes itself for it.
type Leaders = Arc<Mutex<BTreeMap<u64, Vec<u64>>>>;

/// Asks the voters in each term until two are for it, or it has asked all.
async fn candidate(number: u64, leaders: Leaders) {
    for term in 0..TERMS {
        let mut votes = 0;
        for voter in VOTERS {
            votes += insist(voter, PORT, term * 2 + number).await;
            if votes == 2 {
                leaders
                    .lock()
                    .unwrap()
                    .entry(term)
                    .or_default()
                    .push(number);
                break;
            }
        }
        sleep(Duration::from_millis(200)).await;
    }
}

pub(crate) async fn world(sim: Sim, form: Form) {
    for voter_name in VOTERS {
        sim.host(voter_name, move || voter(form));
    }
    let leaders = Leaders::default();
    let seen = leaders.clone();
    sim.invariant("one leader a term", move || {
        let leaders = seen.lock().unwrap();
        match leaders.iter().find(|(_, leaders)| leaders.len() > 1) {
            Some((term, leaders)) => Err(format!("term {term}: {leaders:?}")),
            None => Ok(()),
        }
    });
    let chaos = sim.nemesis(Swarm::default().only([SwarmFault::PowerLoss]));
    let candidates = [0, 1].map(|number| {
        let campaign = candidate(number, leaders.clone());
        sim.client(&format!("candidate{number}"), campaign)
    });
    for candidate in candidates {
        candidate.await.unwrap();
    }
    drop(chaos);
}

#[test]
fn a_vote_in_memory_is_given_twice() {
    let failure = finds("vote", |sim| world(sim, Form::Buggy));
    assert_eq!(failure.name, "invariant \"one leader a term\"");
}

#[test]
fn a_vote_on_the_disk_is_given_once() {
    passes("vote", |sim| world(sim, Form::Fixed));
}
