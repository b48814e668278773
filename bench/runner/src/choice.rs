//! Which rows the pages have that are not to have all: those that their question is about, so that
//! they can be measured again in minutes. A text chooses the rows that have it in their name, where
//! that stands between `| ` and ` |`.

/// What at least one of the other runtimes offers, too: see `peers/src`.
pub(crate) const OFFERED: &[&str] = &[
    "spawn+join, one by one",
    "spawn 1000, join all",
    "yield_now",
    "spawn_blocking round trip",
    "bytes of",
    "ping-pong, two mpsc(1)",
    "mpsc(100), ",
    "mpsc unbounded",
    "oneshot",
    "request/reply",
    "uncontended",
    "Mutex, 8 tasks",
    "timeout around ready |",
    "timeout around a yield |",
    "| fs::",
    "| echo 64 B, 100 connections |",
    "| echo 64 B, 4000 connections |",
    "| echo 64 B, 1000 a second |",
    "| echo 64 B, 20000 a second |",
];

/// What one of tokio's switches decides, by that switch. What is done by one task, or by no task at
/// all, none of them reaches.
pub(crate) const SWITCHED: &[&str] = &[
    // enable_alt_timer
    "timeout around a yield |",
    "timeout around a yield beside 1000 ",
    "beside 100000 timers",
    "one million timeouts",
    // enable_eager_driver_handoff
    "timers beside polls",
    "a socket beside polls",
    "echo 64 B, 100 connections |",
    "echo 64 B, 20000 a second",
    // enable_sharded_blocking_queue
    "spawn_blocking round trip",
    "spawn_blocking from 1 ",
    "spawn_blocking from 16 ",
    // enable_io_uring
    "| fs::read of 4 KiB",
    // disable_lifo_slot
    "ping-pong",
    "request/reply",
    "woken behind a poll",
    "chain of 16",
    // event_interval
    "spawn 1000, join all",
    "yield_now",
    "mpsc(100), ",
    "Mutex, 8 tasks",
    // global_queue_interval
    "spawn+join, one by one",
    "spawned from outside",
];

/// What the compiler's choice of what to inline decides: all but what the kernel, a thread's sleep
/// or a clock does.
pub(crate) const INLINED: &[&str] = &[
    "spawn+join, one by one",
    "spawn 1000, join all",
    "JoinSet",
    "yield_now",
    "ping-pong",
    "mpsc",
    "broadcast",
    "oneshot",
    "request/reply",
    "select!",
    "duplex",
    "uncontended",
    "Mutex, 8 tasks",
    "timeout around ready",
    "timeout around a yield |",
    "chain of 16",
    "echo 64 B, 100 connections |",
    "HTTP GET",
];
