//! The disk of a simulated host: what it keeps, what it loses, what it refuses.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, SeekFrom};
use std::path::Path;
use std::time::Duration;

use yamanote_base::wake::WakeList;
use yamanote_world::disk::{Disk, DiskOp, Failure, File, FileKind, OpenOptions};
use yamanote_world::net::link::{Chance, Latency};
use yamanote_world::{Host, World};

/// A host whose disk takes no time.
fn host(seed: u64) -> Host {
    let host = World::new(seed).add_host("a");
    let mut rules = host.disk().rules();
    rules.latency = Latency::fixed(Duration::ZERO);
    rules.sync_latency = Latency::fixed(Duration::ZERO);
    host.disk().set_rules(rules);
    host
}

fn path(path: &str) -> &Path {
    Path::new(path)
}

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn create(disk: &Disk, name: &str) -> File {
    let options = OpenOptions {
        read: true,
        write: true,
        create: true,
        truncate: true,
        ..OpenOptions::default()
    };
    disk.open(path(name), options).unwrap()
}

fn open(disk: &Disk, name: &str) -> io::Result<File> {
    let options = OpenOptions {
        read: true,
        ..OpenOptions::default()
    };
    disk.open(path(name), options)
}

fn read(disk: &Disk, name: &str) -> io::Result<Vec<u8>> {
    let file = open(disk, name)?;
    let mut bytes = vec![0; 1 << 16];
    let count = file.read(&mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}

fn put(disk: &Disk, name: &str, content: &[u8]) {
    create(disk, name).write(content).unwrap();
}

fn sync(disk: &Disk, name: &str) {
    open(disk, name).unwrap().sync().unwrap();
}

/// The power fails and is back; what is there then.
fn lose_power(host: &Host) {
    host.world().power_off(host.id(), None);
    host.world().power_on(host.id());
}

#[test]
fn files_are_read_written_cut_and_appended_to() {
    let disk = host(1).disk();
    let file = create(&disk, "/a");
    assert_eq!(file.write(b"hello world").unwrap(), 11);
    assert_eq!(file.seek(SeekFrom::Current(-5)).unwrap(), 6);
    let mut buf = [0; 9];
    assert_eq!(file.read(&mut buf).unwrap(), 5);
    assert_eq!(&buf[..5], b"world");
    assert_eq!(file.read(&mut buf).unwrap(), 0);
    assert_eq!(kind(file.seek(SeekFrom::End(-12))), ErrorKind::InvalidInput);
    file.set_len(5).unwrap();
    let options = OpenOptions {
        append: true,
        ..OpenOptions::default()
    };
    let log = disk.open(path("a"), options).unwrap();
    log.write(b"!").unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write(b"J").unwrap();
    log.write(b"?").unwrap();
    assert_eq!(read(&disk, "/a").unwrap(), b"Jello!?");
    assert_eq!(kind(log.read(&mut buf)), ErrorKind::PermissionDenied);
    let info = file.metadata().unwrap();
    assert_eq!((info.kind, info.len), (FileKind::File, 7));
    assert!(info.modified >= info.created && info.created > Duration::from_secs(1_700_000_000));
    let shared = file.clone();
    shared.seek(SeekFrom::Start(2)).unwrap();
    file.read(&mut buf[..2]).unwrap();
    assert_eq!(&buf[..2], b"ll");
}

#[test]
fn options_mean_what_they_mean_in_std() {
    let disk = host(2).disk();
    let none = OpenOptions::default();
    let try_open = |options| disk.open(path("/a"), options).map(drop);
    assert_eq!(kind(try_open(none)), ErrorKind::InvalidInput);
    let read = OpenOptions { read: true, ..none };
    assert_eq!(kind(try_open(read)), ErrorKind::NotFound);
    let create = OpenOptions {
        create: true,
        ..read
    };
    assert_eq!(kind(try_open(create)), ErrorKind::InvalidInput);
    let write = OpenOptions {
        write: true,
        ..none
    };
    assert_eq!(kind(try_open(write)), ErrorKind::NotFound);
    let new = OpenOptions {
        create_new: true,
        ..write
    };
    try_open(new).unwrap();
    assert_eq!(kind(try_open(new)), ErrorKind::AlreadyExists);
    let cut = OpenOptions {
        append: true,
        truncate: true,
        ..none
    };
    assert_eq!(kind(try_open(cut)), ErrorKind::InvalidInput);
    disk.create_dir(path("/d"), false, 0o755).unwrap();
    assert_eq!(kind(disk.open(path("/d"), write)), ErrorKind::IsADirectory);
    assert_eq!(
        kind(open(&disk, "/d").unwrap().read(&mut [0])),
        ErrorKind::IsADirectory
    );
    assert_eq!(kind(open(&disk, "/a/b")), ErrorKind::NotADirectory);
    assert_eq!(kind(open(&disk, "/x/b")), ErrorKind::NotFound);
}

#[test]
fn directories_links_and_names() {
    let disk = host(3).disk();
    assert_eq!(
        kind(disk.create_dir(path("/a/b"), false, 0)),
        ErrorKind::NotFound
    );
    disk.create_dir(path("/a/b/c"), true, 0o700).unwrap();
    disk.create_dir(path("/a/b/c"), true, 0o700).unwrap();
    assert_eq!(
        kind(disk.create_dir(path("/a"), false, 0)),
        ErrorKind::AlreadyExists
    );
    put(&disk, "/a/b/file", b"x");
    disk.symlink(path("../b/file"), path("/a/b/link")).unwrap();
    assert_eq!(read(&disk, "/a/b/link").unwrap(), b"x");
    assert_eq!(
        disk.metadata(path("/a/b/link"), false).unwrap().kind,
        FileKind::Link
    );
    assert_eq!(
        disk.read_link(path("/a/b/link")).unwrap(),
        path("../b/file")
    );
    assert_eq!(
        disk.canonicalize(path("a/./b/../b/link")).unwrap(),
        path("/a/b/file")
    );
    disk.symlink(path("/loop"), path("/loop")).unwrap();
    assert!(disk.metadata(path("/loop"), true).is_err());
}

#[test]
fn names_are_given_moved_and_taken_away() {
    let disk = host(3).disk();
    disk.create_dir(path("/a/b/c"), true, 0o700).unwrap();
    put(&disk, "/a/b/file", b"x");
    disk.symlink(path("../b/file"), path("/a/b/link")).unwrap();
    disk.hard_link(path("/a/b/file"), path("/hard")).unwrap();
    disk.remove_file(path("/a/b/file")).unwrap();
    assert_eq!(read(&disk, "/hard").unwrap(), b"x");
    assert_eq!(kind(read(&disk, "/a/b/link")), ErrorKind::NotFound);
    assert_eq!(
        kind(disk.rename(path("/a"), path("/a/b/c/a"))),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        kind(disk.rename(path("/hard"), path("/a"))),
        ErrorKind::IsADirectory
    );
    disk.rename(path("/a/b"), path("/moved")).unwrap();
    assert_eq!(
        disk.canonicalize(path("/moved/c/..")).unwrap(),
        path("/moved")
    );
    assert_eq!(
        kind(disk.remove_dir(path("/moved"), false)),
        ErrorKind::DirectoryNotEmpty
    );
    assert_eq!(
        kind(disk.remove_file(path("/moved"))),
        ErrorKind::IsADirectory
    );
    disk.remove_dir(path("/moved"), true).unwrap();
    disk.set_mode(path("/hard"), 0o600).unwrap();
    assert_eq!(disk.metadata(path("/hard"), true).unwrap().mode, 0o600);
    let names: BTreeSet<_> = disk
        .list(path("/"))
        .unwrap()
        .into_iter()
        .map(|item| item.name)
        .collect();
    assert_eq!(names, BTreeSet::from(["a", "hard"].map(Into::into)));
}

#[test]
fn a_file_that_is_removed_lives_as_long_as_it_is_open() {
    let disk = host(4).disk();
    let file = create(&disk, "/a");
    disk.remove_file(path("/a")).unwrap();
    file.write(b"ghost").unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    let mut buf = [0; 5];
    file.read(&mut buf).unwrap();
    assert_eq!(&buf, b"ghost");
}

#[test]
fn the_order_of_entries_is_the_seeds() {
    let order = |seed| {
        let disk = host(seed).disk();
        (0..20).for_each(|number| put(&disk, &format!("/{number}"), b""));
        let items = disk.list(path("/")).unwrap();
        items.into_iter().map(|item| item.name).collect::<Vec<_>>()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn what_was_synced_with_its_directory_survives_every_power_loss() {
    for seed in 0..50 {
        let host = host(seed);
        let disk = host.disk();
        put(&disk, "/kept", b"kept");
        sync(&disk, "/kept");
        sync(&disk, "/");
        assert!(disk.is_synced());
        put(&disk, "/new", b"new");
        let open = create(&disk, "/other");
        assert!(!disk.is_synced());
        lose_power(&host);
        assert!(disk.is_synced());
        assert_eq!(read(&disk, "/kept").unwrap(), b"kept");
        assert!(open.write(b"stale").is_err());
    }
}

#[test]
fn every_outcome_of_a_power_loss_happens() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..2_000 {
        let host = host(seed);
        let disk = host.disk();
        put(&disk, "/a", &[1; 8192]);
        sync(&disk, "/a");
        sync(&disk, "/");
        let file = create(&disk, "/a.new");
        file.write(&[2; 8192]).unwrap();
        disk.rename(path("/a.new"), path("/a")).unwrap();
        lose_power(&host);
        let content = read(&disk, "/a").unwrap();
        let [first, second] = [0, 4096].map(|at| content.get(at..at + 4096).map(<[u8]>::to_vec));
        let look = |page: Option<Vec<u8>>| match page {
            None => "gone",
            Some(page) if page.iter().all(|byte| *byte == 1) => "old",
            Some(page) if page.iter().all(|byte| *byte == 2) => "new",
            Some(page) if page.iter().all(|byte| *byte == 0) => "zeros",
            Some(_) => "torn",
        };
        outcomes.insert((look(first), look(second)));
    }
    // The old file; the new one, whole, empty, with holes, torn: all but a mixture of both.
    for outcome in [
        ("old", "old"),
        ("new", "new"),
        ("gone", "gone"),
        ("zeros", "new"),
        ("new", "zeros"),
    ] {
        assert!(outcomes.contains(&outcome), "{outcome:?} in {outcomes:?}");
    }
    assert!(outcomes.iter().any(|(first, _)| *first == "torn"));
    assert!(!outcomes.contains(&("old", "new")) && !outcomes.contains(&("new", "old")));
}

#[test]
fn names_are_lost_from_the_end_and_moves_as_a_whole() {
    for seed in 0..200 {
        let host = host(seed);
        let disk = host.disk();
        disk.create_dir(path("/one"), false, 0o755).unwrap();
        disk.create_dir(path("/two"), false, 0o755).unwrap();
        put(&disk, "/one/a", b"");
        sync(&disk, "/one");
        sync(&disk, "/two");
        sync(&disk, "/");
        put(&disk, "/one/b", b"");
        disk.rename(path("/one/a"), path("/two/a")).unwrap();
        put(&disk, "/one/c", b"");
        disk.rename(path("/two/a"), path("/two/z")).unwrap();
        lose_power(&host);
        let is_there = |name: &str| disk.metadata(path(name), false).is_ok();
        let places = ["/one/a", "/two/a", "/two/z"].map(is_there);
        assert_eq!(
            places.iter().filter(|there| **there).count(),
            1,
            "{places:?}"
        );
        assert!(is_there("/one/b") || places[0], "the move stands on it");
        assert!(!is_there("/one/c") || !places[0], "it stands on the move");
    }
}

#[test]
fn a_sync_of_one_directory_takes_along_what_it_stands_on() {
    let host = host(7);
    let disk = host.disk();
    disk.create_dir(path("/one"), false, 0o755).unwrap();
    disk.create_dir(path("/two"), false, 0o755).unwrap();
    sync(&disk, "/");
    put(&disk, "/one/a", b"");
    disk.rename(path("/one/a"), path("/two/a")).unwrap();
    sync(&disk, "/two");
    assert!(disk.is_synced());
    lose_power(&host);
    assert!(disk.metadata(path("/two/a"), true).is_ok());
    assert!(disk.metadata(path("/one/a"), true).is_err());
}

#[test]
fn a_sync_under_way_keeps_nothing_for_sure() {
    let takes = Duration::from_millis(3);
    let kept_after = |wait: Duration, seed| {
        let host = host(seed);
        let disk = host.disk();
        let mut rules = disk.rules();
        rules.sync_latency = Latency::fixed(takes);
        disk.set_rules(rules);
        put(&disk, "/a", b"new");
        sync(&disk, "/a");
        sync(&disk, "/");
        host.world().advance_to(wait, &mut WakeList::new());
        assert_eq!(disk.is_synced(), wait >= 2 * takes);
        lose_power(&host);
        read(&disk, "/a").is_ok_and(|content| content == b"new")
    };
    // Both syncs have begun at once, and the disk does one after the other.
    let counts = [Duration::ZERO, takes, 2 * takes]
        .map(|wait| (0..100).filter(|seed| kept_after(wait, *seed)).count());
    assert!((1..99).contains(&counts[0]), "{counts:?}");
    assert!((1..99).contains(&counts[1]), "{counts:?}");
    assert_eq!(counts[2], 100);
}

#[test]
fn a_killed_program_loses_nothing() {
    let host = host(8);
    put(&host.disk(), "/a", b"not synced");
    host.world().crash(host.id());
    assert_eq!(read(&host.disk(), "/a").unwrap(), b"not synced");
}

#[test]
fn a_full_disk_takes_what_fits() {
    let disk = host(9).disk();
    let mut rules = disk.rules();
    rules.capacity = Some(3 * 4096);
    disk.set_rules(rules.clone());
    let file = create(&disk, "/a");
    assert_eq!(file.write(&[1; 5000]).unwrap(), 5000);
    assert_eq!(file.write(&[1; 9000]).unwrap(), 3 * 4096 - 5000);
    assert_eq!(kind(file.write(&[1])), ErrorKind::StorageFull);
    file.seek(SeekFrom::Start(0)).unwrap();
    assert_eq!(file.write(&[2; 100]).unwrap(), 100, "no page is added");
    disk.remove_file(path("/a")).unwrap();
    drop(file);
    sync(&disk, "/");
    assert_eq!(create(&disk, "/b").write(&[1; 4096]).unwrap(), 4096);
}

#[test]
fn operations_fail_by_path_kind_and_number() {
    let disk = host(10).disk();
    let mut rules = disk.rules();
    rules.failures = vec![Failure {
        op: DiskOp::Write,
        pattern: "*.log".to_owned(),
        error: ErrorKind::Other,
        chance: Chance::ALWAYS,
        times: 2,
    }];
    disk.set_rules(rules);
    put(&disk, "/a.txt", b"fine");
    let log = create(&disk, "/a.log");
    assert_eq!(kind(log.write(b"x")), ErrorKind::Other);
    assert_eq!(kind(log.write(b"x")), ErrorKind::Other);
    assert_eq!(log.write(b"x").unwrap(), 1);
}

#[test]
fn a_sync_that_fails_says_so_once_and_has_lost_what_it_should_keep() {
    let host = host(11);
    let disk = host.disk();
    put(&disk, "/a", b"old");
    sync(&disk, "/a");
    sync(&disk, "/");
    let mut rules = disk.rules();
    rules.failing_syncs = 1;
    disk.set_rules(rules.clone());
    let options = OpenOptions {
        write: true,
        ..OpenOptions::default()
    };
    let file = disk.open(path("/a"), options).unwrap();
    file.write(b"new").unwrap();
    file.sync().unwrap_err();
    file.sync().unwrap();
    assert_eq!(read(&disk, "/a").unwrap(), b"new");
    lose_power(&host);
    assert_eq!(read(&disk, "/a").unwrap(), b"old");
    rules = disk.rules();
    rules.lying_syncs = true;
    disk.set_rules(rules);
    let file = disk.open(path("/a"), options).unwrap();
    file.write(b"lie").unwrap();
    file.sync().unwrap();
    assert!(!disk.is_synced());
}

#[test]
fn rot_turns_bits_of_what_is_on_the_disk() {
    let disk = host(12).disk();
    put(&disk, "/a", &[0; 4096]);
    let mut rules = disk.rules();
    rules.rot = Chance::ALWAYS;
    disk.set_rules(rules.clone());
    assert_eq!(read(&disk, "/a").unwrap(), [0; 4096], "it is in memory");
    sync(&disk, "/a");
    let ones = |bytes: &[u8]| bytes.iter().map(|byte| byte.count_ones()).sum::<u32>();
    assert_eq!(ones(&read(&disk, "/a").unwrap()), 1);
    rules.rot = Chance::NEVER;
    disk.set_rules(rules);
    assert_eq!(ones(&read(&disk, "/a").unwrap()), 1, "and stays so");
}

#[test]
fn operations_owe_the_time_that_the_disk_takes() {
    let host = host(13);
    let disk = host.disk();
    let mut rules = disk.rules();
    rules.latency = Latency::fixed(Duration::from_micros(10));
    rules.sync_latency = Latency::fixed(Duration::from_millis(7));
    disk.set_rules(rules);
    let file = create(&disk, "/a");
    file.write(b"x").unwrap();
    file.sync().unwrap();
    assert_eq!(host.world().next_event_at(), None);
    let _alarm = host.world().settle_disk(host.id()).unwrap();
    assert_eq!(
        host.world().next_event_at(),
        Some(Duration::from_micros(7020))
    );
    assert!(host.world().settle_disk(host.id()).is_none());
}

#[test]
fn the_trace_tells_of_operations_by_their_path_and_of_what_is_written() {
    let life = |name: &str, content: &[u8]| {
        let host = host(14);
        host.world().keep_records();
        put(&host.disk(), name, content);
        let world = host.world().clone();
        let records = world.records();
        let texts = records.iter().map(|record| world.text_of(record));
        (texts.collect::<Vec<_>>(), world.trace_hash())
    };
    let (texts, hash) = life("/a", b"one");
    assert!(texts.contains(&"write of /a on a".to_owned()), "{texts:?}");
    assert_eq!((texts, hash), life("/a", b"one"));
    assert_ne!(hash, life("/a", b"two").1);
    assert_ne!(hash, life("/b", b"one").1);
}
