//! Sockets that crates make by themselves, with `std` or `socket2`, before they give them to the
//! runtime: the world says where they are bound, and the system is not asked. What would lead to
//! the real network is refused.

use std::ffi::{c_int, c_long};
use std::mem::{offset_of, size_of};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use yamanote_base::simulated::{self, Binding};

use crate::real;

/// The level of options that each socket has.
const SOCKET: c_int = libc::SOL_SOCKET;

/// # Safety
/// At `addr` there is an address of `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn bind(
    socket: c_int,
    addr: *const libc::sockaddr,
    len: libc::socklen_t,
) -> c_int {
    let surroundings = simulated::surroundings();
    // SAFETY: the caller's promise.
    let Some((surroundings, inet)) = surroundings.zip(unsafe { read_inet(addr, len) }) else {
        // SAFETY: the caller's promise.
        return unsafe { call(libc::SYS_bind, socket, addr, len) };
    };
    let Some(cookie) = option(socket, SOCKET, libc::SO_COOKIE) else {
        return real::failure(libc::EBADF) as c_int;
    };
    let is_set = |level, name| option(socket, level, name).is_some_and(|value| value != 0);
    let how = Binding {
        is_stream: option(socket, SOCKET, libc::SO_TYPE) == Some(libc::SOCK_STREAM as u64),
        only_v6: inet.is_ipv6() && is_set(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
        reuse_port: is_set(SOCKET, libc::SO_REUSEPORT),
    };
    let _outside = simulated::leave();
    match (surroundings.bind)(cookie, inet, how) {
        Ok(()) => 0,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            real::failure(libc::EADDRINUSE) as c_int
        }
        Err(_) => real::failure(libc::EADDRNOTAVAIL) as c_int,
    }
}

/// A socket that is bound in the world listens there, once the runtime has it.
#[unsafe(no_mangle)]
extern "C" fn listen(socket: c_int, backlog: c_int) -> c_int {
    if bound(socket).is_some() {
        return 0;
    }
    let args = [c_long::from(socket), c_long::from(backlog), 0, 0, 0, 0];
    // SAFETY: the call wants two numbers.
    unsafe { real::syscall(libc::SYS_listen, args) as c_int }
}

/// # Safety
/// At `addr` there is an address of `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn connect(
    socket: c_int,
    addr: *const libc::sockaddr,
    len: libc::socklen_t,
) -> c_int {
    let surroundings = simulated::surroundings();
    // SAFETY: the caller's promise.
    let Some((surroundings, _)) = surroundings.zip(unsafe { read_inet(addr, len) }) else {
        // SAFETY: the caller's promise.
        return unsafe { call(libc::SYS_connect, socket, addr, len) };
    };
    (surroundings.note)("connect(2) of a socket that is not the runtime's, which is refused");
    real::failure(libc::ENETUNREACH) as c_int
}

/// # Safety
/// At `addr` there is room for `len` bytes, which may be changed.
#[unsafe(no_mangle)]
unsafe extern "C" fn getsockname(
    socket: c_int,
    addr: *mut libc::sockaddr,
    len: *mut libc::socklen_t,
) -> c_int {
    if let Some(bound) = bound(socket) {
        // SAFETY: the caller's promise.
        unsafe { write_inet(bound, addr, len) };
        return 0;
    }
    let args = [
        c_long::from(socket),
        addr.addr() as c_long,
        len.addr() as c_long,
        0,
        0,
        0,
    ];
    // SAFETY: the caller's promise.
    unsafe { real::syscall(libc::SYS_getsockname, args) as c_int }
}

/// # Safety
/// At `addr` there is an address of `len` bytes.
unsafe fn call(
    number: c_long,
    socket: c_int,
    addr: *const libc::sockaddr,
    len: libc::socklen_t,
) -> c_int {
    let (addr, len) = (addr.addr() as c_long, c_long::from(len));
    // SAFETY: the caller's promise.
    unsafe { real::syscall(number, [c_long::from(socket), addr, len, 0, 0, 0]) as c_int }
}

