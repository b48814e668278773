//! Rules over the syntax tree: how long and how deep functions are, what types are called.

use std::mem;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::source::{Rust, SourceFile};
use super::{Finding, Project};

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
        let too_deep = |function: &Function| function.deepest.level > limit;
        for Function { name, deepest, .. } in functions(rust).into_iter().filter(too_deep) {
            let Place { level, line } = deepest;
            let what = format!("`{name}` is {level} levels deep here, {limit} may be");
            let instead = "return early, or give the inner part a name";
            findings.push(file.finding(line, what, instead));
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

/// No condition chains `let` with others: the oldest compiler that we promise does not know it.
pub(super) fn let_chains(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in project.rust() {
        let mut visitor = LetChains(Vec::new());
        visitor.visit_file(&rust.syntax);
        let instead = "nest the conditions, or use `let .. else`";
        let finding = |line| file.finding(line, "a chain of `let` conditions".to_owned(), instead);
        findings.extend(visitor.0.into_iter().map(finding));
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
    /// The first of its deepest statements and arms; those of inner functions are not its own.
    deepest: Place,
}

/// Where a statement or an arm begins, and how many blocks and matches it stands in. Blocks on
/// one line count for nothing, nor does what a broken chain of calls adds to the indentation.
#[derive(Clone, Copy, Default)]
struct Place {
    level: usize,
    line: usize,
}

fn functions(rust: &Rust) -> Vec<Function> {
    let mut visitor = Functions::default();
    visitor.visit_file(&rust.syntax);
    visitor.done
}

#[derive(Default)]
struct Functions {
    level: usize,
    deepest: Place,
    done: Vec<Function>,
}

impl Functions {
    fn enter(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let last = body.brace_token.span.close().end().line;
        let around = (mem::take(&mut self.level), mem::take(&mut self.deepest));
        self.visit_block(body);
        let name = signature.ident.to_string();
        self.done.push(Function {
            name,
            first,
            last,
            deepest: self.deepest,
        });
        (self.level, self.deepest) = around;
    }

    fn place(&mut self, line: usize) {
        if self.level > self.deepest.level {
            self.deepest = Place {
                level: self.level,
                line,
            };
        }
    }

    fn within(&mut self, braces: &syn::token::Brace, visit: impl FnOnce(&mut Self)) {
        let line = |side: Span| side.start().line;
        let one_line = line(braces.span.open()) == line(braces.span.close());
        let levels = usize::from(!one_line);
        self.level += levels;
        visit(self);
        self.level -= levels;
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

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.within(&block.brace_token, |visitor| {
            visit::visit_block(visitor, block)
        });
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        self.visit_expr(&expr.expr);
        self.within(&expr.brace_token, |visitor| {
            expr.arms.iter().for_each(|arm| visitor.visit_arm(arm));
        });
    }

    fn visit_stmt(&mut self, statement: &'ast syn::Stmt) {
        self.place(statement.span().start().line);
        visit::visit_stmt(self, statement);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.place(arm.span().start().line);
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

/// The lines of `let` conditions that are operands of `&&`.
struct LetChains(Vec<usize>);

impl<'ast> Visit<'ast> for LetChains {
    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        for operand in [&binary.left, &binary.right] {
            if let syn::Expr::Let(condition) = &**operand {
                self.0.push(condition.let_token.span.start().line);
            }
        }
        visit::visit_expr_binary(self, binary);
    }
}
