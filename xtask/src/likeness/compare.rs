//! Whether two sides tell the same, and where they part.

use std::fmt::{self, Write as _};

/// How many lines are shown before the first that differs, and from there on.
const BEFORE: usize = 12;
const AFTER: usize = 6;

/// Traits that ours may have and the published not: no program is wrong with them.
const HARMLESS: [&str; 3] = ["UnwindSafe", "RefUnwindSafe", "Debug"];

/// What the two sides have told of a family's seeds, a line each: the seed, how many lines its log
/// has, and a number that stands for the log.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Comparison {
    seeds: u64,
    lines: u64,
    differing: Vec<u64>,
}

impl Comparison {
    /// Compares what was told of so many seeds. A seed of which a side tells nothing differs.
    pub(super) fn of(from: u64, seeds: u64, published: &str, ours: &str) -> Comparison {
        let (mut published, mut ours) = (published.lines(), ours.lines());
        let (mut lines, mut differing) = (0, Vec::new());
        for seed in from..from.saturating_add(seeds) {
            match (told(seed, published.next()), told(seed, ours.next())) {
                (Some((len, digest)), Some(ours)) if (len, digest) == ours => lines += len,
                _ => differing.push(seed),
            }
        }
        Comparison {
            seeds,
            lines,
            differing,
        }
    }

    /// Compares two whole logs, which are seed 0's. Where nothing is told, that differs.
    pub(super) fn of_logs(published: &str, ours: &str) -> Comparison {
        let is_alike = published == ours && !published.is_empty();
        Comparison {
            seeds: 1,
            lines: if is_alike {
                published.lines().count() as u64
            } else {
                0
            },
            differing: if is_alike { vec![] } else { vec![0] },
        }
    }

    /// The first seed that differs.
    pub(super) fn first(&self) -> Option<u64> {
        self.differing.first().copied()
    }
}

/// The length and the digest of a seed's log, if the line is whole and tells of this seed.
fn told(seed: u64, line: Option<&str>) -> Option<(u64, &str)> {
    let (of, rest) = line?.split_once(' ')?;
    let (len, digest) = rest.split_once(' ')?;
    let is_whole = of == seed.to_string() && digest.len() == 16;
    is_whole.then_some((len.parse().ok()?, digest))
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seeds, lines, differing) = (self.seeds, self.lines, self.differing.len());
        write!(
            f,
            "{seeds:6} seeds {lines:9} lines alike {differing:6} differ"
        )
    }
}

/// Ours, line by line without the harmless traits that the published has not.
pub(super) fn without_more(published: &str, ours: &str) -> String {
    let mut published = published.lines();
    let mut text = String::new();
    for line in ours.lines() {
        let there: Vec<&str> = published.next().unwrap_or_default().split(' ').collect();
        let is_compared = |word: &&str| !HARMLESS.contains(word) || there.contains(word);
        let words: Vec<&str> = line.split(' ').filter(is_compared).collect();
        let _ = writeln!(text, "{}", words.join(" "));
    }
    text
}

/// The two logs around the first line in which they differ.
pub(super) fn around(published: &str, ours: &str) -> String {
    let (published, ours): (Vec<_>, Vec<_>) = (published.lines().collect(), ours.lines().collect());
    let pairs = published.iter().zip(&ours);
    let common = pairs.take_while(|(one, other)| one == other).count();
    if common == published.len().max(ours.len()) {
        return "    told alike this time: it depends on more than the seed\n".to_owned();
    }
    let mut text = String::new();
    let before = &published[common.saturating_sub(BEFORE)..common];
    let sides = [
        ("", before),
        ("published", &published[common..]),
        ("ours", &ours[common..]),
    ];
    for (side, lines) in sides {
        let len = if side.is_empty() { BEFORE } else { AFTER };
        for line in lines.iter().take(len) {
            let _ = writeln!(text, "    {side:9} | {line}");
        }
        if lines.is_empty() && !side.is_empty() {
            let _ = writeln!(text, "    {side:9} | (nothing more)");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &str = "7 3 00000000000000aa\n8 2 00000000000000bb\n9 4 00000000000000cc\n";

    #[test]
    fn the_same_story_does_not_differ() {
        let comparison = Comparison::of(7, 3, PUBLISHED, PUBLISHED);
        assert_eq!(comparison.first(), None);
        assert_eq!((comparison.seeds, comparison.lines), (3, 9));
    }

    #[test]
    fn another_story_differs() {
        for ours in [
            PUBLISHED.replace("bb", "bd"),
            PUBLISHED.replace("8 2", "8 3"),
        ] {
            assert_eq!(Comparison::of(7, 3, PUBLISHED, &ours).differing, [8]);
        }
    }

    #[test]
    fn a_side_that_stops_early_differs_from_there_on() {
        for (end, differing) in [(0, vec![7, 8, 9]), (21, vec![8, 9]), (40, vec![8, 9])] {
            let ours = &PUBLISHED[..end];
            assert_eq!(Comparison::of(7, 3, PUBLISHED, ours).differing, differing);
            assert_eq!(Comparison::of(7, 3, ours, PUBLISHED).differing, differing);
        }
        assert_eq!(Comparison::of(7, 3, "", "").differing, [7, 8, 9]);
    }

    #[test]
    fn ours_may_have_more_traits_that_do_no_harm() {
        let published = "File: Send\nChild: Send Debug\n";
        let alike = |ours: &str| {
            let ours = without_more(published, ours);
            Comparison::of_logs(published, &ours).first().is_none()
        };
        assert!(alike(published));
        assert!(alike("File: Send UnwindSafe Debug\nChild: Send Debug\n"));
        assert!(!alike("File: Send Sync\nChild: Send Debug\n"));
        assert!(!alike("File: Send\nChild: Send\n"));
        assert!(!alike("File: Send\n"));
        assert_eq!(Comparison::of_logs("", "").first(), Some(0));
    }

    #[test]
    fn logs_are_shown_where_they_part() {
        let text = around("a\nb\n    woken 1 2\n", "a\nb\n    woken 2 1\nc\n");
        assert!(text.contains("          | b\n"), "{text}");
        assert!(text.contains("published |     woken 1 2\n"), "{text}");
        assert!(text.contains("ours      |     woken 2 1\n"), "{text}");
        assert!(around("a\n", "a\nb\n").contains("published | (nothing more)"));
        assert!(around("a\n", "a\n").contains("more than the seed"));
    }
}
