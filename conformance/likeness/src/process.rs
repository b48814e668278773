//! Programs that are run: how they end, what they are told and tell, how they are killed.

use std::io;
use std::process::{ExitStatus, Output, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::system::{Folder, System, without_numbers, words};
use crate::trial::{Operation, Trial};

struct Shell {
    system: System,
    folder: Folder,
}

/// Three programs, one after the other.
pub(crate) fn processes(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Shell>] = &[
        (2, status),
        (2, output),
        (2, answer),
        (2, echo),
        (2, kill),
        (1, kill_twice),
        (2, kill_on_drop),
        (1, wait_before_input),
        (3, refuse),
        (2, show),
        (1, show_child),
        (1, streams_of_others),
    ];
    let mut shell = Shell {
        system: System::new(),
        folder: Folder::new(),
    };
    trial.run(3, &mut shell, OPERATIONS);
}

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    command
}

fn shown(output: io::Result<Output>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    words(output.map(|output| (output.status, text(&output.stdout), text(&output.stderr))))
}

fn status(shell: &mut Shell, trial: &mut Trial) {
    let script = match trial.below(3) {
        0 => "kill -9 $$".to_owned(),
        1 => "kill -TERM $$".to_owned(),
        _ => format!("exit {}", trial.below(256)),
    };
    let ended = shell.system.run(async { sh(&script).status().await });
    trial.tell(format_args!(
        "{script}: {} {}",
        success(&ended),
        words(ended)
    ));
}

fn success(ended: &io::Result<ExitStatus>) -> String {
    format!(
        "{:?}",
        ended
            .as_ref()
            .map(|status| (status.success(), status.code()))
            .ok()
    )
}

fn output(shell: &mut Shell, trial: &mut Trial) {
    let input = if trial.one_in(2) {
        Stdio::null()
    } else {
        Stdio::piped()
    };
    let came = shell.system.run(async {
        let mut command = sh("cat; echo out; echo err >&2; exit 3");
        command.stdin(input).output().await
    });
    trial.tell(format_args!("output: {}", shown(came)));
}

fn answer(shell: &mut Shell, trial: &mut Trial) {
    let len = trial.below(9);
    let text: String = "some words".chars().take(len).collect();
    let came = shell.system.run(async {
        let mut command = sh("read line; echo got $line");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut answer = String::new();
        if let (Some(input), Some(output)) = (&mut child.stdin, &mut child.stdout) {
            input.write_all(format!("{text}\n").as_bytes()).await?;
            input.flush().await?;
            output.read_to_string(&mut answer).await?;
        }
        let ended = child.wait().await?;
        Ok((
            answer,
            ended,
            child.wait().await?,
            child.try_wait()?,
            child.id(),
        ))
    });
    trial.tell(format_args!("answer: {}", words(came)));
}

/// More than a pipe holds goes through a program.
fn echo(shell: &mut Shell, trial: &mut Trial) {
    let bytes = vec![b'x'; trial.below(4) * 70_000 + 5];
    let came = shell.system.run(async {
        let mut command = Command::new("cat");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let write = async {
            match input {
                Some(mut input) => input.write_all(&bytes).await,
                None => Err(io::Error::other("no input")),
            }
        };
        let (written, output) = tokio::join!(write, child.wait_with_output());
        let output = output?;
        Ok((
            written?,
            output.status,
            output.stdout == bytes,
            output.stderr.len(),
        ))
    });
    trial.tell(format_args!("cat: {}", words(came)));
}

fn sleeper() -> Command {
    let mut command = Command::new("sleep");
    command.arg("60");
    command
}

fn kill(shell: &mut Shell, trial: &mut Trial) {
    let at_once = trial.one_in(2);
    let came = shell.system.run(async {
        let mut child = sleeper().spawn()?;
        let runs = child.try_wait()?;
        match at_once {
            true => child.start_kill()?,
            false => child.kill().await?,
        }
        Ok((runs, child.wait().await?, child.id(), child.try_wait()?))
    });
    trial.tell(format_args!("killed {at_once}: {}", words(came)));
}

