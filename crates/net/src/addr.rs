//! What can be turned into addresses: [`ToSocketAddrs`], [`lookup_host`].

use std::future::Future;
use std::io;
use std::net::ToSocketAddrs as StdToSocketAddrs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe};
use std::vec;

use yamanote_driver::context;
use yamanote_driver::op::{self, Question};

/// What can be turned into one or more addresses, perhaps by asking for a name.
///
/// Sealed: implemented for addresses, pairs of a name or an address and a port, and strings.
pub trait ToSocketAddrs: sealed::Resolve {}

mod sealed {
    /// The part of [`ToSocketAddrs`](super::ToSocketAddrs) that nobody else can implement.
    pub trait Resolve {
        /// The addresses, or the question for them.
        fn resolve(&self) -> super::Resolution;
    }
}

use sealed::Resolve;

/// The addresses, or the question for them.
#[derive(Debug)]
pub enum Resolution {
    /// They are known.
    Known(io::Result<Addrs>),
    /// They are being asked for.
    Asked(Question<vec::IntoIter<SocketAddr>>),
}

/// Some addresses.
#[derive(Clone, Debug)]
pub enum Addrs {
    /// One at most.
    One(Option<SocketAddr>),
    /// Any number.
    Many(vec::IntoIter<SocketAddr>),
}

/// The addresses of `host`: a name (or an address) with a port.
///
/// On the real system its resolver is asked, on the pool; in a simulated world, the world.
///
/// *Cancel safety:* dropped before its turn on the pool, it is not asked; once it is, the thread
/// stays there until it answers.
///
/// # Errors
/// When there is no such host, or nobody can tell.
pub async fn lookup_host<T>(host: T) -> io::Result<impl Iterator<Item = SocketAddr>>
where
    T: ToSocketAddrs,
{
    addrs_of(host).await
}

/// The addresses of `addr`.
pub(crate) async fn addrs_of(addr: impl ToSocketAddrs) -> io::Result<Addrs> {
    let question = match addr.resolve() {
        Resolution::Known(addrs) => return addrs,
        Resolution::Asked(question) => question,
    };
    question.await.map(Addrs::Many)
}

/// The first address of `addr` with which `f` succeeds, what `f` returned; else the last error.
///
/// An attempt that panics leaves nothing that another would see.
pub(crate) async fn first_success<T, F>(
    addr: impl ToSocketAddrs,
    mut f: impl FnMut(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut last_error = AssertUnwindSafe(None);
    let addrs = addrs_of(addr).await?;
    for addr in addrs {
        match AssertUnwindSafe(f(addr)).await {
            Ok(value) => return Ok(value),
            Err(error) => *last_error = Some(error),
        }
    }
    Err(last_error.0.unwrap_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "could not resolve to any address",
        )
    }))
}

impl Iterator for Addrs {
    type Item = SocketAddr;

    fn next(&mut self) -> Option<SocketAddr> {
        match self {
            Addrs::One(addr) => addr.take(),
            Addrs::Many(addrs) => addrs.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Addrs::One(addr) => (
                usize::from(addr.is_some()),
                Some(usize::from(addr.is_some())),
            ),
            Addrs::Many(addrs) => addrs.size_hint(),
        }
    }
}

// Addresses and errors are whole, whatever panics meanwhile.
impl UnwindSafe for Resolution {}
impl RefUnwindSafe for Resolution {}

fn one(addr: SocketAddr) -> Resolution {
    Resolution::Known(Ok(Addrs::One(Some(addr))))
}

/// Asks for the addresses of `name` with `port`.
#[track_caller]
fn ask(name: &str, port: u16) -> Resolution {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return one(SocketAddr::new(ip, port));
    }
    if let Some(host) = context::host() {
        let found = host.lookup(name);
        let with_port = |ip| SocketAddr::new(ip, port);
        let addrs = found.addresses.map(|ips| {
            let addrs: Vec<_> = ips.into_iter().map(with_port).collect();
            addrs.into_iter()
        });
        let addrs = addrs.map_err(io::Error::from);
        if found.takes.is_zero() {
            return Resolution::Known(addrs.map(Addrs::Many));
        }
        let alarm = host.world().alarm("a lookup: its answer", found.takes);
        return Resolution::Asked(Question::after(alarm, addrs));
    }
    let name = name.to_string();
    Resolution::Asked(op::ask(move || (name.as_str(), port).to_socket_addrs()))
}

impl ToSocketAddrs for SocketAddr {}

impl Resolve for SocketAddr {
    fn resolve(&self) -> Resolution {
        one(*self)
    }
}

impl ToSocketAddrs for SocketAddrV4 {}

impl Resolve for SocketAddrV4 {
    fn resolve(&self) -> Resolution {
        one((*self).into())
    }
}

impl ToSocketAddrs for SocketAddrV6 {}

impl Resolve for SocketAddrV6 {
    fn resolve(&self) -> Resolution {
        one((*self).into())
    }
}

impl ToSocketAddrs for (IpAddr, u16) {}

impl Resolve for (IpAddr, u16) {
    fn resolve(&self) -> Resolution {
        one((*self).into())
    }
}

impl ToSocketAddrs for (Ipv4Addr, u16) {}

impl Resolve for (Ipv4Addr, u16) {
    fn resolve(&self) -> Resolution {
        one((*self).into())
    }
}

impl ToSocketAddrs for (Ipv6Addr, u16) {}

impl Resolve for (Ipv6Addr, u16) {
    fn resolve(&self) -> Resolution {
        one((*self).into())
    }
}

impl ToSocketAddrs for &[SocketAddr] {}

impl Resolve for &[SocketAddr] {
    fn resolve(&self) -> Resolution {
        Resolution::Known(Ok(Addrs::Many(Vec::from(*self).into_iter())))
    }
}

impl ToSocketAddrs for str {}

impl Resolve for str {
    #[track_caller]
    fn resolve(&self) -> Resolution {
        if let Ok(addr) = self.parse() {
            return one(addr);
        }
        let parts = self.rsplit_once(':');
        match parts.and_then(|(name, port)| Some((name, port.parse().ok()?))) {
            Some((name, port)) => ask(name, port),
            // It asks nobody either, and says what is wrong.
            None => Resolution::Known(self.to_socket_addrs().map(Addrs::Many)),
        }
    }
}

impl ToSocketAddrs for String {}

impl Resolve for String {
    #[track_caller]
    fn resolve(&self) -> Resolution {
        self.as_str().resolve()
    }
}

impl ToSocketAddrs for (&str, u16) {}

impl Resolve for (&str, u16) {
    #[track_caller]
    fn resolve(&self) -> Resolution {
        ask(self.0, self.1)
    }
}

impl ToSocketAddrs for (String, u16) {}

impl Resolve for (String, u16) {
    #[track_caller]
    fn resolve(&self) -> Resolution {
        ask(&self.0, self.1)
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {}

impl<T: Resolve + ?Sized> Resolve for &T {
    #[track_caller]
    fn resolve(&self) -> Resolution {
        (**self).resolve()
    }
}
