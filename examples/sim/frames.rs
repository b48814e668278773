//! A server reads frames in a `select!` beside a clock. `read_exact` is not cancel safe: when the
//! clock ticks in the middle of a frame, what was read of it is gone, and all that follows is out
//! of step.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sim::Sim;
use tokio::time::{interval, sleep};

use crate::{Form, finds, passes};

const PORT: u16 = 7002;
const FRAMES: u32 = 20;

/// Reads frames of eight bytes, a number and its complement; the sum of all numbers.
async fn receive(form: Form, mut stream: TcpStream) -> io::Result<u32> {
    let mut clock = interval(Duration::from_millis(7));
    let mut frame = [0; 8];
    let (mut filled, mut count, mut sum) = (0, 0, 0);
    while count < FRAMES {
        let start = if form == Form::Buggy { 0 } else { filled };
        let read = async {
            match form {
                Form::Buggy => stream.read_exact(&mut frame).await,
                Form::Fixed => stream.read(&mut frame[start..]).await,
            }
        };
        tokio::select! {
            read = read => filled = start + read?,
            _ = clock.tick() => continue,
        }
        if filled == frame.len() {
            filled = 0;
            count += 1;
            sum += number(frame);
        }
    }
    Ok(sum)
}

fn number(frame: [u8; 8]) -> u32 {
    let [a, b, c, d, w, x, y, z] = frame;
    let number = u32::from_be_bytes([a, b, c, d]);
    assert_eq!(u32::from_be_bytes([w, x, y, z]), !number, "out of step");
    number
}

async fn server(form: Form) -> io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    let (stream, _) = listener.accept().await?;
    let sum = receive(form, stream).await?;
    assert_eq!(sum, (0..FRAMES).sum());
    Ok(())
}

async fn client() -> io::Result<()> {
    let mut stream = TcpStream::connect(("server", PORT)).await?;
    for number in 0..FRAMES {
        stream.write_all(&number.to_be_bytes()).await?;
        sleep(Duration::from_millis(1)).await;
        stream.write_all(&(!number).to_be_bytes()).await?;
    }
    stream.shutdown().await?;
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}

pub(crate) async fn world(sim: Sim, form: Form) {
    sim.host("server", move || server(form));
    sim.client("client", client()).await.unwrap().unwrap();
}

#[test]
fn a_frame_that_is_read_beside_a_clock_falls_apart() {
    let failure = finds("frames", |sim| world(sim, Form::Buggy));
    assert!(failure.text.contains("out of step"), "{failure}");
}

#[test]
fn a_frame_whose_bytes_are_kept_stays_whole() {
    passes("frames", |sim| world(sim, Form::Fixed));
}
