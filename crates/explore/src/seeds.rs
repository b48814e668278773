//! The seeds that failed before: `tests/seeds/` of the crate under test, a file for each test.

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Which seeds are run, in their order: those that failed before, then all others of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    known: Vec<u64>,
    range: Range<u64>,
}

impl Seeds {
    pub(crate) fn new(known: Vec<u64>, range: Range<u64>) -> Self {
        Self { known, range }
    }

    /// One by one: the range may be too long to be listed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        let new = self.range.clone();
        let new = new.filter(|seed| !self.known.contains(seed));
        self.known.iter().copied().chain(new)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        let range = self.range.end.saturating_sub(self.range.start);
        let beyond = self.known.iter().filter(|seed| !self.range.contains(seed));
        range.saturating_add(beyond.count() as u64)
    }
}

/// Where the seeds of `test` are kept.
#[must_use]
pub fn file_of(folder: &Path, test: &str) -> PathBuf {
    folder.join(format!("{}.seeds", file_name(test)))
}

/// The name of a test as a part of a path.
pub(crate) fn file_name(test: &str) -> String {
    let keep = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let replaced = test.replace("::", ".");
    let kept = replaced
        .chars()
        .map(|letter| if keep(letter) { letter } else { '_' });
    kept.collect()
}

/// The seeds in `file`, oldest first; none if there is no such file.
///
/// # Errors
/// Those of the file system, and `InvalidData` for a line that is no seed.
pub fn read(file: &Path) -> io::Result<Vec<u64>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(""));
    let lines = lines.map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            parse(line).ok_or_else(|| {
                let fault = format!("{}: `{line}` is no seed", file.display());
                io::Error::new(io::ErrorKind::InvalidData, fault)
            })
        })
        .collect()
}

/// Adds `seed` to `file`, with what failed as a remark; unless it is there.
///
/// # Errors
/// As [`read`].
pub fn add(file: &Path, seed: u64, failure: &str) -> io::Result<()> {
    if read(file)?.contains(&seed) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut open = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)?;
    writeln!(open, "{seed:#x} # {}", failure.replace('\n', " "))
}

/// A seed, decimal or hexadecimal after `0x`.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_that_is_known_comes_first_and_once() {
        let seeds = Seeds::new(vec![12, 900], 10..15);
        let all: Vec<_> = seeds.iter().collect();
        assert_eq!(all, [12, 900, 10, 11, 13, 14]);
        assert_eq!(seeds.count(), all.len() as u64);
    }

    #[test]
    fn a_range_of_all_seeds_is_not_listed() {
        let seeds = Seeds::new(vec![7], 0..u64::MAX);
        let third: Vec<_> = seeds.iter().skip(1).step_by(3).take(3).collect();
        assert_eq!(third, [0, 3, 6]);
        assert_eq!(seeds.count(), u64::MAX);
    }
}
