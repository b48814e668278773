//! A lock that is leased for two seconds protects a value. Who holds it looks at the clock and
//! writes; but the write may be on its way until the lease is another's. A number that grows with
//! each lease (a fencing token) lets the store refuse what comes too late.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sim::{Sim, Swarm, SwarmFault};
use tokio::time::{Instant, sleep, timeout};

use crate::{Form, ask, at_once, finds, passes, serve};

const LOCK: u16 = 7004;
const STORE: u16 = 7005;
const LEASE: Duration = Duration::from_secs(2);

/// Gives out leases: the answer is the number of the lease, or 0 while another has it.
async fn lock() -> std::io::Result<()> {
    let state = Arc::new(Mutex::new((0, None::<Instant>)));
    let lease = move |_| {
        let mut state = state.lock().unwrap();
        let (number, until) = *state;
        if until.is_some_and(|until| Instant::now() < until) {
            return 0;
        }
        *state = (number + 1, Some(Instant::now() + LEASE));
        number + 1
    };
    serve(LOCK, at_once(lease)).await
}

/// Writes that were made, each by the number of its lease.
type Writes = Arc<Mutex<Vec<u64>>>;

async fn store(form: Form, writes: Writes) -> std::io::Result<()> {
    let write = move |lease| {
        let mut writes = writes.lock().unwrap();
        let newest = writes.last().copied().unwrap_or(0);
        if form == Form::Fixed && lease < newest {
            return 0;
        }
        writes.push(lease);
        1
    };
    serve(STORE, at_once(write)).await
}

async fn worker() {
    for _ in 0..10 {
        let asked = Instant::now();
        let lease = timeout(LEASE, ask("lock", LOCK, 0)).await;
        if let Ok(Ok(lease @ 1..)) = lease {
            // The lease is counted from before it was asked for: nobody can be more careful.
            if asked.elapsed() < LEASE / 2 {
                let _ = timeout(LEASE * 4, ask("store", STORE, lease)).await;
            }
        }
        sleep(Duration::from_millis(700)).await;
    }
}

pub(crate) async fn world(sim: Sim, form: Form) {
    let writes = Writes::default();
    sim.host("lock", lock);
    let kept = writes.clone();
    sim.host("store", move || store(form, kept.clone()));
    let looked = writes.clone();
    sim.invariant("leases write in their order", move || {
        let writes = looked.lock().unwrap();
        match writes.is_sorted() {
            true => Ok(()),
            false => Err(format!("{writes:?}")),
        }
    });
    let swarm = Swarm::default().only([SwarmFault::Hold, SwarmFault::Partition]);
    let chaos = sim.nemesis(swarm);
    let workers = [sim.client("one", worker()), sim.client("two", worker())];
    for worker in workers {
        worker.await.unwrap();
    }
    drop(chaos);
}

#[test]
fn a_write_that_comes_late_breaks_the_lock() {
    let failure = finds("lease", |sim| world(sim, Form::Buggy));
    assert_eq!(failure.name, "invariant \"leases write in their order\"");
}

#[test]
fn a_store_that_looks_at_the_number_of_the_lease_refuses_it() {
    passes("lease", |sim| world(sim, Form::Fixed));
}
