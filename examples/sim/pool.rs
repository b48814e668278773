//! A client keeps its connection for the next request. When a router forgets the connection,
//! neither end hears of it: without a limit of time the request waits for ever.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sim::{Sim, Swarm, SwarmFault};
use tokio::time::{sleep, timeout};

use crate::{Form, at_once, finds, passes, serve};

const PORT: u16 = 7003;

/// A pool of one connection.
#[derive(Default)]
struct Pool(Option<TcpStream>);

impl Pool {
    async fn ask(&mut self, question: u64) -> io::Result<u64> {
        let mut stream = match self.0.take() {
            Some(stream) => stream,
            None => TcpStream::connect(("server", PORT)).await?,
        };
        stream.write_u64(question).await?;
        let answer = stream.read_u64().await?;
        self.0 = Some(stream);
        Ok(answer)
    }
}

/// The answer, if there is one.
async fn try_ask(form: Form, pool: &mut Pool, question: u64) -> Option<u64> {
    match form {
        Form::Buggy => pool.ask(question).await.ok(),
        Form::Fixed => {
            let limited = timeout(Duration::from_secs(2), pool.ask(question)).await;
            limited.ok().and_then(Result::ok)
        }
    }
}

async fn client(form: Form) {
    let mut pool = Pool::default();
    for question in 0..20 {
        while try_ask(form, &mut pool, question).await != Some(question + 1) {
            sleep(Duration::from_millis(50)).await;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

pub(crate) async fn world(sim: Sim, form: Form) {
    sim.host("server", || serve(PORT, at_once(|question| question + 1)));
    let swarm = Swarm::default().only([SwarmFault::HalfOpen, SwarmFault::Loss]);
    let chaos = sim.nemesis(swarm);
    let client = sim.client("client", client(form));
    sleep(Duration::from_secs(8)).await;
    drop(chaos);
    sim.eventually("all is answered", Duration::from_secs(120), || {
        client.is_finished()
    })
    .await;
}

#[test]
fn a_request_on_a_dead_connection_waits_for_ever() {
    let failure = finds("pool", |sim| world(sim, Form::Buggy));
    assert_eq!(failure.name, "eventually \"all is answered\"");
    let shrinking = failure.shrinking.expect("it is shrunk");
    assert!(
        shrinking.faults[1] > 0 && shrinking.hosts[1] == 2,
        "{shrinking}"
    );
}

#[test]
fn a_request_with_a_limit_is_sent_again_on_another_connection() {
    passes("pool", |sim| world(sim, Form::Fixed));
}
