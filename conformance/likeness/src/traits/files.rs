//! Files, standard streams, processes, and signals.

use std::fs::Permissions;
use std::time::SystemTime;

use tokio::fs::{self, DirBuilder, DirEntry, File, FileTimes, OpenOptions, ReadDir};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::signal::{self, unix::Signal, unix::SignalKind};

use super::Rows;
use super::probe::*;
use crate::trial::Trial;

/// A row for each type, and for each future, of the modules `fs`, `process`, and `signal`.
pub(crate) fn files(trial: &mut Trial) {
    let rows = &mut Rows::of(trial);
    types![rows:
        DirBuilder, DirEntry, File, FileTimes, OpenOptions, ReadDir, Child, ChildStderr,
        ChildStdin, ChildStdout, Command, Signal, SignalKind,
    ];
    of_file(rows);
    of_paths(rows);
    of_processes(rows);
}

fn of_file(rows: &mut Rows<'_>) {
    futures![rows:
        any::<&DirBuilder>().create("p"),
        any::<&DirEntry>().file_type(),
        any::<&DirEntry>().metadata(),
        any::<&mut ReadDir>().next_entry(),
        any::<&OpenOptions>().open("p"),
        File::create("p"),
        File::create_new("p"),
        File::open("p"),
        any::<File>().into_std(),
        any::<&File>().metadata(),
        any::<&File>().set_len(1),
        any::<&File>().set_modified(any::<SystemTime>()),
        any::<&File>().set_permissions(any::<Permissions>()),
        any::<&File>().set_times(any::<FileTimes>()),
        any::<&File>().sync_all(),
        any::<&File>().sync_data(),
        any::<&File>().try_clone(),
    ];
}

/// Paths may be of a type that is not `Send`.
fn of_paths(rows: &mut Rows<'_>) {
    each!(rows [&'static str, Rc<std::path::Path>] {
        futures![rows:
            File::open(any::<V>()),
            fs::canonicalize(any::<V>()),
            fs::copy(any::<V>(), any::<V>()),
            fs::create_dir(any::<V>()),
            fs::create_dir_all(any::<V>()),
            fs::hard_link(any::<V>(), any::<V>()),
            fs::metadata(any::<V>()),
            fs::read(any::<V>()),
            fs::read_dir(any::<V>()),
            fs::read_link(any::<V>()),
            fs::read_to_string(any::<V>()),
            fs::remove_dir(any::<V>()),
            fs::remove_dir_all(any::<V>()),
            fs::remove_file(any::<V>()),
            fs::rename(any::<V>(), any::<V>()),
            fs::set_permissions(any::<V>(), any::<Permissions>()),
            fs::symlink(any::<V>(), any::<V>()),
            fs::symlink_metadata(any::<V>()),
            fs::try_exists(any::<V>()),
            fs::write(any::<V>(), "text"),
            fs::write("p", any::<Rc<[u8]>>()),
        ];
    });
}

fn of_processes(rows: &mut Rows<'_>) {
    futures![rows:
        any::<&mut Child>().kill(),
        any::<&mut Child>().wait(),
        any::<Child>().wait_with_output(),
        any::<&mut Command>().output(),
        any::<&mut Command>().status(),
        any::<&mut Signal>().recv(),
        signal::ctrl_c(),
    ];
}
