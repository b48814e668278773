//! Signals to the program of a host: who hears them, and what they do to who does not.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use crate::alarm::{Alarm, AlarmCell};
use crate::host::Host;
use crate::trace::Event;

/// Who hears which signal: once somebody has, its default action does not come back.
#[derive(Debug, Default)]
pub(crate) struct Ears(BTreeMap<i32, Vec<Weak<AlarmCell>>>);

impl Ears {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Host {
    /// Hears signal `number` from now on; the alarm rings each time that it comes.
    pub fn hear_signal(&self, number: i32) -> Alarm {
        let (alarm, cell) = Alarm::new("a signal");
        let mut state = self.world().lock();
        let ears = &mut state.hosts.get_mut(self.id()).ears;
        let ears = ears.0.entry(number).or_default();
        ears.retain(|ear| ear.strong_count() > 0);
        ears.push(Arc::downgrade(&cell));
        alarm
    }

    /// Sends signal `number`; returns whether the program has ever wanted to hear it.
    pub fn send_signal(&self, number: i32) -> bool {
        let mut state = self.world().lock();
        let value = u64::try_from(number).unwrap_or_default();
        state.record(Event::Note(self.id(), "signal", value));
        let Some(ears) = state.hosts.get(self.id()).ears.0.get(&number) else {
            return false;
        };
        let ears: Vec<_> = ears.iter().filter_map(Weak::upgrade).collect();
        let now_ns = state.now_ns();
        for ear in ears {
            state.events.push_alarm(now_ns, ear);
        }
        true
    }
}
