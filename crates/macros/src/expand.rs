//! From an `async fn` to one that builds a runtime and waits in it.
//!
//! ```text
//! fn main() -> Output {
//!     let body = async { <Output is what this block returns> .. };
//!     match Builder::new_multi_thread().enable_all().build() {
//!         Ok(runtime) => runtime.block_on(body),
//!         Err(error) => panic!(..),
//!     }
//! }
//! ```
//!
//! The body stays an `async` block of the same function, because an inner function could use
//! neither `self` nor the generics around it.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Result, ReturnType};

use crate::function::Function;
use crate::options::{Flavor, Options};

/// One of the attributes that this crate exports.
pub(crate) struct Attribute {
    pub(crate) role: Role,
    pub(crate) available: Available,
    /// The crate by which user code reaches the runtime, unless it says `crate = ".."`.
    pub(crate) path: &'static str,
}

/// What an attribute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Main,
    Test,
}

/// Which runtimes the features allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Available {
    Nothing,
    CurrentThread,
    MultiThread,
}

impl Attribute {
    /// The function to compile instead of `item`. With an error comes a function that compiles as
    /// far as possible, so that the fault is not buried under faults that follow from it.
    pub(crate) fn expand(&self, arguments: TokenStream, item: TokenStream) -> TokenStream {
        let function = match syn::parse2::<Function>(item.clone()) {
            Ok(function) => function,
            Err(error) => return with_error(&error, item),
        };
        let (options, fault) = match Options::parse(arguments, self.role == Role::Test) {
            Ok(options) => (options, None),
            Err(error) => (Options::default(), Some(error)),
        };
        let is_simulated = options.simulated().is_asked();
        if let Err(error) = self.check(&function, is_simulated) {
            let error = fault.unwrap_or(error);
            return with_error(&error, self.remains(function).unwrap_or(item));
        }
        if self.available == Available::Nothing {
            let message = "this attribute needs the cargo feature `rt` or `rt-multi-thread`";
            let error = Error::new(Span::call_site(), message);
            return with_error(
                &error,
                self.emit(function, |_, _| quote! { ::core::panic!() }),
            );
        }
        let (flavor, fault) = match options.flavor(self.role.flavor(), self.available) {
            Ok(flavor) => (flavor, fault),
            // The first fault counts: what the defaults lack follows from it.
            Err(error) => (Flavor::CurrentThread, fault.or(Some(error))),
        };
        let function = if is_simulated {
            self.simulate(function, &options)
        } else {
            let runtime = self.runtime(&options, flavor);
            let is_simulable = self.role == Role::Test && flavor != Flavor::Local;
            let simulated = is_simulable.then(|| self.plain_test(&function, &options, flavor));
            let run =
                |body: &_, output: Option<&_>| self.run(&runtime, simulated.as_ref(), body, output);
            self.emit(function, run)
        };
        match fault {
            Some(error) => with_error(&error, function),
            None => function,
        }
    }

    /// Whether the function is one that can be waited for.
    fn check(&self, function: &Function, is_simulated: bool) -> Result<()> {
        let signature = &function.signature;
        if signature.asyncness.is_none() {
            let message = "the `async` keyword is missing from the function declaration";
            return Err(Error::new_spanned(signature.fn_token, message));
        }
        let takes_none = match self.role {
            Role::Main if signature.ident == "main" => {
                Some("the main function cannot take arguments")
            }
            Role::Main => None,
            Role::Test if is_simulated => {
                if signature.inputs.len() != 1 {
                    let message = "a simulated test takes one argument: `sim: Sim`";
                    return Err(Error::new_spanned(&signature.ident, message));
                }
                None
            }
            Role::Test => Some("a test function cannot take arguments"),
        };
        if let (Some(message), false) = (takes_none, signature.inputs.is_empty()) {
            return Err(Error::new_spanned(&signature.inputs, message));
        }
        match function.test_attribute() {
            Some(second) if self.role == Role::Test => Err(Error::new_spanned(
                second,
                "this makes the function a test a second time: remove one of the attributes",
            )),
            _ => Ok(()),
        }
    }

    /// What is left of a function that cannot be run as it is; `None` if it is to be left alone.
    fn remains(&self, mut function: Function) -> Option<TokenStream> {
        // An `async fn main` would be a fault of its own.
        let is_main = self.role == Role::Main && function.signature.ident == "main";
        (is_main && function.signature.asyncness.is_some()).then(|| {
            function.signature.inputs.clear();
            self.emit(function, |_, _| quote! { ::core::panic!() })
        })
    }

