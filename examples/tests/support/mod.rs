//! A program of the gallery, run as a user runs it: what it prints, and how it ends.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// Killed when it is dropped.
pub(crate) struct Example {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Example {
    pub(crate) fn start(name: &str, args: &[&str]) -> Example {
        let mut command = Command::new(program(name));
        // Some panic, and that is the point.
        command
            .args(args)
            .stdout(Stdio::piped())
            .env("RUST_BACKTRACE", "0");
        let mut child = command.spawn().expect("`cargo test` builds the examples");
        let stdout = child.stdout.take().map(BufReader::new);
        let stdout = stdout.expect("its output is a pipe");
        Example { child, stdout }
    }

    /// A server's, on a port that the system chooses.
    pub(crate) fn serving(name: &str) -> (Example, SocketAddr) {
        let mut example = Example::start(name, &["127.0.0.1:0"]);
        let line = example.line();
        let addr = line
            .strip_prefix("listening on ")
            .expect("a server says where");
        let addr = addr.parse().expect("it says an address");
        (example, addr)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it prints text");
        assert!(line.ends_with('\n'), "it ended: {:?}", self.child.wait());
        line.trim_end().to_owned()
    }

    /// What is left of its output, once it has ended well.
    pub(crate) fn rest(mut self) -> String {
        let mut rest = String::new();
        self.stdout
            .read_to_string(&mut rest)
            .expect("it prints text");
        let status = self.child.wait().expect("it is ours");
        assert!(status.success(), "{status}, after: {rest}");
        rest
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // Either fails only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Beside the folder of this test's own program.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its program");
    let profile = test.ancestors().nth(2).expect("it lies in `PROFILE/deps`");
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    profile.join("examples").join(file)
}
