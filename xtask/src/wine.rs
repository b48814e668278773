//! What builds programs for Windows on another system, and runs them there under Wine.
//!
//! The compiler is one that has the sources of its standard library beside it, which cargo then
//! builds. What Wine and such a compiler lack is made in the folder that a run works in: two
//! object files of the start of a program, and a library of one function.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, command};

/// The platform.
pub const TARGET: &str = "x86_64-pc-windows-gnu";

/// The compiler that comes with its library's sources, where Debian's package puts it.
pub const RUSTC: &str = "/usr/bin/rustc";

/// The packages that bring the compiler with its sources.
const COMPILER_PACKAGES: &str = "rustc-web rust-web-src";

/// The packages that bring the rest.
const PACKAGES: &str = "gcc-mingw-w64-x86-64-win32 binutils-mingw-w64-x86-64 \
                        mingw-w64-x86-64-dev wine64 wine";

/// How long Wine's server waits for the next program.
const SERVER_STAYS_S: u32 = 600;

const GCC: &str = "x86_64-w64-mingw32-gcc";

/// Stands in for a library that the standard library wants and Wine 8 has not.
const STAND_IN: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL ProcessPrng(PBYTE p, SIZE_T n)
{ return SystemFunction036(p, (ULONG)n); }
";

/// The tools, ready for use.
#[derive(Debug)]
pub struct Wine {
    /// Where Wine keeps what it takes for a disk.
    prefix: PathBuf,
    /// Where the stand-ins lie.
    stand_ins: PathBuf,
}

/// The folder with the sources of the standard library.
///
/// *Errors*: there is no such compiler, or its sources are missing; the message says what to
/// install.
pub fn library_sources() -> Result<PathBuf> {
    let missing = || {
        format!(
            "install the compiler: `apt-get install --no-install-recommends {COMPILER_PACKAGES}`"
        )
    };
    let sysroot = command::output_of(Command::new(RUSTC).args(["--print", "sysroot"]));
    let sysroot = sysroot.map_err(|_| missing())?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    match library.join("std").is_dir() {
        true => Ok(library),
        false => Err(missing().into()),
    }
}

/// Installs what this module and that compiler take, with Debian's tools, if any of it is missing.
///
/// *Errors*: there are no such tools, or they fail.
pub fn install() -> Result {
    if library_sources().is_ok() && have_tools().is_ok() {
        return Ok(());
    }
    let mut update = Command::new("apt-get");
    command::run(update.args(["update", "-q"]))?;
    let mut install = Command::new("apt-get");
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-qy", "--no-install-recommends"])
        .args(COMPILER_PACKAGES.split_whitespace())
        .args(PACKAGES.split_whitespace());
    command::run(&mut install)
}

fn have_tools() -> Result {
    for tool in [GCC, "wine"] {
        command::output_of(Command::new(tool).arg("--version")).map_err(|_| {
            format!("{tool} is missing: `apt-get install --no-install-recommends {PACKAGES}`")
        })?;
    }
    Ok(())
}

/// Tells `cargo` to use that compiler, and to build its library.
pub fn use_sources(cargo: &mut Command) -> &mut Command {
    cargo
        .env("RUSTC", RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_unwind,panic_abort")
}

impl Wine {
    /// Makes the stand-ins below `scratch`, and the disk.
    ///
    /// *Errors*: a tool is missing; the message says what to install.
    pub fn new(scratch: &Path) -> Result<Wine> {
        let library = library_sources()?;
        have_tools()?;
        let scratch = std::path::absolute(scratch)?;
        let wine = Wine {
            prefix: scratch.join("wine"),
            stand_ins: scratch.join("stand-ins"),
        };
        fs::create_dir_all(&wine.prefix)?;
        fs::create_dir_all(&wine.stand_ins)?;
        wine.make_start_files(&library)?;
        wine.make_library()?;
        wine.boot()?;
        Ok(wine)
    }

    /// Starts what all programs under Wine share. It goes on while there are none: a program that
    /// is started while it ends may find nobody and fail.
    fn boot(&self) -> Result {
        // That of a run that somebody stopped may still be there, and then no other one starts.
        self.end_server();
        let seconds = format!("--persistent={SERVER_STAYS_S}");
        let mut server = Command::new("wineserver");
        let mut boot = Command::new("wine");
        for (command, words) in [
            (&mut server, &[seconds.as_str()][..]),
            (&mut boot, &["wineboot", "--init"]),
        ] {
            command::run(command.args(words).envs(self.environment()))?;
        }
        Ok(())
    }

    /// Tells `cargo` to build for Windows, with `flags` for the compiler, and to run under Wine.
    pub fn equip<'a>(&self, cargo: &'a mut Command, flags: &str) -> &'a mut Command {
        let folder = self.stand_ins.display();
        for (name, value) in self.environment() {
            cargo.env(name, value);
        }
        use_sources(cargo)
            .env("CARGO_BUILD_TARGET", TARGET)
            .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", "wine")
            .env("RUSTFLAGS", format!("{flags} -L native={folder}"))
    }

    fn end_server(&self) {
        let mut server = Command::new("wineserver");
        // If it has gone already, that is what is wanted.
        let _ = command::output_of(server.arg("--kill").envs(self.environment()));
    }

    fn environment(&self) -> [(&'static str, OsString); 3] {
        // Wine sees the root of the file system as a disk of its own.
        let stand_ins = self.stand_ins.to_string_lossy().replace('/', "\\");
        [
            ("WINEPREFIX", self.prefix.clone().into()),
            ("WINEDEBUG", "-all".into()),
            ("WINEPATH", format!("Z:{stand_ins}").into()),
        ]
    }

    /// The compiler's package for Windows would bring these; they are made of its sources.
    fn make_start_files(&self, library: &Path) -> Result {
        for name in ["rsbegin", "rsend"] {
            let mut rustc = Command::new(RUSTC);
            rustc
                .env("RUSTC_BOOTSTRAP", "1")
                .args(["--crate-type", "lib", "--emit", "obj", "-C", "panic=abort"])
                .args(["--target", TARGET, "-o"])
                .arg(self.stand_ins.join(format!("{name}.o")))
                .arg(library.join(format!("rtstartup/{name}.rs")));
            command::output_of(&mut rustc)?;
        }
        Ok(())
    }

    fn make_library(&self) -> Result {
        let source = self.stand_ins.join("bcryptprimitives.c");
        fs::write(&source, STAND_IN)?;
        let mut gcc = Command::new(GCC);
        gcc.arg("-shared")
            .arg("-o")
            .arg(self.stand_ins.join("bcryptprimitives.dll"))
            .arg(&source)
            .arg("-ladvapi32");
        command::output_of(&mut gcc).map(drop)
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        self.end_server();
    }
}
