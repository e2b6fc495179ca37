//! How two values of one signal relate: the words shared by all signals.

/// A value leads to candidates by itself only if at most one ordinary account in a thousand has it: no sum of evidence
/// that reaches a reviewer is made of commoner values alone.
pub(crate) const LEADING_BITS_MIN: f32 = 10.0;

/// One kind of identifying trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// The user name.
    Handle,
    /// The display name.
    Name,
    /// The profile text.
    Bio,
    /// The profile picture.
    Avatar,
    /// Links.
    Link,
    /// Phones, e-mails, wallets, and mentions of the entry itself.
    Contact,
    /// The platform's opaque identifiers.
    Token,
    /// Agreement with other entries of the same network.
    Network,
    /// Time since the ban.
    Time,
}

impl Signal {
    /// Every signal, in the order of reports.
    pub const ALL: [Signal; 9] = [
        Signal::Handle,
        Signal::Name,
        Signal::Bio,
        Signal::Avatar,
        Signal::Link,
        Signal::Contact,
        Signal::Token,
        Signal::Network,
        Signal::Time,
    ];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handle => "handle",
            Self::Name => "name",
            Self::Bio => "bio",
            Self::Avatar => "avatar",
            Self::Link => "link",
            Self::Contact => "contact",
            Self::Token => "token",
            Self::Network => "network",
            Self::Time => "time",
        }
    }
}

/// How far two values agree, graded as in record linkage (Splink's comparison levels).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// One side does not tell; no evidence.
    Missing,
    /// Both tell, and they do not agree.
    Different,
    /// Some of it agrees.
    Far,
    /// The same but for a small or typical change.
    Close,
    /// The same to the eye.
    Exact,
}

impl Level {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::Far => "far",
            Self::Close => "close",
            Self::Exact => "exact",
        }
    }
}

/// How a probe's value came about from an entry's, if it did. The model has a row for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// One side does not tell.
    Missing,
    /// No relation found.
    Different,
    /// The same value.
    Same,
    /// Different characters that look the same.
    Lookalike,
    /// Look-alike letters of another alphabet among the entry's own: nobody writes like that by chance.
    Disguised,
    /// Digits or signs stand for letters.
    Leet,
    /// Only the numeric tail differs.
    Renumbered,
    /// Only customary words before or after differ.
    Affixed,
    /// One letter inserted, dropped, replaced, or two swapped.
    Edited1,
    /// Two such edits.
    Edited2,
    /// The entry's core stands inside the probe's value.
    Contains,
    /// The probe's value is the beginning of the entry's.
    Truncated,
    /// The same words in another order, or with another number among them.
    Reordered,
    /// Words as their initials, or vowels left out.
    Abbreviated,
    /// The same consonants in another script.
    Transliterated,
    /// Another spelling or script of the same sounds.
    SameSound,
    /// The same words in another order, or nearly the same words.
    NearWords,
    /// Some words shared.
    SharedWords,
    /// The name is the old handle, or the handle the old name.
    Crossed,
    /// The texts share most of their informative words.
    MostWords,
    /// The texts share about half of their informative words.
    HalfWords,
    /// The texts share some informative words.
    FewWords,
    /// Picture hashes within 10 bits: re-compressed or resized.
    Near10,
    /// Within 20 bits.
    Near20,
    /// Within 31 bits, the bound of PDQ's authors.
    Near31,
    /// Near after turning or mirroring.
    Turned,
    /// The same site, another page.
    SameSite,
    /// The probe mentions or links the entry's own handle.
    NamesEntry,
    /// The probe says that it follows the entry ("backup of @...").
    Announces,
    /// Other entries of the same network agree on other signals.
    Network,
    /// Opened soon after the ban.
    SoonAfter,
}

impl Relation {
    /// What handles so many edits apart are to each other.
    pub(crate) fn edited(edits: usize) -> Self {
        if edits <= 1 {
            Self::Edited1
        } else {
            Self::Edited2
        }
    }

    /// How many relations there are.
    pub const COUNT: usize = Relation::SoonAfter as usize + 1;

    /// Every relation, in order.
    pub(crate) const ALL: [Relation; Relation::COUNT] = [
        Relation::Missing,
        Relation::Different,
        Relation::Same,
        Relation::Lookalike,
        Relation::Disguised,
        Relation::Leet,
        Relation::Renumbered,
        Relation::Affixed,
        Relation::Edited1,
        Relation::Edited2,
        Relation::Contains,
        Relation::Truncated,
        Relation::Reordered,
        Relation::Abbreviated,
        Relation::Transliterated,
        Relation::SameSound,
        Relation::NearWords,
        Relation::SharedWords,
        Relation::Crossed,
        Relation::MostWords,
        Relation::HalfWords,
        Relation::FewWords,
        Relation::Near10,
        Relation::Near20,
        Relation::Near31,
        Relation::Turned,
        Relation::SameSite,
        Relation::NamesEntry,
        Relation::Announces,
        Relation::Network,
        Relation::SoonAfter,
    ];

