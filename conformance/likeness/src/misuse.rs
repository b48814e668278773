//! What the API says when it is used in a way that it forbids: the messages of panics.
//!
//! Left out: a runtime that is dropped within another, where our message goes on to say what to do.

use std::thread;
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{RwLock, Semaphore, broadcast, mpsc};
use tokio::task::{block_in_place, spawn_blocking, spawn_local};
use tokio::time::{Instant, interval, pause, resume, sleep};

use crate::caught;
use crate::system::words;
use crate::trial::Trial;

/// Each misuse, once.
pub(crate) fn misuse(trial: &mut Trial) {
    for (what, misuse) in [OUTSIDE, INSIDE, NUMBERS].concat() {
        let message = caught(misuse).err();
        trial.tell(format_args!("{what}: {message:?}"));
    }
}

type Misuse = (&'static str, fn());

/// A runtime of one thread without drivers, which runs this.
fn on_bare(future: impl Future) {
    on(Builder::new_current_thread().build(), future);
}

/// The same with a clock.
fn on_timed(future: impl Future) {
    on(Builder::new_current_thread().enable_time().build(), future);
}

fn on(runtime: std::io::Result<Runtime>, future: impl Future) {
    let runtime = runtime.expect("a runtime needs no more than threads");
    runtime.block_on(async { drop(future.await) });
}

/// It says what came of it.
fn start(program: &str) {
    panic!("{}", words(Command::new(program).spawn().map(drop)));
}

/// Without a runtime.
const OUTSIDE: &[Misuse] = &[
    ("Handle::current", || drop(Handle::current())),
    ("spawn", || drop(tokio::spawn(async {}))),
    ("spawn_blocking", || drop(spawn_blocking(|| ()))),
    ("spawn_local", || drop(spawn_local(async {}))),
    ("block_in_place", || block_in_place(|| ())),
    ("sleep", || drop(sleep(Duration::from_secs(1)))),
    ("pause", pause),
    ("Command::spawn", || start("true")),
    ("Command::spawn of nothing", || start("/no/such/program")),
];

/// Within one that lacks what is asked for, or forbids it.
const INSIDE: &[Misuse] = &[
    ("block_on within", || on_bare(async { on_bare(async {}) })),
    ("blocking_send within", || {
        on_bare(async { mpsc::channel(1).0.blocking_send(1) })
    }),
    ("blocking_recv within", || {
        on_bare(async { mpsc::channel::<u8>(1).1.blocking_recv() })
    }),
    ("blocking_send without", || {
        let sent = thread::spawn(|| mpsc::channel(1).0.blocking_send(1)).join();
        assert!(sent.is_ok(), "a thread without a runtime may block");
    }),
    ("block_in_place within", || {
        on_bare(async { block_in_place(|| ()) })
    }),
    ("sleep without clock", || {
        on_bare(async { sleep(Duration::ZERO).await })
    }),
    ("bind without selector", || {
        on_bare(TcpListener::bind("127.0.0.1:0"))
    }),
    ("Command::spawn without selector", || {
        on_bare(async { start("true") })
    }),
    ("Command::spawn of nothing without selector", || {
        on_bare(async { start("/no/such/program") })
    }),
    ("spawn_local within", || {
        on_bare(async { drop(spawn_local(async {})) })
    }),
    ("pause twice", || {
        on_timed(async {
            pause();
            pause();
        })
    }),
    ("resume of running", || on_timed(async { resume() })),
    ("pause of many threads", || {
        on(Builder::new_multi_thread().enable_time().build(), async {
            pause()
        });
    }),
];

/// With numbers that cannot be.
const NUMBERS: &[Misuse] = &[
    ("Semaphore::new", || {
        let _ = Semaphore::new(usize::MAX);
    }),
    ("RwLock::with_max_readers", || {
        let _ = RwLock::with_max_readers(1, u32::MAX);
    }),
    ("mpsc::channel", || drop(mpsc::channel::<u8>(0))),
    ("broadcast::channel", || drop(broadcast::channel::<u8>(0))),
    ("broadcast::channel of all", || {
        drop(broadcast::channel::<u8>(usize::MAX))
    }),
    ("interval", || drop(interval(Duration::ZERO))),
    ("Instant - Duration", || {
        let _ = Instant::now() - Duration::MAX;
    }),
    ("worker_threads", || {
        drop(Builder::new_multi_thread().worker_threads(0).build())
    }),
    ("event_interval", || {
        drop(Builder::new_current_thread().event_interval(0).build());
    }),
    ("global_queue_interval", || {
        drop(
            Builder::new_current_thread()
                .global_queue_interval(0)
                .build(),
        );
    }),
    ("max_io_events_per_tick", || {
        drop(
            Builder::new_current_thread()
                .max_io_events_per_tick(0)
                .build(),
        );
    }),
    ("name", || {
        drop(Builder::new_current_thread().name(" ").build())
    }),
    ("max_blocking_threads", || {
        drop(Builder::new_multi_thread().max_blocking_threads(0).build());
    }),
    ("ReadBuf::put_slice", || {
        ReadBuf::new(&mut [0; 2]).put_slice(&[1, 2, 3])
    }),
    ("ReadBuf::advance", || ReadBuf::new(&mut [0; 2]).advance(1)),
    ("ReadBuf::set_filled", || {
        ReadBuf::new(&mut [0; 2]).set_filled(5)
    }),
];
