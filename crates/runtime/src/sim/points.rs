//! Places in programs that a simulation knows by name; outside of one they are nothing.
//!
//! The macros `buggify!`, `always!`, `sometimes!` and `point!` call what is here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Weak};

use yamanote_base::atomic::plain::{AtomicU64, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_driver::context;
use yamanote_world::{ChoiceKind, Event, HostId};

use super::failure::SimError;
use super::{Host, SimParts};

/// Chances are drawn as numbers below this.
const MILLION: u64 = 1_000_000;
/// How likely a place that may misbehave does so in a run at all.
const SITE_CHANCE: f64 = 0.25;

/// What a run knows of its places.
#[derive(Default)]
pub(super) struct Points {
    /// Which places that may misbehave do so in this run.
    sites: Mutex<BTreeMap<&'static str, bool>>,
    /// Whether what shall sometimes hold did.
    covered: Mutex<BTreeMap<&'static str, bool>>,
    /// How likely a host is killed at a named place, in millionths. Read and written by the
    /// simulating thread.
    crash_chance: AtomicU64,
}

thread_local! {
    /// The simulation that the thread runs.
    static CURRENT: RefCell<Option<Weak<SimParts>>> = const { RefCell::new(None) };
}

/// The thread runs a simulation until this is dropped.
pub(super) struct CurrentGuard {
    before: Option<Weak<SimParts>>,
    _not_send: PhantomData<*mut ()>,
}

pub(super) fn enter(parts: &Arc<SimParts>) -> CurrentGuard {
    enter_sim(Some(Arc::downgrade(parts)))
}

/// [`enter`] of a simulation that may be none, or gone.
pub(super) fn enter_sim(sim: Option<Weak<SimParts>>) -> CurrentGuard {
    CurrentGuard {
        before: CURRENT.replace(sim),
        _not_send: PhantomData,
    }
}

/// The simulation that the thread runs, if it runs one.
pub(super) fn current_sim() -> Option<Weak<SimParts>> {
    let current = CURRENT.try_with(|current| current.borrow().clone());
    current.ok().flatten()
}

impl Drop for CurrentGuard {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.replace(self.before.take()));
    }
}

/// The simulation that the thread runs, and the host that it stands on.
fn current() -> Option<(Arc<SimParts>, HostId)> {
    let parts = current_sim()?.upgrade()?;
    let host = context::host()?;
    Some((parts, host.id()))
}

/// Whether the place `site` misbehaves now: in a quarter of the runs it may, then with `chance`.
#[must_use]
pub fn buggify(site: &'static str, chance: f64) -> bool {
    let Some((parts, host)) = current() else {
        return false;
    };
    let strikes = |host: Option<HostId>, chance: f64| {
        let kind = ChoiceKind::Buggify;
        let drawn = match host {
            Some(host) => parts.world().choose_on(kind, host, MILLION),
            None => parts.world().choose(kind, MILLION),
        };
        is_struck(drawn, millionths(chance))
    };
    let known = parts.points.sites.lock().get(site).copied();
    let is_enabled = known.unwrap_or_else(|| {
        let is_enabled = strikes(None, SITE_CHANCE);
        parts.points.sites.lock().insert(site, is_enabled);
        is_enabled
    });
    let strikes = is_enabled && strikes(Some(host), chance);
    if strikes {
        parts.world().record(Event::Note(host, site, 1));
    }
    strikes
}

/// Notes whether `holds`: over all seeds it shall at least once.
pub fn sometimes(name: &'static str, holds: bool) {
    if let Some((parts, _)) = current() {
        let mut covered = parts.points.covered.lock();
        *covered.entry(name).or_default() |= holds;
    }
}

/// Fails the run unless `holds`.
pub fn always(name: &'static str, holds: bool, text: impl FnOnce() -> String) {
    if holds {
        return;
    }
    if let Some((parts, _)) = current() {
        let error = SimError::broken(parts.world(), "always", name.to_owned(), text());
        parts.fail(error);
    }
}

/// A place with a name: the trace has it, and a nemesis may kill the host just there.
pub fn point(name: &'static str) {
    let Some((parts, host)) = current() else {
        return;
    };
    parts.world().record(Event::Note(host, name, 0));
    // Relaxed: written and read by one thread.
    let chance = parts.points.crash_chance.load(Ordering::Relaxed);
    if chance == 0 {
        return;
    }
    let drawn = parts.world().choose_on(ChoiceKind::Fault, host, MILLION);
    let name = parts.world().host(host).name();
    if is_struck(drawn, chance) && parts.programs.contains(&name) {
        let host = Host {
            sim: parts.clone(),
            name: name.into(),
        };
        parts.crash_for_a_while(&host);
    }
}

/// A program did what a report is to tell of.
pub(super) fn note(what: &'static str) {
    if let Some((parts, host)) = current() {
        parts.world().record(Event::Note(host, what, 0));
    }
}

/// A program did what the world does not decide.
pub(super) fn leak(what: &'static str) {
    note(what);
    let Some((parts, host)) = current() else {
        return;
    };
    // What is made is a thread, or may wake somebody as one does.
    parts.home.sim().expect_strangers();
    if parts.is_strict {
        let error = format!(
            "on host {}; the order of what threads do is not simulated, see `spawn_blocking`",
            parts.world().host(host).name()
        );
        let error = SimError::broken(parts.world(), "check", what.to_owned(), error);
        parts.fail(error);
    }
}

impl Points {
    pub(super) fn set_crash_chance(&self, chance: f64) {
        // Relaxed: as in point().
        let chance = millionths(chance);
        self.crash_chance.store(chance, Ordering::Relaxed);
    }

    /// What shall sometimes hold, and whether it did.
    pub(super) fn covered(&self) -> Vec<(&'static str, bool)> {
        let covered = self.covered.lock();
        covered.iter().map(|(name, held)| (*name, *held)).collect()
    }
}

/// A number drawn below a million is a strike of so many millionths if it is one of the greatest:
/// 0 never is.
fn is_struck(drawn: u64, millionths: u64) -> bool {
    drawn >= MILLION - millionths.min(MILLION - 1)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what is meant"
)]
fn millionths(chance: f64) -> u64 {
    (chance.clamp(0.0, 1.0) * MILLION as f64) as u64
}

impl fmt::Debug for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Points").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nought_never_strikes_and_a_chance_is_met() {
        assert!(!is_struck(0, MILLION));
        assert!(is_struck(1, MILLION));
        assert!(!is_struck(MILLION - 1, 0));
        assert_eq!(
            (0..MILLION).filter(|n| is_struck(*n, 250_000)).count(),
            250_000
        );
    }

    #[test]
    fn outside_of_a_simulation_nothing_happens() {
        assert!(!buggify("here", 1.0));
        always("never", false, || unreachable!("nobody is told"));
        sometimes("never", true);
        point("nowhere");
    }
}
