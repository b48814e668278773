//! What can be set of TCP's and UDP's sockets: an option is a line of a table.

/// Writes getters and setters of options for a socket with a field `io` that is a
/// [`Resource`](yamanote_driver::resource::Resource), or has `option` and `set_option` as that has.
///
/// A line names getter and setter, the type, the system's getter and setter, and the field in
/// which a simulated socket remembers it.
macro_rules! socket_options {
    ($(
        $(#[$doc:meta])*
        $get:ident, $set:ident: $Value:ty = $os_get:ident, $os_set:ident, $field:ident;
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// Those of the system.
        pub fn $get(&self) -> std::io::Result<$Value> {
            self.io.option(|socket| socket.$os_get(), |options| options.$field)
        }

        #[doc = concat!("Sets [`", stringify!($get), "`](Self::", stringify!($get), ").")]
        ///
        /// # Errors
        /// Those of the system.
        pub fn $set(&self, value: $Value) -> std::io::Result<()> {
            self.io.set_option(|socket| socket.$os_set(value), |options| options.$field = value)
        }
    )*};
}

/// Writes `linger` and what sets it.
macro_rules! linger_options {
    () => {
        /// How long closing waits for unsent data.
        ///
        /// # Errors
        /// Those of the system.
        pub fn linger(&self) -> std::io::Result<Option<std::time::Duration>> {
            self.io
                .option(|socket| socket.linger(), |options| options.linger)
        }

        /// Sets [`linger`](Self::linger): closing blocks the thread as long, which is seldom
        /// wanted.
        ///
        /// # Errors
        /// Those of the system.
        #[deprecated = "`SO_LINGER` causes the socket to block the thread on drop"]
        pub fn set_linger(&self, linger: Option<std::time::Duration>) -> std::io::Result<()> {
            self.set_linger_to(linger)
        }

        /// Makes closing reset the connection and drop unsent data.
        ///
        /// # Errors
        /// Those of the system.
        pub fn set_zero_linger(&self) -> std::io::Result<()> {
            self.set_linger_to(Some(std::time::Duration::ZERO))
        }

        fn set_linger_to(&self, linger: Option<std::time::Duration>) -> std::io::Result<()> {
            self.io.set_option(
                |socket| socket.set_linger(linger),
                |options| options.linger = linger,
            )
        }
    };
}

/// Writes `tos_v4`, and `tos`, its name of old.
macro_rules! tos_options {
    () => {
        socket_options! {
            /// Type of service of its packets (IPv4).
            tos_v4, set_tos_v4: u32 = tos_v4, set_tos_v4, tos;
        }

        /// Type of service of its packets (IPv4).
        ///
        /// # Errors
        /// Those of the system.
        #[deprecated = "`tos` related methods have been renamed `tos_v4` since they are \
                        IPv4-specific"]
        #[doc(hidden)]
        pub fn tos(&self) -> std::io::Result<u32> {
            self.tos_v4()
        }

        /// Sets the type of service of its packets (IPv4).
        ///
        /// # Errors
        /// Those of the system.
        #[deprecated = "`tos` related methods have been renamed `tos_v4` since they are \
                        IPv4-specific"]
        #[doc(hidden)]
        pub fn set_tos(&self, tos: u32) -> std::io::Result<()> {
            self.set_tos_v4(tos)
        }
    };
}

/// Writes `device` and `bind_device`, which only Linux has.
#[allow(unused_macros)] // Elsewhere.
macro_rules! device_options {
    () => {
        /// The interface that it is bound to.
        ///
        /// # Errors
        /// Those of the system.
        pub fn device(&self) -> std::io::Result<Option<Vec<u8>>> {
            self.io.option(|socket| socket.device(), |_| None)
        }

        /// Binds it to an interface, or to none.
        ///
        /// # Errors
        /// Those of the system: no such interface, not allowed.
        pub fn bind_device(&self, interface: Option<&[u8]>) -> std::io::Result<()> {
            self.io
                .set_option(|socket| socket.bind_device(interface), |_| ())
        }
    };
}
