//! Why two values agree, in words, for each signal.

use crate::account::Account;
use crate::background::Background;
use crate::fingerprint::links_of;
use crate::normalize::contact::contacts_in;
use crate::normalize::moves::{Move, moves};
use crate::normalize::outline::outline;
use crate::normalize::parts::Parts;
use crate::score::Model;
use crate::signal::bio::shared_words;
use crate::signal::handle::is_foreign;
use crate::signal::relation::{Comparison, Level, Relation, Signal};

/// Words of two bios that are named.
const NAMED_WORDS: usize = 6;
/// Characters of a bio that a row shows.
const SHOWN_CHARS: usize = 200;

/// A probe and an entry as texts.
pub(crate) struct Pair<'a> {
    pub(crate) probe: &'a Account,
    pub(crate) entry: &'a Account,
    pub(crate) background: &'a Background,
}

impl Pair<'_> {
    /// The two values of a signal, as far as there is one to show. Tokens are never shown.
    pub(crate) fn values(
        &self,
        signal: Signal,
        relation: Relation,
    ) -> (Option<String>, Option<String>) {
        match signal {
            Signal::Handle => (text(&self.probe.handle), text(&self.entry.handle)),
            Signal::Name if matches!(relation, Relation::Crossed | Relation::Transliterated) => {
                match self.crossed() {
                    Crossing::NameIsHandle => {
                        (text(&self.probe.display_name), text(&self.entry.handle))
                    }
                    Crossing::HandleIsName => {
                        (text(&self.probe.handle), text(&self.entry.display_name))
                    }
                }
            }
            Signal::Name => (
                text(&self.probe.display_name),
                text(&self.entry.display_name),
            ),
            Signal::Bio => (text(&self.probe.bio), text(&self.entry.bio)),
            Signal::Link => (
                text(&link_keys(self.probe).join(" ")),
                text(&link_keys(self.entry).join(" ")),
            ),
            Signal::Contact => (
                text(&contact_keys(self.probe).join(" ")),
                text(&contact_keys(self.entry).join(" ")),
            ),
            Signal::Avatar | Signal::Token | Signal::Network | Signal::Time => (None, None),
        }
    }

    /// How the values of a signal relate.
    pub(crate) fn why(&self, signal: Signal, comparison: &Comparison) -> String {
        let relation = comparison.relation;
        match (relation.level(), signal) {
            (Level::Missing, _) => self.missing(signal),
            (_, Signal::Handle) => self.handle(relation),
            (_, Signal::Name) => self.name(relation),
            (_, Signal::Bio) => self.bio(relation),
            (_, Signal::Avatar) => picture(comparison),
            (Level::Different, _) => "nothing in common".into(),
            (_, Signal::Link) => self.link(relation),
            (_, Signal::Contact) => self.contact(relation),
            (_, Signal::Token) => {
                format!("same {}", same_tokens(self.probe, self.entry).join(", "))
            }
            (_, Signal::Network | Signal::Time) => String::new(),
        }
    }

    fn missing(&self, signal: Signal) -> String {
        match (tells(self.probe, signal), tells(self.entry, signal)) {
            (true, false) => "the entry does not tell".into(),
            (false, true) => "the probe does not tell".into(),
            (true, true) => "too little to compare".into(),
            (false, false) => "not told on both sides".into(),
        }
    }

    fn handle(&self, relation: Relation) -> String {
        let named = moves(&self.probe.handle, &self.entry.handle);
        let named: Vec<String> = named.iter().map(Move::to_string).collect();
        match relation {
            Relation::Different => "different handle".into(),
            Relation::Same if named.is_empty() => "same handle".into(),
            Relation::Contains => "contains the core of the old handle".into(),
            Relation::Affixed => format!("same core: {}", named.join("; ")),
            Relation::SameSound => "sounds the same in another spelling or script".into(),
            Relation::Transliterated => {
                "the same consonants as the old handle in another script".into()
            }
            Relation::Abbreviated => {
                format!("the old handle shortened: {}", named.join("; "))
            }
            Relation::Truncated => format!("the beginning of the old handle: {}", named.join("; ")),
            _ => named.join("; "),
        }
    }

    fn name(&self, relation: Relation) -> String {
        let (probe, entry) = (
            words_of(&self.probe.display_name),
            words_of(&self.entry.display_name),
        );
        match relation {
            Relation::Same if self.probe.display_name == self.entry.display_name => {
                "same name".into()
            }
            Relation::Same => "same words in another order or dress".into(),
            Relation::SameSound => "sounds the same in another spelling or script".into(),
            Relation::NearWords => "nearly the same words".into(),
            Relation::SharedWords => match common(&probe, &entry) {
                shared if shared.is_empty() => {
                    let handle = words_of(&self.entry.handle).concat();
                    match handle.starts_with(&probe.concat()) {
                        true => "the words of the old handle".into(),
                        false => "words that sound or look alike".into(),
                    }
                }
                shared => format!("shares \"{}\"", shared.join(" ")),
            },
            Relation::Crossed | Relation::Transliterated => match self.crossed() {
                Crossing::NameIsHandle if is_foreign(&self.probe.display_name) => {
                    "the name is the old handle, as it sounds".into()
                }
                Crossing::HandleIsName if is_foreign(&self.entry.display_name) => {
                    "the handle is the old name, as it sounds".into()
                }
                Crossing::NameIsHandle => "the name is the old handle".into(),
                Crossing::HandleIsName => "the handle is the old name".into(),
            },
            _ => "different name".into(),
        }
    }

    fn bio(&self, relation: Relation) -> String {
        let shared = shared_words(&self.probe.bio, &self.entry.bio, self.background);
        let named = shared
            .iter()
            .take(NAMED_WORDS)
            .map(|word| as_written(&self.entry.bio, word))
            .collect::<Vec<_>>()
            .join(", ");
        match relation {
            Relation::Same => "same text".into(),
            Relation::MostWords => format!("most of the text is the same, among it: {named}"),
            Relation::HalfWords => format!("about half of the text is the same, among it: {named}"),
            Relation::FewWords => format!("some of the text is the same: {named}"),
            _ => "different text".into(),
        }
    }

    fn link(&self, relation: Relation) -> String {
        if relation == Relation::SameSite {
            let sites = |account: &Account| {
                links_of(account)
                    .into_iter()
                    .map(|link| link.domain)
                    .collect::<Vec<_>>()
            };
            return format!(
                "same site {}",
                common(&sites(self.probe), &sites(self.entry)).join(", ")
            );
        }
        format!(
            "same link {}",
            common(&link_keys(self.probe), &link_keys(self.entry)).join(", ")
        )
    }

    fn contact(&self, relation: Relation) -> String {
        match relation {
            Relation::Announces => format!("says that it follows @{}", self.entry.handle),
            Relation::NamesEntry => {
                format!("names @{}, as reporters and fans do too", self.entry.handle)
            }
            _ => format!(
                "same {}",
                common(&contact_keys(self.probe), &contact_keys(self.entry)).join(", ")
            ),
        }
    }

    fn crossed(&self) -> Crossing {
        let name = Parts::of(&self.probe.display_name).whole;
        let handle = Parts::of(&self.entry.handle);
        let own = &self.probe.display_name;
        let letters = handle.letters.strip_suffix(&*handle.number);
        let sounds = is_foreign(own) && letters.is_some_and(|old| outline(own) == outline(old));
        if name == handle.whole || name == handle.stem || sounds {
            Crossing::NameIsHandle
        } else {
            Crossing::HandleIsName
        }
    }
}

