//! What Windows adds to a [`Command`] and a [`Child`]: flags, arguments as they are, the handle.

use std::ffi::OsStr;
use std::os::windows::io::RawHandle;
use std::os::windows::process::CommandExt;

use crate::{Child, Command};

impl Command {
    /// Sets the flags of `CreateProcess`, besides those that std always sets.
    pub fn creation_flags(&mut self, flags: u32) -> &mut Command {
        self.std.creation_flags(flags);
        self
    }

    /// Adds text to the command line as it is, without quotes.
    pub fn raw_arg<S: AsRef<OsStr>>(&mut self, text_to_append_as_is: S) -> &mut Command {
        self.std.raw_arg(text_to_append_as_is);
        self
    }
}

impl Child {
    /// The handle of the process, which is closed with this; `None` once its status is known.
    pub fn raw_handle(&self) -> Option<RawHandle> {
        self.running().map(crate::process::Process::raw_handle)
    }
}
