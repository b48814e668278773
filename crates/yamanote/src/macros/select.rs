//! `select!`: several futures in one task, until one of them finishes.
//!
//! Branches are read one by one; each gets a variable for its future (all called `slot`, but each
//! from an expansion of its own, so they are different ones) and a variant of the output type. Then
//! all is written out at once: futures in a tuple, a closure that polls them, and a `match` over
//! what it returned, where the handlers stand. So handlers may `break`, `return` and `?`, and run
//! after the futures are gone.

/// Waits for several futures at once; runs the handler of the first that finishes with an output
/// that fits its branch's pattern, and drops the others.
///
/// ```text
/// select! {
///     biased;                                                // optional: poll top to bottom
///     <pattern> = <future> [, if <condition>] => <handler>,  // 1 to 64 of these
///     else => <handler>,                                     // optional
/// }
/// ```
///
/// 1. All conditions are evaluated; a branch whose condition is false is disabled.
/// 2. All future expressions are evaluated, those of disabled branches too. What implements
///    `IntoFuture` will do. A variable that is to be polled again later must be passed by
///    reference, pinned: `&mut future`.
/// 3. The futures are polled in the current task, beginning with a random branch, or with the
///    first if `biased;` is given; a task that has used up its budget polls none and lets others
///    run.
/// 4. When a future finishes, its output is matched with the pattern. If it fits, all futures are
///    dropped and the handler's value is the value of `select!`; if not, the branch is disabled
///    and the others go on.
/// 5. When all branches are disabled, the handler of `else` runs.
///
/// With `biased;` a branch that is always ready starves those below it: put those that are rarely
/// ready, like a signal to shut down, on top.
///
/// *Cancel safety*: futures that are dropped before they finish may lose what they have read so
/// far. Receiving from a channel, accepting a connection, `read`, `tick` lose nothing;
/// `read_exact`, `read_line`, `write_all` do, and so does `lock` its place in the queue. The
/// documentation of each says so.
///
/// # Panics
/// When all branches are disabled and there is no `else`.
///
/// ```
/// # async fn example() {
/// let first = yamanote::select! {
///     word = async { "now" } => word,
///     _ = std::future::pending::<()>() => "never",
/// };
/// assert_eq!(first, "now");
/// # }
/// ```
#[macro_export]
macro_rules! select {
    ($(biased;)?) => {
        ::core::compile_error!("select! needs at least one branch")
    };
    (biased; $($branches:tt)+) => {
        $crate::__select!(@each start_biased $($branches)+)
    };
    ($($branches:tt)+) => {
        $crate::__select!(@each start_fair $($branches)+)
    };
}

