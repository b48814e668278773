//! Rules over the syntax tree: how long and how deep functions are, what types are called.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::source::{Rust, SourceFile, indentation};
use super::{Finding, Project};

/// The columns of a level of indentation.
const LEVEL: usize = 4;

/// A function fits on a screen.
pub(super) fn function_length(project: &Project) -> Vec<Finding> {
    let limit = project.config.limits.function_lines;
    let mut findings = Vec::new();
    for (file, rust) in project.rust() {
        for function in functions(rust) {
            let count = function.last - function.first + 1;
            if count > limit {
                let what = format!("`{}` has {count} lines, {limit} may be", function.name);
                let instead = "give its parts names";
                findings.push(file.finding(function.first, what, instead));
            }
        }
    }
    findings
}

/// A function's statements and arms are not deep inside each other.
pub(super) fn levels(project: &Project) -> Vec<Finding> {
    let limit = project.config.limits.levels;
    let mut findings = Vec::new();
    for (file, rust) in project.rust() {
        let lines = file.lines();
        for function in functions(rust) {
            let level = |line: usize| indentation(lines[line - 1]) / LEVEL;
            let outside = level(function.first);
            let too_deep = |line: &&usize| level(**line) > outside + limit;
            if let Some(line) = function.statements.iter().find(too_deep) {
                let what = format!(
                    "`{}` is {} levels deep here, {limit} may be",
                    function.name,
                    level(*line) - outside
                );
                let instead = "return early, or give the inner part a name";
                findings.push(file.finding(*line, what, instead));
            }
        }
    }
    findings
}

/// A type's name says whose it is.
pub(super) fn bare_names(project: &Project) -> Vec<Finding> {
    let bare = &project.config.names.bare;
    let mut findings = Vec::new();
    for (file, rust) in project.rust() {
        for (name, line) in type_names(rust) {
            if bare.contains(&name) {
                let what = format!("a type called `{name}`");
                let instead = format!("say whose: `Channel{name}`, `Timer{name}`");
                findings.push(file.finding(line, what, &instead));
            }
        }
    }
    findings
}

impl SourceFile {
    /// A finding in this file.
    pub(super) fn finding(&self, line: usize, what: String, instead: &str) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            what,
            instead: instead.to_owned(),
        }
    }
}

/// A function with a body.
struct Function {
    name: String,
    first: usize,
    last: usize,
    /// The lines where the statements and arms of its body begin, those of inner functions not.
    statements: Vec<usize>,
}

fn functions(rust: &Rust) -> Vec<Function> {
    let mut visitor = Functions {
        open: Vec::new(),
        done: Vec::new(),
    };
    visitor.visit_file(&rust.syntax);
    visitor.done
}

struct Functions {
    open: Vec<Function>,
    done: Vec<Function>,
}

impl Functions {
    fn enter(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let last = body.brace_token.span.close().end().line;
        let name = signature.ident.to_string();
        self.open.push(Function {
            name,
            first,
            last,
            statements: Vec::new(),
        });
        self.visit_block(body);
        self.done.extend(self.open.pop());
    }

    fn statement(&mut self, line: usize) {
        if let Some(function) = self.open.last_mut() {
            function.statements.push(line);
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.enter(&function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.enter(&function.sig, &function.block);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.enter(&function.sig, body);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast syn::Stmt) {
        self.statement(statement.span().start().line);
        visit::visit_stmt(self, statement);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.statement(arm.span().start().line);
        visit::visit_arm(self, arm);
    }
}

/// The names of the types and traits that a file defines, with their lines.
fn type_names(rust: &Rust) -> Vec<(String, usize)> {
    let mut visitor = TypeNames(Vec::new());
    visitor.visit_file(&rust.syntax);
    visitor.0
}

struct TypeNames(Vec<(String, usize)>);

impl<'ast> Visit<'ast> for TypeNames {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let name = match item {
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Union(item) => Some(&item.ident),
            syn::Item::Trait(item) => Some(&item.ident),
            syn::Item::Type(item) => Some(&item.ident),
            _ => None,
        };
        self.0
            .extend(name.map(|name| (name.to_string(), name.span().start().line)));
        visit::visit_item(self, item);
    }
}
