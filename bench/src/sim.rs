//! How fast a simulated world goes: idle hosts, messages over TCP, on one core.
//!
//! Prints `name, value, unit` a line, tab-separated. `sim-yamanote [SECONDS]`: of real time a row,
//! 2 unless told otherwise. Only ours has a simulation, so there is no other side.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sim::Sim;
use tokio::time::interval;

/// Bytes of a message.
const LEN: usize = 16;

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let budget = Duration::from_secs_f64(seconds.unwrap_or(2.0));
    row(
        "idle, 10 hosts with a timer each second",
        "simulated s/s",
        idle(budget),
    );
    for pairs in [1, 10, 100] {
        let name = format!("ping-pong of {LEN} bytes, {pairs} pairs");
        row(&name, "messages/s", ping_pong(pairs, budget));
    }
    row("fsync on 10 hosts in turn", "fsyncs/s", syncs(budget));
}

fn row(name: &str, unit: &str, value: f64) {
    println!("{name}\t{value:.0}\t{unit}");
}

/// Runs `sim` in steps of virtual time until the budget of real time is spent; how long it took.
fn run(sim: &Sim, step: Duration, budget: Duration) -> f64 {
    let begin = Instant::now();
    while begin.elapsed() < budget {
        sim.run_for(step)
            .expect("the simulated programs do not fail");
    }
    begin.elapsed().as_secs_f64()
}

fn idle(budget: Duration) -> f64 {
    let sim = Sim::new(1);
    for host in 0..10 {
        sim.host(&format!("host{host}"), || async {
            let mut ticks = interval(Duration::from_secs(1));
            loop {
                ticks.tick().await;
            }
        });
    }
    let took = run(&sim, Duration::from_secs(1000), budget);
    sim.now().as_secs_f64() / took
}

fn ping_pong(pairs: usize, budget: Duration) -> f64 {
    let sim = Sim::new(1);
    let messages = Arc::new(AtomicU64::new(0));
    for pair in 0..pairs {
        let server = format!("server{pair}");
        sim.host(&server, serve);
        let messages = messages.clone();
        sim.host(&format!("client{pair}"), move || {
            ask(server.clone(), messages.clone())
        });
    }
    let took = run(&sim, Duration::from_secs(1), budget);
    messages.load(Ordering::Relaxed) as f64 / took
}

async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:1").await?;
    let (mut stream, _) = listener.accept().await?;
    let mut message = [0; LEN];
    loop {
        stream.read_exact(&mut message).await?;
        stream.write_all(&message).await?;
    }
}

async fn ask(server: String, messages: Arc<AtomicU64>) -> std::io::Result<()> {
    // The server may not listen yet.
    let mut stream = loop {
        match TcpStream::connect((server.as_str(), 1)).await {
            Ok(stream) => break stream,
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    let mut message = [7; LEN];
    loop {
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
        messages.fetch_add(2, Ordering::Relaxed);
    }
}

fn syncs(budget: Duration) -> f64 {
    let sim = Sim::new(1);
    let count = Arc::new(AtomicU64::new(0));
    for host in 0..10 {
        let count = count.clone();
        sim.host(&format!("host{host}"), move || write(count.clone()));
    }
    let took = run(&sim, Duration::from_secs(1), budget);
    count.load(Ordering::Relaxed) as f64 / took
}

async fn write(count: Arc<AtomicU64>) -> std::io::Result<()> {
    let mut file = tokio::fs::File::create("/log").await?;
    loop {
        file.write_all(&[7; LEN]).await?;
        file.flush().await?;
        file.sync_data().await?;
        count.fetch_add(1, Ordering::Relaxed);
    }
}
