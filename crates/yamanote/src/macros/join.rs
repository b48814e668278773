//! `join!` and `try_join!`: several futures in one task, until all are finished or one failed.

/// Waits for several futures at once and returns all outputs as a tuple.
///
/// The futures run in the current task: concurrently, not in parallel, and none of them needs to be
/// `Send` or `'static` for it. Each poll begins one future further, so that one which uses up the
/// task's budget does not starve the others; `join!(biased; a, b)` always begins with the first.
///
/// *Cancel safety*: dropping it drops all futures, finished or not.
///
/// ```
/// # async fn example() {
/// let (one, two) = yamanote::join!(async { 1 }, async { "two" });
/// assert_eq!((one, two), (1, "two"));
/// # }
/// ```
#[macro_export]
macro_rules! join {
    ($(biased;)?) => {
        ()
    };
    (biased; $($future:expr),+ $(,)?) => {
        $crate::__join!(@name all Biased {} $($future,)+)
    };
    ($($future:expr),+ $(,)?) => {
        $crate::__join!(@name all Rotating {} $($future,)+)
    };
}

/// Waits for several futures that return `Result`, until all returned `Ok` or one returned `Err`.
///
/// The result is `Ok` with a tuple of all values, or the first error; the other futures are dropped
/// then, finished or not. Errors must be of one type. Order and `biased;` are those of `join!`.
///
/// *Cancel safety*: dropping it drops all futures, finished or not.
///
/// ```
/// # async fn example() {
/// let both = yamanote::try_join!(async { Ok(1) }, async { Err::<u32, _>("no") });
/// assert_eq!(both, Err("no"));
/// # }
/// ```
#[macro_export]
macro_rules! try_join {
    ($(biased;)?) => {
        ::core::result::Result::Ok(())
    };
    (biased; $($future:expr),+ $(,)?) => {
        $crate::__join!(@name first_error Biased {} $($future,)+)
    };
    ($($future:expr),+ $(,)?) => {
        $crate::__join!(@name first_error Rotating {} $($future,)+)
    };
}

/// The common part of `join!` and `try_join!`, which differ in `support::all` and
/// `support::first_error`.
///
/// First each future gets a variable: they are all called `slot`, but each comes from an expansion
/// of its own, so they are different ones.
#[doc(hidden)]
#[macro_export]
macro_rules! __join {
    (@name $until:ident $order:ident {$($named:tt)*} $future:expr, $($rest:tt)*) => {
        $crate::__join!(@name $until $order {$($named)* (slot $future)} $($rest)*)
    };

    (@name $until:ident $order:ident {$(($slot:ident $future:expr))+}) => {{
        // One `let` for all: what the expressions borrow from temporaries lives as long as `slots`.
        let ($($slot,)+) = ($($future,)+);
        let mut slots = ($($crate::macros::support::joined($slot),)+);
        let slots = &mut slots;
        let mut order = $crate::macros::support::$order::start();
        let outputs = $crate::macros::support::poll_fn(move |cx| {
            let count = $crate::macros::support::count(&[$(::core::stringify!($slot)),+]);
            let mut pending = false;
            let ($($slot,)+) = &mut *slots;
            $crate::__pin_in_place!($($slot)+);
            for lap in $crate::macros::support::laps(order.next_start(count), count) {
                let mut index = 0u32;
                $(
                    if lap.contains(&index) {
                        match $crate::macros::support::$until::poll($slot.as_mut(), cx) {
                            $crate::macros::support::Polled::Finished => {}
                            $crate::macros::support::Polled::Waits => pending = true,
                            $crate::macros::support::Polled::Ends(outputs) => {
                                return $crate::macros::support::Poll::Ready(outputs);
                            }
                        }
                    }
                    index += 1;
                )+
            }
            if pending {
                $crate::macros::support::Poll::Pending
            } else {
                let outputs = ($($crate::macros::support::$until::take($slot),)+);
                let outputs = $crate::macros::support::$until::finished(outputs);
                $crate::macros::support::Poll::Ready(outputs)
            }
        })
        .await;
        outputs
    }};
}
