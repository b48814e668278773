//! Behaviour of children, on one driver that the test turns itself.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use yamanote_base::wake::WakeList;
use yamanote_driver::{Config, Driver, Handle, context, new};
use yamanote_io::{AsyncReadExt, AsyncWriteExt};
use yamanote_pool::{self as pool, Pool};

use crate::{Child, Command, orphans};

/// Ends the wait of the driver.
struct Unpark(Handle);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark(0);
    }
}

/// A driver that turns while a future waits.
struct World(Driver);

impl World {
    fn new() -> Self {
        let pool = Pool::new(pool::Config::plain(
            "process-test",
            1,
            Duration::from_secs(1),
        ));
        World(new(Config::new(pool)).unwrap().0.pop().unwrap())
    }

    fn run<F: Future>(&mut self, future: F) -> F::Output {
        let handle = self.0.handle().clone();
        let _entered = context::enter(handle.clone());
        let _worker = context::enter_worker(&handle, 0);
        let waker = Waker::from(Arc::new(Unpark(handle)));
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            self.turn();
        }
    }

    fn turn(&mut self) {
        let mut wakes = WakeList::new();
        self.0.turn(Some(Duration::from_secs(1)), &mut wakes);
        wakes.wake_all();
    }

    fn shut_down(self) {
        let mut wakes = WakeList::new();
        self.0.handle().shut_down(&mut wakes);
        wakes.wake_all();
    }
}

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).stdin(Stdio::null());
    command
}

