//! Where the project is, and how to run another program, read what it says and bound its time.

use std::env;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// How often a program with a time limit is looked after.
const GLANCE: Duration = Duration::from_millis(20);

/// The project's top directory.
pub fn root() -> PathBuf {
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    match own.parent() {
        Some(parent) if own.ends_with("xtask") => parent.to_owned(),
        _ => own,
    }
}

/// A cargo command that will run in `dir`: the cargo that runs us, else the one on the path. What
/// cargo told us about our own package is not handed on.
pub fn cargo(dir: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(dir).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `command` to its end and returns what it wrote to its standard output.
///
/// *Errors*: the program cannot be started, or it failed; the message ends with its own.
pub fn output_of(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output = command
        .output()
        .map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{line}` failed ({}): {}", output.status, said.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as one would type it.
pub fn line_of(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

/// Runs `command` to its end and passes on what it writes.
///
/// *Errors*: the program cannot be started, or it failed.
pub fn run(command: &mut Command) -> Result {
    let line = line_of(command);
    let status = command
        .status()
        .map_err(|error| format!("cannot start `{line}`: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("`{line}` failed ({status})").into()),
    }
}

/// Runs `command` to its end and returns its output; its standard error is passed on.
///
/// *Errors*: the program cannot be started, or it failed.
pub fn passing_on_errors(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot start `{line}`: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("`{line}` failed ({})", output.status).into()),
    }
}

/// Runs `command` for at most `limit`; none if it had to be killed.
///
/// *Errors*: the program cannot be started or waited for.
pub fn run_bounded(command: &mut Command, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    let mut child = command.spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(GLANCE);
    }
}

/// A file that takes what commands write to their standard errors.
#[derive(Clone, Debug)]
pub struct Log(pub PathBuf);

impl Log {
    /// Like [`output_of`], but what the program says beside its output goes into the file.
    ///
    /// *Errors*: the program cannot be started, or it failed.
    pub fn output_of(&self, command: &mut Command) -> Result<String> {
        let (output, status) = self.capture(command)?;
        match status.success() {
            true => Ok(output),
            false => Err(format!("{} failed ({status}); see {}", short(command), self).into()),
        }
    }

    /// Like [`Log::output_of`], for programs that report failures in their output.
    ///
    /// *Errors*: the program cannot be started.
    pub fn lines_of(&self, command: &mut Command) -> Result<String> {
        Ok(self.capture(command)?.0)
    }

    fn capture(&self, command: &mut Command) -> Result<(String, ExitStatus)> {
        let mut file: File = OpenOptions::new().create(true).append(true).open(&self.0)?;
        writeln!(file, "\n$ {}", line_of(command))?;
        let output = command.stderr(file).output()?;
        Ok((
            String::from_utf8_lossy(&output.stdout).into_owned(),
            output.status,
        ))
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// The command's program and first word.
fn short(command: &Command) -> String {
    let first = command.get_args().next().unwrap_or_default();
    format!("`cargo {}`", first.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let mut forever = Command::new("sleep");
        let status = run_bounded(forever.arg("1000"), Duration::from_millis(1));
        assert!(status.expect("sleep can be started").is_none());
    }

    #[test]
    fn a_program_that_fails_is_told_with_its_words() {
        let mut cargo = cargo(&root());
        let failure = output_of(cargo.arg("no-such-command"))
            .unwrap_err()
            .to_string();
        assert!(failure.contains("no-such-command"), "{failure}");
    }
}
