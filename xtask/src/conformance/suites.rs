//! The table of suites: which published crates are run, at which version, with which features.

use super::variants::Variant;

/// The version of tokio that `compat/tokio` stands in for.
pub(super) const TOKIO: &str = "1.54.1";

/// A published crate and how its tests are run.
#[derive(Debug)]
pub(super) struct Suite {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// The package with the tests.
    pub(super) package: &'static str,
    /// Its version.
    pub(super) version: &'static str,
    /// The features it is built with, besides the default ones.
    pub(super) features: &'static [&'static str],
    /// What the compiler is told about all crates of the suite.
    pub(super) rustflags: &'static str,
    /// What is taken from the package.
    pub(super) kind: Kind,
    /// What it is built for, and run on.
    pub(super) platform: Platform,
    /// The beginnings of the names of its targets; all targets if there are none.
    pub(super) files: &'static [&'static str],
    /// The crates that its tests only name and that were never published; empty ones are put there.
    pub(super) unpublished: &'static [&'static str],
    /// Whether it is one of the [`FIELD`], which run only if they are named.
    pub(super) is_field: bool,
}

impl Suite {
    /// Whether it runs when no suite is named.
    pub(super) fn is_usual(&self) -> bool {
        self.platform == Platform::Own && !self.is_field
    }
}

/// What names, on the command line, the suites of crates that others have built upon tokio.
pub(super) const FIELD: &str = "field";

/// Which targets of a suite are built and run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selection<'a> {
    pub(super) suite: &'static Suite,
    /// Only those that can come out differently in this variant.
    pub(super) affected_by: Option<&'static Variant>,
    /// Only those that were named; all if there are none.
    pub(super) only: &'a [String],
}

impl Selection<'_> {
    /// Whether it is all that the suite has.
    pub(super) fn is_whole(&self) -> bool {
        self.only.is_empty() && self.affected_by.is_none_or(Variant::is_usual)
    }

    /// Whether the target of this label or name is among them.
    pub(super) fn wants(&self, label: &str) -> bool {
        let name = label.trim_start_matches("lib:");
        let named = |only: &String| only == label || only.trim_start_matches("lib:") == label;
        let files = self.suite.files;
        (files.is_empty() || files.iter().any(|start| name.starts_with(start)))
            && (self.only.is_empty() || self.only.iter().any(named))
            && (self.affected_by).is_none_or(|variant| variant.can_affect(self.suite, name))
    }
}

/// What a suite is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    /// This machine.
    Own,
    /// Windows; run under Wine, and only if it is named.
    Windows,
}

/// What is taken from a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The whole package, whose dependency on tokio is patched.
    Package,
    /// Tokio's `tests/`, as the tests of an empty crate that depends on the patched tokio.
    TokioTests,
    /// The examples in tokio's documentation, as those of an empty crate.
    TokioDocs,
}

const FULL: &[&str] = &["full"];
const TOKIO_FULL: &[&str] = &["full", "test-util"];
const TOKIO_UNSTABLE: &[&str] = &["full", "test-util", "tracing"];
const UNSTABLE: &str = "--cfg tokio_unstable";

