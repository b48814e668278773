//! The macros of the module `sim`: places in programs that a simulation knows by name.

#[doc(hidden)]
#[macro_export]
macro_rules! __sim_buggify {
    () => {
        $crate::sim::buggify!(0.25)
    };
    ($chance:expr $(,)?) => {
        $crate::sim::points::buggify(
            ::core::concat!(::core::file!(), ":", ::core::line!()),
            $chance,
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __sim_always {
    ($holds:expr, $name:literal $(,)?) => {
        $crate::sim::always!($holds, $name, "it does not hold")
    };
    ($holds:expr, $name:literal, $($text:tt)+) => {
        $crate::sim::points::always($name, $holds, || ::std::format!($($text)+))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __sim_sometimes {
    ($holds:expr, $name:literal $(,)?) => {
        $crate::sim::points::sometimes($name, $holds)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __sim_point {
    ($name:literal $(,)?) => {
        $crate::sim::points::point($name)
    };
}
