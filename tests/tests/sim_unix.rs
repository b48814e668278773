//! What simulated hosts have on Unix alone: signals, symbolic links.
#![cfg(unix)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::fs;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sim::Sim;
use tokio::time::sleep;

/// Counts the seconds.
async fn ticker(ticks: Arc<AtomicUsize>) {
    loop {
        sleep(Duration::from_secs(1)).await;
        ticks.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn links_lead_where_they_say() {
    let sim = Sim::new(2);
    sim.run(async {
        fs::write("/a", "x").await.unwrap();
        fs::symlink("a", "/link").await.unwrap();
        assert_eq!(fs::read("/link").await.unwrap(), b"x");
        assert!(fs::symlink_metadata("/link").await.unwrap().is_symlink());
        assert_eq!(fs::read_link("/link").await.unwrap().to_str(), Some("a"));
    })
    .unwrap();
}

#[test]
fn signals_are_heard_by_who_asked_and_end_who_did_not() {
    let heard = Arc::new(AtomicUsize::new(0));
    let sim = Sim::new(2);
    let count = heard.clone();
    let server = sim.host("server", move || {
        let heard = count.clone();
        async move {
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                _ = terminate.recv() => heard.fetch_add(1, Ordering::Relaxed),
                done = tokio::signal::ctrl_c() => {
                    done?;
                    heard.fetch_add(10, Ordering::Relaxed)
                }
            };
            std::io::Result::Ok(())
        }
    });
    let ticks = Arc::new(AtomicUsize::new(0));
    let count = ticks.clone();
    let deaf = sim.host("deaf", move || ticker(count.clone()));
    let second = Duration::from_secs(1);
    sim.run_for(second).unwrap();
    server.signal(SignalKind::terminate());
    sim.run_for(second).unwrap();
    assert_eq!(heard.load(Ordering::Relaxed), 1);
    server.restart();
    sim.run_for(second).unwrap();
    server.signal(SignalKind::interrupt());
    sim.run_for(second).unwrap();
    assert_eq!(heard.load(Ordering::Relaxed), 11);
    deaf.signal(SignalKind::window_change());
    assert!(deaf.is_up());
    deaf.signal(SignalKind::terminate());
    assert!(!deaf.is_up());
}
