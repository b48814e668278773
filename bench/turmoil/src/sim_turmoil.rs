//! The rows of `sim_rows` on turmoil: latencies from 1 to 10 ms, as ours has them, and otherwise
//! as it comes.

#[path = "../../src/sim_rows.rs"]
mod sim_rows;

use world::World;

/// What differs from one simulator to another.
mod world {
    use std::future::Future;
    use std::io;
    use std::net::SocketAddr;
    use std::time::Duration;

    use axum::Router;
    use axum::serve::Listener;
    use turmoil::Sim;

    pub(crate) use turmoil::net::{TcpListener, TcpStream};

    pub(crate) struct World(Sim<'static>);

    impl World {
        pub(crate) fn new() -> Self {
            let sim = turmoil::Builder::new()
                .rng_seed(1)
                .min_message_latency(Duration::from_millis(1))
                .max_message_latency(Duration::from_millis(10))
                .simulation_duration(Duration::MAX)
                .build();
            Self(sim)
        }

        pub(crate) fn host<F, Fut>(&mut self, name: &str, main: F)
        where
            F: Fn() -> Fut + Send + Sync + 'static,
            Fut: Future<Output = io::Result<()>> + Send + 'static,
        {
            self.0.host(name, move || {
                let main = main();
                async move { Ok(main.await?) }
            });
        }

        pub(crate) fn run_for(&mut self, step: Duration) {
            let end = self.now() + step;
            while self.now() < end {
                let stepped = self.0.step();
                stepped.expect("the simulated programs do not fail");
            }
        }

        pub(crate) fn now(&self) -> Duration {
            self.0.elapsed()
        }
    }

    struct Accepting(TcpListener);

    impl Listener for Accepting {
        type Io = TcpStream;
        type Addr = SocketAddr;

        async fn accept(&mut self) -> (TcpStream, SocketAddr) {
            let accepted = self.0.accept().await;
            accepted.expect("its listener does not fail")
        }

        fn local_addr(&self) -> io::Result<SocketAddr> {
            self.0.local_addr()
        }
    }

    pub(crate) async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
        axum::serve(Accepting(listener), app).await
    }
}

fn main() {
    sim_rows::run(World::new, &[]);
}
