//! What Unix adds to a [`Command`]: users, groups, the name, code between fork and exec.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;

use crate::Command;

impl Command {
    /// Sets the user that it runs as.
    pub fn uid(&mut self, id: u32) -> &mut Command {
        self.std.uid(id);
        self
    }

    /// Sets the group that it runs as.
    pub fn gid(&mut self, id: u32) -> &mut Command {
        self.std.gid(id);
        self
    }

    /// Sets the name that it sees itself called by: its argument number zero.
    pub fn arg0<S>(&mut self, arg: S) -> &mut Command
    where
        S: AsRef<OsStr>,
    {
        self.std.arg0(arg);
        self
    }

    /// Adds code that the new process runs before the program. If it fails, so does the spawn.
    ///
    /// # Safety
    /// It runs in a copy of a process whose other threads are missing: it must not take locks that
    /// they may hold, which includes allocating memory. See
    /// [`pre_exec`](CommandExt::pre_exec) of std.
    pub unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: the caller promises what std asks for.
        unsafe { self.std.pre_exec(f) };
        self
    }

    /// Sets the process group that it belongs to; zero is a new one, with its own number.
    pub fn process_group(&mut self, pgroup: i32) -> &mut Command {
        self.std.process_group(pgroup);
        self
    }
}
