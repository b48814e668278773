//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use crate::load::Load;
use crate::service::Config;

/// What `--help` prints.
pub const HELP: &str = "\
station: a durable key-value and publish/subscribe service over HTTP

  station [OPTIONS]          serve
    --addr ADDR              listen here                  [127.0.0.1:6142]
    --data DIR               keep the log here            [./station-data]
    --max-connections N      more are answered 503        [10000]
    --max-body BYTES         longer ones are answered 413 [1048576]

  station load [OPTIONS]     drive a running station and measure it
    --addr ADDR              where it listens             [127.0.0.1:6142]
    --connections N          at a time                    [100]
    --seconds S              for how long                 [10]
    --writes PERCENT         of the requests are PUT      [10]
    --value BYTES            length of a value            [100]
";

/// The longest `--max-body`: a frame of the log holds at least one value.
const BODY_MAX: usize = 64 << 20;

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Serve.
    Serve(SocketAddr, Config),
    /// Drive a running service.
    Load(Load),
    /// Print the help.
    Help,
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// A sentence about the argument that is wrong.
pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut args = args.into_iter().peekable();
    if args.next_if(|arg| arg == "load").is_some() {
        return parse_load(args);
    }
    args.next_if(|arg| arg == "serve");
    let (mut addr, mut config) = (default_addr(), Config::default());
    while let Some(option) = args.next() {
        match option.as_str() {
            "--addr" => addr = value(&option, args.next())?,
            "--data" => config.data = value(&option, args.next())?,
            "--max-connections" => config.connections_max = value(&option, args.next())?,
            "--max-body" => config.body_max = value(&option, args.next())?,
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("{option}: no such option; --help lists them")),
        }
    }
    in_range("--max-connections", config.connections_max, 1, 1_000_000)?;
    in_range("--max-body", config.body_max, 1, BODY_MAX)?;
    Ok(Command::Serve(addr, config))
}

fn parse_load(mut args: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut load = Load {
        addr: default_addr(),
        connections: 100,
        duration: Duration::from_secs(10),
        writes_percent: 10,
        value_len: 100,
    };
    while let Some(option) = args.next() {
        match option.as_str() {
            "--addr" => load.addr = value(&option, args.next())?,
            "--connections" => load.connections = value(&option, args.next())?,
            "--seconds" => load.duration = Duration::from_secs(value(&option, args.next())?),
            "--writes" => load.writes_percent = value(&option, args.next())?,
            "--value" => load.value_len = value(&option, args.next())?,
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("{option}: no such option; --help lists them")),
        }
    }
    in_range("--connections", load.connections, 1, 100_000)?;
    in_range("--seconds", load.duration.as_secs() as usize, 1, 86_400)?;
    in_range("--writes", load.writes_percent as usize, 0, 100)?;
    in_range("--value", load.value_len, 0, BODY_MAX)?;
    Ok(Command::Load(load))
}

fn default_addr() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 6142))
}

fn value<T: std::str::FromStr>(option: &str, arg: Option<String>) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    let arg = arg.ok_or_else(|| format!("{option} needs a value"))?;
    arg.parse()
        .map_err(|error| format!("{option} {arg}: {error}"))
}

fn in_range(option: &str, given: usize, min: usize, max: usize) -> Result<(), String> {
    if (min..=max).contains(&given) {
        Ok(())
    } else {
        Err(format!("{option} {given}: must be {min} to {max}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn without_arguments_it_serves_where_the_readme_says() {
        let Ok(Command::Serve(addr, config)) = parsed("") else {
            panic!("it serves")
        };
        assert_eq!(addr.to_string(), "127.0.0.1:6142");
        assert_eq!(config.data.to_str(), Some("station-data"));
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (line, said) in [
            ("--adr 1", "--adr: no such option"),
            ("--addr", "--addr needs a value"),
            ("--max-body x", "--max-body x: invalid digit"),
            ("load --connections 0", "--connections 0: must be 1 to"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.starts_with(said), "{line}: {error}");
        }
    }
}
