//! Each function of the C library that the feature `sim` stands in for: on a host it tells of the
//! world, elsewhere it is the system's. (`pthread_create` is in `sim_determinism`, sleeps and the
//! futex in `sim_blocking`, sockets and names in `sim_std_sockets`.)

#![cfg(target_os = "linux")]

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sim::Sim;

/// When a world begins, in seconds since 1970.
const BEGIN: i64 = 1_735_689_600;

/// The functions themselves, without their pointers.
mod c {
    use std::ffi::CStr;

    pub(super) fn clock_gettime(clock: libc::clockid_t) -> (i64, i64) {
        let mut time = timespec();
        // SAFETY: the time is ours.
        assert_eq!(unsafe { libc::clock_gettime(clock, &raw mut time) }, 0);
        (time.tv_sec, time.tv_nsec)
    }

    pub(super) fn syscall_clock_gettime(clock: libc::clockid_t) -> (i64, i64) {
        let mut time = timespec();
        // SAFETY: the time is ours.
        let result = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, &raw mut time) };
        assert_eq!(result, 0);
        (time.tv_sec, time.tv_nsec)
    }

    fn timespec() -> libc::timespec {
        libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        }
    }

    pub(super) fn gettimeofday() -> i64 {
        let mut time = libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        };
        // SAFETY: the time is ours; null stands for no zone.
        let result = unsafe { libc::gettimeofday(&raw mut time, std::ptr::null_mut()) };
        assert_eq!(result, 0);
        time.tv_sec
    }

    pub(super) fn time() -> i64 {
        // SAFETY: null stands for no place.
        unsafe { libc::time(std::ptr::null_mut()) }
    }

    pub(super) fn getrandom() -> [u8; 20] {
        let mut bytes = [0; 20];
        // SAFETY: there is room for 20 bytes.
        let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
        assert_eq!(got, 20);
        bytes
    }

    pub(super) fn getentropy() -> [u8; 20] {
        let mut bytes = [0; 20];
        // SAFETY: there is room for 20 bytes.
        let result = unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) };
        assert_eq!(result, 0);
        bytes
    }

    pub(super) fn syscall_getrandom() -> [u8; 20] {
        let mut bytes = [0_u8; 20];
        // SAFETY: there is room for 20 bytes.
        let got = unsafe { libc::syscall(libc::SYS_getrandom, bytes.as_mut_ptr(), 20_usize, 0) };
        assert_eq!(got, 20);
        bytes
    }

    pub(super) fn getpid() -> i32 {
        // SAFETY: it wants nothing.
        unsafe { libc::getpid() }
    }

    pub(super) fn gethostname() -> String {
        let mut name = [1_u8; 256];
        // SAFETY: there is room for 256 bytes.
        let result = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) };
        assert_eq!(result, 0);
        let name = CStr::from_bytes_until_nul(&name).unwrap();
        name.to_str().unwrap().to_owned()
    }

    pub(super) fn sched_getaffinity() -> i32 {
        // SAFETY: all bits may be nought.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: there is room for a set.
        let result = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
        assert_eq!(result, 0);
        // SAFETY: it reads the set alone.
        unsafe { libc::CPU_COUNT(&set) }
    }

    pub(super) fn sysconf(name: i32) -> i64 {
        // SAFETY: it wants nothing but a number.
        unsafe { libc::sysconf(name) }
    }
}

/// What `program` finds out on the host `name` of a world.
fn on_host<T: Send + 'static>(seed: u64, name: &str, program: fn() -> T) -> T {
    let found = Arc::new(Mutex::new(None));
    let kept = found.clone();
    let sim = Sim::new(seed);
    let host = sim.host(name, move || {
        *kept.lock().unwrap() = Some(program());
        async {}
    });
    host.clock().ahead(Duration::from_secs(3600));
    sim.run_for(Duration::from_secs(1)).unwrap();
    found.lock().unwrap().take().expect("the program has run")
}

#[test]
fn clocks_are_those_of_the_host() {
    let times = || {
        [
            c::time(),
            c::gettimeofday(),
            c::clock_gettime(libc::CLOCK_REALTIME).0,
            c::syscall_clock_gettime(libc::CLOCK_REALTIME).0,
        ]
    };
    assert_eq!(on_host(1, "wrong", times), [BEGIN + 3600; 4]);
    let monotonic = || {
        [
            c::clock_gettime(libc::CLOCK_MONOTONIC),
            c::clock_gettime(libc::CLOCK_BOOTTIME),
            c::syscall_clock_gettime(libc::CLOCK_MONOTONIC),
        ]
    };
    let readings = on_host(1, "wrong", monotonic);
    // Each takes a while, so that who waits for a clock by looking at it gets somewhere.
    assert!(readings.is_sorted() && readings[0] < readings[2]);
    assert_eq!(readings[0].0, 1_000_000);
    for real in times() {
        assert!((real - BEGIN - 3600).abs() > 60, "{real}");
    }
}

#[test]
fn randomness_is_the_seeds() {
    let draws = || [c::getrandom(), c::getentropy(), c::syscall_getrandom()];
    let drawn = on_host(1, "host", draws);
    assert_eq!(drawn, on_host(1, "host", draws));
    assert_ne!(drawn, on_host(2, "host", draws));
    assert_ne!(drawn, on_host(1, "other", draws));
    assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2]);
    let (one, other) = (draws(), draws());
    assert!((0..3).all(|call| one[call] != other[call]));
}

#[test]
fn the_machine_is_the_worlds() {
    let about = || {
        let processors = [libc::_SC_NPROCESSORS_ONLN, libc::_SC_NPROCESSORS_CONF];
        let [online, configured] = processors.map(c::sysconf);
        let numbers = [i64::from(c::sched_getaffinity()), online, configured];
        (c::gethostname(), c::getpid(), numbers)
    };
    // The first host is the one that drives the world.
    let simulated = ("north".to_owned(), 1001, [4; 3]);
    assert_eq!(on_host(1, "north", about), simulated);
    let (name, pid, numbers) = about();
    assert_eq!(
        name,
        fs::read_to_string("/proc/sys/kernel/hostname")
            .unwrap()
            .trim()
    );
    let own = fs::read_link("/proc/self").unwrap();
    assert_eq!(pid.to_string(), own.to_str().unwrap());
    assert!(numbers[0] >= 1 && numbers[1] >= numbers[0]);
    let page = c::sysconf(libc::_SC_PAGESIZE);
    assert_eq!(on_host(1, "north", || c::sysconf(libc::_SC_PAGESIZE)), page);
}