/// Where the world has bound it.
fn bound(socket: c_int) -> Option<SocketAddr> {
    let surroundings = simulated::surroundings()?;
    let cookie = option(socket, SOCKET, libc::SO_COOKIE)?;
    let _outside = simulated::leave();
    (surroundings.bound)(cookie)
}

/// A number that the system knows of a socket.
pub(crate) fn option(socket: c_int, level: c_int, name: c_int) -> Option<u64> {
    let mut value = 0_u64;
    let mut len = size_of::<u64>() as libc::socklen_t;
    let place = (&raw mut value).cast();
    // SAFETY: `value` has as many bytes as `len` says.
    let result = unsafe { libc::getsockopt(socket, level, name, place, &raw mut len) };
    (result == 0).then_some(value)
}

/// # Safety
/// At `addr`, unless it is null, there is an address of `len` bytes.
unsafe fn read_inet(addr: *const libc::sockaddr, len: libc::socklen_t) -> Option<SocketAddr> {
    let len = len as usize;
    if addr.is_null() || len < size_of::<libc::sa_family_t>() {
        return None;
    }
    // SAFETY: the family is the first of each address.
    let family = unsafe { addr.cast::<libc::sa_family_t>().read_unaligned() };
    match c_int::from(family) {
        libc::AF_INET if len >= size_of::<libc::sockaddr_in>() => {
            // SAFETY: its family and its length say so.
            let addr = unsafe { addr.cast::<libc::sockaddr_in>().read_unaligned() };
            let ip = Ipv4Addr::from(addr.sin_addr.s_addr.to_ne_bytes());
            Some(SocketAddrV4::new(ip, u16::from_be(addr.sin_port)).into())
        }
        // The number of the interface is the last, and may be missing.
        libc::AF_INET6 if len >= offset_of!(libc::sockaddr_in6, sin6_scope_id) => {
            // SAFETY: all bits may be nought.
            let mut whole: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
            let len = len.min(size_of::<libc::sockaddr_in6>());
            let (from, to) = (addr.cast::<u8>(), (&raw mut whole).cast::<u8>());
            // SAFETY: so many bytes are there, and as many have room.
            unsafe { std::ptr::copy_nonoverlapping(from, to, len) };
            let (ip, port) = (Ipv6Addr::from(whole.sin6_addr.s6_addr), whole.sin6_port);
            let port = u16::from_be(port);
            Some(SocketAddrV6::new(ip, port, whole.sin6_flowinfo, whole.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// As much of the address as has room; `len` says how long it is.
///
/// # Safety
/// At `to` there is room for `len` bytes, which may be changed.
pub(crate) unsafe fn write_inet(
    addr: SocketAddr,
    to: *mut libc::sockaddr,
    len: *mut libc::socklen_t,
) {
    // SAFETY: all bits may be nought.
    let mut whole: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let from = &raw mut whole;
    let size = match addr {
        SocketAddr::V4(addr) => {
            let value = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: addr.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(addr.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            // SAFETY: a storage has room for each address.
            unsafe { from.cast::<libc::sockaddr_in>().write(value) };
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(addr) => {
            let value = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: addr.port().to_be(),
                sin6_flowinfo: addr.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: addr.ip().octets(),
                },
                sin6_scope_id: addr.scope_id(),
            };
            // SAFETY: as above.
            unsafe { from.cast::<libc::sockaddr_in6>().write(value) };
            size_of::<libc::sockaddr_in6>()
        }
    };
    // SAFETY: the caller's promise.
    let room = unsafe { len.read() } as usize;
    // SAFETY: as many bytes as both have.
    unsafe { std::ptr::copy_nonoverlapping(from.cast::<u8>(), to.cast::<u8>(), size.min(room)) };
    // SAFETY: the caller's promise.
    unsafe { len.write(size as libc::socklen_t) };
}
