//! The system's own functions, for whoever is in no world.

use std::ffi::{CStr, c_int, c_long, c_void};

use yamanote_base::atomic::plain::{AtomicUsize, Ordering};

/// A function of the C library that is looked up once.
pub(crate) struct Real {
    name: &'static CStr,
    /// 0: not looked up yet; 1: there is none.
    address: AtomicUsize,
}

impl Real {
    pub(crate) const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            address: AtomicUsize::new(0),
        }
    }

    /// The function; `None` where the program is linked statically.
    pub(crate) fn get(&self) -> Option<*mut c_void> {
        // Relaxed: the function was there before the program; every look-up gives the same.
        let mut address = self.address.load(Ordering::Relaxed);
        if address == 0 {
            // SAFETY: the name ends with a nought, as `CStr` has it.
            let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
            address = found.expose_provenance().max(1);
            self.address.store(address, Ordering::Relaxed);
        }
        (address > 1).then(|| std::ptr::with_exposed_provenance_mut(address))
    }
}

/// A system call, with what the C library makes of its result.
///
/// # Safety
/// The arguments are what the call wants.
pub(crate) unsafe fn syscall(number: c_long, args: [c_long; 6]) -> c_long {
    // SAFETY: the caller's promise.
    let result = unsafe { raw(number, args) };
    if (-4095..0).contains(&result) {
        return failure(c_int::try_from(-result).unwrap_or(libc::EINVAL));
    }
    result
}

/// What a call that fails returns; why it did is where the C library has it.
pub(crate) fn failure(error: c_int) -> c_long {
    // SAFETY: the C library has a place for the error of each thread.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: that place belongs to this thread.
    unsafe { *place = error };
    -1
}

/// # Safety
/// As [`syscall`].
#[cfg(target_arch = "x86_64")]
unsafe fn raw(number: c_long, args: [c_long; 6]) -> c_long {
    let result: c_long;
    // SAFETY: the caller's promise; the kernel changes rcx and r11 beside the result.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// # Safety
/// As [`syscall`].
#[cfg(target_arch = "aarch64")]
unsafe fn raw(number: c_long, args: [c_long; 6]) -> c_long {
    let result: c_long;
    // SAFETY: the caller's promise; the kernel changes nothing beside the result.
    unsafe {
        std::arch::asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") args[0] => result,
            in("x1") args[1],
            in("x2") args[2],
            in("x3") args[3],
            in("x4") args[4],
            in("x5") args[5],
            options(nostack),
        );
    }
    result
}
