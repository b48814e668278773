//! How fast a simulated world goes, on one core: idle hosts, messages over TCP, HTTP. The same
//! programs on each simulator; `crate::world` is what differs.
//!
//! Prints `name, value, unit` a line, tab-separated, `SECONDS` of real time a row: 2, unless the
//! first argument says otherwise. The second is a part of the names of rows to run.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{interval, sleep};

use crate::world::{TcpListener, TcpStream, World, serve};

/// Bytes of a message.
const LEN: usize = 16;

/// Runs the rows in `World`s that `new_world` makes, and then `more`.
pub(crate) fn run(new_world: impl Fn() -> World, more: &[Row]) {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok());
    let budget = Duration::from_secs_f64(seconds.unwrap_or(2.0));
    let filter = arguments.next().unwrap_or_default();
    let rows = ROWS.iter().chain(more);
    for (name, unit, measure) in rows.filter(|(name, ..)| name.contains(&filter)) {
        println!("{name}\t{:.0}\t{unit}", measure(new_world(), budget));
    }
}

/// Its name, its unit, and how it is measured.
pub(crate) type Row = (&'static str, &'static str, fn(World, Duration) -> f64);

const ROWS: [Row; 6] = [
    (
        "idle, 10 hosts with a timer each second",
        "simulated s/s",
        idle,
    ),
    (
        "ping-pong of 16 bytes, 1 pair",
        "messages/s",
        |world, budget| ping_pong(world, 1, budget),
    ),
    (
        "ping-pong of 16 bytes, 10 pairs",
        "messages/s",
        |world, budget| ping_pong(world, 10, budget),
    ),
    (
        "ping-pong of 16 bytes, 100 pairs",
        "messages/s",
        |world, budget| ping_pong(world, 100, budget),
    ),
    ("axum GET, 1 client", "requests/s", |world, budget| {
        http(world, 1, budget)
    }),
    ("axum GET, 10 clients", "requests/s", |world, budget| {
        http(world, 10, budget)
    }),
];

/// Runs `world` in steps of virtual time until the budget of real time is spent; how long it took.
pub(crate) fn run_for(world: &mut World, step: Duration, budget: Duration) -> f64 {
    let begin = Instant::now();
    while begin.elapsed() < budget {
        world.run_for(step);
    }
    begin.elapsed().as_secs_f64()
}

fn idle(mut world: World, budget: Duration) -> f64 {
    for host in 0..10 {
        world.host(&format!("host{host}"), || async {
            let mut ticks = interval(Duration::from_secs(1));
            loop {
                ticks.tick().await;
            }
        });
    }
    let took = run_for(&mut world, Duration::from_secs(10), budget);
    world.now().as_secs_f64() / took
}

fn ping_pong(mut world: World, pairs: usize, budget: Duration) -> f64 {
    let messages = Arc::new(AtomicU64::new(0));
    for pair in 0..pairs {
        let server = format!("server{pair}");
        world.host(&server, echo);
        let messages = messages.clone();
        world.host(&format!("client{pair}"), move || {
            ask(server.clone(), messages.clone())
        });
    }
    let took = run_for(&mut world, Duration::from_millis(100), budget);
    messages.load(Ordering::Relaxed) as f64 / took
}

async fn echo() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:1").await?;
    let (mut stream, _) = listener.accept().await?;
    let mut message = [0; LEN];
    loop {
        stream.read_exact(&mut message).await?;
        stream.write_all(&message).await?;
    }
}

async fn ask(server: String, messages: Arc<AtomicU64>) -> io::Result<()> {
    let mut stream = connect(&server, 1).await;
    let mut message = [7; LEN];
    loop {
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
        messages.fetch_add(2, Ordering::Relaxed);
    }
}

/// Connects as soon as the server listens.
async fn connect(server: &str, port: u16) -> TcpStream {
    loop {
        match TcpStream::connect((server, port)).await {
            Ok(stream) => return stream,
            Err(_) => sleep(Duration::from_millis(1)).await,
        }
    }
}

fn http(mut world: World, clients: usize, budget: Duration) -> f64 {
    let answers = Arc::new(AtomicU64::new(0));
    world.host("server", || async {
        let app = Router::new().route("/", get(|| async { "Hello, World!" }));
        serve(TcpListener::bind("0.0.0.0:80").await?, app).await
    });
    for client in 0..clients {
        let answers = answers.clone();
        world.host(&format!("client{client}"), move || fetch(answers.clone()));
    }
    let took = run_for(&mut world, Duration::from_secs(1), budget);
    answers.load(Ordering::Relaxed) as f64 / took
}

/// One request after another on one connection.
async fn fetch(answers: Arc<AtomicU64>) -> io::Result<()> {
    let stream = TokioIo::new(connect("server", 80).await);
    let handshake = hyper::client::conn::http1::handshake(stream).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    tokio::spawn(connection);
    loop {
        let request = Request::get("/").body(Empty::<Bytes>::new());
        let request = request.map_err(io::Error::other)?;
        let answer = sender.send_request(request).await;
        let body = answer.map_err(io::Error::other)?.into_body().collect();
        let body = body.await.map_err(io::Error::other)?.to_bytes();
        assert_eq!(body, "Hello, World!");
        answers.fetch_add(1, Ordering::Relaxed);
    }
}
