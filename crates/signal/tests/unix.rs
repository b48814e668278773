//! Signals of the system, sent by `kill`, and their absence in a simulated world.
#![cfg(unix)]

use std::process::Command;
use std::task::{Context, Poll, Waker};

use yamanote_runtime::Builder;
use yamanote_signal::unix::{SignalKind, signal};

fn kill_self(name: &str) {
    let own = std::process::id().to_string();
    let status = Command::new("kill")
        .args(["-s", name, &own])
        .status()
        .expect("kill runs");
    assert!(status.success());
}

#[test]
fn each_listener_of_a_kind_hears_it_once() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut one = signal(SignalKind::user_defined1()).unwrap();
        let mut two = signal(SignalKind::user_defined1()).unwrap();
        let mut other = signal(SignalKind::user_defined2()).unwrap();
        kill_self("USR1");
        one.recv().await.unwrap();
        two.recv().await.unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(one.poll_recv(&mut cx).is_pending());
        assert!(other.poll_recv(&mut cx).is_pending());
    });
}

#[test]
fn a_signal_between_two_listeners_is_kept_for_the_second() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        drop(signal(SignalKind::window_change()).unwrap());
        kill_self("WINCH");
        let mut second = signal(SignalKind::window_change()).unwrap();
        second.recv().await.unwrap();
    });
}

#[test]
fn a_signal_is_not_kept_beyond_the_next_turn() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut witness = signal(SignalKind::io()).unwrap();
        drop(signal(SignalKind::io()).unwrap());
        kill_self("IO");
        witness.recv().await.unwrap();
        // More polls than there are between two turns of the driver.
        let polls = yamanote_runtime::spawn(async {
            for _ in 0..100 {
                yamanote_runtime::yield_now().await;
            }
        });
        polls.await.unwrap();
        let mut late = signal(SignalKind::io()).unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(late.poll_recv(&mut cx).is_pending());
    });
}

#[test]
fn a_simulated_world_hears_no_signal_of_the_system() {
    let runtime = Builder::sim(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut hangup = signal(SignalKind::hangup()).unwrap();
        assert_eq!(
            hangup.poll_recv(&mut Context::from_waker(Waker::noop())),
            Poll::Pending
        );
        assert!(
            signal(SignalKind::from_raw(9)).is_err(),
            "it cannot be handled anywhere"
        );
    });
}
