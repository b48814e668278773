//! Named pipes, between two ends of the same process.
#![cfg(windows)]

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::windows::named_pipe::{ClientOptions, PipeEnd, PipeMode, ServerOptions};

fn name(test: &str) -> String {
    format!(r"\\.\pipe\yamanote-{test}-{}", std::process::id())
}

#[tokio::test]
async fn what_is_written_arrives_and_the_end_too() {
    let name = name("arrives");
    let mut server = ServerOptions::new()
        .first_pipe_instance(true)
        .create(&name)
        .unwrap();
    let client = tokio::spawn(async move {
        let mut client = ClientOptions::new().open(&name).unwrap();
        client.write_all(b"from the client").await.unwrap();
        let mut answer = [0; 15];
        client.read_exact(&mut answer).await.unwrap();
        answer
    });
    server.connect().await.unwrap();
    let mut got = [0; 15];
    server.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"from the client");
    server.write_all(b"from the server").await.unwrap();
    assert_eq!(&client.await.unwrap(), b"from the server");
    assert_eq!(server.read(&mut got).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_serves_one_client_after_the_other() {
    let name = name("after");
    let mut server = ServerOptions::new().create(&name).unwrap();
    for round in 0..3_u8 {
        let name = name.clone();
        let client = tokio::spawn(async move {
            let mut client = ClientOptions::new().open(&name).unwrap();
            client.write_u8(round).await.unwrap();
            client.read_u8().await.unwrap()
        });
        server.connect().await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), round);
        server.write_u8(round + 1).await.unwrap();
        assert_eq!(client.await.unwrap(), round + 1);
        server.disconnect().unwrap();
    }
}

#[tokio::test]
async fn a_wait_for_a_client_may_be_given_up_and_begun_again() {
    let name = name("given-up");
    let server = ServerOptions::new().create(&name).unwrap();
    let wait = tokio::time::timeout(Duration::from_millis(1), server.connect());
    assert!(wait.await.is_err());
    let _client = ClientOptions::new().open(&name).unwrap();
    server.connect().await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_an_error() {
    let error = ClientOptions::new().open(name("nobody")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_pipe_tells_what_it_is() {
    let name = name("tells");
    let server = ServerOptions::new()
        .pipe_mode(PipeMode::Message)
        .max_instances(7)
        .create(&name)
        .unwrap();
    let client = ClientOptions::new().open(&name).unwrap();
    let (ours, theirs) = (server.info().unwrap(), client.info().unwrap());
    assert_eq!((ours.end, theirs.end), (PipeEnd::Server, PipeEnd::Client));
    assert_eq!((ours.mode, ours.max_instances), (PipeMode::Message, 7));
}

#[tokio::test]
async fn a_pipe_may_lead_one_way_only() {
    let name = name("one-way");
    for (inbound, outbound) in [(true, true), (true, false), (false, true)] {
        let server = ServerOptions::new()
            .access_inbound(inbound)
            .access_outbound(outbound)
            .create(&name)
            .unwrap();
        let client = ClientOptions::new()
            .read(outbound)
            .write(inbound)
            .open(&name)
            .unwrap();
        server.connect().await.unwrap();
        drop((client, server));
        // What was under way must end before the pipe is gone, and may be made in another way.
        tokio::task::yield_now().await;
    }
}
