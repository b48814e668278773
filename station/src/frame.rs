//! Frames: how a batch of records lies in the log, and how a torn end is told from a corrupt
//! middle.
//!
//! A frame is one group commit. The next frame is written only after this one was synced, so only
//! the last frame of a log can be torn; whatever is broken before it was once whole and
//! acknowledged.

use std::fmt;

/// The first bytes of every log.
pub const MAGIC: &[u8; 8] = b"STATION1";
/// Bytes before a frame's body: length, checksum of the body, first sequence, checksum of these.
pub const HEADER_LEN: usize = 20;
/// The longest body of a frame, in bytes; a longer length in a header is corrupt.
pub const BODY_LEN_MAX: usize = 256 << 20;

const KIND_PUT: u8 = 1;
const KIND_DELETE: u8 = 2;
const RECORD_HEADER_LEN: usize = 9;

/// One change, as it is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// The key has this value from now on.
    Put {
        /// The key.
        key: &'a str,
        /// Its value.
        value: &'a [u8],
    },
    /// The key is gone.
    Delete {
        /// The key.
        key: &'a str,
    },
}

impl Record<'_> {
    /// Bytes that the record takes in a frame's body.
    pub fn encoded_len(&self) -> usize {
        match self {
            Record::Put { key, value } => RECORD_HEADER_LEN + key.len() + value.len(),
            Record::Delete { key } => RECORD_HEADER_LEN + key.len(),
        }
    }
}

/// A frame in the making.
#[derive(Debug)]
pub struct FrameBuilder {
    bytes: Vec<u8>,
    first_sequence: u64,
    records: u64,
}

impl FrameBuilder {
    /// An empty frame whose first record will have this sequence number.
    pub fn new(first_sequence: u64) -> Self {
        let bytes = vec![0; HEADER_LEN];
        Self {
            bytes,
            first_sequence,
            records: 0,
        }
    }

    /// Adds a record and returns its sequence number.
    pub fn push(&mut self, record: &Record<'_>) -> u64 {
        let (kind, key, value): (u8, &str, &[u8]) = match record {
            Record::Put { key, value } => (KIND_PUT, key, value),
            Record::Delete { key } => (KIND_DELETE, key, &[]),
        };
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&len_u32(key.len()));
        self.bytes.extend_from_slice(&len_u32(value.len()));
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(value);
        self.records += 1;
        self.first_sequence + self.records - 1
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How long its body is by now.
    pub fn body_len(&self) -> usize {
        self.bytes.len() - HEADER_LEN
    }

    /// The bytes to append to the log.
    pub fn finish(mut self) -> Vec<u8> {
        let body_crc = crc32fast::hash(&self.bytes[HEADER_LEN..]);
        let body_len = len_u32(self.body_len());
        self.bytes[0..4].copy_from_slice(&body_len);
        self.bytes[4..8].copy_from_slice(&body_crc.to_le_bytes());
        self.bytes[8..16].copy_from_slice(&self.first_sequence.to_le_bytes());
        let header_crc = crc32fast::hash(&self.bytes[..16]);
        self.bytes[16..20].copy_from_slice(&header_crc.to_le_bytes());
        self.bytes
    }
}

fn len_u32(len: usize) -> [u8; 4] {
    u32::try_from(len)
        .expect("keys, values and bodies are bounded far below 4 GiB")
        .to_le_bytes()
}

/// What a log holds, as far as it is sound.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Up to here, in bytes, the log is sound.
    pub sound_len: usize,
    /// The sequence number that the next record gets.
    pub next_sequence: u64,
    /// How many records were replayed.
    pub records: u64,
}

/// A log that lost what it had acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrupt {
    /// Where the broken frame begins, in bytes.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "corrupt at byte {}: {}; this is no torn tail, acknowledged writes would be lost by \
             going on: restore the file from a copy, or move it away to begin anew",
            self.offset, self.reason
        )
    }
}

impl std::error::Error for Corrupt {}

