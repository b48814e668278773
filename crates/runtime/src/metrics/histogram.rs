//! Histograms of poll times and of schedule latencies, if the builder asked for them.

use std::ops::Range;
use std::time::Duration;

use yamanote_sched::histogram::{Histogram, HistogramConfiguration};
use yamanote_sched::metrics::Measured;

use super::RuntimeMetrics;
use crate::handle::Scheduler;

impl RuntimeMetrics {
    /// Whether poll times are counted: see
    /// [`enable_metrics_poll_time_histogram`](crate::Builder::enable_metrics_poll_time_histogram).
    #[must_use]
    pub fn poll_time_histogram_enabled(&self) -> bool {
        self.measured().poll_times.is_some()
    }

    /// How many ranges of poll times are told apart; 0 if they are not counted.
    #[must_use]
    pub fn poll_time_histogram_num_buckets(&self) -> usize {
        buckets(self.measured().poll_times.as_ref())
    }

    /// The poll times that fall into `bucket`; an empty range if they are not counted.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .build()
    ///     .unwrap();
    /// let us = Duration::from_micros;
    /// assert_eq!(runtime.metrics().poll_time_histogram_bucket_range(1), us(100)..us(200));
    /// ```
    ///
    /// # Panics
    /// When they are counted, and there is no such bucket.
    #[must_use]
    #[track_caller]
    pub fn poll_time_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        range(self.measured().poll_times.as_ref(), bucket)
    }

    /// How many polls of `worker` took a time that falls into `bucket`; 0 if they are not counted.
    ///
    /// # Panics
    /// When there is no such worker, and when poll times are counted and there is no such bucket.
    #[must_use]
    #[track_caller]
    pub fn poll_time_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        count(self.worker(worker).poll_times(), bucket)
    }

    /// Whether latencies are counted: see
    /// [`enable_metrics_schedule_latency_histogram`][enable].
    ///
    /// [enable]: crate::Builder::enable_metrics_schedule_latency_histogram
    #[must_use]
    pub fn schedule_latency_histogram_enabled(&self) -> bool {
        self.measured().latencies.is_some()
    }

    /// How many ranges of latencies are told apart; 0 if they are not counted.
    #[must_use]
    pub fn schedule_latency_histogram_num_buckets(&self) -> usize {
        buckets(self.measured().latencies.as_ref())
    }

    /// The latencies that fall into `bucket`; an empty range if they are not counted.
    ///
    /// # Panics
    /// When they are counted, and there is no such bucket.
    #[must_use]
    #[track_caller]
    pub fn schedule_latency_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        range(self.measured().latencies.as_ref(), bucket)
    }

    /// How many polls of `worker` came after a latency that falls into `bucket`; 0 if they are
    /// not counted.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .enable_metrics_schedule_latency_histogram()
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// let metrics = runtime.metrics();
    /// let buckets = 0..metrics.schedule_latency_histogram_num_buckets();
    /// let counts = buckets.map(|i| metrics.schedule_latency_histogram_bucket_count(0, i));
    /// assert_eq!(counts.sum::<u64>(), 1);
    /// ```
    ///
    /// # Panics
    /// When there is no such worker, and when latencies are counted and there is no such bucket.
    #[must_use]
    #[track_caller]
    pub fn schedule_latency_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        count(self.worker(worker).latencies(), bucket)
    }

    fn measured(&self) -> &Measured {
        let config = match self.handle.scheduler() {
            Scheduler::Multi(multi) => multi.config(),
            Scheduler::Local(local) => local.config(),
            Scheduler::Sim(host) => host.sim().config(),
        };
        &config.measured
    }
}

fn buckets(ranges: Option<&HistogramConfiguration>) -> usize {
    ranges.map_or(0, HistogramConfiguration::buckets)
}

#[track_caller]
fn range(ranges: Option<&HistogramConfiguration>, bucket: usize) -> Range<Duration> {
    match ranges {
        Some(ranges) => ranges.range(bucket),
        None => Duration::ZERO..Duration::ZERO,
    }
}

#[track_caller]
fn count(histogram: Option<&Histogram>, bucket: usize) -> u64 {
    match histogram {
        Some(histogram) => histogram.count(bucket),
        None => 0,
    }
}
