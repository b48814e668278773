//! Each rule can fail: fed bad text, it finds it; fed good text, it does not.

use super::*;
use crate::packages::Dependency;

const LIMITS: &str = r##"
    cfg = { "allowed.rs" = "a reason", "tests/**" = "another" }
    unsafe = { "crates/a/src/risky.rs" = "a reason" }
    banned = [
        { tokens = "todo!", say = "finish it", tests = true },
        { tokens = "#[ignore]", say = "say why", tests = true },
        { tokens = ".unwrap()", say = "expect" },
        { tokens = "std::sync::Mutex", say = "ours", files = ["src/**"], except = ["src/lock.rs"] },
    ]
    [limits]
    file_lines = 10
    function_lines = 5
    line_columns = 40
    levels = 2
    measured = ["**/*.rs", "*.md"]
    [heads]
    lines = 2
    long = ["**/lib.rs"]
    [names]
    bare = ["Inner"]
    unfinished = ["LATER"]
    machine_folders = ["work"]
    [layers]
    base = { imports = [], external = ["loom"] }
    net = { imports = ["base"], external = [] }
    yamanote = { imports = ["base", "net"], external = [] }
    tokio = { imports = ["yamanote"], external = [] }
"##;

/// A project of these files, without packages.
fn project(files: &[(&str, &str)]) -> Project {
    let files = files
        .iter()
        .map(|(path, text)| SourceFile::new(path, (*text).to_owned()));
    let config = Config::parse(LIMITS).expect("the limits above are well formed");
    Project {
        files: files.collect(),
        packages: Vec::new(),
        config,
    }
}

fn package(name: &str, folder: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
    let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
        name: (*name).to_owned(),
        kind: kind.map(str::to_owned),
    };
    Package {
        name: name.to_owned(),
        manifest: format!("{folder}/Cargo.toml"),
        dependencies: dependencies.iter().map(dependency).collect(),
        features: Vec::new(),
        tests: Vec::new(),
    }
}

/// The lines that a rule finds in a file of its own at `path`.
fn lines(rule: fn(&Project) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
    let findings = rule(&project(&[(path, text)]));
    findings
        .iter()
        .filter(|found| found.path == path)
        .map(|found| found.line)
        .collect()
}

#[test]
fn the_committed_lists_are_well_formed() {
    let text = include_str!("../../tidy.toml");
    let config = Config::parse(text).expect("the lists can be read");
    assert!(config.layers.contains_key("base"));
}

#[test]
fn a_file_that_is_not_rust_is_found() {
    let found = |path: &str, text: &str| lines(text::parses, path, text);
    assert_eq!(found("a.rs", "fn a() {}\nfn b( {}"), [2]);
    assert_eq!(found("a.rs", "fn a() {}\nstruct;"), [2]);
    assert!(found("a.md", "fn b( {}").is_empty());
}

#[test]
fn a_long_file_is_found() {
    let found = |path: &str, count: usize| lines(text::file_length, path, &"\n".repeat(count));
    assert_eq!(found("a.rs", 11), [11]);
    assert!(found("a.rs", 10).is_empty());
    assert!(found("Cargo.lock", 11).is_empty());
}

#[test]
fn a_long_line_is_found_by_its_characters() {
    let found = |path: &str, text: String| lines(text::line_length, path, &text);
    assert_eq!(found("a.rs", format!("\n//{}", "x".repeat(39))), [2]);
    assert!(found("a.rs", format!("//{}", "é".repeat(38))).is_empty());
    assert!(found("a.md", "x".repeat(41)).is_empty());
    let address = format!("// https://example.org/{}", "x".repeat(40));
    assert!(found("a.rs", address).is_empty());
}

#[test]
fn a_path_of_a_machine_is_found_in_any_file() {
    let found = |text: String| lines(text::machine_paths, "a.txt", &text);
    let folder = "work";
    assert_eq!(found(format!("\nsee /{folder}/x")), [2]);
    assert_eq!(found(format!("file:///{folder}/x")), [1]);
    assert!(found(format!("target/{folder}/x")).is_empty());
}

#[test]
fn what_is_left_for_later_is_found() {
    let found = |text: &str| lines(text::unfinished, "a.rs", text);
    assert_eq!(found("\n// LATER: more"), [2]);
    assert!(found("// later, SOONER_OR_LATER").is_empty());
}

#[test]
fn a_file_without_its_head_or_with_a_long_one_is_found() {
    let found = |path: &str, text: &str| lines(text::head_comment, path, text);
    let long = "//! One.\n//! Two.\n//! Three.\n";
    assert_eq!(found("a.rs", "fn a() {}"), [1]);
    assert_eq!(found("a.rs", long), [1]);
    assert!(found("lib.rs", long).is_empty());
    let table = "//! One.\n//!\n//! | a |\n//! ```text\n//! b\n//! ```\n//! Two.\n";
    assert!(found("a.rs", table).is_empty());
}

