//! The standard streams, seen from a process of their own: each test runs itself as a child.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Stdout, stdin, stdout};
use tokio::runtime::{Builder, Runtime};

/// Says which test's child this process is.
const ROLE: &str = "YAMANOTE_TEST_ROLE";
/// What marks a line of the child's, among those of its test harness.
const MARK: &str = "> ";

fn is_child() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// This test as a child: `name` is its own.
fn child(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ROLE, name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What the child has written, once it has ended well, which must not take long.
fn output_of(child: std::process::Child) -> Output {
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output()));
    let output = end.recv_timeout(Duration::from_secs(30));
    let output = output.expect("the child ends").unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// The child's own lines.
fn lines_of(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let marked = text.lines().filter_map(|line| line.split_once(MARK));
    marked.map(|(_, line)| line.to_owned()).collect()
}

/// What can be an input that stays open: where the test writes, and what the child reads.
fn inputs() -> Vec<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let (one, two) = UnixStream::pair().unwrap();
    let mut inputs = vec![(writer, reader), (one.into(), two.into())];
    inputs.extend(terminal());
    inputs
}

fn terminal() -> Option<(OwnedFd, OwnedFd)> {
    use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let user = openpt(flags).ok()?;
    unlockpt(&user).unwrap();
    let terminal = ioctl_tiocgptpeer(&user, flags).unwrap();
    Some((user, terminal))
}

fn runtimes() -> [Runtime; 2] {
    let several = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    [single(), several.unwrap()]
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_read_that_waits_does_not_hold_up_the_shutdown() {
    if is_child() {
        for runtime in runtimes() {
            runtime.block_on(async {
                let pending = tokio::spawn(async { stdin().read_u8().await });
                let mut input = stdin();
                let read = input.read_u8();
                let given_up = tokio::time::timeout(Duration::from_millis(5), read).await;
                assert!(given_up.is_err() && !pending.is_finished());
            });
        }
        println!("{MARK}down");
        // Nobody else reads any more: this line is ours.
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        print!("{MARK}{line}");
        return;
    }
    for (writer, reader) in inputs() {
        let mut child = child("a_read_that_waits_does_not_hold_up_the_shutdown")
            .stdin(reader)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("> down") {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "it goes down");
        }
        let mut writer = File::from(writer);
        writer.write_all(b"a line for std\n").unwrap();
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("> a line for std"), "{rest}");
        output_of(child);
    }
}

#[test]
fn what_comes_is_read_whatever_the_input_is() {
    if is_child() {
        let read = single().block_on(async {
            let mut read = Vec::new();
            stdin().read_to_end(&mut read).await.unwrap();
            read
        });
        println!("{MARK}{}", read.len());
        println!("{MARK}{}", String::from_utf8(read).unwrap());
        return;
    }
    let name = "what_comes_is_read_whatever_the_input_is";
    for (writer, reader) in inputs() {
        let child = child(name).stdin(reader).spawn().unwrap();
        let mut writer = File::from(writer);
        // The end of the input: on a terminal a character, elsewhere that nobody writes any more.
        writer.write_all(b"some text\n").unwrap();
        if std::io::IsTerminal::is_terminal(&writer) {
            writer.write_all(b"\x04").unwrap();
            let lines = lines_of(&output_of(child));
            assert_eq!(lines, ["10", "some text"]);
        } else {
            drop(writer);
            let lines = lines_of(&output_of(child));
            assert_eq!(lines, ["10", "some text"]);
        }
    }
    let path = std::env::temp_dir().join(format!("yamanote-stdin-{}", std::process::id()));
    std::fs::write(&path, [b'f'; 100_000]).unwrap();
    let file = child(name).stdin(File::open(&path).unwrap()).spawn();
    let lines = lines_of(&output_of(file.unwrap()));
    assert_eq!((&*lines[0], lines[1].len()), ("100000", 100_000));
    std::fs::remove_file(&path).unwrap();
    let null = child(name).spawn().unwrap();
    assert_eq!(lines_of(&output_of(null)), ["0", ""]);
}

#[test]
fn an_input_that_was_closed_is_at_its_end() {
    let name = "an_input_that_was_closed_is_at_its_end";
    if is_child() {
        let n = single().block_on(async { stdin().read(&mut [0; 8]).await });
        println!("{MARK}{}", n.unwrap());
        return;
    }
    let this = child(name);
    let mut closed = Command::new("sh");
    closed
        .args(["-c", "exec \"$@\" <&-", "sh"])
        .arg(this.get_program())
        .args(this.get_args())
        .env(ROLE, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    assert_eq!(lines_of(&output_of(closed.spawn().unwrap())), ["0"]);
}

#[test]
fn what_std_has_read_ahead_is_not_lost() {
    if is_child() {
        let mut first = String::new();
        std::io::stdin().read_line(&mut first).unwrap();
        let rest = single().block_on(async {
            let mut rest = vec![stdin().read_u8().await.unwrap()];
            // A handle for each byte: what one has left in std's buffer, the next one finds.
            while let Ok(byte) = stdin().read_u8().await {
                rest.push(byte);
            }
            rest
        });
        print!("{MARK}{first}{MARK}{}", String::from_utf8(rest).unwrap());
        return;
    }
    let mut child = child("what_std_has_read_ahead_is_not_lost")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"one\ntwo three four\n").unwrap();
    drop(input);
    assert_eq!(lines_of(&output_of(child)), ["one", "two three four"]);
}

/// How many bytes one reader of the input gets, a few at a time.
async fn count_to_the_end() -> usize {
    let (mut input, mut count, mut buf) = (stdin(), 0, [0; 7]);
    loop {
        match input.read(&mut buf).await.unwrap() {
            0 => return count,
            n => count += n,
        }
    }
}

