//! What cargo says about targets while it builds, a line of JSON each.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A message about a target: that it was built, or what the compiler says about it.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// The manifest of the target's package.
    pub manifest_path: PathBuf,
    /// The target.
    pub target: MessageTarget,
    /// What the compiler says.
    pub message: Option<Diagnostic>,
    executable: Option<PathBuf>,
    profile: Option<MessageProfile>,
}

/// The target that a message is about.
#[derive(Debug, Deserialize)]
pub struct MessageTarget {
    /// Its name.
    pub name: String,
    /// `lib`, `test` and such.
    pub kind: Vec<String>,
}

/// What the compiler says.
#[derive(Debug, Deserialize)]
pub struct Diagnostic {
    /// `error`, `warning` and such.
    pub level: String,
    /// The text as it would stand on the screen.
    pub rendered: Option<String>,
}

#[derive(Debug, Deserialize)]
struct MessageProfile {
    test: bool,
}

impl Message {
    /// The program that was built, if it holds tests.
    pub fn test_executable(&self) -> Option<&Path> {
        let is_test = self.profile.as_ref().is_some_and(|profile| profile.test);
        self.executable.as_deref().filter(|_| is_test)
    }
}

/// The messages in cargo's output; build scripts may have written other lines.
pub fn parse(output: &str) -> impl Iterator<Item = Message> {
    output
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_programs_count_as_such() {
        let line = |test: bool| {
            let start = r#"{"manifest_path": "m", "target": {"name": "n", "kind": ["test"]}"#;
            format!(r#"{start}, "executable": "e", "profile": {{"test": {test}}}}}"#)
        };
        let output = format!("noise\n{}\n{}\n", line(true), line(false));
        let messages: Vec<Message> = parse(&output).collect();
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[0].test_executable(), Some(Path::new("e")));
        assert_eq!(messages[1].test_executable(), None);
    }
}
