//! What the feature `tracing` tells subscribers, seen by one that writes everything down. The names
//! are a contract with those that exist, above all with console-subscriber.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, with_default};
use tracing::{Event, Metadata, Subscriber};
use yamanote::runtime::Builder;
use yamanote::sync::{Mutex as AsyncMutex, Semaphore, mpsc};
use yamanote::task::{self, JoinSet};

/// What was told so far.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Records>>);

#[derive(Default)]
struct Records {
    /// A span's id is its place here, counted from one.
    spans: Vec<Span>,
    /// With the span each was told in.
    events: Vec<(Option<usize>, Told)>,
    entered: Vec<usize>,
}

struct Span {
    told: Told,
    parent: Option<usize>,
    handles: usize,
    enters: usize,
}

/// Name, target and fields of a span or an event.
#[derive(Clone, Debug, Default)]
struct Told {
    name: &'static str,
    target: &'static str,
    fields: BTreeMap<&'static str, String>,
}

impl Told {
    fn new(metadata: &Metadata<'static>) -> Self {
        Self {
            name: metadata.name(),
            target: metadata.target(),
            fields: BTreeMap::new(),
        }
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

impl Recorder {
    fn with<R>(&self, f: impl FnOnce(&mut Records) -> R) -> R {
        f(&mut self.0.lock().expect("tests panic outside of it"))
    }

    /// Runs `body` on a runtime of this thread, whose spans and events are written down.
    fn run<F: Future<Output = ()>>(&self, body: F) {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system has descriptors left");
        with_default(self.clone(), || runtime.block_on(body));
    }

    /// The one span of which `is` holds: its id, fields, and how often it was entered.
    fn span(&self, is: impl Fn(&Told) -> bool) -> (usize, Told, usize) {
        self.with(|records| {
            let spans = records.spans.iter().enumerate();
            let mut found = spans.filter(|(_, span)| is(&span.told));
            let (index, span) = found.next().expect("there is such a span");
            assert!(found.next().is_none(), "there is one such span");
            (index + 1, span.told.clone(), span.enters)
        })
    }

    fn is_closed(&self, id: usize) -> bool {
        self.with(|records| records.spans[id - 1].handles == 0)
    }
}

fn index(id: &Id) -> usize {
    usize::try_from(id.into_u64()).expect("it is the index of a span")
}

impl Subscriber for Recorder {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // Tests run at once: the next may not care.
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut told = Told::new(attributes.metadata());
        attributes.record(&mut told);
        self.with(|records| {
            let parent = if attributes.is_contextual() {
                records.entered.last().copied()
            } else {
                attributes.parent().map(index)
            };
            records.spans.push(Span {
                told,
                parent,
                handles: 1,
                enters: 0,
            });
            Id::from_u64(records.spans.len() as u64)
        })
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut told = Told::new(event.metadata());
        event.record(&mut told);
        self.with(|records| records.events.push((records.entered.last().copied(), told)));
    }

    fn enter(&self, id: &Id) {
        self.with(|records| {
            records.spans[index(id) - 1].enters += 1;
            records.entered.push(index(id));
        });
    }

    fn exit(&self, id: &Id) {
        self.with(|records| {
            let place = records.entered.iter().rposition(|open| *open == index(id));
            records.entered.remove(place.expect("it was entered"));
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.with(|records| records.spans[index(id) - 1].handles += 1);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.with(|records| {
            let span = &mut records.spans[index(&id) - 1];
            span.handles -= 1;
            span.handles == 0
        })
    }
}

#[test]
fn a_task_has_a_name_a_place_and_polls() {
    let recorder = Recorder::default();
    let line = line!() + 3;
    recorder.run(async {
        let builder = task::Builder::new().name("baker");
        let task = builder.spawn(task::yield_now()).expect("it is no thread");
        let id = task.id().to_string();
        task.await.expect("it does not panic");
        let (_, span, enters) = recorder.span(|span| span.field("task.id") == id);
        assert_eq!((span.name, span.target), ("runtime.spawn", "tokio::task"));
        assert_eq!(span.field("task.name"), "baker");
        assert_eq!(span.field("kind"), "task");
        assert_eq!(span.field("loc.file"), file!());
        assert_eq!(span.field("loc.line"), line.to_string());
        assert!(!span.field("loc.col").is_empty());
        // Two polls, and the drop of the future.
        assert_eq!(enters, 3);
    });
}

#[test]
fn a_task_without_a_name_has_a_place_all_the_same() {
    let recorder = Recorder::default();
    recorder.run(async {
        task::spawn(async {}).await.expect("it does not panic");
        let (_, span, _) = recorder.span(|span| span.field("kind") == "task");
        assert_eq!(
            (span.field("task.name"), span.field("loc.file")),
            ("", file!())
        );
    });
}

#[test]
fn every_kind_of_task_is_told_by_its_kind() {
    let recorder = Recorder::default();
    recorder.run(async {
        let set = task::LocalSet::new();
        let local = task::Builder::new()
            .name("at home")
            .spawn_local_on(async {}, &set);
        set.await;
        local
            .expect("it is no thread")
            .await
            .expect("it does not panic");
        let mut tasks = JoinSet::new();
        let blocks = tasks.build_task().name("blocks").spawn_blocking(|| {});
        blocks.expect("there is a thread");
        tasks.join_all().await;
    });
    let (_, main, _) = recorder.span(|span| span.field("kind") == "block_on");
    assert_eq!(main.field("loc.file"), file!());
    let (_, local, _) = recorder.span(|span| span.field("kind") == "local");
    assert_eq!(local.field("task.name"), "at home");
    let (_, blocking, enters) = recorder.span(|span| span.field("kind") == "blocking");
    assert_eq!(blocking.target, "tokio::task::blocking");
    assert_eq!(blocking.field("task.name"), "blocks");
    assert!(blocking.field("fn").contains("every_kind_of_task"));
    assert!(enters > 0);
}

#[test]
fn a_large_future_says_what_it_was_before_the_box() {
    let recorder = Recorder::default();
    recorder.run(async {
        let large = [1_u8; 20_000];
        let task = task::spawn(async move {
            task::yield_now().await;
            large.len()
        });
        task.await.expect("it does not panic");
        let (_, span, _) = recorder.span(|span| span.field("kind") == "task");
        let before = span.field("original_size.bytes").parse::<usize>();
        assert!(before.expect("a number") > 20_000);
        assert_eq!(span.field("size.bytes"), size_of::<Box<()>>().to_string());
    });
}

#[test]
fn a_span_closes_with_its_future_though_the_handle_lives() {
    let recorder = Recorder::default();
    recorder.run(async {
        let ended = task::spawn(async {});
        let aborted = task::spawn(std::future::pending::<()>());
        task::yield_now().await;
        let spans = [&ended, &aborted].map(|task| {
            let id = task.id().to_string();
            recorder.span(|span| span.field("task.id") == id).0
        });
        assert!(ended.is_finished());
        assert!(recorder.is_closed(spans[0]));
        assert!(!recorder.is_closed(spans[1]));
        aborted.abort();
        task::yield_now().await;
        assert!(recorder.is_closed(spans[1]));
    });
}

#[test]
fn wakers_are_told_by_the_span_of_their_task() {
    let recorder = Recorder::default();
    recorder.run(async {
        let task = task::Builder::new().name("woken").spawn(async {
            std::future::poll_fn(|cx| {
                let waker = cx.waker().clone();
                waker.wake_by_ref();
                cx.waker().clone().wake();
                std::task::Poll::Ready(())
            })
            .await;
        });
        task.expect("it is no thread")
            .await
            .expect("it does not panic");
    });
    let (id, ..) = recorder.span(|span| span.field("task.name") == "woken");
    let ops = recorder.with(|records| {
        let events = records.events.iter().map(|(_, event)| event);
        let wakers = events.filter(|event| event.target == "tokio::task::waker");
        let own = wakers.filter(|event| event.field("task.id") == id.to_string());
        own.map(|event| event.field("op").to_owned())
            .collect::<Vec<_>>()
    });
    let expected = ["clone", "wake_by_ref", "clone", "wake", "drop"];
    assert_eq!(ops, expected.map(|op| format!("waker.{op}")));
}

#[test]
fn a_lock_is_a_resource_that_is_waited_for() {
    let recorder = Recorder::default();
    recorder.run(async {
        let lock = AsyncMutex::new(());
        let held = lock.lock().await;
        let wait = yamanote::time::timeout(Duration::from_millis(1), lock.lock());
        assert!(wait.await.is_err());
        drop(held);
    });
    let (lock, span, enters) = recorder
        .span(|span| span.target == "tokio::sync::mutex" && span.name == "runtime.resource");
    assert_eq!(
        (span.field("concrete_type"), span.field("kind")),
        ("Mutex", "Sync")
    );
    assert_eq!(span.field("loc.file"), file!());
    assert!(enters > 0);
    recorder.with(|records| {
        let waits = records.spans.iter().filter(|span| {
            span.told.name == "runtime.resource.async_op" && span.parent == Some(lock)
        });
        let sources = waits.map(|span| span.told.field("source").to_owned());
        assert_eq!(sources.collect::<Vec<_>>(), ["Mutex::lock"; 2]);
        let polls = records.events.iter().filter(|(within, event)| {
            let within = within.map(|id| &records.spans[id - 1].told);
            event.target == "runtime::resource::poll_op"
                && within.is_some_and(|span| span.name == "runtime.resource.async_op.poll")
        });
        let ready = polls.map(|(_, event)| event.field("is_ready"));
        let ready = ready.collect::<Vec<_>>();
        assert!(
            ready.contains(&"true") && ready.contains(&"false"),
            "{ready:?}"
        );
    });
}

/// A subscriber that sends to itself over a channel does so also while tracing holds a lock under
/// which no callsite can be registered.
#[test]
fn what_is_tried_is_not_told() {
    let recorder = Recorder::default();
    recorder.run(async {
        let semaphore = Semaphore::new(1);
        let (sender, _receiver) = mpsc::channel::<()>(1);
        let told = || recorder.with(|records| records.events.len());
        let before = told();
        let permit = semaphore.try_acquire().expect("one is free");
        let room = sender.try_reserve().expect("there is room");
        assert_eq!(told(), before);
        drop((permit, room));
        assert!(told() > before);
    });
}

/// Subscribers keep tables of 32 callsites, of each kind; the most popular one stops the program
/// when there are more.
#[test]
fn there_are_not_too_many_callsites() {
    let layers = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources = sources_below(layers);
    for kind in ["resource!(", "op!(", "update!(", "op_update!("] {
        let words = sources.iter().flat_map(|text| text.split([' ', '\n', ':']));
        let uses = words.filter(|word| word.starts_with(kind)).count();
        assert!((1..=32).contains(&uses), "{kind} is used {uses} times");
    }
}

/// What the layers that describe themselves are written as.
fn sources_below(layers: PathBuf) -> Vec<String> {
    let mut sources = Vec::new();
    let mut folders = vec![layers];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().expect("sources are there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() && !path.ends_with("trace") && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(std::fs::read_to_string(path).expect("it is text"));
            }
        }
    }
    sources
}
