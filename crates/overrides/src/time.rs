//! Clocks: the host's, which may be wrong and moves a little with each reading, or programs that
//! spin would hang.

use std::ffi::{c_int, c_long, c_void};

use yamanote_base::simulated::{self, Surroundings};

use crate::real::{self, Real};

static REAL: Real = Real::new(c"clock_gettime");

/// What the monotonic clock shows when a world begins, in seconds: a machine that has been up.
const MONOTONIC_START: u64 = 1_000_000;
const NANOS: u64 = 1_000_000_000;

type ClockGettime = unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> c_int;

/// # Safety
/// `time` may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { read(clock, time) }
}

/// # Safety
/// `time` may be written, unless it is null.
#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(time: *mut libc::timeval, _zone: *mut c_void) -> c_int {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is ours.
    let result = unsafe { read(libc::CLOCK_REALTIME, &raw mut now) };
    if result == 0 && !time.is_null() {
        let value = libc::timeval {
            tv_sec: now.tv_sec,
            tv_usec: now.tv_nsec / 1000,
        };
        // SAFETY: the caller's promise.
        unsafe { time.write(value) };
    }
    result
}

/// # Safety
/// `time` may be written, unless it is null.
#[unsafe(no_mangle)]
unsafe extern "C" fn time(time: *mut libc::time_t) -> libc::time_t {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is ours.
    unsafe { read(libc::CLOCK_REALTIME, &raw mut now) };
    if !time.is_null() {
        // SAFETY: the caller's promise.
        unsafe { time.write(now.tv_sec) };
    }
    now.tv_sec
}

/// # Safety
/// `time` may be written.
pub(crate) unsafe fn read(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    let Some(surroundings) = simulated::surroundings() else {
        // SAFETY: the caller's promise.
        return unsafe { read_real(clock, time) };
    };
    let now = shown_ns(surroundings, clock);
    let value = libc::timespec {
        tv_sec: libc::time_t::try_from(now / NANOS).unwrap_or(libc::time_t::MAX),
        tv_nsec: c_long::try_from(now % NANOS).unwrap_or(0),
    };
    // SAFETY: the caller's promise.
    unsafe { time.write(value) };
    0
}

/// What a clock of the host shows, in nanoseconds.
fn shown_ns(surroundings: &Surroundings, clock: libc::clockid_t) -> u64 {
    match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => {
            (surroundings.wall_ns)()
        }
        _ => MONOTONIC_START * NANOS + (surroundings.monotonic_ns)(),
    }
}

/// What a clock of the host shows, in nanoseconds; 0 in no world.
pub(crate) fn now_ns(clock: libc::clockid_t) -> u64 {
    simulated::surroundings().map_or(0, |surroundings| shown_ns(surroundings, clock))
}

/// A time in nanoseconds; none is before 0.
pub(crate) fn nanos(time: libc::timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(NANOS).saturating_add(nanos)
}

/// # Safety
/// `time` may be written.
unsafe fn read_real(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    let Some(real) = REAL.get() else {
        let args = [c_long::from(clock), time.addr() as c_long, 0, 0, 0, 0];
        // SAFETY: the caller's promise.
        return unsafe { real::syscall(libc::SYS_clock_gettime, args) } as c_int;
    };
    // SAFETY: it is the C library's function of this name and type.
    let real = unsafe { std::mem::transmute::<*mut c_void, ClockGettime>(real) };
    // SAFETY: the caller's promise.
    unsafe { real(clock, time) }
}
