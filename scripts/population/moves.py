"""How evaders move a handle: each function gives another handle or, where the move does not apply, None."""

import random
import re

LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7", "l": "1", "g": "9", "b": "8"}
CYRILLIC = str.maketrans("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ")
GREEK = str.maketrans("aovuinpABEHIKMNOPTXYZ", "αονυιηρΑΒΕΗΙΚΜΝΟΡΤΧΥΖ")
KEYBOARD = {"a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm",
            "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x"}
TO_ARABIC = [("sh", "ش"), ("ch", "چ"), ("kh", "خ"), ("gh", "غ"), ("th", "ث"), ("zh", "ژ"), ("aa", "ا"), ("ee", "ی"), ("oo", "و"), *zip("abpttcdrzsfqkglmnwhyjoviuxe", "ابپتتکدرزسفقکگلمنوهیجووییکی")]
TO_CYRILLIC = [("shch", "щ"), ("sh", "ш"), ("ch", "ч"), ("kh", "х"), ("zh", "ж"), ("ph", "ф"), ("th", "т"), ("ck", "к"), ("ee", "и"), ("oo", "у"), ("ya", "я"), ("yu", "ю"), ("ts", "ц"),
               ("ce", "се"), ("ci", "си"), ("x", "кс"), ("qu", "кв"), *zip("abvgdezijklmnoprstufhcywq", "абвгдезиджклмнопрстуфхкйвк".replace("дж", "ж"))]
DEVANAGARI = {"kh": "ख", "gh": "घ", "chh": "छ", "ch": "च", "sh": "श", "th": "थ", "dh": "ध", "ph": "फ", "bh": "भ", "jh": "झ", "ck": "क", "x": "क्स", "k": "क", "q": "क", "c": "क", "g": "ग", "j": "ज",
              "z": "ज़", "t": "त", "d": "द", "n": "न", "p": "प", "f": "फ", "b": "ब", "m": "म", "r": "र", "l": "ल", "v": "व", "w": "व", "s": "स", "h": "ह"}
# A vowel: as a letter, and as a sign behind a consonant.
DEVANAGARI_VOWELS = {"aa": ("आ", "ा"), "ee": ("ई", "ी"), "oo": ("ऊ", "ू"), "ai": ("ऐ", "ै"), "au": ("औ", "ौ"), "a": ("अ", "ा"), "i": ("इ", "ि"), "u": ("उ", "ु"), "e": ("ए", "े"), "o": ("ओ", "ो"),
                     "y": ("य", "ी")}
AFTER = ("backup", "new", "official", "2", "again", "_back", "_return", "real", "_v2", "tv", "2026", "_alt", "reloaded", "_is_back")
BEFORE = ("the", "real", "new", "its", "im_", "official_", "backup_", "x", "mr_", "not", "i_am_", "old")
URDU = ("official_", "naya", "asli", "dobara", "wapas", "bhai", "sahab", "wala", "jan", "pk", "urdu")


def number_changed(handle, rng):
    """Another number of the same length at the end."""
    found = re.search(r"\d{1,9}$", handle)
    if not found:
        return None
    length = len(found[0])
    return handle[: found.start()] + str(rng.randint(10 ** (length - 1) if length > 1 else 0, 10**length - 1))


def number_appended(handle, rng):
    """A number where none was."""
    if handle[-1:].isdigit():
        return None
    return handle + rng.choice(("", "", "_")) + str(rng.choice((rng.randint(1, 9), rng.randint(10, 99), rng.randint(100, 9999), rng.randint(1970, 2010))))


def number_incremented(handle, rng):
    """The next numbers: ali7 becomes ali8, or ali9."""
    found = re.search(r"\d{1,8}$", handle)
    return handle[: found.start()] + str(int(found[0]) + rng.randint(1, 3)) if found else None


def leet(handle, rng):
    """One to three letters written as digits."""
    places = [place for place, letter in enumerate(handle) if letter.lower() in LEET]
    if not places:
        return None
    letters = list(handle)
    for place in rng.sample(places, min(len(places), rng.randint(1, 3))):
        letters[place] = LEET[letters[place].lower()]
    return "".join(letters)


def _lookalike(handle, table, rng):
    places = [place for place, letter in enumerate(handle) if ord(letter) in table]
    letters = list(handle)
    for place in rng.sample(places, min(len(places), rng.randint(1, 4))):
        letters[place] = letters[place].translate(table)
    return "".join(letters)


def homoglyph_cyrillic(handle, rng):
    """Cyrillic letters that look alike."""
    return _lookalike(handle, CYRILLIC, rng)


def homoglyph_greek(handle, rng):
    """Greek letters that look alike."""
    return _lookalike(handle, GREEK, rng)


