//! Expansions name everything by full paths: they work where names mean something else.

#![allow(dead_code, unused_macros)]

/// Where there is no prelude at all.
#[no_implicit_prelude]
mod without_a_prelude {
    // The attributes' own path is `tokio`, by design: whoever re-exports the crate relies on it.
    use ::tokio;

    #[::tokio::main(flavor = "current_thread")]
    pub(crate) async fn main() -> ::std::result::Result<u32, ::std::string::String> {
        let (one, two) = ::tokio::join!(async { 1 }, async { 2 });
        let three = ::tokio::try_join!(biased; async {
            ::std::result::Result::<u32, ::std::string::String>::Ok(3)
        })?
        .0;
        ::tokio::pin! {
            let four = async { 4 };
        }
        let five = ::tokio::select! {
            biased;
            _ = ::std::future::pending::<()>(), if one == two => 0,
            four = &mut four, if one != two => four + 1,
            else => 0,
        };
        NUMBER.scope(6, async {}).await;
        ::std::result::Result::Ok(one + two + three + five)
    }

    ::tokio::task_local! {
        static NUMBER: u32;
    }

    #[::tokio::test]
    async fn a_test() {
        ::std::assert_eq!(NUMBER.scope(6, async { NUMBER.get() }).await, 6);
    }
}

/// Where the names of the prelude are other things.
mod with_shadowed_names {
    struct Ok;
    struct Err;
    struct Some;
    struct None;
    struct Option;
    struct Result;
    struct Poll;
    struct Pin;
    struct Default;
    struct Future;
    struct Send;
    struct Box;
    struct Vec;
    mod core {}
    mod std {}

    macro_rules! panic {
        ($($anything:tt)*) => {
            compile_error!("not this one")
        };
    }
    macro_rules! assert {
        ($($anything:tt)*) => {
            compile_error!("not this one")
        };
    }
    const T0: u32 = 1;
    const DISABLED: u32 = 2;

    tokio::task_local! {
        static NUMBER: u32;
    }

    #[tokio::main]
    pub(crate) async fn main() -> u32 {
        let _ = (Ok, Err, Some, None, Option, Result, Poll, Pin);
        let _ = (Default, Future, Send, Box, Vec);
        let (slot, cx) = (10, 20);
        let (one, two) = tokio::join!(async { slot }, async { cx });
        let three = tokio::select! {
            T0 = async { DISABLED } => 0,
            index = async { T0 } => index + slot,
        };
        NUMBER
            .scope(one + two + three, async { NUMBER.get() })
            .await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_test() {
        tokio::task::yield_now().await;
    }
}

/// Where the crate has another name, and its own one means something else.
mod under_another_name {
    use ::std as tokio;
    use ::tokio as station;

    mod deep {
        pub(super) mod inside {
            pub(crate) use ::tokio as runtime_crate;
        }
    }

    #[station::main(crate = "station", flavor = "local")]
    pub(crate) async fn main() -> u32 {
        let task = station::task::spawn_local(async { 3 });
        let (three, four) = station::join!(task, async { 4 });
        tokio::assert_eq!(four, 4);
        three.expect("it does not panic")
    }

    #[deep::inside::runtime_crate::test(crate = "deep::inside::runtime_crate")]
    async fn a_path_of_several_segments() {
        station::spawn(async {}).await.expect("it does not panic");
    }
}

/// What user macros pass on arrives in groups and with spans of its own.
mod out_of_macros {
    macro_rules! program {
        ($name:ident, $flavor:literal, $threads:expr, $wait:expr, $output:ty) => {
            #[tokio::main(flavor = $flavor, worker_threads = $threads)]
            pub(crate) async fn $name() -> $output {
                tokio::select! {
                    output = $wait => output,
                    else => unreachable!(),
                }
            }
        };
    }

    program!(main, "multi_thread", 2, async { 5 }, u32);
}

#[test]
fn expansions_work_where_names_mean_something_else() {
    assert_eq!(without_a_prelude::main(), Ok(11));
    assert_eq!(with_shadowed_names::main(), 41);
    assert_eq!(under_another_name::main(), 3);
    assert_eq!(out_of_macros::main(), 5);
}
