//! What a runtime measures of each poll, at the price of looks at the clock.

use std::time::Duration;

use yamanote_sched::histogram::{HistogramConfiguration, HistogramScale};
use yamanote_sched::metrics::Measured;

use super::Builder;

/// What is to be measured.
#[derive(Default)]
pub(super) struct Measures {
    poll_times: bool,
    poll_time_ranges: HistogramConfiguration,
    legacy: Option<Legacy>,
    latencies: bool,
    latency_ranges: HistogramConfiguration,
    stamped: bool,
}

/// What the older options ask for; they go before the newer ones.
#[derive(Clone, Copy)]
struct Legacy {
    scale: HistogramScale,
    resolution: Duration,
    buckets: usize,
}

impl Measures {
    pub(super) fn measured(&self) -> Measured {
        let poll_times = match self.legacy {
            Some(old) => HistogramConfiguration::legacy(old.scale, old.resolution, old.buckets),
            None => self.poll_time_ranges.clone(),
        };
        Measured {
            poll_times: self.poll_times.then_some(poll_times),
            latencies: self.latencies.then(|| self.latency_ranges.clone()),
            stamped: self.stamped || self.latencies,
        }
    }

    fn legacy(&mut self) -> &mut Legacy {
        self.legacy.get_or_insert(Legacy {
            scale: HistogramScale::Linear,
            resolution: Duration::from_micros(100),
            buckets: 10,
        })
    }
}

impl Builder {
    /// Counts how long polls take, in ten buckets of 100 microseconds unless
    /// [configured](Self::metrics_poll_time_histogram_configuration) otherwise. Costs two looks
    /// at the clock a poll.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .enable_metrics_poll_time_histogram()
    ///     .build()
    ///     .unwrap();
    /// let metrics = runtime.metrics();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// drop(runtime);
    /// let counts = (0..10).map(|bucket| metrics.poll_time_histogram_bucket_count(0, bucket));
    /// assert_eq!(counts.sum::<u64>(), 1);
    /// ```
    pub fn enable_metrics_poll_time_histogram(&mut self) -> &mut Self {
        self.measures.poll_times = true;
        self
    }

    /// The ranges of the poll times that are told apart, if they are
    /// [counted](Self::enable_metrics_poll_time_histogram).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio::runtime::{Builder, HistogramConfiguration};
    ///
    /// let ranges = HistogramConfiguration::linear(Duration::from_micros(10), 100);
    /// let runtime = Builder::new_multi_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_time_histogram_configuration(ranges)
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(runtime.metrics().poll_time_histogram_num_buckets(), 100);
    /// ```
    pub fn metrics_poll_time_histogram_configuration(
        &mut self,
        configuration: HistogramConfiguration,
    ) -> &mut Self {
        self.measures.poll_time_ranges = configuration;
        self
    }

    /// [`enable_metrics_poll_time_histogram`](Self::enable_metrics_poll_time_histogram).
    #[doc(hidden)]
    #[deprecated(note = "it is called enable_metrics_poll_time_histogram")]
    pub fn enable_metrics_poll_count_histogram(&mut self) -> &mut Self {
        self.enable_metrics_poll_time_histogram()
    }

    /// Whether the buckets are of equal width, or each is twice as wide as the one before. Goes
    /// before [`metrics_poll_time_histogram_configuration`][new].
    ///
    /// [new]: Self::metrics_poll_time_histogram_configuration
    #[deprecated(note = "metrics_poll_time_histogram_configuration says it all")]
    pub fn metrics_poll_count_histogram_scale(
        &mut self,
        histogram_scale: HistogramScale,
    ) -> &mut Self {
        self.measures.legacy().scale = histogram_scale;
        self
    }

    /// How wide the first bucket is; 100 microseconds unless set.
    ///
    /// # Panics
    /// When `resolution` is zero, or more than a second.
    #[track_caller]
    #[deprecated(note = "metrics_poll_time_histogram_configuration says it all")]
    pub fn metrics_poll_count_histogram_resolution(&mut self, resolution: Duration) -> &mut Self {
        assert!(
            !resolution.is_zero(),
            "the resolution of a histogram must be greater than 0"
        );
        assert!(
            resolution <= Duration::from_secs(1),
            "the resolution of a histogram must be at most a second"
        );
        self.measures.legacy().resolution = resolution;
        self
    }

    /// How many buckets there are; 10 unless set.
    #[deprecated(note = "metrics_poll_time_histogram_configuration says it all")]
    pub fn metrics_poll_count_histogram_buckets(&mut self, buckets: usize) -> &mut Self {
        self.measures.legacy().buckets = buckets;
        self
    }

    /// Tells the callbacks before and after a poll how long the task was runnable before:
    /// `TaskMeta::schedule_latency`. Costs one look at the clock a poll and one a wake.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .track_task_schedule_latency()
    ///     .on_before_task_poll(|meta| assert!(meta.schedule_latency().is_some()))
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// ```
    pub fn track_task_schedule_latency(&mut self) -> &mut Self {
        self.measures.stamped = true;
        self
    }

    /// Counts how long tasks are runnable before they are polled, in ten buckets of 100
    /// microseconds unless
    /// [configured](Self::metrics_schedule_latency_histogram_configuration) otherwise; and does
    /// what [`track_task_schedule_latency`](Self::track_task_schedule_latency) does.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .enable_metrics_schedule_latency_histogram()
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// let metrics = runtime.metrics();
    /// let counts = (0..10).map(|i| metrics.schedule_latency_histogram_bucket_count(0, i));
    /// assert_eq!(counts.sum::<u64>(), 1);
    /// ```
    pub fn enable_metrics_schedule_latency_histogram(&mut self) -> &mut Self {
        self.measures.latencies = true;
        self
    }

    /// The ranges of the latencies that are told apart, if they are
    /// [counted](Self::enable_metrics_schedule_latency_histogram).
    pub fn metrics_schedule_latency_histogram_configuration(
        &mut self,
        configuration: HistogramConfiguration,
    ) -> &mut Self {
        self.measures.latency_ranges = configuration;
        self
    }
}
