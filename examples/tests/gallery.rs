//! Each program of the gallery does what its page says.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::{env, fs, process, thread};

use rustix::process::{Pid, Signal, kill_process};
use support::{Example, program};

const ECHO_SERVERS: [&str; 5] = [
    "echo_threads",
    "echo_callbacks",
    "echo_tasks",
    "echo_futures01",
    "echo_futures03",
];

/// What comes back for `bytes`, sent while it comes back.
fn echoed(addr: SocketAddr, bytes: Vec<u8>) -> Vec<u8> {
    let mut stream = TcpStream::connect(addr).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let sender = thread::spawn(move || {
        writer.write_all(&bytes).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    sender.join().unwrap();
    back
}

#[test]
fn hello_world_writes_its_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let hello = Example::start("hello_world", &[&addr]);
    let mut heard = String::new();
    listener
        .accept()
        .unwrap()
        .0
        .read_to_string(&mut heard)
        .unwrap();
    assert_eq!(heard, "hello world\n");
    assert_eq!(hello.rest(), format!("wrote hello world to {addr}\n"));
}

#[test]
fn hello_world_says_that_nobody_listens() {
    // Bound and not listening: refused, and nobody else gets the port.
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let hello = Command::new(program("hello_world"))
        .arg(nobody.to_string())
        .output()
        .unwrap();
    assert_eq!(hello.status.code(), Some(1));
    let said = String::from_utf8(hello.stderr).unwrap();
    assert!(said.contains("ConnectionRefused"), "{said}");
}

#[test]
fn echo_servers_return_what_is_sent_also_when_it_fills_all_buffers() {
    for name in ECHO_SERVERS {
        let (_server, addr) = Example::serving(name);
        let bytes: Vec<u8> = (0..4_000_000_u32).map(|n| (n % 251) as u8).collect();
        assert!(
            echoed(addr, bytes.clone()) == bytes,
            "{name} changes what it is sent"
        );
    }
}

#[test]
fn echo_servers_serve_others_while_one_is_silent() {
    for name in ECHO_SERVERS {
        let (_server, addr) = Example::serving(name);
        let _silent = TcpStream::connect(addr).unwrap();
        let clients = (0..20_u8).map(|n| thread::spawn(move || echoed(addr, vec![n; 100])));
        let clients: Vec<_> = clients.collect();
        for (n, client) in (0..).zip(clients) {
            assert_eq!(client.join().unwrap(), vec![n; 100], "{name}");
        }
    }
}

#[test]
fn servers_of_both_ages_say_how_much_they_echoed() {
    for name in ["echo_futures01", "echo_futures03"] {
        let (mut server, addr) = Example::serving(name);
        echoed(addr, vec![1; 100_000]);
        assert_eq!(server.line(), "echoed 100000 bytes", "{name}");
    }
}

#[test]
fn echo_costs_has_a_row_for_each_model_and_number() {
    let table = Example::start("echo_costs", &["0.2", "1", "20"]).rest();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(2)
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let heads: Vec<_> = rows.iter().map(|row| (row[0], row[1])).collect();
    let models = ["threads", "callbacks", "tasks"];
    let expected: Vec<_> = models.iter().flat_map(|&m| [(m, "1"), (m, "20")]).collect();
    assert_eq!(heads, expected);
    for row in &rows {
        assert!(
            row[4].parse::<u64>().unwrap() > 0,
            "requests were answered: {row:?}"
        );
    }
    // One for the listener, and one for each connection; one for all; some, for any number.
    let threads: Vec<u64> = rows.iter().map(|row| row[3].parse().unwrap()).collect();
    assert_eq!(threads[..4], [2, 21, 1, 1]);
    assert_eq!(threads[4], threads[5]);
}

#[test]
fn echo_costs_says_how_many_files_it_may_not_open() {
    let mut costs = Command::new(program("echo_costs"));
    let costs = costs.args(["0.1", "4000000000"]).output().unwrap();
    assert_eq!(costs.status.code(), Some(1));
    let said = String::from_utf8(costs.stderr).unwrap();
    assert!(said.contains("4000000064 open files are needed"), "{said}");
}

#[test]
fn both_futures_wait_and_count_all_bytes() {
    let output = Example::start("count", &[]).rest();
    let lines: Vec<_> = output.lines().collect();
    for (name, lines) in ["by hand", "async"].iter().zip(lines.chunks(2)) {
        assert_eq!(
            lines[0],
            format!("{name}: asked too early, it says Pending")
        );
        let polls = lines[1].strip_prefix(&format!("{name}: 1000000 bytes, asked "));
        let polls = polls.and_then(|rest| rest.strip_suffix(" times")).unwrap();
        assert!(polls.parse::<u32>().unwrap() >= 2, "{output}");
    }
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_chain_allocates_as_much_as_async_does_and_a_box_one_more() {
    let output = Example::start("handshake", &[]).rest();
    let mut allocations = Vec::new();
    for (name, line) in ["and_then", "async", "boxed"].iter().zip(output.lines()) {
        let rest = line
            .strip_prefix(&format!("{name}: allocations: "))
            .unwrap();
        let (count, rest) = rest.split_once(',').unwrap();
        assert!(rest.ends_with("heard: hello from 192.0.2.7:80"), "{line}");
        allocations.push(count.parse::<u64>().unwrap());
    }
    let [chained, awaited, boxed] = allocations[..] else {
        panic!("three lines, not: {output}");
    };
    assert_eq!(chained, awaited);
    assert_eq!(boxed, chained + 1);
}

/// Sends a line, and returns the reader of the answers.
fn asks(addr: SocketAddr, line: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(line.as_bytes()).unwrap();
    BufReader::new(stream)
}

fn answer(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn interrupt(example: &Example) {
    let id = i32::try_from(example.id()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::INT).unwrap();
}

#[test]
fn each_runtime_does_its_own_business() {
    let (_server, addr) = Example::serving("two_runtimes");
    // More of them than either runtime has threads.
    let mut busy: Vec<_> = (0..8).map(|_| asks(addr, "200000\n")).collect();
    let mut quick = asks(addr, "ping\nten\n");
    assert_eq!(answer(&mut quick), "pong, by requests");
    assert_eq!(answer(&mut quick), "neither `ping` nor a number: ten");
    for reader in &mut busy {
        let answer = answer(reader);
        assert!(
            ["17984, by heavy-1", "17984, by heavy-2"].contains(&&*answer),
            "{answer}"
        );
    }
}

#[test]
fn runtimes_shut_down_in_order_and_answer_who_was_heard() {
    let (mut server, addr) = Example::serving("two_runtimes");
    // Both of its lines are heard before `idle` is: one worker reads them all.
    let mut client = asks(addr, "ping\n300000\n");
    assert_eq!(answer(&mut client), "pong, by requests");
    let mut idle = asks(addr, "ping\n");
    assert_eq!(answer(&mut idle), "pong, by requests");
    interrupt(&server);
    assert_eq!(server.line(), "accepts no more");
    let refused = TcpStream::connect(addr).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(answer(&mut idle), "", "the idle connection is closed");
    assert!(answer(&mut client).starts_with("25997, by heavy-"));
    assert_eq!(
        server.rest(),
        "all is answered\nrequests: down\nheavy: down\n"
    );
}

#[test]
fn an_actor_holds_back_dies_and_is_restarted() {
    let output = Example::start("actor", &[]).rest();
    let expected = [
        "took 10, waited for some: true",
        "sent 4 more, and another: Some(MailboxFull)",
        "all 4 were answered",
        "died: restart 1 of 3",
        "after its death: 4 left",
        "died: restart 2 of 3",
        "died: restart 3 of 3",
        "died: given up",
        "at last: Err(NoAnswer)",
    ];
    assert_eq!(output.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_watched_folder_tells_what_is_new_until_it_is_interrupted() {
    let folder = env::temp_dir().join(format!("gallery-{}", process::id()));
    fs::create_dir(&folder).unwrap();
    let mut watch = Example::start("watch_folder", &[folder.to_str().unwrap()]);
    assert_eq!(watch.line(), format!("watching {}", folder.display()));
    for name in ["first", "second"] {
        fs::write(folder.join(name), "").unwrap();
        assert_eq!(watch.line(), format!("new: {name}"));
    }
    fs::rename(folder.join("first"), folder.join("third")).unwrap();
    assert_eq!(watch.line(), "new: third");
    interrupt(&watch);
    assert_eq!(watch.rest(), "");
    fs::remove_dir_all(&folder).unwrap();
}
