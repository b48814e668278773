//! Answers `GET /` through axum; prints its address. See `server`.

mod builder;
mod server;

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

fn main() -> std::io::Result<()> {
    server::run(serve())
}

async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // It would only answer later.
        let _ = stream.set_nodelay(true);
    });
    let app = Router::new().route("/", get(|| async { "Hello, World!" }));
    axum::serve(listener, app).await
}
