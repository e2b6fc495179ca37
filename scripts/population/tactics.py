"""The table of tactics: how a mirror differs from its entry, which signals survive, and in which half a tactic is tested.

Only the signals named as kept come from the entry (changed as the tactic says); all else is a fresh ordinary account. Tactics of the unseen
half use moves, texts and picture changes that no tactic of the tuned half uses.
"""

import random
import re
from dataclasses import dataclass
from typing import Callable

from population import moves, wording
from population.bios import CITIES
from population.networks import WORDS


@dataclass(frozen=True)
class Tactic:
    """One way to come back. `needs` are the traits the entry must have; `change(make, draft, entry)` turns a fresh draft into the mirror."""

    name: str
    half: str
    kept: tuple
    needs: tuple
    change: Callable
    about: str


class Make:
    """What a change may draw on: random numbers and fresh ordinary material."""

    def __init__(self, accounts, rng: random.Random):
        self.accounts, self.rng = accounts, rng

    def name(self) -> str:
        """Returns a fresh ordinary display name."""
        return self.accounts.names.display(self.accounts.names.person(self.rng), self.rng)

    def words(self, entry) -> Callable:
        """Returns a maker of replacement words in the entry's manner."""
        language = "en" if re.search("[A-Za-z]{3}", entry["bio"]) else entry["_person"]["language"]
        return lambda count: self.accounts.bios.sentence(language, self.rng, count, count)


def take_handle(make, draft, made):
    """Gives the draft a handle; a name that repeated the old one is drawn anew."""
    if draft["display_name"] == draft["handle"]:
        draft["display_name"] = make.name()
    draft["handle"] = made
    return True


def move(change):
    """Returns a change that keeps the handle, moved."""

    def apply(make, draft, entry):
        made = moves.moved(change, entry["handle"], make.rng)
        if made is None:
            return False
        return take_handle(make, draft, made)

    return apply


def rename(change=None):
    """Returns a change that keeps the name, written differently."""

    def apply(make, draft, entry):
        draft["display_name"] = change(entry["display_name"], make.rng) if change else entry["display_name"]
        return bool(draft["display_name"])

    return apply


def retell(change):
    """Returns a change that keeps the bio, worded differently."""

    def apply(make, draft, entry):
        draft["bio"] = change(make, entry)
        return draft["bio"] != entry["bio"] or change is COPIED

    return apply


def picture(*changes):
    """Returns a change that keeps the picture, transformed by one of `changes` (None: the very file)."""

    def apply(make, draft, entry):
        draft["_picture"] = (entry["_picture"][0], make.rng.choice(changes), make.rng.getrandbits(32))
        return True

    return apply


def all_of(*changes):
    """Returns a change that makes several, and fails if one of them does."""
    return lambda make, draft, entry: all(change(make, draft, entry) for change in changes)


COPIED = lambda make, entry: entry["bio"]
KEEP_BIO, KEEP_NAME, KEEP_PICTURE = retell(COPIED), rename(), picture(None, "uploaded")


def keep_link(make, draft, entry):
    """Keeps a link that only this entry has, among new ones."""
    draft["links"] = [make.rng.choice(entry["_rare_links"])] + draft["links"][:1]
    return True


def link_in_bio(make, draft, entry):
    """Writes the link into the text, without the scheme half the time."""
    link = make.rng.choice(entry["_rare_links"])
    draft["bio"] = f"{draft['bio']} {make.rng.choice(('👉', 'Join:', 'new:', ''))} {link.removeprefix('https://') if make.rng.random() < 0.5 else link}".strip()
    return True


def keep_invite(make, draft, entry):
    """Keeps an invite link of the entry."""
    draft["links"] = draft["links"][:1] + [make.rng.choice(entry["_invites"])]
    return True


def number(change):
    """Returns a change that keeps the telephone number, written differently."""

    def apply(make, draft, entry):
        draft["bio"] = f"{draft['bio']} {make.rng.choice(('WhatsApp', 'Call', '☎', 'رابطہ'))} {change(entry['_phone'], make.rng)}".strip()
        return True

    return apply


def keep_wallet(make, draft, entry):
    """Keeps the wallet address in another text."""
    draft["bio"] = f"{draft['bio']} {make.rng.choice(('send', 'USDT', 'support us', '💰'))} {entry['_wallet']}".strip()
    return True


