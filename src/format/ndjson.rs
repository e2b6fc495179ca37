//! Lines of NDJSON: bounded in memory, resuming after every broken one.

use std::io::BufRead;

use crate::error::Rejection;
use crate::format::input::{Body, Line};

/// Longest record, in bytes.
pub(crate) const RECORD_BYTES_MAX: usize = 1 << 20;

/// Lines of a reader. A line past the limit is skipped without being held; empty lines are no records.
pub(crate) struct NdjsonLines<R> {
    reader: R,
    number: u64,
    is_done: bool,
}

impl<R: BufRead> NdjsonLines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            number: 0,
            is_done: false,
        }
    }

    /// Reads up to the next line end; keeps at most one byte more than the limit. `None` at the end of the input.
    fn line(&mut self) -> std::io::Result<Option<(Vec<u8>, usize)>> {
        let (mut kept, mut len) = (Vec::new(), 0);
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() {
                return Ok((len > 0).then_some((kept, len)));
            }
            let end = memchr::memchr(b'\n', buffer);
            let taken = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or(buffer);
            let room = (RECORD_BYTES_MAX + 1).saturating_sub(kept.len());
            kept.extend_from_slice(taken.get(..room).unwrap_or(taken));
            len += taken.len();
            let used = taken.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some((kept, len)));
            }
        }
    }
}

impl<R: BufRead> Iterator for NdjsonLines<R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        while !self.is_done {
            self.number += 1;
            let (bytes, len) = match self.line() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    // A broken stream (a cut .gz, say) has no next line to resume at.
                    self.is_done = true;
                    let rejection = Rejection::new("unreadable", "record", error.to_string());
                    return Some(Line {
                        number: self.number,
                        body: Err(rejection),
                    });
                }
            };
            let bytes = strip_ends(bytes, self.number == 1);
            if len > RECORD_BYTES_MAX {
                let reason = format!("{len} bytes, the limit of a record is {RECORD_BYTES_MAX}");
                let rejection = Rejection::new("too_long", "record", reason);
                return Some(Line {
                    number: self.number,
                    body: Err(rejection),
                });
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Some(Line {
                    number: self.number,
                    body: Ok(Body::Json(bytes)),
                });
            }
        }
        None
    }
}

/// Drops a carriage return, and a byte order mark at the start of the input.
fn strip_ends(mut bytes: Vec<u8>, is_first: bool) -> Vec<u8> {
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    if is_first && bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &[u8]) -> Vec<(u64, Option<&'static str>)> {
        let lines = NdjsonLines::new(std::io::BufReader::with_capacity(7, text));
        lines
            .map(|line| (line.number, line.body.err().map(|rejection| rejection.code)))
            .collect()
    }

    #[test]
    fn lines_are_counted_and_empty_ones_skipped() {
        assert_eq!(numbers(b"{}\r\n\n  \n{}"), [(1, None), (4, None)]);
        assert_eq!(numbers(b""), []);
    }

    #[test]
    fn a_line_past_the_limit_does_not_take_the_next_with_it() {
        let mut text = vec![b'x'; RECORD_BYTES_MAX + 1];
        text.extend(b"\n{}\n");
        assert_eq!(numbers(&text), [(1, Some("too_long")), (2, None)]);
    }
}
