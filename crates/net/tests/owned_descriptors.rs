//! Accepts that are dropped anywhere lose no connection and leave no descriptor. Alone in its
//! process: descriptors are counted.
#![cfg(all(target_os = "linux", not(loom)))]

mod dropping;

use std::collections::VecDeque;

use yamanote_base::rng::Rng;
use yamanote_net::owned::TcpListener;
use yamanote_runtime::{Builder, FileRoute};

use dropping::{drops, tried};

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
