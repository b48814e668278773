//! The pages: a row of one program that the sides do not have is an error, not another row.

use std::fmt::Write;
use std::io;

use super::{OURS, PEERS, PUBLISHED, TUNED};
use crate::samples::{RowSamples, Samples};

/// What a peer must be better by to be listed: less is noise.
const NOISE: f64 = 1.05;

/// Ours and the published tokio beside other runtimes.
///
/// # Errors
/// A row that the two do not have.
pub(crate) fn of_peers(samples: &Samples, how: &str) -> io::Result<String> {
    let names = PEERS.map(|peer| peer.name);
    let mut text = format!(
        "# Beside other runtimes\n\nTimes, bytes and rates as the unit says; `ct` is one thread, \
         `mt` two. Where a runtime offers nothing\nof the kind, its cell is empty. {how}\n\n\
         smol is async-executor, async-channel, async-lock, async-io and blocking, its executor \
         run by one thread\nor two. monoio (with local-sync), glommio and compio run over \
         io_uring, a thread each: their tasks never\n\
         leave it, so that nothing in them is locked and nothing \
         of theirs can be shared; on `mt` they have two\nlisteners, and no other rows.\n\n\
         | row | runtime | unit | yamanote | tokio | {} |\n|---|---|---|---:|---:|{}\n",
        names.join(" | "),
        "---:|".repeat(names.len())
    );
    let mut faster = String::new();
    for row in &samples.rows {
        let (ours, published) = sides(row)?;
        let _ = write!(
            text,
            "| {} | {ours:.0} | {published:.0} |",
            row.key.join(" | ")
        );
        for name in names {
            let Some(value) = row.median(name) else {
                text += "  |";
                continue;
            };
            let _ = write!(text, " {value:.0} |");
            let ratio = row.ratio(value, ours);
            if ratio > NOISE {
                let [row, flavor, unit] = &row.key;
                let _ = writeln!(faster, "- {name}, {row} ({flavor}, {unit}): {ratio:.2}");
            }
        }
        text += "\n";
    }
    if !faster.is_empty() {
        let _ = write!(
            text,
            "\n## Where one is better than yamanote, times\n\n{faster}"
        );
    }
    Ok(text)
}

/// Ours beside the published tokio as it comes, and with whichever switch is best for a row.
///
/// # Errors
/// A row that the two do not have.
pub(crate) fn of_tuned(samples: &Samples, how: &str) -> io::Result<String> {
    let switches = TUNED.map(|tuned| format!("`{}`", tuned.name));
    let mut text = format!(
        "# Beside tokio with its switches\n\nThe published tokio as it comes, and with the switch \
         that is best for a row, which it names: of\n{}.\nThe best of so many medians is better \
         than it will be again: the noise is the opponent's. The ratios\nare ours to tokio as it \
         comes, and to its best. {how}\n\n\
         | row | runtime | unit | published | tuned | by | ours | ratio | ratio, tuned |\n\
         |---|---|---|---:|---:|---|---:|---:|---:|\n",
        switches.join(",\n")
    );
    let mut logs = Vec::new();
    let mut worse = String::new();
    for row in &samples.rows {
        let (ours, published) = sides(row)?;
        let (by, best) = best(row, published);
        let (plain, tuned) = (row.ratio(ours, published), row.ratio(ours, best));
        let _ = writeln!(
            text,
            "| {} | {published:.0} | {best:.0} | {by} | {ours:.0} | {plain:.2} | {tuned:.2} |",
            row.key.join(" | ")
        );
        logs.push(tuned.ln());
        if tuned < 1.0 {
            let [row, flavor, unit] = &row.key;
            let _ = writeln!(worse, "- {row} ({flavor}, {unit}): {tuned:.2}, by {by}");
        }
    }
    let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
    let _ = writeln!(
        text,
        "\nGeometric mean of {} rows, against the best: {mean:.2}.",
        logs.len()
    );
    if !worse.is_empty() {
        let _ = write!(
            text,
            "\n## Where the best is better than yamanote\n\n{worse}"
        );
    }
    Ok(text)
}

/// What ours and the published tokio have reached.
fn sides(row: &RowSamples) -> io::Result<(f64, f64)> {
    match (row.median(OURS.name), row.median(PUBLISHED.name)) {
        (Some(ours), Some(published)) => Ok((ours, published)),
        _ => {
            let fault = format!("the sides have no row `{}`", row.key.join(" | "));
            Err(io::Error::other(fault))
        }
    }
}

/// The switch that is best for a row, and what it reaches; none, if none is better.
fn best(row: &RowSamples, published: f64) -> (&'static str, f64) {
    let mut best = ("as it comes", published);
    for tuned in TUNED {
        match row.median(tuned.name) {
            Some(value) if row.ratio(value, best.1) > 1.0 => best = (tuned.name, value),
            _ => {}
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(rows: &[(&str, f64)]) -> Samples {
        let mut samples = Samples::default();
        for &(program, value) in rows {
            samples.add(program, ["a", "ct", "ns"].map(str::to_owned), value);
        }
        samples
    }

    #[test]
    fn a_peer_that_is_better_is_listed_and_one_without_the_row_has_an_empty_cell() {
        let samples = samples(&[("yamanote", 10.0), ("published", 20.0), ("glommio", 5.0)]);
        let page = of_peers(&samples, "How.").expect("both sides have it");
        assert!(page.contains("| a | ct | ns | 10 | 20 |  |  | 5 |  |"));
        assert!(page.ends_with("- glommio, a (ct, ns): 2.00\n"));
    }

    #[test]
    fn a_row_that_the_sides_do_not_have_is_refused() {
        let samples = samples(&[("smol", 10.0), ("yamanote", 10.0)]);
        assert!(of_peers(&samples, "How.").is_err() && of_tuned(&samples, "How.").is_err());
    }

    #[test]
    fn the_best_switch_is_named_and_so_is_where_it_wins() {
        let rows = [
            ("yamanote", 10.0),
            ("published", 20.0),
            ("enable_alt_timer", 8.0),
            ("disable_lifo_slot", 15.0),
        ];
        let page = of_tuned(&samples(&rows), "How.").expect("both sides have it");
        assert!(page.contains("| a | ct | ns | 20 | 8 | enable_alt_timer | 10 | 2.00 | 0.80 |"));
        assert!(page.ends_with("- a (ct, ns): 0.80, by enable_alt_timer\n"));
    }
}
