//! Accepts that are dropped anywhere lose no connection and leave no descriptor. Alone in its
//! process: descriptors are counted.
#![cfg(all(target_os = "linux", not(loom)))]

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use yamanote_base::rng::Rng;
use yamanote_net::owned::TcpListener;
use yamanote_runtime::{Builder, FileRoute, yield_now};

#[test]
fn no_connection_is_lost_by_accepts_that_are_dropped_anywhere() {
    for route in [FileRoute::Ring, FileRoute::NoRing] {
        let before = open_descriptors();
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().file_route(route).build().unwrap();
        runtime.block_on(drop_accepts());
        drop(runtime);
        assert_eq!(open_descriptors(), before);
    }
}

async fn drop_accepts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut rng = Rng::new(21);
    let mut clients = VecDeque::new();
    for _ in 0..drops() {
        if clients.len() < 20 && rng.below(2) == 0 {
            clients.push_back(std::net::TcpStream::connect(addr).unwrap());
        }
        if let Some(accepted) = tried(listener.accept(), &mut rng).await {
            let client = clients.pop_front().unwrap();
            assert_eq!(client.local_addr().unwrap(), accepted.unwrap().1);
        }
    }
    // The listener closes the others, taken by the kernel or not.
    for client in clients.drain(..10.min(clients.len())) {
        let (_, from) = listener.accept().await.unwrap();
        assert_eq!(client.local_addr().unwrap(), from);
    }
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// How many futures are dropped: more by hand.
fn drops() -> u32 {
    let count = std::env::var("YAMANOTE_TEST_DROPS").ok();
    count.map_or(4000, |count| count.parse().unwrap())
}

/// Polls `future` a few times, as `rng` says, and drops it if it does not end meanwhile.
async fn tried<F: Future>(future: F, rng: &mut Rng) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..rng.below(4) {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        if rng.below(2) == 0 {
            yield_now().await;
        }
    }
    None
}
