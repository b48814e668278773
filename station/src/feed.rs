//! The feed: every change, to whoever listens; a slow listener is told how much it missed.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Changes that a listener may be behind before it misses some.
pub const FEED_LEN: usize = 1024;

/// One acknowledged change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its number; numbers rise without end, over restarts too.
    pub sequence: u64,
    /// What happened to the key.
    pub op: Op,
    /// The key.
    pub key: String,
    /// How long its value is now, in bytes.
    pub bytes: usize,
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// It has a new value.
    Put,
    /// It is gone.
    Delete,
}

/// What a listener hears next.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A change.
    Change(Arc<Change>),
    /// It was too slow: this many changes are lost to it.
    Missed(u64),
}

/// Where changes go out.
#[derive(Clone, Debug)]
pub struct Feed {
    sender: broadcast::Sender<Arc<Change>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            sender: broadcast::channel(FEED_LEN).0,
        }
    }
}

impl Feed {
    /// Tells every listener; waits for none.
    pub fn publish(&self, change: Change) {
        // An error says that nobody listens, which is fine.
        let _ = self.sender.send(Arc::new(change));
    }

    /// Listens from now on.
    pub fn listen(&self) -> Listener {
        Listener {
            receiver: self.sender.subscribe(),
        }
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.sender.receiver_count()
    }
}

/// One listener to the feed.
#[derive(Debug)]
pub struct Listener {
    receiver: broadcast::Receiver<Arc<Change>>,
}

impl Listener {
    /// The next change, or none once the store is gone.
    ///
    /// *Cancel safety*: nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.receiver.recv().await {
            Ok(change) => Some(Heard::Change(change)),
            Err(RecvError::Lagged(missed)) => Some(Heard::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
