//! Opens an input: its format, its compression, its lines.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::{Error, Rejection, Result};
use crate::format::csv_lines::CsvLines;
use crate::format::ndjson::NdjsonLines;
use crate::wire::AccountRecord;

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// How records are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated with a header.
    Csv,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            _ => Err("expected ndjson or csv".into()),
        }
    }
}

/// One record's place and content.
#[derive(Debug)]
pub struct Line {
    /// Line of the input, from 1.
    pub number: u64,
    /// The unparsed record, or why there is none.
    pub body: Result<Body, Rejection>,
}

impl Line {
    /// Bytes held for the unparsed record.
    pub(crate) fn len_bytes(&self) -> usize {
        match &self.body {
            Ok(Body::Json(bytes)) => bytes.len(),
            _ => 0,
        }
    }
}

/// A record not yet parsed.
#[derive(Debug)]
pub enum Body {
    /// The bytes of a JSON object.
    Json(Vec<u8>),
    /// A record read from columns.
    Columns(Box<AccountRecord>),
}

/// An input to read records from.
#[derive(Debug, Clone)]
pub struct Input {
    path: PathBuf,
    format: Format,
}

impl Input {
    /// The input at `path` (`-` is standard input), in `format` or the one its name tells.
    ///
    /// # Errors
    /// No format given, and the name tells none that is read.
    pub fn new(path: &Path, format: Option<Format>) -> Result<Self> {
        let format = match format.or_else(|| format_of(path)) {
            Some(format) => format,
            None if path == Path::new("-") => Format::Ndjson,
            None => {
                return Err(Error::Malformed {
                    what: path.display().to_string(),
                    reason: "the name tells no format (.ndjson, .jsonl, .csv, each also .gz or .zst); give --format".into(),
                });
            }
        };
        Ok(Self {
            path: path.to_owned(),
            format,
        })
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True for standard input.
    pub fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    /// The folder that picture paths are relative to.
    pub fn folder(&self) -> PathBuf {
        self.path.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// Bytes of the file, where it is one.
    pub fn len_bytes(&self) -> Option<u64> {
        std::fs::metadata(&self.path)
            .ok()
            .filter(std::fs::Metadata::is_file)
            .map(|file| file.len())
    }

    /// Opens the input; `counted` sees every byte read from the disk, before decompression.
    ///
    /// # Errors
    /// The file cannot be opened, or a compressed one has no valid header.
    pub fn lines(
        &self,
        counted: impl Fn(u64) + Send + 'static,
    ) -> Result<Box<dyn Iterator<Item = Line> + Send>> {
        let io = |source| Error::io(&self.path, source);
        let raw: Box<dyn Read + Send> = if self.is_stdin() {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(&self.path).map_err(io)?)
        };
        let raw = Counted {
            inner: raw,
            counted,
        };
        let extension = self.path.extension().and_then(|named| named.to_str());
        let plain: Box<dyn Read + Send> = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(
                BUFFER_BYTES,
                raw,
            ))),
            Some("zst") => Box::new(zstd::stream::read::Decoder::new(raw).map_err(io)?),
            _ => Box::new(raw),
        };
        let reader = BufReader::with_capacity(BUFFER_BYTES, plain);
        Ok(match self.format {
            Format::Ndjson => Box::new(NdjsonLines::new(reader)),
            Format::Csv => Box::new(CsvLines::new(reader)),
        })
    }
}

struct Counted<R, F> {
    inner: R,
    counted: F,
}

impl<R: Read, F: Fn(u64)> Read for Counted<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.inner.read(buffer)?;
        (self.counted)(len as u64);
        Ok(len)
    }
}

fn format_of(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let name = name
        .strip_suffix(".gz")
        .or(name.strip_suffix(".zst"))
        .unwrap_or(&name);
    let extension = name.rsplit_once('.')?.1;
    match extension {
        "json" => Some(Format::Ndjson),
        _ => extension.parse().ok(),
    }
}
