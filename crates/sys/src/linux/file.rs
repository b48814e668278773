//! Questions about files that are answered at once or not at all: what cannot block.
//!
//! - A path: openat2(2) with `RESOLVE_CACHED` fails where resolving it would mean to wait.
//! - What it leads to: an `O_PATH` descriptor opens nothing, so neither a FIFO nor a device nor
//!   a server takes part. statx(2) with `AT_STATX_DONT_SYNC` says what is known of it already.
//! - Only if that is a regular file of a local file system (`mounts`), it is opened and asked; for
//!   a moment (`paths`) it is trusted to be that still.
//! - Its content: preadv2(2) with `RWF_NOWAIT` fails where a page is not in memory.
//!
//! `None` always means: this may block.

use std::cell::Cell;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use yamanote_base::atomic::plain::{AtomicBool, Ordering};

use super::mounts;
pub use super::mounts::Medium;
use super::paths::{self, Place};

/// Longer paths are left to those who may block.
const PATH_MAX: usize = 256;
/// Tries in a row that meet what is not in memory, until most are left out.
const COLD_RUN_MIN: u32 = 16;
/// Of so many, one is tried then. With one of 16, a single worker with 64 readers was slower than
/// the pool by 3 to 5 %.
const TRIED_ONE_IN: u32 = 64;

/// Whether the system once said that it does not have these calls, or forbids them.
static ABSENT: AtomicBool = AtomicBool::new(false);

/// cachestat(2), by the same number on each architecture; since Linux 6.5.
const SYS_CACHESTAT: libc::c_long = 451;

thread_local! {
    /// How many tries of this thread in a row have met a page that is not in memory, and how many
    /// were left out since.
    static COLD_RUN: Cell<u32> = const { Cell::new(0) };
}

/// What is known about a file without asking anybody.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    medium: Medium,
    len: u64,
}

/// What a try to read has come to.
#[derive(Debug)]
pub enum Tried {
    /// So many bytes; 0 is the end of the file.
    Read(usize),
    /// To read might mean to wait.
    WouldBlock,
}

impl Known {
    /// Where the file is.
    pub fn medium(&self) -> Medium {
        self.medium
    }

    /// How long it is, in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a read may end before the end of the file: what follows is not in memory.
    pub fn may_stop_short(&self) -> bool {
        self.medium != Medium::Memory
    }
}

/// What [`std::fs::metadata`] returns, or `symlink_metadata` unless `follow`.
pub fn metadata(path: &Path, follow: bool) -> Option<io::Result<Metadata>> {
    let now_ms = now_ms();
    if paths::recall(path, now_ms).is_some() {
        // What was in memory a moment ago: a local disk is waited for at worst.
        return Some(match follow {
            true => fs::metadata(path),
            false => fs::symlink_metadata(path),
        });
    }
    let links = if follow { 0 } else { libc::O_NOFOLLOW };
    told(look(path, links, now_ms).and_then(|(file, _)| file.metadata()))
}

/// Opens a regular file for reading.
///
/// Descriptors have `O_NONBLOCK` set, which regular files ignore; see [`clear_nonblocking`].
pub fn open(path: &Path) -> Option<io::Result<(File, Known)>> {
    told(open_local(path, |_, _| None))
}

/// [`open`], to read all of a file: its position is anywhere.
pub fn open_whole(path: &Path) -> Option<io::Result<(File, Known)>> {
    told(open_local(path, known_by_seeking))
}

/// Opens a regular file of a local file system. `ask` may know one that the path is trusted to
/// lead to without statx(2).
fn open_local(
    path: &Path,
    ask: impl FnOnce(&File, Medium) -> Option<Known>,
) -> io::Result<(File, Known)> {
    let now_ms = now_ms();
    let place = match paths::recall(path, now_ms) {
        Some(place) => place,
        None => look(path, 0, now_ms)?.1,
    };
    if !place.is_file {
        return Err(may_block());
    }
    // The flag is for what may have come in the place of the file: a FIFO, a lease.
    let file = open_cached(path, libc::O_RDONLY | libc::O_NONBLOCK)?;
    match ask(&file, place.medium).or_else(|| known_of_plain(&file, now_ms)) {
        Some(known) => Ok((file, known)),
        None => {
            paths::forget(path);
            Err(may_block())
        }
    }
}

