//! How often a duration fell into which range: [`Histogram`], and how its ranges are chosen.
//!
//! A bucket is a range of nanoseconds; the first begins at 0, the last has no end. One thread
//! records, any thread reads.

pub mod log;

use std::ops::Range;
use std::time::Duration;

use crate::metrics::Counter;
pub use log::{InvalidHistogramConfiguration, LogHistogram, LogHistogramBuilder};

/// The ranges of a histogram of durations.
///
/// Given to `Builder::metrics_poll_time_histogram_configuration` and to its twin for the schedule
/// latency.
///
/// ```
/// use std::time::Duration;
/// use tokio::runtime::{Builder, HistogramConfiguration, LogHistogram};
///
/// let coarse = HistogramConfiguration::linear(Duration::from_millis(1), 5);
/// let fine = HistogramConfiguration::log(LogHistogram::builder().max_error(0.1));
/// for (ranges, buckets) in [(coarse, 5), (fine, 469)] {
///     let runtime = Builder::new_current_thread()
///         .enable_metrics_poll_time_histogram()
///         .metrics_poll_time_histogram_configuration(ranges)
///         .build()
///         .unwrap();
///     assert_eq!(runtime.metrics().poll_time_histogram_num_buckets(), buckets);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct HistogramConfiguration(Ranges);

#[derive(Clone, Debug)]
enum Ranges {
    /// Each as wide as the first.
    Equal { width_ns: u64, buckets: usize },
    /// Each reaches twice as far as the one before.
    Doubling { first_ns: u64, buckets: usize },
    /// As fine as the value asks for.
    Log(LogHistogram),
}

/// How the buckets of the older configuration grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistogramScale {
    /// Each is as wide as the first.
    Linear,
    /// Each reaches twice as far as the one before.
    Log,
}

/// What fell into each bucket. One thread records.
#[derive(Debug)]
pub struct Histogram {
    ranges: HistogramConfiguration,
    buckets: Box<[Counter]>,
}

impl HistogramConfiguration {
    /// `num_buckets` buckets, each `bucket_width` wide; the last takes all that is longer.
    #[must_use]
    pub fn linear(bucket_width: Duration, num_buckets: usize) -> Self {
        Self(Ranges::Equal {
            width_ns: nanos(bucket_width),
            buckets: num_buckets,
        })
    }

    /// Buckets that are wider for longer durations, so that each is about equally exact.
    ///
    /// See [`LogHistogramBuilder`] for what can be chosen.
    #[must_use]
    pub fn log(configuration: impl Into<LogHistogram>) -> Self {
        Self(Ranges::Log(configuration.into()))
    }

    /// What the older options describe: the first bucket is about `resolution` wide.
    #[must_use]
    pub fn legacy(scale: HistogramScale, resolution: Duration, buckets: usize) -> Self {
        let first_ns = nanos(resolution);
        match scale {
            HistogramScale::Linear => Self::linear(resolution, buckets),
            HistogramScale::Log => Self(Ranges::Doubling {
                first_ns: first_ns.checked_next_power_of_two().unwrap_or(u64::MAX),
                buckets,
            }),
        }
    }

    /// How many buckets there are.
    #[must_use]
    pub fn buckets(&self) -> usize {
        match self.0 {
            Ranges::Equal { buckets, .. } | Ranges::Doubling { buckets, .. } => buckets,
            Ranges::Log(log) => log.buckets(),
        }
    }

    /// What falls into `bucket`; the last one has no end but that of a 64-bit number.
    ///
    /// # Panics
    /// When there is no such bucket.
    #[must_use]
    #[track_caller]
    pub fn range(&self, bucket: usize) -> Range<Duration> {
        let buckets = self.buckets();
        assert!(
            bucket < buckets,
            "the histogram has {buckets} buckets, of which {bucket} is none"
        );
        let end = match bucket + 1 == buckets {
            true => u64::MAX,
            false => self.start_of(bucket + 1),
        };
        Duration::from_nanos(self.start_of(bucket))..Duration::from_nanos(end)
    }

    fn start_of(&self, bucket: usize) -> u64 {
        let number = u64::try_from(bucket).unwrap_or(u64::MAX);
        match self.0 {
            _ if bucket == 0 => 0,
            Ranges::Equal { width_ns, .. } => width_ns.saturating_mul(number),
            Ranges::Doubling { first_ns, .. } => {
                let shift = u32::try_from(bucket - 1).unwrap_or(u32::MAX);
                1_u64
                    .checked_shl(shift)
                    .map_or(u64::MAX, |factor| first_ns.saturating_mul(factor))
            }
            Ranges::Log(log) => log.start_of(bucket),
        }
    }

