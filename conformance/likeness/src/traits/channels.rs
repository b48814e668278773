//! The ends of channels, what they send and receive, and what they refuse with.

use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::Rows;
use super::probe::*;
use crate::trial::Trial;

/// A row for each type and each future of the channels.
pub(crate) fn channels(trial: &mut Trial) {
    let rows = &mut Rows::of(trial);
    types![rows:
        mpsc::error::TryRecvError, broadcast::error::RecvError, broadcast::error::TryRecvError,
        watch::error::RecvError, oneshot::error::RecvError, oneshot::error::TryRecvError,
    ];
    many_to_one(rows);
    many_to_one_without_bound(rows);
    one_to_one(rows);
    to_many(rows);
}

fn many_to_one(rows: &mut Rows<'_>) {
    each!(rows any {
        types![rows:
            mpsc::Sender<V>, mpsc::Receiver<V>, mpsc::WeakSender<V>, mpsc::Permit<'_, V>,
            mpsc::OwnedPermit<V>, mpsc::PermitIterator<'_, V>, mpsc::error::SendError<V>,
            mpsc::error::SendTimeoutError<V>, mpsc::error::TrySendError<V>,
        ];
        futures![rows:
            any::<&mpsc::Sender<V>>().closed(),
            any::<&mpsc::Sender<V>>().reserve(),
            any::<&mpsc::Sender<V>>().reserve_many(1),
            any::<mpsc::Sender<V>>().reserve_owned(),
            any::<&mpsc::Sender<V>>().send(any::<V>()),
            any::<&mpsc::Sender<V>>().send_timeout(any::<V>(), Duration::ZERO),
            any::<&mut mpsc::Receiver<V>>().recv(),
            any::<&mut mpsc::Receiver<V>>().recv_many(any::<&mut Vec<V>>(), 1),
        ];
    });
}

fn many_to_one_without_bound(rows: &mut Rows<'_>) {
    each!(rows any {
        types![rows:
            mpsc::UnboundedSender<V>, mpsc::UnboundedReceiver<V>, mpsc::WeakUnboundedSender<V>
        ];
        futures![rows:
            any::<&mpsc::UnboundedSender<V>>().closed(),
            any::<&mut mpsc::UnboundedReceiver<V>>().recv(),
            any::<&mut mpsc::UnboundedReceiver<V>>().recv_many(any::<&mut Vec<V>>(), 1),
        ];
    });
}

fn one_to_one(rows: &mut Rows<'_>) {
    each!(rows any {
        types![rows: oneshot::Sender<V>, oneshot::Receiver<V>];
        futures![rows: any::<&mut oneshot::Sender<V>>().closed()];
    });
}

fn to_many(rows: &mut Rows<'_>) {
    each!(rows any {
        types![rows:
            broadcast::Sender<V>, broadcast::Receiver<V>, broadcast::WeakSender<V>,
            broadcast::error::SendError<V>, watch::Sender<V>, watch::Receiver<V>,
            watch::Ref<'_, V>, watch::error::SendError<V>,
        ];
        futures![rows:
            any::<&broadcast::Sender<V>>().closed(),
            any::<&watch::Sender<V>>().closed(),
            any::<&mut watch::Receiver<V>>().changed(),
            any::<&mut watch::Receiver<V>>().wait_for(any::<fn(&V) -> bool>()),
        ];
    });
    each!(rows cloned {
        futures![rows: any::<&mut broadcast::Receiver<V>>().recv()];
    });
}
