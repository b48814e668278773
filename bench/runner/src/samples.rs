//! What several programs have reached, row by row.

use crate::table;

/// One row's samples.
#[derive(Debug)]
pub(crate) struct RowSamples {
    /// The row's name and its runtime, then the unit.
    pub(crate) key: [String; 3],
    /// Program by program.
    by_program: Vec<(String, Vec<f64>)>,
}

/// All rows, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) rows: Vec<RowSamples>,
}

impl Samples {
    pub(crate) fn add(&mut self, program: &str, key: [String; 3], value: f64) {
        let at = self.rows.iter().position(|row| row.key == key);
        let at = at.unwrap_or_else(|| {
            let by_program = Vec::new();
            self.rows.push(RowSamples { key, by_program });
            self.rows.len() - 1
        });
        let programs = &mut self.rows[at].by_program;
        match programs.iter_mut().find(|(known, _)| known == program) {
            Some((_, values)) => values.push(value),
            None => programs.push((program.to_owned(), vec![value])),
        }
    }
}

impl RowSamples {
    /// The median of a program's samples, if it has this row.
    pub(crate) fn median(&self, program: &str) -> Option<f64> {
        self.of(program).map(table::median)
    }

    /// The greatest of a program's samples, if it has this row.
    pub(crate) fn most(&self, program: &str) -> Option<f64> {
        self.of(program)?.iter().copied().max_by(f64::total_cmp)
    }

    fn of(&self, program: &str) -> Option<&[f64]> {
        let mut programs = self.by_program.iter();
        let (_, values) = programs.find(|(known, _)| known == program)?;
        Some(values)
    }

    /// How many times better `one` is than `other`.
    pub(crate) fn ratio(&self, one: f64, other: f64) -> f64 {
        table::ratio(&self.key[2], one, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_its_own_samples() {
        let mut samples = Samples::default();
        let key = || ["a row", "ct", "ns"].map(str::to_owned);
        for value in [1.0, 2.5, 9.0] {
            samples.add("ours", key(), value);
        }
        samples.add("other", key(), 5.0);
        let [row] = &samples.rows[..] else {
            panic!("one row, not {samples:?}");
        };
        assert_eq!(
            (row.median("ours"), row.median("other")),
            (Some(2.5), Some(5.0))
        );
        assert_eq!((row.most("ours"), row.most("nobody")), (Some(9.0), None));
        assert_eq!((row.median("nobody"), row.ratio(2.5, 5.0)), (None, 2.0));
    }
}
