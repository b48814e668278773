//! Likenesses of directories and links, and permissions as numbers.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::likeness::{Dummy, Look, dress, fresh_path};

static DIR: Dummy = Dummy::new();

pub(crate) fn of_dir(look: &Look) -> io::Result<Metadata> {
    let make = |path: &Path| {
        fs::create_dir(path)?;
        let dir = File::open(path);
        fs::remove_dir(path)?;
        dir
    };
    DIR.with(make, |dir| {
        dress(dir, look)?;
        dir.metadata()
    })
}

pub(crate) fn of_link(target: &Path) -> io::Result<Metadata> {
    let path = fresh_path();
    std::os::unix::fs::symlink(target, &path)?;
    let metadata = fs::symlink_metadata(&path);
    fs::remove_file(&path)?;
    metadata
}

/// The permissions as a number.
#[must_use]
pub fn mode(permissions: &Permissions) -> u32 {
    permissions.mode()
}

pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}
