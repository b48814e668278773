//! Bad weather: each way says the same of it, and works when it is over.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::Command;

use yamanote_fs as fs;
use yamanote_fs::File;
use yamanote_io::AsyncWriteExt;

use crate::world::{Dir, run};

/// Says that this is the process with few descriptors.
const FEW: &str = "YAMANOTE_TEST_FEW_DESCRIPTORS";

async fn write_and_flush(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes).await?;
    file.flush().await
}

/// A file system of 64 KiB, if we may mount one.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=64k", "none"])
            .arg(at);
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self(at))
    }
}

impl Small<'_> {
    fn remount(&self, how: &str) {
        let mut mount = Command::new("mount");
        mount
            .args(["-o", &format!("remount,{how}"), "none"])
            .arg(self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        // Lazily: the kernel may close what a ring had open a little later.
        let unmounted = Command::new("umount").arg("-l").arg(self.0).status();
        assert!(unmounted.unwrap().success());
    }
}

#[test]
fn a_full_disk_is_an_error_and_what_was_there_stays() {
    let dir = Dir::new();
    let Some(small) = Small::mount(dir.path()) else {
        println!("left out: no file system can be mounted here");
        return;
    };
    run(async {
        let mut file = File::create(dir.join("a")).await.unwrap();
        write_and_flush(&mut file, &[7; 4096]).await.unwrap();
        let full = write_and_flush(&mut file, &[8; 100_000]).await.unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        let content = fs::read(dir.join("a")).await.unwrap();
        let (before, after) = content.split_at(4096);
        assert!(before.iter().all(|byte| *byte == 7) && after.iter().all(|byte| *byte == 8));
        let full = fs::write(dir.join("b"), [9; 4096]).await.unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        file.set_len(4096).await.unwrap();
        assert_eq!(fs::read(dir.join("a")).await.unwrap(), [7; 4096]);
        fs::write(dir.join("b"), [9; 4096]).await.unwrap();
    });
    drop(small);
}

#[test]
fn without_descriptors_open_fails_until_there_are_some() {
    if std::env::var_os(FEW).is_some() {
        run(run_out_of_descriptors());
        return;
    }
    let this = std::env::current_exe().unwrap();
    let name = "weather::without_descriptors_open_fails_until_there_are_some";
    let few = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 64 && exec \"$0\" --exact \"$1\" --nocapture",
        ])
        .arg(this)
        .arg(name)
        .env(FEW, "1")
        .output()
        .unwrap();
    assert!(few.status.success(), "{few:?}");
    assert!(String::from_utf8_lossy(&few.stdout).contains("1 passed"));
}

async fn run_out_of_descriptors() {
    // The number of EMFILE on every Unix.
    const TOO_MANY_OPEN: i32 = 24;
    let dir = Dir::new();
    let path = dir.file("a", b"content");
    // Whatever the way needs for itself.
    assert_eq!(fs::read(&path).await.unwrap(), b"content");
    let mut hoard = Vec::new();
    let error = loop {
        match File::open(&path).await {
            Ok(file) => hoard.push(file),
            Err(error) => break error,
        }
        assert!(hoard.len() < 100, "the limit holds");
    };
    assert_eq!(error.raw_os_error(), Some(TOO_MANY_OPEN));
    let create = File::create(dir.join("b")).await.unwrap_err();
    assert_eq!(create.raw_os_error(), Some(TOO_MANY_OPEN));
    let read = fs::read(&path).await.unwrap_err();
    assert_eq!(read.raw_os_error(), Some(TOO_MANY_OPEN));
    hoard.clear();
    assert_eq!(fs::read(&path).await.unwrap(), b"content");
}

#[test]
fn what_was_opened_for_reading_is_not_written() {
    let dir = Dir::new();
    let path = dir.file("a", b"content");
    let mut std = std::fs::File::open(&path).unwrap();
    let expected = io::Write::write(&mut std, b"x").unwrap_err();
    run(async {
        let mut file = File::open(&path).await.unwrap();
        let error = write_and_flush(&mut file, b"x").await.unwrap_err();
        assert_eq!(error.kind(), expected.kind());
        let expected = std.set_len(1).unwrap_err();
        let error = file.set_len(1).await.unwrap_err();
        assert_eq!(error.kind(), expected.kind());
        let mut nonsense = std::fs::OpenOptions::new();
        nonsense.read(true);
        nonsense.truncate(true);
        let expected = nonsense.open(&path);
        let mut options = File::options();
        let error = options
            .read(true)
            .truncate(true)
            .open(&path)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), expected.unwrap_err().kind());
        assert_eq!(fs::read(&path).await.unwrap(), b"content");
    });
}

