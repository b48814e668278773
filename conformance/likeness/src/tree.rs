//! A folder of files, folders and links: each function of `tokio::fs` that takes a path.
//!
//! Left out: in which order a folder names what is in it, and the times of files.

use std::fs::{Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::fs::{self, DirBuilder, DirEntry, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::system::{Folder, System, without_numbers, words};
use crate::trial::{Operation, Trial};

/// What paths are made of; some lead nowhere, some are no paths.
const NAMES: &[&str] = &[
    "a",
    "b",
    "sub",
    "sub/x",
    "sub/y",
    "sub/y/z",
    "gone/such",
    "link",
    "a/below",
    "sub/../a",
    "",
    "sub/",
    "nul\0",
];

/// Files of the system that are not like others.
const SPECIAL: &[&str] = &[
    "/proc/sys/kernel/ostype",
    "/dev/null",
    "/dev/full",
    "/proc/self/mem",
    "/proc/no-such-file",
];

struct Tree {
    system: System,
    folder: Folder,
}

/// Seventy operations.
pub(crate) fn tree(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Tree>] = &[
        (6, write),
        (4, read),
        (3, create_dir),
        (2, remove),
        (3, rename),
        (2, copy),
        (3, link),
        (3, look),
        (3, read_dir),
        (1, canonicalize),
        (2, set_permissions),
        (4, open),
        (2, special),
        (1, long_name),
    ];
    let mut tree = Tree {
        system: System::new(),
        folder: Folder::new(),
    };
    trial.run(70, &mut tree, OPERATIONS);
}

impl Tree {
    fn draw(&self, trial: &mut Trial) -> (&'static str, PathBuf) {
        let name = NAMES[trial.below(NAMES.len())];
        (name, self.folder.path(name))
    }
}

fn write(tree: &mut Tree, trial: &mut Trial) {
    let (name, path) = tree.draw(trial);
    let len = trial.below(3000);
    let written = tree.system.end(fs::write(&path, vec![b'w'; len]));
    trial.tell(format_args!("write {name} {len}: {}", words(written)));
}

fn read(tree: &mut Tree, trial: &mut Trial) {
    let (name, path) = tree.draw(trial);
    let read = match trial.one_in(2) {
        true => tree.system.end(fs::read(&path)).map(|bytes| bytes.len()),
        false => tree
            .system
            .end(fs::read_to_string(&path))
            .map(|text| text.len()),
    };
    trial.tell(format_args!("read {name}: {}", words(read)));
}

fn create_dir(tree: &mut Tree, trial: &mut Trial) {
    let (name, path) = tree.draw(trial);
    let way = trial.below(3);
    let created = match way {
        0 => tree.system.end(fs::create_dir(&path)),
        1 => tree.system.end(fs::create_dir_all(&path)),
        _ => {
            let mut builder = DirBuilder::new();
            builder.recursive(trial.one_in(2)).mode(0o750);
            trial.tell(format_args!("{builder:?}"));
            tree.system.end(builder.create(&path))
        }
    };
    trial.tell(format_args!("create_dir {way} {name}: {}", words(created)));
}

fn remove(tree: &mut Tree, trial: &mut Trial) {
    let (name, path) = tree.draw(trial);
    let way = trial.below(3);
    let removed = match way {
        0 => tree.system.end(fs::remove_file(&path)),
        1 => tree.system.end(fs::remove_dir(&path)),
        // The whole folder stays.
        _ if name.is_empty() => return,
        _ => tree.system.end(fs::remove_dir_all(&path)),
    };
    trial.tell(format_args!("remove {way} {name}: {}", words(removed)));
}

fn rename(tree: &mut Tree, trial: &mut Trial) {
    let ((name, from), (to_name, to)) = (tree.draw(trial), tree.draw(trial));
    let renamed = words(tree.system.end(fs::rename(&from, &to)));
    trial.tell(format_args!("rename {name} to {to_name}: {renamed}"));
}

fn copy(tree: &mut Tree, trial: &mut Trial) {
    let ((name, from), (to_name, to)) = (tree.draw(trial), tree.draw(trial));
    let copied = words(tree.system.end(fs::copy(&from, &to)));
    trial.tell(format_args!("copy {name} to {to_name}: {copied}"));
}

fn link(tree: &mut Tree, trial: &mut Trial) {
    let ((name, of), (at_name, at)) = (tree.draw(trial), tree.draw(trial));
    let way = trial.below(3);
    let linked = match way {
        0 => words(tree.system.end(fs::hard_link(&of, &at))),
        1 => words(tree.system.end(fs::symlink(&of, &at))),
        _ => {
            let target = tree.system.end(fs::read_link(&at));
            words(target.map(|target| tree.folder.shown(&target)))
        }
    };
    trial.tell(format_args!("link {way} {name} at {at_name}: {linked}"));
}

fn look(tree: &mut Tree, trial: &mut Trial) {
    let (name, path) = tree.draw(trial);
    let there = words(tree.system.end(fs::try_exists(&path)));
    let itself = words(tree.system.end(fs::symlink_metadata(&path)).map(about));
    let behind = words(tree.system.end(fs::metadata(&path)).map(about));
    trial.tell(format_args!("{name} exists: {there}"));
    trial.tell(format_args!("    {itself}"));
    trial.tell(format_args!("    {behind}"));
}

/// What does not depend on the file system and on when it was looked at.
fn about(metadata: Metadata) -> String {
    let len = if metadata.is_file() {
        metadata.len()
    } else {
        0
    };
    let links = if metadata.is_dir() {
        0
    } else {
        metadata.nlink()
    };
    format!(
        "{:?} {len} {:o} {links}",
        metadata.file_type(),
        metadata.mode()
    )
}

fn read_dir(tree: &mut Tree, trial: &mut Trial) {
    let (name, path) = tree.draw(trial);
    let entries = tree.system.end(async {
        let mut folder = fs::read_dir(&path).await?;
        let mut found = Vec::new();
        while let Some(entry) = folder.next_entry().await? {
            found.push(about_entry(&entry, &path).await?);
        }
        found.sort();
        Ok((found, folder.next_entry().await?.is_none()))
    });
    trial.tell(format_args!("read_dir {name}: {}", words(entries)));
}

async fn about_entry(entry: &DirEntry, folder: &Path) -> io::Result<String> {
    let is_below = entry.path() == folder.join(entry.file_name());
    let kind = entry.file_type().await?;
    let metadata = about(entry.metadata().await?);
    Ok(format!("{entry:?} {kind:?} {metadata} {is_below}"))
        .map(|text| text.replace(folder.to_string_lossy().as_ref(), "HERE"))
}

fn canonicalize(tree: &mut Tree, trial: &mut Trial) {
    let (name, path) = tree.draw(trial);
    let found = tree.system.end(fs::canonicalize(&path));
    let found = words(found.map(|found| tree.folder.shown(&found)));
    trial.tell(format_args!("canonicalize {name}: {found}"));
}

fn set_permissions(tree: &mut Tree, trial: &mut Trial) {
    let (name, path) = tree.draw(trial);
    let mode = [0o644, 0o600, 0o755, 0o444][trial.below(4)];
    let set = tree
        .system
        .end(fs::set_permissions(&path, Permissions::from_mode(mode)));
    trial.tell(format_args!(
        "set_permissions {name} {mode:o}: {}",
        words(set)
    ));
}

/// A file that is opened in some way, and a little of what is done with files.
fn open(tree: &mut Tree, trial: &mut Trial) {
    let (name, path) = tree.draw(trial);
    let how = [2, 2, 4, 4, 3, 8].map(|n| trial.one_in(n));
    let [read, write, append, truncate, create, create_new] = how;
    let mut options = OpenOptions::new();
    options
        .read(read)
        .write(write)
        .append(append)
        .truncate(truncate);
    options.create(create).create_new(create_new).mode(0o640);
    let opened = match trial.below(6) {
        0 => tree.system.end(File::open(&path)),
        1 => tree.system.end(File::create(&path)),
        2 => tree.system.end(File::create_new(&path)),
        _ => tree.system.end(options.open(&path)),
    };
    let mut file = match opened {
        Ok(file) => file,
        Err(error) => return trial.tell(format_args!("open {name} {how:?}: {error:?}")),
    };
    let shown = tree.folder.text(&format!("{file:?}"));
    trial.tell(format_args!(
        "open {name} {how:?}: {}",
        without_numbers(&shown)
    ));
    let mut bytes = Vec::new();
    // Seldom: a disk that others write to takes its time.
    let syncs = trial.one_in(50);
    let came = [
        words(tree.system.end(file.write_all(b"some words"))),
        words(tree.system.end(file.flush())),
        words(tree.system.end(file.rewind())),
        words(tree.system.end(file.read_to_end(&mut bytes))),
        words(
            tree.system
                .end(file.set_permissions(Permissions::from_mode(0o604))),
        ),
        words(tree.system.end(file.metadata()).map(about)),
        words(
            tree.system
                .end(async { if syncs { file.sync_all().await } else { Ok(()) } }),
        ),
        words(
            tree.system
                .run(async { file.into_std().await })
                .metadata()
                .map(about),
        ),
    ];
    came.iter()
        .for_each(|line| trial.tell(format_args!("    {line}")));
}

fn special(tree: &mut Tree, trial: &mut Trial) {
    let path = SPECIAL[trial.below(SPECIAL.len())];
    // That one has no end.
    if path != "/dev/full" {
        let whole = words(tree.system.end(fs::read_to_string(path)));
        trial.tell(format_args!("{path}: {whole}"));
    }
    let written = tree.system.end(async {
        let mut file = OpenOptions::new().write(true).open(path).await?;
        file.write_all(b"word").await?;
        file.flush().await
    });
    trial.tell(format_args!("{path} written: {}", words(written)));
    let some = tree.system.end(async {
        let mut file = File::open(path).await?.take(5);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).await?;
        Ok(bytes)
    });
    trial.tell(format_args!("    the beginning: {}", words(some)));
}

fn long_name(tree: &mut Tree, trial: &mut Trial) {
    let path = tree.folder.path(&"long".repeat(80));
    let came = [
        words(tree.system.end(fs::read(&path)).map(drop)),
        words(tree.system.end(fs::metadata(&path)).map(drop)),
        words(tree.system.end(fs::write(&path, "text"))),
        words(tree.system.end(fs::remove_dir_all(&path))),
    ];
    trial.tell(format_args!("a long name: {came:?}"));
    let own = tree.folder.path("itself");
    let made = tree.system.end(fs::symlink(&own, &own));
    let round = tree.system.end(fs::read(&own)).map(drop);
    trial.tell(format_args!(
        "round and round: {} {}",
        words(made),
        words(round)
    ));
}
