//! The report of a world in which nothing can go on: [`Deadlock`].

use std::error::Error;
use std::fmt;
use std::time::Duration;

use yamanote_base::waits::{self, Detail, Wait, Waits};

use super::Sim;
use super::host::MAIN;

/// Tasks that a report names for each host; of the others it gives the number.
const NAMED_MAX: usize = 20;

/// Nothing is runnable, no timer is set and no event is to come.
#[derive(Clone, Debug)]
pub struct Deadlock {
    seed: u64,
    now: Duration,
    hosts: Vec<StuckHost>,
}

/// What waits on one host.
#[derive(Clone, Debug)]
struct StuckHost {
    name: String,
    /// The world's number of a task, where it was spawned, and what it waits for.
    tasks: Vec<(u64, String, String)>,
    /// What the future of a `block_on` waits for.
    main: String,
}

impl Deadlock {
    pub(super) fn of(sim: &Sim) -> Self {
        let hosts = sim.0.hosts.lock().clone();
        let stuck = hosts.iter().map(|host| StuckHost {
            name: host.host().name(),
            main: text_of(sim, host.waits_of(MAIN)),
            tasks: host
                .places()
                .iter()
                .map(|(task, at)| {
                    let waits = text_of(sim, host.waits_of(*task));
                    (*task, at.location().to_string(), waits)
                })
                .collect(),
        });
        Self {
            seed: sim.world().seed(),
            now: sim.world().now(),
            hosts: stuck.collect(),
        }
    }

    /// The seed of the world.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The virtual time since the beginning.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }
}

impl Deadlock {
    /// The tasks that wait, host by host, in lines that begin with a break.
    #[must_use]
    pub fn tasks_text(&self) -> String {
        let mut text = String::new();
        for host in &self.hosts {
            let (name, count) = (&host.name, host.tasks.len());
            text += &format!("\n  host {name}: {count} tasks wait");
            if !host.main.is_empty() {
                text += &format!("\n    the future of block_on{}", host.main);
            }
            for (task, place, waits) in host.tasks.iter().take(NAMED_MAX) {
                text += &format!("\n    task {task}, spawned at {place}{waits}");
            }
            if count > NAMED_MAX {
                text += &format!("\n    and {} more", count - NAMED_MAX);
            }
        }
        if !waits::ARE_NOTED {
            text += "\n  what they wait for is told where the feature `sim` is on";
        }
        text
    }
}

/// What is waited for, in words that follow others.
fn text_of(sim: &Sim, waits: Option<Waits>) -> String {
    let waits = waits.into_iter().flatten().flatten();
    let words = waits.map(|Wait { what, detail }| match detail {
        Detail::None => what.to_owned(),
        Detail::SpawnedAt(place) => format!("{what} spawned at {place}"),
        Detail::Until(deadline) => {
            let at = deadline.saturating_duration_since(sim.0.handle.clock().start());
            format!("{what} at {at:?}")
        }
        Detail::Taken(address) => match waits::taker(address) {
            None => what.to_owned(),
            Some(MAIN) => format!("{what}, taken by the future of block_on"),
            Some(task) => format!("{what}, taken by task {task}"),
        },
        Detail::Socket(cell, interest) => {
            let which = sim.world().socket_wait(cell, interest);
            which.unwrap_or_else(|| what.to_owned())
        }
    });
    let words: Vec<String> = words.collect();
    match words.is_empty() {
        true => String::new(),
        false => format!(", waits for {}", words.join("; ")),
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "deadlock in the simulation with seed {} at {:?}: nothing is runnable, no timer is set \
             and no event is to come{}",
            self.seed,
            self.now,
            self.tasks_text()
        )
    }
}

impl Error for Deadlock {}