    /// The bucket of a duration, if there is any bucket.
    fn bucket_of(&self, ns: u64) -> usize {
        let bucket = match self.0 {
            // A width of zero puts all into the last bucket, the only one that is not empty.
            Ranges::Equal { width_ns, .. } => ns.checked_div(width_ns).unwrap_or(u64::MAX),
            Ranges::Doubling { first_ns, .. } => match ns.checked_div(first_ns) {
                Some(0) => 0,
                Some(ratio) => u64::from(ratio.ilog2()) + 1,
                None => u64::MAX,
            },
            Ranges::Log(log) => return log.bucket_of(ns),
        };
        let last = self.buckets().saturating_sub(1);
        usize::try_from(bucket).unwrap_or(last).min(last)
    }
}

impl Histogram {
    /// An empty histogram.
    #[must_use]
    pub fn new(ranges: HistogramConfiguration) -> Self {
        let buckets = (0..ranges.buckets()).map(|_| Counter::default()).collect();
        Self { ranges, buckets }
    }

    /// Counts `duration`. Only the owner may call it.
    pub fn record(&self, duration: Duration) {
        // A histogram without buckets counts nothing.
        if let Some(bucket) = self.buckets.get(self.ranges.bucket_of(nanos(duration))) {
            bucket.add(1);
        }
    }

    /// How many durations fell into `bucket`.
    ///
    /// # Panics
    /// When there is no such bucket.
    #[must_use]
    #[track_caller]
    pub fn count(&self, bucket: usize) -> u64 {
        let buckets = self.buckets.len();
        let Some(bucket) = self.buckets.get(bucket) else {
            panic!("the histogram has {buckets} buckets, of which {bucket} is none")
        };
        bucket.get()
    }
}

/// Ten buckets of 100 microseconds.
impl Default for HistogramConfiguration {
    fn default() -> Self {
        Self::linear(Duration::from_micros(100), 10)
    }
}

/// Nanoseconds; more than 584 years count as that.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn us(n: u64) -> Duration {
        Duration::from_micros(n)
    }

    fn every_range_holds_what_falls_into_it(ranges: &HistogramConfiguration) {
        let mut before = 0;
        for bucket in 0..ranges.buckets() {
            let Range { start, end } = ranges.range(bucket);
            let (start, end) = (nanos(start), nanos(end));
            assert_eq!(start, before, "bucket {bucket}");
            assert!(start < end, "bucket {bucket}");
            assert_eq!(ranges.bucket_of(start), bucket);
            assert_eq!(ranges.bucket_of(end - 1), bucket);
            before = end;
        }
        assert_eq!(before, u64::MAX);
    }

    #[test]
    fn ranges_are_without_gaps_and_hold_what_falls_into_them() {
        every_range_holds_what_falls_into_it(&HistogramConfiguration::default());
        every_range_holds_what_falls_into_it(&HistogramConfiguration::linear(us(50), 1));
        for (resolution, buckets) in [(us(50), 20), (Duration::from_nanos(1), 5)] {
            let log = HistogramConfiguration::legacy(HistogramScale::Log, resolution, buckets);
            every_range_holds_what_falls_into_it(&log);
        }
        for precision in 0..=10 {
            let log = LogHistogram::builder().precision_exact(precision);
            every_range_holds_what_falls_into_it(&HistogramConfiguration::log(log));
            let log = log.min_value(Duration::ZERO).max_value(us(1));
            every_range_holds_what_falls_into_it(&HistogramConfiguration::log(log));
        }
    }

    #[test]
    fn counts_go_where_the_duration_belongs() {
        let histogram = Histogram::new(HistogramConfiguration::linear(us(50), 3));
        for duration in [0, 49, 50, 100, 5000] {
            histogram.record(us(duration));
        }
        let counts: Vec<u64> = (0..3).map(|bucket| histogram.count(bucket)).collect();
        assert_eq!(counts, [2, 1, 2]);
    }

    #[test]
    fn a_histogram_without_width_or_buckets_harms_nobody() {
        let histogram = Histogram::new(HistogramConfiguration::linear(us(50), 0));
        histogram.record(us(5));
        let histogram = Histogram::new(HistogramConfiguration::linear(us(0), 3));
        histogram.record(us(5));
        assert_eq!(histogram.count(2), 1);
        let far = HistogramConfiguration::linear(Duration::MAX, 3);
        assert_eq!(nanos(far.range(1).start), u64::MAX);
    }

    #[test]
    fn the_older_doubling_scale_begins_at_a_power_of_two() {
        let log = HistogramConfiguration::legacy(HistogramScale::Log, us(50), 3);
        let ends: Vec<u64> = (0..2).map(|i| nanos(log.range(i).end)).collect();
        assert_eq!(ends, [65_536, 131_072]);
    }
}
