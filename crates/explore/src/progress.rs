//! How far it is: a bar on a terminal, else a line now and then.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// From one plain line to the next.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// From one drawing of the bar to the next.
const BAR_EVERY: Duration = Duration::from_millis(100);
/// Columns of the bar.
const BAR_WIDTH: usize = 30;

/// Tells how many of the seeds were run. Nothing is told of what takes less than a plain line.
#[derive(Debug)]
pub struct Progress {
    test: String,
    total: u64,
    done: u64,
    begin: Instant,
    told: Instant,
    is_terminal: bool,
    is_drawn: bool,
}

impl Progress {
    /// For `total` seeds of `test`.
    #[must_use]
    pub fn new(test: &str, total: u64) -> Self {
        let begin = Instant::now();
        Self {
            test: test.to_owned(),
            total,
            done: 0,
            begin,
            told: begin,
            is_terminal: io::stderr().is_terminal(),
            is_drawn: false,
        }
    }

    /// One more seed was run.
    pub fn advance(&mut self) {
        self.done += 1;
        let every = if self.is_terminal {
            BAR_EVERY
        } else {
            LINE_EVERY
        };
        if self.told.elapsed() >= every {
            self.told = Instant::now();
            self.is_drawn = self.is_terminal;
            let line = self.line();
            let mut err = io::stderr().lock();
            // Nobody reads it: then nobody misses it.
            let _ = if self.is_terminal {
                write!(err, "\r{line}")
            } else {
                writeln!(err, "{line}")
            };
        }
    }

    fn line(&self) -> String {
        let Self {
            test, total, done, ..
        } = self;
        let rate = *done as f64 / self.begin.elapsed().as_secs_f64().max(0.001);
        let counts = format!("{done} of {total} seeds, {rate:.0} a second");
        if !self.is_terminal {
            return format!("sim {test}: {counts}");
        }
        let filled = BAR_WIDTH as u128 * u128::from(*done) / u128::from((*total).max(1));
        let filled = usize::try_from(filled).unwrap_or(BAR_WIDTH);
        let bar = "=".repeat(filled.min(BAR_WIDTH));
        format!("sim {test} [{bar:<BAR_WIDTH$}] {counts}")
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_drawn {
            let _ = writeln!(io::stderr().lock(), "\r{}", self.line());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_a_bar_tell_how_far_it_is() {
        let mut progress = Progress::new("t", 40);
        (0..10).for_each(|_| progress.advance());
        progress.is_terminal = false;
        let line = progress.line();
        assert!(line.starts_with("sim t: 10 of 40 seeds, "), "{line}");
        progress.is_terminal = true;
        let bar = "=".repeat(7) + &" ".repeat(23);
        let line = progress.line();
        assert!(
            line.starts_with(&format!("sim t [{bar}] 10 of 40 seeds")),
            "{line}"
        );
    }
}
