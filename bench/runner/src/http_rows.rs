//! HTTP through axum: `GET` over keep-alive connections, driven from one thread over epoll.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::echo::Server;
use crate::http;
use crate::table::{Results, Side};

const CONNECTIONS: usize = 100;

/// Measures it on one thread and on two, the sides in turn.
pub(crate) fn rows(
    short: bool,
    filter: Option<&str>,
    sides: &[Side],
    results: &mut Results,
    program: &impl Fn(Side) -> PathBuf,
) -> io::Result<()> {
    let time = Duration::from_millis(if short { 500 } else { 2000 });
    let name = format!("HTTP GET through axum, {CONNECTIONS} connections");
    if filter.is_some_and(|filter| !name.contains(filter)) {
        return Ok(());
    }
    for flavor in ["ct", "mt"] {
        for &side in sides {
            let server = Server::start(&program(side), &[flavor])?;
            let request = |_, _| b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec();
            let answered = http::drive(server.addr, CONNECTIONS, time, request)?;
            let row = |unit: &str| (format!("{name} | {flavor}"), unit.to_owned());
            results.add(row("req/s"), side, answered.per_second, None);
            results.add(row("us, p99"), side, answered.p99_us, None);
        }
    }
    Ok(())
}
