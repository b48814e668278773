//! Names of hosts: `getaddrinfo`, which `std` and with it many clients ask, is answered by the
//! world, after the while that it takes there.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use yamanote_base::simulated::{self, Surroundings, Unresolved};

use crate::real::Real;
use crate::sockets;

static GETADDRINFO: Real = Real::new(c"getaddrinfo");
static FREEADDRINFO: Real = Real::new(c"freeaddrinfo");

type Getaddrinfo = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    *const libc::addrinfo,
    *mut *mut libc::addrinfo,
) -> c_int;
type Freeaddrinfo = unsafe extern "C" fn(*mut libc::addrinfo);

/// What the name in each answer of ours points to, and in none of the system's.
static OURS: &CStr = c"";

/// One address in a list of answers.
#[repr(C)]
struct Answer {
    /// The first, so that a pointer to it points to all.
    info: libc::addrinfo,
    addr: libc::sockaddr_storage,
}

/// # Safety
/// As the C library's: strings or null, hints or null, a place for the answer.
#[unsafe(no_mangle)]
unsafe extern "C" fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const libc::addrinfo,
    answer: *mut *mut libc::addrinfo,
) -> c_int {
    let Some(surroundings) = simulated::surroundings() else {
        let Some(real) = GETADDRINFO.get() else {
            return libc::EAI_FAIL;
        };
        // SAFETY: it is the C library's function of this name and type.
        let real = unsafe { std::mem::transmute::<*mut c_void, Getaddrinfo>(real) };
        // SAFETY: the caller's promise.
        return unsafe { real(node, service, hints, answer) };
    };
    // SAFETY: the caller's promise.
    let node = unsafe { text(node) };
    // SAFETY: as above.
    let service = unsafe { text(service) };
    // SAFETY: as above.
    let wish = unsafe { hints.as_ref() }.map_or(Wish::default(), Wish::of);
    match find(surroundings, node, service, &wish) {
        Ok(addrs) => {
            // SAFETY: as above.
            unsafe { answer.write(list(&addrs, &wish)) };
            0
        }
        Err(error) => error,
    }
}

/// # Safety
/// `list` is an answer of [`getaddrinfo`] that nobody uses any more.
#[unsafe(no_mangle)]
unsafe extern "C" fn freeaddrinfo(list: *mut libc::addrinfo) {
    // SAFETY: the caller's promise.
    let is_ours = unsafe { list.as_ref() }
        .is_some_and(|first| std::ptr::eq(first.ai_canonname, OURS.as_ptr()));
    if !is_ours {
        if let Some(real) = FREEADDRINFO.get() {
            // SAFETY: it is the C library's function of this name and type.
            let real = unsafe { std::mem::transmute::<*mut c_void, Freeaddrinfo>(real) };
            // SAFETY: the caller's promise.
            unsafe { real(list) };
        }
        return;
    }
    let mut next = list.cast::<Answer>();
    // Bounded by the length of the list.
    while !next.is_null() {
        // SAFETY: list() has made it of a box.
        let answer = unsafe { Box::from_raw(next) };
        next = answer.info.ai_next.cast();
    }
}

/// Which answers are wanted.
#[derive(Default)]
struct Wish {
    flags: c_int,
    family: c_int,
    socket: c_int,
    protocol: c_int,
}

impl Wish {
    fn of(hints: &libc::addrinfo) -> Self {
        Self {
            flags: hints.ai_flags,
            family: hints.ai_family,
            socket: hints.ai_socktype,
            protocol: hints.ai_protocol,
        }
    }

    fn wants(&self, ip: IpAddr) -> bool {
        match self.family {
            libc::AF_INET => ip.is_ipv4(),
            libc::AF_INET6 => ip.is_ipv6(),
            _ => true,
        }
    }
}

/// # Safety
/// `text` is null or a string that outlives the call.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

fn find(
    surroundings: &Surroundings,
    node: Option<&CStr>,
    service: Option<&CStr>,
    wish: &Wish,
) -> Result<Vec<SocketAddr>, c_int> {
    let port = match service.map(|text| text.to_str().unwrap_or_default().parse()) {
        None => 0,
        Some(Ok(port)) => port,
        Some(Err(_)) => return Err(libc::EAI_SERVICE),
    };
    let ips = match node.map(|text| text.to_str().unwrap_or_default()) {
        Some(name) => find_name(surroundings, name, wish)?,
        None if wish.flags & libc::AI_PASSIVE != 0 => {
            vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
        }
        None => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    };
    let wanted = ips.into_iter().filter(|ip| wish.wants(*ip));
    let addrs: Vec<_> = wanted.map(|ip| SocketAddr::new(ip, port)).collect();
    match addrs.is_empty() {
        true => Err(libc::EAI_NONAME),
        false => Ok(addrs),
    }
}

fn find_name(surroundings: &Surroundings, name: &str, wish: &Wish) -> Result<Vec<IpAddr>, c_int> {
    if let Ok(ip) = name.parse() {
        return Ok(vec![ip]);
    }
    if wish.flags & libc::AI_NUMERICHOST != 0 {
        return Err(libc::EAI_NONAME);
    }
    (surroundings.resolve)(name).map_err(|failure| match failure {
        Unresolved::Unknown => libc::EAI_NONAME,
        Unresolved::Temporary => libc::EAI_AGAIN,
    })
}

/// The addresses as the C library lists them.
fn list(addrs: &[SocketAddr], wish: &Wish) -> *mut libc::addrinfo {
    let mut next = std::ptr::null_mut::<Answer>();
    for addr in addrs.iter().rev() {
        let family = match addr {
            SocketAddr::V4(_) => libc::AF_INET,
            SocketAddr::V6(_) => libc::AF_INET6,
        };
        let answer = Box::into_raw(Box::new(Answer {
            info: libc::addrinfo {
                ai_flags: wish.flags,
                ai_family: family,
                ai_socktype: match wish.socket {
                    0 => libc::SOCK_STREAM,
                    wanted => wanted,
                },
                ai_protocol: wish.protocol,
                ai_addrlen: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
                ai_addr: std::ptr::null_mut(),
                ai_canonname: OURS.as_ptr().cast_mut(),
                ai_next: next.cast(),
            },
            // SAFETY: all bits may be nought.
            addr: unsafe { std::mem::zeroed() },
        }));
        // SAFETY: it was made just above.
        let place = unsafe { &raw mut (*answer).addr };
        // SAFETY: as above.
        let len = unsafe { &raw mut (*answer).info.ai_addrlen };
        // SAFETY: `len` is the size of what is there.
        unsafe { sockets::write_inet(*addr, place.cast(), len) };
        // SAFETY: as above.
        unsafe { (*answer).info.ai_addr = place.cast() };
        next = answer;
    }
    next.cast()
}
