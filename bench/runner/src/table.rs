//! What was measured, and the table that compares it: a ratio above 1 says that ours is better.

use std::fmt::{self, Display, Write};

use crate::plot::Bars;
use crate::ratio::{PAIRS_MIN, Ratio};

/// The name of the runtime with one thread.
const ONE: &str = "ct";

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
    /// Instructions an operation: the published tokio's, and ours.
    instructions: Option<[f64; 2]>,
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
                instructions: None,
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

    /// Adds what was counted on one thread to the rows of that name.
    pub(crate) fn add_instructions(&mut self, counts: &[(String, [f64; 2])]) {
        for (name, pair) in counts {
            let name = format!("{name} | {ONE}");
            let row = self.rows.iter_mut().find(|row| row.name == name);
            if let Some(row) = row {
                row.instructions = Some(*pair);
            }
        }
    }

    /// Each row's ratios on one thread and on two workers, of what is a time or a rate.
    pub(crate) fn to_bars(&self) -> Vec<Bars> {
        let mut bars: Vec<Bars> = Vec::new();
        for row in &self.rows {
            let Some((name, flavor)) = row.name.rsplit_once(" | ") else {
                continue;
            };
            let name = match row.unit.as_str() {
                "ns" => name.to_owned(),
                unit => format!("{name} ({unit})"),
            };
            let at = bars.iter().position(|(known, _)| *known == name);
            let at = at.unwrap_or_else(|| {
                bars.push((name, [None; 2]));
                bars.len() - 1
            });
            bars[at].1[usize::from(flavor != ONE)] = Some(row.better().times);
        }
        bars
    }

    /// How many times dearer each row is beside many others than beside few: with the published
    /// tokio, and with ours.
    pub(crate) fn to_growths(&self) -> Vec<Bars> {
        let bars =
            |(name, sides): (String, [Better; 2])| (name, sides.map(|side| Some(side.times)));
        self.growths().into_iter().map(bars).collect()
    }

    fn growths(&self) -> Vec<(String, [Better; 2])> {
        const CROWDS: [[&str; 2]; 2] = [["1000 ", "1000000 "], ["100 idle", "10000 idle"]];
        let growth = |few: &Row| {
            let beside = |[few_of, many_of]: [&str; 2]| {
                let (few_of, many_of) = (format!("beside {few_of}"), format!("beside {many_of}"));
                let many = few.name.replace(&few_of, &many_of);
                (self.rows.iter()).find(|row| many != few.name && row.name == many)
            };
            let many = CROWDS.into_iter().find_map(beside)?;
            let times = |side: fn(&Row) -> &[f64]| Better::of(&few.unit, side(few), side(many));
            let sides = [times(|row| &row.published), times(|row| &row.ours)];
            Some((many.name.replace(" | ", ", "), sides))
        };
        self.rows.iter().filter_map(growth).collect()
    }

    /// The page, with `how` it was measured at its head.
    pub(crate) fn to_markdown(&self, how: &str) -> String {
        let mut text = format!(
            "# Side by side\n\n{how}\n\nA ratio above 1 says that ours is better. That of servers \
             is the median of pairs, with its 99 %\ninterval: one with 1 in it says nothing. \
             `ct` is one thread, `mt` two workers; allocations\nand instructions are an \
             operation's: first the published tokio's, then ours.\n`--peers` compares with \
             other runtimes, `--tuned` with tokio and its best switches, `--lto`\nwith \
             link-time optimisation.\n\n\
             | row | runtime | unit | published | ours | ratio | allocations | instructions |\n\
             |---|---|---|---:|---:|---:|---|---|\n"
        );
        let mut ratios = Vec::new();
        let mut slower = Vec::new();
        for row in &self.rows {
            let better = row.better();
            let is_slower = (better.sure.as_ref()).is_some_and(|ratio| ratio.verdict() == "slower");
            slower.extend(is_slower.then(|| format!("{}, {}", row.name, row.unit)));
            ratios.push((better.times, row.name.as_str(), row.unit.as_str()));
            row.write_to(&mut text);
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
            if !slower.is_empty() {
                let slower = slower.join("; ").replace(" | ", ", ");
                let _ = writeln!(text, "Surely below 1, by their intervals: {slower}.");
            }
        }
        let growths = self.growths();
        if !growths.is_empty() {
            text.push_str(
                "\n## Beside many\n\nHow many times dearer it is than beside few; those of servers \
                 are driven in turn with them.\n\n| row | published | ours |\n|---|---|---|\n",
            );
        }
        for (name, [published, ours]) in growths {
            let _ = writeln!(text, "| {name} | {published} | {ours} |");
        }
        text
    }
}

