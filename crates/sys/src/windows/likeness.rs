//! Likenesses of directories and links, and permissions as numbers, as far as Windows has them.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::likeness::{self, Look, fresh_path};

/// A directory, whose times and permissions are not those of `look`.
pub(crate) fn of_dir(_look: &Look) -> io::Result<Metadata> {
    let path = fresh_path();
    fs::create_dir(&path)?;
    let metadata = fs::metadata(&path);
    fs::remove_dir(&path)?;
    metadata
}

/// Not everybody may make links here: a file as long as the path.
pub(crate) fn of_link(target: &Path) -> io::Result<Metadata> {
    likeness::of_file(&Look {
        len: target.as_os_str().len() as u64,
        mode: 0o666,
        accessed: SystemTime::UNIX_EPOCH,
        modified: SystemTime::UNIX_EPOCH,
    })
}

/// The permissions as a number, as on Unix.
#[must_use]
pub fn mode(permissions: &Permissions) -> u32 {
    if permissions.readonly() { 0o444 } else { 0o644 }
}

pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(mode & 0o200 == 0);
    file.set_permissions(permissions)
}
