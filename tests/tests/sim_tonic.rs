//! A tonic service and its client, unmodified, on simulated hosts. What `tonic-build` would write
//! is written by hand, so that nothing but cargo is needed.

#![cfg(target_os = "linux")]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, BufMut};
use tokio::sim::Sim;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::{BoxFuture, Context, Poll, Service, http};
use tonic::server::{ServerStreamingService, UnaryService};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};
use yamanote_tests::assert_seed_decides;

const PORT: u16 = 50_051;

/// Messages that are a number.
#[derive(Clone, Copy)]
struct Numbers;

impl Codec for Numbers {
    type Encode = u64;
    type Decode = u64;
    type Encoder = Numbers;
    type Decoder = Numbers;

    fn encoder(&mut self) -> Numbers {
        Numbers
    }

    fn decoder(&mut self) -> Numbers {
        Numbers
    }
}

impl Encoder for Numbers {
    type Item = u64;
    type Error = Status;

    fn encode(&mut self, number: u64, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_u64(number);
        Ok(())
    }
}

impl Decoder for Numbers {
    type Item = u64;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<u64>, Status> {
        let number = buffer.try_get_u64();
        number
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

/// A service that adds up.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicU64>);

/// The method that adds a number; answers with the sum.
struct Add(Counter);

impl UnaryService<u64> for Add {
    type Response = u64;
    type Future = BoxFuture<Response<u64>, Status>;

    fn call(&mut self, request: Request<u64>) -> Self::Future {
        let more = request.into_inner();
        let sum = self.0.0.fetch_add(more, Ordering::Relaxed) + more;
        Box::pin(async move { Ok(Response::new(sum)) })
    }
}

/// The method that says so many numbers, one each 10 ms.
struct CountUp;

impl ServerStreamingService<u64> for CountUp {
    type Response = u64;
    type ResponseStream = ReceiverStream<Result<u64, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<u64>) -> Self::Future {
        let (sender, numbers) = mpsc::channel(4);
        tokio::spawn(async move {
            for number in 0..request.into_inner() {
                sleep(Duration::from_millis(10)).await;
                if sender.send(Ok(number)).await.is_err() {
                    return;
                }
            }
        });
        Box::pin(async move { Ok(Response::new(ReceiverStream::new(numbers))) })
    }
}

impl Service<http::Request<Body>> for Counter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let counter = self.clone();
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Numbers);
            Ok(match request.uri().path() {
                "/Counter/Add" => grpc.unary(Add(counter), request).await,
                "/Counter/CountUp" => grpc.server_streaming(CountUp, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// The main function of the server.
async fn serve() -> Result<(), tonic::transport::Error> {
    let addr = ([0, 0, 0, 0], PORT).into();
    Server::builder().serve(addr, Counter::default()).await
}

fn channel() -> Channel {
    Endpoint::from_static("http://counter:50051")
        .timeout(Duration::from_secs(2))
        .connect_timeout(Duration::from_secs(1))
        .connect_lazy()
}

async fn client(channel: &Channel) -> Result<tonic::client::Grpc<Channel>, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    let ready = client.ready().await;
    ready.map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(client)
}

async fn add(channel: &Channel, more: u64) -> Result<u64, Status> {
    let path = PathAndQuery::from_static("/Counter/Add");
    let mut client = client(channel).await?;
    let sum = client.unary(Request::new(more), path, Numbers).await?;
    Ok(sum.into_inner())
}

async fn count_up(channel: &Channel, to: u64) -> Result<Streaming<u64>, Status> {
    let path = PathAndQuery::from_static("/Counter/CountUp");
    let mut client = client(channel).await?;
    let numbers = client.server_streaming(Request::new(to), path, Numbers);
    Ok(numbers.await?.into_inner())
}

/// Whatever was said until the end, or until it broke.
async fn all_of(mut numbers: Streaming<u64>) -> (Vec<u64>, Option<Status>) {
    let mut said = Vec::new();
    loop {
        match numbers.message().await {
            Ok(Some(number)) => said.push(number),
            Ok(None) => return (said, None),
            Err(status) => return (said, Some(status)),
        }
    }
}

#[test]
fn calls_and_streams_cross_the_network() {
    let run = |seed| {
        let sim = Sim::new(seed);
        sim.host("counter", serve);
        sim.run(async {
            let channel = channel();
            assert_eq!(add(&channel, 3).await.unwrap(), 3);
            assert_eq!(add(&channel, 4).await.unwrap(), 7);
            let numbers = count_up(&channel, 50).await.unwrap();
            let (said, end) = all_of(numbers).await;
            assert_eq!(said, (0..50).collect::<Vec<_>>());
            assert!(end.is_none(), "{end:?}");
        })
        .unwrap();
        sim.trace_hash()
    };
    assert_seed_decides(run);
}

#[test]
fn a_server_that_is_killed_in_the_middle_ends_the_stream_and_is_found_again() {
    for seed in 0..10 {
        let sim = Sim::new(seed);
        let host = sim.host("counter", serve);
        sim.run(async {
            let channel = channel();
            assert_eq!(add(&channel, 5).await.unwrap(), 5);
            let numbers = count_up(&channel, 1000).await.unwrap();
            let reading = tokio::spawn(all_of(numbers));
            sleep(Duration::from_millis(500)).await;
            host.crash();
            let (said, end) = reading.await.unwrap();
            assert!((30..60).contains(&said.len()), "{}", said.len());
            assert!(end.is_some());
            add(&channel, 1).await.unwrap_err();
            host.restart();
            sleep(Duration::from_millis(10)).await;
            // The same channel connects again; what the server had in memory is gone.
            assert_eq!(add(&channel, 2).await.unwrap(), 2);
        })
        .unwrap();
    }
}

#[test]
fn a_call_through_a_partition_ends_at_its_deadline_and_the_next_gets_through() {
    for seed in 0..10 {
        let sim = Sim::new(seed);
        let host = sim.host("counter", serve);
        sim.run(async {
            let channel = channel();
            assert_eq!(add(&channel, 1).await.unwrap(), 1);
            let partition = sim.net().partition("sim", &host);
            let begin = Instant::now();
            let status = add(&channel, 1).await.unwrap_err();
            let expired = [Code::DeadlineExceeded, Code::Cancelled];
            assert!(expired.contains(&status.code()), "{status:?}");
            let took = begin.elapsed().as_millis();
            assert!((2000..2010).contains(&took), "{took} ms");
            drop(partition);
            // The lost call is sent again by TCP: it may be done, or not, but never twice.
            sleep(Duration::from_secs(5)).await;
            let sum = add(&channel, 1).await.unwrap();
            assert!((2..=3).contains(&sum), "{sum}");
        })
        .unwrap();
    }
}
