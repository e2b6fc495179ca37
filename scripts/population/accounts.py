"""Ordinary accounts: a real handle, a name that fits it where one is in it, and the rest as real profiles have it, gaps included."""

import datetime
import random

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


class Accounts:
    """Makes drafts; each real handle and each personal picture is used once in a run."""

    def __init__(self, split: str, rng: random.Random):
        self.rng, self.names, self.bios, self.links = rng, Names(), Bios(split), Links(split)
        self.handles = [handle for handle in load("handles")["handles"] if half_of(handle) == split]
        rng.shuffle(self.handles)
        self.used, self.skip, self.ids, self.made = 0, set(), set(), set()
        # Personal pictures of the two splits differ in their emoji already; different numbers keep them apart on paper too.
        self.picture = pictures.PERSONAL_BASE + (1 << 40) * (split == "background")

    def handle(self) -> str:
        """Returns the next real handle; when the pool is used up, two of them joined, which is no longer a real one."""
        while self.used < len(self.handles):
            self.used += 1
            handle = self.handles[self.used - 1]
            if handle not in self.skip:
                return handle
        return f"{self.rng.choice(self.handles)[:12]}{self.rng.choice('_.')}{self.rng.choice(self.handles)[:12]}"

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
        links = self.links.some(handle or person["latin"].lower(), rng)
        if group and rng.random() < 0.7:
            links = [invite(platform, rng)]
        draft = {
            "id": self.new_id(platform), "platform": platform, "kind": kind, "handle": handle, "display_name": name,
            "bio": "" if rng.random() < 0.4 else self.bios.one(person, rng), "location": self.bios.place(rng) if rng.random() < 0.3 else "", "links": links,
            "_picture": self.some_picture(platform, handle or name), "tokens": self.tokens(), "created_at": stamp(rng.random() * WINDOW_SECONDS), "_person": person,
        }
        return draft

    def person(self, handle: str) -> dict:
        """Returns a person, named as the handle says where it plainly holds a name."""
        person = self.names.person(self.rng)
        found = self.names.within(handle) if self.rng.random() < 0.85 else None
        if found:
            last = found[1] or person["last"][1]
            person.update(first=(found[0], found[0]), last=(last, last), native=False)
        person["latin"] = "".join(letter for letter in person["first"][1] if letter.isascii() and letter.isalpha()) or "user"
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
