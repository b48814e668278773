//! What is left of a run that failed: its seed, its trace, the command that replays it, a picture.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tokio::sim::{self, Explore, Sim};
use tokio::time::sleep;

/// Where the exploration below keeps its seeds; it does nothing if nobody says.
const FOLDER: &str = "SIM_REPORTS_FOLDER";

/// Runs seed after seed until the eighth, which fails.
#[test]
fn exploration() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let config = Explore {
        seeds: 0..20,
        seeds_folder: Some(PathBuf::from(folder)),
        ..Explore::of_test("sim_reports::exploration", None)
    };
    sim::test(&config, |sim| async move {
        println!("@seed {}", sim.seed());
        sim::sometimes!(sim.seed() > 2, "a \"late\" seed");
        fails_at_seven(sim).await;
    });
}

async fn fails_at_seven(sim: Sim) {
    sim.hosts("node", 2, |number| async move {
        sleep(Duration::from_millis(number as u64)).await;
        sim::point!("awake");
        std::future::pending::<()>().await;
    });
    sleep(Duration::from_secs(1)).await;
    assert_ne!(sim.seed(), 7, "no luck");
}

/// A folder of a test, empty.
fn folder_of(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sim_reports-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What the exploration says in a process of its own; it fails there.
fn explore(folder: &Path) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", "exploration", "--nocapture"]);
    said(child.env(FOLDER, folder))
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "it fails");
    let [out, err] = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    out + &err
}

fn seeds_of(said: &str) -> Vec<&str> {
    let seeds = said.lines().filter_map(|line| line.strip_prefix("@seed "));
    seeds.collect()
}

/// Runs the command that a report names; `program` is what cargo would build and run.
fn replay(report: &str, folder: &Path, program: &Path) -> String {
    let command = report
        .lines()
        .find_map(|line| line.trim().strip_prefix("replay: "));
    let command = command.expect("the report names a command");
    let cargo = folder.join("cargo");
    let script = format!(
        "#!/bin/sh\nexec '{}' \"$2\" --nocapture\n",
        program.display()
    );
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", command]).env("PATH", path);
    said(
        shell
            .env(FOLDER, folder)
            .env("YAMANOTE_SIM_PERFETTO", folder.join("run.json")),
    )
}

#[test]
fn a_seed_that_failed_is_kept_and_run_first_the_next_time() {
    let folder = folder_of("seeds");
    let first = explore(&folder);
    assert_eq!(
        &seeds_of(&first)[..8],
        ["0", "1", "2", "3", "4", "5", "6", "7"]
    );
    let kept = fs::read_to_string(folder.join("sim_reports.exploration.seeds")).unwrap();
    assert!(
        kept.starts_with("0x7 # panic at tests/tests/sim_reports.rs:"),
        "{kept}"
    );
    assert_eq!(kept.lines().count(), 1);
    let again = explore(&folder);
    assert_eq!(seeds_of(&again)[0], "7");
    let kept_again = fs::read_to_string(folder.join("sim_reports.exploration.seeds")).unwrap();
    assert_eq!(kept_again, kept);
}

#[test]
fn the_command_of_a_report_replays_the_run_also_with_another_copy_of_the_program() {
    let folder = folder_of("replay");
    let report = explore(&folder);
    let program = std::env::current_exe().unwrap();
    let copy = folder.join("copy");
    fs::copy(&program, &copy).unwrap();
    for program in [program, copy] {
        let replayed = replay(&report, &folder, &program);
        assert!(
            replayed.contains("replayed: the same run, hash "),
            "{replayed}"
        );
        assert!(replayed.contains("no luck"), "{replayed}");
        assert_eq!(seeds_of(&replayed), ["7"]);
    }
}

#[test]
fn a_replay_makes_a_picture_that_perfetto_reads() {
    let folder = folder_of("perfetto");
    let report = explore(&folder);
    let program = std::env::current_exe().unwrap();
    assert!(replay(&report, &folder, &program).contains("for Perfetto: "));
    let json = fs::read_to_string(folder.join("run.json")).unwrap();
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    let events = json["traceEvents"].as_array().expect("it has a list");
    let of_kind = |kind: &str| {
        let events = events.iter().filter(|event| event["ph"] == kind);
        events.collect::<Vec<_>>()
    };
    let names = of_kind("M").into_iter().map(|event| &event["args"]["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["sim", "node0", "node1"]);
    let slices = of_kind("X");
    assert!(slices.len() > 2, "{}", slices.len());
    let mut last = 0.0;
    for slice in &slices {
        let at = slice["ts"].as_f64().expect("it has a time");
        assert!(at >= last && slice["dur"].is_number(), "{slice}");
        assert!(slice["pid"].as_u64().is_some_and(|pid| pid < 3), "{slice}");
        assert!(
            slice["name"].is_string() && slice["cat"].is_string(),
            "{slice}"
        );
        last = at;
    }
    let ends = of_kind("i");
    assert_eq!(ends.len(), 1);
    assert!(ends[0]["name"].as_str().unwrap().starts_with("panic at "));
    assert_eq!(events.len(), 3 + slices.len() + 1);
}

#[test]
fn no_seed_is_begun_when_the_time_is_up() {
    let config = Explore {
        seeds: 0..u64::MAX,
        wall_limit: Some(Duration::from_millis(200)),
        ..Explore::new("no_seed_is_begun_when_the_time_is_up")
    };
    let report = sim::explore(&config, |_| sleep(Duration::from_secs(1)));
    report.assert_passed();
    assert!(report.is_cut_short && report.seeds > 0, "{report}");
    assert!(
        report
            .to_string()
            .contains("the time was up before the rest"),
        "{report}"
    );
}

/// Tasks that wait for each other, and for nobody.
async fn stuck(_: Sim) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<()>(1);
    let gate = std::sync::Arc::new(tokio::sync::Mutex::new(()));
    let held = gate.clone().lock_owned().await;
    let listens = tokio::spawn(async move { receiver.recv().await });
    tokio::spawn(async move { drop(gate.lock().await) });
    let listener = tokio::net::TcpListener::bind("0.0.0.0:7").await.unwrap();
    tokio::spawn(async move { listener.accept().await.map(drop) });
    let (_asker, asked) = tokio::sync::oneshot::channel::<()>();
    tokio::task::spawn_blocking(move || asked.blocking_recv());
    listens.await.unwrap();
    drop((sender, held));
}

#[test]
fn a_report_says_what_each_task_waits_for_when_nothing_can_go_on() {
    let config = Explore {
        seeds: 0..1,
        shrink: false,
        ..Explore::new("what_tasks_wait_for")
    };
    let report = sim::explore(&config, stuck);
    let text = report.to_string();
    for line in [
        "the future of block_on, waits for JoinHandle: the end of the task spawned at tests/",
        ", waits for mpsc: a message",
        ", waits for Mutex: its turn",
        ", waits for a future",
    ] {
        assert!(text.contains(line), "no `{line}` in:\n{text}");
    }
}
