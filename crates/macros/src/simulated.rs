//! The arguments of a simulated test: `sim`, and what goes with it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Error, Expr, Lit, Result};

use crate::options::{Argument, literal, switch, text};

/// Their names, as errors list them.
const NAMES: [&str; 7] = [
    "seeds",
    "time_limit",
    "wall_limit",
    "workers",
    "schedule",
    "check",
    "shrink",
];

/// What is asked of a simulated test.
#[derive(Default)]
pub(crate) struct Simulated {
    /// Where `sim` stands.
    asked: Option<Span>,
    /// The other arguments: name, place, and the statement that sets a field of `config`.
    settings: Vec<(String, Span, TokenStream)>,
}

impl Simulated {
    /// Whether the test is a simulated one.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Takes an argument; `None` if it is none of these.
    pub(crate) fn take(&mut self, name: &str, argument: &Argument) -> Option<Result<()>> {
        if name == "sim" {
            return Some(self.take_sim(argument));
        }
        NAMES
            .contains(&name)
            .then(|| self.take_setting(name, argument))
    }

    /// The statements that set the fields of `config`.
    pub(crate) fn settings(&self) -> TokenStream {
        let statements = self.settings.iter().map(|(_, _, statement)| statement);
        quote! { #(#statements)* }
    }

    /// What does not fit together, or does not fit a test that is not simulated.
    pub(crate) fn misfits(&self, is_test: bool) -> Vec<Error> {
        match self.asked {
            Some(span) if !is_test => vec![Error::new(span, "`sim` is for tests")],
            Some(_) => Vec::new(),
            None => {
                let settings = self.settings.iter();
                let needs_sim = |(name, span, _): &(String, Span, TokenStream)| {
                    Error::new(*span, format!("`{name}` needs the argument `sim`"))
                };
                settings.map(needs_sim).collect()
            }
        }
    }

    fn take_sim(&mut self, argument: &Argument) -> Result<()> {
        if self.asked.is_some() {
            return Err(argument.error("`sim` is given twice"));
        }
        if argument.value.is_some() {
            return Err(argument.error("`sim` takes no value"));
        }
        self.asked = Some(argument.name.span());
        Ok(())
    }

    fn take_setting(&mut self, name: &str, argument: &Argument) -> Result<()> {
        if self.settings.iter().any(|(known, ..)| known == name) {
            return Err(argument.error(&format!("`{name}` is given twice")));
        }
        let Some(value) = &argument.value else {
            return Err(argument.error(&format!("`{name}` needs a value")));
        };
        let statement = match name {
            "seeds" => {
                let seeds = seeds(value)?;
                quote! { config.seeds = #seeds; }
            }
            "time_limit" => {
                let ms = duration_ms(value)?;
                quote! { config.time_limit = ::core::time::Duration::from_millis(#ms); }
            }
            "wall_limit" => {
                let ms = duration_ms(value)?;
                quote! {
                    config.wall_limit = ::core::option::Option::Some(
                        ::core::time::Duration::from_millis(#ms)
                    );
                }
            }
            "workers" => {
                let workers = number(value, "a number of processes")?;
                quote! { config.workers = #workers; }
            }
            "schedule" => {
                let schedule = schedule(value)?;
                quote! { config.schedule = Schedule::#schedule; }
            }
            _ => {
                let field = &argument.name;
                let value = switch(value)?;
                quote! { config.#field = #value; }
            }
        };
        let span = argument.name.span();
        self.settings.push((name.to_owned(), span, statement));
        Ok(())
    }
}

/// A number of seeds, or a range of them.
fn seeds(value: &Expr) -> Result<TokenStream> {
    if let Expr::Range(range) = value {
        return Ok(range.to_token_stream());
    }
    let count = number(value, "a number of seeds, or a range of them,")?;
    Ok(quote! { 0..#count })
}

fn number(value: &Expr, what: &str) -> Result<syn::LitInt> {
    let fault = || Error::new(value.span(), format!("{what} is expected here"));
    let Some(Lit::Int(literal)) = literal(value) else {
        return Err(fault());
    };
    match literal.base10_parse::<u64>() {
        Ok(0) => Err(Error::new(value.span(), "at least one is needed")),
        Ok(_) => Ok(literal.clone()),
        Err(_) => Err(fault()),
    }
}

/// A time like `"10m"`, in milliseconds.
fn duration_ms(value: &Expr) -> Result<u64> {
    let given = text(value)?;
    let text = given.value();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let number = digits.trim().parse::<u64>().ok();
    let ms = unit.and_then(|unit| number?.checked_mul(unit));
    ms.ok_or_else(|| {
        let message = "a time is expected here: a number and `ms`, `s`, `m` or `h`";
        Error::new(given.span(), message)
    })
}

fn schedule(value: &Expr) -> Result<TokenStream> {
    let given = text(value)?;
    let text = given.value();
    let depth = text
        .strip_prefix("pct(")
        .and_then(|rest| rest.strip_suffix(')'));
    match (
        text.as_str(),
        depth.map(|depth| depth.trim().parse::<u32>()),
    ) {
        ("fifo", _) => Ok(quote! { Fifo }),
        ("random", _) => Ok(quote! { Random }),
        (_, Some(Ok(depth))) => Ok(quote! { Pct { depth: #depth } }),
        _ => Err(Error::new(
            given.span(),
            format!("there is no schedule `{text}`; there are `fifo`, `random` and `pct(DEPTH)`"),
        )),
    }
}