def backup_of(make, draft, entry):
    """Says whose backup it is."""
    draft["bio"] = f"{make.rng.choice(('Backup of', 'backup account of', 'old id', 'My old account', 'previously', 'formerly'))} @{entry['handle']}{make.rng.choice(('', ' got banned', ' suspended', '. ' + draft['bio']))}"
    return True


def keep_token(make, draft, entry):
    """Comes from the same device."""
    draft["tokens"] = {**draft["tokens"], "device": entry["tokens"]["device"]}
    return True


def name_from_handle(make, draft, entry):
    """Uses the old handle as the display name."""
    draft["display_name"] = entry["handle"]
    return True


def named_handle(change):
    """Returns a change that makes the new handle of the old display name."""

    def apply(make, draft, entry):
        made = change(entry["display_name"], make.rng)
        if made is None or made == entry["handle"].lower():
            return False
        return take_handle(make, draft, made)

    return apply


def name_script_switched(make, draft, entry):
    """Writes the Urdu, Persian or Arabic name in Latin letters."""
    draft["display_name"] = " ".join(entry["_person"][part][1] for part in ("first", "last"))
    return True


def pose(names, change):
    """Returns a change that keeps what `change` keeps behind a front: another name, another picture."""

    def apply(make, draft, entry):
        draft["display_name"], draft["_picture"] = names(make.rng), make.accounts.new_picture()
        return change(make, draft, entry)

    return apply


WOMEN = "Ayesha Fatima Zainab Maryam Hira Noor Sana Amna Iqra Mahnoor Laiba Areeba Kinza Sadia Rabia Anaya Sofia Layla Huda Nadia Parisa Shirin Zahra Elena Maria".split()
woman = lambda rng: f"{rng.choice(WOMEN)} {rng.choice(('🌹', '🦋', 'Khan', 'Princess', 'Queen', 'Malik', 'Doll', '💕', 'Noor'))}"
news_desk = lambda rng: f"{rng.choice(CITIES)} {rng.choice(('News', 'Updates', 'Times', 'News Desk', 'Breaking', 'Today', '24/7'))}"
place = lambda rng: f"{rng.choice(('Beautiful', 'Visit', 'My', 'Discover', 'I love'))} {rng.choice(CITIES)}"


def group_renamed(make, draft, entry):
    """The same group picture and text under a new name."""
    draft["display_name"] = make.accounts.group_name(draft["_person"])
    return KEEP_PICTURE(make, draft, entry) and KEEP_BIO(make, draft, entry)


def burst(make, draft, entry):
    """One of five returns within minutes, each keeping another pair."""
    pairs = [(KEEP_BIO, KEEP_NAME), (KEEP_BIO, KEEP_PICTURE), (KEEP_NAME, KEEP_PICTURE), (move(moves.affix_before), KEEP_PICTURE), (move(moves.doubled), KEEP_BIO)]
    first, second = pairs[draft["_turn"] % 5]
    return first(make, draft, entry) and second(make, draft, entry)


def translated_part(make, entry):
    """Returns the text with one half in words of another language."""
    words = entry["bio"].split()
    half = len(words) // 2
    language = make.rng.choice([other for other in ("en", "ur", "ar", "fa", "hi", "ru", "tr", "id") if other != entry["_person"]["language"]])
    told_anew = make.accounts.bios.sentence(language, make.rng, half, half)
    return " ".join((*words[:-half], told_anew) if make.rng.random() < 0.5 else (told_anew, *words[half:]))


def respelt_name(name: str, rng: random.Random):
    """Returns a Latin name spelt as another transliteration spells it; None where it stays the same."""
    made = moves.respelt(name, rng)
    return made if made.lower() != name.lower() else None


def reworded(make, entry):
    """Returns the text with a fifth of its words replaced by ordinary ones."""
    return wording.reworded(entry["bio"], make.rng, make.words(entry))


told = lambda change: lambda make, entry: change(entry["bio"], make.rng)
small = lambda make, draft, entry: make.rng.choice((move(moves.number_appended), move(moves.affix_after), move(moves.typo)))(make, draft, entry)
large = lambda make, draft, entry: make.rng.choice((move(moves.affix_before), move(moves.doubled), move(moves.respelt), move(moves.year_added)))(make, draft, entry)
H, N, B, A, L, C, T = ("handle",), ("name",), ("bio",), ("avatar",), ("link",), ("contact",), ("token",)
row = lambda half: lambda name, kept, change, about, needs=None: Tactic(name, half, kept, needs or kept, change, about)
tuned, unseen = row("tuned"), row("unseen")

