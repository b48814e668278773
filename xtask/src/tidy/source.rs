//! A file as the rules see it: its lines, and for Rust its tokens and its syntax tree.
//!
//! Tokens are kept in one flat list, the bodies of macros included, which the syntax tree does
//! not look into. Each knows its line, where its statement begins, and whether it is test code.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A text file of the project.
pub struct SourceFile {
    /// Its path from the project's top directory, with `/`.
    pub path: String,
    /// What it holds.
    pub text: String,
    /// What it says, if it is Rust; the place and the reason if it does not parse.
    pub rust: Result<Option<Rust>, (usize, String)>,
}

/// A Rust file, taken apart.
pub struct Rust {
    /// Every token, delimiters included.
    pub tokens: Vec<Token>,
    /// The syntax tree.
    pub syntax: syn::File,
}

/// A token, or one side of a pair of delimiters.
#[derive(Clone, Debug)]
pub struct Token {
    /// As it is written; a path's `::` is two tokens.
    pub text: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// The line where the innermost statement (or arm, or item) around it begins.
    pub statement: usize,
    /// Whether only tests compile it.
    pub test: bool,
}

impl SourceFile {
    /// The file at `path` that holds `text`.
    pub fn new(path: &str, text: String) -> SourceFile {
        let rust = match path.ends_with(".rs") {
            true => parse(path, &text).map(Some),
            false => Ok(None),
        };
        SourceFile {
            path: path.to_owned(),
            text,
            rust,
        }
    }

    /// Its lines; line 1 is at index 0.
    pub fn lines(&self) -> Vec<&str> {
        self.text.lines().collect()
    }
}

/// The tokens of a piece of Rust, as [`Rust::tokens`] would hold them.
///
/// *Errors*: it cannot be split into tokens.
pub fn tokens_of(text: &str) -> Result<Vec<Token>, proc_macro2::LexError> {
    Ok(flatten(text.parse()?, false))
}

fn parse(path: &str, text: &str) -> Result<Rust, (usize, String)> {
    let not_tokens = |error: proc_macro2::LexError| (error.span().start().line, error.to_string());
    let stream: TokenStream = text.parse().map_err(not_tokens)?;
    let not_rust = |error: syn::Error| (error.span().start().line, error.to_string());
    let syntax = syn::parse2(stream.clone()).map_err(not_rust)?;
    Ok(Rust {
        tokens: flatten(stream, is_test_file(path)),
        syntax,
    })
}

/// Whether all of the file is test code, going by where it lies.
fn is_test_file(path: &str) -> bool {
    let in_folder = |name: &str| path.split('/').rev().skip(1).any(|folder| folder == name);
    path.ends_with("/tests.rs")
        || ["tests", "benches", "examples"]
            .iter()
            .any(|n| in_folder(n))
}

fn flatten(stream: TokenStream, test: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut flattening = Flattening {
        tokens: &mut tokens,
    };
    flattening.sequence(stream, None, test);
    tokens
}

struct Flattening<'a> {
    tokens: &'a mut Vec<Token>,
}

impl Flattening<'_> {
    /// Adds what stands between two delimiters. `within` is the statement around it if the
    /// delimiters do not begin statements of their own.
    fn sequence(&mut self, stream: TokenStream, within: Option<usize>, test: bool) {
        let mut statement = None;
        let mut item_is_test = false;
        for tree in stream {
            let line = tree.span().start().line;
            let start = within.unwrap_or(*statement.get_or_insert(line));
            let ends = match &tree {
                TokenTree::Group(group) => {
                    item_is_test |= marks_test(group);
                    self.group(group, start, test || item_is_test);
                    group.delimiter() == Delimiter::Brace
                }
                TokenTree::Punct(punct) => {
                    self.add(punct.to_string(), line, start, test || item_is_test);
                    matches!(punct.as_char(), ';' | ',')
                }
                leaf => {
                    self.add(leaf.to_string(), line, start, test || item_is_test);
                    false
                }
            };
            if ends {
                statement = None;
                item_is_test = false;
            }
        }
    }

    fn group(&mut self, group: &Group, statement: usize, test: bool) {
        let (open, close, within) = match group.delimiter() {
            Delimiter::Brace => ("{", "}", None),
            Delimiter::Parenthesis => ("(", ")", Some(statement)),
            Delimiter::Bracket => ("[", "]", Some(statement)),
            Delimiter::None => ("", "", Some(statement)),
        };
        self.add(
            open.to_owned(),
            group.span_open().start().line,
            statement,
            test,
        );
        self.sequence(group.stream(), within, test);
        self.add(
            close.to_owned(),
            group.span_close().start().line,
            statement,
            test,
        );
    }

    fn add(&mut self, text: String, line: usize, statement: usize, test: bool) {
        self.tokens.push(Token {
            text,
            line,
            statement,
            test,
        });
    }
}

/// Whether `group` is the inside of `#[test]`, `#[some::test(..)]` or `#[cfg(test)]`.
fn marks_test(group: &Group) -> bool {
    if group.delimiter() != Delimiter::Bracket {
        return false;
    }
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(name), TokenTree::Group(predicate)] if name == "cfg" => {
            let predicate = predicate.stream().to_string();
            predicate == "test" || predicate.starts_with("all (test ,")
        }
        [.., TokenTree::Ident(name), TokenTree::Group(_)] => name == "test",
        [.., TokenTree::Ident(name)] => name == "test",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token<'a>(tokens: &'a [Token], text: &str) -> &'a Token {
        tokens
            .iter()
            .find(|token| token.text == text)
            .expect("the token is in the text")
    }

    #[test]
    fn tokens_know_their_line_and_the_start_of_their_statement() {
        let tokens =
            tokens_of("fn f() {\n  let a = 1;\n  let b =\n    c(\n      deep);\n}").unwrap();
        assert_eq!(token(&tokens, "deep").line, 5);
        assert_eq!(token(&tokens, "deep").statement, 3);
        assert_eq!(token(&tokens, "a").statement, 2);
    }

    #[test]
    fn only_what_tests_compile_is_test_code() {
        let text = "fn plain() { one }\n#[cfg(test)]\nmod tests { fn t() { two } }\nfn last() {}";
        let tokens = tokens_of(text).unwrap();
        assert!(!token(&tokens, "one").test);
        assert!(token(&tokens, "two").test);
        assert!(!token(&tokens, "last").test);
        assert!(
            token(
                &tokens_of("#[tokio::test] async fn t() { x }").unwrap(),
                "x"
            )
            .test
        );
        assert!(!token(&tokens_of("#[cfg(unix)] fn t() { x }").unwrap(), "x").test);
    }

    #[test]
    fn files_below_tests_are_test_code() {
        assert!(is_test_file("crates/io/tests/copy.rs"));
        assert!(is_test_file("crates/io/src/copy/tests.rs"));
        assert!(!is_test_file("crates/io/src/copy.rs"));
    }
}
