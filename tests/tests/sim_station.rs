//! The service of `station`, unmodified, on three simulated hosts.
//!
//! Its files are real ones for now, in a directory for each host.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sim::Sim;
use tokio::time::interval;

const HOSTS: [&str; 3] = ["north", "east", "west"];

/// Directories for the data of hosts; removed when dropped.
struct DataDirs(PathBuf);

impl DataDirs {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("yamanote-sim-station-{}-{number}", std::process::id());
        // In memory where the system has such a place: each fsync of a disk takes real time.
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        Self(base.join(name))
    }
}

impl Drop for DataDirs {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The main function of each host.
async fn serve(data: PathBuf) -> std::io::Result<()> {
    let config = station::Config {
        data,
        ..station::Config::default()
    };
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    station::serve(listener, config, std::future::pending()).await?;
    Ok(())
}

fn start(sim: &Sim, name: &str, data: &Path) -> tokio::sim::Host {
    let data = data.join(name);
    sim.host(name, move || serve(data.clone()))
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
    let data = DataDirs::new();
    let sim = Sim::new(seed);
    for name in HOSTS {
        start(&sim, name, &data.0);
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
fn a_minute_of_three_stations_repeats_by_its_seed_in_less_than_a_second() {
    let begin = std::time::Instant::now();
    let first = minute(7);
    let took = begin.elapsed();
    assert_eq!(first, minute(7));
    assert_ne!(first, minute(8));
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_station_that_is_killed_still_has_what_it_acknowledged() {
    let data = DataDirs::new();
    let sim = Sim::new(1);
    let host = start(&sim, "north", &data.0);
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
