//! Where a path leads on a disk.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::disk::tree::{Ino, InodeKind, Place, ROOT, Tree};

/// Links that one path may go through.
const LINKS_MAX: usize = 40;

/// What a path leads to.
#[derive(Debug)]
pub(crate) struct Found {
    /// The directory and the name; the root has none.
    pub(crate) place: Option<Place>,
    /// What has the name, if anything.
    pub(crate) ino: Option<Ino>,
}

impl Tree {
    /// Goes along `path`, through links; through one at its end only if `follow`.
    ///
    /// # Errors
    /// `NotFound` if a directory on the way does not exist, `NotADirectory` if it is none.
    pub(crate) fn find(&self, path: &Path, follow: bool) -> io::Result<Found> {
        let mut left = steps(path);
        let mut links = 0;
        let mut found = Found {
            place: None,
            ino: Some(ROOT),
        };
        // Bounded: each round takes a step, and only so many links add steps.
        while let Some(step) = left.pop_front() {
            let dir = found.ino.ok_or(io::ErrorKind::NotFound)?;
            let names = self.names(dir).ok_or(io::ErrorKind::NotADirectory)?;
            found = match step {
                Step::Up => self.found_dir(names.parent),
                Step::Down(name) => Found {
                    ino: names.now.get(&name).copied(),
                    place: Some(Place { dir, name }),
                },
            };
            let inode = found.ino.and_then(|ino| self.get(ino));
            let Some(InodeKind::Link(target)) = inode.map(|inode| &inode.kind) else {
                continue;
            };
            if left.is_empty() && !follow {
                return Ok(found);
            }
            links += 1;
            if links > LINKS_MAX {
                return Err(io::Error::other("too many levels of symbolic links"));
            }
            let base = if target.has_root() { ROOT } else { dir };
            found = self.found_dir(base);
            let mut more = steps(target);
            more.append(&mut left);
            left = more;
        }
        Ok(found)
    }

    /// What `path` leads to.
    ///
    /// # Errors
    /// `NotFound` if that is nothing; as [`find`](Self::find).
    pub(crate) fn find_ino(&self, path: &Path, follow: bool) -> io::Result<Ino> {
        let found = self.find(path, follow)?;
        found.ino.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The path of a directory, without links.
    pub(crate) fn path_of(&self, mut dir: Ino) -> PathBuf {
        let mut names = Vec::new();
        while dir != ROOT {
            let Some(parent) = self.names(dir).map(|names| names.parent) else {
                break;
            };
            let name = self.names(parent).and_then(|names| {
                let found = names.now.iter().find(|(_, ino)| **ino == dir);
                found.map(|(name, _)| name.clone())
            });
            names.extend(name);
            dir = parent;
        }
        let mut path = PathBuf::from("/");
        path.extend(names.iter().rev());
        path
    }

    /// Whether `dir` is `ancestor`, or lies below it.
    pub(crate) fn is_within(&self, mut dir: Ino, ancestor: Ino) -> bool {
        while dir != ancestor {
            match self.names(dir).map(|names| names.parent) {
                Some(parent) if parent != dir => dir = parent,
                _ => return false,
            }
        }
        true
    }

    fn found_dir(&self, dir: Ino) -> Found {
        Found {
            place: None,
            ino: Some(dir),
        }
    }
}

enum Step {
    Up,
    Down(OsString),
}

/// The steps of a path from the root; a relative one begins there, too.
fn steps(path: &Path) -> VecDeque<Step> {
    let step = |component| match component {
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::ParentDir => Some(Step::Up),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(step).collect()
}
