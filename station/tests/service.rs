//! The service over real sockets: what it keeps, what it tells, and what it refuses.

mod common;

use common::{Running, Scratch, small};
use futures_util::StreamExt;
use hyper::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn what_is_put_is_got_listed_and_deleted() {
    let scratch = Scratch::new();
    let service = Running::start(small(&scratch)).await;
    let (status, _) = service.ask(Method::GET, "/kv/a", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for (key, value, status) in [
        ("a", "1", 201),
        ("ab", "22", 201),
        ("b", "3", 201),
        ("a", "4", 200),
    ] {
        let answer = service.ask(Method::PUT, &format!("/kv/{key}"), value).await;
        assert_eq!(answer.0.as_u16(), status);
    }
    assert_eq!(service.ask(Method::GET, "/kv/a", "").await.1, "4");
    let (_, list) = service.ask(Method::GET, "/kv?prefix=a", "").await;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let wanted = serde_json::json!({
        "keys": [{ "key": "a", "bytes": 1 }, { "key": "ab", "bytes": 2 }], "more": false
    });
    assert_eq!(list, wanted);
    assert_eq!(
        service.ask(Method::DELETE, "/kv/a", "").await.0,
        StatusCode::OK
    );
    assert_eq!(
        service.ask(Method::DELETE, "/kv/a", "").await.0,
        StatusCode::NOT_FOUND
    );
    assert!(service.stop().await);
}

#[tokio::test]
async fn a_service_that_starts_again_has_what_it_had() {
    let scratch = Scratch::new();
    let service = Running::start(small(&scratch)).await;
    for number in 0..20 {
        let path = format!("/kv/{}", number % 7);
        service.ask(Method::PUT, &path, &number.to_string()).await;
    }
    service.ask(Method::DELETE, "/kv/3", "").await;
    assert!(service.stop().await);
    let service = Running::start(small(&scratch)).await;
    for key in [0, 1, 2, 4, 5, 6] {
        let value = (0..20).filter(|number| number % 7 == key).max().unwrap();
        let (_, got) = service.ask(Method::GET, &format!("/kv/{key}"), "").await;
        assert_eq!(got, value.to_string());
    }
    assert_eq!(
        service.ask(Method::GET, "/kv/3", "").await.0,
        StatusCode::NOT_FOUND
    );
    assert!(service.stop().await);
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong_with_them() {
    let scratch = Scratch::new();
    let mut config = small(&scratch);
    config.body_max = 1000;
    let service = Running::start(config).await;
    let long_key = format!("/kv/{}", "k".repeat(2000));
    for (method, path, body, status) in [
        (Method::PUT, "/kv/a", "x".repeat(1001), 413),
        (Method::PUT, long_key.as_str(), String::new(), 400),
        (Method::PUT, "/kv/%ff", String::new(), 400),
        (Method::POST, "/kv/a", String::new(), 405),
        (Method::GET, "/nowhere", String::new(), 404),
    ] {
        let (got, said) = service.ask(method, path, &body).await;
        assert_eq!(got.as_u16(), status, "{path:.20}: {said}");
        assert!(said.starts_with("{\"error\":"), "{said}");
    }
    assert!(service.stop().await);
}

#[tokio::test]
async fn server_sent_events_and_websockets_tell_every_change() {
    let scratch = Scratch::new();
    let service = Running::start(small(&scratch)).await;
    let mut events = service
        .raw("GET /watch HTTP/1.1\r\nhost: station\r\n\r\n")
        .await;
    common::read_until(&mut events, "\r\n\r\n").await;
    let socket = TcpStream::connect(service.addr).await.unwrap();
    let url = format!("ws://{}/ws", service.addr);
    let (mut socket, _) = tokio_tungstenite::client_async(url, socket).await.unwrap();
    service.ask(Method::PUT, "/kv/a", "123").await;
    service.ask(Method::DELETE, "/kv/a", "").await;
    let put = r#"{"sequence":1,"op":"put","key":"a","bytes":3}"#;
    let delete = r#"{"sequence":2,"op":"delete","key":"a","bytes":0}"#;
    assert_eq!(
        socket.next().await.unwrap().unwrap().to_text().unwrap(),
        put
    );
    assert_eq!(
        socket.next().await.unwrap().unwrap().to_text().unwrap(),
        delete
    );
    common::read_until(&mut events, &format!("data: {put}\n")).await;
    common::read_until(&mut events, &format!("data: {delete}\n")).await;
    // Listeners do not keep it from stopping; they are told.
    assert!(service.stop().await);
    assert!(socket.next().await.unwrap().unwrap().is_close());
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_and_later_ones_served() {
    let scratch = Scratch::new();
    let mut config = small(&scratch);
    config.connections_max = 1;
    let service = Running::start(config).await;
    let mut held = service
        .raw("GET /stats HTTP/1.1\r\nhost: station\r\n\r\n")
        .await;
    common::read_until(&mut held, "\r\n\r\n").await;
    let mut refused = TcpStream::connect(service.addr).await.unwrap();
    refused
        .write_all(b"GET /stats HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    // Half closed, so that the service does not wait for more.
    refused.shutdown().await.unwrap();
    let mut said = String::new();
    refused.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
    assert!(
        said.ends_with("{\"error\":\"too many connections\"}\r\n"),
        "{said}"
    );
    drop(held);
    while service
        .try_ask(Method::GET, "/stats", "")
        .await
        .is_none_or(|answer| answer.0 != 200)
    {
        tokio::task::yield_now().await;
    }
    assert!(service.stop().await);
}

#[tokio::test]
async fn a_load_runs_without_an_error() {
    let scratch = Scratch::new();
    let service = Running::start(small(&scratch)).await;
    let load = station::load::Load {
        addr: service.addr,
        connections: 20,
        duration: std::time::Duration::from_secs(1),
        writes_percent: 20,
        value_len: 100,
    };
    let outcome = load.run(false).await;
    assert_eq!(outcome.errors, 0, "{outcome}");
    assert!(
        !outcome.reads.is_empty() && !outcome.writes.is_empty(),
        "{outcome}"
    );
    assert!(service.stop().await);
}
