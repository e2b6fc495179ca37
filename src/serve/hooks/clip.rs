//! What of a platform's own record is past the contract's limits is cut off, and the account screened with the rest.
//!
//! A person writes their profile, and the platform cannot mend it: turned down for its length, it would be an account that
//! nobody screened. An id that is too long ends in a digest of the whole, so that two of them stay two.

use sha2::{Digest, Sha256};

use crate::account::{BAN_TEXT_BYTES_MAX, BIO_BYTES_MAX, ID_BYTES_MAX, LINKS_MAX, NAME_BYTES_MAX};
use crate::normalize::html::text_and_links;
use crate::wire::AccountRecord;

/// Bytes of an id's digest, in hex.
const DIGEST_LEN: usize = 32;

/// `record` within the limits of the contract, without any NUL.
pub(crate) fn clipped(mut record: AccountRecord) -> AccountRecord {
    record.id = record.id.map(identified);
    for name in [
        &mut record.handle,
        &mut record.display_name,
        &mut record.location,
    ] {
        cut(name, NAME_BYTES_MAX);
    }
    bio_and_links(&mut record);
    if let Some(ban) = &mut record.ban {
        cut(&mut ban.reason, BAN_TEXT_BYTES_MAX);
    }
    record
}

fn cut(text: &mut Option<String>, bytes_max: usize) {
    if let Some(text) = text {
        text.retain(|c| c != '\0');
        text.truncate(boundary(text, bytes_max));
    }
}

/// The last place up to `bytes_max` at which `text` may be cut.
fn boundary(text: &str, bytes_max: usize) -> usize {
    let mut places = (0..=bytes_max.min(text.len())).rev();
    let place = places.find(|place| text.is_char_boundary(*place));
    place.unwrap_or_default()
}

/// Links count together with those in the bio. Where they are too many the bio loses its markup, since its links are told.
fn bio_and_links(record: &mut AccountRecord) {
    cut(&mut record.bio, BIO_BYTES_MAX);
    let (text, found) = text_and_links(record.bio.as_deref().unwrap_or_default());
    let mut links = record.links.take().unwrap_or_default();
    for link in &mut links {
        link.retain(|c| c != '\0');
    }
    if links.len() + found.len() > LINKS_MAX {
        links.extend(found);
        links.truncate(LINKS_MAX);
        record.bio = Some(text.replace('<', " "));
    }
    record.links = (!links.is_empty()).then_some(links);
}

fn identified(id: String) -> String {
    let id = id.replace('\0', "");
    if id.len() <= ID_BYTES_MAX {
        return id;
    }
    let digest = Sha256::digest(&id);
    let hex = digest.iter().take(DIGEST_LEN / 2);
    let hex: String = hex.map(|byte| format!("{byte:02x}")).collect();
    let kept = boundary(&id, ID_BYTES_MAX - DIGEST_LEN - 1);
    format!("{}~{hex}", id.get(..kept).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::clipped;
    use crate::format::Parser;
    use crate::wire::{AccountRecord, BanRecord};

    #[test]
    fn whatever_a_person_writes_is_within_the_limits() {
        let long = "\u{430}b\0".repeat(100_000);
        let links: String = (0..3_000).map(|n| format!("<a href=x.y/{n}>")).collect();
        for (bio, named) in [
            (long.clone(), None),
            (links.clone(), None),
            (links, Some(vec!["a\0b.example".to_owned(); 990])),
            (
                "&lt;".repeat(15_000) + "<p>",
                Some(vec![String::new(); 2_000]),
            ),
        ] {
            let record = AccountRecord {
                id: Some(format!("matrix:@{long}:test.local")),
                handle: Some(long.clone()),
                display_name: Some(long.clone()),
                location: Some(long.clone()),
                bio: Some(bio),
                links: named,
                ban: Some(BanRecord {
                    reason: Some(long.clone()),
                    ..BanRecord::default()
                }),
                ..AccountRecord::default()
            };
            let account = Parser::remote().labelled(clipped(record)).unwrap().account;
            assert!(account.id().as_str().starts_with("matrix:@"));
            assert!(account.handle.len() > 1_000 && account.handle.starts_with("\u{430}b"));
        }
    }

    #[test]
    fn ids_that_differ_at_their_end_stay_two() {
        let id = |end: &str| {
            let record = AccountRecord {
                id: Some(format!("matrix:@{}{end}", "a".repeat(300))),
                ..AccountRecord::default()
            };
            clipped(record).id
        };
        assert_ne!(id("b"), id("c"));
        assert_eq!(id("b"), id("b"));
    }
}