def doubled(handle, rng):
    """A letter held down."""
    place = rng.randrange(len(handle))
    return handle[:place] + handle[place] * rng.randint(1, 2) + handle[place:]


def separator_moved(handle, rng):
    """Separators dropped, changed or put elsewhere."""
    bare = re.sub(r"[-_.]", "", handle)
    if len(bare) < 4:
        return None
    if bare != handle and rng.random() < 0.5:
        return rng.choice((bare, re.sub(r"[-_.]", rng.choice("_."), handle), bare + "_"))
    place = rng.randint(2, len(bare) - 2)
    return rng.choice((f"{bare[:place]}{rng.choice('_.')}{bare[place:]}", f"_{bare}_", f"{bare}_"))


def affix_after(handle, rng):
    """A word after it: backup, new, official, 2."""
    return handle + rng.choice(("", "_")) + rng.choice(AFTER)


def affix_before(handle, rng):
    """A word before it."""
    return rng.choice(BEFORE) + handle


def affix_urdu(handle, rng):
    """An Urdu word in Latin letters before or after it."""
    word = rng.choice(URDU)
    return rng.choice((word + handle, f"{handle}_{word}", handle + word))


def truncated(handle, rng):
    """One to three characters fewer at an end."""
    cut = rng.randint(1, 3)
    return None if len(handle) < 7 else rng.choice((handle[:-cut], handle[:-cut], handle[cut:]))


def transposed(handle, rng):
    """Two neighbours in the other order."""
    places = [place for place in range(len(handle) - 1) if handle[place] != handle[place + 1]]
    place = rng.choice(places) if places else None
    return None if place is None else handle[:place] + handle[place + 1] + handle[place] + handle[place + 2 :]


def typo(handle, rng):
    """One or two letters replaced by neighbours on the keyboard."""
    letters = list(handle)
    places = [place for place, letter in enumerate(handle) if letter.lower() in KEYBOARD]
    for place in rng.sample(places, min(len(places), rng.choice((1, 1, 2)) if len(handle) > 6 else 1)):
        letters[place] = rng.choice(KEYBOARD[letters[place].lower()])
    return "".join(letters)


def _words(handle):
    return [word for word in re.split(r"[-_.]|(?<=[a-z])(?=[A-Z])", handle) if word]


def abbreviated(handle, rng):
    """The first word as its initial, or the vowels left out."""
    words = _words(handle)
    if len(words) > 1 and rng.random() < 0.6:
        return words[0][0] + rng.choice(("", "_")) + "".join(words[1:])
    short = handle[0] + re.sub(r"[aeiou]", "", handle[1:])
    return short if len(short) >= 4 else None


def vowel_dropped(handle, rng):
    """One or two vowels fewer, as the word is heard."""
    places = [place for place, letter in enumerate(handle) if place and letter.lower() in "aeiou"]
    dropped = set(rng.sample(places, min(len(places), rng.choice((1, 1, 2)))))
    return "".join(letter for place, letter in enumerate(handle) if place not in dropped) if len(handle) >= 7 else None


def word_dropped(handle, rng):
    """The last word left out."""
    words = _words(handle)
    return rng.choice(("_", "", ".")).join(words[:-1]) if len(words) > 1 and len("".join(words[:-1])) >= 6 else None


def number_moved(handle, rng):
    """The number before it instead of after it."""
    found = re.fullmatch(r"(.*[A-Za-z])[-_.]?(\d{2,})", handle)
    return found and rng.choice((found[2] + "_" + found[1], found[2] + found[1]))


def words_swapped(handle, rng):
    """Its words in another order."""
    words = _words(handle)
    return rng.choice(("_", "", ".")).join(words[1:] + words[:1]) if len(words) > 1 else None


def _heard(handle, table):
    """The handle in other letters as it sounds: each spelling of the table, in its order, replaced by what it is heard as."""
    if not _is_heard(handle):
        return None
    text = handle.lower()
    for latin, letters in table:
        text = text.replace(latin, letters)
    return text


def _is_heard(handle):
    return handle.isascii() and sum(letter.isalpha() for letter in handle) >= 5


def transliterated(handle, rng):
    """Written in Arabic letters, as it sounds."""
    return _heard(handle, TO_ARABIC)


def heard_in_cyrillic(handle, rng):
    """Written in Cyrillic letters, as it sounds."""
    return _heard(handle, TO_CYRILLIC)