/// What `select!` expands to.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    (@each $start:ident $($branches:tt)+) => {
        $crate::__select!(@branch $start {
            T0 T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15 T16 T17 T18 T19 T20 T21 T22 T23
            T24 T25 T26 T27 T28 T29 T30 T31 T32 T33 T34 T35 T36 T37 T38 T39 T40 T41 T42 T43 T44
            T45 T46 T47 T48 T49 T50 T51 T52 T53 T54 T55 T56 T57 T58 T59 T60 T61 T62 T63
        } {} $($branches)+)
    };

    // The end of the list, with and without `else`.
    (@branch $start:ident {$($variants:ident)*} {$($read:tt)*} else => $else:expr $(,)?) => {
        $crate::__select!(@emit $start {$($read)*} {$else})
    };
    (@branch $start:ident {$($variants:ident)*} {$($read:tt)*} else => $($rest:tt)+) => {
        ::core::compile_error!("the `else` branch of select! must be the last one")
    };
    (@branch $start:ident {$($variants:ident)*} {$($read:tt)*}) => {
        $crate::__select!(@emit $start {$($read)*} {
            ::core::panic!("all branches are disabled and there is no else branch")
        })
    };

    (@branch $start:ident {} {$($read:tt)*} $($rest:tt)+) => {
        ::core::compile_error!("select! takes at most 64 branches")
    };

    // A handler that is a block needs no comma; any other needs one unless it is the last.
    (@branch $start:ident {$variant:ident $($variants:ident)*} {$($read:tt)*}
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:block, $($rest:tt)*
    ) => {
        $crate::__select!(@branch $start {$($variants)*} {
            $($read)* ($variant slot ($pattern) ($future) ($($condition)?) ($handler))
        } $($rest)*)
    };
    (@branch $start:ident {$variant:ident $($variants:ident)*} {$($read:tt)*}
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:block $($rest:tt)*
    ) => {
        $crate::__select!(@branch $start {$($variants)*} {
            $($read)* ($variant slot ($pattern) ($future) ($($condition)?) ($handler))
        } $($rest)*)
    };
    (@branch $start:ident {$variant:ident $($variants:ident)*} {$($read:tt)*}
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:expr $(, $($rest:tt)*)?
    ) => {
        $crate::__select!(@branch $start {$($variants)*} {
            $($read)* ($variant slot ($pattern) ($future) ($($condition)?) ($handler))
        } $($($rest)*)?)
    };

    (@emit $start:ident {} {$else:expr}) => {
        $else
    };
    (@emit $start:ident {$((
        $variant:ident $slot:ident
        ($pattern:pat) ($future:expr) ($($condition:expr)?) ($handler:expr)
    ))+} {$else:expr}) => {{
        enum __YamanoteSelected<$($variant),+> {
            $($variant($variant),)+
            Disabled,
        }

        let mut selected = {
            let mut enabled = $crate::macros::support::Enabled::ALL;
            let mut index = 0u32;
            $(
                $(enabled.keep_if(index, $condition);)?
                index += 1;
            )+
            // One `let` for all: what the expressions borrow from temporaries lives as long as
            // `slots`.
            let ($($slot,)+) = ($($future,)+);
            let mut slots = ($($crate::macros::support::future($slot),)+);
            let slots = &mut slots;
            let selected = $crate::macros::support::poll_fn(move |cx| {
                if $crate::macros::support::poll_budget(cx).is_pending() {
                    return $crate::macros::support::Poll::Pending;
                }
                let count = $crate::macros::support::count(&[$(::core::stringify!($variant)),+]);
                let mut pending = false;
                let ($($slot,)+) = &mut *slots;
                $crate::__pin_in_place!($($slot)+);
                let start = $crate::macros::support::$start(count);
                for lap in enabled.laps(start) {
                    let mut index = 0u32;
                    $(
                        if lap.has(index) {
                            // `map` keeps the type, where a variable of type `!` would lose it.
                            let mut polled =
                                $crate::macros::support::Future::poll($slot.as_mut(), cx)
                                    .map(__YamanoteSelected::$variant);
                            // Whether the pattern fits, without moving anything: bindings take
                            // their values only when the guard holds, and it never does. (What
                            // is assigned then gives a type to a future that can only panic.)
                            let mut fits = false;
                            #[allow(unreachable_patterns, unused_mut, unused_variables)]
                            match polled {
                                $crate::macros::support::Poll::Ready(
                                    __YamanoteSelected::$variant($pattern)
                                ) if { fits = true; false } => {
                                    polled = $crate::macros::support::call(
                                        || ::core::unreachable!()
                                    )
                                    .map(__YamanoteSelected::$variant);
                                }
                                $crate::macros::support::Poll::Ready(_) => enabled.remove(index),
                                $crate::macros::support::Poll::Pending => pending = true,
                            }
                            if fits {
                                return polled;
                            }
                        }
                        index += 1;
                    )+
                }
                if pending {
                    $crate::macros::support::Poll::Pending
                } else {
                    $crate::macros::support::Poll::Ready(__YamanoteSelected::Disabled)
                }
            })
            .await;
            selected
        };
        match selected {
            $(__YamanoteSelected::$variant($pattern) => $handler,)+
            __YamanoteSelected::Disabled => $else,
            _ => ::core::unreachable!("the pattern did fit"),
        }
    }};
}
