//! What lies behind a mount: whether asking it about a file may mean to wait for somebody else.
//!
//! Each thread remembers the mounts that it has met, and forgets them after [`AGE_MAX_MS`], since
//! the system gives the numbers of mounts that are gone to new ones. An entry that is out of date
//! costs a wait, never a wrong result.

use std::cell::RefCell;

/// Age at which the table is made anew, in milliseconds. It is long, since the list of a machine
/// with many containers is.
const AGE_MAX_MS: u64 = 10_000;
/// Mounts that a thread remembers.
const MOUNTS_MAX: usize = 32;

/// Where the files of a mount are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// In memory, and nowhere else: no read waits for a device.
    Memory,
    /// On a local disk; a read of what is not in the page cache can be refused.
    Disk,
    /// Local, but reads cannot be refused, so each may wait.
    Opaque,
}

#[derive(Default)]
struct MountTable {
    /// `None`: to ask may mean to wait for a server, or nothing is known.
    mounts: Vec<(u64, Option<Medium>)>,
    begun_ms: u64,
}

thread_local! {
    static TABLE: RefCell<MountTable> = RefCell::default();
}

/// What is behind the mount of this number; `None` if each question may have to wait.
pub(super) fn medium(mount: u64, now_ms: u64) -> Option<Medium> {
    with_table(|table| table.medium(mount, now_ms))?
}

/// Remembers that this mount does not say whether a read would wait.
pub(super) fn set_opaque(mount: u64) {
    with_table(|table| {
        let known = table.mounts.iter_mut().find(|known| known.0 == mount);
        if let Some((_, medium)) = known {
            *medium = Some(Medium::Opaque);
        }
    });
}

fn with_table<R>(f: impl FnOnce(&mut MountTable) -> R) -> Option<R> {
    TABLE.try_with(|table| f(&mut table.borrow_mut())).ok()
}

impl MountTable {
    fn medium(&mut self, mount: u64, now_ms: u64) -> Option<Medium> {
        let age_ms = now_ms.saturating_sub(self.begun_ms);
        if age_ms >= AGE_MAX_MS || self.mounts.len() > MOUNTS_MAX {
            self.mounts.clear();
            self.begun_ms = now_ms;
        }
        let known = self.mounts.iter().find(|known| known.0 == mount);
        if let Some((_, medium)) = known {
            return *medium;
        }
        let list = std::fs::read("/proc/thread-self/mountinfo").unwrap_or_default();
        let medium = medium_in(&list, mount);
        self.mounts.push((mount, medium));
        medium
    }
}

/// Looks `mount` up in a list as proc_pid_mountinfo(5) describes it.
fn medium_in(list: &[u8], mount: u64) -> Option<Medium> {
    let number = mount.to_string();
    list.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        if fields.next() != Some(number.as_bytes()) {
            return None;
        }
        // The file system follows the hyphen that ends the optional fields.
        fields.find(|field| field == b"-")?;
        medium_of(fields.next()?)
    })
}

/// File systems whose answers to "who are you" and "is it cached" need nobody else. Layers of an
/// overlay are taken to be local.
fn medium_of(file_system: &[u8]) -> Option<Medium> {
    match file_system {
        b"tmpfs" | b"ramfs" => Some(Medium::Memory),
        b"ext2" | b"ext3" | b"ext4" | b"xfs" | b"btrfs" | b"f2fs" | b"overlay" => {
            Some(Medium::Disk)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[u8] = b"22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        23 22 0:20 / /sys rw shared:7 master:1 - sysfs sysfs rw\n\
        24 22 0:21 / /mnt/with\\040space rw shared:8 - nfs4 host:/ rw\n\
        25 22 0:22 / /dev/shm rw - tmpfs tmpfs rw\n";

    #[test]
    fn only_local_file_systems_have_a_medium() {
        let found: Vec<_> = (2..=5).map(|n| medium_in(LIST, 20 + n)).collect();
        let expected = [Some(Medium::Disk), None, None, Some(Medium::Memory)];
        assert_eq!(found, expected);
        assert_eq!(medium_in(LIST, 2), None);
        assert_eq!(medium_in(b"7\n7 - \n", 7), None);
    }
}
