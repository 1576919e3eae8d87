//! Lines of a file, one at a time, none longer than memory allows.

use std::io::{self, BufRead, BufReader, Read};

/// A longer line is none that was written here.
const MAX_LINE: u64 = 16 << 20;

/// Lines of a reader without the byte that ends them.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    /// Number of the line that was read last, from 1.
    pub(super) number: u64,
    /// Bytes of whole lines so far, with their ends.
    pub(super) whole_bytes: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(32 << 10, reader),
            line: Vec::new(),
            number: 0,
            whole_bytes: 0,
        }
    }

    /// The next line that is whole. A last one without its end, cut by a kill, is none.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(MAX_LINE);
        let read = limited.read_until(b'\n', &mut self.line)? as u64;
        if self.line.last() != Some(&b'\n') {
            if read == MAX_LINE {
                let reason = format!("line {} is longer than {MAX_LINE} bytes", self.number + 1);
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
            return Ok(None);
        }
        self.line.pop();
        self.number += 1;
        self.whole_bytes += read;
        Ok(Some(&self.line))
    }

    /// Whether a piece of a line came after the last whole one.
    pub(super) fn is_cut(&self) -> bool {
        !self.cut().is_empty()
    }

    /// What came after the last whole line, once there is no more.
    pub(super) fn cut(&self) -> &[u8] {
        &self.line
    }
}

/// Number of whole lines in a reader.
pub(super) fn count(reader: impl Read) -> io::Result<usize> {
    let mut lines = Lines::new(reader);
    while lines.next()?.is_some() {}
    Ok(usize::try_from(lines.number).unwrap_or(usize::MAX))
}
