//! The service of `station`, unmodified, on simulated hosts: their network, disks and power.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sim::Sim;
use tokio::time::{interval, sleep, timeout};

const HOSTS: [&str; 3] = ["north", "east", "west"];

/// The main function of each host.
async fn serve() -> std::io::Result<()> {
    let config = station::Config {
        data: "/var/lib/station".into(),
        ..station::Config::default()
    };
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    station::serve(listener, config, std::future::pending()).await?;
    Ok(())
}

async fn call(host: &str, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
    let stream = TcpStream::connect((host, 80)).await.unwrap();
    let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status();
    (
        status,
        answer.into_body().collect().await.unwrap().to_bytes(),
    )
}

async fn put(host: &str, key: &str, value: String) {
    let request = Request::put(format!("/kv/{key}"))
        .body(Full::from(value))
        .unwrap();
    let (status, _) = call(host, request).await;
    assert!(status.is_success(), "{status}");
}

async fn get(host: &str, key: &str) -> (StatusCode, Bytes) {
    call(
        host,
        Request::get(format!("/kv/{key}"))
            .body(Full::default())
            .unwrap(),
    )
    .await
}

/// Writes to one host and reads it back, every second for a minute.
async fn client(host: &'static str) {
    let mut ticks = interval(Duration::from_secs(1));
    for number in 0..60 {
        ticks.tick().await;
        let key = format!("key{}", number % 10);
        put(host, &key, number.to_string()).await;
        assert_eq!(
            get(host, &key).await,
            (StatusCode::OK, number.to_string().into())
        );
    }
}

/// A minute of three hosts and their clients; the trace.
fn minute(seed: u64) -> u128 {
    let sim = Sim::new(seed);
    for name in HOSTS {
        sim.host(name, serve);
    }
    let clients = HOSTS.map(|host| sim.client(&format!("client-of-{host}"), client(host)));
    let all = async {
        for client in clients {
            client.await.unwrap();
        }
    };
    sim.run(all).unwrap();
    assert!(sim.now() >= Duration::from_secs(59));
    sim.trace_hash()
}

#[test]
fn a_minute_of_three_stations_repeats_by_its_seed() {
    // Each on a fresh thread: what a thread has drawn or cached is no part of a world.
    let alone = |seed| std::thread::spawn(move || minute(seed)).join().unwrap();
    let first = alone(7);
    assert_eq!(first, alone(7));
    assert_ne!(first, alone(8));
}

#[test]
fn a_station_that_is_killed_still_has_what_it_acknowledged() {
    let sim = Sim::new(1);
    let host = sim.host("north", serve);
    sim.run(async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        for round in 0..5 {
            for number in 0..10 {
                put("north", &format!("{round}-{number}"), number.to_string()).await;
            }
            host.crash();
            host.restart();
            tokio::time::sleep(Duration::from_millis(10)).await;
            for number in 0..10 {
                let (status, value) = get("north", &format!("{round}-{number}")).await;
                assert_eq!((status, value), (StatusCode::OK, number.to_string().into()));
            }
        }
    })
    .unwrap();
}

/// Tries to write, and says whether that was acknowledged.
async fn try_put(key: &str, value: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(("north", 80)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let body = Full::<Bytes>::from(value.to_owned());
    let request = Request::put(format!("/kv/{key}")).body(body)?;
    let answer = sender.send_request(request).await;
    connection.abort();
    match answer?.status() {
        status if status.is_success() => Ok(()),
        status => Err(status.to_string().into()),
    }
}

/// Writes key after key, and keeps what was acknowledged.
async fn writer(name: &'static str, acknowledged: Arc<Mutex<BTreeMap<String, String>>>) {
    for number in 0.. {
        let (key, value) = (
            format!("{name}-{number}"),
            format!("value {number} of {name}"),
        );
        let tried = timeout(Duration::from_millis(300), try_put(&key, &value)).await;
        if matches!(tried, Ok(Ok(()))) {
            acknowledged.lock().unwrap().insert(key, value);
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Three clients write while the power fails again and again.
async fn outages(sim: Sim) {
    let host = sim.host("north", serve);
    let acknowledged = Arc::new(Mutex::new(BTreeMap::new()));
    for name in ["a", "b", "c"] {
        sim.client(name, writer(name, acknowledged.clone()));
    }
    for _ in 0..5 {
        // At another moment of whatever is going on each time.
        sleep(Duration::from_micros(150_000 + sim.draw(250_000))).await;
        host.power_loss();
        sleep(Duration::from_millis(100)).await;
        host.restart();
    }
    sleep(Duration::from_millis(100)).await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(!acknowledged.is_empty(), "something was acknowledged");
    for (key, value) in &acknowledged {
        let found = get("north", key).await;
        assert_eq!(
            found,
            (StatusCode::OK, value.clone().into()),
            "{key} is lost"
        );
    }
}

#[tokio::test(sim, seeds = 200, workers = 2)]
async fn power_losses_take_no_write_that_was_acknowledged(sim: Sim) {
    outages(sim).await;
}

#[tokio::test(sim, seeds = 1000, workers = 2, check = true)]
#[ignore = "minutes: `cargo xtask sim station`"]
async fn a_thousand_seeds_are_the_same_runs_in_other_processes(sim: Sim) {
    outages(sim).await;
}
