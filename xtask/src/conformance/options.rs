//! The command line of the conformance runner.

use std::path::PathBuf;
use std::thread;

use super::suites::{FIELD, SUITES, Suite};
use super::variants::{VARIANTS, Variant};
use crate::Result;

/// What a run was asked to do.
pub(super) struct Options {
    /// The suites, in the order of the table.
    pub(super) suites: Vec<&'static Suite>,
    /// The test targets to build and run; all if there are none.
    pub(super) only: Vec<String>,
    /// Tests that run at once.
    pub(super) jobs: usize,
    /// How often each test runs.
    pub(super) repeat: usize,
    /// Seconds that a test may take.
    pub(super) timeout_s: u64,
    /// The ways to run them, in the order of the table.
    pub(super) variants: Vec<&'static Variant>,
    /// Whether a variant runs only what can come out differently.
    pub(super) affected: bool,
    /// The folder to work in, if not the usual one.
    pub(super) scratch: Option<PathBuf>,
    /// Whether to run against the published tokio: the control.
    pub(super) published: bool,
    /// Whether to raise the floors to what passed.
    pub(super) write_floor: bool,
    /// Whether to write down what the published tokio passes.
    pub(super) write_baseline: bool,
}

impl Options {
    /// Reads the command line.
    ///
    /// *Errors*: an unknown suite or option, an option without its value, a value that is no
    /// number.
    pub(super) fn parse(arguments: &[String]) -> Result<Options> {
        let mut options = Options {
            suites: Vec::new(),
            only: Vec::new(),
            jobs: thread::available_parallelism().map_or(2, usize::from),
            repeat: 1,
            timeout_s: 60,
            variants: vec![&VARIANTS[0]],
            affected: false,
            scratch: None,
            published: false,
            write_floor: false,
            write_baseline: false,
        };
        let mut named: Vec<&str> = Vec::new();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--jobs" => options.jobs = number(word, value()?)?,
                "--repeat" => options.repeat = number(word, value()?)?,
                "--timeout" => options.timeout_s = number(word, value()?)? as u64,
                "--variant" => options.variants = variants(value()?)?,
                "--affected" => options.affected = true,
                "--scratch" => options.scratch = Some(PathBuf::from(value()?)),
                "--only" => options.only.extend(value()?.split(',').map(str::to_owned)),
                "--published" => options.published = true,
                "--write-floor" => options.write_floor = true,
                "--write-baseline" => options.write_baseline = true,
                option if option.starts_with('-') => {
                    return Err(format!("no option {option}; see `cargo xtask help`").into());
                }
                name => named.push(name),
            }
        }
        options.suites = chosen(&named)?;
        options.check()?;
        Ok(options)
    }

    /// Whether the run is of whole suites, in the usual way.
    pub(super) fn is_whole(&self) -> bool {
        self.only.is_empty() && self.variants.iter().all(|variant| variant.is_usual())
    }

    fn check(&self) -> Result {
        if self.write_floor && (self.published || !self.is_whole()) {
            return Err("a floor is what whole suites pass here, in the usual way".into());
        }
        if self.write_baseline && !(self.published && self.is_whole()) {
            return Err("a baseline is what whole suites pass with --published".into());
        }
        Ok(())
    }
}

fn number(option: &str, value: &str) -> Result<usize> {
    match value.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{option} wants a number above 0, not `{value}`").into()),
    }
}

/// The variants that `value` names, by commas; `all` names all.
fn variants(value: &str) -> Result<Vec<&'static Variant>> {
    let names: Vec<&str> = value.split(',').collect();
    let all = names.contains(&"all");
    if let Some(unknown) = names
        .iter()
        .find(|name| **name != "all" && VARIANTS.iter().all(|known| known.name != **name))
    {
        let known: Vec<&str> = VARIANTS.iter().map(|known| known.name).collect();
        let known = known.join(", ");
        return Err(format!("no variant `{unknown}`; there are {known}, and all").into());
    }
    let wanted = |variant: &&Variant| all || names.contains(&variant.name);
    Ok(VARIANTS.iter().filter(wanted).collect())
}

fn chosen(named: &[&str]) -> Result<Vec<&'static Suite>> {
    let is_known = |name: &str| name == FIELD || SUITES.iter().any(|suite| suite.name == name);
    if let Some(unknown) = named.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        let known = known.join(", ");
        return Err(format!("no suite `{unknown}`; there are {known}, and {FIELD}").into());
    }
    let wanted = |suite: &&Suite| match named {
        [] => suite.is_usual(),
        _ => named.contains(&suite.name) || (suite.is_field && named.contains(&FIELD)),
    };
    Ok(SUITES.iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn without_words_every_usual_suite_runs_once() {
        let options = parse("").unwrap();
        assert!(options.suites.iter().all(|suite| suite.is_usual()));
        assert!(options.suites.iter().any(|suite| suite.name == "tokio"));
        assert_eq!(options.repeat, 1);
    }

    #[test]
    fn the_field_is_named_by_a_word_of_its_own() {
        let options = parse("field bb8").unwrap();
        let (field, others): (Vec<&Suite>, _) =
            options.suites.iter().partition(|suite| suite.is_field);
        assert!(field.len() > 1);
        assert!(matches!(others[..], [other] if other.name == "bb8"));
    }

    #[test]
    fn options_and_suites_mix() {
        let options = parse("--jobs 3 tokio --only sync_mpsc,rt_basic --timeout 9").unwrap();
        assert_eq!(options.suites[0].name, "tokio");
        assert_eq!(options.only, ["sync_mpsc", "rt_basic"]);
        assert_eq!((options.jobs, options.timeout_s), (3, 9));
    }

    #[test]
    fn variants_come_in_the_order_of_the_table() {
        let names = |line| -> Vec<&str> {
            let options = parse(line).unwrap();
            options
                .variants
                .iter()
                .map(|variant| variant.name)
                .collect()
        };
        assert_eq!(names("tokio"), ["usual"]);
        assert_eq!(names("--variant poll,no-ring"), ["no-ring", "poll"]);
        assert_eq!(names("--variant all").len(), VARIANTS.len());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in [
            "tokyo",
            "--fast",
            "--jobs",
            "--jobs none",
            "--repeat 0",
            "--variant fast",
            "--variant pool,fast",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_is_written_down_comes_from_whole_suites() {
        assert!(parse("--write-floor tokio").is_ok());
        assert!(parse("--write-baseline --published tokio").is_ok());
        for line in [
            "--write-floor --variant poll",
            "--write-floor --variant all",
            "--write-floor --only a",
            "--write-baseline",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
