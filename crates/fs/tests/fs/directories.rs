//! The functions that take a path, and the entries of directories.

use std::io::ErrorKind;

use yamanote_fs::{self as fs, DirBuilder, File};

use crate::world::{Dir, run};

#[test]
fn a_directory_yields_all_its_entries() {
    let dir = Dir::new();
    let mut names: Vec<_> = (0..100).map(|i| format!("file{i:03}")).collect();
    for name in &names {
        dir.file(name, b"x");
    }
    std::fs::create_dir(dir.join("sub")).unwrap();
    names.push("sub".to_owned());
    run(async {
        let mut entries = fs::read_dir(dir.path()).await.unwrap();
        let mut seen = Vec::new();
        while let Some(entry) = entries.next_entry().await.unwrap() {
            let name = entry.file_name().into_string().unwrap();
            assert_eq!(entry.path(), dir.join(&name));
            assert_eq!(entry.file_type().await.unwrap().is_dir(), name == "sub");
            assert_eq!(entry.metadata().await.unwrap().is_dir(), name == "sub");
            seen.push(name);
        }
        seen.sort();
        assert_eq!(seen, names);
        assert!(entries.next_entry().await.unwrap().is_none());
        let error = fs::read_dir(dir.join("none")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn paths_can_be_made_moved_copied_and_removed() {
    let dir = Dir::new();
    run(async {
        let (a, b) = (dir.join("a"), dir.join("b"));
        fs::write(&a, "hello").await.unwrap();
        fs::rename(&a, &b).await.unwrap();
        assert!(!fs::try_exists(&a).await.unwrap());
        assert_eq!(fs::copy(&b, &a).await.unwrap(), 5);
        assert_eq!(fs::read_to_string(&a).await.unwrap(), "hello");
        assert_eq!(fs::read(&b).await.unwrap(), b"hello");
        let mut permissions = fs::metadata(&a).await.unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&a, permissions).await.unwrap();
        assert!(fs::metadata(&a).await.unwrap().permissions().readonly());
        fs::remove_file(&a).await.unwrap();
        fs::hard_link(&b, &a).await.unwrap();
        assert_eq!(
            fs::canonicalize(&a).await.unwrap(),
            a.canonicalize().unwrap()
        );
        assert_eq!(
            File::create_new(&a).await.unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
    });
}

#[test]
fn directories_are_made_and_removed() {
    let dir = Dir::new();
    run(async {
        fs::create_dir(dir.join("a")).await.unwrap();
        fs::create_dir_all(dir.join("b/c/d")).await.unwrap();
        DirBuilder::new()
            .recursive(true)
            .create(dir.join("b/c/e"))
            .await
            .unwrap();
        assert!(DirBuilder::new().create(dir.join("a")).await.is_err());
        fs::remove_dir(dir.join("a")).await.unwrap();
        fs::remove_dir_all(dir.join("b")).await.unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    });
}

#[cfg(unix)]
#[test]
fn links_lead_somewhere() {
    let dir = Dir::new();
    let target = dir.file("a", b"x");
    run(async {
        fs::symlink(&target, dir.join("l")).await.unwrap();
        assert_eq!(fs::read_link(dir.join("l")).await.unwrap(), target);
        assert!(
            fs::symlink_metadata(dir.join("l"))
                .await
                .unwrap()
                .is_symlink()
        );
        assert!(fs::metadata(dir.join("l")).await.unwrap().is_file());
    });
}

#[test]
fn what_is_of_a_directory_shows_what_the_system_says_of_it() {
    run(async {
        let dir = Dir::new();
        fs::write(dir.join("a"), "text").await.unwrap();
        let mut entries = fs::read_dir(dir.path()).await.unwrap();
        let entry = entries.next_entry().await.unwrap().unwrap();
        let shown = format!("{entry:?}");
        let std = format!(", std: DirEntry({:?}) }}", dir.join("a"));
        assert!(shown.starts_with("DirEntry { file_type: Some("), "{shown}");
        assert!(shown.ends_with(&std), "{shown}");
    });
    #[cfg(unix)]
    assert_eq!(
        format!("{:?}", fs::DirBuilder::new().mode(0o750)),
        "DirBuilder { recursive: false, mode: Some(488) }"
    );
}
