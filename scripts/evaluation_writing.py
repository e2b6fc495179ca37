"""Ordinary people who write their handles and their names in Arabic, Cyrillic, Devanagari or CJK letters: how often are they flagged?

Usage: evaluation_writing.py OUT.ndjson [--people N] [--seed N] makes N people a language (default 8000) of the public names and
words the population is made of. The handles of the population are those of developers, all in Latin letters, so its figures say nothing
of them. Rescan the file against the population's entries, then let evaluation_fairness.py count: `origin` is the language. The same
file with `--entries`, on another seed, is a watchlist of such people, to be enrolled beside the population's entries.
"""

import argparse
import datetime
import json
import random
import re

from population.pools import load
from population.randomness import Weighted, zipf

# Letters a name or a word must be of, and what it is written in otherwise.
ARABIC, CYRILLIC, DEVANAGARI = (re.compile(f"[{letters}]+$") for letters in ("\u0620-\u06ff", "\u0400-\u04ff", "\u0900-\u097f\u200c\u200d"))
CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]+$")
URDU, PERSIAN = str.maketrans("يكه", "یکہ"), str.maketrans("يك", "یک")
# Language: letters, country of the names, letters put in place of the Arabic ones, list of words.
LANGUAGES = {
    "ar": (ARABIC, "EG", {}, "ar"), "ur": (ARABIC, "PK", URDU, "ur"), "fa": (ARABIC, "IR", PERSIAN, "fa"), "ru": (CYRILLIC, "RU", {}, "ru"),
    "uk": (CYRILLIC, "UA", {}, "ru"), "hi": (DEVANAGARI, "IN", {}, "hi"), "zh": (CJK, "CN", {}, "zh"), "ja": (CJK, "JP", {}, "ja"), "ko": (CJK, "KR", {}, "zh"),
}
PLATFORMS = ("facebook", "telegram", "x", "instagram", "tiktok")


class Writers:
    """Draws the people of one language; no two share a handle."""

    def __init__(self, language: str, rng: random.Random):
        letters, country, table, words = LANGUAGES[language]
        names, texts = load("names"), load("texts")
        written = lambda text: bool(letters.match(text.replace(" ", "")))
        if country in names["arabic"]:
            roles = {role: Weighted([row[0].translate(table) for row in rows], [row[2] for row in rows]) for role, rows in names["arabic"][country].items()}
        elif country in names["native"]:
            roles = {role: zipf([name for name in names["native"][country][role] if written(name)], 0.5, 10) for role in ("given", "surname")}
        else:
            both = (("given", "first", 0.9, 8), ("surname", "last", 0.8, 10))
            roles = {role: zipf([name for name in names[part][country] if written(name)], exponent, offset) for role, part, exponent, offset in both}
        # The commonest words are "and" and "of"; nobody is called so.
        common = [word for word, _ in texts["words"][words][100:6000] if written(word) and len(word) >= (1 if letters is CJK else 3)]
        self.language, self.rng, self.roles, self.words, self.taken = language, rng, roles, zipf(common, 0.7, 50), set()
        self.bios = zipf(texts["texts"].get(words, texts["texts"]["en"]), 0.6, 20)

    def one(self, number: int, prefix: str) -> dict:
        """Returns one account: a handle of one's names, or of common words, with or without a number; and a name in the same letters."""
        rng, together = self.rng, self.language in ("zh", "ja", "ko")
        first, last = (self.roles[role].pick(rng) for role in ("given", "surname"))
        name = last + first if together else f"{first} {last}"
        while True:
            pieces = [first, last] if rng.random() < 0.6 else [self.words.pick(rng), rng.choice((self.words.pick(rng), first))]
            end = rng.choice(("", "", str(rng.randint(1, 99)), str(rng.randint(1970, 2012)), str(rng.randint(100, 9999))))
            pieces = pieces[::-1] if together else pieces
            handle = rng.choice(("", "", "_", ".")).join(piece.replace(" ", "") for piece in pieces) + (rng.choice(("", "", "_")) if end else "") + end
            if 3 <= len(handle) <= 30 and handle not in self.taken:
                break
            # A name whose every handle is taken is another name.
            first, last = (self.roles[role].pick(rng) for role in ("given", "surname"))
            name = last + first if together else f"{first} {last}"
        self.taken.add(handle)
        opened = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=rng.randrange(200 * 86400))
        platform = rng.choice(PLATFORMS)
        account = {"id": f"{platform}:{prefix}{self.language}{number}", "platform": platform, "handle": handle, "created_at": opened.strftime("%Y-%m-%dT%H:%M:%SZ")}
        account["display_name"] = rng.choice((name, name, name, first))
        if rng.random() < 0.4:
            account["bio"] = self.bios.pick(rng)
        return account


def main():
    """Reads the arguments and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--people", type=int, default=8000, help="people a language")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--entries", action="store_true", help="a watchlist instead of signups")
    options = parser.parse_args()
    with open(options.out, "w", encoding="utf-8") as file:
        for language in LANGUAGES:
            writers = Writers(language, random.Random(f"{options.seed} {language}"))
            for number in range(options.people):
                account = writers.one(number, "entry" if options.entries else "people")
                if options.entries:
                    account["ban"] = {"reason": "of another script", "network": f"{language} {number // 5}", "banned_at": account["created_at"]}
                else:
                    account.update(mirror_of=None, tactic="ordinary", origin=language)
                file.write(json.dumps(account, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
