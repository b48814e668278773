//! What several programs have reached, row by row; in a file between runs, so that one comparison
//! can be measured in pieces.

use std::fmt::Write;
use std::io;
use std::path::Path;

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
    /// What `file` holds; nothing, if it is not there.
    ///
    /// # Errors
    /// Those of reading, and a line that is not a sample.
    pub(crate) fn read(file: &Path) -> io::Result<Self> {
        let mut samples = Self::default();
        let text = match std::fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(samples),
            text => text?,
        };
        for line in text.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let [program, name, flavor, unit, value] = cells[..] else {
                return Err(io::Error::other(format!("not a sample: {line}")));
            };
            let value = value.parse().map_err(io::Error::other)?;
            samples.add(program, [name, flavor, unit].map(str::to_owned), value);
        }
        Ok(samples)
    }

    /// Writes all of them to `file`.
    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        let mut text = String::new();
        for row in &self.rows {
            let key = row.key.join("\t");
            for (program, values) in &row.by_program {
                for value in values {
                    let _ = writeln!(text, "{program}\t{key}\t{value}");
                }
            }
        }
        std::fs::write(file, text)
    }

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

    /// How many samples those rows have that have most.
    pub(crate) fn rounds(&self) -> usize {
        let programs = self.rows.iter().flat_map(|row| &row.by_program);
        programs.map(|(_, values)| values.len()).max().unwrap_or(0)
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
    fn what_is_written_is_read_again() -> io::Result<()> {
        let mut samples = Samples::default();
        let key = || ["a row", "ct", "ns"].map(str::to_owned);
        for value in [1.0, 2.5, 9.0] {
            samples.add("ours", key(), value);
        }
        samples.add("other", key(), 5.0);
        let name = format!("yamanote-samples-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        assert!(Samples::read(&file)?.rows.is_empty());
        samples.write(&file)?;
        let read = Samples::read(&file);
        std::fs::remove_file(&file)?;
        let read = read?;
        assert_eq!(read.rounds(), 3);
        let [row] = &read.rows[..] else {
            panic!("one row, not {:?}", read.rows);
        };
        assert_eq!(
            (row.median("ours"), row.median("other")),
            (Some(2.5), Some(5.0))
        );
        assert_eq!((row.most("ours"), row.most("nobody")), (Some(9.0), None));
        assert_eq!((row.median("nobody"), row.ratio(2.5, 5.0)), (None, 2.0));
        Ok(())
    }
}
