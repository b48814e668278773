//! Where it was measured, and what: the machine, the compiler, the versions.

use std::path::Path;
use std::process::Command;

/// What `rustc --version` says.
pub(crate) fn rustc() -> String {
    said("rustc", &["--version"], Path::new("."))
}

/// A sentence on the machine and one on the versions.
pub(crate) fn about(workspace: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = said("uname", &["-sr"], workspace);
    let kernel = kernel.split('-').next().unwrap_or_default();
    let commit = said("git", &["rev-parse", "--short", "HEAD"], workspace);
    format!(
        "Machine: {cores} cores ({}), {kernel}. Compiler: {}. Ours: commit {commit}.",
        processor(),
        rustc()
    )
}

fn processor() -> String {
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = about.lines().find(|line| line.starts_with("model name"));
    let name = name.and_then(|line| line.split_once(": "));
    name.map_or("an unknown processor", |(_, name)| name)
        .to_owned()
}

fn said(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}
