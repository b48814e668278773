//! What a resource may be waited for ([`Interest`]) and what it is ready for ([`Ready`]).

use std::fmt;
use std::ops;

/// The operations that a resource is ready for: a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ready(u8);

/// The operations that somebody waits for: a set of bits that is never empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

const READABLE: u8 = 1;
const WRITABLE: u8 = 1 << 1;
const READ_CLOSED: u8 = 1 << 2;
const WRITE_CLOSED: u8 = 1 << 3;
const PRIORITY: u8 = 1 << 4;
const ERROR: u8 = 1 << 5;

impl Ready {
    /// Nothing.
    pub const EMPTY: Ready = Ready(0);
    /// A read would not block.
    pub const READABLE: Ready = Ready(READABLE);
    /// A write would not block.
    pub const WRITABLE: Ready = Ready(WRITABLE);
    /// The reading half has seen its end.
    pub const READ_CLOSED: Ready = Ready(READ_CLOSED);
    /// The writing half can send no more.
    pub const WRITE_CLOSED: Ready = Ready(WRITE_CLOSED);
    /// Out-of-band data are there.
    pub const PRIORITY: Ready = Ready(PRIORITY);
    /// The resource is in an error state.
    pub const ERROR: Ready = Ready(ERROR);
    /// All of them.
    pub const ALL: Ready =
        Ready(READABLE | WRITABLE | READ_CLOSED | WRITE_CLOSED | PRIORITY | ERROR);

    /// The set whose bits are `bits`; bits without a meaning are left out.
    pub const fn from_bits(bits: u8) -> Ready {
        Ready(bits & Ready::ALL.0)
    }

    /// The bits of the set.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether nothing is ready.
    pub fn is_empty(self) -> bool {
        self == Ready::EMPTY
    }

    /// Whether a read would not block, be it because of the end of the stream.
    pub fn is_readable(self) -> bool {
        self.0 & (READABLE | READ_CLOSED) != 0
    }

    /// Whether a write would not block, be it because it fails at once.
    pub fn is_writable(self) -> bool {
        self.0 & (WRITABLE | WRITE_CLOSED) != 0
    }

    /// Whether the reading half is closed.
    pub fn is_read_closed(self) -> bool {
        self.0 & READ_CLOSED != 0
    }

    /// Whether the writing half is closed.
    pub fn is_write_closed(self) -> bool {
        self.0 & WRITE_CLOSED != 0
    }

    /// Whether out-of-band data are there.
    pub fn is_priority(self) -> bool {
        self.0 & PRIORITY != 0
    }

    /// Whether the resource is in an error state.
    pub fn is_error(self) -> bool {
        self.0 & ERROR != 0
    }

    /// Whether all of `other` is in this set.
    pub fn contains(self, other: impl Into<Ready>) -> bool {
        let other = other.into();
        self & other == other
    }

    /// What of this set answers `interest`.
    pub fn answering(self, interest: Interest) -> Ready {
        self & interest.mask()
    }
}

impl Interest {
    /// Readable events; includes the closing of the reading half.
    pub const READABLE: Interest = Interest(READABLE);
    /// Writable events; includes the closing of the writing half.
    pub const WRITABLE: Interest = Interest(WRITABLE);
    /// Out-of-band data.
    pub const PRIORITY: Interest = Interest(PRIORITY);
    /// Error events.
    pub const ERROR: Interest = Interest(ERROR);

    /// Whether it includes readable events.
    pub const fn is_readable(self) -> bool {
        self.0 & READABLE != 0
    }

    /// Whether it includes writable events.
    pub const fn is_writable(self) -> bool {
        self.0 & WRITABLE != 0
    }

    /// Whether it includes out-of-band data.
    pub const fn is_priority(self) -> bool {
        self.0 & PRIORITY != 0
    }

    /// Whether it includes error events.
    pub const fn is_error(self) -> bool {
        self.0 & ERROR != 0
    }

    /// Both together; the same as `|`.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub const fn add(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }

    /// This without `other`; `None` if nothing is left.
    pub fn remove(self, other: Interest) -> Option<Interest> {
        let rest = self.0 & !other.0;
        (rest != 0).then_some(Interest(rest))
    }

    /// All readiness that answers this interest.
    pub fn mask(self) -> Ready {
        let mut mask = self.0;
        if self.is_readable() {
            mask |= READ_CLOSED;
        }
        if self.is_writable() {
            mask |= WRITE_CLOSED;
        }
        Ready(mask)
    }
}

impl From<Interest> for Ready {
    fn from(interest: Interest) -> Ready {
        interest.mask()
    }
}

impl ops::BitOr for Ready {
    type Output = Ready;

    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl ops::BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        self.0 |= other.0;
    }
}

impl ops::BitAnd for Ready {
    type Output = Ready;

    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0 & other.0)
    }
}

impl ops::Sub for Ready {
    type Output = Ready;

    fn sub(self, other: Ready) -> Ready {
        Ready(self.0 & !other.0)
    }
}

impl ops::BitOr for Interest {
    type Output = Interest;

    fn bitor(self, other: Interest) -> Interest {
        self.add(other)
    }
}

impl ops::BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Interest) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("is_readable", &self.is_readable())
            .field("is_writable", &self.is_writable())
            .field("is_read_closed", &self.is_read_closed())
            .field("is_write_closed", &self.is_write_closed())
            .field("is_error", &self.is_error())
            .field("is_priority", &self.is_priority())
            .finish()
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (READABLE, "READABLE"),
            (WRITABLE, "WRITABLE"),
            (PRIORITY, "PRIORITY"),
            (ERROR, "ERROR"),
        ];
        let mut separator = "";
        for (bit, name) in names {
            if self.0 & bit != 0 {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_counts_as_ready_but_not_the_reverse() {
        assert!(Ready::READ_CLOSED.is_readable());
        assert!(!Ready::READABLE.is_read_closed());
        assert_eq!(
            Ready::ALL.answering(Interest::WRITABLE),
            Ready::WRITABLE | Ready::WRITE_CLOSED
        );
    }

    #[test]
    fn interest_is_never_empty() {
        let both = Interest::READABLE | Interest::WRITABLE;
        assert_eq!(format!("{both:?}"), "READABLE | WRITABLE");
        assert_eq!(both.remove(Interest::WRITABLE), Some(Interest::READABLE));
        assert_eq!(Interest::READABLE.remove(Interest::READABLE), None);
    }
}