/// Looks at what `path` leads to without opening it; remembers it, unless it is a link.
fn look(path: &Path, links: i32, now_ms: u64) -> io::Result<(File, Place)> {
    let file = open_cached(path, libc::O_PATH | links)?;
    let statx = statx(&file).ok_or_else(may_block)?;
    let place = Place {
        medium: local_medium(&statx, now_ms).ok_or_else(may_block)?,
        is_file: kind_of(&statx) == libc::S_IFREG,
    };
    if kind_of(&statx) != libc::S_IFLNK {
        paths::remember(path, place, now_ms);
    }
    Ok((file, place))
}

/// How long a file is, by the cheapest call that tells; leaves its position at its end. `None` for
/// what has no position, as a FIFO has none, and for what may have no end: it says that it is
/// empty.
fn known_by_seeking(mut file: &File, medium: Medium) -> Option<Known> {
    let len = file.seek(SeekFrom::End(0)).ok()?;
    (len > 0).then_some(Known { medium, len })
}

/// The error that says that the answer may block.
fn may_block() -> io::Error {
    ErrorKind::WouldBlock.into()
}

fn told<T>(answer: io::Result<T>) -> Option<io::Result<T>> {
    match answer {
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        answer => Some(answer),
    }
}

/// What is known about an open file, if it is a regular one of a local file system.
///
/// Nothing is known of a file whose reads go past the page cache.
pub fn known(file: &File) -> Option<Known> {
    // SAFETY: no pointers are passed, and the descriptor is open: borrowed.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    if flags < 0 || flags & (libc::O_DIRECT | libc::O_PATH) != 0 {
        return None;
    }
    known_of_plain(file, now_ms())
}

/// Whether a file that is read now is most likely not in memory, as all of the last ones were not.
/// Every now and then it says no, so that the thread finds out when that has changed.
#[must_use]
pub fn expects_cold() -> bool {
    let run = COLD_RUN.get();
    if run < COLD_RUN_MIN {
        return false;
    }
    COLD_RUN.set(run.wrapping_add(1));
    run % TRIED_ONE_IN != 0
}

fn met_cold() {
    COLD_RUN.set(COLD_RUN.get().wrapping_add(1));
}

/// Whether nothing of the file is in memory, so that a try to read it would only have this thread
/// begin what others are to wait for. Asked for as long as tries meet such files: the question
/// costs a call.
#[must_use]
pub fn is_cold(file: &File, known: &Known) -> bool {
    if known.medium != Medium::Disk || known.len == 0 || COLD_RUN.get() == 0 {
        return false;
    }
    let is_cold = cached_pages(file).is_some_and(|pages| pages == 0);
    match is_cold {
        true => met_cold(),
        false => COLD_RUN.set(0),
    }
    is_cold
}

/// How many pages of a file are in memory, if the system tells.
fn cached_pages(file: &File) -> Option<u64> {
    // From the beginning to the end.
    let range = [0_u64; 2];
    // The first is the answer.
    let mut counts = [0_u64; 5];
    let (fd, counts_at) = (file.as_raw_fd(), counts.as_mut_ptr());
    // SAFETY: `range` is valid for reads of two words, `counts` for writes of five.
    let done = unsafe { libc::syscall(SYS_CACHESTAT, fd, range.as_ptr(), counts_at, 0) };
    checked(done).ok().map(|_| counts[0])
}

/// Whether each write goes to the end of the file.
#[must_use]
pub fn is_appending(file: &File) -> bool {
    has_flag(file, libc::O_APPEND)
}

/// Whether an operation that would have to wait is an error.
#[must_use]
pub fn is_nonblocking(file: &File) -> bool {
    has_flag(file, libc::O_NONBLOCK)
}

fn has_flag(file: &File, flag: libc::c_int) -> bool {
    // SAFETY: no pointers are passed, and the descriptor is open: borrowed.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    flags & flag != 0
}

