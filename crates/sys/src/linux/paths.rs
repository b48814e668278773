//! What a thread remembers of paths for a moment: where each led to when the kernel last resolved
//! it from memory. See [`recall`] and [`remember`].
//!
//! It saves looking twice. Who finds something else there meanwhile may have to wait for it, and
//! never gets a wrong result. Paths are compared whole: two that are alike are not taken for each
//! other. Their order in the map is nobody's business.

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::mounts::Medium;

/// Paths that a thread remembers. One more, and all are forgotten: those in use come back.
const PATHS_MAX: usize = 1024;
/// How long a path is remembered, in milliseconds.
const MOMENT_MS: u64 = 100;

/// What was at the end of a path: no symbolic link, and on a local file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) medium: Medium,
    /// Whether it was a regular file.
    pub(super) is_file: bool,
}

/// Places, and when they were seen.
#[derive(Default)]
struct Paths(HashMap<Box<[u8]>, (Place, u64)>);

thread_local! {
    static PATHS: RefCell<Paths> = RefCell::default();
}

/// Where `path` led to a moment ago, if that was seen.
pub(super) fn recall(path: &Path, now_ms: u64) -> Option<Place> {
    with_paths(|paths| paths.recall(path.as_os_str().as_bytes(), now_ms))?
}

/// Remembers where `path` leads to now.
pub(super) fn remember(path: &Path, place: Place, now_ms: u64) {
    with_paths(|paths| paths.remember(path.as_os_str().as_bytes(), place, now_ms));
}

/// Remembers nothing of `path` any more.
pub(super) fn forget(path: &Path) {
    with_paths(|paths| paths.0.remove(path.as_os_str().as_bytes()));
}

/// `None` while the thread's locals are being destroyed: nothing is remembered then.
fn with_paths<R>(f: impl FnOnce(&mut Paths) -> R) -> Option<R> {
    PATHS.try_with(|paths| f(&mut paths.borrow_mut())).ok()
}

impl Paths {
    fn recall(&self, path: &[u8], now_ms: u64) -> Option<Place> {
        let (place, seen_ms) = self.0.get(path)?;
        (now_ms.saturating_sub(*seen_ms) < MOMENT_MS).then_some(*place)
    }

    fn remember(&mut self, path: &[u8], place: Place, now_ms: u64) {
        if let Some(known) = self.0.get_mut(path) {
            *known = (place, now_ms);
            return;
        }
        if self.0.len() == PATHS_MAX {
            self.0.clear();
        }
        self.0.insert(path.into(), (place, now_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Place = Place {
        medium: Medium::Disk,
        is_file: true,
    };
    const DIR: Place = Place {
        medium: Medium::Memory,
        is_file: false,
    };

    #[test]
    fn as_many_paths_as_there_is_room_for_are_told_apart() {
        let mut paths = Paths::default();
        let name = |i: usize| format!("/a/{i}").into_bytes();
        let place = |i| if i % 2 == 0 { FILE } else { DIR };
        for i in 0..PATHS_MAX {
            paths.remember(&name(i), place(i), 7);
        }
        for i in 0..PATHS_MAX {
            assert_eq!(paths.recall(&name(i), 8), Some(place(i)));
        }
        // What is known already takes no more room.
        paths.remember(&name(0), DIR, 9);
        assert_eq!(paths.recall(&name(1), 9), Some(DIR));
        paths.remember(&name(PATHS_MAX), FILE, 9);
        assert_eq!(paths.recall(&name(PATHS_MAX), 9), Some(FILE));
        assert_eq!(paths.recall(&name(0), 9), None);
        assert!(paths.0.len() <= PATHS_MAX);
    }

    #[test]
    fn a_path_is_remembered_for_a_moment_from_when_it_was_seen() {
        let mut paths = Paths::default();
        paths.remember(b"/a", FILE, 1000);
        assert_eq!(paths.recall(b"/a", 1000 + MOMENT_MS - 1), Some(FILE));
        assert_eq!(paths.recall(b"/a", 1000 + MOMENT_MS), None);
        paths.remember(b"/a", DIR, 1000 + MOMENT_MS);
        assert_eq!(paths.recall(b"/a", 1000 + MOMENT_MS), Some(DIR));
        paths.0.remove(b"/a".as_slice());
        assert_eq!(paths.recall(b"/a", 1000 + MOMENT_MS), None);
    }
}