def heard_in_devanagari(handle, rng):
    """Written in Devanagari, as it sounds; a short a after a consonant is heard without being written half of the time."""
    if not _is_heard(handle):
        return None
    text, place, after_consonant, made = handle.lower(), 0, False, ""
    while place < len(text):
        table = DEVANAGARI_VOWELS if text[place] in "aeiou" or text[place] == "y" and after_consonant else DEVANAGARI
        found = next((text[place : place + size] for size in (3, 2, 1) if text[place : place + size] in table), "")
        if not found:
            made, after_consonant, place = made + {"y": "य"}.get(text[place], text[place]), text[place] == "y", place + 1
            continue
        if table is DEVANAGARI:
            made, after_consonant = made + ("्" if after_consonant else "") + table[found], True
        else:
            sign = "" if found == "a" and rng.random() < 0.5 else table[found][1]
            made, after_consonant = made + (sign if after_consonant else table[found][0]), False
        place += len(found)
    return made


def later_initial(handle, rng):
    """A later word as its initial: makzamak_gold becomes makzamak_g, ali_raza_khan ali_r_khan."""
    words = _words(handle)
    if len(words) < 2 or len(words[0]) < 4:
        return None
    place = rng.randrange(1, len(words))
    return rng.choice(("_", "", ".")).join(word[0] if at == place else word for at, word in enumerate(words))


def vowels_out_at_the_end(handle, rng):
    """The last word without its vowels, or the second half of the only one."""
    words = _words(handle)
    cut = len(handle) - len(words[-1]) if len(words) > 1 else len(handle) // 2
    short = handle[: cut + 1] + re.sub(r"[aeiouAEIOU]", "", handle[cut + 1 :])
    return short if len(short) >= 4 else None


FANCY = [(0x1D400, 0x1D41A), (0x1D5D4, 0x1D5EE), (0x1D670, 0x1D68A), (0xFF21, 0xFF41)]
SMALL_CAPITALS = str.maketrans("abcdefghijklmnopqrstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢ")
SPELLINGS = [("oo", "u"), ("ee", "i"), ("ph", "f"), ("kh", "k"), ("q", "k"), ("gh", "g"), ("aa", "a"), ("ou", "u"), ("ei", "ay"), ("y", "i"), ("w", "v"), ("u", "o"),
             ("z", "dh"), ("c", "k"), ("s", "sh"), ("j", "dj"), ("i", "e")]


def fancy(handle, rng):
    """Mathematical, full-width or small capital letters, where a platform takes any letter."""
    if rng.random() < 0.25:
        return handle.lower().translate(SMALL_CAPITALS)
    upper, lower = rng.choice(FANCY)
    return "".join(chr(upper + ord(c) - 65) if "A" <= c <= "Z" else chr(lower + ord(c) - 97) if "a" <= c <= "z" else c for c in handle)


def respelt(text, rng):
    """One or two sounds spelt as another transliteration spells them: oo and u, ee and i, kh and k."""
    fitting = [pair for one, two in SPELLINGS for pair in ((one, two), (two, one)) if pair[0] in text.lower()]
    for old, new in rng.sample(fitting, min(len(fitting), rng.randint(1, 2))):
        place = rng.choice([found.start() for found in re.finditer(old, text.lower())] or [-1])
        if place >= 0:
            text = text[:place] + (new.title() if text[place].isupper() else new) + text[place + len(old) :]
    return text


def year_added(handle, rng):
    """A year before it or between its words; tuned numbers stand at the end only."""
    year, words = str(rng.randint(1975, 2027)), _words(handle)
    return "_".join((words[0], year, *words[1:])) if len(words) > 1 and rng.random() < 0.5 else year + rng.choice(("", "_", ".")) + handle


def initials_of_name(name, rng):
    """A handle made of one name and the initials of the others: akhan, ali_k."""
    words = re.findall(r"[A-Za-z]+", name.partition("|")[0])
    if len(words) < 2 or max(len(words[0]), len(words[-1])) < 4:
        return None
    whole = 0 if len(words[0]) >= 4 and rng.random() < 0.4 else -1 % len(words)
    parts = [word if place == whole else word[0] for place, word in enumerate(words)]
    return rng.choice(("", "_", ".")).join(parts).lower() + (str(rng.randint(1, 99)) if rng.random() < 0.5 else "")


def from_name(name, rng):
    """A handle made of the old display name in Latin letters."""
    words = re.findall(r"[A-Za-z]+", name)
    if sum(map(len, words)) < 6 or len(words) < 2:
        return None
    return rng.choice(("", "_", ".")).join(words).lower() + (str(rng.randint(1, 999)) if rng.random() < 0.5 else "")


def moved(change, handle: str, rng: random.Random):
    """Returns the handle after a move, surely another one, of 2 to 40 characters; or None."""
    for _ in range(6):
        made = change(handle, rng)
        if made and made.lower() != handle.lower() and 2 <= len(made) <= 40:
            return made
    return None
