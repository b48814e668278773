//! Where `unsafe` may stand, and what must be written beside it.

use syn::visit::{self, Visit};
use syn::{Attribute, Safety, Signature};

use super::source::SourceFile;
use super::{CONFIG, Finding, Project};

/// Only the files of the list have `unsafe`, and each of them has.
pub(super) fn allowed(project: &Project) -> Vec<Finding> {
    let list = &project.config.unsafe_files;
    let mut findings = Vec::new();
    for (file, rust) in project.rust() {
        let unsafe_line = rust.tokens.iter().find(|token| token.text == "unsafe");
        match (unsafe_line, list.contains_key(&file.path)) {
            (Some(token), false) => {
                let what = "`unsafe` in a file that may have none".to_owned();
                let instead = "find the safe way, or move it into a file of the list";
                findings.push(file.finding(token.line, what, instead));
            }
            (None, true) => {
                let what = format!("the file is on {CONFIG}'s list, but has no `unsafe`");
                findings.push(file.finding(1, what, "take it off the list"));
            }
            _ => {}
        }
    }
    let gone = |path: &&String| !project.files.iter().any(|file| file.path == **path);
    findings.extend(list.keys().filter(gone).map(|path| Finding {
        path: CONFIG.to_owned(),
        line: 1,
        what: format!("`{path}` is not there"),
        instead: "take it off the list".to_owned(),
    }));
    findings
}

/// A package without a file on the list says so to the compiler.
pub(super) fn forbidden_elsewhere(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &project.packages {
        let source = format!("{}src/", package.folder());
        let mut listed = project.config.unsafe_files.keys();
        if listed.any(|path| path.starts_with(&source)) {
            continue;
        }
        let roots = ["lib.rs", "main.rs"].map(|root| format!("{source}{root}"));
        let files = project
            .files
            .iter()
            .filter(|file| roots.contains(&file.path));
        let silent = files.filter(|file| !file.text.contains("#![forbid(unsafe_code)]"));
        findings.extend(silent.map(|file| {
            let what = "the crate has no unsafe code and does not say so".to_owned();
            file.finding(1, what, "add `#![forbid(unsafe_code)]`")
        }));
    }
    findings
}

/// Above each unsafe block and `unsafe impl`, a comment names the fact that makes it sound.
pub(super) fn commented(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in project.rust() {
        let lines = file.lines();
        for pair in rust.tokens.windows(2) {
            let [first, second] = pair else { continue };
            let needs = first.text == "unsafe" && matches!(second.text.as_str(), "{" | "impl");
            let has =
                |line: usize| comment_above(&lines, line).any(|text| text.contains("SAFETY:"));
            if needs && !has(first.line) && !has(first.statement) {
                let what = "`unsafe` without its reason".to_owned();
                let instead = "name the fact that makes it sound, above: `// SAFETY: ..`";
                findings.push(file.finding(first.line, what, instead));
            }
        }
    }
    findings
}

/// The docs of an unsafe function or trait list what the caller must see to.
pub(super) fn documented(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in project.rust() {
        let mut visitor = UnsafeItems {
            file,
            findings: &mut findings,
        };
        visitor.visit_file(&rust.syntax);
    }
    findings
}

/// The comments and attributes that stand directly above a line, nearest first.
fn comment_above<'a>(lines: &'a [&str], number: usize) -> impl Iterator<Item = &'a str> {
    let above = lines[..number - 1]
        .iter()
        .rev()
        .map(|line| line.trim_start());
    above.take_while(|line| line.starts_with("//") || line.starts_with("#["))
}

struct UnsafeItems<'a> {
    file: &'a SourceFile,
    findings: &'a mut Vec<Finding>,
}

impl UnsafeItems<'_> {
    fn function(&mut self, attributes: &[Attribute], signature: &Signature) {
        if let Safety::Unsafe(token) = &signature.safety {
            self.item(attributes, &signature.ident, token.span.start().line);
        }
    }

    fn item(&mut self, attributes: &[Attribute], name: &syn::Ident, line: usize) {
        if !attributes.iter().any(is_safety_heading) {
            let what = format!("`{name}` does not say what its callers must see to");
            let instead = "list it in its docs under `# Safety`";
            self.findings.push(self.file.finding(line, what, instead));
        }
    }
}

impl<'ast> Visit<'ast> for UnsafeItems<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.attrs, &item.sig);
        visit::visit_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&item.attrs, &item.sig);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if let Some(token) = &item.unsafety {
            self.item(&item.attrs, &item.ident, token.span.start().line);
        }
        visit::visit_item_trait(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        for member in &item.items {
            match member {
                // The trait's own docs say what its functions ask.
                syn::ImplItem::Fn(function) if item.trait_.is_none() => {
                    self.function(&function.attrs, &function.sig);
                }
                _ => {}
            }
        }
        visit::visit_item_impl(self, item);
    }
}

/// Whether the attribute is a line of docs that holds the heading.
fn is_safety_heading(attribute: &Attribute) -> bool {
    let syn::Meta::NameValue(pair) = &attribute.meta else {
        return false;
    };
    let syn::Expr::Lit(literal) = &pair.value else {
        return false;
    };
    let syn::Lit::Str(text) = &literal.lit else {
        return false;
    };
    pair.path.is_ident("doc") && text.value().contains("# Safety")
}
