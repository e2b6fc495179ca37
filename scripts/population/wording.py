"""How evaders change names and texts: other letters, other words, other order; and numbers written otherwise."""

import random
import re
import unicodedata

ALPHABETS = [(0x1D400, 0x1D41A), (0x1D5D4, 0x1D5EE), (0x1D670, 0x1D68A), (0x1D4D0, 0x1D4EA), (0x24B6, 0x24D0), (0xFF21, 0xFF41)]
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
PREFIXES = ("NEW ACCOUNT. ", "Backup: ", "Old account was banned. ", "2nd acc ", "نیا اکاؤنٹ ", "الحساب الجديد ", "Back again 🔥 ", "Follow my new id. ", "[2] ")
DIGITS = ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩")


def fancy(name: str, rng: random.Random):
    """Returns a Latin name in a mathematical, circled or full-width alphabet; None for other scripts."""
    upper, lower = rng.choice(ALPHABETS)
    made = "".join(chr(upper + ord(c) - 65) if "A" <= c <= "Z" else chr(lower + ord(c) - 97) if "a" <= c <= "z" else c for c in name)
    return made if made != name else None


def typed(name: str, rng: random.Random):
    """Returns a name with one letter left out or written twice; None for a short one."""
    places = [place for place in range(1, len(name) - 1) if name[place].isalpha()]
    if len(places) < 5:
        return None
    place = rng.choice(places)
    return name[:place] + name[place + 1 :] if rng.random() < 0.5 else name[:place] + name[place] + name[place:]


def zero_width(name: str, rng: random.Random):
    """Returns a name with one to four invisible marks inside."""
    letters = list(name)
    for _ in range(rng.randint(1, 4)):
        letters.insert(rng.randint(1, max(1, len(letters) - 1)), rng.choice(INVISIBLE))
    return "".join(letters)


def reordered_name(name: str, rng: random.Random):
    """Returns a name with its words in another order; None for one word."""
    words = name.split()
    return " ".join(words[1:] + words[:1]) if len(words) > 1 and words[0] != words[-1] else None


def reworded(text: str, rng: random.Random, sentence):
    """Returns a text with a fifth of its words replaced by others of the language."""
    words = text.split()
    count = max(1, round(len(words) * 0.2))
    for place, word in zip(rng.sample(range(len(words)), count), sentence(count).split() * count):
        words[place] = word
    return " ".join(words)


def cut(text: str, rng: random.Random):
    """Returns a half to four fifths of a text."""
    words = text.split()
    keep = max(4, int(len(words) * rng.uniform(0.5, 0.8)))
    return " ".join(words[:keep] if rng.random() < 0.6 else words[-keep:])


def reordered(text: str, rng: random.Random):
    """Returns the sentences or thirds of a text in another order."""
    parts = [part.strip() for part in re.split(r"(?<=[.!?|•۔])\s+", text) if part.strip()]
    if len(parts) < 2:
        words = text.split()
        third = max(2, len(words) // 3)
        parts = [" ".join(words[place : place + third]) for place in range(0, len(words), third)]
    return " ".join(parts[1:] + parts[:1])


def prefixed(text: str, rng: random.Random):
    """Returns a text with an announcement before it."""
    return rng.choice(PREFIXES) + text


def misspelt(text: str, rng: random.Random):
    """Returns a text in which every fourth word has a slip."""
    words = text.split()
    for place, word in enumerate(words):
        if len(word) > 3 and rng.random() < 0.27:
            at = rng.randint(1, len(word) - 2)
            words[place] = rng.choice((word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word[:at] + word[at + 1] + word[at] + word[at + 2 :]))
    return " ".join(words)


def other_digits(number: str, rng: random.Random):
    """Returns a telephone number in Persian or Arabic digits, grouped."""
    table = str.maketrans("0123456789", rng.choice(DIGITS))
    bare = number.lstrip("+")
    return ("00" if rng.random() < 0.5 else "+").translate(table) + f"{bare[:2]} {bare[2:5]} {bare[5:]}".translate(table)


def other_format(number: str, rng: random.Random):
    """Returns a telephone number grouped in another way."""
    bare = number.lstrip("+")
    return rng.choice((f"+{bare[:2]} {bare[2:5]}-{bare[5:]}", f"00{bare}", f"(+{bare[:2]}) {bare[2:5]} {bare[5:8]} {bare[8:]}", f"+{bare[:2]}.{bare[2:5]}.{bare[5:]}", f"wa.me/{bare}"))


def words_of(text: str) -> int:
    """Returns how many words with letters a text has."""
    return sum(any(unicodedata.category(letter)[0] == "L" for letter in word) for word in text.split())
