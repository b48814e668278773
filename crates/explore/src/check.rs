//! Whether a seed gives the same run in another process, and if not, where it first differs.

use std::fmt;
use std::path::{Path, PathBuf};

use yamanote_base::atomic::plain::{AtomicUsize, Ordering};

use crate::explore::Explore;
use crate::worker::{self, Surroundings};

/// How often two processes are asked for their records until they differ again.
const TRIES: usize = 3;

/// Two runs of one seed that are not equal.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The seed.
    pub seed: u64,
    /// How many events and choices were equal before.
    pub step: Option<usize>,
    /// What one process did there, and the other.
    pub found: Option<[String; 2]>,
    /// The poll during which it happened.
    pub during: Option<String>,
}

/// Finds the first difference between two runs of `seed` in fresh processes.
pub(crate) fn find(config: &Explore, seed: u64) -> Difference {
    let folder = config.trace_folder().join("check");
    for _ in 0..TRIES {
        let one = records(config, seed, &folder, Surroundings::Same);
        let other = records(config, seed, &folder, Surroundings::Other);
        let (Some(one), Some(other)) = (one, other) else {
            break;
        };
        if let Some(difference) = compare(seed, &one, &other) {
            return difference;
        }
    }
    Difference {
        seed,
        step: None,
        found: None,
        during: None,
    }
}

/// The records of a run in a fresh process, a line each.
fn records(
    config: &Explore,
    seed: u64,
    folder: &Path,
    surroundings: Surroundings,
) -> Option<Vec<String>> {
    let file = file_of_its_own(folder);
    std::fs::create_dir_all(folder).ok()?;
    worker::write_records(config, seed, &file, surroundings).ok()?;
    let text = std::fs::read_to_string(&file).ok()?;
    // It has been read; a file that stays is no harm.
    let _ = std::fs::remove_file(&file);
    Some(text.lines().map(str::to_owned).collect())
}

/// A name that nobody else has: tests of one process may check the same seed at once.
fn file_of_its_own(folder: &Path) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: it only counts.
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{}-{number}.records", std::process::id()))
}

fn compare(seed: u64, one: &[String], other: &[String]) -> Option<Difference> {
    let step = (0..one.len().max(other.len())).find(|step| one.get(*step) != other.get(*step))?;
    let found = [one, other].map(|lines| {
        let line = lines.get(step).map(String::as_str);
        line.unwrap_or("nothing more").to_owned()
    });
    let polls = one[..step].iter().rev();
    let mut polls = polls.filter(|line| line.contains(" poll of "));
    Some(Difference {
        seed,
        step: Some(step),
        found: Some(found),
        during: polls.next().cloned(),
    })
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed, step, found, ..
        } = self;
        write!(
            f,
            "seed {seed:#x} gives another run in another process: something that is not simulated \
             has its way (a clock or a random number from outside, a thread, an order by address)"
        )?;
        let (Some(step), Some([one, other])) = (step, found) else {
            return f.write_str("\n  the runs could not be made to differ again");
        };
        write!(
            f,
            "\n  first difference, step {step}:\n    {one}\n    {other}"
        )?;
        match &self.during {
            Some(poll) => write!(f, "\n  during: {poll}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_has_a_file_of_its_own() {
        let folder = Path::new("check");
        let [one, other] = [(); 2].map(|()| file_of_its_own(folder));
        assert!(one.starts_with(folder) && one != other, "{one:?}");
    }
}
