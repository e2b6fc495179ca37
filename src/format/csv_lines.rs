//! Rows of CSV: columns are the contract's fields, with dots for what is nested (`ban.reason`, `avatar.pdq`).
//!
//! `links` is a JSON array or one URL; `tokens.NAME` makes a token. Unknown columns are ignored, empty cells are missing.

use std::collections::BTreeMap;
use std::io::Read;

use csv::{ByteRecord, Reader, ReaderBuilder};

use crate::error::Rejection;
use crate::format::input::{Body, Line};
use crate::format::ndjson::RECORD_BYTES_MAX;
use crate::wire::{AccountRecord, AvatarRecord, BanRecord};

/// Rows of a reader, the header read first.
pub(crate) struct CsvLines<R> {
    reader: Reader<R>,
    header: Option<Vec<String>>,
    is_done: bool,
}

impl<R: Read> CsvLines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader: ReaderBuilder::new().flexible(true).from_reader(reader),
            header: None,
            is_done: false,
        }
    }

    fn header(&mut self) -> Result<Vec<String>, Rejection> {
        let header = self
            .reader
            .byte_headers()
            .map_err(|error| unreadable(&error))?;
        let names: Vec<String> = header
            .iter()
            .map(|name| {
                String::from_utf8_lossy(name)
                    .trim()
                    .trim_start_matches('\u{feff}')
                    .to_ascii_lowercase()
            })
            .collect();
        if !names.is_empty() && !names.iter().any(|name| name == "id") {
            return Err(Rejection::new(
                "missing_field",
                "id",
                "the CSV header has no column `id`",
            ));
        }
        Ok(names)
    }
}

impl<R: Read> Iterator for CsvLines<R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        if self.is_done {
            return None;
        }
        if self.header.is_none() {
            match self.header() {
                Ok(header) => self.header = Some(header),
                Err(rejection) => {
                    self.is_done = true;
                    return Some(Line {
                        number: 1,
                        body: Err(rejection),
                    });
                }
            }
        }
        let mut row = ByteRecord::new();
        let read = self.reader.read_byte_record(&mut row);
        let number = row
            .position()
            .map_or_else(|| self.reader.position().line(), csv::Position::line);
        let body = match read {
            Ok(false) => return None,
            Ok(true) => record(self.header.as_deref().unwrap_or_default(), &row),
            Err(error) => {
                self.is_done = error.is_io_error();
                Err(unreadable(&error))
            }
        };
        Some(Line {
            number,
            body: body.map(|record| Body::Columns(Box::new(record))),
        })
    }
}

fn unreadable(error: &csv::Error) -> Rejection {
    Rejection::new("unreadable", "record", error.to_string())
}

fn record(header: &[String], row: &ByteRecord) -> Result<AccountRecord, Rejection> {
    if row.as_slice().len() > RECORD_BYTES_MAX {
        let reason = format!(
            "{} bytes, the limit of a record is {RECORD_BYTES_MAX}",
            row.as_slice().len()
        );
        return Err(Rejection::new("too_long", "record", reason));
    }
    let mut record = AccountRecord::default();
    let (mut avatar, mut ban, mut tokens) = (
        AvatarRecord::default(),
        BanRecord::default(),
        BTreeMap::new(),
    );
    for (name, cell) in header.iter().zip(row) {
        let cell = std::str::from_utf8(cell)
            .map_err(|_| Rejection::new("invalid_utf8", name.as_str(), "the cell is not UTF-8"))?;
        if cell.is_empty() {
            continue;
        }
        let text = Some(cell.to_owned());
        match name.as_str() {
            "id" => record.id = text,
            "platform" => record.platform = text,
            "kind" => record.kind = text,
            "handle" => record.handle = text,
            "display_name" => record.display_name = text,
            "bio" => record.bio = text,
            "location" => record.location = text,
            "links" => record.links = Some(links(cell)?),
            "created_at" => record.created_at = text,
            "mirror_of" => record.mirror_of = text,
            "tactic" => record.tactic = text,
            "avatar.pdq" | "avatar_pdq" => avatar.pdq = text,
            "avatar.quality" | "avatar_quality" => avatar.quality = Some(quality(cell)?),
            "avatar.path" | "avatar_path" => avatar.path = text,
            "avatar.base64" => avatar.base64 = text,
            "ban.reason" | "ban_reason" | "reason" => ban.reason = text,
            "ban.network" | "ban_network" | "network" => ban.network = text,
            "ban.source" | "ban_source" | "source" => ban.source = text,
            "ban.banned_at" | "banned_at" => ban.banned_at = text,
            "ban.expires_at" | "expires_at" => ban.expires_at = text,
            name => {
                if let Some(token) = name.strip_prefix("tokens.") {
                    tokens.insert(token.to_owned(), cell.to_owned());
                }
            }
        }
    }
    record.avatar = (avatar != AvatarRecord::default()).then_some(avatar);
    record.ban = (ban != BanRecord::default()).then_some(ban);
    record.tokens = (!tokens.is_empty()).then_some(tokens);
    Ok(record)
}

fn links(cell: &str) -> Result<Vec<String>, Rejection> {
    if !cell.trim_start().starts_with('[') {
        return Ok(cell.split_whitespace().map(str::to_owned).collect());
    }
    serde_json::from_str(cell).map_err(|error| {
        Rejection::new(
            "invalid_value",
            "links",
            format!("not a JSON array of strings: {error}"),
        )
    })
}

fn quality(cell: &str) -> Result<u8, Rejection> {
    cell.parse()
        .map_err(|_| Rejection::new("invalid_value", "avatar.quality", "expected 0 to 100"))
}