fn known_of_plain(file: &File, now_ms: u64) -> Option<Known> {
    let statx = statx(file)?;
    if kind_of(&statx) != libc::S_IFREG {
        return None;
    }
    Some(Known {
        medium: local_medium(&statx, now_ms)?,
        len: statx.stx_size,
    })
}

fn kind_of(statx: &libc::statx) -> libc::mode_t {
    libc::mode_t::from(statx.stx_mode) & libc::S_IFMT
}

/// Makes what [`open`] has opened what it would be if it had been opened in the usual way.
///
/// # Errors
/// Those of fcntl(2).
pub fn clear_nonblocking(file: &File) -> io::Result<()> {
    // None of the flags that can be set: it has no other.
    // SAFETY: no pointers are passed, and the descriptor is open: borrowed.
    let set = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, 0) };
    checked(set.into()).map(drop)
}

/// Reads once to the end of `dst`, which it does not grow beyond its capacity, what the file has
/// there: `dst` holds the file's beginning. The file's position stays where it is.
///
/// # Errors
/// Those of the system.
pub fn read_to_vec(file: &File, known: &Known, dst: &mut Vec<u8>) -> io::Result<Tried> {
    let position = dst.len() as u64;
    let tried = read_uninit(file, known, dst.spare_capacity_mut(), Some(position))?;
    if let Tried::Read(n) = tried {
        let len = dst.len() + n;
        // SAFETY: the system has written the first `n` bytes of the spare capacity.
        unsafe { dst.set_len(len) };
    }
    Ok(tried)
}

/// Reads once at the file's position to `dst`.
///
/// # Errors
/// Those of the system.
pub fn read(file: &File, known: &Known, dst: &mut [u8]) -> io::Result<Tried> {
    let len = dst.len();
    let start = dst.as_mut_ptr().cast::<MaybeUninit<u8>>();
    // SAFETY: the same memory, borrowed for as long; `read_uninit` writes bytes of the system only.
    let dst = unsafe { std::slice::from_raw_parts_mut(start, len) };
    read_uninit(file, known, dst, None)
}

/// Reads at `position`; if there is none, at that of the file, which moves on.
fn read_uninit(
    file: &File,
    known: &Known,
    dst: &mut [MaybeUninit<u8>],
    position: Option<u64>,
) -> io::Result<Tried> {
    let flags = match known.medium {
        Medium::Memory => 0,
        Medium::Disk => libc::RWF_NOWAIT,
        Medium::Opaque => return Ok(Tried::WouldBlock),
    };
    let error = match preadv2(file, dst, position, flags) {
        Ok(n) => return Ok(Tried::Read(n)),
        Err(error) => error,
    };
    match error.raw_os_error() {
        Some(libc::EAGAIN) => met_cold(),
        Some(libc::EINTR) => {}
        // The mount is asked for again: the path may have been trusted too long.
        Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EPERM) => {
            statx(file).inspect(|statx| mounts::set_opaque(statx.stx_mnt_id));
        }
        _ => return Err(error),
    }
    Ok(Tried::WouldBlock)
}

fn preadv2(
    file: &File,
    dst: &mut [MaybeUninit<u8>],
    position: Option<u64>,
    flags: i32,
) -> io::Result<usize> {
    // The halves of the position; both of that of the file itself are -1.
    let (low, high) = match position {
        Some(position) => (position as libc::c_long, (position >> 32) as libc::c_long),
        None => (-1, -1),
    };
    let iovec = libc::iovec {
        iov_base: dst.as_mut_ptr().cast(),
        iov_len: dst.len(),
    };
    let fd = file.as_raw_fd();
    // SAFETY: `iovec` outlives the call, and so does `dst`, which is valid for writes.
    let read = unsafe { libc::syscall(libc::SYS_preadv2, fd, &iovec, 1_usize, low, high, flags) };
    // As many as there is memory for.
    checked(read).map(|read| read as usize)
}

