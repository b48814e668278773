//! Programs of plain tokio code on simulated disks.

use std::collections::BTreeSet;
use std::io::{ErrorKind, SeekFrom};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sim::{DiskOp, Host, Sim};
use tokio::time::{Instant, sleep};

#[test]
fn tokio_fs_goes_to_the_disk_of_the_host() {
    let sim = Sim::new(1);
    let other = sim.host("other", || async {
        assert!(!fs::try_exists("/data").await?);
        fs::write("/mine", "other's").await
    });
    sim.run(async {
        let begin = Instant::now();
        fs::create_dir_all("/data/deep").await.unwrap();
        fs::create_dir("/data/flat").await.unwrap();
        fs::write("/data/a", "hello").await.unwrap();
        assert_eq!(fs::read_to_string("/data/a").await.unwrap(), "hello");
        assert_eq!(fs::copy("/data/a", "/data/deep/b").await.unwrap(), 5);
        fs::rename("/data/deep/b", "/data/c").await.unwrap();
        fs::hard_link("/data/c", "/data/d").await.unwrap();
        fs::remove_file("/data/c").await.unwrap();
        let metadata = fs::metadata("/data/d").await.unwrap();
        assert!(metadata.is_file());
        assert_eq!(metadata.len(), 5);
        let mut permissions = metadata.permissions();
        permissions.set_readonly(true);
        fs::set_permissions("/data/d", permissions).await.unwrap();
        let metadata = fs::metadata("/data/d").await.unwrap();
        assert!(metadata.permissions().readonly());
        assert!(fs::metadata("/data").await.unwrap().is_dir());
        let mut names = BTreeSet::new();
        let mut entries = fs::read_dir("/data").await.unwrap();
        while let Some(entry) = entries.next_entry().await.unwrap() {
            let is_dir = entry.file_type().await.unwrap().is_dir();
            names.insert((entry.file_name().into_string().unwrap(), is_dir));
        }
        let expected = [("a", false), ("d", false), ("deep", true), ("flat", true)];
        assert_eq!(
            names,
            expected.map(|(name, is)| (name.to_owned(), is)).into()
        );
        let canonical = fs::canonicalize("data/deep/../a").await.unwrap();
        assert_eq!(canonical.to_str(), Some("/data/a"));
        fs::remove_dir("/data/flat").await.unwrap();
        fs::remove_dir_all("/data").await.unwrap();
        let error = fs::read("/data/a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            !std::path::Path::new("/data/a").exists(),
            "the real disk knows nothing"
        );
        assert!(begin.elapsed() > Duration::ZERO, "disks take their time");
    })
    .unwrap();
    assert_eq!(other.disk().read("/mine").unwrap(), b"other's");
}

#[test]
fn a_file_reads_writes_and_seeks_as_a_real_one() {
    let sim = Sim::new(3);
    sim.run(async {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true);
        let mut file = options.open("/a").await.unwrap();
        file.write_all(b"hello world").await.unwrap();
        assert_eq!(file.seek(SeekFrom::Start(6)).await.unwrap(), 6);
        let mut rest = String::new();
        file.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "world");
        file.set_len(5).await.unwrap();
        assert_eq!(file.metadata().await.unwrap().len(), 5);
        let mut clone = file.try_clone().await.unwrap();
        clone.rewind().await.unwrap();
        let mut all = Vec::new();
        file.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"hello");
        assert!(file.try_into_std().is_err(), "std knows nothing of it");
        let error = File::create_new("/a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    })
    .unwrap();
}

