//! Buckets that grow with the value: [`LogHistogram`].
//!
//! Source: the H2 histogram (Brian Martin, IOP Systems, 2023). With precision `p` the values from
//! one power of two to the next lie in `2^p` buckets of equal width, and values below `2^p` have
//! a bucket each; so the index of a bucket is a shift and an addition away from the value.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::nanos;

/// Powers of two are cut into at most `2^10` buckets.
const PRECISION_MAX: u32 = 10;
/// An error of at most 25 percent, unless told otherwise; [`LogHistogramBuilder::max_error`] makes
/// it no greater.
const PRECISION: u32 = 2;
const MIN_NS: u64 = 100;
const MAX_NS: u64 = 60_000_000_000;

/// A histogram whose buckets are wider for longer durations: the relative error is the same for
/// all.
///
/// By default it tells durations from 100 nanoseconds to one minute apart, to 25 percent, in 119
/// buckets.
///
/// ```
/// use std::time::Duration;
/// use tokio::runtime::LogHistogram;
///
/// let log = LogHistogram::builder().max_value(Duration::from_secs(1)).build();
/// // The bucket in which one second lies ends here.
/// assert_eq!(log.max_value(), 1_073_741_824);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHistogram {
    precision: u32,
    /// The number that the first bucket's end would have if all were counted from zero, less 1.
    skipped: usize,
    buckets: usize,
}

/// Chooses the ranges of a [`LogHistogram`].
///
/// ```
/// use std::time::Duration;
/// use tokio::runtime::{InvalidHistogramConfiguration, LogHistogram};
///
/// let mut log = LogHistogram::builder()
///     .min_value(Duration::from_micros(20))
///     .max_value(Duration::from_millis(4))
///     .precision_exact(0);
/// assert!(log.max_buckets(10).is_ok());
/// assert!(log.max_buckets(9).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LogHistogramBuilder {
    precision: Option<u32>,
    min: Option<Duration>,
    max: Option<Duration>,
}

/// Why a histogram cannot be as was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum InvalidHistogramConfiguration {
    /// It would need more buckets than it may have.
    TooManyBuckets {
        /// How many it would need.
        required_bucket_count: usize,
    },
}

impl LogHistogram {
    /// Chooses the ranges.
    #[must_use]
    pub fn builder() -> LogHistogramBuilder {
        LogHistogramBuilder::default()
    }

    /// The longest duration, in nanoseconds, that is not in the last bucket, which has no end.
    #[must_use]
    pub fn max_value(&self) -> u64 {
        self.start_of(self.buckets - 1)
    }

    pub(super) fn buckets(&self) -> usize {
        self.buckets
    }

    /// The bucket of `ns`.
    pub(super) fn bucket_of(&self, ns: u64) -> usize {
        let index = index_of(ns, self.precision);
        index.saturating_sub(self.skipped).min(self.buckets - 1)
    }

    /// Where a bucket other than the first begins.
    pub(super) fn start_of(&self, bucket: usize) -> u64 {
        let index = bucket + self.skipped;
        let in_group = (1 << self.precision) - 1;
        let (group, rest) = (index >> self.precision, index & in_group);
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        if group == 0 {
            return number(rest);
        }
        let width_log = u32::try_from(group - 1).unwrap_or(u32::MAX);
        // The end of the greatest number's bucket is one more than a number holds.
        if width_log.saturating_add(self.precision) > 63 {
            return u64::MAX;
        }
        (number(rest) + (1 << self.precision)) << width_log
    }
}

/// The bucket of `ns` if all were counted from zero.
fn index_of(ns: u64, precision: u32) -> usize {
    let log = ns.checked_ilog2().unwrap_or(0);
    let index = match log.checked_sub(precision) {
        None => ns,
        Some(0) => ns,
        // `ns >> width_log` lies between 2^p and 2^(p+1).
        Some(width_log) => (u64::from(width_log) << precision) + (ns >> width_log),
    };
    usize::try_from(index).unwrap_or(usize::MAX)
}

impl LogHistogramBuilder {
    /// How far a duration may be from the bounds of its bucket, as a part of it: 0.25 unless
    /// set. Values between 0.25 and 1 are taken as 0.25, those below 2^-10 as 2^-10.
    ///
    /// # Panics
    /// When `max_error` is not between 0 and 1.
    #[must_use]
    #[track_caller]
    pub fn max_error(mut self, max_error: f64) -> Self {
        assert!(max_error > 0.0, "max_error must be greater than 0");
        assert!(max_error < 1.0, "max_error must be less than 1");
        let precise = |p: &u32| 1.0 / f64::from(1 << p) <= max_error;
        let precision = (PRECISION..PRECISION_MAX).find(precise);
        self.precision = Some(precision.unwrap_or(PRECISION_MAX));
        self
    }