#[test]
fn a_layer_that_looks_like_an_api_is_found() {
    let path = "crates/a/src/lib.rs";
    let found = |head: &str| {
        let mut project = project(&[(path, head)]);
        project
            .packages
            .push(package("yamanote-a", "crates/a", &[]));
        text::not_an_api(&project).len()
    };
    assert_eq!(found("//! Sockets."), 1);
    assert_eq!(found("//! Not an API: a layer of yamanote."), 0);
}

#[test]
fn a_long_function_is_found_wherever_it_stands() {
    let found = |text: String| lines(shape::function_length, "a.rs", &text);
    let function = |lines: usize| format!("fn f() {{\n{}}}", "    a();\n".repeat(lines));
    let long = function(4);
    assert_eq!(found(format!("\n{long}")), [2]);
    assert_eq!(found(format!("impl A {{\n{long}\n}}")), [2]);
    assert_eq!(found(format!("trait A {{\n{long}\n}}")), [2]);
    assert!(found(function(3)).is_empty());
}

#[test]
fn a_deep_function_is_found_at_its_deepest_statement() {
    let found = |text: &str| lines(shape::levels, "a.rs", text);
    let blocks = "fn f() {\n if a {\n  if b {\n   c();\n  }\n }\n}";
    assert_eq!(found(blocks), [4]);
    let arms = "fn f() {\n if a {\n  match b {\n   1 => c,\n  }\n }\n}";
    assert_eq!(found(arms), [4]);
    let chain = "fn f() {\n if a {\n  b\n   .c(|| { d() })\n   .e()\n }\n}";
    assert!(found(chain).is_empty());
    let inner = "fn f() {\n if a {\n  fn g() {\n   h();\n  }\n }\n}";
    assert!(found(inner).is_empty());
}

#[test]
fn a_chain_of_let_conditions_is_found() {
    let found = |text: &str| lines(shape::let_chains, "a.rs", text);
    assert_eq!(found("fn f() {\n    if a && let Some(b) = c {}\n}"), [2]);
    assert_eq!(
        found("fn f() {\n    while let Some(b) = c\n        && b {}\n}"),
        [2]
    );
    assert!(found("fn f() { if let Some(b) = c {} }").is_empty());
}

#[test]
fn a_bare_type_name_is_found() {
    let found = |text: &str| lines(shape::bare_names, "a.rs", text);
    assert_eq!(found("\nstruct Inner;"), [2]);
    assert_eq!(found("mod m {\n    type Inner = u8;\n}"), [2]);
    assert!(found("struct ChannelInner;").is_empty());
}

#[test]
fn a_banned_word_is_found_in_code_but_not_in_strings() {
    let found = |path: &str, text: &str| lines(words::banned, path, text);
    assert_eq!(found("a.rs", "fn a() {\n    todo!()\n}"), [2]);
    assert_eq!(found("tests/a.rs", "#[test]\n#[ignore]\nfn a() {}"), [2]);
    assert!(found("a.rs", "// todo!()\nfn a() { \"todo!()\" }").is_empty());
    assert!(found("a.rs", "#[ignore = \"slow\"]\nfn a() {}").is_empty());
}

#[test]
fn tests_may_say_what_is_only_banned_elsewhere() {
    let found = |text: &str| lines(words::banned, "a.rs", text);
    assert_eq!(found("fn a() {\n    b\n        .unwrap();\n}"), [3]);
    assert!(found("#[test]\nfn a() { b.unwrap(); }").is_empty());
}

#[test]
fn a_banned_import_is_found_inside_braces() {
    let found = |path: &str, text: &str| lines(words::banned, path, text);
    let nested = "use std::{\n    io,\n    sync::{Arc, Mutex},\n};";
    assert_eq!(found("src/a.rs", nested), [3]);
    assert_eq!(found("src/a.rs", "type M = std::sync::Mutex<u8>;"), [1]);
    assert!(found("src/a.rs", "use std::sync::MutexGuard;").is_empty());
    assert!(found("src/lock.rs", nested).is_empty());
}

#[test]
fn a_cfg_outside_the_list_is_found() {
    let found = |path: &str, text: &str| lines(cfgs::allowed, path, text);
    assert_eq!(found("a.rs", "\n#[cfg(unix)]\nfn a() {}"), [2]);
    assert_eq!(found("a.rs", "#[cfg(feature = \"x\")]\nmod a;"), [1]);
    assert_eq!(found("a.rs", "fn a() -> bool {\n    cfg!(unix)\n}"), [2]);
    assert_eq!(found("a.rs", "#[cfg_attr(x, inline)]\nfn a() {}"), [1]);
    assert!(found("a.rs", "#[cfg(test)]\nmod a {}").is_empty());
    assert!(found("a.rs", "#[cfg(all(test, not(x)))]\nmod a {}").is_empty());
    assert!(
        found(
            "a.rs",
            "#[cfg(unix)]\n#[path = \"b.rs\"]\npub(crate) mod a;"
        )
        .is_empty()
    );
    assert!(found("a.rs", "#[cfg(not(windows))]\npub use b::C;").is_empty());
    assert!(found("a.rs", "#[cfg(any(target_os = \"linux\"))]\nmod a;").is_empty());
    assert!(found("a.rs", "#[cfg(target_arch = \"x86_64\")]\nmod a;").is_empty());
    assert!(found("allowed.rs", "#[cfg(unix)]\nfn a() {}").is_empty());
    assert!(found("tests/loom_a.rs", "#![cfg(loom)]").is_empty());
}

