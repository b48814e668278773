//! Simulators side by side, each on one core: ours, ours without its trace's hash, and turmoil over
//! the published tokio.

use std::fmt::Write;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::cores;
use crate::plan::Plan;
use crate::samples::Samples;

/// Its name on the page, its program, and whether it keeps a hash.
type Simulator = (&'static str, &'static str, bool);

const SIMULATORS: [Simulator; 3] = [
    ("yamanote", "sim-yamanote", true),
    ("yamanote, no hash", "sim-yamanote", false),
    ("turmoil", "sim-turmoil", true),
];

const CORE: usize = 1;

/// Runs every simulator, round by round, and writes the page; `about` says where, and when.
///
/// # Errors
/// Those of running the programs, and if one says something else than rows.
pub(crate) fn page(plan: &Plan, binaries: &Path, about: &str) -> io::Result<String> {
    let seconds = if plan.short { "0.5" } else { "2" };
    let mut samples = Samples::default();
    let mut simulators = SIMULATORS;
    cores::stay_on(CORE)?;
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        for simulator in &simulators {
            measure(plan, simulator, binaries, seconds, &mut samples)?;
        }
        // What the one before leaves behind is another's in the next round.
        simulators.reverse();
    }
    let head = format!(
        "The same programs (`src/sim_rows.rs`) in a simulated world and on turmoil 0.7 over the \
         published tokio,\none core, {seconds} s of real time a row, {} rounds in turn, medians. \
         {about}\n",
        plan.rounds
    );
    Ok(head + &table(&samples))
}

/// The page `kept`, with `table` in the place of all before its first heading of second rank: what
/// follows there is written by hand.
pub(crate) fn renewed(kept: &str, table: &str) -> String {
    let rest = kept.find("\n## ").map_or("", |at| &kept[at..]);
    format!("# Simulated worlds: how fast they go\n\n{table}{rest}")
}

fn measure(
    plan: &Plan,
    (name, program, keeps_hash): &Simulator,
    binaries: &Path,
    seconds: &str,
    samples: &mut Samples,
) -> io::Result<()> {
    let mut run = Command::new(binaries.join(program));
    run.args([seconds, plan.filter.as_deref().unwrap_or_default()]);
    if !keeps_hash {
        run.arg("no-hash");
    }
    let output = run.output()?;
    if !output.status.success() {
        let fault = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{program}: {fault}")));
    }
    let said = String::from_utf8(output.stdout).map_err(io::Error::other)?;
    for line in said.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let [row, value, unit] = cells[..] else {
            return Err(io::Error::other(format!("{program}: not a row: {line}")));
        };
        let value = value.parse().map_err(io::Error::other)?;
        eprintln!("{name}: {row}: {value:.0} {unit}");
        samples.add(name, [row, "", unit].map(str::to_owned), value);
    }
    Ok(())
}

fn table(samples: &Samples) -> String {
    let [ours, bare, turmoil] = SIMULATORS.map(|(name, ..)| name);
    let mut text = "\n| what | unit | yamanote | turmoil | times turmoil | the hash's share |\n\
                    |---|---|---:|---:|---:|---:|\n"
        .to_owned();
    for row in &samples.rows {
        let cell = |value: Option<f64>, places| {
            value.map_or("-".to_owned(), |value| format!("{value:.places$}"))
        };
        // Of the time that one takes, in the best rounds: what disturbs a measurement slows it, and
        // would be greater than the share.
        let best = row.most(ours).zip(row.most(bare));
        let share = best.map(|(ours, bare)| (1.0 - ours / bare) * 100.0);
        let (ours, turmoil) = (row.median(ours), row.median(turmoil));
        let times = ours.zip(turmoil).map(|(ours, other)| ours / other);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} % |",
            row.key[0],
            row.key[2],
            cell(ours, 0),
            cell(turmoil, 0),
            cell(times, 1),
            cell(share, 1),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_table_leaves_what_was_written_by_hand() {
        let first = renewed("", "old\n");
        let kept = format!("{first}\n## Why\n\nbecause\n\n## Whence\n");
        let page = renewed(&kept, "new\n");
        assert!(
            page.ends_with("\n\nnew\n\n## Why\n\nbecause\n\n## Whence\n"),
            "{page}"
        );
        assert!(!page.contains("old"));
    }
}
