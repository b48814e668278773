//! `task_local!`: values that belong to a task as `thread_local!`'s belong to a thread.

/// Declares keys of task-local values; each is a `static` of type
/// [`LocalKey`](crate::task::LocalKey).
///
/// A key has a value inside of its `scope`, nowhere else: a task that is spawned in there starts
/// without one.
///
/// ```
/// yamanote::task_local! {
///     /// Who is served.
///     pub static USER: String;
///     static REQUEST: u64;
/// }
///
/// # async fn example() {
/// let length = USER.scope("alice".to_owned(), async { USER.with(String::len) }).await;
/// assert_eq!(length, 5);
/// # }
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    (
        $($(#[$attribute:meta])* $visibility:vis static $name:ident: $value:ty);+ $(;)?
    ) => {$(
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$value> = {
            ::std::thread_local! {
                static SLOT: ::std::cell::RefCell<::core::option::Option<$value>> =
                    const { ::std::cell::RefCell::new(::core::option::Option::None) };
            }
            $crate::task::LocalKey { inner: SLOT }
        };
    )+};
}
