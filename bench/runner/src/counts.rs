//! Instructions an operation, of the rows that one thread does, by `valgrind --tool=callgrind`:
//! on a busy machine, too, they repeat to the digit, nearly.
//!
//! A row is run with two numbers of operations; the difference is free of what it costs to begin
//! and to end. The profiler closes an account after each run.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// The function of the rows after which an account is closed.
const CLOSED: &str = "*account_closed*";
/// For each row: one to warm up, and the two of the difference.
const ACCOUNTS: usize = 3;

/// Instructions an operation, by row, in the order of running.
pub(crate) type Counts = Vec<(String, f64)>;

/// By row: the published tokio's instructions, and ours.
pub(crate) type Pairs = Vec<(String, [f64; 2])>;

/// Whether there is the profiler.
pub(crate) fn is_possible() -> bool {
    let mut valgrind = Command::new("valgrind");
    let version = valgrind.arg("--version").stdout(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Counts for the rows of `program` that have one of `parts` in their name, or for all.
///
/// # Errors
/// Those of running the profiler, and if it does not say what was asked.
pub(crate) fn of(program: &Path, parts: &[&str]) -> io::Result<Counts> {
    let name = format!("yamanote-bench-{}.callgrind", std::process::id());
    let accounts = std::env::temp_dir().join(name);
    let output = Command::new("valgrind")
        .args(["-q", "--tool=callgrind", "--combine-dumps=yes"])
        .arg(format!("--dump-after={CLOSED}"))
        .arg(format!("--callgrind-out-file={}", accounts.display()))
        .arg(program)
        .arg("--accounts")
        .args(parts)
        .stderr(Stdio::inherit())
        .output()?;
    let read = std::fs::read(&accounts);
    // It may never have been written.
    let _ = std::fs::remove_file(&accounts);
    if !output.status.success() {
        let said = format!("{} under valgrind: {}", program.display(), output.status);
        return Err(io::Error::other(said));
    }
    let rows = String::from_utf8_lossy(&output.stdout);
    compare(&rows, &String::from_utf8_lossy(&read?)).map_err(io::Error::other)
}

/// `rows`: `name, operations, operations` a line; `accounts`: what callgrind wrote.
fn compare(rows: &str, accounts: &str) -> Result<Counts, String> {
    let totals: Vec<f64> = accounts
        .lines()
        .filter_map(|line| line.strip_prefix("totals: "))
        .filter_map(|total| total.trim().parse().ok())
        .collect();
    let mut counts = Counts::new();
    for (row, totals) in rows.lines().zip(totals.chunks(ACCOUNTS)) {
        let cells: Vec<&str> = row.split('\t').collect();
        let ([name, few, many], [_, less, more]) = (&cells[..], totals) else {
            return Err(format!("not a row with its accounts: {row}"));
        };
        let number = |cell: &str| cell.parse::<f64>().map_err(|_| format!("not a row: {row}"));
        let operations = number(many)? - number(few)?;
        counts.push(((*name).to_owned(), (more - less) / operations));
    }
    match counts.len() == rows.lines().count() {
        true => Ok(counts),
        false => Err("the profiler closed too few accounts".to_owned()),
    }
}

/// Pairs of those that both have: published and ours.
pub(crate) fn pairs(published: Counts, ours: Counts) -> Pairs {
    let published: HashMap<String, f64> = published.into_iter().collect();
    ours.into_iter()
        .filter_map(|(name, ours)| {
            let theirs = *published.get(&name)?;
            Some((name, [theirs, ours]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_the_difference_of_two_accounts() {
        let accounts = "totals: 900\ntotals: 150\nfn=x\ntotals: 350\ntotals: 7\n";
        let counts = compare("a\t10\t30\n", accounts);
        assert_eq!(counts, Ok(vec![("a".to_owned(), 10.0)]));
        assert!(compare("a\t10\t30\nb\t10\t30\n", accounts).is_err());
    }
}
