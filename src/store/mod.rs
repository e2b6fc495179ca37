//! What must outlive the process: entries, the log of changes, accounts seen, what people judged, and the database's own facts.
//!
//! The only room that names RocksDB. A change is one batch, written through the synced log before it is acknowledged;
//! what is read back decodes or is named as damaged, never a panic. The byte layout is in `FORMAT.md`.

mod codec;
mod database;
mod decisions;
mod facts;
mod key;
mod manifest;
mod rulings;
mod segment_file;
mod standings;
mod summary;
mod verify;

pub(crate) use crate::store::codec::SeenAccount;
pub use crate::store::database::Access;
pub(crate) use crate::store::database::{Change, Store, make_private};
pub(crate) use crate::store::decisions::raised_at;
pub use crate::store::decisions::{DecidedHit, Decision};
pub(crate) use crate::store::key::Side;
pub(crate) use crate::store::manifest::{Manifest, SegmentRecord};
pub(crate) use crate::store::segment_file::{Stamp, Unusable};
pub(crate) use crate::store::verify::Verification;
