//! What a waiter of a semaphore carries: how many permits it still needs, and what they are for.

use super::word::MAX_PERMITS;

/// The bits below the number, which are free because of [`MAX_PERMITS`].
const SHIFT: u32 = 3;
const USE_MASK: usize = (1 << SHIFT) - 1;
const _: () = assert!(MAX_PERMITS <= usize::MAX >> SHIFT);

/// What permits are for; a report of what tasks wait for tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum PermitUse {
    /// The permits of a semaphore itself.
    Semaphore,
    /// A mutex.
    Mutex,
    /// A lock, to read.
    Read,
    /// A lock, to write.
    Write,
    /// Room in a bounded channel.
    Room,
    /// The right to set a cell.
    Cell,
}

/// Permits that are needed, in one word, so that a use costs no room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed(usize);

impl PermitUse {
    const ALL: [PermitUse; 6] = [
        PermitUse::Semaphore,
        PermitUse::Mutex,
        PermitUse::Read,
        PermitUse::Write,
        PermitUse::Room,
        PermitUse::Cell,
    ];

    /// As reports have it.
    const fn text(self) -> &'static str {
        match self {
            PermitUse::Semaphore => "Semaphore: permits",
            PermitUse::Mutex => "Mutex: its turn",
            PermitUse::Read => "RwLock: its turn to read",
            PermitUse::Write => "RwLock: its turn to write",
            PermitUse::Room => "mpsc: room",
            PermitUse::Cell => "OnceCell: its turn to set",
        }
    }
}

impl Needed {
    /// None yet.
    pub(super) const fn none(permit_use: PermitUse) -> Self {
        Self(permit_use as usize)
    }

    /// From now on it is `permits`.
    pub(super) fn set(&mut self, permits: usize) {
        self.0 = self.0 & USE_MASK | permits << SHIFT;
    }

    /// Takes what it needs out of `left`.
    pub(super) fn take_of(&mut self, left: &mut usize) {
        let given = self.permits().min(*left);
        *left -= given;
        self.0 -= given << SHIFT;
    }

    pub(super) const fn permits(self) -> usize {
        self.0 >> SHIFT
    }

    /// What a report says of the wait.
    pub(super) fn text(self) -> &'static str {
        let place = self.0 & USE_MASK;
        PermitUse::ALL.get(place).map_or("permits", |of| of.text())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_number_leaves_the_use_alone() {
        for permit_use in PermitUse::ALL {
            let mut needed = Needed::none(permit_use);
            assert_eq!(needed.permits(), 0);
            needed.set(MAX_PERMITS);
            assert_eq!(needed.permits(), MAX_PERMITS);
            needed.set(5);
            let mut left = 3;
            needed.take_of(&mut left);
            assert_eq!((needed.permits(), left), (2, 0));
            let mut left = 3;
            needed.take_of(&mut left);
            assert_eq!((needed.permits(), left), (0, 1));
            assert_eq!(needed.text(), permit_use.text());
        }
    }
}
