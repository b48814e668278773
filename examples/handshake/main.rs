//! One handshake as a chain of combinators and as `async`, and what each of them allocates.

mod awaits;
mod chain;
mod proxy;
mod socks5;

use std::future::Future;
use std::io;

use futures::FutureExt;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

fn main() -> io::Result<()> {
    // One thread, since allocations are counted by thread; the proxy's are not among them.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let target = proxy::start_target("hello from behind the proxy")?;
    let proxy = proxy::start_proxy()?;

    let chained = || chain::connect_through(proxy, target);
    let awaited = || awaits::connect_through(proxy, target);
    // The same chain where its type may not be known, as in a `Vec` of futures: a box more.
    let boxed = || chain::connect_through(proxy, target).boxed();
    show(&runtime, "and_then", chained)?;
    show(&runtime, "async", awaited)?;
    show(&runtime, "boxed", boxed)
}

/// Shakes hands, hears what the target says, and prints what it took.
fn show<F>(runtime: &Runtime, name: &str, connect: impl Fn() -> F) -> io::Result<()>
where
    F: Future<Output = io::Result<TcpStream>>,
{
    let bytes = size_of_val(&connect());
    let mut heard = String::new();
    let mut least = u64::MAX;
    for _ in 0..10 {
        let mut stream = None;
        let counted = allocation_counter::measure(|| {
            stream = Some(runtime.block_on(connect()));
        });
        // The least of several: what is allocated once and then kept is nobody's price.
        least = least.min(counted.count_total);
        let mut stream = stream.ok_or(io::ErrorKind::Other)??;
        heard.clear();
        runtime.block_on(stream.read_to_string(&mut heard))?;
    }
    println!("{name}: allocations: {least}, bytes: {bytes}, heard: {heard}");
    Ok(())
}