#[test]
fn what_is_read_only_is_read_and_not_changed() {
    let dir = Dir::new();
    let Some(small) = Small::mount(dir.path()) else {
        println!("left out: no file system can be mounted here");
        return;
    };
    let path = dir.file("a", b"content");
    small.remount("ro");
    run(async {
        let mut write = File::options();
        let results = [
            write.write(true).open(&path).await.map(drop),
            File::create(&path).await.map(drop),
            File::create_new(dir.join("b")).await.map(drop),
            fs::write(&path, b"x").await,
            fs::create_dir(dir.join("d")).await,
            fs::remove_file(&path).await,
            fs::rename(&path, dir.join("b")).await,
            fs::hard_link(&path, dir.join("b")).await,
            fs::symlink(&path, dir.join("b")).await,
        ];
        for result in results {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
        }
        assert_eq!(fs::read(&path).await.unwrap(), b"content");
        assert_eq!(fs::metadata(&path).await.unwrap().len(), 7);
        small.remount("rw");
        fs::write(&path, b"more").await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"more");
    });
    drop(small);
}

#[test]
fn a_file_that_may_not_be_written_says_so_as_std_does() {
    let dir = Dir::new();
    let path = dir.file("a", b"content");
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    // Root may write it all the same.
    let expected = std::fs::OpenOptions::new().write(true).open(&path);
    let expected = expected.map(drop).map_err(|error| error.kind());
    run(async {
        let opened = File::options().write(true).open(&path).await;
        assert_eq!(opened.map(drop).map_err(|error| error.kind()), expected);
        assert_eq!(fs::read(&path).await.unwrap(), b"content");
    });
}

#[test]
fn a_directory_that_has_vanished_is_not_found_and_open_files_go_on() {
    let dir = Dir::new();
    std::fs::create_dir(dir.join("d")).unwrap();
    let path = dir.join("d/a");
    run(async {
        let mut file = File::create(&path).await.unwrap();
        write_and_flush(&mut file, b"content").await.unwrap();
        std::fs::remove_dir_all(dir.join("d")).unwrap();
        write_and_flush(&mut file, b"more").await.unwrap();
        file.sync_all().await.unwrap();
        let gone = [
            File::open(&path).await.map(drop),
            File::create(&path).await.map(drop),
            fs::read(&path).await.map(drop),
            fs::create_dir(dir.join("d/e")).await,
            fs::remove_file(&path).await,
            fs::remove_dir(dir.join("d")).await,
            fs::rename(&path, dir.join("b")).await,
            fs::hard_link(&path, dir.join("b")).await,
        ];
        for result in gone {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
        }
    });
}

#[test]
fn names_that_are_taken_or_wrong_are_told_as_std_tells_them() {
    let dir = Dir::new();
    let path = dir.file("a", b"content");
    std::fs::create_dir(dir.join("d")).unwrap();
    dir.file("d/f", b"");
    run(async {
        let results = [
            fs::create_dir(&path).await,
            fs::hard_link(&path, &path).await,
            fs::rename(&path, dir.join("d")).await,
            fs::remove_dir(dir.join("d")).await,
            fs::remove_file("a\0b").await,
            fs::rename(&path, "a\0b").await,
            File::create_new(&path).await.map(drop),
        ];
        let expected = [
            ErrorKind::AlreadyExists,
            ErrorKind::AlreadyExists,
            ErrorKind::IsADirectory,
            ErrorKind::DirectoryNotEmpty,
            ErrorKind::InvalidInput,
            ErrorKind::InvalidInput,
            ErrorKind::AlreadyExists,
        ];
        assert_eq!(results.map(|result| result.unwrap_err().kind()), expected);
    });
}