enum Crossing {
    NameIsHandle,
    HandleIsName,
}

/// The word of `text` that folds to `word`, as its writer spelled it.
fn as_written<'a>(text: &'a str, word: &'a str) -> &'a str {
    let trimmed = text
        .split_whitespace()
        .map(|written| written.trim_matches(|c: char| !c.is_alphanumeric()));
    let mut same = trimmed.filter(|written| words_of(written) == [word]);
    same.next().unwrap_or(word)
}

/// True when an account brings anything for a signal.
fn tells(account: &Account, signal: Signal) -> bool {
    match signal {
        Signal::Handle => !account.handle.is_empty(),
        Signal::Name => !account.display_name.is_empty(),
        Signal::Bio => !account.bio.is_empty(),
        Signal::Avatar => account.avatar.is_some(),
        Signal::Link => !link_keys(account).is_empty(),
        Signal::Contact => !contact_keys(account).is_empty(),
        Signal::Token => !account.tokens.is_empty(),
        Signal::Network | Signal::Time => false,
    }
}

/// How seldom ordinary accounts agree like that, as a clause; why an agreement weighs nothing.
pub(crate) fn seldom(comparison: &Comparison, bits: f32, model: &Model, signal: Signal) -> String {
    if comparison.relation.level() <= Level::Different {
        return String::new();
    }
    let alone = model.bits(signal, *comparison);
    let clause = match comparison.surprise {
        surprise if surprise < 20.0 => format!(
            "; one in {} ordinary accounts would too",
            grouped(surprise.exp2())
        ),
        _ => "; fewer than one in a million ordinary accounts would".into(),
    };
    match (alone > 0.0, alone - bits > 0.05) {
        (true, true) => format!(
            "{clause}; counts {bits:.1} of {alone:.1} bits, since another row tells part of it"
        ),
        (true, false) => clause,
        (false, _) => format!("{clause}: too common to weigh"),
    }
}

