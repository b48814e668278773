//! Where a request is under way: [`Place`], and the [`PlaceCell`] that remembers it.

use yamanote_base::atomic::plain::{AtomicU64, AtomicUsize, Ordering};
use yamanote_sys::request::RequestKey;

/// Where a request is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(super) shard: usize,
    pub(super) key: RequestKey,
}

/// Where the last request of a kind was submitted. It may have ended since: a key is known to
/// requests of one kind of one tag alone, one after the other, so to cancel what has ended does
/// nothing.
///
/// It is written under the lock of the ring, by the task that submits, and read by the task that
/// gives the request up, after it has submitted it. Who submits the other kind reads it at any
/// time, as a hint.
#[derive(Debug)]
pub(super) struct PlaceCell {
    shard: AtomicUsize,
    key: AtomicU64,
}

impl PlaceCell {
    pub(super) fn new() -> Self {
        Self {
            shard: AtomicUsize::new(0),
            key: AtomicU64::new(RequestKey::NONE.0),
        }
    }

    pub(super) fn set(&self, place: Place) {
        // Relaxed: who reads it has submitted it, or has the stream from who did. No other request
        // of the kind is under way meanwhile, so the two words belong together.
        self.shard.store(place.shard, Ordering::Relaxed);
        self.key.store(place.key.0, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<Place> {
        // Relaxed: see set().
        let key = RequestKey(self.key.load(Ordering::Relaxed));
        let shard = self.shard.load(Ordering::Relaxed);
        (key != RequestKey::NONE).then_some(Place { shard, key })
    }
}
