//! How locks, channels and notifications behave, polled by hand or from bare threads.

mod barrier;
mod broadcast;
mod budget;
mod locks;
mod models;
mod mpsc;
mod notify;
mod once;
mod oneshot;
mod semaphore;
mod support;
mod unwinding;
mod watch;
