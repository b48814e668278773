//! Buffers that are longer than the kernel counts in one call.

use std::io::{Read, Write};
use std::thread;

use super::{each_way, pair};

/// More than `i32::MAX`. Of a vector of zeros nothing takes place that is not written.
const LEN: usize = (1 << 31) + 4096;

/// Reads up to so many bytes, or to the end of the stream; how many came.
fn count(mut from: impl Read) -> usize {
    let (mut buffer, mut len) = (vec![1; 1 << 20], 0);
    while len < LEN {
        match from.read(&mut buffer).unwrap() {
            0 => break,
            read => len += read,
        }
    }
    len
}

async fn send() {
    let (client, mut server) = pair().await;
    let reader = thread::spawn(move || count(client));
    let (sent, buffer) = server.send_all(vec![0_u8; LEN]).await;
    assert_eq!((sent.unwrap(), buffer.len()), ((), LEN));
    drop(server);
    assert_eq!(reader.join().unwrap(), LEN);
}

async fn receive() {
    let (mut client, mut server) = pair().await;
    client.write_all(b"abc").unwrap();
    let (read, buffer) = server.recv(vec![0_u8; LEN]).await;
    assert_eq!((read.unwrap(), &buffer[..4]), (3, &b"abc\0"[..]));
}

#[test]
fn a_buffer_of_more_than_two_gigabytes_is_sent_to_its_end() {
    each_way(|runtime| runtime.block_on(send()));
}

#[test]
fn a_buffer_of_more_than_two_gigabytes_is_received_into() {
    each_way(|runtime| runtime.block_on(receive()));
}