fn kill_twice(shell: &mut Shell, trial: &mut Trial) {
    let came = shell.system.run(async {
        let mut child = Command::new("true").spawn()?;
        let ended = child.wait().await?;
        let again = (words(child.start_kill()), words(child.kill().await));
        Ok((ended, again))
    });
    trial.tell(format_args!("killed when it had ended: {}", words(came)));
}

/// The pipe of a program that is killed comes to its end.
fn kill_on_drop(shell: &mut Shell, trial: &mut Trial) {
    let kills = trial.one_in(2);
    let came = shell.system.run(async {
        let script = if kills {
            "echo first; exec sleep 60"
        } else {
            "echo first; read x; echo then"
        };
        let mut command = sh(script);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(kills);
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(mut output)) = (input, output) else {
            return Err(io::Error::other("no pipes"));
        };
        let mut first = [0; 6];
        output.read_exact(&mut first).await?;
        drop(child);
        let mut rest = String::new();
        drop(input);
        output.read_to_string(&mut rest).await?;
        Ok((first, rest))
    });
    trial.tell(format_args!("dropped {kills}: {}", words(came)));
}

/// `wait` closes the input, so that who reads it to its end comes to one.
fn wait_before_input(shell: &mut Shell, trial: &mut Trial) {
    let came = shell.system.run(async {
        let mut command = Command::new("cat");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let ended = child.wait().await?;
        Ok((ended, child.stdin.is_some()))
    });
    trial.tell(format_args!("waited for: {}", words(came)));
}

fn refuse(shell: &mut Shell, trial: &mut Trial) {
    let file = shell.folder.path("no-program");
    let _ = std::fs::write(&file, "text");
    let path = match trial.below(4) {
        0 => "/no/such/program".into(),
        1 => shell.folder.path(""),
        2 => file,
        _ => "a\0b".into(),
    };
    let mut command = Command::new(&path);
    if trial.one_in(3) {
        command.current_dir("/no/such/folder");
    }
    let refused = shell.system.run(async { command.spawn().map(drop) });
    let path = shell.folder.shown(&path);
    trial.tell(format_args!("spawn {path}: {}", words(refused)));
    let refused = shell.system.run(async { command.output().await });
    trial.tell(format_args!("output of it: {}", shown(refused)));
}

fn show(shell: &mut Shell, trial: &mut Trial) {
    let mut command = Command::new("env");
    command
        .env_clear()
        .env("A", "1")
        .env("B", "2")
        .env_remove("B");
    command.args(["-u", "C"]).kill_on_drop(trial.one_in(2));
    if trial.one_in(2) {
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .arg0("another");
    }
    trial.tell(format_args!("{command:?} {}", command.get_kill_on_drop()));
    let came = shell.system.run(async { command.output().await });
    trial.tell(shown(came));
    let child = shell
        .system
        .run(async { sh("exit").stdout(Stdio::piped()).spawn() });
    let shown = child.as_ref().map(Child::id).map(|id| id.is_some());
    trial.tell(format_args!("{:?}", shown.ok()));
    let ended = child.map(|child| shell.system.end(child.wait_with_output()));
    trial.tell(format_args!("{:?}", ended.ok().map(|ended| ended.ok())));
}

fn show_child(shell: &mut Shell, trial: &mut Trial) {
    let kills = trial.one_in(2);
    let shown = shell.system.run(async {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).kill_on_drop(kills).spawn()?;
        let running = format!("{child:?} {child:#?}");
        child.wait().await?;
        Ok((
            without_numbers(&running),
            without_numbers(&format!("{child:?}")),
        ))
    });
    trial.tell(format_args!("shown: {}", words(shown)));
}

/// A program's output is another one's input.
fn streams_of_others(shell: &mut Shell, trial: &mut Trial) {
    let came = shell.system.run(async {
        let mut first = sh("echo through two").stdout(Stdio::piped()).spawn()?;
        let output = first.stdout.take().ok_or(io::Error::other("no output"))?;
        let between: Stdio = output.try_into()?;
        let second = sh("read line; echo $line, read")
            .stdin(between)
            .output()
            .await?;
        Ok((first.wait().await?, second.status, second.stdout))
    });
    trial.tell(format_args!("through: {}", words(came)));
}