    /// The expression that builds the runtime.
    fn runtime(&self, options: &Options, flavor: Flavor) -> TokenStream {
        let path = options.path(self.path);
        let settings = options.settings(&path);
        let (new, build) = match flavor {
            Flavor::CurrentThread => (quote! { new_current_thread }, quote! { build() }),
            Flavor::MultiThread => (quote! { new_multi_thread }, quote! { build() }),
            Flavor::Local => {
                let options = quote! { ::core::default::Default::default() };
                (
                    quote! { new_current_thread },
                    quote! { build_local(#options) },
                )
            }
        };
        quote! { #path::runtime::Builder::#new().enable_all() #settings .#build }
    }

    /// A function that explores the world of which `function` is the test.
    fn simulate(&self, mut function: Function, options: &Options) -> TokenStream {
        let path = options.path(self.path);
        let settings = options.simulated().settings();
        let name = function.signature.ident.to_string();
        let sim = std::mem::take(&mut function.signature.inputs);
        let output = function.nameable_output();
        let body = async_block(&function, output.as_ref(), quote! { async move });
        let statements = quote! {
            let mut config = #path::sim::Explore::of_test(
                ::core::concat!(::core::module_path!(), "::", #name),
                ::core::option_env!("CARGO_MANIFEST_DIR"),
            );
            {
                #[allow(unused_imports)]
                use #path::sim::Schedule;
                #settings
            }
            #path::sim::test(&config, |#sim| #body)
        };
        function.signature.output = ReturnType::Default;
        self.emit(function, |_, _| statements)
    }

    /// The statements that run `body` in a world if the environment asks for that.
    fn plain_test(&self, function: &Function, options: &Options, flavor: Flavor) -> TokenStream {
        let path = options.path(self.path);
        let name = function.signature.ident.to_string();
        let is_multi_thread = flavor == Flavor::MultiThread;
        let settings = options.settings(&path);
        quote! {
            if let ::core::option::Option::Some(test) =
                #path::sim::PlainTest::asked(::core::module_path!(), #name, #is_multi_thread)
            {
                return test.run(
                    |builder: &mut #path::runtime::Builder| {
                        let _ = builder #settings;
                    },
                    body,
                );
            }
        }
    }

    /// The statements that run `body` in `runtime`, or as `simulated` says if that is asked for.
    fn run(
        &self,
        runtime: &TokenStream,
        simulated: Option<&TokenStream>,
        body: &TokenStream,
        output: Option<&TokenStream>,
    ) -> TokenStream {
        // All tests that return the same share one `block_on`: it is compiled once.
        let erase = output.filter(|_| self.role == Role::Test).map(|output| {
            quote! {
                let body: ::core::pin::Pin<&mut dyn ::core::future::Future<Output = #output>> =
                    ::core::pin::pin!(body);
            }
        });
        let body = match simulated {
            Some(asked) => quote! {
                let body = || #body;
                #asked
                let body = body();
            },
            None => quote! { let body = #body; },
        };
        quote! {
            #body
            #erase
            match #runtime {
                ::core::result::Result::Ok(runtime) => runtime.block_on(body),
                ::core::result::Result::Err(error) => {
                    ::core::panic!("cannot build the runtime: {}", error)
                }
            }
        }
    }

    /// The function without `async`; `run` makes its statements of the body, an `async` block, and
    /// of the type that this returns.
    fn emit(
        &self,
        function: Function,
        run: impl FnOnce(&TokenStream, Option<&TokenStream>) -> TokenStream,
    ) -> TokenStream {
        let output = function.nameable_output();
        let body = async_block(&function, output.as_ref(), quote! { async });
        let statements = run(&body, output.as_ref());
        let Function {
            outer_attributes,
            inner_attributes,
            visibility,
            mut signature,
            ..
        } = function;
        signature.asyncness = None;
        let test = (self.role == Role::Test).then(|| quote! { #[::core::prelude::v1::test] });
        quote! {
            #test
            #(#outer_attributes)*
            #visibility #signature {
                #(#inner_attributes)*
                #statements
            }
        }
    }
}

impl Role {
    /// What runs the function if the arguments do not say.
    fn flavor(self) -> Flavor {
        match self {
            Self::Main => Flavor::MultiThread,
            Self::Test => Flavor::CurrentThread,
        }
    }
}

/// The function's body as an `async` block. It begins with a `return` that is never reached: from
/// it the compiler knows the block's type, so that `?` works and a mismatch is shown where it is.
fn async_block(
    function: &Function,
    output: Option<&TokenStream>,
    mut block: TokenStream,
) -> TokenStream {
    let typed = output.map(|output| {
        let returned = match &function.signature.output {
            ReturnType::Default => function.signature.ident.span(),
            ReturnType::Type(_, output) => output.span(),
        };
        quote_spanned! {Span::call_site().located_at(returned)=>
            if let ::core::option::Option::Some(output) =
                ::core::option::Option::None::<#output>
            {
                return output;
            }
        }
    });
    let body = &function.body;
    let mut braces = Group::new(Delimiter::Brace, quote! { #typed #body });
    braces.set_span(Span::call_site().located_at(function.braces));
    braces.to_tokens(&mut block);
    block
}

/// `error` as the compiler shows it, and `item`.
fn with_error(error: &Error, item: TokenStream) -> TokenStream {
    let mut tokens = error.to_compile_error();
    tokens.extend(item);
    tokens
}