TACTICS = [
    tuned("handle_number_changed", H, move(moves.number_changed), "another number of the same length at the end", ("digits",)),
    tuned("handle_number_appended", H, move(moves.number_appended), "a number where none was", ("no_digits",)),
    tuned("handle_leet", H, move(moves.leet), "one to three letters written as digits"),
    tuned("handle_affix_after", H, move(moves.affix_after), "backup, new, official, 2 after it"),
    tuned("handle_separator_moved", H, move(moves.separator_moved), "separators dropped, changed, moved"),
    tuned("handle_typo", H, move(moves.typo), "one or two letters replaced by their neighbours on the keyboard"),
    tuned("handle_cyrillic", H, move(moves.homoglyph_cyrillic), "Cyrillic look-alike letters"),
    tuned("handle_vowel_dropped", H, move(moves.vowel_dropped), "one or two vowels fewer"),
    tuned("handle_word_dropped", H, move(moves.word_dropped), "the last word left out", ("handle_words",)),
    tuned("handle_number_moved", H, move(moves.number_moved), "the number before it instead of after it", ("digits",)),
    tuned("handle_later_initial", H, move(moves.later_initial), "a word that is not the first as its initial", ("handle_words",)),
    tuned("handle_end_without_vowels", H, move(moves.vowels_out_at_the_end), "the vowels of the last word left out"),
    tuned("handle_heard_in_cyrillic", H, move(moves.heard_in_cyrillic), "the handle in Cyrillic letters, as it sounds"),
    tuned("handle_heard_in_devanagari", H, move(moves.heard_in_devanagari), "the handle in Devanagari, as it sounds"),
    tuned("name_typed", N, rename(wording.typed), "one letter left out or written twice"),
    tuned("name_kept", N, KEEP_NAME, "the same name, all else new"),
    tuned("name_fancy", N, rename(wording.fancy), "the name in a mathematical, circled or full-width alphabet", ("latin_name",)),
    tuned("name_from_handle", H, name_from_handle, "the old handle as display name"),
    tuned("bio_copied", B, KEEP_BIO, "the same text"),
    tuned("bio_reworded", B, retell(reworded), "a fifth of the words replaced"),
    tuned("bio_prefixed", B, retell(told(wording.prefixed)), "an announcement before the text"),
    tuned("avatar_same", A, KEEP_PICTURE, "the same file, or uploaded anew"),
    tuned("avatar_recompressed", A, picture("recompressed"), "JPEG of quality 25 to 60"),
    tuned("avatar_cropped", A, picture("cropped"), "2 to 6 % cut off"),
    tuned("avatar_exposed", A, picture("exposed"), "brightness, contrast, gamma"),
    tuned("avatar_flipped", A, picture("flipped"), "mirrored left to right"),
    tuned("link_kept", L, keep_link, "one rare link, all else new"),
    tuned("link_in_bio", L, link_in_bio, "the link in the text instead of in its field"),
    tuned("phone_other_format", C, number(wording.other_format), "the number grouped in another way", ("phone",)),
    tuned("backup_of_old", C, backup_of, "names the old handle in the text", H),
    tuned("token_kept", T, keep_token, "the same device, all else new"),
    tuned("full_recreation", H + N + B + A, all_of(small, KEEP_NAME, KEEP_BIO, KEEP_PICTURE), "everything with a small change of the handle"),
    tuned("two_kept_name_avatar", N + A, all_of(KEEP_NAME, KEEP_PICTURE), "name and picture kept"),
    tuned("two_kept_handle_picture", H + A, all_of(small, picture("recompressed")), "a small change of the handle, the picture recompressed"),
    tuned("two_kept_handle_link", H + L, all_of(move(moves.affix_after), keep_link), "a word after the handle, the same link"),
    tuned("cross_platform", H + N, all_of(small, KEEP_NAME), "the same person on another platform"),
    tuned("pose_woman", B, pose(woman, KEEP_BIO), "a woman's name and picture before the same text"),
    unseen("handle_number_incremented", H, move(moves.number_incremented), "the next number", ("digits",)),
    unseen("handle_affix_before", H, move(moves.affix_before), "the, real, new, old before it"),
    unseen("handle_affix_urdu", H, move(moves.affix_urdu), "an Urdu word in Latin letters"),
    unseen("handle_doubled", H, move(moves.doubled), "a letter doubled or tripled"),
    unseen("handle_transposed", H, move(moves.transposed), "two letters in the other order"),
    unseen("handle_truncated", H, move(moves.truncated), "one to three characters fewer"),
    unseen("handle_greek", H, move(moves.homoglyph_greek), "Greek look-alike letters"),
    unseen("handle_abbreviated", H, move(moves.abbreviated), "first word as initial, or vowels out"),
    unseen("handle_words_swapped", H, move(moves.words_swapped), "its words in another order", ("handle_words",)),
    unseen("handle_transliterated", H, move(moves.transliterated), "the handle in Arabic letters"),
    unseen("handle_from_name", N, named_handle(moves.from_name), "the old name as handle", ("latin_name", "handle")),
    unseen("handle_fancy", H, move(moves.fancy), "mathematical, full-width or small capital letters"),
    unseen("handle_vowel_changed", H, move(moves.respelt), "sounds spelt otherwise: oo and u, ee and i, ph and f, kh and k, q and k"),
    unseen("handle_year_added", H, move(moves.year_added), "a year before it or between its words"),
    unseen("handle_initials_of_name", N, named_handle(moves.initials_of_name), "initials and last part of the old name as handle", ("latin_name", "handle")),
    unseen("name_respelt", N, rename(respelt_name), "the name as another transliteration spells it", ("latin_name",)),
    unseen("name_zero_width", N, rename(wording.zero_width), "invisible marks in the name"),
    unseen("name_reordered", N, rename(wording.reordered_name), "last name first"),
    unseen("name_script_switched", N, name_script_switched, "Urdu, Arabic or Persian name in Latin letters", ("native_name",)),
    unseen("bio_cut", B, retell(told(wording.cut)), "half to four fifths of the text"),
    unseen("bio_reordered", B, retell(told(wording.reordered)), "its parts in another order"),
    unseen("bio_translated_part", B, retell(translated_part), "half of the words in another language"),
    unseen("bio_misspelt", B, retell(told(wording.misspelt)), "slips in every fourth word"),
    unseen("avatar_resized", A, picture("resized"), "brought down to 48..120 pixels and up again"),
    unseen("avatar_bordered", A, picture("bordered"), "a frame of 1.5 to 5 %"),
    unseen("avatar_captioned", A, picture("captioned"), "a bar with words"),
    unseen("avatar_rotated", A, picture("rotated"), "turned by 90, 180 or 270 degrees"),
    unseen("avatar_inverted", A, picture("inverted"), "the negative"),
    unseen("avatar_rehued", A, picture("rehued"), "the colour wheel turned"),
    unseen("invite_kept", L, keep_invite, "the same chat invite", ("invite",)),
    unseen("phone_other_digits", C, number(wording.other_digits), "the number in Persian or Arabic digits", ("phone",)),
    unseen("wallet_kept", C, keep_wallet, "the same wallet address", ("wallet",)),
    unseen("two_kept_handle_avatar", H + A, all_of(large, picture("resized", "captioned")), "the handle moved in an unseen way, the picture brought down or captioned"),
    unseen("two_kept_name_bio", N + B, all_of(rename(wording.reordered_name), retell(told(wording.cut))), "last name first, half to four fifths of the text"),
    unseen("two_kept_name_link", N + L, all_of(rename(respelt_name), keep_link), "the name spelt otherwise, the same link", ("latin_name", "link")),
    unseen("two_kept_bio_link", B + L, all_of(KEEP_BIO, keep_link), "text and link kept"),
    unseen("three_kept", H + B + A, all_of(move(moves.affix_before), retell(told(wording.cut)), picture("captioned")), "handle, text and picture, each changed"),
    unseen("pose_news_desk", L, pose(news_desk, keep_link), "a news desk's name and picture, the same link"),
    unseen("pose_place", B, pose(place, retell(told(wording.misspelt))), "a place's name and picture, the text misspelt"),
    unseen("group_renamed", B + A, group_renamed, "a group behind a new name, same picture and words", ("group", "bio", "avatar")),
    unseen("burst_of_five", B + N + A, burst, "five returns of one entry within minutes, each keeping two signals", ("handle",) + B + N + A),
]
