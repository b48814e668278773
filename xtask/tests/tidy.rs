//! The workspace keeps its own style guide.

use xtask::command;
use xtask::tidy::Project;

#[test]
fn the_project_is_tidy() {
    let project = Project::read(&command::root()).expect("the project can be read");
    let findings = project.check(&[]);
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(
        lines.is_empty(),
        "{} places to tidy:\n{}",
        lines.len(),
        lines.join("\n")
    );
}
