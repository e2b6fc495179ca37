//! Messages to the outside, and where those lie that nobody took: in memory, and from one run to the next in a file.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// Name of the file in the database's folder.
pub(in crate::serve) const FILE: &str = "undelivered.ndjson";
/// Letters are kept for so long, over any number of runs: as what was seen of an account is.
const KEPT_SECONDS: i64 = 30 * 86_400;
/// The file is rewritten by one at a time.
static WRITING: Mutex<()> = Mutex::new(());
/// Dead letters kept in memory.
const DEAD_MAX: usize = 1_000;

/// A message, the same for every endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its id: the same for every attempt, for the receiver to know repeats by.
    pub(crate) id: String,
    /// The body as it is sent.
    pub(crate) body: String,
}

impl Message {
    /// A message of one of our types, `org.mirrorwatch.flag.raised.v1` and the like, about `data`.
    pub(crate) fn of(id: impl Into<String>, kind: &str, at: jiff::Timestamp, data: &Value) -> Self {
        let body = json!({"type": kind, "timestamp": at.to_string(), "data": data});
        Self {
            id: id.into(),
            body: body.to_string(),
        }
    }

    /// Whether it tells of an account: as who was flagged, or as the entry it was flagged with.
    pub(in crate::serve) fn tells(&self, id: &str) -> bool {
        let Ok(body) = serde_json::from_str::<Value>(&self.body) else {
            return false;
        };
        let data = body.get("data");
        let hits = data.and_then(|data| data.get("hits")?.as_array());
        let told = hits.into_iter().flatten().map(|hit| hit.get("entry"));
        let named = ["id", "entry"].map(|name| data.and_then(|data| data.get(name)));
        let mut told = told.chain(named);
        told.any(|told| told.and_then(Value::as_str) == Some(id))
    }
}

/// A message nobody took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeadLetter {
    /// For whom it was.
    pub(crate) endpoint: String,
    /// What was to be told.
    pub(crate) message: Message,
    /// Attempts made.
    pub(crate) attempts: usize,
    /// Why it was given up.
    pub(crate) reason: String,
    /// When it was given up, or first left for another run.
    pub(crate) at: jiff::Timestamp,
    /// It was neither taken nor given up: the next run sends it.
    pub(crate) is_pending: bool,
    /// When a pending one is to be tried next; at once where that is not known.
    pub(crate) due: Option<jiff::Timestamp>,
}

impl DeadLetter {
    /// Endpoint and id of the message: there is one of each.
    pub(in crate::serve) fn key(&self) -> (String, String) {
        (self.endpoint.clone(), self.message.id.clone())
    }

    /// Whether it is past its time.
    fn is_over(&self, now: jiff::Timestamp) -> bool {
        now.as_second() - self.at.as_second() > KEPT_SECONDS
    }
}

/// Where messages go that nobody took. Called on an async thread: whoever writes to a disk hands it on.
pub(crate) trait DeadLetters: Send + Sync + 'static {
    /// Keeps one.
    fn bury(&self, letter: DeadLetter);
    /// The latest ones, the last first.
    fn latest(&self, limit: usize) -> Vec<DeadLetter>;
    /// Drops those that tell of an account.
    fn forget(&self, id: &str);
    /// Drops those past their time.
    fn forget_old(&self, now: jiff::Timestamp);
}

/// Dead letters in memory: all that are pending, and the last thousand of the others.
#[derive(Debug, Default)]
pub(crate) struct DeadInMemory(Mutex<Letters>);

#[derive(Debug, Default)]
struct Letters {
    given_up: VecDeque<DeadLetter>,
    pending: Vec<DeadLetter>,
}

impl DeadLetters for DeadInMemory {
    fn bury(&self, letter: DeadLetter) {
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if letter.is_pending {
            return letters.pending.push(letter);
        }
        if letters.given_up.len() >= DEAD_MAX {
            letters.given_up.pop_front();
        }
        letters.given_up.push_back(letter);
    }

    fn forget(&self, id: &str) {
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        letters.given_up.retain(|letter| !letter.message.tells(id));
        letters.pending.retain(|letter| !letter.message.tells(id));
    }

    fn forget_old(&self, now: jiff::Timestamp) {
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        letters.given_up.retain(|letter| !letter.is_over(now));
        letters.pending.retain(|letter| !letter.is_over(now));
    }

