"""Personal names as people sign up with them: by country and popularity, in Latin or in their own letters."""

import random
import re

from population.pools import load
from population.randomness import Weighted, zipf

# How many signups come from where: the mix of the platforms and regions the project is for, not of the world.
COUNTRY_WEIGHTS = {
    "PK": 17, "IN": 12, "US": 12, "SA": 5, "EG": 5, "IQ": 4, "SY": 3, "MA": 2, "AF": 5, "IR": 6, "RU": 6, "UA": 2, "TR": 5, "ID": 5, "BD": 5, "MX": 2, "CO": 1,
    "BR": 3, "GB": 4, "FR": 2, "DE": 2, "ES": 1, "IT": 1, "NG": 3, "CN": 2, "JP": 2, "TW": 1, "MY": 1, "AE": 1, "GR": 1, "TH": 1, "KR": 1, "TA": 1,
}
LANGUAGES = {
    "PK": "ur", "IN": "hi", "SA": "ar", "EG": "ar", "IQ": "ar", "SY": "ar", "MA": "ar", "AE": "ar", "AF": "fa", "IR": "fa", "RU": "ru", "UA": "ru", "TR": "tr", "ID": "id",
    "MY": "id", "BD": "bn", "MX": "es", "CO": "es", "ES": "es", "BR": "pt", "FR": "fr", "DE": "de", "IT": "it", "CN": "zh", "TW": "zh", "JP": "ja",
}
NATIVE_SHARE = {"PK": 0.35, "AF": 0.5, "IR": 0.6, "SA": 0.6, "EG": 0.5, "IQ": 0.7, "SY": 0.7, "MA": 0.3, "AE": 0.4, "IN": 0.2, "BD": 0.45, "UA": 0.7, "CN": 0.8, "JP": 0.7, "GR": 0.6, "TH": 0.7, "KR": 0.6, "TA": 0.4}
URDU_LETTERS = str.maketrans("يكه", "یکہ")
PERSIAN_LETTERS = str.maketrans("يك", "یک")
LATIN = re.compile(r"[A-Za-z\u00c0-\u024f' -]+$")


class Names:
    """Draws names; `person` is the entrance."""

    def __init__(self):
        pool = load("names")
        self.country = Weighted(COUNTRY_WEIGHTS, COUNTRY_WEIGHTS.values())
        keep = lambda names: [name for name in names if LATIN.match(name)] or names
        own = {"RU", "KZ"}
        self.first = {c: zipf(names if c in own else keep(names), 0.9, 8) for c, names in pool["first"].items() if c != "IR"}
        self.last = {c: zipf(names if c in own else keep(names), 0.8, 10) for c, names in pool["last"].items() if c != "IR"}
        self.arabic = {c: {role: Weighted(rows, [row[2] for row in rows]) for role, rows in roles.items()} for c, roles in pool["arabic"].items()}
        self.native = {c: {role: zipf(names, 0.5, 10) for role, names in roles.items()} for c, roles in pool["native"].items()}
        latin = [name for names in pool["first"].values() for name in keep(names)[:1500]]
        latin += [row[1] for roles in pool["arabic"].values() for row in roles["given"][:500]]
        self.known_first = {name.lower(): name for name in latin if 4 <= len(name) <= 12 and name.isalpha() and name.isascii()}
        last = [name for names in pool["last"].values() for name in keep(names)[:2500]]
        self.known_last = {name.lower(): name for name in last if 3 <= len(name) <= 14 and name.isalpha() and name.isascii()}

    def person(self, rng: random.Random) -> dict:
        """Returns a country, its language, and a first and last name as `(written, latin)` pairs; the two are equal for a Latin name."""
        country = self.country.pick(rng)
        native = rng.random() < NATIVE_SHARE.get(country, 0)
        if country in self.arabic and (native or country in ("PK", "IR")):
            letters = URDU_LETTERS if country == "PK" else PERSIAN_LETTERS if country in ("IR", "AF") else {}
            rows = [self.arabic[country][role].pick(rng) for role in ("given", "surname")]
            first, last = ((row[0].translate(letters) if native else row[1], row[1]) for row in rows)
        elif country in self.native and (native or country not in self.first):
            first, last = ((self.native[country][role].pick(rng),) * 2 for role in ("given", "surname"))
        else:
            first = (self.first.get(country, self.first["US"]).pick(rng),) * 2
            last = (self.last.get(country, self.last["US"]).pick(rng),) * 2
        return {"country": country, "language": LANGUAGES.get(country, "en"), "native": native, "first": first, "last": last}

    def within(self, handle: str):
        """Returns the `(first, last)` that a real handle plainly contains ("ali-raza7" is Ali Raza; last may be empty), or None."""
        words = [word for word in re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", handle).lower()) if word]
        if not words or len(words[0]) < 4:
            return None
        if words[0] in self.known_first:
            return self.known_first[words[0]], self.known_last.get(words[1], words[1].title() if len(words[1]) > 2 else "") if len(words) > 1 else ""
        for cut in range(min(10, len(words[0]) - 3), 3, -1):
            first, rest = words[0][:cut], words[0][cut:]
            if first in self.known_first and rest in self.known_last:
                return self.known_first[first], self.known_last[rest]
        return None

    def display(self, person: dict, rng: random.Random, latin=False) -> str:
        """Returns a display name as people write them: whole, first only, lower case, initial, with an emoji or with a trade."""
        first, last = (person[part][latin] for part in ("first", "last"))
        whole = last + first if person["country"] in ("CN", "JP", "TW", "KR") and not first.isascii() else f"{first} {last}"
        draw = rng.random()
        if draw < 0.62:
            return whole
        if draw < 0.76:
            return first
        if draw < 0.83:
            return whole.lower()
        if draw < 0.88:
            return f"{first} {last[:1]}."
        if draw < 0.96:
            return f"{whole} {rng.choice('🌹❤️ 🇵🇰 ✨ 🦋 🔥 🌙 👑 🇮🇳 ⚽ 🎮 🌸 🖤'.split())}"
        return f"{whole} | {rng.choice(('Official', 'Photography', 'Dev', 'Gamer', 'Vlogs', 'Writer', 'Real Estate', 'MD', 'Fitness', 'Art'))}"
