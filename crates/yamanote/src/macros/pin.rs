//! `pin!`: values pinned where they stand.

/// Pins local variables: each becomes a `Pin<&mut T>` of the same name.
///
/// A future has to be pinned to be awaited by reference, as in a `select!` in a loop. Unlike
/// `Box::pin` this allocates nothing; the value lives until the end of the surrounding block.
///
/// ```
/// async fn answer() -> u32 { 42 }
/// # async fn example() {
/// let first = answer();
/// yamanote::pin!(first);
/// yamanote::pin! {
///     let second = answer();
/// }
/// assert_eq!((&mut first).await + second.await, 84);
/// # }
/// ```
#[macro_export]
macro_rules! pin {
    ($($variable:ident),* $(,)?) => {$(
        #[allow(unused_mut)]
        let mut $variable = ::core::pin::pin!($variable);
    )*};
    ($(let $variable:ident = $value:expr;)*) => {$(
        let $variable = $value;
        #[allow(unused_mut)]
        let mut $variable = ::core::pin::pin!($variable);
    )*};
}

/// Turns variables that hold `&mut T` into `Pin<&mut T>`. For the other macros only: the values
/// must stay where they are until they are dropped.
#[cfg(feature = "macros")]
#[doc(hidden)]
#[macro_export]
macro_rules! __pin_in_place {
    ($($variable:ident)+) => {$(
        // SAFETY: `select!` and `join!` keep their futures in a tuple that nobody else can name,
        // and never move it once its address was taken.
        let mut $variable = unsafe { ::core::pin::Pin::new_unchecked($variable) };
    )+};
}
