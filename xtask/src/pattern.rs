//! Patterns of paths: `*` is anything within one name, `**` anything at all.

/// Whether `path` fits `pattern`.
pub fn fits(pattern: &str, path: &str) -> bool {
    let Some(star) = pattern.find('*') else {
        return pattern == path;
    };
    let (before, rest) = pattern.split_at(star);
    let Some(path) = path.strip_prefix(before) else {
        return false;
    };
    match rest.strip_prefix("**") {
        Some(rest) => {
            // `**/` also stands for no folder at all.
            let none = rest.strip_prefix('/').is_some_and(|rest| fits(rest, path));
            none || suffixes(path).any(|end| fits(rest, end))
        }
        None => {
            let name_len = path.find('/').unwrap_or(path.len());
            suffixes(path)
                .take_while(|end| path.len() - end.len() <= name_len)
                .any(|end| fits(&rest[1..], end))
        }
    }
}

/// Whether `path` fits one of the patterns.
pub fn fits_any(patterns: &[String], path: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, path))
}

/// `text`, then `text` without its first character, and so on to the empty string.
fn suffixes(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.char_indices().map(|(at, _)| at);
    starts.chain([text.len()]).map(|at| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stays_within_one_name() {
        assert!(fits("crates/*/src/lib.rs", "crates/io/src/lib.rs"));
        assert!(!fits("crates/*/lib.rs", "crates/io/src/lib.rs"));
        assert!(fits("tests/loom_*.rs", "tests/loom_queue.rs"));
    }

    #[test]
    fn two_stars_cross_folders_and_may_be_empty() {
        assert!(fits("**", "a/b/c.rs"));
        assert!(fits("**/lib.rs", "lib.rs"));
        assert!(fits("**/lib.rs", "crates/io/src/lib.rs"));
        assert!(fits("crates/io/**", "crates/io/src/lib.rs"));
        assert!(!fits("crates/io/**", "crates/iouring/src/lib.rs"));
    }

    #[test]
    fn without_a_star_only_the_path_itself_fits() {
        assert!(fits("a/b.rs", "a/b.rs"));
        assert!(!fits("a/b.rs", "a/b.rsx"));
    }
}
