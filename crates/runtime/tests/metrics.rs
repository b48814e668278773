//! What runtimes count.

mod support;

use std::sync::mpsc;
use std::time::Duration;

use yamanote_base::budget;
use yamanote_runtime::{
    Builder, HistogramConfiguration, Runtime, RuntimeMetrics, block_in_place, spawn, yield_now,
};

use support::panic_of;

fn workers(count: usize) -> Builder {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(count);
    builder
}

/// The sum of what all workers count.
fn sum(metrics: &RuntimeMetrics, count: impl Fn(&RuntimeMetrics, usize) -> u64) -> u64 {
    (0..metrics.num_workers())
        .map(|worker| count(metrics, worker))
        .sum()
}

async fn yield_ten_times() {
    for _ in 0..10 {
        yield_now().await;
    }
}

#[test]
fn polls_and_schedules_are_counted_where_they_happen() {
    for runtime in [
        Builder::new_current_thread().build().unwrap(),
        workers(1).build().unwrap(),
    ] {
        let metrics = runtime.metrics();
        runtime.block_on(async {
            spawn(yield_ten_times()).await.unwrap();
        });
        drop(runtime);
        assert_eq!(sum(&metrics, RuntimeMetrics::worker_poll_count), 11);
        let local = sum(&metrics, RuntimeMetrics::worker_local_schedule_count);
        // The thread in `block_on` is a worker of the one, and none of the other.
        assert_eq!(local + metrics.remote_schedule_count(), 11);
    }
}

#[test]
fn the_queue_of_a_current_thread_runtime_is_as_deep_as_tasks_wait_in_it() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let metrics = runtime.metrics();
    runtime.spawn(async {});
    runtime.block_on(async {
        let depth = || metrics.worker_local_queue_depth(0);
        assert_eq!((depth(), metrics.global_queue_depth()), (0, 1));
        for _ in 0..50 {
            spawn(yield_now());
        }
        assert_eq!(depth(), 50);
        while metrics.num_alive_tasks() > 0 {
            yield_now().await;
        }
        assert_eq!((depth(), metrics.global_queue_depth()), (0, 0));
        spawn(std::future::pending::<()>());
    });
    drop(runtime);
    assert_eq!(metrics.worker_local_queue_depth(0), 0);
}

#[test]
fn what_is_stolen_and_what_overflows_is_counted() {
    const TASKS: u64 = 300;
    let runtime = workers(2).build().unwrap();
    let metrics = runtime.metrics();
    runtime.block_on(async {
        let (go, start) = mpsc::channel();
        // Keeps the other worker from stealing too early for an overflow.
        spawn(async move { start.recv().unwrap() });
        let spawner = spawn(async move {
            let (tx, rx) = mpsc::channel();
            for _ in 0..TASKS {
                let tx = tx.clone();
                spawn(async move { tx.send(()).unwrap() });
            }
            go.send(()).unwrap();
            // This worker is stuck until the other one has run them all.
            assert_eq!(rx.iter().take(300).count(), 300);
        });
        spawner.await.unwrap();
    });
    drop(runtime);
    assert!(sum(&metrics, RuntimeMetrics::worker_overflow_count) >= 1);
    let stolen = sum(&metrics, RuntimeMetrics::worker_steal_count);
    let steals = sum(&metrics, RuntimeMetrics::worker_steal_operations);
    assert!(0 < steals && steals <= stolen, "{steals} {stolen}");
}

/// Spends its budget, twice in the same poll.
async fn spend() {
    let spend = || {
        std::future::poll_fn(|cx| {
            while let std::task::Poll::Ready(unit) = budget::poll_proceed(cx) {
                unit.made_progress();
            }
            std::task::Poll::Pending::<()>
        })
    };
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        polls += 1;
        if polls == 2 {
            return std::task::Poll::Ready(());
        }
        for _ in 0..2 {
            assert!(std::pin::pin!(spend()).poll(cx).is_pending());
        }
        std::task::Poll::Pending
    })
    .await;
}

#[test]
fn a_poll_that_spends_its_budget_is_counted_once() {
    let builders = [Builder::new_current_thread(), workers(2), Builder::sim(1)];
    for mut builder in builders {
        let runtime = builder.build().unwrap();
        runtime.block_on(spend());
        assert_eq!(runtime.metrics().budget_forced_yield_count(), 1);
        runtime.block_on(async { spawn(spend()).await.unwrap() });
        assert_eq!(runtime.metrics().budget_forced_yield_count(), 2);
    }
}

fn counts(
    metrics: &RuntimeMetrics,
    buckets: usize,
    count: impl Fn(&RuntimeMetrics, usize, usize) -> u64,
) -> Vec<u64> {
    (0..buckets)
        .map(|bucket| sum(metrics, |metrics, worker| count(metrics, worker, bucket)))
        .collect()
}

#[test]
fn histograms_tell_fast_polls_from_slow_ones_and_short_waits_from_long_ones() {
    const SLOW: Duration = Duration::from_millis(20);
    let ranges = HistogramConfiguration::linear(SLOW, 2);
    for mut builder in [Builder::new_current_thread(), workers(1)] {
        builder
            .enable_metrics_poll_time_histogram()
            .metrics_poll_time_histogram_configuration(ranges.clone())
            .enable_metrics_schedule_latency_histogram()
            .metrics_schedule_latency_histogram_configuration(ranges.clone());
        let runtime = builder.build().unwrap();
        let metrics = runtime.metrics();
        runtime.block_on(async {
            let slow = spawn(async {
                spawn(async {});
                std::thread::sleep(SLOW);
            });
            slow.await.unwrap();
            while metrics.num_alive_tasks() > 0 {
                yield_now().await;
            }
        });
        drop(runtime);
        let polls = counts(
            &metrics,
            2,
            RuntimeMetrics::poll_time_histogram_bucket_count,
        );
        let waits = counts(
            &metrics,
            2,
            RuntimeMetrics::schedule_latency_histogram_bucket_count,
        );
        // The second task waited for the first one's slow poll. On a slow machine all are slow.
        assert!(polls[1] >= 1 && polls.iter().sum::<u64>() == 2, "{polls:?}");
        assert!(waits[1] >= 1 && waits.iter().sum::<u64>() == 2, "{waits:?}");
        assert!(metrics.worker_mean_poll_time(0) > Duration::ZERO);
    }
}

