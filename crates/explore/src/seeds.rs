//! The seeds that failed before: `tests/seeds/` of the crate under test, a file for each test.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
