//! The program: serves, or drives one that serves. `--help` says how.

#![forbid(unsafe_code)]

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use station::args::{self, Command, HELP};
use station::{Config, Service};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)) {
        Ok(Command::Serve(addr, config)) => match serve(addr, config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("station: {error}");
                ExitCode::FAILURE
            }
        },
        Ok(Command::Load(load)) => {
            let outcome = load.run(true).await;
            println!("{outcome}");
            ExitCode::from(u8::from(outcome.errors > 0))
        }
        Ok(Command::Help) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("station: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve(addr: SocketAddr, config: Config) -> io::Result<()> {
    let listener = TcpListener::bind(addr)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("{addr}: {error}")))?;
    let data = config.data.display().to_string();
    let service = Service::open(config).await?;
    let replay = service.replay();
    println!(
        "station: {} keys from {} records in {data}",
        service.keys(),
        replay.records
    );
    if replay.torn_bytes > 0 {
        let torn = replay.torn_bytes;
        println!("station: cut off {torn} bytes of a write that was never acknowledged");
    }
    println!(
        "station: serving on http://{} (Ctrl-C stops)",
        listener.local_addr()?
    );
    let in_time = service.run(listener, until_told()).await?;
    let how = if in_time {
        ""
    } else {
        "; some requests did not end in time"
    };
    println!("station: stopped{how}");
    Ok(())
}

async fn until_told() {
    if let Err(error) = station::terminated().await {
        eprintln!("station: signals cannot be heard ({error}); kill it to stop it");
        std::future::pending::<()>().await;
    }
    println!("station: draining");
}
