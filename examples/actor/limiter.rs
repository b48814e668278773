//! What others have of the actor: its address, and functions that write the letters.

use std::time::Duration;

use tokio::sync::mpsc::error::{SendError, TrySendError};
use tokio::sync::{mpsc, oneshot};

use crate::bucket::Message;
use crate::supervisor::supervise;

/// How many messages may wait in the mailbox.
pub(crate) const MAIL: usize = 4;

/// The actor lives as long as one of these does.
#[derive(Clone)]
pub(crate) struct Limiter {
    mailbox: mpsc::Sender<Message>,
}

#[derive(Debug)]
pub(crate) enum NotTaken {
    MailboxFull,
    /// The actor died with the message, or is not restarted any more.
    NoAnswer,
}

impl Limiter {
    pub(crate) fn start() -> Limiter {
        let (sender, receiver) = mpsc::channel(MAIL);
        tokio::spawn(supervise(receiver));
        Limiter { mailbox: sender }
    }

    /// Waits for room in the mailbox, then for the answer: how many are left.
    pub(crate) async fn take(&self) -> Result<u32, NotTaken> {
        let (reply, answer) = oneshot::channel();
        self.mailbox.send(Message::Take { reply }).await?;
        Ok(answer.await?)
    }

    /// Never waits; the answer comes through what is returned.
    pub(crate) fn try_take(&self) -> Result<oneshot::Receiver<u32>, NotTaken> {
        let (reply, answer) = oneshot::channel();
        self.mailbox.try_send(Message::Take { reply })?;
        Ok(answer)
    }

    /// Waits for room in the mailbox, not for the change.
    pub(crate) async fn refill_every(&self, period: Duration) -> Result<(), NotTaken> {
        Ok(self.mailbox.send(Message::RefillEvery(period)).await?)
    }
}

impl From<SendError<Message>> for NotTaken {
    fn from(_: SendError<Message>) -> NotTaken {
        NotTaken::NoAnswer
    }
}

impl From<TrySendError<Message>> for NotTaken {
    fn from(error: TrySendError<Message>) -> NotTaken {
        match error {
            TrySendError::Full(_) => NotTaken::MailboxFull,
            TrySendError::Closed(_) => NotTaken::NoAnswer,
        }
    }
}

impl From<oneshot::error::RecvError> for NotTaken {
    fn from(_: oneshot::error::RecvError) -> NotTaken {
        NotTaken::NoAnswer
    }
}
