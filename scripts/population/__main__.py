"""Command line: writes the entries and the probes, or the ordinary accounts that a background is built from."""

import argparse
import random
import time
from collections import Counter, defaultdict
from pathlib import Path

from population import negatives, networks
from population.accounts import WINDOW_SECONDS, Accounts, stamp
from population.links import POPULAR
from population.pictures import PERSONAL_BASE, Gallery
from population.randomness import SPLITS
from population.tactics import TACTICS, Make
from population.wording import words_of
from population.write import Writer


def entries(accounts: Accounts, total: int, rng: random.Random) -> list:
    """Returns all entries, network by network."""
    made = []
    for number, size in enumerate(networks.sizes(total)):
        network = networks.Network(number, accounts, rng)
        made += (networks.entry(accounts, network, rng) for _ in range(size))
    return made


def traits(all_entries: list) -> dict:
    """Returns for each trait that a tactic needs the entries that have it; a text or link counts when no other entry has it, a
    name when at most three have it."""
    texts, names = (Counter(entry[field] for entry in all_entries) for field in ("bio", "display_name"))
    links = Counter(link for entry in all_entries for link in entry["links"])
    contacts = Counter(entry.get(field) for entry in all_entries for field in ("_phone", "_wallet"))
    found = defaultdict(list)
    for place, entry in enumerate(all_entries):
        handle, name, person = entry["handle"], entry["display_name"], entry["_person"]
        whole_name = " " in name and name != handle and names[name] <= 3
        own = name in (f"{person['first'][0]} {person['last'][0]}", f"{person['first'][0]} {person['last'][0]}".lower())
        entry["_rare_links"] = [link for link in entry["links"] if links[link] == 1 and link not in POPULAR]
        entry["_invites"] = [link for link in entry["_rare_links"] if "/+" in link or "chat.whatsapp" in link]
        has = {
            "handle": len(handle) >= 4, "digits": len(handle) >= 4 and handle[-1].isdigit(), "no_digits": len(handle) >= 4 and not handle[-1].isdigit(),
            "handle_words": any(mark in handle[1:-1] for mark in "-_.") and len(handle) >= 5,
            "name": len(name) >= 5 and whole_name, "latin_name": name.isascii() and len(name) >= 6 and whole_name,
            "native_name": own and person["first"][0] != person["first"][1] and person["first"][1].isascii(),
            "bio": words_of(entry["bio"]) >= 6 and texts[entry["bio"]] == 1, "avatar": bool(entry["_picture"]) and entry["_picture"][0] > PERSONAL_BASE,
            "link": bool(entry["_rare_links"]), "invite": bool(entry["_invites"]), "group": entry["kind"] in ("group", "channel", "page"),
            "phone": contacts[entry.get("_phone", 0)] == 1, "wallet": contacts[entry.get("_wallet", 0)] == 1, "token": "device" in entry["tokens"],
        }
        for trait, holds in has.items():
            if holds:
                found[trait].append(place)
    return found


