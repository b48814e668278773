//! The function below an attribute: attributes, visibility and signature are parsed, the body is
//! not (the compiler does it anyway, and half-written code in an editor shall not lose its
//! attribute).

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Error, Result, ReturnType, Signature, Type, Visibility};

/// A function with a body.
pub(crate) struct Function {
    /// Those before the function.
    pub(crate) outer_attributes: Vec<Attribute>,
    /// Those at the beginning of its body.
    pub(crate) inner_attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// What is between the braces, without inner attributes.
    pub(crate) body: TokenStream,
    /// Where the braces are.
    pub(crate) braces: Span,
}

impl Function {
    /// The return type, unless it cannot be written anywhere else: `impl Trait` and `!`.
    pub(crate) fn nameable_output(&self) -> Option<TokenStream> {
        match &self.signature.output {
            ReturnType::Default => Some(quote! { () }),
            ReturnType::Type(_, output) if matches!(**output, Type::Never(_)) => None,
            ReturnType::Type(_, output) => {
                let output = output.to_token_stream();
                (!mentions_impl(output.clone())).then_some(output)
            }
        }
    }

    /// An attribute that makes the function a test already.
    pub(crate) fn test_attribute(&self) -> Option<&Attribute> {
        self.outer_attributes
            .iter()
            .find(|attribute| is_test(attribute))
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let outer_attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let braces = match input.parse()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => group,
            other => {
                return Err(Error::new(
                    other.span(),
                    "a body in braces is expected here",
                ));
            }
        };
        let (inner_attributes, body) = split_body.parse2(braces.stream())?;
        Ok(Self {
            outer_attributes,
            inner_attributes,
            visibility,
            signature,
            body,
            braces: Group::span(&braces),
        })
    }
}

fn split_body(input: ParseStream<'_>) -> Result<(Vec<Attribute>, TokenStream)> {
    Ok((input.call(Attribute::parse_inner)?, input.parse()?))
}

/// Whether `#[test]` itself is meant, by its short or by its full name.
fn is_test(attribute: &Attribute) -> bool {
    let names = attribute
        .path()
        .segments
        .iter()
        .map(|segment| segment.ident.to_string());
    let names = names.collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    let full = matches!(names[..], ["core" | "std", "prelude", _, "test"]);
    full || names == ["test"]
}

/// Whether `impl` occurs in a type.
fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => mentions_impl(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
