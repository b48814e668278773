//! Metadata of simulated files are likenesses made on the real disk: those of two processes do not
//! meet there, though both have the same number in their worlds.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use tokio::fs;
use tokio::sim::Sim;

/// Set in the process that looks at metadata.
const CHILD: &str = "SIM_LIKENESS_CHILD";

/// How many likenesses the process may make at most.
const LIKENESSES: usize = 20;

/// The number that a process has in a world.
fn number_in_a_world() -> u32 {
    let sim = Sim::new(1);
    let asked = sim.client("client", async { std::process::id() });
    sim.run(asked).unwrap().unwrap()
}

/// Looks at a file, a directory and a link.
fn look() {
    let sim = Sim::new(1);
    let looked = sim.client("client", async {
        fs::write("/file", b"text").await?;
        fs::create_dir("/dir").await?;
        fs::symlink("/file", "/link").await?;
        assert_eq!(fs::metadata("/file").await?.len(), 4);
        assert!(fs::metadata("/dir").await?.is_dir());
        assert!(fs::symlink_metadata("/link").await?.is_symlink());
        std::io::Result::Ok(())
    });
    sim.run(looked).unwrap().unwrap().unwrap();
}

#[test]
fn a_process_is_not_in_the_way_of_another_of_the_same_number_in_its_world() {
    if std::env::var_os(CHILD).is_some() {
        return look();
    }
    let number = number_in_a_world();
    assert_ne!(number, std::process::id(), "the feature `sim` is on");
    let name = format!("sim-likeness-{}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    // What another process would have made, that takes the number of its world for its own.
    for count in 0..LIKENESSES {
        let name = format!("yamanote-likeness-{number}-{count}");
        File::create(folder.join(name)).unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("a_process_is_not_in_the_way_of_another_of_the_same_number_in_its_world")
        .env(CHILD, "1")
        .env("TMPDIR", &folder)
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
