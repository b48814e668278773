//! `cargo xtask likeness`: the same random programs, once on the published tokio and once on
//! `compat/tokio`, must tell the same story. The programs are in `conformance/likeness`, a
//! workspace of its own, built in `target/likeness`.

mod compare;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use compare::{Comparison, around, without_more};

use crate::{Result, command};

/// The packages, and what the runtime is called that they are built upon.
const SIDES: [(&str, &str); 2] = [
    ("likeness-published", "published"),
    ("likeness-yamanote", "ours"),
];

/// The group whose families tell which traits types have, once and for all.
const TRAITS: &str = "traits/";

/// Seconds in which a family must come to its end, unless more seeds are asked for.
const LIMIT_S: u64 = 60;

/// Runs the families that are named, or all. A name may be a group's: `channels` for all of them.
///
/// *Errors*: the programs do not build, a family is unknown, or something differs.
pub fn run(arguments: &[String]) -> Result {
    let options = Options::parse(arguments)?;
    let programs = Programs::build(&command::root())?;
    let families = options.choose(&programs.families()?)?;
    let mut differing = Vec::new();
    for (family, seeds) in &families {
        let comparison = programs.compare(family, &options, *seeds)?;
        println!("{family:20} {comparison}");
        if let Some(seed) = comparison.first() {
            programs.show(family, seed, differing.is_empty())?;
            differing.push(family.as_str());
        }
    }
    match differing.is_empty() {
        true => Ok(()),
        false => Err(format!("not alike: {}", differing.join(", ")).into()),
    }
}

/// What a run was asked to do.
#[derive(Debug, Default)]
struct Options {
    names: Vec<String>,
    seeds: Option<u64>,
    from: u64,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options> {
        let mut options = Options::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut number = || -> Result<u64> {
                let value = words.next().ok_or(format!("{word} wants a number"))?;
                value
                    .parse()
                    .map_err(|error| format!("{word} {value}: {error}").into())
            };
            match word.as_str() {
                "--seeds" => options.seeds = Some(number()?),
                "--from" => options.from = number()?,
                option if option.starts_with('-') => {
                    return Err(format!("likeness has no option {option}").into());
                }
                name => options.names.push(name.to_owned()),
            }
        }
        match options.seeds {
            Some(0) => Err("no seeds, nothing to compare".into()),
            _ => Ok(options),
        }
    }

    /// The families to run, each with how many seeds. One that draws nothing keeps its only seed.
    fn choose(&self, known: &[(String, u64)]) -> Result<Vec<(String, u64)>> {
        let group_of = |family: &str| family.split('/').next().map(str::to_owned);
        let is =
            |name: &String, family: &str| name == family || group_of(family).as_ref() == Some(name);
        let is_known = |name: &&String| known.iter().any(|(family, _)| is(name, family));
        if let Some(name) = self.names.iter().find(|name| !is_known(name)) {
            let families: Vec<&str> = known.iter().map(|(family, _)| family.as_str()).collect();
            return Err(format!("no family `{name}`, but {}", families.join(", ")).into());
        }
        let is_chosen =
            |family: &str| self.names.is_empty() || self.names.iter().any(|name| is(name, family));
        let chosen = known.iter().filter(|(family, _)| is_chosen(family));
        let with_seeds = chosen.map(|(family, seeds)| match seeds {
            1 => (family.clone(), 1),
            seeds => (family.clone(), self.seeds.unwrap_or(*seeds)),
        });
        Ok(with_seeds.collect())
    }
}

/// The two programs that are compared.
struct Programs {
    paths: [PathBuf; 2],
    target: PathBuf,
}

impl Programs {
    fn build(root: &Path) -> Result<Programs> {
        let target = root.join("target/likeness");
        let mut cargo = command::cargo(&root.join("conformance/likeness"));
        cargo.args(["build", "--locked", "--quiet"]);
        cargo.env("CARGO_TARGET_DIR", &target);
        command::run(&mut cargo)?;
        let path = |(package, _)| target.join("debug").join(package);
        Ok(Programs {
            paths: SIDES.map(path),
            target,
        })
    }

