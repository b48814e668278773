//! A thing that futures use one at a time, and that may be gone.

use std::fmt::Debug;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::trial::{Outcome, Trial};

/// A thing that whoever has its turn may use.
pub(crate) struct Turn<T>(Arc<Mutex<Option<T>>>);

impl<T: 'static> Turn<T> {
    /// A thing that nobody uses.
    pub(crate) fn new(thing: T) -> Turn<T> {
        Turn(Arc::new(Mutex::new(Some(thing))))
    }

    /// Starts a future that uses the thing when its turn comes.
    pub(crate) fn start<F>(&self, trial: &mut Trial, what: &str, uses: F)
    where
        F: AsyncFnOnce(&mut T) -> Outcome + 'static,
    {
        let turn = self.0.clone();
        trial.start(what, async move {
            match turn.lock().await.as_mut() {
                Some(thing) => uses(thing).await,
                None => Outcome::of("gone"),
            }
        });
    }

    /// Uses the thing at once, and tells what came of it; or that it is in use, or gone.
    pub(crate) fn now<R: Debug>(
        &self,
        trial: &mut Trial,
        what: &str,
        uses: impl FnOnce(&mut T) -> R,
    ) {
        match self.try_now(uses) {
            Ok(came) => trial.tell(format_args!("{what}: {came:?}")),
            Err(why) => trial.tell(format_args!("{what}: {why}")),
        }
    }

    /// Uses the thing at once.
    ///
    /// *Errors*: it is in use, or gone.
    pub(crate) fn try_now<R>(&self, uses: impl FnOnce(&mut T) -> R) -> Result<R, &'static str> {
        let mut thing = self.0.try_lock().map_err(|_| "in use")?;
        thing.as_mut().map(uses).ok_or("gone")
    }

    /// Takes the thing away, unless it is in use.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.try_lock().ok()?.take()
    }
}

impl<T> Clone for Turn<T> {
    fn clone(&self) -> Turn<T> {
        Turn(self.0.clone())
    }
}
