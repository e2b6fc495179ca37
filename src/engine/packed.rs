//! Entries on their way into columns: packed one by one, a tenth of what they take unpacked.
//!
//! They come in any order, from several threads, and leave by id. At ten million entries they are four gigabytes, so what was
//! packed is not copied as the load grows: blocks are handed on, shrunk to what they hold.

use jiff::Timestamp;
use rayon::prelude::ParallelSliceMut;

use crate::engine::columns::{NO_TIME, Row};
use crate::signal::handle::{Handle, HandleHint};
use crate::signal::packed::Packer;
use crate::watchlist::Entry;

/// Bytes from which on a block is full.
const BLOCK_LEN: usize = 1 << 20;

/// Entries packed one by one, in any order.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    /// Where each entry's id, network and fingerprint stand, in this order behind each other.
    places: Vec<Place>,
    blocks: Vec<Vec<u8>>,
    packer: Packer,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    block: u32,
    start: u32,
    id_len: u32,
    network_len: u32,
    print_len: u32,
    hint: HandleHint,
    /// As in [`Row`].
    banned_at: i64,
    expires_at: i64,
}

impl Packed {
    /// Adds an entry.
    pub(crate) fn push(&mut self, entry: &Entry) {
        let network = entry.network.as_deref().unwrap_or_default();
        self.packer.clear();
        entry.fingerprint.pack(&mut self.packer);
        let handle = entry.fingerprint.handle.as_ref();
        match self.blocks.last_mut() {
            Some(last) if last.len() < BLOCK_LEN => {}
            full => {
                full.into_iter().for_each(Vec::shrink_to_fit);
                self.blocks.push(Vec::new());
            }
        }
        let block = self.blocks.len().saturating_sub(1) as u32;
        let Some(bytes) = self.blocks.last_mut() else {
            return;
        };
        self.places.push(Place {
            block,
            start: bytes.len() as u32,
            id_len: entry.id.as_str().len() as u32,
            network_len: network.len() as u32,
            print_len: self.packer.bytes().len() as u32,
            hint: handle.map(Handle::hint).unwrap_or_default(),
            banned_at: seconds(entry.banned_at),
            expires_at: seconds(entry.expires_at),
        });
        bytes.extend_from_slice(entry.id.as_str().as_bytes());
        bytes.extend_from_slice(network.as_bytes());
        bytes.extend_from_slice(self.packer.bytes());
    }

    /// Adds the entries of `other`, in their order, after its own.
    pub(crate) fn append(&mut self, other: Packed) {
        let before = self.blocks.len() as u32;
        self.blocks
            .extend(other.blocks.into_iter().map(|mut block| {
                block.shrink_to_fit();
                block
            }));
        let places = other.places.into_iter().map(|place| Place {
            block: place.block + before,
            ..place
        });
        self.places.extend(places);
    }

    /// Entries added, those of equal ids too.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Ids that were added more than once, one time less than they were.
    pub(crate) fn repeated(&mut self) -> impl Iterator<Item = &str> {
        self.sort();
        let pairs = self.places.iter().zip(self.places.iter().skip(1));
        let ids = pairs.map(|(a, b)| (id_of(&self.blocks, a), id_of(&self.blocks, b)));
        ids.filter_map(|(a, b)| (a == b).then(|| std::str::from_utf8(a).ok())?)
    }

    /// Puts equal ids behind each other, in the order they were added in.
    fn sort(&mut self) {
        let blocks = &self.blocks;
        self.places.par_sort_unstable_by(|a, b| {
            let by_id = id_of(blocks, a).cmp(id_of(blocks, b));
            by_id.then((a.block, a.start).cmp(&(b.block, b.start)))
        });
    }

    /// Every entry, by id; of equal ids the one added last.
    pub(crate) fn sorted(&mut self) -> impl Iterator<Item = Row<'_>> + Clone {
        self.sort();
        let blocks = &self.blocks;
        let nexts = self.places.iter().skip(1).map(Some).chain([None]);
        let lasts = self.places.iter().zip(nexts).filter(move |(place, next)| {
            next.is_none_or(|next| id_of(blocks, next) != id_of(blocks, place))
        });
        lasts.filter_map(move |(place, _)| row_of(blocks, place))
    }
}

fn seconds(time: Option<Timestamp>) -> i64 {
    time.map_or(NO_TIME, Timestamp::as_second)
}

fn bytes_of<'a>(blocks: &'a [Vec<u8>], place: &Place) -> &'a [u8] {
    let block = blocks.get(place.block as usize);
    block
        .and_then(|bytes| bytes.get(place.start as usize..))
        .unwrap_or_default()
}

fn id_of<'a>(blocks: &'a [Vec<u8>], place: &Place) -> &'a [u8] {
    let bytes = bytes_of(blocks, place);
    bytes.get(..place.id_len as usize).unwrap_or_default()
}

fn row_of<'a>(blocks: &'a [Vec<u8>], place: &Place) -> Option<Row<'a>> {
    let (id, rest) = bytes_of(blocks, place).split_at_checked(place.id_len as usize)?;
    let (network, rest) = rest.split_at_checked(place.network_len as usize)?;
    let network = std::str::from_utf8(network).ok();
    Some(Row {
        id: std::str::from_utf8(id).ok()?,
        packed: rest.get(..place.print_len as usize)?,
        network: network.filter(|network| !network.is_empty()),
        banned_at: place.banned_at,
        expires_at: place.expires_at,
        hint: place.hint,
    })
}
