//! A string whose bytes are lent out while something is appended to them: [`StringLoan`].

use std::io;
use std::mem;

/// The borrower's side of a string: empty until the bytes are given back.
#[derive(Debug)]
pub(crate) struct StringLoan<'a> {
    string: &'a mut String,
    len_before: usize,
    returned: bool,
}

impl<'a> StringLoan<'a> {
    /// Takes the bytes out of `string`.
    pub(crate) fn take(string: &'a mut String) -> (Self, Vec<u8>) {
        let bytes = mem::take(string).into_bytes();
        (
            Self {
                string,
                len_before: bytes.len(),
                returned: false,
            },
            bytes,
        )
    }

    /// Gives the bytes back, or only those of before if not all are UTF-8.
    ///
    /// # Errors
    /// `InvalidData` with the [`Utf8Error`](std::str::Utf8Error) in the latter case.
    pub(crate) fn give_back(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        match String::from_utf8(bytes) {
            Ok(string) => {
                *self.string = string;
                self.returned = true;
                Ok(())
            }
            Err(invalid) => {
                let error = invalid.utf8_error();
                self.give_back_before(invalid.into_bytes());
                Err(io::Error::new(io::ErrorKind::InvalidData, error))
            }
        }
    }

    /// Gives back only the bytes of before; does nothing if that was done already.
    pub(crate) fn give_back_before(&mut self, mut bytes: Vec<u8>) {
        if !self.returned {
            bytes.truncate(self.len_before);
            *self.string = String::from_utf8(bytes).expect("it was a string before the loan");
            self.returned = true;
        }
    }
}