    fn latest(&self, limit: usize) -> Vec<DeadLetter> {
        let letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = letters.pending.iter().rev();
        let all = all.chain(letters.given_up.iter().rev());
        all.take(limit).cloned().collect()
    }
}

/// A letter as a line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    endpoint: String,
    id: String,
    body: String,
    attempts: usize,
    reason: String,
    at: String,
    is_pending: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
}

/// Writes letters, the last first, into a file of the database's folder, which nobody else may read: bodies hold what reports
/// hold. No secrets. Without letters there is no file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep(folder: &Path, letters: &[DeadLetter]) -> Result<()> {
    keep_unless(folder, letters, || false).map(drop)
}

/// The same, unless the letters are `stale` by then, which whoever erases has to say before [`forget_undelivered`]; whether it
/// did.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep_unless(
    folder: &Path,
    letters: &[DeadLetter],
    stale: impl FnOnce() -> bool,
) -> Result<bool> {
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    match stale() {
        true => Ok(false),
        false => written(folder, letters).map(|()| true),
    }
}

fn written(folder: &Path, letters: &[DeadLetter]) -> Result<()> {
    let path = folder.join(FILE);
    let io = |error| Error::io(&path, error);
    if letters.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io(error)),
            _ => Ok(()),
        };
    }
    let mut lines = Vec::new();
    // Oldest first, as they are taken in again.
    for letter in letters.iter().rev() {
        let line = Line {
            endpoint: letter.endpoint.clone(),
            id: letter.message.id.clone(),
            body: letter.message.body.clone(),
            attempts: letter.attempts,
            reason: letter.reason.clone(),
            at: letter.at.to_string(),
            is_pending: letter.is_pending,
            due: letter.due.map(|due| due.to_string()),
        };
        serde_json::to_writer(&mut lines, &line).map_err(|error| io(error.into()))?;
        lines.push(b'\n');
    }
    // Once a minute nothing has changed, mostly.
    if std::fs::read(&path).is_ok_and(|before| before == lines) {
        return Ok(());
    }
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(io)?;
    file.write_all(&lines).map_err(io)?;
    file.sync_all().map_err(io)?;
    std::fs::rename(&beside, &path).map_err(io)
}

/// What an earlier run left, the oldest first. Lines that cannot be read and letters past their time are passed over. The file
/// stays until it is written anew: should the service crash before, it is sent once more, and known by its id.
///
/// # Errors
/// The file is there and cannot be read.
pub(crate) fn left(folder: &Path, now: jiff::Timestamp) -> Result<Vec<DeadLetter>> {
    let path = folder.join(FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(&path, error)),
    };
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let mut letters = Vec::new();
    for line in lines {
        let letter = serde_json::from_slice::<Line>(line).ok().and_then(letter);
        match letter {
            Some(letter) if letter.is_over(now) => {}
            Some(letter) => letters.push(letter),
            None => tracing::warn!(path = %path.display(), "a line is no undelivered flag"),
        }
    }
    Ok(letters)
}

/// Takes what tells of an account out of what an earlier run left in `folder`: the file is written anew without it, and
/// without what cannot be read, which may tell of it too.
///
/// # Errors
/// The file cannot be read or written.
pub(crate) fn forget_undelivered(folder: &Path, id: &str) -> Result<()> {
    let now = jiff::Timestamp::now();
    kept_on(folder, now, |letter| !letter.message.tells(id))
}

/// Takes what is past its time out of what an earlier run left in `folder`: a run may be longer than letters are kept.
///
/// # Errors
/// The file cannot be read or written.
pub(crate) fn forget_old_undelivered(folder: &Path, now: jiff::Timestamp) -> Result<()> {
    kept_on(folder, now, |_| true)
}

/// Writes the file anew with the letters that are not past their time, and that `stays` says.
fn kept_on(folder: &Path, now: jiff::Timestamp, stays: impl Fn(&DeadLetter) -> bool) -> Result<()> {
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let beside = folder.join(FILE).with_extension("new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Error::io(&beside, error));
        }
        // What a stop that broke off left.
        _ => {}
    }
    if !folder.join(FILE).exists() {
        return Ok(());
    }
    let mut letters = left(folder, now)?;
    letters.retain(stays);
    letters.reverse();
    written(folder, &letters)
}

