//! What the tests share: a directory of their own, and a service in this process.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use station::{Config, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A directory that goes with the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // Relaxed: only that numbers differ matters.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("station-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn small(scratch: &Scratch) -> Config {
    Config {
        data: scratch.path().to_owned(),
        drain: Duration::from_secs(20),
        ..Config::default()
    }
}

pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<bool>>,
}

impl Running {
    pub(crate) async fn start(config: Config) -> Self {
        Self::start_opened(Service::open(config).await.unwrap()).await
    }

    pub(crate) async fn start_opened(service: Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(service.run(listener, async move {
            let _ = stopped.await;
        }));
        Self { addr, stop, server }
    }

    /// Stops; true if all ended in time.
    pub(crate) async fn stop(self) -> bool {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap()
    }

    pub(crate) async fn raw(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, String) {
        self.try_ask(method, path, body).await.unwrap()
    }

    pub(crate) async fn try_ask(
        &self,
        method: Method,
        path: &str,
        body: &str,
    ) -> Option<(StatusCode, String)> {
        ask(self.addr, method, path, body).await.ok()
    }
}

pub(crate) type AnyError = Box<dyn std::error::Error + Send + Sync>;

pub(crate) async fn ask(
    addr: SocketAddr,
    method: Method,
    path: &str,
    body: &str,
) -> Result<(StatusCode, String), AnyError> {
    let stream = TcpStream::connect(addr).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "station")
        .body(body)?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8(body.to_vec())?))
}

/// Reads until `mark` was read.
pub(crate) async fn read_until(stream: &mut TcpStream, mark: &str) {
    let mut got = Vec::new();
    while !String::from_utf8_lossy(&got).contains(mark) {
        got.push(stream.read_u8().await.unwrap());
    }
}
