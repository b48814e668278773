//! A random program in the making: what it draws, the futures that it polls by hand, and the log
//! of all that it has seen. The same seed draws the same program, whichever runtime it runs on.
//!
//! It knows nothing of the runtime's types. A family of programs gives it a table of operations.

use std::any::Any;
use std::fmt::{Debug, Display};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// How often it is drawn, in proportion to the others of its table, and what it does. An operation
/// that cannot be done just now says nothing.
pub(crate) type Operation<S> = (usize, fn(&mut S, &mut Trial));

/// What a seed draws: SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Draws(u64);

/// One program, drawn from a seed.
pub(crate) struct Trial {
    seed: u64,
    draws: Draws,
    last_byte: u8,
    log: Vec<String>,
    futures: Vec<Watched>,
    held: Vec<Held>,
    started: usize,
}

/// What a future comes to: the words for it, and what outlives it (a guard, a permit).
pub(crate) struct Outcome {
    words: String,
    kept: Option<Box<dyn Any>>,
}

struct Watched {
    name: usize,
    future: Pin<Box<dyn Future<Output = Outcome>>>,
    wakes: Arc<Wakes>,
}

struct Held {
    name: usize,
    thing: Box<dyn Any>,
}

/// How often a future was woken since the log last said so.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Draws {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Draws for something that goes its own way.
    pub(crate) fn draws(&mut self) -> Draws {
        Draws(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

impl Outcome {
    /// A value of which nothing remains.
    pub(crate) fn of(value: impl Debug) -> Outcome {
        Outcome {
            words: format!("{value:?}"),
            kept: None,
        }
    }

    /// Of a future that only ends.
    pub(crate) async fn after(future: impl Future<Output = ()>) -> Outcome {
        future.await;
        Outcome::of(())
    }

    /// Something that the program holds until it is drawn to be released.
    pub(crate) fn holding(words: impl Debug, thing: impl Any) -> Outcome {
        Outcome {
            words: format!("{words:?}"),
            kept: Some(Box::new(thing)),
        }
    }

    /// What was got is held, what was refused is said.
    pub(crate) fn got<E: Display>(got: Result<impl Any, E>) -> Outcome {
        match got {
            Ok(thing) => Outcome::holding("ok", thing),
            Err(error) => Outcome::of(error.to_string()),
        }
    }
}

impl Trial {
    /// The program of `seed`, before its first step.
    pub(crate) fn new(seed: u64) -> Trial {
        Trial {
            seed,
            draws: Draws(seed),
            last_byte: 0,
            log: Vec::new(),
            futures: Vec::new(),
            held: Vec::new(),
            started: 0,
        }
    }

    /// What it is drawn from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.draws.below(bound)
    }

    /// Draws for something that goes its own way.
    pub(crate) fn draws(&mut self) -> Draws {
        self.draws.draws()
    }

    /// So many bytes, each one more than the last.
    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let first = self.last_byte;
        self.last_byte = first.wrapping_add(len as u8);
        (0..len).map(|n| first.wrapping_add(n as u8)).collect()
    }

    /// Less than so many bytes, perhaps none.
    pub(crate) fn bytes_below(&mut self, bound: usize) -> Vec<u8> {
        let len = self.below(bound);
        self.bytes(len)
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of `things`, if there are any.
    pub(crate) fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        match things.len() {
            0 => None,
            len => Some(&things[self.below(len)]),
        }
    }

    /// Draws and does `steps` operations of the table.
    pub(crate) fn run<S>(&mut self, steps: usize, subject: &mut S, operations: &[Operation<S>]) {
        let total: usize = operations.iter().map(|(weight, _)| weight).sum();
        for _ in 0..steps {
            let mut drawn = self.below(total);
            let chosen = operations.iter().find(|(weight, _)| {
                let is_chosen = drawn < *weight;
                drawn = drawn.saturating_sub(*weight);
                is_chosen
            });
            let (_, operation) = chosen.expect("what is drawn is below the sum");
            operation(subject, self);
        }
    }

    /// A line of the log, and then the futures that what it tells has woken.
    pub(crate) fn tell(&mut self, line: impl Display) {
        self.log.push(line.to_string());
        let woken: Vec<String> = self
            .futures
            .iter()
            .filter_map(Watched::take_wakes)
            .collect();
        if !woken.is_empty() {
            self.log.push(format!("    woken {}", woken.join(" ")));
        }
    }

    /// Makes the log say nothing of the wakes since its last line.
    pub(crate) fn forget_wakes(&mut self) {
        for future in &self.futures {
            future.take_wakes();
        }
    }

    /// Takes up a future, which it does not poll yet.
    pub(crate) fn start(&mut self, what: &str, future: impl Future<Output = Outcome> + 'static) {
        let name = self.started;
        self.started += 1;
        self.futures.push(Watched {
            name,
            future: Box::pin(future),
            wakes: Arc::default(),
        });
        self.tell(format_args!("{name}: {what}"));
    }

    /// Holds what was got at once, or says why it was not.
    pub(crate) fn got<E: Display>(&mut self, what: &str, got: Result<impl Any, E>) {
        match got {
            Ok(thing) => {
                self.hold(thing);
                self.tell(format_args!("{what}: ok"));
            }
            Err(error) => self.tell(format_args!("{what}: {error}")),
        }
    }

    /// Holds a thing until it is drawn to be released.
    pub(crate) fn hold(&mut self, thing: impl Any) {
        let name = self.started;
        self.started += 1;
        self.held.push(Held {
            name,
            thing: Box::new(thing),
        });
    }

    /// The oldest thing of this type that is held, which is held no more.
    pub(crate) fn take_held<T: Any>(&mut self) -> Option<T> {
        let index = self.held.iter().position(|held| held.thing.is::<T>())?;
        let thing = self.held.remove(index).thing.downcast::<T>();
        thing.ok().map(|thing| *thing)
    }

    /// Polls a future that is drawn.
    pub(crate) fn poll_one(&mut self) {
        if self.futures.is_empty() {
            return;
        }
        let index = self.below(self.futures.len());
        let Watched {
            name,
            future,
            wakes,
        } = &mut self.futures[index];
        let name = *name;
        let waker = Waker::from(wakes.clone());
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => self.tell(format_args!("{name} is pending")),
            Poll::Ready(Outcome { words, kept }) => {
                self.futures.remove(index);
                self.held.extend(kept.map(|thing| Held { name, thing }));
                self.tell(format_args!("{name} is ready: {words}"));
            }
        }
    }

    /// Drops all that has not come to its end, and all that is held.
    pub(crate) fn drop_all(&mut self) {
        self.futures.clear();
        self.held.clear();
    }

    /// What it has told so far.
    pub(crate) fn log(&self) -> &[String] {
        &self.log
    }

    /// A number that stands for the log.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.log.hash(&mut hasher);
        hasher.finish()
    }

    fn drop_one(&mut self) {
        if !self.futures.is_empty() {
            let index = self.below(self.futures.len());
            let name = self.futures.remove(index).name;
            self.tell(format_args!("{name} is dropped"));
        }
    }

    fn release_one(&mut self) {
        if !self.held.is_empty() {
            let index = self.below(self.held.len());
            let name = self.held.remove(index).name;
            self.tell(format_args!("{name} is released"));
        }
    }
}

impl Watched {
    /// Its name, with how often it was woken if that was more than once.
    fn take_wakes(&self) -> Option<String> {
        match self.wakes.0.swap(0, Ordering::Relaxed) {
            0 => None,
            1 => Some(self.name.to_string()),
            n => Some(format!("{}({n} times)", self.name)),
        }
    }
}

/// What every table ends with: polls or drops a future, or releases what is held.
pub(crate) fn go_on<S>(_: &mut S, trial: &mut Trial) {
    match trial.below(8) {
        0..=3 => trial.poll_one(),
        4 => trial.drop_one(),
        _ => trial.release_one(),
    }
}
