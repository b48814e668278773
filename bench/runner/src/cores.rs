//! Which core a program stays on, how long it has had one, how often it has slept, and what TCP has
//! sent meanwhile.

use std::io;

/// Has the current thread, and the programs that it starts from here on, stay on `core`.
pub(crate) fn stay_on(core: usize) -> io::Result<()> {
    // SAFETY: a set of cores is plain bits, of which all may be zero.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the core is one of those that a set can name.
    unsafe { libc::CPU_SET(core % libc::CPU_SETSIZE as usize, &mut set) };
    // SAFETY: the set lives through the call, and has this size.
    let done = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Nanoseconds that the threads of a process were on a core.
pub(crate) fn used_ns(process: u32) -> io::Result<u64> {
    of_threads(process, "schedstat", |told| {
        told.split_whitespace().next()?.parse().ok()
    })
}

/// How often the threads of a process went to sleep.
pub(crate) fn sleeps(process: u32) -> io::Result<u64> {
    of_threads(process, "status", |told| {
        let mut lines = told.lines();
        let sleeps = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        sleeps.trim().parse().ok()
    })
}

/// The sum of what the system tells of each thread in `file`.
fn of_threads(process: u32, file: &str, parse: impl Fn(&str) -> Option<u64>) -> io::Result<u64> {
    let mut sum = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        // One that has ended meanwhile is left out.
        if let Ok(told) = std::fs::read_to_string(thread?.path().join(file)) {
            let unknown = || io::Error::other(format!("the system's {file} is not understood"));
            sum += parse(&told).ok_or_else(unknown)?;
        }
    }
    Ok(sum)
}

/// TCP segments that this system has sent so far.
pub(crate) fn segments_sent() -> io::Result<u64> {
    let told = std::fs::read_to_string("/proc/net/snmp")?;
    // A line of names, and one of numbers.
    let mut lines = told.lines().filter(|line| line.starts_with("Tcp:"));
    let names = lines.next().unwrap_or_default().split_whitespace();
    let mut numbers = lines.next().unwrap_or_default().split_whitespace();
    let sent = names.zip(&mut numbers).find(|(name, _)| *name == "OutSegs");
    let sent = sent.and_then(|(_, number)| number.parse().ok());
    sent.ok_or_else(|| io::Error::other("the system does not tell what TCP has sent"))
}