/// Whether the system still has the process, as a zombie or alive.
fn exists(pid: u32) -> bool {
    std::process::Command::new("sh")
        .args(["-c", &format!("kill -0 {pid}")])
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

#[test]
fn each_wait_gives_the_same_status() {
    World::new().run(async {
        let mut child = sh("exit 7").spawn().unwrap();
        assert!(child.id().is_some());
        assert_eq!(child.wait().await.unwrap().code(), Some(7));
        assert_eq!(child.wait().await.unwrap().code(), Some(7));
        assert_eq!(child.try_wait().unwrap().unwrap().code(), Some(7));
        assert_eq!(child.id(), None);
        child.kill().await.unwrap();
    });
}

#[test]
fn both_outputs_are_collected_though_they_are_long() {
    World::new().run(async {
        let script = "head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero; exit 3";
        let output = sh(script).output().await.unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(
            (output.stdout.len(), output.stderr.len()),
            (1_000_000, 1_000_000)
        );
    });
}

#[test]
fn a_child_that_echoes_ends_when_its_input_does() {
    World::new().run(async {
        let mut cat = Command::new("cat");
        let mut child = cat
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut buf = [0; 5];
        for _ in 0..3 {
            stdin.write_all(b"hello").await.unwrap();
            stdout.read_exact(&mut buf).await.unwrap();
            assert_eq!(&buf, b"hello");
        }
        child.stdin = Some(stdin);
        assert!(child.try_wait().unwrap().is_none());
        assert!(child.wait().await.unwrap().success());
        assert_eq!(stdout.read(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn the_output_of_one_child_is_the_input_of_another() {
    World::new().run(async {
        let mut first = sh("echo one; echo two")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input: Stdio = first.stdout.take().unwrap().try_into().unwrap();
        let output = Command::new("sort")
            .arg("-r")
            .stdin(input)
            .output()
            .await
            .unwrap();
        assert_eq!(output.stdout, b"two\none\n");
        assert!(first.wait().await.unwrap().success());
    });
}

#[test]
fn a_child_can_be_killed() {
    World::new().run(async {
        let mut child = sh("exec sleep 100").spawn().unwrap();
        child.kill().await.unwrap();
        assert_eq!(child.wait().await.unwrap().code(), None);
    });
}

#[test]
fn many_children_end_at_once() {
    World::new().run(async {
        let mut children: Vec<Child> = (0..40).map(|_| sh("exit 1").spawn().unwrap()).collect();
        for child in &mut children {
            assert_eq!(child.wait().await.unwrap().code(), Some(1));
        }
    });
}

#[test]
fn a_dropped_child_goes_on_and_leaves_no_zombie() {
    let mut world = World::new();
    let pid = world.run(async {
        let mut child = sh("read line").stdin(Stdio::piped()).spawn().unwrap();
        let pid = child.id().unwrap();
        let stdin = child.stdin.take();
        drop(child);
        assert!(exists(pid));
        drop(stdin);
        pid
    });
    while exists(pid) {
        world.turn();
    }
}

#[test]
fn a_child_that_is_killed_on_drop_leaves_no_zombie() {
    let mut world = World::new();
    let pid = world.run(async {
        let child = sh("exec sleep 100").kill_on_drop(true).spawn().unwrap();
        child.id().unwrap()
    });
    while exists(pid) {
        world.turn();
    }
}

#[test]
fn another_runtime_takes_over_the_wait() {
    let mut first = World::new();
    let mut command = sh("read line");
    command.stdin(Stdio::piped());
    let mut child = first.run(async { command.spawn().unwrap() });
    {
        // Waited for once, so that the first driver watches it.
        let _entered = context::enter(first.0.handle().clone());
        let mut cx = Context::from_waker(Waker::noop());
        let stdin = child.stdin.take();
        assert!(pin!(child.wait()).poll(&mut cx).is_pending());
        child.stdin = stdin;
    }
    first.shut_down();
    World::new().run(async { assert_eq!(child.wait().await.unwrap().code(), Some(1)) });
}

#[test]
fn an_orphan_of_a_runtime_that_is_gone_is_found_later() {
    let mut world = World::new();
    let pid = world.run(async {
        let mut child = sh("read line").stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let pid = child.id().unwrap();
        drop(child);
        (pid, stdin)
    });
    world.shut_down();
    let (pid, stdin) = pid;
    assert!(exists(pid));
    drop(stdin);
    while exists(pid) {
        orphans::sweep();
    }
}

#[test]
fn an_orphan_of_a_runtime_that_nobody_drives_is_found_later() {
    let mut world = World::new();
    let (pid, stdin) = world.run(async {
        let mut child = sh("read line").stdin(Stdio::piped()).spawn().unwrap();
        (child.id().unwrap(), child.stdin.take())
    });
    assert!(exists(pid));
    drop(stdin);
    while exists(pid) {
        orphans::sweep();
    }
    world.shut_down();
}

#[test]
fn a_child_shows_its_number_then_its_status() {
    World::new().run(async {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let shown = format!("{child:?}");
        let pid = child.id().unwrap();
        let life = format!("inner: Child {{ pid: {pid} }}, kill_on_drop: true }})");
        let expected = format!("Child {{ child: Child(ChildDropGuard {{ {life}, stdin: Some(");
        assert!(shown.starts_with(&expected), "{shown}");
        let pipe = "ChildStdin { inner: ChildStdin { inner: PollEvented { io: Some(Sender { inner:";
        assert!(shown.contains(pipe), "{shown}");
        assert!(shown.ends_with("stdout: None, stderr: None }"), "{shown}");
        child.wait().await.unwrap();
        let shown = format!("{child:?}");
        assert!(
            shown.starts_with("Child { child: Done(ExitStatus("),
            "{shown}"
        );
    });
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    World::new().run(async {
        let error = Command::new("/nowhere/at/all").spawn().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        assert!(Command::new("/nowhere/at/all").status().await.is_err());
    });
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn spawning_outside_of_a_runtime_panics() {
    let _ = sh("true").spawn();
}

#[test]
fn outside_of_a_runtime_a_program_that_is_not_there_is_an_error() {
    let error = Command::new("/nowhere/at/all").spawn().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn what_is_spawned_outside_of_a_runtime_goes_on_and_leaves_no_zombie() {
    let path = std::env::temp_dir().join(format!("yamanote-outside-{}", std::process::id()));
    let mut command = Command::new("sh");
    command.args(["-c", "cat; echo $$ >$0.new; mv $0.new $0"]);
    command.arg(&path).stdin(Stdio::piped());
    panic::catch_unwind(AssertUnwindSafe(|| command.spawn().map(drop))).unwrap_err();
    let pid = loop {
        if let Ok(text) = std::fs::read_to_string(&path) {
            break text.trim().parse().unwrap();
        }
        thread::yield_now();
    };
    while exists(pid) {
        orphans::sweep();
    }
    std::fs::remove_file(path).unwrap();
}