#[test]
fn without_histograms_there_are_no_buckets() {
    let metrics = workers(1).build().unwrap().metrics();
    assert!(!metrics.poll_time_histogram_enabled());
    assert!(!metrics.schedule_latency_histogram_enabled());
    assert_eq!(metrics.poll_time_histogram_num_buckets(), 0);
    assert_eq!(metrics.poll_time_histogram_bucket_count(0, 7), 0);
    let nothing = Duration::ZERO..Duration::ZERO;
    assert_eq!(metrics.schedule_latency_histogram_bucket_range(7), nothing);
}

#[test]
#[allow(deprecated)]
fn the_older_options_go_before_the_newer_one() {
    let runtime = Builder::new_current_thread()
        .enable_metrics_poll_count_histogram()
        .metrics_poll_count_histogram_buckets(7)
        .metrics_poll_time_histogram_configuration(HistogramConfiguration::default())
        .build()
        .unwrap();
    assert_eq!(runtime.metrics().poll_time_histogram_num_buckets(), 7);
}

#[test]
#[allow(deprecated)]
fn a_resolution_is_more_than_nothing_and_at_most_a_second() {
    let panics = |nanos| {
        let resolution = Duration::from_nanos(nanos);
        panic_of(|| {
            let mut builder = Builder::new_current_thread();
            builder.metrics_poll_count_histogram_resolution(resolution);
        })
    };
    assert!(panics(0).contains("greater than 0"));
    assert_eq!(panics(1), "nothing");
    assert_eq!(panics(1_000_000_000), "nothing");
    assert!(panics(1_000_000_001).contains("at most a second"));
}

#[test]
fn the_mean_poll_time_of_workers_needs_no_histogram() {
    let runtime = workers(1).build().unwrap();
    let metrics = runtime.metrics();
    let task = runtime.spawn(async { std::thread::sleep(Duration::from_millis(2)) });
    runtime.block_on(task).unwrap();
    // Also while the worker has not gone to sleep yet.
    assert!(metrics.worker_mean_poll_time(0) >= Duration::from_millis(2));
    drop(runtime);
    assert!(metrics.worker_mean_poll_time(0) >= Duration::from_millis(2));
    assert!(metrics.worker_total_busy_duration(0) >= Duration::from_millis(2));
}

#[test]
fn threads_for_work_that_blocks_are_not_workers() {
    let runtime = workers(2).max_blocking_threads(1).build().unwrap();
    let metrics = runtime.metrics();
    assert_eq!(metrics.num_blocking_threads(), 0);
    let (go, gate) = mpsc::channel::<()>();
    let first = runtime.spawn_blocking(move || gate.recv());
    let second = runtime.spawn_blocking(|| ());
    assert_eq!(metrics.num_blocking_threads(), 1);
    assert!(metrics.blocking_queue_depth() >= 1);
    go.send(()).unwrap();
    runtime.block_on(async {
        first.await.unwrap().unwrap();
        second.await.unwrap();
        assert_eq!(metrics.blocking_queue_depth(), 0);
        spawn(async { block_in_place(|| ()) }).await.unwrap();
    });
    drop(runtime);
    assert_eq!(metrics.num_blocking_threads(), 0);
    assert_eq!(metrics.num_idle_blocking_threads(), 0);
}

#[test]
fn a_number_that_is_no_worker_is_refused() {
    for runtime in [
        Builder::new_current_thread().build().unwrap(),
        workers(2).build().unwrap(),
    ] {
        refuses(&runtime, |metrics| metrics.worker_poll_count(2));
        refuses(&runtime, |metrics| metrics.worker_thread_id(9));
        refuses(&runtime, |metrics| {
            metrics.poll_time_histogram_bucket_count(2, 0)
        });
    }
}

fn refuses<T: std::fmt::Debug>(runtime: &Runtime, ask: impl FnOnce(&RuntimeMetrics) -> T) {
    let metrics = runtime.metrics();
    let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ask(&metrics)));
    let message = asked.unwrap_err();
    assert!(
        message
            .downcast_ref::<String>()
            .unwrap()
            .contains("workers")
    );
}

#[test]
fn each_worker_has_slept_once_however_late_its_thread_came_to_run() {
    for _ in 0..50 {
        let runtime = workers(8).build().unwrap();
        let metrics = runtime.metrics();
        drop(runtime);
        for worker in 0..8 {
            assert!(metrics.worker_park_count(worker) >= 1);
            assert!(metrics.worker_noop_count(worker) >= 1);
            assert_eq!(metrics.worker_park_unpark_count(worker) % 2, 0);
        }
    }
}

/// A clock that stands still is moved; a worker that is not at work is not said to be.
#[test]
fn time_that_a_test_has_skipped_is_no_work() {
    let day = Duration::from_secs(86_400);
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .enable_metrics_poll_time_histogram()
        .build()
        .unwrap();
    let skipping = runtime.spawn(async move { yamanote_driver::clock::advance(day) });
    runtime.block_on(skipping).unwrap();
    let metrics = runtime.metrics();
    assert!(metrics.worker_total_busy_duration(0) < day);
    assert!(metrics.worker_mean_poll_time(0) < day);
}
