"""Ordinary accounts: a real handle, a name that fits it where one is in it, and the rest as real profiles have it, gaps included."""

import datetime
import random
import re

from population import pictures
from population.bios import Bios
from population.links import Links, invite
from population.names import Names
from population.pools import load
from population.randomness import Weighted, half_of
from population.wording import fancy

PLATFORM = Weighted(("x", "facebook", "instagram", "tiktok", "telegram", "whatsapp", "youtube", "mastodon"), (24, 22, 14, 14, 12, 6, 5, 3))
KIND = {"facebook": Weighted(("account", "page", "group"), (75, 17, 8)), "telegram": Weighted(("account", "channel", "group"), (50, 35, 15)),
        "whatsapp": Weighted(("account", "group", "channel"), (50, 45, 5)), "youtube": Weighted(("channel",), (1,))}
WINDOW_START = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
WINDOW_SECONDS = 200 * 86400
STOCK = Weighted(pictures.STOCK, [1.0 / (rank + 30) for rank in range(len(pictures.STOCK))])
FLAG = Weighted(range(250), [1.0 / (rank + 3) for rank in range(250)])


def stamp(seconds: float) -> str:
    """Returns RFC 3339 of a moment given in seconds since the window opened."""
    return (WINDOW_START + datetime.timedelta(seconds=int(seconds))).strftime("%Y-%m-%dT%H:%M:%SZ")


def spelling(handle: str) -> str:
    """Returns what the spellings of one handle have in common: `Ali.Raza` and `ali_raza` are one person's."""
    return re.sub(r"[-_.]", "", handle.lower())


