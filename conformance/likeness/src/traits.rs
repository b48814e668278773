//! Which traits types have, and the futures that functions return: `Send`, `Debug`, and so on.
//!
//! Nothing is run. A type is asked about by its name, a future by the closure that would make it:
//! the compiler alone finds the answers. Left out: what `DIFFERENT` lists. What ours have beyond
//! that, of traits that do no harm, `cargo xtask likeness` does not count.

#[macro_use]
mod probe;

mod channels;
mod conversions;
mod files;
mod locks;
mod sockets;
mod streams;
mod tasks;

use crate::trial::Trial;

pub(crate) use channels::channels;
pub(crate) use conversions::conversions;
pub(crate) use files::files;
pub(crate) use locks::locks;
pub(crate) use sockets::sockets;
pub(crate) use streams::streams;
pub(crate) use tasks::tasks;

/// The rows, and the traits that one side has and the other has not, for a reason.
const DIFFERENT: &[(&str, &str)] = &[
    // Ours can be copied, which does no harm.
    ("FileTimes []", "Copy"),
    ("runtime::RuntimeFlavor []", "Copy"),
    ("runtime::RuntimeFlavor []", "Clone"),
    // Ours are a lock around the stream, which asks for `Send` and not for `Sync`.
    ("ReadHalf<V> [Cell < u8 >]", "Sync"),
    ("WriteHalf<V> [Cell < u8 >]", "Sync"),
    ("ReadHalf<V> [Guard]", "Sync"),
    ("WriteHalf<V> [Guard]", "Sync"),
    // Ours can be moved, whatever the lock protects, and share no more than the part.
    ("OwnedMappedMutexGuard<u8, V> [Guard]", "Sync"),
    ("OwnedRwLockReadGuard<V, V> [PhantomPinned]", "Unpin"),
    ("OwnedRwLockReadGuard<V, u8> [PhantomPinned]", "Unpin"),
    ("OwnedRwLockWriteGuard<V> [PhantomPinned]", "Unpin"),
    ("OwnedRwLockMappedWriteGuard<V, V> [PhantomPinned]", "Unpin"),
    (
        "OwnedRwLockMappedWriteGuard<V, u8> [PhantomPinned]",
        "Unpin",
    ),
];

/// Tells of types and futures, a line each, that may have a parameter.
struct Rows<'a> {
    trial: &'a mut Trial,
    /// What `V` is in the rows that come next.
    of: &'static str,
}

impl Rows<'_> {
    fn of(trial: &mut Trial) -> Rows<'_> {
        Rows { trial, of: "" }
    }

    /// The row with the traits that there are, in which those that there are not are empty.
    fn tell(&mut self, row: &str, traits: &[&'static str]) {
        let row = format!("{row} [{}]", self.of);
        let is_told = |name: &&&str| !name.is_empty() && !DIFFERENT.contains(&(&row, **name));
        let told: Vec<&str> = traits.iter().filter(is_told).copied().collect();
        self.trial.tell(format_args!("{row}: {}", told.join(" ")));
    }
}
