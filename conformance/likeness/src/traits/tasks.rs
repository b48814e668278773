//! Tasks, runtimes, and time.

use std::future::Ready;
use std::time::Duration;

use tokio::runtime::{self, Handle, LocalRuntime, Runtime};
use tokio::task::{self, JoinHandle, JoinSet, LocalKey, LocalSet, coop};
use tokio::time::{self, Instant, Interval, Sleep, Timeout};

use super::Rows;
use super::probe::*;
use crate::trial::Trial;

/// A row for each type, and for each future, of the modules `task`, `runtime`, and `time`.
pub(crate) fn tasks(trial: &mut Trial) {
    let rows = &mut Rows::of(trial);
    plain(rows);
    generic(rows);
    of_macros(rows);
}

fn plain(rows: &mut Rows<'_>) {
    types![rows:
        runtime::Builder, runtime::EnterGuard<'_>, Handle, runtime::Id, runtime::LocalOptions,
        LocalRuntime, Runtime, runtime::RuntimeFlavor, runtime::RuntimeMetrics,
        runtime::TryCurrentError, task::AbortHandle, task::Id, task::JoinError,
        task::LocalEnterGuard, LocalSet, coop::RestoreOnPending, Instant, Interval,
        time::MissedTickBehavior, Sleep, time::error::Elapsed, time::error::Error,
    ];
    futures![rows:
        coop::consume_budget(),
        task::yield_now(),
        any::<&mut Interval>().tick(),
        time::advance(Duration::ZERO),
        time::sleep(Duration::ZERO),
        time::sleep_until(any::<Instant>()),
    ];
}

fn generic(rows: &mut Rows<'_>) {
    each!(rows any {
        types![rows:
            JoinHandle<V>, JoinSet<V>, LocalKey<V>, coop::Coop<Ready<V>>, coop::Unconstrained<V>,
            task::futures::TaskLocalFuture<V, V>, task::futures::TaskLocalFuture<V, u8>,
            task::futures::TaskLocalFuture<u8, V>, task::futures::TaskLocalFuture<u8, Ready<V>>,
            Timeout<V>, Timeout<Ready<V>>,
        ];
        futures![rows:
            any::<JoinSet<V>>().join_all(),
            any::<&mut JoinSet<V>>().join_next(),
            any::<&mut JoinSet<V>>().join_next_with_id(),
            any::<&mut JoinSet<V>>().shutdown(),
            any::<&LocalSet>().run_until(any::<Ready<V>>()),
            any::<&'static LocalKey<V>>().scope(any::<V>(), any::<Ready<V>>()),
            task::unconstrained(any::<Ready<V>>()),
            coop::cooperative(any::<Ready<V>>()),
            time::timeout(Duration::ZERO, any::<Ready<V>>()),
            time::timeout_at(any::<Instant>(), any::<Ready<V>>()),
        ];
    });
}

async fn joined<V>() -> (V, V) {
    tokio::join!(any::<Ready<V>>(), any::<Ready<V>>())
}

async fn joined_if_well<V>() -> Result<(V, V), V> {
    let of = || any::<Ready<Result<V, V>>>();
    tokio::try_join!(of(), of())
}

async fn selected<V>() -> V {
    tokio::select! {
        value = any::<Ready<V>>() => value,
        value = any::<Ready<V>>() => value,
    }
}

fn of_macros(rows: &mut Rows<'_>) {
    each!(rows any {
        futures![rows: joined::<V>(), joined_if_well::<V>(), selected::<V>()];
    });
}