#[test]
fn a_file_that_needs_its_cfg_no_more_is_found() {
    let findings = cfgs::allowed(&project(&[("allowed.rs", "mod a;")]));
    assert_eq!(findings.len(), 1);
    assert!(findings[0].what.contains("allowed.rs"));
}

#[test]
fn unsafe_outside_the_list_is_found() {
    let found = |path: &str, text: &str| lines(safety::allowed, path, text);
    assert_eq!(found("a.rs", "\nfn a() { unsafe { b() } }"), [2]);
    assert_eq!(found("a.rs", "macro_rules! m { () => { unsafe {} } }"), [1]);
    let risky = "crates/a/src/risky.rs";
    assert!(found(risky, "fn a() { unsafe { b() } }").is_empty());
    assert_eq!(found(risky, "fn a() {}"), [1]);
    let gone = safety::allowed(&project(&[]));
    assert_eq!(gone.len(), 1);
}

#[test]
fn a_crate_that_does_not_forbid_unsafe_is_found() {
    let text = "//! A crate.";
    let mut project = project(&[("crates/a/src/lib.rs", text), ("crates/b/src/lib.rs", text)]);
    project.packages.push(package("a", "crates/a", &[]));
    project.packages.push(package("b", "crates/b", &[]));
    let findings = safety::forbidden_elsewhere(&project);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].path, "crates/b/src/lib.rs");
}

#[test]
fn an_unsafe_block_without_its_fact_is_found() {
    let found = |text: &str| lines(safety::commented, "a.rs", text);
    assert_eq!(found("fn a() {\n unsafe { b() }\n}"), [2]);
    assert_eq!(found("unsafe impl Send for A {}"), [1]);
    assert_eq!(
        found("fn a() {\n // SAFETY: so.\n b();\n unsafe { b() }\n}"),
        [4]
    );
    assert!(found("fn a() {\n // SAFETY: so.\n unsafe { b() }\n}").is_empty());
    assert!(found("fn a() {\n // SAFETY: so.\n let b =\n  unsafe { c() };\n}").is_empty());
    assert!(found("// SAFETY: it is\n// so.\n#[x]\nunsafe impl Send for A {}").is_empty());
}

#[test]
fn an_unsafe_function_that_asks_nothing_is_found() {
    let found = |text: &str| lines(safety::documented, "a.rs", text);
    assert_eq!(found("unsafe fn a() {}"), [1]);
    assert_eq!(found("impl A {\n    unsafe fn a() {}\n}"), [2]);
    assert_eq!(found("unsafe trait A {}"), [1]);
    assert!(found("/// A.\n///\n/// # Safety\n/// `b` holds.\nunsafe fn a() {}").is_empty());
    assert!(found("impl A for B {\n    unsafe fn a() {}\n}").is_empty());
}

#[test]
fn an_upward_import_is_found() {
    let found = |name: &str, to: &str, kind: Option<&str>| {
        let mut project = project(&[]);
        project
            .packages
            .push(package("yamanote-base", "crates/base", &[]));
        project
            .packages
            .push(package("yamanote-net", "crates/net", &[]));
        project.packages.push(package("tokio", "compat/tokio", &[]));
        project
            .packages
            .push(package(name, "crates/x", &[(to, kind)]));
        edges::between_layers(&project).len()
    };
    assert_eq!(found("yamanote-base", "yamanote-net", None), 1);
    assert_eq!(found("yamanote-net", "yamanote-base", None), 0);
    assert_eq!(found("yamanote-base", "yamanote-net", Some("dev")), 0);
    assert_eq!(found("yamanote-base", "tokio", Some("dev")), 0);
    assert_eq!(found("yamanote-unheard-of", "yamanote-base", None), 1);
}

#[test]
fn an_outside_crate_that_is_not_listed_is_found() {
    let found = |name: &str, kind: Option<&str>| {
        let mut project = project(&[("crates/base/Cargo.toml", "[dependencies]\nsome = \"1\"\n")]);
        project
            .packages
            .push(package("yamanote-base", "crates/base", &[(name, kind)]));
        edges::to_outside(&project)
    };
    assert_eq!(found("some", None)[0].line, 2);
    assert_eq!(found("some", Some("build")).len(), 1);
    assert!(found("some", Some("dev")).is_empty());
    assert!(found("loom", None).is_empty());
}

#[test]
fn paths_restrict_what_is_reported() {
    let project = project(&[("a/b.rs", "fn a() {}"), ("ab/c.rs", "fn a() {}")]);
    let paths = |below: &str| {
        let found = project.check(&[below.to_owned()]);
        found
            .iter()
            .map(|finding| finding.path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths("a"), ["a/b.rs"]);
    assert_eq!(paths("ab/c.rs"), ["ab/c.rs"]);
    assert_eq!(normal("./a/"), "a");
}
