//! An axum service and reqwest's client, unmodified, on simulated hosts. The client asks the C
//! library for names and makes its sockets with socket2, which the feature `sim` takes care of.

#![cfg(target_os = "linux")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::put;
use reqwest::{Client, StatusCode};
use tokio::net::TcpListener;
use tokio::sim::Sim;
use tokio::time::sleep;
use yamanote_tests::assert_seed_decides;

type Note = Arc<Mutex<Option<String>>>;

/// The main function of a service that keeps a note in memory.
async fn notes() -> std::io::Result<()> {
    let write = async |State(note): State<Note>, text: String| {
        *note.lock().unwrap() = Some(text);
        StatusCode::CREATED
    };
    let read = async |State(note): State<Note>| note.lock().unwrap().clone();
    let read = async move |note| read(note).await.ok_or(StatusCode::NOT_FOUND);
    let router = Router::new().route("/", put(write).get(read));
    let listener = TcpListener::bind("[::]:80").await?;
    axum::serve(listener, router.with_state(Note::default())).await
}

fn client() -> Client {
    let client = Client::builder().no_proxy();
    client.timeout(Duration::from_secs(3)).build().unwrap()
}

async fn write(client: &Client, text: &'static str) -> StatusCode {
    let answer = client.put("http://notes/").body(text).send();
    answer.await.unwrap().status()
}

async fn read(client: &Client, host: &str) -> reqwest::Result<String> {
    let answer = client.get(format!("http://{host}/")).send().await?;
    answer.error_for_status()?.text().await
}

#[test]
fn a_host_is_found_by_its_name_and_by_its_addresses() {
    let run = |seed| {
        let sim = Sim::new(seed);
        let host = sim.host("notes", notes);
        sim.run(async {
            let client = client();
            assert_eq!(write(&client, "17").await, StatusCode::CREATED);
            let addresses = host.addresses().into_iter().map(|ip| match ip.is_ipv6() {
                true => format!("[{ip}]"),
                false => ip.to_string(),
            });
            for name in addresses.chain(["notes".to_owned()]) {
                assert_eq!(read(&client, &name).await.unwrap(), "17", "{name}");
            }
            let error = read(&client, "nobody").await.unwrap_err();
            assert!(error.is_connect(), "{error:?}");
        })
        .unwrap();
        sim.trace_hash()
    };
    assert_seed_decides(run);
}

#[test]
fn a_client_sees_a_killed_server_a_partition_and_a_name_that_fails() {
    for seed in 0..20 {
        let sim = Sim::new(seed);
        let host = sim.host("notes", notes);
        sim.run(async {
            let client = client();
            assert_eq!(write(&client, "1").await, StatusCode::CREATED);
            host.crash();
            read(&client, "notes").await.unwrap_err();
            host.restart();
            sleep(Duration::from_millis(10)).await;
            // The pooled connection is known to be dead; a new one finds no note.
            let status = read(&client, "notes").await.unwrap_err().status();
            assert_eq!(status, Some(StatusCode::NOT_FOUND));
            let partition = sim.net().partition("sim", &host);
            assert!(read(&client, "notes").await.unwrap_err().is_timeout());
            drop(partition);
            sim.net().dns("notes").fail(1.0);
            let fresh = self::client();
            assert!(read(&fresh, "notes").await.unwrap_err().is_connect());
            sim.net().dns("notes").fail(0.0);
            assert_eq!(write(&fresh, "2").await, StatusCode::CREATED);
        })
        .unwrap();
    }
}
