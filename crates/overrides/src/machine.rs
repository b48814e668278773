//! What a machine tells of itself: its name, its number of processors, the number of a process.

use std::ffi::{c_char, c_int, c_long, c_void};

use yamanote_base::simulated;

use crate::real::{self, Real};

static REAL_SYSCONF: Real = Real::new(c"sysconf");
static REAL_HOSTNAME: Real = Real::new(c"gethostname");

/// Processors of a simulated machine.
const PROCESSORS: u8 = 4;
/// The process of the first host.
const FIRST_PID: u32 = 1000;

#[unsafe(no_mangle)]
extern "C" fn getpid() -> libc::pid_t {
    match simulated::surroundings() {
        Some(surroundings) => {
            let pid = FIRST_PID + (surroundings.host)();
            libc::pid_t::try_from(pid).unwrap_or(libc::pid_t::MAX)
        }
        // SAFETY: the call wants nothing.
        None => (unsafe { real::syscall(libc::SYS_getpid, [0; 6]) }) as libc::pid_t,
    }
}

/// # Safety
/// `name` has room for `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn gethostname(name: *mut c_char, len: usize) -> c_int {
    let Some(surroundings) = simulated::surroundings() else {
        let Some(real) = REAL_HOSTNAME.get() else {
            return -1;
        };
        type Gethostname = unsafe extern "C" fn(*mut c_char, usize) -> c_int;
        // SAFETY: it is the C library's function of this name and type.
        let real = unsafe { std::mem::transmute::<*mut c_void, Gethostname>(real) };
        // SAFETY: the caller's promise.
        return unsafe { real(name, len) };
    };
    (surroundings.with_name)(&mut |host| {
        let count = host.len().min(len.saturating_sub(1));
        // SAFETY: `count` bytes fit before the last of the buffer.
        unsafe { std::ptr::copy_nonoverlapping(host.as_ptr(), name.cast(), count) };
        if len > 0 {
            // SAFETY: `count` is below `len`.
            let end = unsafe { name.add(count) };
            // SAFETY: as above.
            unsafe { end.write(0) };
        }
    });
    0
}

/// # Safety
/// `set` has room for `size` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn sched_getaffinity(
    pid: libc::pid_t,
    size: usize,
    set: *mut libc::cpu_set_t,
) -> c_int {
    if simulated::surroundings().is_none() {
        let args = [
            c_long::from(pid),
            size as c_long,
            set.addr() as c_long,
            0,
            0,
            0,
        ];
        // SAFETY: the caller's promise.
        let filled = unsafe { real::syscall(libc::SYS_sched_getaffinity, args) };
        let Ok(filled) = usize::try_from(filled) else {
            return -1;
        };
        // SAFETY: the kernel has filled so many bytes of the caller's `size`.
        let rest = unsafe { set.cast::<u8>().add(filled) };
        // SAFETY: as above.
        unsafe { rest.write_bytes(0, size - filled) };
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe { set.cast::<u8>().write_bytes(0, size) };
    if size > 0 {
        // SAFETY: there is a first byte.
        unsafe { set.cast::<u8>().write((1 << PROCESSORS) - 1) };
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn sysconf(name: c_int) -> c_long {
    let asks_processors = matches!(
        name,
        libc::_SC_NPROCESSORS_ONLN | libc::_SC_NPROCESSORS_CONF
    );
    if asks_processors && simulated::surroundings().is_some() {
        return c_long::from(PROCESSORS);
    }
    let Some(real) = REAL_SYSCONF.get() else {
        return -1;
    };
    type Sysconf = unsafe extern "C" fn(c_int) -> c_long;
    // SAFETY: it is the C library's function of this name and type.
    let real = unsafe { std::mem::transmute::<*mut c_void, Sysconf>(real) };
    // SAFETY: it wants nothing but a number.
    unsafe { real(name) }
}
