//! What is kept of each entry of a segment, by ordinal, in flat columns.
//!
//! Ordinals ascend by id. Fingerprints lie packed behind each other and are read in place; networks are numbers into a
//! sorted list of names. Columns are gathered once by [`Gathering`] and then only read, from memory or a mapped file.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::account::AccountId;
use crate::fingerprint::Fingerprint;
use crate::index::{Array, Ordinal, Sections, Stored, ahead};
use crate::signal::handle::HandleHint;
use crate::watchlist::Listed;

/// No network, in the column of networks.
const NO_NETWORK: u32 = u32::MAX;
/// No time, in a column of times.
pub(crate) const NO_TIME: i64 = i64::MIN;
/// Packed fingerprints begin at multiples of this many bytes, so that 32 bits place 16 GB of them.
const PRINT_ALIGN: usize = 4;

/// Bytes that come from memory together.
const LINE_LEN: usize = 64;

/// The columns of one segment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    ids: Texts,
    networks: Texts,
    /// Place of each fingerprint in `prints`, in units of [`PRINT_ALIGN`], and the end of the last.
    print_places: Array<u32>,
    prints: Array<u8>,
    network_of: Array<u32>,
    /// Entries of each network.
    network_lens: Array<u32>,
    banned_at: Array<i64>,
    expires_at: Array<i64>,
    /// A [`HandleHint`] each.
    hints: Array<u16>,
}

/// Texts by number, behind each other.
#[derive(Debug, Clone, Default)]
struct Texts {
    /// Place of each text, and the end of the last.
    places: Array<u32>,
    bytes: Array<u8>,
}

