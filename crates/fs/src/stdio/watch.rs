//! Watching the standard input: [`Watch`], by the reactor of the runtime that reads it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll, ready};

use yamanote_base::interest::Interest;
use yamanote_base::ready::Direction;
use yamanote_driver::context;
use yamanote_driver::resource::unix::{PipeEnd, pipe};
use yamanote_driver::resource::{Registration, Watched};

/// How one handle waits for the standard input.
#[derive(Debug, Default)]
pub(super) enum Watch {
    /// Nobody had to wait yet.
    #[default]
    Untried,
    /// A descriptor of our own of the same pipe or terminal: two handles of one runtime could not
    /// both have the same one watched.
    On(PipeEnd),
    /// It cannot be watched.
    Off,
}

// A panic leaves nothing half done here: it is a descriptor, and how it is waited for.
impl UnwindSafe for Watch {}
impl RefUnwindSafe for Watch {}

impl Watch {
    /// Waits until a read would not block, as far as that can be known beforehand.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // At most three times: after another runtime's watch comes one of this runtime, or none.
        loop {
            let input = match self {
                Watch::On(input) => input,
                Watch::Off => return Poll::Ready(()),
                Watch::Untried => {
                    *self = begin().map_or(Watch::Off, Watch::On);
                    continue;
                }
            };
            let check = || match pipe::is_readable(input.get().as_fd()) {
                true => Ok(()),
                false => Err(io::ErrorKind::WouldBlock.into()),
            };
            if ready!(input.poll_io(cx, Direction::Read, check)).is_ok() {
                return Poll::Ready(());
            }
            // Its runtime is gone, or no selector takes it.
            *self = match input.handle().is_shut_down() {
                true => Watch::Untried,
                false => Watch::Off,
            };
        }
    }

    /// Whether a read that finds nothing can be waited for.
    pub(super) fn is_on(&self) -> bool {
        matches!(self, Watch::On(_))
    }
}

/// Whether a read of the standard input would not block.
pub(super) fn is_readable() -> bool {
    pipe::is_readable(io::stdin().as_fd())
}

/// # Errors
/// When it is a file (which some selectors take, but say nothing of its end) or closed; when the
/// runtime has no I/O, or the system no descriptors left.
fn begin() -> io::Result<PipeEnd> {
    let unwatchable = || io::Error::from(io::ErrorKind::Unsupported);
    let here = context::try_current().filter(|here| here.io_enabled());
    let handle = here.ok_or_else(unwatchable)?;
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    if input.metadata()?.is_file() {
        return Err(unwatchable());
    }
    Registration::new(handle, input, Interest::READABLE)
}
