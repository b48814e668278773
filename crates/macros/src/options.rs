//! The arguments of an attribute: which runtime shall run the function.
//! Each argument is checked where it stands, all of them before the first error is reported.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, Lit, LitStr, Path, Result, Token};

use crate::expand::Available;
use crate::simulated::Simulated;

/// Who runs the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    CurrentThread,
    Local,
    MultiThread,
}

/// What the arguments ask for; `None` where they say nothing.
#[derive(Default)]
pub(crate) struct Options {
    flavor: Option<Given<Flavor>>,
    worker_threads: Option<Given<usize>>,
    start_paused: Option<Given<bool>>,
    unhandled_panic: Option<Given<&'static str>>,
    name: Option<Given<LitStr>>,
    path: Option<Given<Path>>,
    simulated: Simulated,
}

/// A value and the argument that gave it.
struct Given<T> {
    value: T,
    span: Span,
}

/// `name = value`.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

impl Options {
    /// Reads the arguments; the error names each that is wrong.
    pub(crate) fn parse(arguments: TokenStream, is_test: bool) -> Result<Self> {
        let arguments = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(arguments)?;
        let mut options = Self::default();
        let mut errors = Vec::new();
        for argument in arguments {
            errors.extend(options.take(&argument).err());
        }
        errors.extend(options.simulated.misfits(is_test));
        first_with_rest(errors).map_or(Ok(options), Err)
    }

    /// The flavor, checked against the other arguments and against what is `available`.
    pub(crate) fn flavor(&self, default: Flavor, available: Available) -> Result<Flavor> {
        let asked = self.flavor.as_ref();
        let flavor = asked.map_or(default, |given| given.value);
        if flavor == Flavor::MultiThread && available != Available::MultiThread {
            return Err(match asked {
                Some(given) => Error::new(
                    given.span,
                    "the flavor `multi_thread` needs the cargo feature `rt-multi-thread`",
                ),
                None => Error::new(
                    Span::call_site(),
                    "the default flavor is `multi_thread`, which needs the cargo feature \
                     `rt-multi-thread`; enable it or say `flavor = \"current_thread\"`",
                ),
            });
        }
        match first_with_rest(self.misfits(flavor)) {
            Some(error) => Err(error),
            None => Ok(flavor),
        }
    }

    /// The path by which user code reaches the runtime.
    pub(crate) fn path(&self, default: &str) -> TokenStream {
        match &self.path {
            Some(given) => given.value.to_token_stream(),
            None => Ident::new(default, Span::call_site()).into_token_stream(),
        }
    }