impl Texts {
    fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let (mut places, mut bytes) = (vec![0u32], Vec::new());
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            places.push(bytes.len() as u32);
        }
        Self {
            places: places.into(),
            bytes: bytes.into(),
        }
    }

    fn len(&self) -> usize {
        self.places.len().saturating_sub(1)
    }

    fn get(&self, at: usize) -> Option<&str> {
        std::str::from_utf8(self.bytes_at(at)?).ok()
    }

    fn bytes_at(&self, at: usize) -> Option<&[u8]> {
        let places: &[u32] = &self.places;
        let (start, end) = (*places.get(at)?, *places.get(at + 1)?);
        self.bytes.get(start as usize..end as usize)
    }

    /// Where `text` stands in sorted texts.
    fn find(&self, text: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.bytes_at(middle)?.cmp(text.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    fn store(&self, name: &str, sections: &mut dyn Sections) {
        sections.put(
            &format!("{name}.places"),
            bytemuck::cast_slice(&self.places),
        );
        sections.put(&format!("{name}.bytes"), &self.bytes);
    }

    fn load(name: &str, stored: &Stored) -> Option<Self> {
        Some(Self {
            places: stored.array(&format!("{name}.places"))?,
            bytes: stored.array(&format!("{name}.bytes"))?,
        })
    }
}

impl Columns {
    /// Entries, dead ones included.
    pub(crate) fn len(&self) -> usize {
        self.network_of.len()
    }

    /// Id of an entry.
    pub(crate) fn id(&self, ordinal: Ordinal) -> Option<&str> {
        self.ids.get(ordinal as usize)
    }

    /// Bytes of an entry's id, which order as the id does.
    pub(crate) fn id_bytes(&self, ordinal: Ordinal) -> Option<&[u8]> {
        self.ids.bytes_at(ordinal as usize)
    }

    /// Where the entry of `id` stands. O(log entries).
    pub(crate) fn find(&self, id: &str) -> Option<Ordinal> {
        self.ids.find(id).map(|at| at as Ordinal)
    }

    /// Packed fingerprint of an entry.
    pub(crate) fn packed(&self, ordinal: Ordinal) -> Option<&[u8]> {
        let at = ordinal as usize;
        let places: &[u32] = &self.print_places;
        let (start, end) = (*places.get(at)? as usize, *places.get(at + 1)? as usize);
        self.prints
            .get(start * PRINT_ALIGN..end.checked_mul(PRINT_ALIGN)?)
    }

    /// Asks for where an entry's fingerprint stands.
    pub(crate) fn place_ahead(&self, ordinal: Ordinal) {
        ahead(&self.print_places, ordinal as usize);
    }

    /// Asks for the beginning of an entry's fingerprint.
    pub(crate) fn print_begin_ahead(&self, ordinal: Ordinal) {
        let (places, prints): (&[u32], &[u8]) = (&self.print_places, &self.prints);
        if let Some(start) = places.get(ordinal as usize) {
            ahead(prints, *start as usize * PRINT_ALIGN);
        }
    }

    /// Asks for an entry's fingerprint, and what else is looked at of an entry that is compared.
    pub(crate) fn print_ahead(&self, ordinal: Ordinal) {
        let at = ordinal as usize;
        let (places, prints): (&[u32], &[u8]) = (&self.print_places, &self.prints);
        if let Some([start, end]) = places.get(at..at + 2) {
            let (start, end) = (*start as usize * PRINT_ALIGN, *end as usize * PRINT_ALIGN);
            let last = end.checked_sub(1);
            for place in (start..end).step_by(LINE_LEN).chain(last) {
                ahead(prints, place);
            }
        }
        self.network_ahead(ordinal);
        ahead(&self.banned_at, at);
    }

    /// Asks for the number of an entry's network.
    pub(crate) fn network_ahead(&self, ordinal: Ordinal) {
        ahead(&self.network_of, ordinal as usize);
    }

    /// Asks for what bounds what an entry's handle can tell.
    pub(crate) fn hint_ahead(&self, ordinal: Ordinal) {
        ahead(&self.hints, ordinal as usize);
    }

    /// Fingerprint of an entry, read in place.
    pub(crate) fn fingerprint(&self, ordinal: Ordinal) -> Option<Fingerprint<'_>> {
        Fingerprint::unpack(self.packed(ordinal)?)
    }

    /// Number of an entry's network among the segment's.
    pub(crate) fn network(&self, ordinal: Ordinal) -> Option<u32> {
        let network = *self.network_of.get(ordinal as usize)?;
        (network != NO_NETWORK).then_some(network)
    }

    /// Name of a network.
    pub(crate) fn network_name(&self, network: u32) -> Option<&str> {
        self.networks.get(network as usize)
    }

    /// Names of all networks, by their numbers.
    pub(crate) fn network_names(&self) -> impl Iterator<Item = &str> {
        (0..self.networks.len()).filter_map(|at| self.networks.get(at))
    }

    /// Number of the network of this name.
    pub(crate) fn network_number(&self, name: &str) -> Option<u32> {
        self.networks.find(name).map(|at| at as u32)
    }

    /// Entries of a network, dead ones included.
    pub(crate) fn network_entries(&self, network: u32) -> u32 {
        self.network_lens
            .get(network as usize)
            .copied()
            .unwrap_or(0)
    }

    /// When the ban of an entry took effect.
    pub(crate) fn banned_at(&self, ordinal: Ordinal) -> Option<Timestamp> {
        time_at(&self.banned_at, ordinal)
    }

    /// When the ban of an entry ends by itself.
    pub(crate) fn expires_at(&self, ordinal: Ordinal) -> Option<Timestamp> {
        time_at(&self.expires_at, ordinal)
    }

    /// What bounds what an entry's handle can tell.
    pub(crate) fn hint(&self, ordinal: Ordinal) -> HandleHint {
        let hint = self.hints.get(ordinal as usize).copied();
        HandleHint::unpack(hint.unwrap_or(0))
    }

    /// What of an entry is told with a hit.
    pub(crate) fn listed(&self, ordinal: Ordinal) -> Option<Listed> {
        let network = self.network(ordinal);
        Some(Listed {
            id: AccountId::new(self.id(ordinal)?).ok()?,
            network: network
                .and_then(|network| self.network_name(network))
                .map(Arc::from),
            banned_at: self.banned_at(ordinal),
            expires_at: self.expires_at(ordinal),
        })
    }

    /// Bytes of the columns.
    pub(crate) fn bytes(&self) -> usize {
        let words = self.ids.places.len() + self.networks.places.len() + self.print_places.len();
        self.ids.bytes.len()
            + self.networks.bytes.len()
            + self.prints.len()
            + (words + self.network_of.len() + self.network_lens.len()) * 4
            + (self.banned_at.len() + self.expires_at.len()) * 8
            + self.hints.len() * 2
    }

    /// Writes the columns.
    pub(crate) fn store(&self, sections: &mut dyn Sections) {
        self.ids.store("ids", sections);
        self.networks.store("networks", sections);
        sections.put("prints.places", bytemuck::cast_slice(&self.print_places));
        sections.put("prints.bytes", &self.prints);
        sections.put("network_of", bytemuck::cast_slice(&self.network_of));
        sections.put("network_lens", bytemuck::cast_slice(&self.network_lens));
        sections.put("banned_at", bytemuck::cast_slice(&self.banned_at));
        sections.put("expires_at", bytemuck::cast_slice(&self.expires_at));
        sections.put("hints", bytemuck::cast_slice(&self.hints));
    }

    /// Reads what [`Columns::store`] wrote; `None` where a column is missing or too short.
    pub(crate) fn load(stored: &Stored) -> Option<Self> {
        let columns = Self {
            ids: Texts::load("ids", stored)?,
            networks: Texts::load("networks", stored)?,
            print_places: stored.array("prints.places")?,
            prints: stored.array("prints.bytes")?,
            network_of: stored.array("network_of")?,
            network_lens: stored.array("network_lens")?,
            banned_at: stored.array("banned_at")?,
            expires_at: stored.array("expires_at")?,
            hints: stored.array("hints")?,
        };
        let len = columns.len();
        let lens = [
            columns.ids.len(),
            columns.print_places.len().saturating_sub(1),
            columns.banned_at.len(),
            columns.hints.len(),
        ];
        lens.iter().all(|other| *other == len).then_some(columns)
    }
}

