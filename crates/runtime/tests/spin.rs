//! `Builder::spin_before_park`: what comes while a worker looks for work, and what comes later.

use std::time::{Duration, Instant};

use yamanote_runtime::{Builder, Runtime};

const SPIN: Duration = Duration::from_millis(2);

/// One of each kind.
fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()].map(|mut builder| {
        let builder = builder.worker_threads(1).enable_all();
        builder.spin_before_park(SPIN).build().unwrap()
    })
}

#[test]
fn a_call_is_heard_while_it_spins_and_after() {
    for runtime in runtimes() {
        for delay in [SPIN / 8, 4 * SPIN] {
            let (tell, told) = tokio::sync::oneshot::channel();
            let waiting = runtime.spawn(told);
            let telling = std::thread::spawn(move || {
                std::thread::sleep(delay);
                tell.send(7).unwrap();
            });
            assert_eq!(runtime.block_on(waiting).unwrap(), Ok(7));
            telling.join().unwrap();
        }
    }
}

#[test]
fn a_timer_fires_while_it_spins_and_after() {
    for runtime in runtimes() {
        for wait in [SPIN / 2, 10 * SPIN] {
            let begin = Instant::now();
            let slept = runtime.spawn(async move { tokio::time::sleep(wait).await });
            runtime.block_on(slept).unwrap();
            assert!(begin.elapsed() >= wait);
        }
    }
}