    /// Each power of two is cut into `2^p` buckets; with 0, each bucket is twice as wide as the
    /// one before.
    ///
    /// # Panics
    /// When `p` is more than 10.
    #[must_use]
    #[track_caller]
    pub fn precision_exact(mut self, p: u32) -> Self {
        assert!(
            p <= PRECISION_MAX,
            "precision must be <= {PRECISION_MAX}, not {p}"
        );
        self.precision = Some(p);
        self
    }

    /// The shortest duration that is told from none: the first bucket ends there, or before.
    /// 100 nanoseconds unless set.
    #[must_use]
    pub fn min_value(mut self, duration: Duration) -> Self {
        self.min = Some(duration);
        self
    }

    /// The longest duration that is told from longer ones; one minute unless set.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub fn max_value(mut self, duration: Duration) -> Self {
        assert!(!duration.is_zero(), "max value must be greater than 0");
        self.max = Some(duration);
        self
    }

    /// The histogram, if it needs no more than `max_buckets` buckets.
    ///
    /// # Errors
    /// [`InvalidHistogramConfiguration::TooManyBuckets`].
    ///
    /// # Panics
    /// As [`build`](Self::build).
    #[track_caller]
    pub fn max_buckets(
        &mut self,
        max_buckets: usize,
    ) -> Result<LogHistogram, InvalidHistogramConfiguration> {
        let log = self.build();
        match log.buckets <= max_buckets {
            true => Ok(log),
            false => Err(InvalidHistogramConfiguration::TooManyBuckets {
                required_bucket_count: log.buckets,
            }),
        }
    }

    /// The histogram.
    ///
    /// # Panics
    /// When the least value is not below the greatest.
    #[must_use]
    #[track_caller]
    pub fn build(&self) -> LogHistogram {
        let precision = self.precision.unwrap_or(PRECISION);
        let (min, max) = (
            self.min.map_or(MIN_NS, nanos),
            self.max.map_or(MAX_NS, nanos),
        );
        let first = index_of(min.max(1), precision);
        // The greatest value is where the last bucket may begin.
        let last = index_of(max.saturating_sub(1), precision);
        assert!(
            first <= last,
            "a log histogram's min_value ({min} ns) must be below its max_value ({max} ns)"
        );
        LogHistogram {
            precision,
            skipped: first - 1,
            // Before the first, from the first to the last, and after it.
            buckets: last - first + 3,
        }
    }
}

impl Default for LogHistogram {
    fn default() -> Self {
        LogHistogramBuilder::default().build()
    }
}

impl From<LogHistogramBuilder> for LogHistogram {
    #[track_caller]
    fn from(builder: LogHistogramBuilder) -> Self {
        builder.build()
    }
}

impl fmt::Display for InvalidHistogramConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::TooManyBuckets {
            required_bucket_count: buckets,
        } = self;
        write!(f, "a histogram so configured would need {buckets} buckets")
    }
}

impl Error for InvalidHistogramConfiguration {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn log(precision: u32, min_ns: u64, max_ns: u64) -> LogHistogram {
        LogHistogram::builder()
            .precision_exact(precision)
            .min_value(Duration::from_nanos(min_ns))
            .max_value(Duration::from_nanos(max_ns))
            .build()
    }

    #[test]
    fn the_number_of_buckets_is_that_of_the_powers_of_two_between_the_values() {
        assert_eq!(LogHistogram::default().buckets(), 119);
        assert_eq!(LogHistogram::default().max_value(), 60_129_542_144);
        for (precision, min, max, buckets) in [
            (0, 20_000, 4_000_000, 10),
            (0, 0, 1000, 12),
            (1, 5, 1000, 18),
            (2, 100, 100, 3),
            (5, 100, 60_000_000_000, 936),
            (10, 0, 1000, 1001),
            (10, 100, 60_000_000_000, 27_291),
        ] {
            assert_eq!(log(precision, min, max).buckets(), buckets);
        }
    }

    #[test]
    fn an_error_is_rounded_to_the_next_power_of_two_below() {
        for (error, precision) in [(0.5, 2), (0.25, 2), (0.24, 3), (0.1, 4), (1e-9, 10)] {
            let built = LogHistogram::builder().max_error(error).build();
            assert_eq!(built.precision, precision, "{error}");
        }
    }

    #[test]
    fn the_greatest_values_are_within_bounds() {
        for precision in 0..=PRECISION_MAX {
            let log = log(precision, 1, u64::MAX);
            assert_eq!(log.max_value(), u64::MAX);
            assert_eq!(log.bucket_of(u64::MAX), log.buckets() - 2);
        }
    }
}
