//! From a run that fails to a smaller one that fails in the same way: [`shrink`].
//!
//! A run is its list of choices, in which 0 does nothing. A candidate has zeros in the place of
//! some choices, or leaves out hosts, or ends its list sooner; it is taken if it fails by the same
//! name. What it drew is the list from which the next candidates are made.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use yamanote_runtime::sim::SimOptions;
use yamanote_world::{Choice, ChoiceKind, Rest, Script, Stream};

use crate::outcome::Outcome;
use crate::run::{Test, run};

/// How much more virtual time a candidate gets than the run that failed took.
const PATIENCE: Duration = Duration::from_secs(30);

/// At how many moments a planned fault is tried alone in the end.
const MOMENTS: u64 = 64;

/// The smallest run that was found.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The run.
    pub outcome: Outcome,
    /// How it is run again.
    pub options: SimOptions,
    /// How many candidates were run.
    pub replays: usize,
    /// How long it took, in real time.
    pub took: Duration,
}

struct Shrinker<'a> {
    test: &'a Test,
    name: String,
    best: Shrunk,
    begin: Instant,
    budget: Duration,
}

/// Makes the failing run `outcome` smaller, whose choices were kept, for at most `budget`.
#[must_use]
pub fn shrink(test: &Test, outcome: Outcome, options: &SimOptions, budget: Duration) -> Shrunk {
    let mut shrinker = Shrinker {
        test,
        name: outcome.failure_name().unwrap_or_default().to_owned(),
        best: Shrunk {
            outcome,
            options: options.clone(),
            replays: 0,
            took: Duration::ZERO,
        },
        begin: Instant::now(),
        budget,
    };
    shrinker.shrink();
    shrinker.best.took = shrinker.begin.elapsed();
    shrinker.best
}

impl Shrinker<'_> {
    fn shrink(&mut self) {
        self.calm(1, |kind| kind == ChoiceKind::Strike);
        self.try_alone(1);
        self.calm(8, ChoiceKind::is_fault);
        self.leave_out_hosts();
        self.cut_tail();
        self.calm(16, |kind| {
            matches!(kind.stream(), Stream::Net | Stream::Disk)
        });
        self.calm(64, |kind| kind.stream() == Stream::Schedule);
        // Again: in a simpler run fewer may do.
        self.calm(1, |kind| kind == ChoiceKind::Strike);
        self.try_alone(MOMENTS);
        self.leave_out_hosts();
    }

    /// Tries each planned fault alone, as early as can be, when it came, and at `moments` - 1
    /// times between: those before it may only have kept the test going until it came, or have
    /// brought about the right moment.
    fn try_alone(&mut self, moments: u64) {
        let strikes = self.struck(|kind| kind == ChoiceKind::Strike);
        if strikes.len() < 2 {
            return;
        }
        let whole = self.best.outcome.choices.clone();
        let parts = [0, moments].into_iter().chain(1..moments);
        let mut candidates =
            parts.flat_map(|part| strikes.iter().map(move |strike| (*strike, part)));
        candidates.find(|(strike, part)| {
            let alone = alone(whole.clone(), *strike, *part, moments);
            self.take_if_same(alone, None)
        });
    }

    /// Sets choices of some kinds to 0: all, halves, quarters, down to that part of them (1: down
    /// to each alone).
    fn calm(&mut self, parts: usize, is_meant: fn(ChoiceKind) -> bool) {
        let mut size = self.struck(is_meant).len();
        let least = if parts == 1 {
            1
        } else {
            size.div_ceil(parts).max(1)
        };
        while size >= least {
            let mut place = 0;
            // Bounded: either the place moves on, or there are fewer to set to 0.
            loop {
                let struck = self.struck(is_meant);
                if place >= struck.len() || self.is_over() {
                    break;
                }
                let chunk = &struck[place..(place + size).min(struck.len())];
                let mut choices = self.best.outcome.choices.clone();
                chunk.iter().for_each(|index| choices[*index].value = 0);
                let before = struck.len();
                if !self.take_if_same(choices, None) || self.struck(is_meant).len() >= before {
                    place += size;
                }
            }
            size /= 2;
        }
    }

    /// The places of choices of these kinds that are not 0.
    fn struck(&self, is_meant: fn(ChoiceKind) -> bool) -> Vec<usize> {
        let choices = self.best.outcome.choices.iter().enumerate();
        let struck = choices.filter(|(_, choice)| choice.value > 0 && is_meant(choice.lane.kind));
        struck.map(|(index, _)| index).collect()
    }

    fn leave_out_hosts(&mut self) {
        // What waits for a host that is not there fails in this way by that alone.
        let waits = ["deadlock", "time limit", "eventually "];
        if waits.iter().any(|start| self.name.starts_with(start)) {
            return;
        }
        // The first is the one that the test itself stands on.
        for host in self.best.outcome.hosts.clone().into_iter().skip(1) {
            let mut absent = self.best.options.absent.clone();
            if absent.insert(host) {
                self.take_if_same(self.best.outcome.choices.clone(), Some(absent));
            }
        }
    }

    /// Ends the list of choices as soon as possible: after it nothing happens by chance.
    fn cut_tail(&mut self) {
        let whole = self.best.outcome.choices.clone();
        let (mut least, mut most) = (0, whole.len());
        while least < most && !self.is_over() {
            let middle = least.midpoint(most);
            if self.take_if_same(whole[..middle].to_vec(), None) {
                most = middle;
            } else {
                least = middle + 1;
            }
        }
    }

    /// Runs a candidate; it is the best if it fails by the same name.
    fn take_if_same(&mut self, choices: Vec<Choice>, absent: Option<BTreeSet<String>>) -> bool {
        if self.is_over() {
            return false;
        }
        let mut options = self.best.options.clone();
        options.absent = absent.unwrap_or(options.absent);
        options.keeps_choices = true;
        options.script = Some(Script {
            choices,
            rest: Rest::Calm,
        });
        let limit = options.time_limit;
        if self.name != "time limit" {
            let patience = self.best.outcome.now * 2 + PATIENCE;
            options.time_limit = limit.map(|limit| limit.min(patience));
        }
        let outcome = run(self.test, options.clone());
        options.time_limit = limit;
        self.best.replays += 1;
        let is_same = outcome.failure_name() == Some(self.name.as_str());
        if is_same {
            self.best.outcome = outcome;
            self.best.options = options;
        }
        is_same
    }

    fn is_over(&self) -> bool {
        self.begin.elapsed() >= self.budget
    }
}

/// `choices` with one strike alone, after `part` of `whole` of the waits before it.
fn alone(mut choices: Vec<Choice>, strike: usize, part: u64, whole: u64) -> Vec<Choice> {
    for (index, choice) in choices.iter_mut().enumerate() {
        if choice.lane.kind == ChoiceKind::Strike && index != strike {
            choice.value = 0;
        }
        if choice.lane.kind == ChoiceKind::FaultGap && index < strike {
            // Less than a part is lost of what is below 2^64 nanoseconds.
            choice.value = choice.value / whole * part;
        }
    }
    choices
}
