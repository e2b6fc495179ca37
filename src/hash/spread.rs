//! How is a table of keys that are hashes already looked up, without hashing them again?

use std::hash::{BuildHasherDefault, Hasher};

/// 2^64 divided by the golden ratio (Knuth's multiplicative hashing).
pub(crate) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Builds hashers of keys that are hashes already.
pub(crate) type Spread = BuildHasherDefault<Spreading>;

/// One multiplication brings the bits of a key to both ends, where the table looks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spreading(u64);

impl Hasher for Spreading {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, key: u32) {
        self.write_u64(u64::from(key));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = (self.0 ^ key).wrapping_mul(GOLDEN);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
