//! Waiting for a word in memory, as locks, channels and parking of `std` do: work that blocks in a
//! world gives its turn to others meanwhile.

use std::ffi::{c_int, c_long, c_void};

use yamanote_base::atomic::plain::{AtomicU32, Ordering};
use yamanote_base::simulated::{self, Parked};

use crate::real::Real;
use crate::{real, time};

static NANOSLEEP: Real = Real::new(c"nanosleep");
static CLOCK_NANOSLEEP: Real = Real::new(c"clock_nanosleep");

type Nanosleep = unsafe extern "C" fn(*const libc::timespec, *mut libc::timespec) -> c_int;
type ClockNanosleep = unsafe extern "C" fn(
    libc::clockid_t,
    c_int,
    *const libc::timespec,
    *mut libc::timespec,
) -> c_int;

/// # Safety
/// The arguments are those of a futex call.
pub(crate) unsafe fn call(args: [c_long; 6]) -> c_long {
    let [address, op, value, limit, _, mask] = args;
    let command = c_int::try_from(op).unwrap_or(-1) & libc::FUTEX_CMD_MASK;
    let is_bitset = matches!(command, libc::FUTEX_WAIT_BITSET | libc::FUTEX_WAKE_BITSET);
    let mask = if is_bitset { mask as u32 } else { u32::MAX };
    match command {
        libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => {
            // SAFETY: the caller's promise.
            let limit_ns = unsafe { limit_ns(command, op, limit) };
            // SAFETY: the caller's promise: the word is there as long as somebody waits for it.
            let waited = unsafe { wait(address as usize, value as u32, mask, limit_ns) };
            if let Some(result) = waited {
                return result;
            }
        }
        libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => {
            let most = usize::try_from(value).unwrap_or(usize::MAX);
            let woken = simulated::any_surroundings().map_or(0, |surroundings| {
                (surroundings.unpark_at)(address as usize, mask, most)
            });
            if woken > 0 && woken == most {
                return woken as c_long;
            }
        }
        _ => {}
    }
    // SAFETY: the caller's promise.
    unsafe { real::syscall(libc::SYS_futex, args) }
}

/// Waits in the world; `None` if this thread cannot.
///
/// # Safety
/// At `address` there is a word.
unsafe fn wait(address: usize, value: u32, mask: u32, limit_ns: Option<u64>) -> Option<c_long> {
    let surroundings = simulated::surroundings()?;
    let word = std::ptr::with_exposed_provenance_mut::<u32>(address);
    // SAFETY: the caller's promise; others use it atomically, too.
    let word = unsafe { AtomicU32::from_ptr(word) };
    // Relaxed: whoever changes the word orders what it is about; here it only says whether to wait.
    if word.load(Ordering::Relaxed) != value {
        return Some(real::failure(libc::EAGAIN));
    }
    match (surroundings.park_at)(address, mask, limit_ns) {
        Parked::Woken => Some(0),
        Parked::TimedOut => Some(real::failure(libc::ETIMEDOUT)),
        Parked::NotHere => None,
    }
}

/// How long a wait lasts at most, from now on.
///
/// # Safety
/// `limit` is the address of a time, or 0.
unsafe fn limit_ns(command: c_int, op: c_long, limit: c_long) -> Option<u64> {
    let limit = std::ptr::with_exposed_provenance::<libc::timespec>(limit as usize);
    if limit.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let limit = time::nanos(unsafe { limit.read() });
    let is_real = c_int::try_from(op).unwrap_or(0) & libc::FUTEX_CLOCK_REALTIME != 0;
    let clock = if is_real {
        libc::CLOCK_REALTIME
    } else {
        libc::CLOCK_MONOTONIC
    };
    // With a mask it is a time of a clock, without one it is a duration.
    match command {
        libc::FUTEX_WAIT_BITSET => Some(limit.saturating_sub(time::now_ns(clock))),
        _ => Some(limit),
    }
}

/// # Safety
/// `wanted` is a time, and `left` may be written unless it is null.
#[unsafe(no_mangle)]
unsafe extern "C" fn nanosleep(wanted: *const libc::timespec, left: *mut libc::timespec) -> c_int {
    if let Some(surroundings) = simulated::surroundings() {
        // SAFETY: the caller's promise.
        (surroundings.nap)(time::nanos(unsafe { wanted.read() }));
        return 0;
    }
    let Some(real) = NANOSLEEP.get() else {
        let args = [wanted.addr() as c_long, left.addr() as c_long, 0, 0, 0, 0];
        // SAFETY: the caller's promise.
        return unsafe { real::syscall(libc::SYS_nanosleep, args) } as c_int;
    };
    // SAFETY: it is the C library's function of this name and type.
    let real = unsafe { std::mem::transmute::<*mut c_void, Nanosleep>(real) };
    // SAFETY: the caller's promise.
    unsafe { real(wanted, left) }
}

/// # Safety
/// As [`nanosleep`].
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_nanosleep(
    clock: libc::clockid_t,
    flags: c_int,
    wanted: *const libc::timespec,
    left: *mut libc::timespec,
) -> c_int {
    if let Some(surroundings) = simulated::surroundings() {
        // SAFETY: the caller's promise.
        let wanted = time::nanos(unsafe { wanted.read() });
        let is_absolute = flags & libc::TIMER_ABSTIME != 0;
        let now = if is_absolute { time::now_ns(clock) } else { 0 };
        (surroundings.nap)(wanted.saturating_sub(now));
        return 0;
    }
    let Some(real) = CLOCK_NANOSLEEP.get() else {
        let (clock, flags) = (c_long::from(clock), c_long::from(flags));
        let (wanted, left) = (wanted.addr() as c_long, left.addr() as c_long);
        // SAFETY: the caller's promise.
        let result = unsafe {
            real::syscall(
                libc::SYS_clock_nanosleep,
                [clock, flags, wanted, left, 0, 0],
            )
        };
        return result as c_int;
    };
    // SAFETY: it is the C library's function of this name and type.
    let real = unsafe { std::mem::transmute::<*mut c_void, ClockNanosleep>(real) };
    // SAFETY: the caller's promise.
    unsafe { real(clock, flags, wanted, left) }
}
