//! A process that runs out of descriptors. Alone in its file, because it takes them all.
#![cfg(unix)]

use std::process::Command;

use yamanote_net::{TcpListener, TcpStream};
use yamanote_runtime::Builder;

/// Says that this is the process with few descriptors.
const FEW: &str = "YAMANOTE_TEST_FEW_DESCRIPTORS";

#[test]
fn a_server_goes_on_after_it_had_no_descriptors() {
    if std::env::var_os(FEW).is_some() {
        run_out_of_descriptors();
        return;
    }
    let this = std::env::current_exe().unwrap();
    let few = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --nocapture"])
        .arg(this)
        .env(FEW, "1")
        .output()
        .unwrap();
    assert!(few.status.success(), "{few:?}");
}

fn run_out_of_descriptors() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut hoard = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            hoard.push(file);
            assert!(hoard.len() < 100, "the limit holds");
        }
        hoard.pop();
        let client = TcpStream::connect(addr).await.unwrap();
        assert!(listener.accept().await.is_err());
        assert!(TcpStream::connect(addr).await.is_err());
        hoard.clear();
        let (server, _) = listener.accept().await.unwrap();
        assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
    });
}
