//! JSON of hooks: bodies that name the field at fault without repeating it, and account records from strangers.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::serve::hooks::event::told;
use crate::serve::hooks::refusal::Refusal;
use crate::wire::AccountRecord;

/// Reads a body.
///
/// # Errors
/// Names the field whose type is wrong. What serde says of it is left out, since it repeats the value.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let is_data = error.inner().is_data();
        match is_data && path != "." {
            true => Refusal::malformed(path, "has another type than the platform sends"),
            false => not_json(),
        }
    })?;
    deserializer.end().map_err(|_| not_json())?;
    Ok(read)
}

fn not_json() -> Refusal {
    Refusal::malformed("body", "expected one JSON object in UTF-8")
}

/// An account record as a stranger sent it, with the picture's address beside the contract's ways to give one.
pub(crate) struct Told {
    /// The record, its id set.
    pub record: AccountRecord,
    /// `avatar.url`.
    pub picture: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pictured {
    avatar: Option<PictureAddress>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PictureAddress {
    url: Option<String>,
}

/// Reads an account record out of `data`; `subject` is its id where it has none.
///
/// # Errors
/// A field of another type, no id, or a picture by path: files of this machine are not for the sender to name.
pub(crate) fn account(data: &Value, subject: Option<&str>) -> Result<Told, Refusal> {
    if !data.is_object() {
        return Err(Refusal::malformed("data", "expected an account record"));
    }
    let bytes = data.to_string().into_bytes();
    let within = |refusal: Refusal| refusal.within("data");
    let mut record: AccountRecord = read(&bytes).map_err(within)?;
    let pictured: Pictured = read(&bytes).map_err(within)?;
    record.id = told(record.id).or_else(|| subject.map(str::to_owned));
    if record.id.is_none() {
        return Err(Refusal::malformed("data.id", "every account needs an id"));
    }
    if let Some(avatar) = &record.avatar {
        if avatar.path.is_some() {
            let reason = "a hook cannot name files: give pdq, base64 or url";
            return Err(Refusal::malformed("data.avatar.path", reason));
        }
        if avatar.pdq.is_none() && avatar.base64.is_none() {
            record.avatar = None;
        }
    }
    record.mirror_of = None;
    record.tactic = None;
    Ok(Told {
        record,
        picture: pictured.avatar.and_then(|avatar| told(avatar.url)),
    })
}
