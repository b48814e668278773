//! What to run and how: [`Command`].

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};

use yamanote_driver::{Handle, context};

use crate::child::Life;
use crate::orphans;
use crate::process::Process;
use crate::{Child, ChildStderr, ChildStdin, ChildStdout};

/// What to run and how; the asynchronous twin of [`std::process::Command`].
#[derive(Debug)]
pub struct Command {
    pub(crate) std: std::process::Command,
    kill_on_drop: bool,
}

impl Command {
    /// The program `program`, without arguments, with this process's environment and streams.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Self::from(std::process::Command::new(program))
    }

    /// The std twin.
    pub fn as_std(&self) -> &std::process::Command {
        &self.std
    }

    /// The std twin, to be changed.
    pub fn as_std_mut(&mut self) -> &mut std::process::Command {
        &mut self.std
    }

    /// The std twin, out of here; whether to kill on drop is forgotten.
    pub fn into_std(self) -> std::process::Command {
        self.std
    }

    /// Adds an argument.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.std.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.std.args(args);
        self
    }

    /// Sets a variable of the environment.
    pub fn env<K, V>(&mut self, key: K, val: V) -> &mut Command
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.std.env(key, val);
        self
    }

    /// Sets variables of the environment.
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Command
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.std.envs(vars);
        self
    }

    /// Takes a variable out of the environment.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.std.env_remove(key);
        self
    }

    /// Takes all variables out of the environment, this process's too.
    pub fn env_clear(&mut self) -> &mut Command {
        self.std.env_clear();
        self
    }

    /// Sets the folder to run it in.
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.std.current_dir(dir);
        self
    }

    /// Where its standard input comes from; unless set, from where this process's does.
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdin(cfg);
        self
    }

    /// Where its standard output goes; unless set, to where this process's does.
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdout(cfg);
        self
    }

    /// Where its standard error goes; unless set, to where this process's does.
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stderr(cfg);
        self
    }

    /// Whether the process is ended when its [`Child`] is dropped before it has ended.
    ///
    /// The drop does not wait; but the process is waited for as soon as it is gone.
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Command {
        self.kill_on_drop = kill_on_drop;
        self
    }

    /// Whether the process is ended when its [`Child`] is dropped.
    pub fn get_kill_on_drop(&self) -> bool {
        self.kill_on_drop
    }

    /// Starts the process.
    ///
    /// # Errors
    /// When the program cannot be run, and when the system has no descriptors or processes left;
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O, when the process has started: it goes on.
    #[track_caller]
    pub fn spawn(&mut self) -> io::Result<Child> {
        if context::host().is_some() {
            let message = "a simulated world has no processes";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        orphans::sweep();
        if context::try_with(Handle::io_enabled) != Some(true) {
            // It starts all the same, or says why it does not.
            orphans::leave_unwatched(self.std.spawn()?);
        }
        context::current_io();
        let mut std = self.std.spawn()?;
        let streams = (std.stdin.take(), std.stdout.take(), std.stderr.take());
        let process = Process::new(std).map_err(|(std, error)| {
            orphans::end(std);
            error
        })?;
        let mut child = Child::new(Life::new(process, self.kill_on_drop));
        child.stdin = streams.0.map(ChildStdin::from_std).transpose()?;
        child.stdout = streams.1.map(ChildStdout::from_std).transpose()?;
        child.stderr = streams.2.map(ChildStderr::from_std).transpose()?;
        Ok(child)
    }

    /// Starts the process, at once, and waits for its end. Streams that are pipes are closed.
    ///
    /// *Cancel safety*: the process goes on, unless [`kill_on_drop`](Self::kill_on_drop) is set.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn), when the future is polled.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        let child = self.spawn();
        async {
            let mut child = child?;
            (child.stdout, child.stderr) = (None, None);
            child.wait().await
        }
    }

    /// Starts the process, at once, with pipes for its output and errors, whatever was set; waits
    /// for its end and collects both.
    ///
    /// *Cancel safety*: the process goes on, unless [`kill_on_drop`](Self::kill_on_drop) is set.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn), when the future is polled.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + use<> {
        self.std.stdout(Stdio::piped());
        self.std.stderr(Stdio::piped());
        let child = self.spawn();
        async { child?.wait_with_output().await }
    }
}

impl From<std::process::Command> for Command {
    fn from(std: std::process::Command) -> Command {
        Command {
            std,
            kill_on_drop: false,
        }
    }
}
