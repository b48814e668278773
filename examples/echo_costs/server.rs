//! A server in a process of its own, and what the system says of that process.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use rustix::param::clock_ticks_per_second;

/// Killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
}

/// Since the process began; memory and threads as they are now.
pub(crate) struct Usage {
    pub(crate) memory_kib: u64,
    pub(crate) threads: u64,
    pub(crate) cpu: Duration,
}

impl Server {
    pub(crate) fn start(model: &str) -> io::Result<Server> {
        let mut command = Command::new(env::current_exe()?);
        let mut child = command
            .args(["serve", model])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let not_an_addr = |_| io::Error::other("the server did not say where it listens");
        let addr = line.trim().parse().map_err(not_an_addr)?;
        Ok(Server { child, addr })
    }

    /// From `/proc`, so on Linux only.
    pub(crate) fn usage(&self) -> io::Result<Usage> {
        let folder = format!("/proc/{}", self.child.id());
        let status = fs::read_to_string(format!("{folder}/status"))?;
        let stat = fs::read_to_string(format!("{folder}/stat"))?;
        Ok(Usage {
            memory_kib: number(status.lines(), "VmRSS:")?,
            threads: number(status.lines(), "Threads:")?,
            cpu: cpu(&stat).ok_or(io::ErrorKind::InvalidData)?,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either fails only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number<'a>(mut lines: impl Iterator<Item = &'a str>, name: &str) -> io::Result<u64> {
    let value = lines.find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
    let parsed = value.and_then(|value| value.parse().ok());
    parsed.ok_or_else(|| io::Error::other(format!("no `{name}` in its status")))
}

/// In user and in system mode: fields 14 and 15; the second, a name, may contain anything.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, from_third) = stat.rsplit_once(") ")?;
    let mut fields = from_third.split(' ').skip(11).map(str::parse::<u64>);
    let ticks = fields.next()?.ok()? + fields.next()?.ok()?;
    Some(Duration::from_secs_f64(
        ticks as f64 / clock_ticks_per_second() as f64,
    ))
}
