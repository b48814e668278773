//! What rows cost in instructions when it was last written down, and whether one costs more now:
//! `baseline.toml`.
//!
//! Another compiler makes other code. So with another one than the file names, the published
//! tokio is counted anew, and what may not rise is our share of its instructions.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;

use crate::counts::Pairs;

/// How much a row may rise.
const RISE_MAX: f64 = 1.05;
/// So many instructions more are no rise: what comes and goes with the addresses of a run.
const NOISE: f64 = 3.0;

/// The contents of the file.
#[derive(Debug, PartialEq)]
pub(crate) struct Baseline {
    /// What `rustc --version` said.
    pub(crate) rustc: String,
    /// By row: the published tokio's instructions, and ours.
    rows: BTreeMap<String, [f64; 2]>,
}

impl Baseline {
    pub(crate) fn new(rustc: String, rows: Pairs) -> Self {
        let rows = rows.into_iter().collect();
        Self { rustc, rows }
    }

    /// # Errors
    /// Those of reading, and if it is not such a file.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let not_ours = || io::Error::other(format!("{} is not as written", path.display()));
        Self::parse(&text).ok_or_else(not_ours)
    }

    /// By row: the published tokio's instructions, and ours.
    pub(crate) fn into_pairs(self) -> Pairs {
        self.rows.into_iter().collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut rustc = None;
        let mut rows = BTreeMap::new();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '['])) {
            let (key, value) = line.rsplit_once(" = ")?;
            if key == "rustc" {
                rustc = Some(value.trim_matches('"').to_owned());
                continue;
            }
            let pair = value.strip_prefix('[')?.strip_suffix(']')?;
            let (published, ours) = pair.split_once(", ")?;
            let pair = [published.parse().ok()?, ours.parse().ok()?];
            rows.insert(key.trim_matches('"').to_owned(), pair);
        }
        let rustc = rustc?;
        Some(Self { rustc, rows })
    }

    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::from(
            "# Instructions an operation on one thread: the published tokio's, and ours.\n\
             # `cargo xtask bench --write-baseline` writes this, `--quick` holds us to it.\n",
        );
        let _ = writeln!(text, "rustc = \"{}\"\n\n[rows]", self.rustc);
        for (name, [published, ours]) in &self.rows {
            let _ = writeln!(text, "\"{name}\" = [{published:.1}, {ours:.1}]");
        }
        text
    }

    /// What rose, a line each, `now` being ours under the compiler of the file.
    pub(crate) fn risen(&self, now: &[(String, f64)]) -> Vec<String> {
        let rise = |(name, now): &(String, f64)| {
            let [_, before] = self.rows.get(name)?;
            says_rise(name, *before, *now)
        };
        now.iter().filter_map(rise).collect()
    }

    /// What rose, a line each, `now` being the published tokio's and ours under another compiler.
    pub(crate) fn risen_in_share(&self, now: &[(String, [f64; 2])]) -> Vec<String> {
        let rise = |(name, [theirs, ours]): &(String, [f64; 2])| {
            let [theirs_before, before] = self.rows.get(name)?;
            says_rise(name, before * theirs / theirs_before, *ours)
        };
        now.iter().filter_map(rise).collect()
    }
}

fn says_rise(name: &str, before: f64, now: f64) -> Option<String> {
    let rose = now > before * RISE_MAX + NOISE;
    rose.then(|| format!("{name}: {now:.1} instructions an operation, {before:.1} before"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        let rows = vec![("a = b, two".to_owned(), [400.0, 200.0])];
        Baseline::new("rustc 1.0".to_owned(), rows)
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Baseline::parse(&baseline().to_toml()), Some(baseline()));
        assert_eq!(Baseline::parse("rustc = \"x\"\n\"a\" = 7\n"), None);
    }

    #[test]
    fn six_percent_more_are_a_rise_and_four_are_none() {
        let now = |ours| vec![("a = b, two".to_owned(), ours)];
        assert!(baseline().risen(&now(216.0)).len() == 1);
        assert!(baseline().risen(&now(208.0)).is_empty());
        let share = |ours| vec![("a = b, two".to_owned(), [800.0, ours])];
        assert!(baseline().risen_in_share(&share(430.0)).len() == 1);
        assert!(baseline().risen_in_share(&share(408.0)).is_empty());
    }
}