    /// The calls that tell a `Builder` the rest.
    pub(crate) fn settings(&self, path: &TokenStream) -> TokenStream {
        let mut calls = TokenStream::new();
        if let Some(Given { value, .. }) = &self.worker_threads {
            calls.extend(quote! { .worker_threads(#value) });
        }
        if let Some(Given { value, .. }) = &self.start_paused {
            calls.extend(quote! { .start_paused(#value) });
        }
        if let Some(Given { value, span }) = &self.unhandled_panic {
            let variant = Ident::new(value, *span);
            calls.extend(quote! { .unhandled_panic(#path::runtime::UnhandledPanic::#variant) });
        }
        if let Some(Given { value, .. }) = &self.name {
            calls.extend(quote! { .name(#value) });
        }
        calls
    }

    /// What is asked of a simulated test.
    pub(crate) fn simulated(&self) -> &Simulated {
        &self.simulated
    }

    fn take(&mut self, argument: &Argument) -> Result<()> {
        let name = argument.name.unraw().to_string();
        if let Some(taken) = self.simulated.take(&name, argument) {
            return taken;
        }
        match name.as_str() {
            "flavor" => argument.put(&mut self.flavor, Flavor::from_expr),
            "worker_threads" => argument.put(&mut self.worker_threads, count),
            "start_paused" => argument.put(&mut self.start_paused, switch),
            "unhandled_panic" => argument.put(&mut self.unhandled_panic, panic_policy),
            "name" => argument.put(&mut self.name, text),
            "crate" => argument.put(&mut self.path, module_path),
            "core_threads" => Err(argument.error("this argument is called `worker_threads`")),
            _ => Err(argument.error(&format!(
                "there is no argument `{name}`; there are `flavor`, `worker_threads`, \
                 `start_paused`, `unhandled_panic`, `name` and `crate`, and for tests `sim`"
            ))),
        }
    }

    /// Arguments that `flavor` has no use for.
    fn misfits(&self, flavor: Flavor) -> Vec<Error> {
        let one_thread = flavor != Flavor::MultiThread;
        let misfit = |span: Option<Span>, name: &str, needs: &str| {
            let message = format!("`{name}` needs the flavor {needs}");
            span.map(|span| Error::new(span, message))
        };
        let workers = self.worker_threads.as_ref().map(|given| given.span);
        let paused = self.start_paused.as_ref().map(|given| given.span);
        let policy = self.unhandled_panic.as_ref().map(|given| given.span);
        if self.simulated.is_asked() {
            let flavor = self.flavor.as_ref().map(|given| given.span);
            let others = [flavor, workers, paused, policy];
            let message = "a simulated test has no use for this argument";
            let misfit = |span| Error::new(span, message);
            return others.into_iter().flatten().map(misfit).collect();
        }
        let found = if one_thread {
            [misfit(workers, "worker_threads", "`multi_thread`"), None]
        } else {
            let needs = "`current_thread` or `local`";
            [
                misfit(paused, "start_paused", needs),
                misfit(policy, "unhandled_panic", needs),
            ]
        };
        found.into_iter().flatten().collect()
    }
}

impl Flavor {
    fn from_expr(value: &Expr) -> Result<Self> {
        let given = text(value)?;
        let message = match given.value().as_str() {
            "current_thread" => return Ok(Self::CurrentThread),
            "local" => return Ok(Self::Local),
            "multi_thread" => return Ok(Self::MultiThread),
            "basic_scheduler" | "single_thread" => "this flavor is called `current_thread`".into(),
            "threaded_scheduler" => "this flavor is called `multi_thread`".into(),
            other => format!(
                "there is no flavor `{other}`; there are `multi_thread`, `current_thread` \
                 and `local`"
            ),
        };
        Err(Error::new(given.span(), message))
    }
}

impl Argument {
    /// Puts the value, as `read` reads it, into `place`.
    fn put<T>(
        &self,
        place: &mut Option<Given<T>>,
        read: impl FnOnce(&Expr) -> Result<T>,
    ) -> Result<()> {
        if place.is_some() {
            return Err(self.error(&format!("`{}` is given twice", self.name.unraw())));
        }
        let Some(value) = &self.value else {
            return Err(self.error(&format!("`{}` needs a value", self.name.unraw())));
        };
        *place = Some(Given {
            value: read(value)?,
            span: value.span(),
        });
        Ok(())
    }

    pub(crate) fn error(&self, message: &str) -> Error {
        Error::new(self.name.span(), message)
    }
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { name, value })
    }
}

/// A number of threads.
fn count(value: &Expr) -> Result<usize> {
    let Some(Lit::Int(literal)) = literal(value) else {
        return Err(Error::new(
            value.span(),
            "a number of threads is expected here",
        ));
    };
    match literal.base10_parse::<usize>()? {
        0 => Err(Error::new(
            literal.span(),
            "at least one worker thread is needed",
        )),
        threads => Ok(threads),
    }
}

/// `true` or `false`.
pub(crate) fn switch(value: &Expr) -> Result<bool> {
    match literal(value) {
        Some(Lit::Bool(literal)) => Ok(literal.value),
        _ => Err(Error::new(
            value.span(),
            "`true` or `false` is expected here",
        )),
    }
}

/// A string; an old spelling of flavors and paths without quotes gets a hint.
pub(crate) fn text(value: &Expr) -> Result<LitStr> {
    match literal(value) {
        Some(Lit::Str(literal)) => Ok(literal.clone()),
        _ => Err(Error::new(
            value.span(),
            "a string is expected here: put it in quotes",
        )),
    }
}

/// What a panic of a task leads to: the variant of `UnhandledPanic`.
fn panic_policy(value: &Expr) -> Result<&'static str> {
    let given = text(value)?;
    match given.value().as_str() {
        "ignore" => Ok("Ignore"),
        "shutdown_runtime" => Ok("ShutdownRuntime"),
        other => Err(Error::new(
            given.span(),
            format!("`{other}` is no policy; there are `ignore` and `shutdown_runtime`"),
        )),
    }
}

/// A path in a string.
fn module_path(value: &Expr) -> Result<Path> {
    let given = text(value)?;
    given
        .parse_with(Path::parse_mod_style)
        .map_err(|_| Error::new(given.span(), "the path of a module is expected here"))
}

/// The literal that `value` is, also when a macro passed it on inside of a group.
pub(crate) fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// All of `errors` as one.
fn first_with_rest(errors: Vec<Error>) -> Option<Error> {
    errors.into_iter().reduce(|mut first, error| {
        first.combine(error);
        first
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(arguments: TokenStream) -> String {
        let options = match Options::parse(arguments, true) {
            Ok(options) => options,
            Err(error) => return error.to_string(),
        };
        let flavor = options.flavor(Flavor::MultiThread, Available::CurrentThread);
        flavor.map_or_else(|error| error.to_string(), |flavor| format!("{flavor:?}"))
    }

    #[test]
    fn a_fault_is_named() {
        for (arguments, expected) in [
            (quote!(flavour = "local"), "there is no argument `flavour`"),
            (quote!(flavor = "green"), "there is no flavor `green`"),
            (quote!(flavor = local), "put it in quotes"),
            (
                quote!(flavor = "local", flavor = "local"),
                "`flavor` is given twice",
            ),
            (quote!(flavor), "`flavor` needs a value"),
            (
                quote!(threaded_scheduler),
                "there is no argument `threaded_scheduler`",
            ),
            (quote!(worker_threads = 0), "at least one"),
            (quote!(worker_threads = "two"), "a number of threads"),
            (quote!(start_paused = 1), "`true` or `false`"),
            (quote!(unhandled_panic = "abort"), "`abort` is no policy"),
            (quote!(crate = "a b"), "the path of a module"),
            (quote!(flavor = "multi_thread"), "needs the cargo feature"),
            (quote!(), "the default flavor is `multi_thread`"),
            (
                quote!(flavor = "local", worker_threads = 2),
                "needs the flavor `multi_thread`",
            ),
            (quote!(flavor = "local", start_paused = true,), "Local"),
        ] {
            let message = message(arguments.clone());
            assert!(message.contains(expected), "{arguments}: {message}");
        }
    }

    #[test]
    fn every_fault_is_reported() {
        let arguments = quote!(flavor = "green", worker_threads = 0, name = 1);
        let error = Options::parse(arguments, true).err().expect("three faults");
        assert_eq!(error.into_iter().count(), 3);
    }

    #[test]
    fn a_paused_clock_needs_one_thread() {
        let options = Options::parse(quote!(start_paused = true), true).expect("it is well-formed");
        let error = options.flavor(Flavor::MultiThread, Available::MultiThread);
        let error = error.expect_err("many threads");
        assert!(
            error.to_string().contains("`current_thread` or `local`"),
            "{error}"
        );
        options
            .flavor(Flavor::CurrentThread, Available::MultiThread)
            .expect("one thread");
    }
}
