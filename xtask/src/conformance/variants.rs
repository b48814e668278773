//! The table of variants: the ways in which suites are run.

use super::suites::Suite;

/// A way to run suites.
#[derive(Debug)]
pub(super) struct Variant {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// What is different about it.
    pub(super) what: &'static str,
    /// What the tests find in their environment: a variable and its value.
    pub(super) environment: Option<(&'static str, &'static str)>,
    /// What the compiler is told about all crates.
    pub(super) rustflags: &'static str,
    /// What can come out differently, for `--affected`; if none, that is everything.
    affected: Option<Affected>,
}

/// By suite: the beginnings of the names of its files.
type Affected = &'static [(&'static str, &'static [&'static str])];

/// A suite in which all files can come out differently.
const ALL: &[&str] = &[""];

/// Names the way of a runtime's operations on files.
const FILES: &str = "YAMANOTE_FILES";

/// What operates on files, or waits for threads of the pool.
const ON_FILES: Option<Affected> = Some(&[
    (
        "tokio",
        &[
            "coop_budget",
            "fs",
            "io_",
            "no_rt",
            "process_",
            "rt_",
            "task_blocking",
        ],
    ),
    ("tokio-util", &["compat", "io_sync_bridge", "spawn_pinned"]),
]);

/// What waits in the selector.
const ON_READINESS: Option<Affected> = Some(&[
    (
        "tokio",
        &[
            "coop_budget",
            "io_",
            "net_",
            "no_rt",
            "process_",
            "rt_",
            "signal_",
            "tcp_",
            "time_",
            "udp",
            "uds_",
            "unix_",
        ],
    ),
    ("tokio-util", &["spawn_pinned", "time_", "udp"]),
    ("actix-rt", ALL),
    ("bb8", ALL),
    ("mini-redis", ALL),
]);

/// Every variant, the usual one first. Those of the same flags share a build, and stand together.
pub(super) const VARIANTS: &[Variant] = &[
    Variant {
        name: "usual",
        what: "what a program gets that asks for nothing",
        environment: None,
        rustflags: "",
        affected: None,
    },
    Variant {
        name: "sim",
        what: "each #[tokio::test] in a simulated world",
        environment: Some(("YAMANOTE_SIM", "1")),
        rustflags: "",
        affected: Some(&[("tokio", ALL)]),
    },
    Variant {
        name: "no-ring",
        what: "files without io_uring",
        environment: Some((FILES, "no-ring")),
        rustflags: "",
        affected: ON_FILES,
    },
    Variant {
        name: "ring",
        what: "files by io_uring, whatever would be faster",
        environment: Some((FILES, "ring")),
        rustflags: "",
        affected: ON_FILES,
    },
    Variant {
        name: "pool",
        what: "files on the blocking pool alone",
        environment: Some((FILES, "pool")),
        rustflags: "",
        affected: ON_FILES,
    },
    Variant {
        name: "poll",
        what: "the selector of platforms that have neither epoll nor kqueue: poll(2)",
        environment: None,
        rustflags: "--cfg mio_unsupported_force_poll_poll",
        affected: ON_READINESS,
    },
];

impl Variant {
    /// Whether nothing is different.
    pub(super) fn is_usual(&self) -> bool {
        self.environment.is_none() && self.rustflags.is_empty()
    }

    /// What reports call a suite that ran so.
    pub(super) fn label(&self, suite: &Suite) -> String {
        match self.is_usual() {
            true => suite.name.to_owned(),
            false => format!("{}@{}", suite.name, self.name),
        }
    }

    /// Whether the target of this name can come out differently, in this suite.
    pub(super) fn can_affect(&self, suite: &Suite, target: &str) -> bool {
        self.affected_files(suite)
            .is_none_or(|files| files.iter().any(|start| target.starts_with(start)))
    }

    /// Whether anything in this suite can come out differently.
    pub(super) fn can_affect_suite(&self, suite: &Suite) -> bool {
        self.affected_files(suite)
            .is_none_or(|files| !files.is_empty())
    }

    /// The beginnings of the names of what can come out differently in this suite; `None`: of all.
    fn affected_files(&self, suite: &Suite) -> Option<&'static [&'static str]> {
        let mut suites = self.affected?.iter();
        let found = suites.find(|(name, _)| *name == suite.name);
        Some(found.map_or(&[], |(_, files)| *files))
    }
}

/// The table as `cargo xtask help` shows it.
pub(super) fn table() -> String {
    let row = |variant: &Variant| {
        let setting = match (variant.environment, variant.rustflags) {
            (Some((name, value)), _) => format!("{name}={value}"),
            (None, "") => "-".to_owned(),
            (None, flags) => format!("RUSTFLAGS=\"{flags}\""),
        };
        let name = variant.name;
        let indent = " ".repeat(12);
        let what = format!("        {name:10}  {}\n", variant.what);
        let affected = |(suite, files): &(&str, &[&str])| {
            let files: Vec<String> = files.iter().map(|start| format!("{start}*")).collect();
            format!("{indent}affects {suite}: {}\n", files.join(" "))
        };
        let affected = match variant.affected {
            None => format!("{indent}affects everything\n"),
            Some(suites) => suites.iter().map(affected).collect(),
        };
        what + &format!("{indent}set by {setting}\n{affected}")
    };
    VARIANTS.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::suites::SUITES;

    #[test]
    fn variants_of_the_same_flags_stand_together() {
        let mut flags: Vec<&str> = VARIANTS.iter().map(|variant| variant.rustflags).collect();
        flags.dedup();
        let runs = flags.len();
        flags.sort_unstable();
        flags.dedup();
        assert_eq!(runs, flags.len());
    }

    #[test]
    fn a_variant_affects_the_files_of_its_table_alone() {
        let suite = |name| SUITES.iter().find(|suite| suite.name == name).unwrap();
        let pool = VARIANTS.iter().find(|variant| variant.name == "pool");
        let (pool, usual) = (pool.unwrap(), &VARIANTS[0]);
        let poll = VARIANTS.iter().find(|variant| variant.name == "poll");
        assert!(poll.unwrap().can_affect(suite("bb8"), "test"));
        assert!(pool.can_affect(suite("tokio"), "fs_dir"));
        assert!(!pool.can_affect(suite("tokio"), "sync_mpsc"));
        assert!(!pool.can_affect_suite(suite("tower")));
        assert!(usual.can_affect(suite("tower"), "sync_mpsc"));
        assert_eq!(pool.label(suite("tokio")), "tokio@pool");
    }

    #[test]
    fn the_table_says_how_each_variant_is_set() {
        let table = table();
        for variant in VARIANTS {
            assert!(table.contains(variant.name) && table.contains(variant.what));
        }
        assert!(table.contains("set by YAMANOTE_FILES=pool"));
    }
}
