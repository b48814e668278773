//! Whether two sides tell the same, and where they part.

use std::fmt::{self, Write as _};

/// How many lines are shown before the first that differs, and from there on.
const BEFORE: usize = 12;
const AFTER: usize = 6;

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
    fn logs_are_shown_where_they_part() {
        let text = around("a\nb\n    woken 1 2\n", "a\nb\n    woken 2 1\nc\n");
        assert!(text.contains("          | b\n"), "{text}");
        assert!(text.contains("published |     woken 1 2\n"), "{text}");
        assert!(text.contains("ours      |     woken 2 1\n"), "{text}");
        assert!(around("a\n", "a\nb\n").contains("published | (nothing more)"));
        assert!(around("a\n", "a\n").contains("more than the seed"));
    }
}
