//! The banned list: what is said in another way here.

use syn::visit::{self, Visit};

use super::config::Banned;
use super::source::{self, Rust, SourceFile, Token};
use super::{CONFIG, Finding, Project};
use crate::pattern;

/// Nothing of the banned list stands where it is banned.
pub(super) fn banned(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in &project.config.banned {
        let Ok(tokens) = source::tokens_of(&entry.tokens) else {
            findings.push(unreadable(entry));
            continue;
        };
        let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        for (file, rust) in project.rust().filter(|(file, _)| covers(entry, file)) {
            let found = lines_with(rust, &words)
                .into_iter()
                .chain(imports_of(rust, &words));
            for line in found
                .filter(|(_, test)| entry.tests || !test)
                .map(|(line, _)| line)
            {
                let what = format!("`{}` is not said here", entry.tokens);
                findings.push(file.finding(line, what, &entry.say));
            }
        }
    }
    findings
}

fn covers(entry: &Banned, file: &SourceFile) -> bool {
    pattern::fits_any(&entry.files, &file.path) && !pattern::fits_any(&entry.except, &file.path)
}

fn unreadable(entry: &Banned) -> Finding {
    Finding {
        path: CONFIG.to_owned(),
        line: 1,
        what: format!("`{}` cannot be split into tokens", entry.tokens),
        instead: "write it as Rust".to_owned(),
    }
}

/// Where `words` stand in a row: the line, and whether it is test code.
fn lines_with(rust: &Rust, words: &[&str]) -> Vec<(usize, bool)> {
    let same = |row: &&[Token]| {
        row.iter()
            .zip(words)
            .all(|(token, word)| token.text == *word)
    };
    let rows = rust.tokens.windows(words.len()).filter(same);
    rows.map(|row| (row[0].line, row[0].test)).collect()
}

/// Where a `use` with braces names what `words` name, or something inside it.
fn imports_of(rust: &Rust, words: &[&str]) -> Vec<(usize, bool)> {
    let path = words.concat();
    let inside = format!("{path}::");
    let mut imports = Imports {
        prefix: Vec::new(),
        found: Vec::new(),
    };
    imports.visit_file(&rust.syntax);
    let hits = imports.found.into_iter();
    let hits = hits.filter(|(name, _)| *name == path || name.starts_with(&inside));
    hits.map(|(_, line)| (line, is_test_line(rust, line)))
        .collect()
}

fn is_test_line(rust: &Rust, line: usize) -> bool {
    rust.tokens
        .iter()
        .any(|token| token.line == line && token.test)
}

/// The full paths that `use` items name.
struct Imports {
    prefix: Vec<String>,
    found: Vec<(String, usize)>,
}

impl Imports {
    fn add(&mut self, name: &syn::Ident) {
        let mut path = self.prefix.join("::");
        if name != "self" {
            path.push_str("::");
            path.push_str(&name.to_string());
        }
        self.found.push((path, name.span().start().line));
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        self.prefix.push(path.ident.to_string());
        visit::visit_use_path(self, path);
        self.prefix.pop();
    }

    fn visit_use_name(&mut self, name: &'ast syn::UseName) {
        self.add(&name.ident);
    }

    fn visit_use_rename(&mut self, name: &'ast syn::UseRename) {
        self.add(&name.ident);
    }
}