fn local_medium(statx: &libc::statx, now_ms: u64) -> Option<Medium> {
    if statx.stx_mask & libc::STATX_MNT_ID == 0 {
        ABSENT.store(true, Ordering::Relaxed);
        return None;
    }
    mounts::medium(statx.stx_mnt_id, now_ms)
}

/// What the system has in memory about an open file.
fn statx(file: &File) -> Option<libc::statx> {
    let mut statx = MaybeUninit::<libc::statx>::zeroed();
    let flags = libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC;
    let mask = libc::STATX_TYPE | libc::STATX_SIZE | libc::STATX_MNT_ID;
    let (fd, path) = (file.as_raw_fd(), c"".as_ptr());
    // SAFETY: the path is a string, and `statx` is valid for writes of its size.
    let done = unsafe { libc::syscall(libc::SYS_statx, fd, path, flags, mask, statx.as_mut_ptr()) };
    checked(done).ok()?;
    // SAFETY: zeros are a valid value of it, and the system has written nothing else but such.
    Some(unsafe { statx.assume_init() })
}

/// Opens what `path` leads to, if the system knows that without waiting.
///
/// # Errors
/// `NotFound` if the system knows that nothing is there, else `WouldBlock`: whatever goes wrong
/// here goes wrong again where blocking is allowed.
fn open_cached(path: &Path, flags: i32) -> io::Result<File> {
    let bytes = path.as_os_str().as_bytes();
    // Relaxed: it publishes nothing but itself.
    if ABSENT.load(Ordering::Relaxed) || bytes.len() >= PATH_MAX || bytes.contains(&0) {
        return Err(may_block());
    }
    let mut terminated = [0_u8; PATH_MAX];
    terminated[..bytes.len()].copy_from_slice(bytes);
    let how = OpenHow {
        // No flag has the sign bit set.
        flags: (flags | libc::O_CLOEXEC) as u64,
        mode: 0,
        resolve: libc::RESOLVE_CACHED,
    };
    let (start, here) = (terminated.as_ptr(), libc::AT_FDCWD);
    let size = size_of::<OpenHow>();
    // SAFETY: the path ends with a zero, and `how` has the stated size; both outlive the call.
    match checked(unsafe { libc::syscall(libc::SYS_openat2, here, start, &how, size) }) {
        // SAFETY: the system has just made this descriptor, for us alone.
        Ok(fd) => Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) }.into()),
        Err(error) => Err(match error.raw_os_error() {
            Some(libc::ENOENT) => error,
            Some(libc::ENOSYS | libc::EPERM | libc::EINVAL | libc::E2BIG) => {
                // Relaxed: as above.
                ABSENT.store(true, Ordering::Relaxed);
                may_block()
            }
            _ => may_block(),
        }),
    }
}

/// A clock that goes on with the kernel's ticks, every few milliseconds, and costs next to nothing
/// to look at.
fn now_ms() -> u64 {
    let mut now = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: `now` is valid for writes of its size. If the call fails, it stays zero.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, now.as_mut_ptr()) };
    // SAFETY: zeros are a valid value of it, and the system has written nothing else but such.
    let now = unsafe { now.assume_init() };
    // Neither is below zero.
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// The first version of the kernel's `open_how`; later ones only append.
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

fn checked(returned: libc::c_long) -> io::Result<libc::c_long> {
    if returned < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(returned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_so_many_is_tried_until_one_is_in_memory() {
        for _ in 1..COLD_RUN_MIN {
            met_cold();
            assert!(!expects_cold());
        }
        met_cold();
        for run in COLD_RUN_MIN..3 * TRIED_ONE_IN {
            assert_eq!(expects_cold(), run % TRIED_ONE_IN != 0, "{run}");
        }
        let path = std::env::temp_dir().join(format!("yamanote-sys-file-{}", std::process::id()));
        fs::write(&path, b"in memory").unwrap();
        let file = File::open(&path).unwrap();
        let (medium, len) = (Medium::Disk, 9);
        assert!(!is_cold(&file, &Known { medium, len }));
        assert!(!expects_cold());
        fs::remove_file(&path).unwrap();
    }
}
