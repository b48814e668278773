//! What is done to a host from outside: power, pauses, signals, another program.

use std::future::Future;

use yamanote_task::SpawnLocation;

use super::{Clock, Disk, Host, ProgramResult};

/// Signals that leave a program alone which does not hear them: of a child that ended, of a
/// window that changed, of urgent data, and to go on.
const IGNORED: [i32; 4] = [17, 28, 23, 18];

impl Host {
    /// The disk that its programs see through `tokio::fs`.
    #[must_use]
    pub fn disk(&self) -> Disk {
        Disk::new(self.world_host().disk())
    }

    /// Its clocks.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::new(self.world_host())
    }

    /// Takes its power away: the program is gone, its peers hear nothing, and of what it had not
    /// synced to its [disk](Self::disk) any part is lost. [`restart`](Self::restart) gives it
    /// power again.
    pub fn power_loss(&self) {
        self.lose_power(None);
    }

    /// [`power_loss`](Self::power_loss) by the action of this number, if a nemesis planned it.
    pub(super) fn lose_power(&self, planned: Option<u32>) {
        let host = self.world_host();
        // First, so that nothing which the dying program does has an effect.
        host.world().power_off(host.id(), planned);
        self.crash();
    }

    /// Stops it where it is, as a virtual machine is stopped: nothing of it runs, what is sent to
    /// it waits, and its clocks go on. Nothing happens if it is down.
    pub fn pause(&self) {
        if let Some(running) = self.sim.programs.running(&self.name) {
            running.pause();
        }
    }

    /// Lets it go on after a [pause](Self::pause).
    pub fn resume(&self) {
        if let Some(running) = self.sim.programs.running(&self.name) {
            running.resume();
        }
    }

    /// Sends the program a signal, by its number or its `SignalKind`.
    ///
    /// If it has not asked to hear it (by `tokio::signal`), the signal does what it does by
    /// default: most end the program. `SIGKILL` (9) always does.
    pub fn signal(&self, signal: impl Into<i32>) {
        let number = signal.into();
        let heard = self.world_host().send_signal(number);
        if number == 9 || (!heard && !IGNORED.contains(&number)) {
            self.crash();
        }
    }

    /// [Restarts](Self::restart) it with another program, as an upgrade does.
    #[track_caller]
    pub fn restart_with<F, Fut>(&self, main: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: ProgramResult,
    {
        self.crash();
        let location = SpawnLocation::caller();
        self.sim.programs.replace(&self.name, location, main);
        self.restart();
    }
}
