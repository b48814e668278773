//! The service as a whole: opens the store, serves until told to stop, drains.

use std::future::{Future, IntoFuture};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::accept::Gate;
use crate::disk::{Directory, Disk};
use crate::feed::Feed;
use crate::http;
use crate::log::Replay;
use crate::stats::Stats;
use crate::store::Store;

/// How a service is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory of its log.
    pub data: PathBuf,
    /// Connections at a time; those beyond are answered 503.
    pub connections_max: usize,
    /// The longest value, in bytes; a longer one is answered 413.
    pub body_max: usize,
    /// How long open requests may take to end once the service was told to stop.
    pub drain: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("station-data"),
            connections_max: 10_000,
            body_max: 1 << 20,
            drain: Duration::from_secs(10),
        }
    }
}

/// What the handlers of requests share.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    pub(crate) stats: Arc<Stats>,
    /// Turns true when the service stops; streams end then.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// An open service that does not listen yet.
#[derive(Debug)]
pub struct Service {
    config: Config,
    app: App,
    stop: watch::Sender<bool>,
    writer: JoinHandle<()>,
    replay: Replay,
}

impl Service {
    /// Opens the store in the directory of `config`.
    ///
    /// # Errors
    /// What the file system says, and `InvalidData` if the log is corrupt.
    pub async fn open(config: Config) -> io::Result<Self> {
        let disk = Directory::open(&config.data).await?;
        Self::open_on(disk, config).await
    }

    /// Opens the store on a disk of the caller's.
    ///
    /// # Errors
    /// As [`open`](Service::open).
    pub async fn open_on(disk: impl Disk, config: Config) -> io::Result<Self> {
        let (feed, stats) = (Feed::default(), Arc::new(Stats::default()));
        let (store, replay, writer) = Store::open(disk, feed.clone(), Arc::clone(&stats)).await?;
        let (stop, stopping) = watch::channel(false);
        let app = App {
            store,
            feed,
            stats,
            stopping,
        };
        Ok(Self {
            config,
            app,
            stop,
            writer,
            replay,
        })
    }

    /// What was found on the disk.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// How many keys there are.
    pub fn keys(&self) -> u64 {
        self.app.store.sizes().keys
    }

    /// Serves until `until` is ready; then takes no more connections, ends the streams of changes,
    /// lets open requests end (for as long as the configuration says), and returns once all that
    /// was accepted is on disk. True if every connection ended in time.
    ///
    /// # Errors
    /// If the listener has no address.
    pub async fn run(
        self,
        listener: TcpListener,
        until: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<bool> {
        let Self {
            config,
            app,
            stop,
            writer,
            ..
        } = self;
        listener.local_addr()?;
        let gate = Gate::new(listener, config.connections_max, Arc::clone(&app.stats));
        let mut stopping = app.stopping.clone();
        let router = http::router(app, config.body_max);
        let server = axum::serve(gate, router)
            .with_graceful_shutdown(async move { stopped(&mut stopping).await });
        let mut server = tokio::spawn(server.into_future());
        until.await;
        stop.send_replace(true);
        let in_time = match tokio::time::timeout(config.drain, &mut server).await {
            Ok(_) => true,
            Err(_) => {
                server.abort();
                false
            }
        };
        if in_time {
            // The last clone of the store is gone with the server, so the writer comes to its end.
            let _ = tokio::time::timeout(config.drain, writer).await;
        }
        Ok(in_time)
    }
}

/// Returns once the service stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error says that the service is gone, which is the end as well.
    let _ = stopping.wait_for(|&stopping| stopping).await;
}

/// Opens a service and serves until `until` is ready.
///
/// # Errors
/// As [`Service::open`] and [`Service::run`].
pub async fn serve(
    listener: TcpListener,
    config: Config,
    until: impl Future<Output = ()> + Send + 'static,
) -> io::Result<bool> {
    Service::open(config).await?.run(listener, until).await
}
