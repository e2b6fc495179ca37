//! Watchlists made to be slow: everyone carries the same, or everyone carries as much as there may be.
//!
//! Each account follows from its list and its number. The tests hold answers and counts to them, `benches/soak.rs`, which
//! takes this file in too, measures times.

use fastrand::Rng;
use serde_json::{Value, json};

/// A list in which one thing is driven to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trap {
    EqualHandles,
    EqualBios,
    EqualNames,
    EqualLinks,
    BlankPictures,
    EqualPictures,
    NearPictures,
    LongHandlesOfOneLetter,
    LongHandles,
    NumberedHandles,
    NearHandles,
    NestedHandles,
    LongNames,
    LongBios,
    ManyLinks,
}

impl Trap {
    /// Every list.
    pub(crate) const ALL: [Self; 15] = [
        Self::EqualHandles,
        Self::EqualBios,
        Self::EqualNames,
        Self::EqualLinks,
        Self::BlankPictures,
        Self::EqualPictures,
        Self::NearPictures,
        Self::LongHandlesOfOneLetter,
        Self::LongHandles,
        Self::NumberedHandles,
        Self::NearHandles,
        Self::NestedHandles,
        Self::LongNames,
        Self::LongBios,
        Self::ManyLinks,
    ];

    /// What is the matter with it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EqualHandles => "equal handles",
            Self::EqualBios => "one bio",
            Self::EqualNames => "one name",
            Self::EqualLinks => "one link",
            Self::BlankPictures => "pictures all zero",
            Self::EqualPictures => "one picture",
            Self::NearPictures => "near pictures",
            Self::LongHandlesOfOneLetter => "1 KiB of one letter",
            Self::LongHandles => "1 KiB handles",
            Self::NumberedHandles => "user1, user2",
            Self::NearHandles => "handles two edits apart",
            Self::NestedHandles => "handles within handles",
            Self::LongNames => "names of 12 words",
            Self::LongBios => "bios of 256 words",
            Self::ManyLinks => "1000 links each",
        }
    }

    /// Entries that the tests enrol: fewer where each is as large as hundreds.
    pub(crate) fn len_max(self) -> usize {
        match self {
            Self::LongBios => 6_000,
            Self::ManyLinks => 600,
            _ => 30_000,
        }
    }

    /// The account of number `n`. Beside the trap it has a name of its own, so that its copy has a best hit.
    pub(crate) fn record(self, n: usize) -> Value {
        let mut random = Rng::with_seed(n as u64 ^ 0x7a9);
        let mut record = json!({"id": format!("t:{n:06}"), "display_name": own(n)});
        let (field, value) = match self {
            Self::EqualHandles => ("handle", json!("velquist_gainers")),
            Self::EqualBios => (
                "bio",
                json!("join the velquist gainers club and win every day"),
            ),
            Self::EqualNames => {
                record["handle"] = json!(own(n).replace(' ', "_"));
                ("display_name", json!("Velquist Gainers Club"))
            }
            Self::EqualLinks => ("links", json!(["velquist.example/join"])),
            Self::BlankPictures => ("avatar", picture([0; 32])),
            Self::EqualPictures => ("avatar", picture([0x5a; 32])),
            Self::NearPictures => ("avatar", picture(flipped(&mut random))),
            Self::LongHandlesOfOneLetter => ("handle", json!("a".repeat(1_024 - n % 64))),
            Self::LongHandles => ("handle", json!(letters(&mut random, 1_024))),
            Self::NumberedHandles => ("handle", json!(format!("user{}", n + 1))),
            Self::NearHandles => ("handle", json!(edited(&mut random))),
            Self::NestedHandles => ("handle", json!(nested(n))),
            Self::LongNames => ("display_name", json!(words(&mut random, 12, 40))),
            Self::LongBios => ("bio", json!(words(&mut random, 256, 3_000))),
            Self::ManyLinks => ("links", links(&mut random, n)),
        };
        record[field] = value;
        record
    }
}

/// A name that few have.
fn own(n: usize) -> String {
    let mut random = Rng::with_seed(n as u64);
    let (first, last) = (letters(&mut random, 7), letters(&mut random, 8));
    format!("{first} {last}")
}

fn letters(random: &mut Rng, len: usize) -> String {
    (0..len).map(|_| random.lowercase()).collect()
}

fn picture(bytes: [u8; 32]) -> Value {
    let pdq: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"pdq": pdq, "quality": 100})
}

/// One picture with up to twelve bits flipped.
fn flipped(random: &mut Rng) -> [u8; 32] {
    let mut bytes = [0x3c; 32];
    for _ in 0..random.usize(..=12) {
        if let Some(byte) = bytes.get_mut(random.usize(..32)) {
            *byte ^= 1 << random.u8(..8);
        }
    }
    bytes
}

/// One handle with two letters changed.
fn edited(random: &mut Rng) -> String {
    let mut handle: Vec<char> = "velquistgainers".chars().collect();
    for _ in 0..2 {
        if let Some(letter) = handle.get_mut(random.usize(..15)) {
            *letter = random.lowercase();
        }
    }
    handle.into_iter().collect()
}

/// A part of one long text, so that handles stand within each other.
fn nested(n: usize) -> String {
    let text = letters(&mut Rng::with_seed(4), 60);
    let (start, len) = (n % 30, 5 + n / 30 % 26);
    text.chars().skip(start).take(len).collect()
}

/// Words out of so many.
fn words(random: &mut Rng, len: usize, vocabulary: u64) -> String {
    let mut word = || letters(&mut Rng::with_seed(random.u64(..vocabulary)), 6);
    let words: Vec<String> = (0..len).map(|_| word()).collect();
    words.join(" ")
}

/// 1,000 links of which half are everyone's.
fn links(random: &mut Rng, n: usize) -> Value {
    let mut link = |at: usize| match at % 2 {
        0 => format!("velquist.example/join/{at}"),
        _ => format!("https://{}.example/{n}", letters(random, 8)),
    };
    (0..1_000).map(&mut link).map(Value::from).collect()
}
