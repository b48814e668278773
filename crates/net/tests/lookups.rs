//! Names are looked up on the pool, and whoever asks may go away.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use yamanote_net::{TcpStream, lookup_host};
use yamanote_runtime::{Builder, Runtime};

/// A runtime whose pool has one thread beside the one in `block_on`.
fn runtime() -> Runtime {
    Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// Keeps the thread of the pool until what it returns is dropped.
fn occupy(runtime: &Runtime) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel();
    let (begins, begun) = mpsc::channel();
    runtime.spawn_blocking(move || {
        begins.send(()).unwrap();
        // The error is that the sender is dropped.
        let _ = released.recv();
    });
    begun.recv().unwrap();
    release
}

/// Polls once, which asks, and gives up.
async fn ask_and_give_up(name: &str) {
    let mut lookup = Box::pin(lookup_host((name, 80)));
    let polled = lookup
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
}

#[test]
fn what_nobody_waits_for_any_more_does_not_delay_others() {
    let runtime = runtime();
    let release = occupy(&runtime);
    runtime.block_on(async {
        for i in 0..500 {
            // Nobody is asked for these: each would take its time to be not found.
            ask_and_give_up(&format!("no-such-host-{i}.invalid")).await;
        }
        let mut wanted = Box::pin(lookup_host("localhost:80"));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(wanted.as_mut().poll(&mut cx).is_pending());
        drop(release);
        let found: Vec<SocketAddr> = wanted.await.unwrap().collect();
        assert!(found.iter().all(|addr| addr.ip().is_loopback()));
        assert!(!found.is_empty());
    });
}

#[test]
fn lookups_that_wait_for_their_turn_end_with_the_runtime() {
    let runtime = runtime();
    let release = occupy(&runtime);
    let lookups: Vec<_> = (0..500)
        .map(|i| {
            runtime.spawn(async move {
                lookup_host((format!("host-{i}.invalid"), 80))
                    .await
                    .map(drop)
            })
        })
        .collect();
    let connects: Vec<_> = (0..10)
        .map(|i| {
            runtime.spawn(async move {
                TcpStream::connect((format!("{i}.invalid"), 80))
                    .await
                    .map(drop)
            })
        })
        .collect();
    runtime.block_on(async {
        // They have asked, all of them, when this is polled again.
        yamanote_runtime::yield_now().await;
    });
    // The thread is still busy: no lookup can have begun.
    runtime.shutdown_timeout(Duration::ZERO);
    drop(release);
    let after = Builder::new_current_thread().build().unwrap();
    after.block_on(async {
        for lookup in lookups.into_iter().chain(connects) {
            assert!(lookup.await.is_err_and(|error| error.is_cancelled()));
        }
    });
}

#[test]
fn a_lookup_ends_with_an_error_when_the_runtime_goes_first() {
    let first = runtime();
    let release = occupy(&first);
    let mut lookup = Box::pin(lookup_host("localhost:80"));
    let mut cx = Context::from_waker(Waker::noop());
    {
        let _entered = first.enter();
        assert!(lookup.as_mut().poll(&mut cx).is_pending());
    }
    first.shutdown_timeout(Duration::ZERO);
    drop(release);
    match lookup.as_mut().poll(&mut cx) {
        Poll::Ready(Err(error)) => assert_eq!(error.to_string(), "background task failed"),
        Poll::Ready(Ok(_)) => panic!("it was not asked"),
        Poll::Pending => panic!("it was cancelled"),
    }
}
