//! Addresses that are the same in each process: hash maps that are seeded by an address then have
//! the same order in each run. Before `main`, the program calls itself again without
//! randomisation, unless the environment wants it.

use std::ffi::{c_char, c_int, c_long};

use crate::real;

/// The variable by which a process keeps, or gets, addresses at random.
const WANTS_RANDOM: &[u8] = b"YAMANOTE_SIM_RANDOM_ADDRESSES=1";
/// Asks for what is set, and changes nothing.
const ASK: c_long = 0xffff_ffff;

/// Called by the loader, before `main`.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn(c_int, *const *const c_char, *const *const c_char) = settle;

extern "C" fn settle(_: c_int, args: *const *const c_char, env: *const *const c_char) {
    // SAFETY: the call wants nothing but a number.
    let before = unsafe { real::syscall(libc::SYS_personality, [ASK, 0, 0, 0, 0, 0]) };
    if before < 0 || args.is_null() || env.is_null() {
        return;
    }
    let flag = c_long::from(libc::ADDR_NO_RANDOMIZE);
    // SAFETY: the loader passes a list of strings that ends with null.
    let wanted = if unsafe { wants_random(env) } {
        before & !flag
    } else {
        before | flag
    };
    if wanted == before {
        return;
    }
    // SAFETY: as above.
    let set = unsafe { real::syscall(libc::SYS_personality, [wanted, 0, 0, 0, 0, 0]) };
    // SAFETY: as above.
    let now = unsafe { real::syscall(libc::SYS_personality, [ASK, 0, 0, 0, 0, 0]) };
    // A container may refuse it; then addresses stay as they are. It is tried once only.
    if set < 0 || now != wanted {
        return;
    }
    let program = c"/proc/self/exe".as_ptr().addr() as c_long;
    let call = [
        program,
        args.addr() as c_long,
        env.addr() as c_long,
        0,
        0,
        0,
    ];
    // SAFETY: a path, and the lists that the loader has passed. If it fails, all goes on.
    unsafe { real::syscall(libc::SYS_execve, call) };
}

/// # Safety
/// `env` is a list of strings that ends with null.
unsafe fn wants_random(mut env: *const *const c_char) -> bool {
    // Bounded by the end of the list.
    loop {
        // SAFETY: the caller's promise: the end is not behind us.
        let entry = unsafe { env.read() };
        if entry.is_null() {
            return false;
        }
        // SAFETY: the caller's promise: it is a string.
        let text = unsafe { std::ffi::CStr::from_ptr(entry) };
        if text.to_bytes() == WANTS_RANDOM {
            return true;
        }
        // SAFETY: this was not the end.
        env = unsafe { env.add(1) };
    }
}
