//! What std and other libraries do with a socket by themselves, not by the runtime. On a thread
//! that is in a world it would leave that, or wait for ever for what comes from outside: a socket
//! of the internet is refused there, and the report names the call.

use std::ffi::{c_int, c_long};

use yamanote_base::simulated;

use crate::{real, sockets};

/// Functions of the C library that are each one system call on a socket: their number, and how
/// many words they take; the call gets noughts for what is beyond.
macro_rules! refused {
    ($($name:ident is $number:ident of $words:literal)*) => {$(
        /// # Safety
        /// As that of the C library.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            a: c_long,
            b: c_long,
            c: c_long,
            d: c_long,
            e: c_long,
            f: c_long,
        ) -> c_long {
            // A number of 32 bits fills the lower half of its word.
            if is_outside(a as c_int) {
                return refuse(concat!(
                    stringify!($name),
                    "(2) of a socket that is not the runtime's, which is refused"
                ));
            }
            let mut args = [a, b, c, d, e, f];
            args[$words..].fill(0);
            // SAFETY: the caller's promise.
            unsafe { real::syscall(libc::$number, args) }
        }
    )*};
}

refused! {
    accept is SYS_accept of 3
    accept4 is SYS_accept4 of 4
    recv is SYS_recvfrom of 4
    recvfrom is SYS_recvfrom of 6
    recvmmsg is SYS_recvmmsg of 5
    recvmsg is SYS_recvmsg of 3
    send is SYS_sendto of 4
    sendmmsg is SYS_sendmmsg of 4
    sendmsg is SYS_sendmsg of 3
    sendto is SYS_sendto of 6
}

/// Whether the thread is in a world, and the socket is none of it.
fn is_outside(socket: c_int) -> bool {
    let family = || sockets::option(socket, libc::SOL_SOCKET, libc::SO_DOMAIN);
    let inet = [libc::AF_INET, libc::AF_INET6].map(|family| Some(family as u64));
    simulated::surroundings().is_some() && inet.contains(&family())
}

fn refuse(what: &'static str) -> c_long {
    if let Some(surroundings) = simulated::surroundings() {
        (surroundings.note)(what);
    }
    real::failure(libc::EOPNOTSUPP)
}
