//! A branch below `else`.

async fn waits() {
    tokio::select! {
        else => {}
        _ = async {} => {}
    }
}

fn main() {}