fn time_at(times: &[i64], ordinal: Ordinal) -> Option<Timestamp> {
    let seconds = *times.get(ordinal as usize)?;
    (seconds != NO_TIME).then(|| Timestamp::from_second(seconds).ok())?
}

/// One entry on its way into columns; borrows from where it was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// Its packed fingerprint.
    pub(crate) packed: &'a [u8],
    /// Its network.
    pub(crate) network: Option<&'a str>,
    /// When the ban took effect, in seconds of the epoch, or [`NO_TIME`].
    pub(crate) banned_at: i64,
    /// When it ends by itself, likewise.
    pub(crate) expires_at: i64,
    /// What bounds what its handle can tell.
    pub(crate) hint: HandleHint,
}

impl<'a> Row<'a> {
    /// The row at `ordinal` of `columns`.
    pub(crate) fn at(columns: &'a Columns, ordinal: Ordinal) -> Option<Self> {
        let (network, at) = (columns.network(ordinal), ordinal as usize);
        Some(Self {
            id: columns.id(ordinal)?,
            packed: columns.packed(ordinal)?,
            network: network.and_then(|network| columns.network_name(network)),
            banned_at: columns.banned_at.get(at).copied()?,
            expires_at: columns.expires_at.get(at).copied()?,
            hint: columns.hint(ordinal),
        })
    }
}

/// Gathers rows, ascending by id, into columns.
pub(crate) fn gathered<'a>(rows: impl Iterator<Item = Row<'a>> + Clone) -> Columns {
    // Rows lie all over the memory: what is asked of all before the first is taken is asked at once.
    let (mut names, mut prints_len) = (BTreeSet::new(), 0);
    for row in rows.clone() {
        names.extend(row.network);
        prints_len += row.packed.len().next_multiple_of(PRINT_ALIGN);
    }
    let networks = Texts::of(names.into_iter());
    // At ten million entries growing by doubling would need as much again.
    let (mut print_places, mut prints) = (vec![0u32], Vec::with_capacity(prints_len));
    let (mut network_of, mut banned_at, mut expires_at) = (Vec::new(), Vec::new(), Vec::new());
    let (mut hints, mut network_lens) = (Vec::new(), vec![0u32; networks.len()]);
    for row in rows.clone() {
        prints.extend_from_slice(row.packed);
        prints.resize(prints.len().next_multiple_of(PRINT_ALIGN), 0);
        print_places.push((prints.len() / PRINT_ALIGN) as u32);
        let network = row.network.and_then(|name| networks.find(name));
        if let Some(len) = network.and_then(|network| network_lens.get_mut(network)) {
            *len += 1;
        }
        network_of.push(network.map_or(NO_NETWORK, |network| network as u32));
        banned_at.push(row.banned_at);
        expires_at.push(row.expires_at);
        hints.push(row.hint.pack());
    }
    Columns {
        ids: Texts::of(rows.map(|row| row.id)),
        networks,
        print_places: print_places.into(),
        prints: prints.into(),
        network_of: network_of.into(),
        network_lens: network_lens.into(),
        banned_at: banned_at.into(),
        expires_at: expires_at.into(),
        hints: hints.into(),
    }
}