fn letter(line: Line) -> Option<DeadLetter> {
    Some(DeadLetter {
        endpoint: line.endpoint,
        message: Message {
            id: line.id,
            body: line.body,
        },
        attempts: line.attempts,
        reason: line.reason,
        at: line.at.parse().ok()?,
        is_pending: line.is_pending,
        due: line.due.and_then(|due| due.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::{
        DeadInMemory, DeadLetter, DeadLetters, FILE, KEPT_SECONDS, Message, forget_old_undelivered,
        forget_undelivered, keep, left,
    };

    #[test]
    fn letters_outlive_the_process_for_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let now = jiff::Timestamp::from_second(2_000_000_000).unwrap();
        let letter = |n: i64, is_pending| DeadLetter {
            endpoint: "e".to_owned(),
            message: Message {
                id: format!("flag_{n}"),
                body: "{\"a\":\"line\\nbreak\"}".to_owned(),
            },
            attempts: 2,
            reason: "answered 500".to_owned(),
            at: jiff::Timestamp::from_second(now.as_second() - n).unwrap(),
            is_pending,
            due: None,
        };
        assert_eq!(left(folder.path(), now).unwrap(), []);
        keep(folder.path(), &[]).unwrap();
        let letters = [
            letter(1, true),
            letter(2, false),
            letter(KEPT_SECONDS + 1, false),
        ];
        keep(folder.path(), &letters).unwrap();
        assert_eq!(
            left(folder.path(), now).unwrap(),
            [letter(2, false), letter(1, true)]
        );
        let file = folder.path().join(FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&file, "{}\nno json\n\n").unwrap();
        assert_eq!(left(folder.path(), now).unwrap(), []);
        keep(folder.path(), &[]).unwrap();
        assert!(!file.exists());
    }

    #[test]
    fn letters_past_their_time_go_while_the_service_runs() {
        let folder = tempfile::tempdir().unwrap();
        let now = jiff::Timestamp::from_second(2_000_000_000).unwrap();
        let letter = |n: i64, is_pending| DeadLetter {
            endpoint: "e".to_owned(),
            message: Message::of(format!("flag_{n}"), "kind", now, &serde_json::json!({})),
            attempts: 2,
            reason: "answered 500".to_owned(),
            at: jiff::Timestamp::from_second(now.as_second() - n).unwrap(),
            is_pending,
            due: None,
        };
        let all = [
            letter(0, true),
            letter(KEPT_SECONDS + 1, true),
            letter(0, false),
            letter(KEPT_SECONDS + 1, false),
        ];
        let dead = DeadInMemory::default();
        all.iter().for_each(|letter| dead.bury(letter.clone()));
        dead.forget_old(now);
        let young = [letter(0, true), letter(0, false)];
        assert_eq!(dead.latest(9), young);
        forget_old_undelivered(folder.path(), now).unwrap();
        keep(folder.path(), &all).unwrap();
        forget_old_undelivered(folder.path(), now).unwrap();
        let lines = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert_eq!(lines.lines().count(), 2);
        assert_eq!(
            left(folder.path(), now).unwrap(),
            [letter(0, false), letter(0, true)]
        );
    }

    #[test]
    fn what_an_earlier_run_left_forgets_an_account() {
        let folder = tempfile::tempdir().unwrap();
        forget_undelivered(folder.path(), "x:1").unwrap();
        let now = jiff::Timestamp::now();
        let letter = |number: u32, data: serde_json::Value| DeadLetter {
            endpoint: "e".to_owned(),
            message: Message::of(format!("flag_{number}"), "kind", now, &data),
            attempts: 2,
            reason: "answered 500".to_owned(),
            at: now,
            is_pending: true,
            due: None,
        };
        let other = |number| letter(number, serde_json::json!({"id": "x:9", "hits": []}));
        let letters = [
            other(1),
            letter(2, serde_json::json!({"id": "x:1"})),
            letter(
                3,
                serde_json::json!({"id": "x:2", "hits": [{"entry": "x:1"}]}),
            ),
            letter(4, serde_json::json!({"entry": "x:1", "flags": 12})),
            other(5),
        ];
        keep(folder.path(), &letters).unwrap();
        let file = folder.path().join(FILE);
        let beside = file.with_extension("new");
        std::fs::write(&beside, "{\"id\": \"x:1\"").unwrap();
        forget_undelivered(folder.path(), "x:1").unwrap();
        assert_eq!(left(folder.path(), now).unwrap(), [other(5), other(1)]);
        assert!(!beside.exists());
        forget_undelivered(folder.path(), "x:9").unwrap();
        assert!(!file.exists());
    }
}