#[test]
fn two_runtimes_read_each_byte_once() {
    const LINES: usize = 2000;
    if is_child() {
        let readers = [(); 2].map(|()| thread::spawn(|| single().block_on(count_to_the_end())));
        let count: usize = readers.map(|reader| reader.join().unwrap()).iter().sum();
        println!("{MARK}{count}");
        return;
    }
    let mut child = child("two_runtimes_read_each_byte_once")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for _ in 0..LINES {
        input.write_all(b"0123456789\n").unwrap();
    }
    drop(input);
    assert_eq!(lines_of(&output_of(child)), [(11 * LINES).to_string()]);
}

#[test]
fn reads_that_are_given_up_lose_nothing() {
    const BYTES: usize = 30_000;
    if is_child() {
        let count = single().block_on(async {
            let (mut input, mut count, mut buf) = (stdin(), 0, [0; 100]);
            loop {
                tokio::select! {
                    biased;
                    read = input.read(&mut buf) => match read.unwrap() {
                        0 => return count,
                        n => count += n,
                    },
                    () = tokio::task::yield_now() => {}
                }
            }
        });
        println!("{MARK}{count}");
        return;
    }
    let mut child = child("reads_that_are_given_up_lose_nothing")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for _ in 0..BYTES / 300 {
        input.write_all(&[b'x'; 300]).unwrap();
    }
    drop(input);
    assert_eq!(lines_of(&output_of(child)), [BYTES.to_string()]);
}

#[test]
fn an_input_moves_from_one_runtime_to_the_next() {
    if is_child() {
        let mut input = stdin();
        for runtime in runtimes() {
            runtime.block_on(async {
                let read = input.read_u8();
                tokio::time::timeout(Duration::from_millis(5), read)
                    .await
                    .unwrap_err();
            });
        }
        println!("{MARK}asks");
        let byte = single().block_on(input.read_u8()).unwrap();
        println!("{MARK}{}", char::from(byte));
        return;
    }
    let mut child = child("an_input_moves_from_one_runtime_to_the_next")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("> asks") {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "it asks");
    }
    child.stdin.as_mut().unwrap().write_all(b"z").unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("> z"), "{rest}");
    output_of(child);
}

async fn write_lines(index: usize, lines: usize) -> Stdout {
    let mut out = stdout();
    for line in 0..lines {
        let line = format!("{MARK}{index} {line}\n");
        out.write_all(line.as_bytes()).await.unwrap();
    }
    out
}

#[test]
fn what_was_written_is_out_and_in_order_when_the_runtime_has_gone() {
    const LINES: usize = 2000;
    if is_child() {
        let [first, second] = runtimes();
        first.block_on(async { write_lines(0, LINES).await.flush().await.unwrap() });
        // Not flushed: but std lets through what ends with a newline.
        second.block_on(async { drop(write_lines(1, LINES).await) });
        return;
    }
    let name = "what_was_written_is_out_and_in_order_when_the_runtime_has_gone";
    let lines = lines_of(&output_of(child(name).spawn().unwrap()));
    let expected = (0..2).flat_map(|i| (0..LINES).map(move |line| format!("{i} {line}")));
    assert!(lines.iter().cloned().eq(expected), "{}", lines.len());
}

#[test]
fn tasks_that_share_the_output_keep_their_order_and_their_lines_whole() {
    const TASKS: usize = 6;
    const LINES: usize = 40;
    /// Longer than std's buffer and than a pipe.
    const LINE_LEN: usize = 100_000;
    fn line(task: usize, line: usize) -> String {
        let letter = char::from(b'a' + task as u8);
        let len = if line % 10 == 9 { LINE_LEN } else { 1 };
        format!("{task} {line} {}", letter.to_string().repeat(len))
    }
    if is_child() {
        async fn write_all_lines(task: usize) {
            let mut out = stdout();
            for number in 0..LINES {
                let line = format!("{MARK}{}\n", line(task, number));
                out.write_all(line.as_bytes()).await.unwrap();
            }
            // Nobody waits for the last line but the runtime, as it goes down.
        }
        let [_, several] = runtimes();
        let tasks = (0..TASKS).map(|task| several.spawn(write_all_lines(task)));
        let tasks: Vec<_> = tasks.collect();
        several.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        drop(several);
        return;
    }
    let name = "tasks_that_share_the_output_keep_their_order_and_their_lines_whole";
    let lines = lines_of(&output_of(child(name).spawn().unwrap()));
    assert_eq!(lines.len(), TASKS * LINES);
    for task in 0..TASKS {
        let own = lines
            .iter()
            .filter(|line| line.starts_with(&format!("{task} ")));
        assert!(
            own.eq(&(0..LINES)
                .map(|number| line(task, number))
                .collect::<Vec<_>>())
        );
    }
}

#[test]
fn an_output_that_nobody_reads_is_an_error() {
    if is_child() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::stdio::dup2_stdout(writer).unwrap();
        drop(reader);
        let (long, short) = single().block_on(async {
            let mut out = stdout();
            // Longer than std's buffer.
            out.write_all(&[b'x'; 100_000]).await.unwrap();
            let long = out.flush().await.unwrap_err().kind();
            out.write_all(b"a line\n").await.unwrap();
            (long, out.flush().await.unwrap_err().kind())
        });
        eprintln!("{MARK}{long:?} {short:?}");
        // The harness would write to it, too.
        std::process::exit(0);
    }
    let child = child("an_output_that_nobody_reads_is_an_error").spawn();
    let output = output_of(child.unwrap());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("> BrokenPipe BrokenPipe"), "{said}");
}
