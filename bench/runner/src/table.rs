//! What was measured, and the table that compares it: a ratio above 1 says that ours is better.

use std::fmt::Write;
use std::process::Command;

/// One of the two that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Published,
    Ours,
}

#[derive(Debug)]
struct Row {
    name: String,
    unit: String,
    published: Vec<f64>,
    ours: Vec<f64>,
    allocations: [Option<f64>; 2],
}

/// All rows, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Results {
    rows: Vec<Row>,
}

impl Results {
    pub(crate) fn add(
        &mut self,
        (name, unit): (String, String),
        side: Side,
        value: f64,
        allocations: Option<f64>,
    ) {
        let at = self
            .rows
            .iter()
            .position(|row| row.name == name && row.unit == unit);
        let at = at.unwrap_or_else(|| {
            let (published, ours) = (Vec::new(), Vec::new());
            self.rows.push(Row {
                name,
                unit,
                published,
                ours,
                allocations: [None; 2],
            });
            self.rows.len() - 1
        });
        let row = &mut self.rows[at];
        match side {
            Side::Published => row.published.push(value),
            Side::Ours => row.ours.push(value),
        }
        row.allocations[usize::from(side == Side::Ours)] = allocations;
    }

    pub(crate) fn to_markdown(&self, rounds: usize, against_itself: bool) -> String {
        let mut text = String::from("# Side by side\n\n");
        let ours = if against_itself {
            "published again"
        } else {
            "yamanote"
        };
        let _ = writeln!(
            text,
            "The published tokio 1.54.1 and {ours}: the same source, {rounds} rounds in turn, \
             medians. A ratio\nabove 1 says that {ours} is better. `ct` is one thread, `mt` two \
             workers; allocations are an operation's.\n{}.\n",
            machine()
        );
        text += "| row | runtime | unit | published | ours | ratio | allocations |\n";
        text += "|---|---|---|---:|---:|---:|---|\n";
        let mut ratios = Vec::new();
        for row in &self.rows {
            let (published, ours) = (median(&row.published), median(&row.ours));
            let ratio = row.ratio();
            ratios.push((ratio, row.name.as_str(), row.unit.as_str()));
            let allocations = match row.allocations {
                [Some(published), Some(ours)] => format!("{published:.2}, {ours:.2}"),
                _ => String::new(),
            };
            let _ = writeln!(
                text,
                "| {} | {} | {published:.0} | {ours:.0} | {ratio:.2} | {allocations} |",
                row.name, row.unit
            );
        }
        ratios.sort_by(|one, other| one.0.total_cmp(&other.0));
        if let Some((worst, name, unit)) = ratios.first() {
            let logs: f64 = ratios.iter().map(|(ratio, ..)| ratio.ln()).sum();
            let mean = (logs / ratios.len() as f64).exp();
            let name = name.replace(" | ", ", ");
            let _ = writeln!(
                text,
                "\nGeometric mean of {} rows: {mean:.2}. Worst: {worst:.2} ({name}, {unit}).",
                ratios.len()
            );
        }
        text
    }
}

impl Row {
    /// How many times better ours is.
    fn ratio(&self) -> f64 {
        let (published, ours) = (median(&self.published), median(&self.ours));
        let more_is_better = self.unit.ends_with("/s");
        if more_is_better {
            ours / published
        } else {
            published / ours
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => f64::midpoint(values[len / 2 - 1], values[len / 2]),
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = Command::new("uname").arg("-sr").output();
    let kernel = kernel.map_or_else(
        |_| "an unknown kernel".to_owned(),
        |said| String::from_utf8_lossy(&said.stdout).trim().to_owned(),
    );
    let kernel = kernel.split('-').next().unwrap_or_default();
    format!("Machine: {cores} cores, {kernel}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_above_one_is_better_whatever_the_unit() {
        let mut results = Results::default();
        for (unit, ours) in [("ns", 5.0), ("req/s", 20.0)] {
            let row = || ("a | ct".to_owned(), unit.to_owned());
            results.add(row(), Side::Published, 10.0, None);
            results.add(row(), Side::Ours, ours, None);
        }
        assert!(results.rows.iter().all(|row| row.ratio() == 2.0));
        assert!(
            results
                .to_markdown(1, false)
                .contains("Geometric mean of 2 rows: 2.00.")
        );
    }
}
