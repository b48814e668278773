//! Counters of what the service did; `GET /stats` shows them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tokio::time::Instant;

/// A number that many tasks add to. Relaxed throughout: nothing else is published by it.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds one.
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds some.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Takes one away again.
    pub fn take_one(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters of the service since it started.
#[derive(Debug)]
#[allow(
    missing_docs,
    reason = "named after what they count; `Report` says it in words"
)]
pub struct Stats {
    started: Instant,
    pub requests: Count,
    pub failed: Count,
    pub open: Count,
    pub accepted: Count,
    pub refused: Count,
    pub accept_errors: Count,
    pub commits: Count,
    pub writes: Count,
    pub write_errors: Count,
    pub rewrites: Count,
    pub missed: Count,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            requests: Count::default(),
            failed: Count::default(),
            open: Count::default(),
            accepted: Count::default(),
            refused: Count::default(),
            accept_errors: Count::default(),
            commits: Count::default(),
            writes: Count::default(),
            write_errors: Count::default(),
            rewrites: Count::default(),
            missed: Count::default(),
        }
    }
}

/// The body of `GET /stats`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Seconds since the start.
    pub uptime_s: f64,
    /// Requests answered.
    pub requests: u64,
    /// Requests answered with a status of 500 or more.
    pub failed: u64,
    /// Connections open now.
    pub connections: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections turned away because there were too many.
    pub refused: u64,
    /// Times that accepting failed, out of descriptors for example.
    pub accept_errors: u64,
    /// Frames written and synced.
    pub commits: u64,
    /// Records in them.
    pub writes: u64,
    /// Frames that could not be written or synced.
    pub write_errors: u64,
    /// Times that the log was rewritten.
    pub rewrites: u64,
    /// Listeners to changes now.
    pub listeners: u64,
    /// Changes that slow listeners missed.
    pub missed: u64,
    /// Keys.
    pub keys: u64,
    /// Bytes of keys and values.
    pub live_bytes: u64,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// The sequence number of the latest change.
    pub sequence: u64,
    /// Whether writes are refused until the log could be rewritten.
    pub in_doubt: bool,
}

impl Stats {
    /// The counters as a report; what only the store and the feed know is still zero in it.
    pub fn report(&self) -> Report {
        Report {
            uptime_s: self.started.elapsed().as_secs_f64(),
            requests: self.requests.get(),
            failed: self.failed.get(),
            connections: self.open.get(),
            accepted: self.accepted.get(),
            refused: self.refused.get(),
            accept_errors: self.accept_errors.get(),
            commits: self.commits.get(),
            writes: self.writes.get(),
            write_errors: self.write_errors.get(),
            rewrites: self.rewrites.get(),
            listeners: 0,
            missed: self.missed.get(),
            keys: 0,
            live_bytes: 0,
            log_bytes: 0,
            sequence: 0,
            in_doubt: false,
        }
    }
}
