//! Pieces that are written together: [`write()`].

use std::io::{self, IoSlice, Write};

/// So many bytes are copied in less time than the system takes to look at a list of pieces.
const SHORT: usize = 1024;

/// Writes `pieces` to a socket, or a part of them, as `write_vectored` does: so many bytes.
///
/// A list costs the system a quarter of a microsecond more than one piece does, so what is short
/// is put together first: the head of an answer and its body, say.
///
/// # Errors
/// Those of the socket.
pub fn write(mut socket: impl Write, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    // Of nothing, a list and a piece are not the same to a broken connection.
    if pieces.iter().all(|piece| piece.is_empty()) {
        return socket.write_vectored(pieces);
    }
    if let [piece] = pieces {
        return socket.write(piece);
    }
    let mut together = [0; SHORT];
    let mut len = 0;
    for piece in pieces {
        let Some(place) = together[len..].get_mut(..piece.len()) else {
            return socket.write_vectored(pieces);
        };
        place.copy_from_slice(piece);
        len += piece.len();
    }
    socket.write(&together[..len])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written, and how many pieces at once.
    #[derive(Default)]
    struct Written {
        bytes: Vec<u8>,
        pieces: Vec<usize>,
    }

    impl Write for &mut Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
            self.pieces.push(pieces.len());
            pieces
                .iter()
                .for_each(|piece| self.bytes.extend_from_slice(piece));
            Ok(pieces.iter().map(|piece| piece.len()).sum())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Writes pieces of these lengths; how many pieces the socket saw.
    fn seen(lens: &[usize]) -> usize {
        let all: Vec<u8> = (0..=u8::MAX).cycle().take(lens.iter().sum()).collect();
        let mut left = &all[..];
        let pieces = lens.iter().map(|len| {
            let (piece, rest) = left.split_at(*len);
            left = rest;
            IoSlice::new(piece)
        });
        let pieces: Vec<_> = pieces.collect();
        let mut written = Written::default();
        assert_eq!(write(&mut written, &pieces).unwrap(), all.len());
        assert_eq!(written.bytes, all);
        assert_eq!(written.pieces.len(), 1, "one call");
        written.pieces[0]
    }

    #[test]
    fn short_pieces_are_one_and_long_ones_stay_a_list() {
        assert_eq!(seen(&[130, 0, 13]), 1);
        assert_eq!(seen(&[SHORT - 1, 1]), 1);
        assert_eq!(seen(&[SHORT, 1]), 2);
        assert_eq!(seen(&[1, 100 * SHORT, 1]), 3);
        assert_eq!(seen(&[100 * SHORT]), 1);
    }

    #[test]
    fn nothing_stays_the_list_that_it_is() {
        assert_eq!(seen(&[]), 0);
        assert_eq!(seen(&[0]), 1);
        assert_eq!(seen(&[0, 0]), 2);
    }
}
