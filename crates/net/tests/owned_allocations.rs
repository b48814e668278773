//! Sockets that own their buffers, without a ring: an echo takes no memory but the pool's.
#![cfg(all(target_os = "linux", not(loom)))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};

use yamanote_net::owned::{TcpListener, TcpStream};
use yamanote_runtime::{Builder, FileRoute};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed on, unchanged, to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, handed on; the block came from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}

type Pair = (std::net::TcpStream, TcpStream);

async fn pairs(count: usize) -> Vec<Pair> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut pairs = Vec::new();
    for _ in 0..count {
        let client = std::net::TcpStream::connect(addr).unwrap();
        pairs.push((client, listener.accept().await.unwrap().0));
    }
    pairs
}

/// Each echoes in each way; in the end all have a buffer for the next time.
async fn echo(pairs: &mut [Pair], buffers: &mut Vec<Vec<u8>>) {
    let mut echoed = [0; 4];
    for (client, server) in pairs {
        client.write_all(b"post").unwrap();
        let chunk = server.chunk().await.unwrap().unwrap();
        server.post(chunk).await.unwrap();
        client.write_all(b"send").unwrap();
        let chunk = server.chunk().await.unwrap().unwrap();
        server.send_all(chunk).await.0.unwrap();
        client.write_all(b"recv").unwrap();
        let buffer = buffers.pop().unwrap();
        let (count, buffer) = server.recv(buffer).await;
        assert_eq!(count.unwrap(), 4);
        let (sent, buffer) = server.send_all(buffer).await;
        sent.unwrap();
        buffers.insert(0, buffer);
        for expected in [b"post", b"send", b"recv"] {
            client.read_exact(&mut echoed).unwrap();
            assert_eq!(&echoed, expected);
        }
    }
}

#[test]
fn an_echo_without_a_ring_allocates_nothing() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .file_route(FileRoute::NoRing)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut pairs = pairs(20).await;
        let mut buffers = vec![vec![0; 4]; 20];
        echo(&mut pairs, &mut buffers).await;
        let before = ALLOCATIONS.get();
        for _ in 0..20 {
            echo(&mut pairs, &mut buffers).await;
        }
        assert_eq!(ALLOCATIONS.get() - before, 0);
    });
}