/// How many times better something is than another thing.
struct Better {
    times: f64,
    /// The same, sample by sample, if there are enough to tell how sure it is.
    sure: Option<Ratio>,
}

impl Better {
    /// Of the samples of `one` and of the `other` in that unit.
    fn of(unit: &str, one: &[f64], other: &[f64]) -> Self {
        let (above, below) = match more_is_better(unit) {
            true => (one, other),
            false => (other, one),
        };
        let sure = (above.len().min(below.len()) >= PAIRS_MIN).then(|| Ratio::of(above, below));
        let times = match &sure {
            Some(ratio) => ratio.median,
            None => median(above) / median(below),
        };
        Self { times, sure }
    }
}

impl Display for Better {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sure {
            Some(ratio) => f.write_str(&ratio.shown()),
            None => write!(f, "{:.2}", self.times),
        }
    }
}

impl Row {
    fn write_to(&self, text: &mut String) {
        let allocations = match self.allocations {
            [Some(published), Some(ours)] => format!("{published:.2}, {ours:.2}"),
            _ => String::new(),
        };
        let instructions = match self.instructions {
            Some([published, ours]) => format!("{published:.0}, {ours:.0}"),
            None => String::new(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {allocations} | {instructions} |",
            self.name,
            self.unit,
            figure(median(&self.published)),
            figure(median(&self.ours)),
            self.better(),
        );
    }

    /// How many times better ours is.
    fn better(&self) -> Better {
        Better::of(&self.unit, &self.ours, &self.published)
    }
}

/// A figure with as many digits as are of use.
fn figure(value: f64) -> String {
    match value < 100.0 {
        true => format!("{value:.1}"),
        false => format!("{value:.0}"),
    }
}

/// How many times better `one` is than `other`, in that unit.
pub(crate) fn ratio(unit: &str, one: f64, other: f64) -> f64 {
    match more_is_better(unit) {
        true => one / other,
        false => other / one,
    }
}

fn more_is_better(unit: &str) -> bool {
    unit.ends_with("/s")
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => f64::midpoint(values[len / 2 - 1], values[len / 2]),
    }
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
        assert!(results.rows.iter().all(|row| row.better().times == 2.0));
        let page = results.to_markdown("How.");
        assert!(page.contains("Geometric mean of 2 rows: 2.00."));
    }

    #[test]
    fn of_enough_pairs_the_ratio_is_theirs_and_has_an_interval() {
        let mut results = Results::default();
        for (unit, ours) in [("ns", 12.5), ("req/s", 20.0)] {
            for round in 1..=PAIRS_MIN {
                // What slows both for a while is no difference between them.
                let row = || ("a | ct".to_owned(), unit.to_owned());
                results.add(row(), Side::Published, 10.0 * round as f64, None);
                results.add(row(), Side::Ours, ours * round as f64, None);
            }
        }
        let page = results.to_markdown("How.");
        assert!(page.contains("| 0.80 [0.80, 0.80] |") && page.contains("| 2.00 [2.00, 2.00] |"));
        assert!(page.ends_with("intervals: a, ct, ns.\n"));
    }

    #[test]
    fn a_row_that_costs_more_beside_many_has_grown() {
        let mut results = Results::default();
        for (crowd, ours) in [("1000", 5.0), ("1000000", 20.0)] {
            let row = || (format!("wake beside {crowd} tasks | ct"), "ns".to_owned());
            results.add(row(), Side::Published, 10.0, None);
            results.add(row(), Side::Ours, ours, None);
        }
        let name = "wake beside 1000000 tasks, ct".to_owned();
        assert_eq!(results.to_growths(), [(name, [Some(1.0), Some(4.0)])]);
        let page = results.to_markdown("How.");
        assert!(page.ends_with("| wake beside 1000000 tasks, ct | 1.00 | 4.00 |\n"));
    }

    #[test]
    fn what_was_counted_stands_in_the_row_of_one_thread() {
        let mut results = Results::default();
        for flavor in ["ct", "mt"] {
            let row = || (format!("a | {flavor}"), "ns".to_owned());
            results.add(row(), Side::Published, 10.0, None);
            results.add(row(), Side::Ours, 4.0, None);
        }
        results.add_instructions(&[("a".to_owned(), [90.0, 30.0])]);
        let page = results.to_markdown("How.");
        assert!(page.contains("| a | ct | ns | 10.0 | 4.0 | 2.50 |  | 90, 30 |"));
        assert!(page.contains("| a | mt | ns | 10.0 | 4.0 | 2.50 |  |  |"));
        assert_eq!(
            results.to_bars(),
            [("a".to_owned(), [Some(2.5), Some(2.5)])]
        );
    }
}