    fn families(&self) -> Result<Vec<(String, u64)>> {
        let listed = command::output_of(Command::new(&self.paths[0]).arg("--families"))?;
        let family = |line: &str| -> Result<(String, u64)> {
            let (name, seeds) = line.split_once(' ').ok_or("a family without seeds")?;
            Ok((name.to_owned(), seeds.parse()?))
        };
        listed.lines().map(family).collect()
    }

    fn compare(&self, family: &str, options: &Options, seeds: u64) -> Result<Comparison> {
        if family.starts_with(TRAITS) {
            let [published, ours] = self.logs(family, 0)?;
            return Ok(Comparison::of_logs(&published, &ours));
        }
        let (from, count) = (options.from.to_string(), seeds.to_string());
        let limit = match options.seeds {
            None => Duration::from_secs(LIMIT_S),
            Some(seeds) => Duration::from_secs(LIMIT_S + seeds / 10),
        };
        let [published, ours] = self.tell(&[family, &from, &count], limit)?;
        Ok(Comparison::of(options.from, seeds, &published, &ours))
    }

    /// What both tell, side by side. One that does not end, or fails, has told less than it should.
    fn tell(&self, words: &[&str], limit: Duration) -> Result<[String; 2]> {
        let tell = |side: usize| -> Result<String> {
            let log = self.log(side);
            let mut program = Command::new(&self.paths[side]);
            program.args(words).stdin(Stdio::null());
            program.stdout(File::create(&log)?);
            match command::run_bounded(&mut program, limit)? {
                Some(status) if status.success() => {}
                Some(status) => eprintln!("{}: {status}", SIDES[side].1),
                None => eprintln!("{}: killed after {limit:?}", SIDES[side].1),
            }
            Ok(fs::read_to_string(&log)?)
        };
        thread::scope(|scope| {
            let published = scope.spawn(|| tell(0));
            let ours = tell(1);
            let published = published
                .join()
                .map_err(|_| "the other side's thread panics");
            Ok([published??, ours?])
        })
    }

    /// What both tell of a seed; of traits, ours without what they may have beyond the published.
    fn logs(&self, family: &str, seed: u64) -> Result<[String; 2]> {
        let words = [family, &seed.to_string()];
        let [published, mut ours] = self.tell(&words, Duration::from_secs(LIMIT_S))?;
        if family.starts_with(TRAITS) {
            ours = without_more(&published, &ours);
        }
        Ok([published, ours])
    }

    fn log(&self, side: usize) -> PathBuf {
        self.target.join(format!("{}.log", SIDES[side].1))
    }

    /// The command that shows a seed again; for the first difference, what the logs say there.
    fn show(&self, family: &str, seed: u64, is_first: bool) -> Result {
        if is_first {
            let [published, ours] = self.logs(family, seed)?;
            print!("{}", around(&published, &ours));
        }
        println!("    the same again: cargo xtask likeness {family} --from {seed} --seeds 1");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    fn known() -> Vec<(String, u64)> {
        let families = [("locks/mutex", 9), ("locks/rwlock", 9), ("words/errors", 1)];
        families.map(|(name, n)| (name.to_owned(), n)).to_vec()
    }

    #[test]
    fn a_group_stands_for_its_families() {
        let chosen = |line: &str| {
            let options = parse(line).expect("the line is right");
            options.choose(&known()).expect("the names are known")
        };
        assert_eq!(chosen(""), known());
        assert_eq!(chosen("locks"), known()[..2]);
        let some = chosen("locks/mutex words --seeds 3");
        assert_eq!(some, [("locks/mutex".to_owned(), 3), known()[2].clone()]);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in ["--seed 1", "--seeds", "--seeds x", "--seeds 0", "--from -1"] {
            assert!(parse(line).is_err(), "{line}");
        }
        let unknown = parse("lock").expect("a name").choose(&known());
        assert!(unknown.unwrap_err().to_string().contains("locks/mutex"));
    }
}