class Accounts:
    """Makes drafts; each handle, in any spelling, each page name and each personal picture belongs to one of them. `expected` is how many
    accounts the run draws: where the pool holds fewer real handles, they are spread evenly over the run, among invented ones."""

    def __init__(self, split: str, rng: random.Random, expected: int):
        self.rng, self.names, self.bios, self.links = rng, Names(), Bios(split), Links(split)
        pool = {spelling(handle): handle for handle in load("handles")["handles"] if half_of(handle) == split and spelling(handle)}
        self.handles, self.taken = list(pool.values()), set(pool)
        rng.shuffle(self.handles)
        # Fifteen accounts in a hundred have no handle; a few more drafts are drawn than are kept.
        self.real_share = min(1.0, len(self.handles) / (0.95 * expected + 1))
        self.used, self.skip, self.ids = 0, set(), set()
        # Personal pictures of the two splits differ in their emoji already; different numbers keep them apart on paper too.
        self.picture = pictures.PERSONAL_BASE + (1 << 40) * (split == "background")

    def handle(self) -> str:
        """Returns the next real handle, or an invented one in the share of the run that the pool is too small for."""
        while self.used < len(self.handles) and (self.real_share == 1.0 or self.rng.random() < self.real_share):
            self.used += 1
            handle = self.handles[self.used - 1]
            if handle not in self.skip:
                return handle
        return self.claimed(self.invented)

    def invented(self) -> str:
        """Returns a handle as people make them up: a name or two common words, often with a number."""
        rng = self.rng
        person = self.names.person(rng)
        first, last = (re.sub(r"[^a-z]", "", person[part][1].lower()) for part in ("first", "last"))
        if rng.random() < 0.5 or len(first) < 2 or len(last) < 2:
            first, last = (self.bios.plain_word(rng) for _ in range(2))
        number = rng.choice(("", str(rng.randint(1, 99)), str(rng.randint(1970, 2012)), str(rng.randint(100, 9999))))
        return f"{first}{rng.choice(('', '', '_', '.'))}{last}{rng.choice(('', '', '_')) if number else ''}{number}"

    def claimed(self, draw) -> str:
        """Returns the first of what `draw` gives that no account has in any spelling, and keeps it from the others."""
        while True:
            name = draw()
            if len(name) <= 30 and spelling(name) not in self.taken:
                self.taken.add(spelling(name))
                return name

    def page_name(self, handle: str, person: dict) -> str:
        """Returns the name of an account's own pages and mailbox: its handle, else its owner's name with a number nobody else has."""
        first, last = (re.sub(r"[^a-z]", "", person[part][1].lower())[:12] for part in ("first", "last"))

        def numbered():
            # A name in other letters only leaves common words to call a page.
            words = (first, last) if first and last else (self.bios.plain_word(self.rng), self.bios.plain_word(self.rng))
            return f"{words[0]}{self.rng.choice(('', '.', '_'))}{words[1]}{self.rng.randint(1, 9999)}"

        return handle or self.claimed(numbered)

    def new_id(self, platform: str) -> str:
        """Returns an id that says nothing about the account."""
        while True:
            made = f"{platform}:{self.rng.randrange(10**8, 10**12)}"
            if made not in self.ids:
                self.ids.add(made)
                return made

    def new_picture(self) -> tuple:
        """Returns a picture nobody else has."""
        self.picture += 1
        return (self.picture, None, 0)

    def draft(self, platform: str = "", kind: str = "") -> dict:
        """Returns one ordinary account; keys that start with `_` are for the maker and are not written."""
        rng = self.rng
        platform = platform or PLATFORM.pick(rng)
        kind = kind or (KIND[platform].pick(rng) if platform in KIND else "account")
        group = platform in ("whatsapp", "telegram") and kind == "group"
        handle = "" if group or platform == "whatsapp" else self.handle()
        person = self.person(handle)
        name = handle if handle and rng.random() < 0.3 else self.names.display(person, rng)
        if group:
            name = self.group_name(person)
        elif rng.random() < 0.015:
            name = fancy(name, rng) or name
        person["page"] = self.page_name(handle, person)
        links = self.links.some(person["page"], rng)
        if group and rng.random() < 0.7:
            links = [invite(platform, rng)]
        draft = {
            "id": self.new_id(platform), "platform": platform, "kind": kind, "handle": handle, "display_name": name,
            "bio": "" if rng.random() < 0.4 else self.bios.one(person, rng), "location": self.bios.place(rng) if rng.random() < 0.3 else "", "links": links,
            "_picture": self.some_picture(platform, handle or name), "tokens": self.tokens(), "created_at": stamp(rng.random() * WINDOW_SECONDS), "_person": person,
        }
        return draft

    def person(self, handle: str) -> dict:
        """Returns a person, named as the handle says where it plainly holds a name; `origin` says where the name comes from."""
        person = self.names.person(self.rng)
        person["origin"] = person["country"]
        found = self.names.within(handle) if self.rng.random() < 0.85 else None
        if found:
            last = found[1] or person["last"][1]
            person.update(first=(found[0], found[0]), last=(last, last), native=False, origin="handle")
        return person

    def group_name(self, person: dict) -> str:
        """Returns the name of a chat group."""
        rng = self.rng
        subject = rng.choice((self.bios.tags.pick(rng).title(), self.bios.cities.pick(rng), person["last"][0], self.bios.sentence(person["language"], rng, 2, 3)))
        return f"{subject} {rng.choice(('Group', 'Friends', 'Family', 'Jobs', 'News', 'Updates', 'Club', 'Deals', 'گروپ', '2026', 'Batch 12', 'Class'))}"

    def some_picture(self, platform: str, handle: str):
        """Returns a picture: none for 5 %, the platform's default for a quarter, stock for 8 %, a flag for 2 %, else an own one."""
        draw = self.rng.random()
        if draw < 0.05:
            return None
        if draw < 0.30:
            return (pictures.default_id(platform, handle), None, 0)
        if draw < 0.38:
            return (STOCK.pick(self.rng), None, 0)
        if draw < 0.40:
            return (pictures.flag_id(FLAG.pick(self.rng)), None, 0)
        return self.new_picture()

    def tokens(self) -> dict:
        """Returns the opaque identifiers a platform passes on, for half of the accounts."""
        rng = self.rng
        if rng.random() < 0.5:
            return {}
        tokens = {"device": f"{rng.getrandbits(64):016x}"}
        if rng.random() < 0.5:
            tokens["email"] = f"{rng.getrandbits(64):016x}"
        if rng.random() < 0.4:
            # Whole towns sit behind one address prefix, so a shared one says little.
            tokens["ip_prefix"] = f"p{int(rng.paretovariate(0.6)) % 5000:04d}"
        return tokens