/// Replays a whole log, record by record, up to its end or to a torn tail.
///
/// # Errors
/// [`Corrupt`] if a frame is broken that had been acknowledged.
pub fn scan(log: &[u8], mut replay: impl FnMut(u64, Record<'_>)) -> Result<Scan, Corrupt> {
    let mut scan = Scan {
        next_sequence: 1,
        ..Scan::default()
    };
    if !log.starts_with(MAGIC) {
        let torn = MAGIC.starts_with(log) || log.iter().all(|&byte| byte == 0);
        let corrupt = Corrupt {
            offset: 0,
            reason: "it does not begin as a station's log does",
        };
        return if torn { Ok(scan) } else { Err(corrupt) };
    }
    scan.sound_len = MAGIC.len();
    while scan.sound_len < log.len() {
        let offset = scan.sound_len;
        let Some((header, body)) = whole_frame(log, offset, scan.next_sequence)? else {
            break;
        };
        scan.next_sequence = header.first_sequence;
        replay_body(body, &mut scan, &mut replay).map_err(|reason| Corrupt { offset, reason })?;
        scan.sound_len = offset + HEADER_LEN + header.body_len;
    }
    Ok(scan)
}

struct Header {
    body_len: usize,
    body_crc: u32,
    first_sequence: u64,
}

/// The frame at `offset`, or none if it is the torn tail.
fn whole_frame(
    log: &[u8],
    offset: usize,
    sequence_min: u64,
) -> Result<Option<(Header, &[u8])>, Corrupt> {
    let rest = &log[offset..];
    let Some(header) = parse_header(rest).filter(|h| h.first_sequence >= sequence_min) else {
        // Torn, unless a frame that was begun later is whole: then this one had been synced before
        // it. (Bytes of a torn frame's values that look like a whole frame make us refuse: the
        // safe side.)
        return if rest.len() > HEADER_LEN && later_frame_is_whole(&rest[1..], sequence_min) {
            Err(Corrupt {
                offset,
                reason: "a frame's header is broken, sound frames follow it",
            })
        } else {
            Ok(None)
        };
    };
    let Some(body) = rest.get(HEADER_LEN..HEADER_LEN + header.body_len) else {
        return Ok(None);
    };
    if crc32fast::hash(body) == header.body_crc {
        return Ok(Some((header, body)));
    }
    if rest.len() > HEADER_LEN + header.body_len {
        return Err(Corrupt {
            offset,
            reason: "a frame fails its checksum, and more follows it",
        });
    }
    Ok(None)
}

fn parse_header(bytes: &[u8]) -> Option<Header> {
    let header = bytes.get(..HEADER_LEN)?;
    if crc32fast::hash(&header[..16]) != u32_at(header, 16) {
        return None;
    }
    let body_len = u32_at(header, 0) as usize;
    let mut sequence = [0; 8];
    sequence.copy_from_slice(&header[8..16]);
    let first_sequence = u64::from_le_bytes(sequence);
    (1..=BODY_LEN_MAX).contains(&body_len).then_some(Header {
        body_len,
        body_crc: u32_at(header, 4),
        first_sequence,
    })
}

fn later_frame_is_whole(bytes: &[u8], sequence_min: u64) -> bool {
    (0..bytes.len()).any(|at| {
        let Some(header) = parse_header(&bytes[at..]) else {
            return false;
        };
        let body = bytes.get(at + HEADER_LEN..at + HEADER_LEN + header.body_len);
        header.first_sequence >= sequence_min
            && body.is_some_and(|body| crc32fast::hash(body) == header.body_crc)
    })
}

fn replay_body(
    mut body: &[u8],
    scan: &mut Scan,
    replay: &mut impl FnMut(u64, Record<'_>),
) -> Result<(), &'static str> {
    while !body.is_empty() {
        let (record, rest) =
            parse_record(body).ok_or("a record is not what this version writes")?;
        replay(scan.next_sequence, record);
        scan.next_sequence += 1;
        scan.records += 1;
        body = rest;
    }
    Ok(())
}

fn parse_record(body: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (header, rest) = body.split_at_checked(RECORD_HEADER_LEN)?;
    let (key, rest) = rest.split_at_checked(u32_at(header, 1) as usize)?;
    let (value, rest) = rest.split_at_checked(u32_at(header, 5) as usize)?;
    let key = std::str::from_utf8(key).ok()?;
    match header[0] {
        KIND_PUT => Some((Record::Put { key, value }, rest)),
        KIND_DELETE => Some((Record::Delete { key }, rest)),
        _ => None,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(frames: &[&[(&str, &str)]]) -> Vec<u8> {
        let mut log = MAGIC.to_vec();
        let mut sequence = 1;
        for records in frames {
            let mut frame = FrameBuilder::new(sequence);
            for (key, value) in *records {
                frame.push(&Record::Put {
                    key,
                    value: value.as_bytes(),
                });
            }
            sequence += frame.records();
            log.extend(frame.finish());
        }
        log
    }

    fn keys(log: &[u8]) -> Result<(Vec<String>, Scan), Corrupt> {
        let mut keys = Vec::new();
        let scan = scan(log, |_, record| match record {
            Record::Put { key, .. } | Record::Delete { key } => keys.push(key.to_owned()),
        })?;
        Ok((keys, scan))
    }

    #[test]
    fn what_was_written_is_replayed_in_order() {
        let log = log_of(&[&[("a", "1"), ("b", "2")], &[("c", "3")]]);
        let (keys, scan) = keys(&log).unwrap();
        assert_eq!(keys, ["a", "b", "c"]);
        assert_eq!(
            scan,
            Scan {
                sound_len: log.len(),
                next_sequence: 4,
                records: 3
            }
        );
    }

    #[test]
    fn a_log_cut_anywhere_replays_its_whole_frames() {
        let one = log_of(&[&[("a", "1")]]).len();
        let log = log_of(&[&[("a", "1")], &[("b", "2"), ("c", "3")]]);
        for len in 0..log.len() {
            let (keys, scan) = keys(&log[..len]).unwrap();
            let sound = if len < MAGIC.len() {
                0
            } else if len < one {
                MAGIC.len()
            } else {
                one
            };
            assert_eq!(scan.sound_len, sound, "cut at {len}");
            assert_eq!(keys.len(), usize::from(len >= one), "cut at {len}");
        }
    }

    #[test]
    fn a_last_frame_of_zeros_or_rubbish_is_a_torn_tail() {
        let sound = log_of(&[&[("a", "1")]]);
        for fill in [0_u8, 0xa5] {
            let mut log = sound.clone();
            log.extend([fill; 300]);
            assert_eq!(keys(&log).unwrap().1.sound_len, sound.len());
        }
    }

    #[test]
    fn a_flipped_bit_before_the_last_frame_is_corrupt_and_never_cut_off() {
        let first = log_of(&[&[("a", "1")]]).len();
        let log = log_of(&[&[("a", "1")], &[("b", "2")]]);
        for bit in MAGIC.len() * 8..first * 8 {
            let mut log = log.clone();
            log[bit / 8] ^= 1 << (bit % 8);
            let corrupt = keys(&log).expect_err("the first frame is broken");
            assert_eq!(corrupt.offset, MAGIC.len());
        }
    }

    #[test]
    fn another_kind_of_file_is_refused() {
        assert_eq!(keys(b"#!/bin/sh\necho hello").unwrap_err().offset, 0);
    }
}