/// Every suite.
pub(super) const SUITES: &[Suite] = &[
    tokio("tokio", Kind::TokioTests),
    Suite {
        features: TOKIO_UNSTABLE,
        rustflags: UNSTABLE,
        ..tokio("tokio-unstable", Kind::TokioTests)
    },
    tokio("tokio-doc", Kind::TokioDocs),
    Suite {
        platform: Platform::Windows,
        files: &[
            "fs", "net_", "process_", "tcp_", "udp", "sync_", "time_", "task_", "rt_",
        ],
        ..tokio("tokio-windows", Kind::TokioTests)
    },
    package("tokio-util", "0.7.20", FULL),
    package("tokio-stream", "0.1.19", FULL),
    package("tokio-test", "0.4.6", &[]),
    package("tower", "0.5.3", FULL),
    package("actix-rt", "2.15.0", &[]),
    package("bb8", "0.9.1", &[]),
    package("mini-redis", "0.4.1", &[]),
    field("hyper-util", "0.1.21", FULL),
    field("tower-http", "0.7.1", FULL),
    field("quinn", "0.11.12", &[]),
    field("wiremock", "0.6.5", &[]),
    field("object_store", "0.14.2", &["fs"]),
    field("moka", "0.12.16", &["future"]),
    field("deadpool", "0.13.1", &[]),
    field("kameo", "0.22.2", &[]),
    field("async-stream", "0.3.6", &[]),
    field("hyper", "1.12.0", FULL),
    field("tokio-retry", "0.3.2", &[]),
    field("actix-server", "2.10.0", &[]),
    field("turmoil", "0.7.2", &["regex", "unstable-fs"]),
    field("tokio-graceful-shutdown", "0.20.0", &[]),
    field("axum-server", "0.9.2", &[]),
    field("mockito", "1.7.2", &[]),
    field(
        "warp",
        "0.4.3",
        &["server", "test", "websocket", "multipart"],
    ),
    field("tarpc", "0.38.0", FULL),
    field("h2", "0.4.20", &[]),
    field("async-compression", "0.4.52", &["tokio", "all-algorithms"]),
    field("russh", "0.65.1", &[]),
    field("tokio-metrics", "0.5.2", &[]),
    field(
        "actix-http",
        "3.20.0",
        &["http2", "ws", "openssl", "rustls-0_23"],
    ),
    field("actix-web", "4.18.1", &["openssl", "rustls-0_23"]),
    field("salvo_core", "1.1.0", &["quinn", "rustls"]),
    field(
        "redis",
        "1.8.1",
        &[
            "tokio-comp",
            "connection-manager",
            "cluster-async",
            "cache-aio",
        ],
    ),
    field("tonic", "0.14.9", &["gzip", "tls-ring"]),
    field(
        "tokio-modbus",
        "0.17.0",
        &["tcp-server", "rtu-over-tcp-server", "rtu-server"],
    ),
    field("rumqttc", "0.25.1", &["websocket"]),
    field("lapin", "4.12.3", &[]),
    Suite {
        rustflags: UNSTABLE,
        ..field("console-subscriber", "0.5.0", &[])
    },
    field("actix", "0.13.5", &[]),
    field(
        "xtra",
        "0.6.0",
        &["tokio", "sink", "macros", "instrumentation"],
    ),
    field(
        "process-wrap",
        "10.0.1",
        &["std", "tokio1", "reset-sigmask"],
    ),
    field("tokio-seqpacket", "0.9.1", &[]),
    field("interprocess", "2.4.7", &["tokio"]),
    field("command-fds", "0.3.3", &["tokio"]),
    field("webrtc-util", "0.17.2", &[]),
    field("webrtc-sctp", "0.17.2", &[]),
    field("webrtc-data", "0.17.2", &[]),
    field("mobc", "0.9.0", &[]),
    field("leaky-bucket", "1.1.2", &[]),
    field("unicycle", "0.10.3", &[]),
    field("webrtc-ice", "0.17.2", &[]),
    field("turn", "0.17.2", &[]),
    field("interceptor", "0.17.2", &["tokio/test-util"]),
    field("aws-smithy-async", "1.3.1", &["rt-tokio", "test-util"]),
    field("tower-lsp", "0.20.0", &[]),
    field("actix-files", "0.7.3", &[]),
    field("zbus", "6.2.1", &["tokio-multithread", "p2p", "unixexec"]),
    Suite {
        unpublished: &["ractor_example_entry_proc"],
        ..field("ractor", "0.16.5", &["monitors"])
    },
    field(
        "axum",
        "0.8.9",
        &[
            "macros",
            "multipart",
            "ws",
            "http2",
            "__private",
            "axum-macros/__private",
        ],
    ),
    field("zeromq", "0.7.0", &[]),
    field(
        "poem",
        "3.1.12",
        &[
            "compression",
            "cookie",
            "multipart",
            "requestid",
            "rustls",
            "session",
            "sse",
            "static-files",
            "tempfile",
            "test",
            "tower-compat",
            "websocket",
        ],
    ),
    field("rocket", "0.5.2", &["http2", "json", "secrets", "tls"]),
    field("axum-test", "21.1.0", &["ws", "typed-routing"]),
    field(
        "opentelemetry_sdk",
        "0.33.1",
        &["testing", "rt-tokio", "rt-tokio-current-thread"],
    ),
    field("remoc", "0.20.5", &["full"]),
    field("tokio-pipe", "0.2.12", &[]),
    field("tokio-tar", "0.3.1", &[]),
    field("astral-tokio-tar", "0.7.0", &[]),
    field("kanal", "0.1.1", &[]),
    field("crossfire", "3.1.22", &["tokio"]),
    field("stream-cancel", "0.8.2", &[]),
    field("tokio-scoped", "0.2.0", &[]),
    field("tokio-context", "0.1.3", &[]),
    field("tokio-io-timeout", "1.2.1", &[]),
    field("tokio-rate-limit", "0.10.0", &[]),
    field("tokio-splice2", "0.3.2", &[]),
    field("tokio-timerfd", "0.2.0", &[]),
    field("tokio-eventfd", "0.2.2", &[]),
    field("inotify", "0.11.5", &[]),
    field("libp2p-tcp", "0.45.0", &["tokio"]),
    field("chitchat", "0.13.0", &["testsuite"]),
    field(
        "axum-extra",
        "0.12.6",
        &[
            "async-read-body",
            "attachment",
            "cached",
            "cookie-private",
            "cookie-signed",
            "erased-json",
            "error-response",
            "file-stream",
            "form",
            "handler",
            "json-deserializer",
            "json-lines",
            "middleware",
            "multipart",
            "optional-path",
            "query",
            "scheme",
            "typed-header",
            "typed-routing",
            "with-rejection",
            "axum/__private",
            "axum/query",
            "axum/form",
            "axum/json",
            "axum-macros/__private",
        ],
    ),
    field(
        "reqwest",
        "0.13.5",
        &[
            "blocking",
            "json",
            "gzip",
            "brotli",
            "deflate",
            "zstd",
            "stream",
            "multipart",
            "cookies",
            "http2",
            "socks",
            "form",
            "query",
        ],
    ),
    field("openraft", "0.9.25", &[]),
    field("opendal-core", "0.59.5", &[]),
    field(
        "socketioxide",
        "0.18.9",
        &[
            "__test_harness",
            "v4",
            "state",
            "extensions",
            "msgpack",
            "tracing",
        ],
    ),
    field(
        "lettre",
        "0.11.23",
        &["tokio1", "tokio1-native-tls", "file-transport"],
    ),
    field("actix-multipart", "0.8.5", &[]),
];

const fn tokio(name: &'static str, kind: Kind) -> Suite {
    Suite {
        package: "tokio",
        kind,
        ..package(name, TOKIO, TOKIO_FULL)
    }
}

const fn package(
    name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
) -> Suite {
    Suite {
        name,
        package: name,
        version,
        features,
        rustflags: "",
        kind: Kind::Package,
        platform: Platform::Own,
        files: &[],
        unpublished: &[],
        is_field: false,
    }
}

const fn field(
    name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
) -> Suite {
    Suite {
        is_field: true,
        ..package(name, version, features)
    }
}
