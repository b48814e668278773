//! Chance: five streams of typed choices, each with a generator of its own.
//!
//! Taking a fault out of a run, or changing the schedule, therefore does not shift what the
//! other streams draw; that is what makes a failing run shrinkable.

use yamanote_base::rng::Rng;

/// Which generator a choice is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Who runs next.
    Schedule,
    /// How the network behaves.
    Net,
    /// How the disk behaves.
    Disk,
    /// What goes wrong, and when.
    Faults,
    /// What the program itself draws.
    Application,
}

/// What a choice decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChoiceKind {
    /// Which of the runnable tasks is polled.
    NextTask,
    /// How long a packet travels, in nanoseconds above the minimum.
    Latency,
    /// How much later a torn or slow disk operation is done, in nanoseconds.
    DiskDelay,
    /// Whether and where a fault strikes.
    Fault,
    /// The seed of a generator that a program uses.
    Seed,
}

/// One choice that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it decided.
    pub kind: ChoiceKind,
    /// What was drawn.
    pub value: u64,
}

/// The five generators, and the list of choices if it is kept.
#[derive(Debug)]
pub(crate) struct Choices {
    streams: [Rng; 5],
    /// Unbounded while kept: a run that is recorded is recorded whole.
    log: Option<Vec<Choice>>,
}

impl ChoiceKind {
    /// The stream that this kind of choice is drawn from.
    #[must_use]
    pub const fn stream(self) -> Stream {
        match self {
            ChoiceKind::NextTask => Stream::Schedule,
            ChoiceKind::Latency => Stream::Net,
            ChoiceKind::DiskDelay => Stream::Disk,
            ChoiceKind::Fault => Stream::Faults,
            ChoiceKind::Seed => Stream::Application,
        }
    }

    pub(crate) const fn tag(self) -> u8 {
        self as u8
    }
}

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        let mut root = Rng::new(seed);
        Self {
            streams: std::array::from_fn(|_| root.split()),
            log: None,
        }
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub(crate) fn draw(&mut self, kind: ChoiceKind, bound: u64) -> Choice {
        let random = self.streams[kind.stream() as usize].next_u64();
        // Multiplication instead of division (Lemire 2019); the bias is below bound / 2^64.
        let scaled = (u128::from(random) * u128::from(bound)) >> 64;
        let value = u64::try_from(scaled).expect("a 128-bit number shifted by 64 fits");
        let choice = Choice { kind, value };
        if let Some(log) = &mut self.log {
            log.push(choice);
        }
        choice
    }

    pub(crate) fn keep_log(&mut self) {
        self.log.get_or_insert_with(Vec::new);
    }

    pub(crate) fn log(&self) -> &[Choice] {
        self.log.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stream_does_not_shift_another() {
        let mut plain = Choices::new(7);
        let mut disturbed = Choices::new(7);
        for _ in 0..100 {
            disturbed.draw(ChoiceKind::Fault, 10);
            let expected = plain.draw(ChoiceKind::Latency, 1000);
            assert_eq!(disturbed.draw(ChoiceKind::Latency, 1000), expected);
            assert!(expected.value < 1000);
        }
    }

    #[test]
    fn the_log_holds_every_choice_once_it_is_kept() {
        let mut choices = Choices::new(1);
        choices.draw(ChoiceKind::Seed, 2);
        assert!(choices.log().is_empty());
        choices.keep_log();
        let choice = choices.draw(ChoiceKind::NextTask, 5);
        assert_eq!(choices.log(), [choice]);
    }
}
