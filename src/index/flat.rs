//! How can an index live in a mapped file as well as in memory?
//!
//! Every structure of this room is made of [`Array`]s: plain numbers one after the other, either built in memory or part
//! of a file that is mapped. It writes itself as named [`Sections`] and is put together again from [`Stored`] ones
//! without copying. Lengths are checked then, contents are not: a look-up stays in bounds whatever the bytes are. The
//! file itself (where sections lie, what guards them) is for the layers above.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytemuck::Pod;
use bytes::Bytes;

#[cfg(target_endian = "big")]
compile_error!(
    "stored numbers are little-endian and read in place: this machine would read them backwards"
);

/// Flat values: built in memory, or a part of a mapped file. Cheap to clone; reading costs a few instructions, so hot
/// loops take the slice once.
#[derive(Clone)]
pub(crate) struct Array<T: Pod>(Held<T>);

#[derive(Clone)]
enum Held<T> {
    Built(Arc<Vec<T>>),
    /// Part of the map, which stays where it is while anyone holds a part: asking for it asks no map for its bytes.
    Mapped(Bytes),
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Held::Built(values) => values,
            Held::Mapped(bytes) => bytemuck::try_cast_slice(bytes).unwrap_or(&[]),
        }
    }
}

impl<T: Pod> Array<T> {
    /// Returns the values as they are written to a file.
    pub(crate) fn stored_bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self)
    }
}

impl<T: Pod> From<Vec<T>> for Array<T> {
    fn from(values: Vec<T>) -> Self {
        Self(Held::Built(Arc::new(values)))
    }
}

impl<T: Pod> Default for Array<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<T: Pod> fmt::Debug for Array<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{} values]", self.len())
    }
}

impl AsRef<[u8]> for Array<u8> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Takes the sections of a structure, one after the other: a writer of files.
pub(crate) trait Sections {
    /// Takes one section. It is to be kept at a multiple of eight bytes.
    fn put(&mut self, name: &str, bytes: &[u8]);
}

/// Sections of a mapped file by name.
pub(crate) struct Stored {
    map: Bytes,
    /// Offset and length in bytes.
    places: HashMap<String, (usize, usize)>,
}

impl Stored {
    /// Takes a map and the offset and length in bytes of each section; both may be wrong.
    pub(crate) fn new(map: Bytes, places: HashMap<String, (usize, usize)>) -> Self {
        Self { map, places }
    }

    /// Returns a section as values, read in place; `None` if it is absent, out of bounds, misaligned or no whole number
    /// of values long.
    pub(crate) fn array<T: Pod>(&self, name: &str) -> Option<Array<T>> {
        let (start, len) = *self.places.get(name)?;
        let end = start.checked_add(len)?;
        let bytes = self.map.get(start..end)?;
        if bytes.is_empty() {
            return Some(Array::default());
        }
        bytemuck::try_cast_slice::<u8, T>(bytes).ok()?;
        Some(Array(Held::Mapped(self.map.slice(start..end))))
    }

    /// Returns the `N` single numbers of a structure, put by [`put_numbers`].
    pub(crate) fn numbers<const N: usize>(&self, name: &str) -> Option<[u64; N]> {
        let numbers = self.array::<u64>(&format!("{name}.numbers"))?;
        numbers
            .first_chunk()
            .copied()
            .filter(|_| numbers.len() == N)
    }
}

/// Puts one array of a structure as the section `name.part`.
pub(crate) fn put_array<T: Pod>(
    sections: &mut dyn Sections,
    name: &str,
    part: &str,
    array: &Array<T>,
) {
    sections.put(&format!("{name}.{part}"), array.stored_bytes());
}

/// Puts the single numbers of a structure as one section.
pub(crate) fn put_numbers(sections: &mut dyn Sections, name: &str, numbers: &[u64]) {
    sections.put(&format!("{name}.numbers"), bytemuck::cast_slice(numbers));
}
