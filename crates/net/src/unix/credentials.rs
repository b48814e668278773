//! Who is at the other end of a Unix stream.

use yamanote_driver::resource::unix::Credentials;

use crate::unix::{gid_t, pid_t, uid_t};

/// The process at the other end of a Unix stream, when the connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UCred {
    pid: Option<pid_t>,
    uid: uid_t,
    gid: gid_t,
}

impl UCred {
    pub(crate) fn of(credentials: Credentials) -> Self {
        Self {
            pid: credentials.pid,
            uid: credentials.uid,
            gid: credentials.gid,
        }
    }

    /// Its user.
    #[must_use]
    pub fn uid(&self) -> uid_t {
        self.uid
    }

    /// Its group.
    #[must_use]
    pub fn gid(&self) -> gid_t {
        self.gid
    }

    /// The process, where the system tells.
    #[must_use]
    pub fn pid(&self) -> Option<pid_t> {
        self.pid
    }
}
