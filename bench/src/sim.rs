//! The rows of `sim_rows` in a world of ours, and what only ours has.
//!
//! `sim-yamanote SECONDS ROW no-hash` leaves the trace's hash out, to show what that costs.

mod sim_rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use sim_rows::Row;
use world::World;

/// What differs from one simulator to another.
mod world {
    use std::future::Future;
    use std::io;
    use std::time::Duration;

    use axum::Router;
    use tokio::sim::{Sim, SimOptions};

    pub(crate) use tokio::net::{TcpListener, TcpStream};

    pub(crate) struct World(Sim);

    impl World {
        pub(crate) fn new(keeps_hash: bool) -> Self {
            let mut options = SimOptions::new(1);
            options.keeps_hash = keeps_hash;
            Self(Sim::with_options(options))
        }

        pub(crate) fn host<F, Fut>(&mut self, name: &str, main: F)
        where
            F: Fn() -> Fut + Send + Sync + 'static,
            Fut: Future<Output = io::Result<()>> + Send + 'static,
        {
            self.0.host(name, main);
        }

        pub(crate) fn run_for(&mut self, step: Duration) {
            let ended = self.0.run_for(step);
            ended.expect("the simulated programs do not fail");
        }

        pub(crate) fn now(&self) -> Duration {
            self.0.now()
        }
    }

    pub(crate) async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
        axum::serve(listener, app).await
    }
}

const OURS: [Row; 1] = [("fsync on 10 hosts in turn", "fsyncs/s", syncs)];

fn main() {
    let keeps_hash = std::env::args().nth(3).is_none_or(|text| text != "no-hash");
    sim_rows::run(|| World::new(keeps_hash), &OURS);
}

fn syncs(mut world: World, budget: Duration) -> f64 {
    let count = Arc::new(AtomicU64::new(0));
    for host in 0..10 {
        let count = count.clone();
        world.host(&format!("host{host}"), move || write(count.clone()));
    }
    let took = sim_rows::run_for(&mut world, Duration::from_secs(1), budget);
    count.load(Ordering::Relaxed) as f64 / took
}

async fn write(count: Arc<AtomicU64>) -> std::io::Result<()> {
    let mut file = tokio::fs::File::create("/log").await?;
    loop {
        file.write_all(&[7; 16]).await?;
        file.flush().await?;
        file.sync_data().await?;
        count.fetch_add(1, Ordering::Relaxed);
    }
}
