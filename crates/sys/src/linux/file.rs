//! Questions about files that are answered at once or not at all: what cannot block.
//!
//! - A path: openat2(2) with `RESOLVE_CACHED` fails where resolving it would mean to wait.
//! - What it leads to: an `O_PATH` descriptor opens nothing, so neither a FIFO nor a device nor
//!   a server takes part. statx(2) with `AT_STATX_DONT_SYNC` says what is known of it already.
//! - Only if that is a regular file of a local file system (`mounts`), it is opened and asked.
//! - Its content: preadv2(2) with `RWF_NOWAIT` fails where a page is not in memory.
//!
//! `None` always means: this may block. Whatever goes wrong here goes wrong again where blocking
//! is allowed, and there the error is the user's.

use std::cell::{Cell, RefCell};
use std::fs::{File, Metadata};
use std::hash::Hasher;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use yamanote_base::atomic::plain::{AtomicBool, Ordering};

use super::mounts;
pub use super::mounts::Medium;

/// Longer paths are left to those who may block.
const PATH_MAX: usize = 256;
/// Paths that a thread remembers.
const HINTS: usize = 64;
/// Times that they are used before all are forgotten.
const HINT_USES_MAX: u32 = 1024;

/// Whether the system once said that it does not have these calls, or forbids them.
static ABSENT: AtomicBool = AtomicBool::new(false);

/// cachestat(2), by the same number on each architecture; since Linux 6.5.
const SYS_CACHESTAT: libc::c_long = 451;

thread_local! {
    /// Whether the last try of this thread to read met a page that is not in memory.
    static MET_COLD: Cell<bool> = const { Cell::new(false) };
    static TRUSTED: RefCell<Hints> = const { RefCell::new(Hints::NONE) };
}

/// Paths that led to a regular file of a local file system when they were last followed, as
/// hashes, and the device that it was on. What is found behind them is looked at again; they only
/// save looking twice.
struct Hints {
    places: [(u64, u64); HINTS],
    uses: u32,
}

/// What is known about a file without asking anybody.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    medium: Medium,
    len: u64,
    mount: u64,
    device: u64,
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
}

/// What [`std::fs::metadata`] returns, or `symlink_metadata` unless `follow`.
pub fn metadata(path: &Path, follow: bool) -> Option<io::Result<Metadata>> {
    let links = if follow { 0 } else { libc::O_NOFOLLOW };
    let file = open_cached(path, libc::O_PATH | links)?;
    let hash = hash(path);
    let trusted = trusted_device(hash);
    if trusted.is_none() {
        local_medium(&statx(&file)?)?;
    }
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return Some(Err(error)),
    };
    let device = metadata.is_file().then(|| metadata.dev());
    if device != trusted {
        // The next time its mount is looked up if that has not been done just now.
        set_trusted(hash, device.filter(|_| trusted.is_none()));
    }
    Some(Ok(metadata))
}

/// Opens a regular file for reading.
///
/// Descriptors have `O_NONBLOCK` set, which regular files ignore; see [`clear_nonblocking`].
pub fn open(path: &Path) -> Option<(File, Known)> {
    let hash = hash(path);
    if trusted_device(hash).is_none() {
        known_of_plain(&open_cached(path, libc::O_PATH)?)?;
    }
    // The flag is for what may have come in the place of the file: a FIFO, a lease.
    let file = open_cached(path, libc::O_RDONLY | libc::O_NONBLOCK)?;
    let known = known_of_plain(&file);
    set_trusted(hash, known.map(|known| known.device));
    Some((file, known?))
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
    known_of_plain(file)
}

/// Whether nothing of the file is in memory, so that a try to read it would only have this thread
/// begin what others are to wait for. Asked for as long as tries meet such files: the question
/// costs a call.
#[must_use]
pub fn is_cold(file: &File, known: &Known) -> bool {
    if known.medium != Medium::Disk || known.len == 0 || !MET_COLD.get() {
        return false;
    }
    let is_cold = cached_pages(file).is_some_and(|pages| pages == 0);
    MET_COLD.set(is_cold);
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
    // SAFETY: no pointers are passed, and the descriptor is open: borrowed.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    flags & libc::O_APPEND != 0
}

fn known_of_plain(file: &File) -> Option<Known> {
    let statx = statx(file)?;
    if u32::from(statx.stx_mode) & libc::S_IFMT != libc::S_IFREG {
        return None;
    }
    Some(Known {
        medium: local_medium(&statx)?,
        len: statx.stx_size,
        mount: statx.stx_mnt_id,
        device: libc::makedev(statx.stx_dev_major, statx.stx_dev_minor),
    })
}