class Mirrors:
    """Makes mirrors, tactic after tactic, of entries that have what the tactic keeps."""

    def __init__(self, accounts: Accounts, all_entries: list, rng: random.Random):
        self.make, self.entries, self.rng = Make(accounts, rng), all_entries, rng
        found = traits(all_entries)
        self.fitting = {tactic.name: sorted(set.intersection(*(set(found[trait]) for trait in tactic.needs))) for tactic in TACTICS}
        self.burst = {}

    def one(self, tactic, turn: int) -> dict:
        """Returns one mirror; raises if no entry fits, as happens only with a handful of entries."""
        for _ in range(500):
            place = self.rng.choice(self.fitting[tactic.name])
            if tactic.name == "burst_of_five":
                place = self.burst.setdefault(turn // 5, place)
            entry = self.entries[place]
            draft = self._fresh(tactic, entry)
            draft["_turn"] = turn
            if tactic.change(self.make, draft, entry):
                draft.update(mirror_of=entry["id"], mirror_network=entry["ban"]["network"], tactic=tactic.name, kept=list(tactic.kept))
                if tactic.name == "burst_of_five":
                    draft["kept"] = [("bio", "name"), ("bio", "avatar"), ("name", "avatar"), ("handle", "avatar"), ("handle", "bio")][turn % 5]
                return draft
            self.burst.pop(turn // 5, None)
        raise SystemExit(f"too few entries for the tactic {tactic.name}: ask for more entries")

    def _fresh(self, tactic, entry: dict) -> dict:
        same = tactic.name != "cross_platform" and (self.rng.random() < 0.8 or tactic.name in ("group_renamed", "token_kept"))
        while True:
            draft = self.make.accounts.draft(*((entry["platform"], entry["kind"]) if same else ()))
            # WhatsApp has no handles: one there would give the mirror away.
            handles_kept = draft["handle"] or "handle" not in tactic.kept + tactic.needs or tactic.name == "name_from_handle"
            if (same or draft["platform"] != entry["platform"]) and handles_kept:
                break
        # Minutes to two months after the ban: evenly over the orders of magnitude.
        later = 60 * 2 ** self.rng.uniform(1, 16.4)
        if tactic.name == "burst_of_five":
            later = 300 + 60 * self.rng.random() * 15
        left = WINDOW_SECONDS - entry["_banned"]
        draft["created_at"] = stamp(entry["_banned"] + (later if later < left else self.rng.random() * left))
        return draft


def probes(half: str, count: int, mirrors: int, parts, writer: Writer, rng: random.Random):
    """Writes one half's ordinary accounts and mirrors in mixed order."""
    accounts, all_entries, makes, near = parts
    tactics = [tactic for tactic in TACTICS if tactic.half == half]
    turns = [index for index in range(mirrors)] + [-1] * count
    rng.shuffle(turns)
    for turn in turns:
        if turn >= 0:
            writer.add(makes.one(tactics[turn % len(tactics)], turn // len(tactics)))
            continue
        draft = accounts.draft()
        tactic = "ordinary"
        draw = rng.random()
        if draw < negatives.SHARE:
            tactic = negatives.apply(makes.make, draft, rng.choice(all_entries))
        elif draw < negatives.SHARE + 0.005 and near and draft["handle"]:
            draft["handle"], tactic = near.pop(), "handle_neighbour"
        draft.update(mirror_of=None, tactic=tactic)
        # Whom a false flag would hit; a name that is no personal one has no origin.
        if tactic not in negatives.NAMED_OTHERWISE:
            draft["origin"] = draft["_person"]["origin"]
        writer.add(draft)


def drawn(options) -> int:
    """Returns how many accounts a run draws, or the run that a background is for: the share of invented handles follows from it."""
    return max(options.like, options.entries * (options.split == "evaluation") + options.ordinary + options.mirrors)


def evaluation(options, folder: Path):
    """Writes entries, tuned and unseen probes."""
    rng = random.Random(options.seed)
    gallery, accounts = Gallery.load("evaluation"), Accounts("evaluation", rng, drawn(options))
    all_entries = entries(accounts, options.entries, rng)
    writer = Writer(folder / "entries.ndjson", gallery)
    for entry in all_entries:
        writer.add(entry)
    writer.close()
    real = [entry["handle"] for entry in all_entries if entry["handle"] and "_made_handle" not in entry]
    near = negatives.neighbours(real, accounts.handles[accounts.used :])
    rng.shuffle(near)
    near = near[: options.ordinary // 100]
    accounts.skip = set(near)
    makes = Mirrors(accounts, all_entries, rng)
    for half in ("tuned", "unseen"):
        writer = Writer(folder / f"probes.{half}.ndjson", gallery)
        probes(half, options.ordinary // 2, options.mirrors // 2, (accounts, all_entries, makes, near), writer, rng)
        writer.close()


def background(options, folder: Path):
    """Writes ordinary accounts of the other half of the pools."""
    accounts = Accounts("background", random.Random(options.seed), drawn(options))
    writer = Writer(folder / "ordinary.ndjson", Gallery.load("background"))
    for _ in range(options.ordinary):
        writer.add(accounts.draft())
    writer.close()


def main():
    """Reads the arguments and writes the files."""
    parser = argparse.ArgumentParser(prog="population", description=__doc__)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--ordinary", type=int, default=200_000)
    parser.add_argument("--mirrors", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--like", type=int, default=0, help="accounts in the run that a background is for: as many of its handles are invented")
    parser.add_argument("--split", choices=SPLITS, default="evaluation")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    (evaluation if options.split == "evaluation" else background)(options, options.out)
    print(f"{options.out}: written in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