/// Appends a line a second; what it acknowledged is in `/acknowledged` of the test's own host.
async fn logger(sync_file: bool, sync_dir: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut log = options.append(true).create(true).open("/log").await?;
    if sync_dir {
        File::open("/").await?.sync_all().await?;
    }
    loop {
        log.write_all(b"line\n").await?;
        log.flush().await?;
        if sync_file {
            log.sync_data().await?;
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// How many of the first ten lines a power loss leaves, over many seeds.
fn lines_left(sync_file: bool, sync_dir: bool) -> BTreeSet<usize> {
    let lines = |seed| {
        let sim = Sim::new(seed);
        let host = sim.host("db", move || logger(sync_file, sync_dir));
        sim.run_for(Duration::from_millis(9_500)).unwrap();
        host.power_loss();
        host.disk().read("/log").map_or(0, |log| log.len() / 5)
    };
    (0..60).map(lines).collect()
}

#[test]
fn only_what_is_synced_with_its_name_survives_a_power_loss() {
    assert_eq!(lines_left(true, true), BTreeSet::from([10]));
    let unsynced = lines_left(false, true);
    assert!(
        unsynced.contains(&0) && unsynced.contains(&10),
        "{unsynced:?}"
    );
    let unnamed = lines_left(true, false);
    assert_eq!(unnamed, BTreeSet::from([0, 10]));
}

#[test]
fn a_crash_loses_nothing_and_a_restart_finds_it() {
    let sim = Sim::new(4);
    let host = sim.host("db", || logger(false, false));
    sim.run_for(Duration::from_millis(2_500)).unwrap();
    host.crash();
    assert_eq!(host.disk().read("/log").unwrap(), b"line\nline\nline\n");
    host.restart();
    sim.run_for(Duration::from_millis(500)).unwrap();
    assert_eq!(host.disk().read("/log").unwrap().len(), 20);
}

type Outcome = Result<(), ErrorKind>;

/// Stores some data, and leaves what came of it.
async fn store(outcome: Arc<Mutex<Option<Outcome>>>) {
    let store = async {
        assert_eq!(fs::read("/etc/config").await?, b"x = 1");
        let mut file = File::create("/data").await?;
        file.write_all(&[0; 100_000]).await?;
        file.flush().await?;
        file.sync_all().await
    };
    let result: std::io::Result<()> = store.await;
    *outcome.lock().unwrap() = Some(result.map_err(|error| error.kind()));
}

#[test]
fn faults_of_the_disk_reach_the_program() {
    let sim = Sim::new(5);
    let host = sim.host("db", std::future::pending::<()>);
    host.disk().write("/etc/config", "x = 1").unwrap();
    let error = |host: &Host| {
        let result = Arc::new(Mutex::new(None));
        let kept = result.clone();
        host.restart_with(move || store(kept.clone()));
        sim.run_for(Duration::from_secs(10)).unwrap();
        let result = result.lock().unwrap().take();
        result.expect("the program has ended")
    };
    assert_eq!(error(&host), Ok(()));
    host.disk().capacity(65_536);
    assert_eq!(error(&host), Err(ErrorKind::StorageFull));
    host.disk().heal();
    host.disk()
        .fail(DiskOp::Open, "/data", ErrorKind::PermissionDenied, 1);
    assert_eq!(error(&host), Err(ErrorKind::PermissionDenied));
    host.disk().fsync_fails(1);
    assert_eq!(error(&host), Err(ErrorKind::Other));
    assert_eq!(error(&host), Ok(()));
    assert_eq!(host.disk().read("/data").unwrap().len(), 100_000);
}

/// How many of a hundred reads of `/data` fail, or find that it has changed.
async fn bad_reads() -> (usize, usize) {
    let (mut failed, mut changed) = (0, 0);
    for _ in 0..100 {
        match fs::read("/data").await {
            Ok(data) => changed += usize::from(data != [7; 9000]),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Other);
                failed += 1;
            }
        }
    }
    (failed, changed)
}

#[test]
fn a_disk_errs_as_often_as_it_is_told_and_what_rots_stays_so() {
    let sim = Sim::new(6);
    let host = sim.host("db", std::future::pending::<()>);
    let disk = host.disk();
    disk.write("/data", [7; 9000]).unwrap();
    let reads = || sim.run(sim.client("db", bad_reads())).unwrap().unwrap();
    disk.fail_at_random(DiskOp::Read, "/d*", ErrorKind::Other, 0.02);
    let (failed, changed) = reads();
    assert!((2..60).contains(&failed) && changed == 0, "{failed}");
    disk.heal();
    assert_eq!(reads(), (0, 0));
    disk.bitrot(0.05);
    let (failed, changed) = reads();
    assert!(failed == 0 && (20..100).contains(&changed), "{changed}");
    disk.heal();
    assert_eq!(reads(), (0, 100));
    let bits = disk.read("/data").unwrap();
    let bits: u32 = bits.iter().map(|byte| (byte ^ 7).count_ones()).sum();
    assert!((1..200).contains(&bits), "{bits}");
}

/// Writes a page of `new` over one of `old`, and syncs it, while the disk loses its power.
fn page_after_power_loss(seed: u64, tears: bool, lies: bool) -> Vec<u8> {
    let sim = Sim::new(seed);
    let host = sim.host("db", || async {
        let mut file = OpenOptions::new().write(true).open("/page").await?;
        file.write_all(&[2; 4096]).await?;
        file.flush().await?;
        file.sync_all().await
    });
    host.crash();
    let disk = host.disk();
    disk.write("/page", [1; 4096]).unwrap();
    disk.tear(tears).lying_fsync(lies);
    // Long enough to be in the middle of it, unless the disk lies: then it is done at once.
    if !lies {
        disk.sync_latency(Duration::from_secs(5));
    }
    host.restart();
    sim.run_for(Duration::from_secs(1)).unwrap();
    host.power_loss();
    disk.read("/page").unwrap()
}

#[test]
fn a_power_loss_tears_pages_by_sectors_and_shows_what_a_sync_was_worth() {
    /// Of how many sectors each page has kept what was before.
    fn old_sectors(tears: bool, lies: bool) -> BTreeSet<usize> {
        let old = |seed| {
            let page = page_after_power_loss(seed, tears, lies);
            let sectors = page.chunks(512);
            sectors.filter(|sector| sector.contains(&1)).count()
        };
        (0..100).map(old).collect()
    }
    let torn = old_sectors(true, false);
    assert!(torn.iter().any(|old| (1..8).contains(old)), "{torn:?}");
    let whole = old_sectors(false, false);
    assert!(whole.iter().all(|old| [0, 8].contains(old)), "{whole:?}");
    assert!(old_sectors(true, true).contains(&8), "the sync was a lie");
}

#[test]
fn a_slow_disk_makes_programs_wait() {
    let sim = Sim::new(6);
    let home = sim.host("db", std::future::pending::<()>);
    home.disk().sync_latency(Duration::from_secs(3));
    let client = sim.client("db", async {
        let file = File::create("/a").await.unwrap();
        let begin = Instant::now();
        file.sync_all().await.unwrap();
        begin.elapsed()
    });
    let took = sim.run(client).unwrap().unwrap();
    assert!(took >= Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_run_with_power_losses_repeats_by_its_seed() {
    let run = |seed| {
        let sim = Sim::new(seed);
        let host = sim.host("db", || logger(false, true));
        for _ in 0..5 {
            sim.run_for(Duration::from_millis(3_500)).unwrap();
            host.power_loss();
            host.restart();
        }
        (
            sim.trace_hash(),
            host.disk().read("/log").unwrap_or_default(),
        )
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}
