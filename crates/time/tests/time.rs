//! Sleeps, timeouts and clocks, as programs see them.
#![cfg(not(loom))]

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use yamanote_runtime::{Builder, Runtime, spawn, spawn_blocking};
use yamanote_time::{
    Duration, Instant, Sleep, Timeout, advance, interval, pause, resume, sleep, sleep_until,
    timeout, timeout_at,
};

const YEARS: Duration = Duration::from_secs(86_400 * 365 * 20);

fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// What `f` panics with.
fn message(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a text")).to_owned(),
    }
}

#[test]
fn a_paused_sleep_ends_at_the_next_whole_millisecond() {
    paused().block_on(async {
        let start = Instant::now();
        for (asked, waited) in [(1, 1), (999, 1), (1000, 1), (1001, 2), (2500, 3)] {
            let start = Instant::now();
            sleep(Duration::from_micros(asked)).await;
            assert_eq!(start.elapsed(), Duration::from_millis(waited), "{asked}");
        }
        let before = Instant::now();
        sleep(Duration::ZERO).await;
        sleep_until(start).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_deadline_beyond_every_clock_is_waited_for() {
    paused().block_on(async {
        let mut forever = pin!(sleep(Duration::MAX));
        assert!(poll(forever.as_mut()).is_pending());
        advance(YEARS).await;
        assert!(poll(forever.as_mut()).is_pending());
        let late = timeout(Duration::MAX, sleep(YEARS)).await;
        assert_eq!(late, Ok(()));
    });
}

#[test]
fn a_reset_sleep_ends_at_the_new_deadline_also_after_the_old_one() {
    paused().block_on(async {
        let start = Instant::now();
        let mut sleep = pin!(sleep(Duration::from_secs(10)));
        assert!(poll(sleep.as_mut()).is_pending());
        sleep.as_mut().reset(start + Duration::from_secs(2));
        sleep.as_mut().await;
        assert_eq!(start.elapsed(), Duration::from_secs(2));
        assert!(sleep.is_elapsed());
        sleep.as_mut().reset(start + Duration::from_secs(60));
        assert!(!sleep.is_elapsed());
        sleep.as_mut().await;
        assert_eq!(start.elapsed(), Duration::from_secs(60));
    });
}

#[test]
fn a_sleep_that_was_reset_into_the_past_is_elapsed_without_a_poll() {
    paused().block_on(async {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        for is_polled in [false, true] {
            let mut sleep = pin!(sleep(second));
            assert!(!is_polled || poll(sleep.as_mut()).is_pending());
            sleep.as_mut().reset(start - second);
            assert!(sleep.is_elapsed(), "polled: {is_polled}");
            sleep.as_mut().reset(start + second);
            assert!(!sleep.is_elapsed(), "polled: {is_polled}");
        }
        let mut sleep = pin!(sleep(second));
        sleep.as_mut().reset(start + second);
        advance(second).await;
        assert!(sleep.is_elapsed());
        assert!(!sleep_until(start).is_elapsed(), "neither polled nor reset");
    });
}

#[test]
fn a_sleep_that_has_begun_is_elapsed_when_its_runtime_has_ended() {
    let runtime = paused();
    let entered = runtime.enter();
    let [mut polled, mut reset, fresh] = [(); 3].map(|()| Box::pin(sleep(YEARS)));
    assert!(poll(polled.as_mut()).is_pending());
    reset.as_mut().reset(Instant::now() + YEARS);
    drop(entered);
    drop(runtime);
    assert!(polled.is_elapsed() && reset.is_elapsed() && !fresh.is_elapsed());
    polled.as_mut().reset(Instant::now() + YEARS);
    assert!(polled.is_elapsed());
}

#[test]
#[should_panic(expected = "overflow when adding duration to instant")]
fn a_clock_is_not_moved_beyond_what_it_can_show() {
    paused().block_on(advance(Duration::MAX));
}

#[test]
fn a_period_beyond_every_clock_is_as_long_as_a_sleep_without_end() {
    paused().block_on(async {
        let forever = sleep(Duration::MAX).deadline() - Instant::now();
        assert_eq!(interval(Duration::MAX).period(), forever);
    });
}

#[test]
fn a_timeout_is_counted_from_its_making_and_lets_what_is_ready_pass() {
    paused().block_on(async {
        let late = timeout(Duration::from_secs(1), pending::<()>());
        let ready = timeout(Duration::from_secs(1), async { 5 });
        advance(Duration::from_secs(2)).await;
        let now = Instant::now();
        assert!(late.await.is_err());
        assert_eq!(now.elapsed(), Duration::ZERO);
        assert_eq!(ready.await, Ok(5));
        let over = timeout_at(now - Duration::from_secs(1), pending::<()>());
        assert!(over.await.is_err());
    });
}

#[test]
fn a_future_that_always_has_something_to_do_is_timed_out() {
    let busy = async {
        loop {
            yamanote_runtime::spawn(async {}).await.unwrap();
        }
    };
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    assert!(
        runtime
            .block_on(async { timeout(Duration::from_millis(5), busy).await })
            .is_err()
    );
}

#[test]
fn a_sleep_may_be_made_here_and_polled_and_dropped_elsewhere() {
    let first = Builder::new_current_thread().enable_all().build().unwrap();
    let second = paused();
    let made = {
        let _entered = first.enter();
        sleep(Duration::from_millis(20))
    };
    let start = std::time::Instant::now();
    let mut made = Box::pin(made);
    // The other runtime's clock stands still: this timer is not on it.
    second.block_on(async { assert!(poll(made.as_mut()).is_pending()) });
    first.block_on(made);
    assert!(start.elapsed() >= Duration::from_millis(19));
    let mut left = Box::pin({
        let _entered = first.enter();
        sleep(Duration::from_secs(60))
    });
    assert!(poll(left.as_mut()).is_pending());
    drop(first);
    drop(left);
}

#[test]
fn the_clock_does_not_jump_while_a_function_blocks() {
    paused().block_on(async {
        let start = Instant::now();
        let (send, receive) = std::sync::mpsc::channel::<()>();
        let blocked = spawn_blocking(move || receive.recv());
        let mut night = pin!(sleep(Duration::from_secs(8 * 3600)));
        assert!(poll(night.as_mut()).is_pending());
        let task = spawn(async move { drop(send) });
        assert!(blocked.await.unwrap().is_err());
        task.await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        night.await;
        assert_eq!(start.elapsed(), Duration::from_secs(8 * 3600));
    });
}

#[test]
fn a_resumed_clock_goes_on_from_what_it_shows() {
    paused().block_on(async {
        let start = Instant::now();
        advance(Duration::from_secs(100)).await;
        resume();
        let shown = start.elapsed();
        assert!(shown >= Duration::from_secs(100) && shown < Duration::from_secs(160));
        pause();
        let then = Instant::now();
        assert_eq!(then, Instant::now());
    });
}

#[test]
fn what_stands_in_no_runtime_with_timers_says_so() {
    let second = Duration::from_secs(1);
    let outside = "there is no reactor running, must be called from the context of a Tokio 1.x";
    for text in [
        message(|| drop(sleep(second))),
        message(|| drop(sleep_until(Instant::now()))),
        message(|| drop(timeout(second, async {}))),
        message(|| drop(interval(second))),
    ] {
        assert!(text.starts_with(outside), "{text}");
    }
    assert_eq!(
        message(pause),
        "time cannot be frozen from outside the Tokio runtime"
    );
    let without = Builder::new_current_thread().build().unwrap();
    let _entered = without.enter();
    assert_eq!(
        message(|| drop(sleep(second))),
        "A Tokio 1.x context was found, but timers are disabled. Call `enable_time` on the runtime \
         builder to enable timers."
    );
    assert_eq!(
        message(|| drop(interval(Duration::ZERO))),
        "`period` must be non-zero."
    );
}

#[test]
fn a_clock_is_stopped_once_and_only_where_one_thread_runs() {
    let mut builder = Builder::new_multi_thread();
    let several = builder.worker_threads(1).enable_all().build().unwrap();
    let text = message(|| several.block_on(async { pause() }));
    assert!(text.starts_with("`time::pause()` requires the `current_thread` Tokio runtime."));
    let one = Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(
        message(|| one.block_on(async { resume() })),
        "time is not frozen"
    );
    let advanced = message(|| one.block_on(advance(Duration::from_secs(1))));
    assert_eq!(advanced, "time is not frozen");
    let twice = async {
        pause();
        pause();
    };
    assert_eq!(message(|| one.block_on(twice)), "time is already frozen");
}

#[test]
fn instants_are_counted_without_going_below_zero() {
    let now = Instant::now();
    let second = Duration::from_secs(1);
    let mut later = now + second;
    assert_eq!((later - now, now - later), (second, Duration::ZERO));
    assert_eq!(now.checked_duration_since(later), None);
    assert_eq!(later.checked_duration_since(now), Some(second));
    assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
    assert_eq!(now.duration_since(later), Duration::ZERO);
    assert_eq!(now.checked_add(Duration::MAX), None);
    assert_eq!(later.checked_sub(second), Some(now));
    later -= second;
    assert_eq!(later, now);
    later += second;
    assert_eq!(Instant::from_std(later.into_std()), later);
    assert_eq!(format!("{now:?}"), format!("{:?}", now.into_std()));
}

#[test]
fn futures_of_time_are_shared_between_threads_but_not_moved_once_pinned() {
    fn shared<T: Send + Sync>() {}
    fn movable<T: Unpin>() {}
    shared::<Sleep>();
    shared::<Timeout<Sleep>>();
    shared::<yamanote_time::Interval>();
    movable::<yamanote_time::Interval>();
    movable::<Instant>();
    let message = yamanote_time::error::Error::at_capacity().to_string();
    assert_eq!(
        message,
        "timer is at capacity and cannot create a new entry"
    );
}

#[test]
fn a_timer_that_moves_between_tasks_wakes_the_last_one() {
    paused().block_on(async {
        let mut shared = Box::pin(sleep(Duration::from_secs(1)));
        assert!(poll(shared.as_mut()).is_pending());
        let end = spawn(poll_fn(move |cx| shared.as_mut().poll(cx)));
        let start = Instant::now();
        end.await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    });
}
