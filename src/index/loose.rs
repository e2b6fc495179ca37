//! temporary
use crate::index::{Ordinal, Postings, Sections, Stored};
#[derive(Debug, Default)]
pub struct Loose(Postings);
impl Loose {
    pub(crate) fn build(for_each: impl Fn(&mut dyn FnMut(u64, Ordinal))) -> Self {
        let mut pairs = Vec::new();
        for_each(&mut |key, ordinal| pairs.push((key, ordinal)));
        Self(Postings::build(pairs))
    }
    pub(crate) fn get(&self, keys: &[u64], limit: usize, mut visit: impl FnMut(usize, &[Ordinal])) {
        for (at, key) in keys.iter().enumerate() {
            let list = self.0.get(*key);
            if !list.is_empty() {
                visit(at, list.get(..=limit).unwrap_or(list));
            }
        }
    }
    pub(crate) fn store(&self, name: &str, sections: &mut dyn Sections) { self.0.store(name, sections) }
    pub(crate) fn load(name: &str, stored: &Stored) -> Option<Self> { Some(Self(Postings::load(name, stored)?)) }
    pub(crate) fn bytes(&self) -> usize { self.0.bytes() }
}