/// Makes the descriptor what it would be if it had been opened in the usual way.
///
/// # Errors
/// Those of fcntl(2).
pub fn clear_nonblocking(file: &File) -> io::Result<()> {
    // SAFETY: no pointers are passed, and the descriptor is open: borrowed.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    checked(flags.into())?;
    let flags = flags & !libc::O_NONBLOCK;
    // SAFETY: as above.
    let set = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags) };
    checked(set.into()).map(drop)
}

/// Reads once at the file's position to the end of `dst`, which it does not grow beyond its
/// capacity.
///
/// # Errors
/// Those of the system.
pub fn read_to_vec(file: &File, known: &Known, dst: &mut Vec<u8>) -> io::Result<Tried> {
    let tried = read_uninit(file, known, dst.spare_capacity_mut())?;
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
    read_uninit(file, known, unsafe {
        std::slice::from_raw_parts_mut(start, len)
    })
}

fn read_uninit(file: &File, known: &Known, dst: &mut [MaybeUninit<u8>]) -> io::Result<Tried> {
    let flags = match known.medium {
        Medium::Memory => 0,
        Medium::Disk => libc::RWF_NOWAIT,
        Medium::Opaque => return Ok(Tried::WouldBlock),
    };
    match preadv2(file, dst, flags) {
        Ok(n) => Ok(Tried::Read(n)),
        Err(error) => match error.raw_os_error() {
            Some(libc::EAGAIN) => {
                MET_COLD.set(true);
                Ok(Tried::WouldBlock)
            }
            Some(libc::EINTR) => Ok(Tried::WouldBlock),
            Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EPERM) => {
                mounts::set_opaque(known.mount);
                Ok(Tried::WouldBlock)
            }
            _ => Err(error),
        },
    }
}

fn preadv2(file: &File, dst: &mut [MaybeUninit<u8>], flags: i32) -> io::Result<usize> {
    /// Both halves of the position: that of the file, which moves on.
    const HERE: libc::c_long = -1;
    let iovec = libc::iovec {
        iov_base: dst.as_mut_ptr().cast(),
        iov_len: dst.len(),
    };
    let fd = file.as_raw_fd();
    // SAFETY: `iovec` outlives the call, and so does `dst`, which is valid for writes.
    let read = unsafe { libc::syscall(libc::SYS_preadv2, fd, &iovec, 1_usize, HERE, HERE, flags) };
    // As many as there is memory for.
    checked(read).map(|read| read as usize)
}

fn local_medium(statx: &libc::statx) -> Option<Medium> {
    if statx.stx_mask & libc::STATX_MNT_ID == 0 {
        ABSENT.store(true, Ordering::Relaxed);
        return None;
    }
    mounts::medium(statx.stx_mnt_id)
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
fn open_cached(path: &Path, flags: i32) -> Option<File> {
    // Relaxed: it publishes nothing but itself.
    if ABSENT.load(Ordering::Relaxed) {
        return None;
    }
    let mut terminated = [0_u8; PATH_MAX];
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() >= PATH_MAX || bytes.contains(&0) {
        return None;
    }
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
        Ok(fd) => Some(unsafe { OwnedFd::from_raw_fd(fd as RawFd) }.into()),
        Err(error) => {
            if let Some(libc::ENOSYS | libc::EPERM | libc::EINVAL | libc::E2BIG) =
                error.raw_os_error()
            {
                // Relaxed: as above.
                ABSENT.store(true, Ordering::Relaxed);
            }
            None
        }
    }
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

impl Hints {
    const NONE: Self = Self {
        places: [(0, 0); HINTS],
        uses: 0,
    };

    fn place(&mut self, hash: u64) -> &mut (u64, u64) {
        &mut self.places[hash as usize % HINTS]
    }
}

fn hash(path: &Path) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(path.as_os_str().as_bytes());
    // 0 is an empty place.
    hasher.finish() | 1 << 63
}

fn trusted_device(hash: u64) -> Option<u64> {
    let look = |hints: &RefCell<Hints>| {
        let mut hints = hints.borrow_mut();
        hints.uses += 1;
        if hints.uses > HINT_USES_MAX {
            *hints = Hints::NONE;
        }
        let (known, device) = *hints.place(hash);
        (known == hash).then_some(device)
    };
    TRUSTED.try_with(look).ok()?
}

fn set_trusted(hash: u64, device: Option<u64>) {
    // While the thread's locals are being destroyed nothing is remembered.
    let _ = TRUSTED.try_with(|hints| {
        *hints.borrow_mut().place(hash) = device.map_or((0, 0), |device| (hash, device));
    });
}