fn grouped(count: f32) -> String {
    match count {
        count if count < 10.0 => format!("{count:.0}"),
        count if count < 1_000.0 => format!("{:.0}", (count / 10.0).round() * 10.0),
        count => format!("{:.0},000", (count / 1_000.0).round()),
    }
}

fn picture(comparison: &Comparison) -> String {
    match comparison.relation {
        Relation::Turned => format!(
            "PDQ distance {} of 256 once mirrored or turned",
            comparison.distance
        ),
        Relation::Different => format!(
            "different picture, PDQ distance {} of 256",
            comparison.distance
        ),
        _ => format!("PDQ distance {} of 256", comparison.distance),
    }
}

fn text(value: &str) -> Option<String> {
    let shown: String = value.chars().take(SHOWN_CHARS).collect();
    let cut = shown.len() < value.len();
    (!shown.is_empty()).then(|| if cut { shown + "…" } else { shown })
}

fn words_of(name: &str) -> Vec<String> {
    crate::normalize::unicode::words(name)
}

fn link_keys(account: &Account) -> Vec<String> {
    let mut keys: Vec<String> = links_of(account).into_iter().map(|link| link.key).collect();
    keys.sort();
    keys.dedup();
    keys
}

fn contact_keys(account: &Account) -> Vec<String> {
    let texts = format!(
        "{}\n{}\n{}",
        account.display_name,
        account.bio,
        account.links.join("\n")
    );
    contacts_in(&texts)
        .into_iter()
        .map(|contact| contact.key)
        .collect()
}

/// Names of the tokens that both sides carry with the same keyed value.
fn same_tokens(probe: &Account, entry: &Account) -> Vec<String> {
    let shared = probe
        .tokens
        .iter()
        .filter(|token| entry.tokens.contains(token));
    shared.map(|token| token.name.clone()).collect()
}

fn common(probe: &[String], entry: &[String]) -> Vec<String> {
    let mut shared: Vec<String> = probe
        .iter()
        .filter(|value| entry.contains(value))
        .cloned()
        .collect();
    shared.sort();
    shared.dedup();
    shared
}
