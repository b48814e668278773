//! An axum service, unmodified, on three simulated hosts that talk to each other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::put;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sim::Sim;
use tokio::time::{interval, sleep};

type Store = Arc<Mutex<BTreeMap<String, String>>>;

const HOSTS: [&str; 3] = ["north", "east", "west"];

async fn store(State(map): State<Store>, Path(key): Path<String>, body: String) -> StatusCode {
    // An answer that takes a while, as if a disk were behind it.
    sleep(Duration::from_millis(2)).await;
    map.lock().unwrap().insert(key, body);
    StatusCode::CREATED
}

async fn load(State(map): State<Store>, Path(key): Path<String>) -> Result<String, StatusCode> {
    map.lock()
        .unwrap()
        .get(&key)
        .cloned()
        .ok_or(StatusCode::NOT_FOUND)
}

/// The main function of the service: serves, and tells its neighbour twice a second.
async fn service(neighbour: &'static str, map: Store) -> std::io::Result<()> {
    let router = Router::new()
        .route("/kv/{key}", put(store).get(load))
        .with_state(map);
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(500));
        for number in 0_u32.. {
            ticks.tick().await;
            let request = Request::put(format!("/kv/{}", number % 50));
            let request = request
                .body(Full::new(Bytes::from(number.to_string())))
                .unwrap();
            let (status, _) = fetch(neighbour, request).await.unwrap();
            assert_eq!(status, StatusCode::CREATED);
        }
    });
    axum::serve(listener, router).await
}

async fn fetch(
    host: &str,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect((host, 80)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}

/// A minute of three hosts; the trace, and what each host holds at the end.
fn minute(seed: u64) -> (u128, Vec<BTreeMap<String, String>>) {
    let sim = Sim::new(seed);
    let maps: Vec<Store> = HOSTS.iter().map(|_| Store::default()).collect();
    for (index, name) in HOSTS.into_iter().enumerate() {
        let (neighbour, map) = (HOSTS[(index + 1) % HOSTS.len()], maps[index].clone());
        sim.host(name, move || service(neighbour, map.clone()));
    }
    sim.run_for(Duration::from_secs(60)).unwrap();
    let maps = maps.iter().map(|map| map.lock().unwrap().clone()).collect();
    (sim.trace_hash(), maps)
}

#[test]
fn a_minute_of_three_axum_hosts_takes_less_than_a_second() {
    let begin = std::time::Instant::now();
    let (_, maps) = minute(7);
    let took = begin.elapsed();
    assert!(maps.iter().all(|map| map.len() == 50), "{maps:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn equal_seeds_give_equal_minutes_and_others_do_not() {
    yamanote_tests::assert_seed_decides(|seed| minute(seed).0);
}

#[test]
fn a_server_that_is_killed_forgets_and_serves_again() {
    let sim = Sim::new(1);
    let host = sim.host("north", || async {
        let router = Router::new().route("/kv/{key}", put(store).get(load));
        let listener = TcpListener::bind("0.0.0.0:80").await?;
        axum::serve(listener, router.with_state(Store::default())).await
    });
    sim.run(async move {
        let get = || Request::get("/kv/a").body(Full::default()).unwrap();
        let put = Request::put("/kv/a")
            .body(Full::new(Bytes::from("1")))
            .unwrap();
        assert_eq!(fetch("north", put).await.unwrap().0, StatusCode::CREATED);
        assert_eq!(fetch("north", get()).await.unwrap().1, "1");
        host.crash();
        assert!(fetch("north", get()).await.is_err());
        host.restart();
        sleep(Duration::from_millis(1)).await;
        assert_eq!(
            fetch("north", get()).await.unwrap().0,
            StatusCode::NOT_FOUND
        );
    })
    .unwrap();
}