    /// The word of model files.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::Same => "same",
            Self::Lookalike => "lookalike",
            Self::Disguised => "disguised",
            Self::Leet => "leet",
            Self::Renumbered => "renumbered",
            Self::Affixed => "affixed",
            Self::Edited1 => "edited1",
            Self::Edited2 => "edited2",
            Self::Contains => "contains",
            Self::Truncated => "truncated",
            Self::Reordered => "reordered",
            Self::Abbreviated => "abbreviated",
            Self::Transliterated => "transliterated",
            Self::SameSound => "same_sound",
            Self::NearWords => "near_words",
            Self::SharedWords => "shared_words",
            Self::Crossed => "crossed",
            Self::MostWords => "most_words",
            Self::HalfWords => "half_words",
            Self::FewWords => "few_words",
            Self::Near10 => "near10",
            Self::Near20 => "near20",
            Self::Near31 => "near31",
            Self::Turned => "turned",
            Self::SameSite => "same_site",
            Self::NamesEntry => "names_entry",
            Self::Announces => "announces",
            Self::Network => "network",
            Self::SoonAfter => "soon_after",
        }
    }

    /// True where one whole value was met, and false where only words or a site are shared: each of these may be common
    /// while all together are rare, so that nobody can look for who else shares them.
    pub(crate) fn is_of_one_value(self) -> bool {
        !matches!(
            self,
            Self::SharedWords | Self::MostWords | Self::HalfWords | Self::FewWords | Self::SameSite
        )
    }

    /// The level the relation counts as outside.
    pub fn level(self) -> Level {
        match self {
            Self::Missing => Level::Missing,
            Self::Different => Level::Different,
            Self::Same | Self::Lookalike | Self::Disguised => Level::Exact,
            Self::Leet | Self::Renumbered | Self::Affixed | Self::Edited1 => Level::Close,
            Self::Reordered | Self::Transliterated | Self::SameSound => Level::Close,
            Self::NearWords | Self::Crossed | Self::MostWords | Self::Near10 | Self::Near20 => {
                Level::Close
            }
            Self::Announces | Self::SoonAfter | Self::Network => Level::Close,
            Self::Edited2
            | Self::Contains
            | Self::Truncated
            | Self::Abbreviated
            | Self::SharedWords
            | Self::HalfWords => Level::Far,
            Self::FewWords | Self::Near31 | Self::Turned | Self::SameSite | Self::NamesEntry => {
                Level::Far
            }
        }
    }
}

/// Relations of one signal in the order of how much of the two values agrees: at the same surprise, one further down never
/// weighs more than one before it. What was shortened by a rule stands above what was edited anyhow: fewer strangers meet so.
pub(crate) const LADDERS: [(Signal, &[Relation]); 6] = [
    (
        Signal::Handle,
        &[
            Relation::Same,
            Relation::Lookalike,
            Relation::Leet,
            Relation::Abbreviated,
            Relation::Edited1,
            Relation::Edited2,
        ],
    ),
    (
        Signal::Name,
        &[
            Relation::Same,
            Relation::NearWords,
            Relation::SameSound,
            Relation::SharedWords,
        ],
    ),
    (
        Signal::Bio,
        &[
            Relation::Same,
            Relation::MostWords,
            Relation::HalfWords,
            Relation::FewWords,
        ],
    ),
    (
        Signal::Avatar,
        &[Relation::Near10, Relation::Near20, Relation::Near31],
    ),
    (Signal::Link, &[Relation::Same, Relation::SameSite]),
    (
        Signal::Contact,
        &[Relation::Announces, Relation::NamesEntry],
    ),
];

/// One signal of a pair, graded. Small and `Copy`: made for every candidate; words are made only for what is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// How the two values relate.
    pub relation: Relation,
    /// -log2 of the share of ordinary accounts that relate like that to this entry; 0 for no relation.
    pub surprise: f32,
    /// Distance in bits, for pictures.
    pub distance: u16,
}

impl Comparison {
    /// One side does not tell.
    pub const MISSING: Comparison = Comparison {
        relation: Relation::Missing,
        surprise: 0.0,
        distance: 0,
    };
    /// Both tell and nothing agrees.
    pub const DIFFERENT: Comparison = Comparison {
        relation: Relation::Different,
        surprise: 0.0,
        distance: 0,
    };

    /// A relation and how surprising it is.
    pub fn new(relation: Relation, surprise: f32) -> Self {
        Self {
            relation,
            surprise,
            distance: 0,
        }
    }

    /// The better of two readings of the same pair: one by its letters before one by its sound alone, which most small
    /// changes of letters leave as it is too; of equals the more surprising.
    pub fn or(self, other: Comparison) -> Self {
        let agrees = |c: &Comparison| c.relation.level() > Level::Different;
        let by_letters = |c: &Comparison| c.relation != Relation::SameSound;
        let told = |c: &Comparison| (by_letters(c), c.surprise);
        match (agrees(&self), agrees(&other)) {
            (true, true) if told(&other) > told(&self) => other,
            (false, true) => other,
            (false, false) if self.relation == Relation::Missing => other,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_tell_more_than_sounds() {
        let heard = Comparison::new(Relation::SameSound, 24.0);
        let read = Comparison::new(Relation::Edited1, 12.0);
        let held = Comparison::new(Relation::Contains, 15.0);
        assert_eq!(heard.or(read).relation, Relation::Edited1);
        assert_eq!(read.or(heard).relation, Relation::Edited1);
        assert_eq!(read.or(held).relation, Relation::Contains);
        assert_eq!(
            Comparison::DIFFERENT.or(heard).relation,
            Relation::SameSound
        );
    }
}
