"""What simpler methods find among the same probes and entries, at the same cost in false flags.

Usage: evaluation_baselines.py ENTRIES.ndjson PROBES.ndjson [--figures FIGURES.json] [--ordinary N] [--seed N] [--only NAME,...].
Each method gives a probe the score of its best entry. As in `mirrorwatch evaluate`, the threshold is the score that one ordinary probe in
1,000 (or 10,000) exceeds, and a mirror is found if it exceeds it, whichever entry was best. "as used" is the method at the threshold
that its users take, whatever that costs. Methods:

  equality       equal skeletons of handle or name, as MediaWiki's AntiSpoof compares them (own small table of look-alikes)
  rapidfuzz      highest `fuzz.ratio` of the handle to any entry's; used at 85
  nomenklatura   logic-v2 on names, on at most 40 entries that share a word of the name in Latin letters, rarest words first; used at 0.7
  pdq            smallest Hamming distance of the picture's PDQ; used at 31 of 256 bits
  exact          how many of handle, name, text, picture, link, contact, token are equal to those of one entry; used at one

The last two leave out what more than five entries share (default pictures, flags, set phrases): whoever runs them keeps such a list of
exceptions, or nearly every account would be flagged.
"""

import argparse
import collections
import json
import random
import re
import time
import unicodedata

import numpy

import evaluation_summary

COSTS = (1_000, 10_000)
FOLD = str.maketrans("аесорхуіјѕмнтквαοινυρκτμηε01345789$@", "aecopxyijsmhtkbaoivupktmneoleastbgsa")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PAGE = re.compile(r"(?:https?://|www\.)\S+|\b(?:t\.me|wa\.me|chat\.whatsapp\.com|[a-z0-9-]+\.(?:com|net|org|info|xyz|live|top|io|dev))(?:/\S*)?", re.IGNORECASE)
NUMBER = re.compile(r"[+(]?\d[\d ().-]{7,}\d")
WALLET = re.compile(r"\b(?:0x[0-9a-f]{40}|T[1-9A-HJ-NP-Za-km-z]{33}|bc1[0-9a-z]{30,})\b")
# A picture or value of more entries than this is nobody's mark.
SHARED_MAX = 5


def skeleton(text: str) -> str:
    """What look-alike spellings of a name have in common: compatibility forms, case, look-alikes and separators folded."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(FOLD)
    return "".join(letter for letter in folded if letter.isalnum()).replace("l", "i")


def plain_link(link: str) -> str:
    """A link without scheme, www, case and closing slash."""
    return re.sub(r"^(https?://)?(www\.)?", "", link.lower()).rstrip("/.,)")


def exact_values(account: dict) -> set[tuple[str, str]]:
    """All values of an account that another one may equal, each with its kind."""
    bio = account.get("bio", "")
    values = {("handle", account.get("handle", "").casefold()), ("name", account.get("display_name", "").casefold()), ("bio", bio.casefold())}
    values.add(("avatar", account.get("avatar", {}).get("pdq", "")))
    values.update(("link", plain_link(link)) for link in [*account.get("links", []), *PAGE.findall(ADDRESS.sub(" ", bio))])
    values.update(("contact", found.lower()) for found in [*ADDRESS.findall(bio), *WALLET.findall(bio)])
    digits = (re.sub(r"\D", "", unicodedata.normalize("NFKC", found)) for found in NUMBER.findall(bio))
    values.update(("contact", number.removeprefix("00")) for number in digits)
    values.update((kind, value) for kind, value in account.get("tokens", {}).items() if kind != "ip_prefix")
    return {value for value in values if value[1]}


def equality(entries: list, probes: list) -> tuple[numpy.ndarray, float]:
    """2 for an equal handle, 1 for an equal name, 3 for both."""
    handles, names = ({skeleton(entry.get(field, "")) for entry in entries} - {""} for field in ("handle", "display_name"))
    found = [2 * (skeleton(probe.get("handle", "")) in handles) + (skeleton(probe.get("display_name", "")) in names) for probe in probes]
    return numpy.array(found, numpy.float32), 1


def rapidfuzz_handles(entries: list, probes: list) -> tuple[numpy.ndarray, float]:
    """The best ratio, 0 below 50; every probe against every entry."""
    from rapidfuzz import fuzz, process

    handles = [entry["handle"].lower() for entry in entries if entry.get("handle")]
    best = numpy.zeros(len(probes), numpy.float32)
    chunk = max(8, 40_000_000 // max(1, len(handles)))
    for start in range(0, len(probes), chunk):
        asked = [probe.get("handle", "").lower() for probe in probes[start : start + chunk]]
        best[start : start + chunk] = process.cdist(asked, handles, scorer=fuzz.ratio, score_cutoff=50, dtype=numpy.float32, workers=-1).max(axis=1)
    return best, 85 - 1e-3


def nomenklatura_names(entries: list, probes: list, block_max=40) -> tuple[numpy.ndarray, float]:
    """The best logic-v2 score of a name, on blocked pairs: all pairs would take 0.1 ms each."""
    from followthemoney import EntityProxy
    from nomenklatura.matching import get_algorithm
    from normality import ascii_text

    algorithm = get_algorithm("logic-v2")
    config = algorithm.default_config()
    words = lambda account: set(re.findall(r"[a-z0-9]{2,}", (ascii_text(unicodedata.normalize("NFKC", account.get("display_name", ""))) or "").lower()))
    person = lambda account: EntityProxy.from_dict({"id": account["id"], "schema": "Person", "properties": {"name": [account["display_name"]]}})
    having = collections.defaultdict(list)
    for place, entry in enumerate(entries):
        for word in words(entry):
            having[word].append(place)
    made, best = {}, numpy.zeros(len(probes), numpy.float32)
    for number, probe in enumerate(probes):
        candidates: dict[int, None] = {}
        for word in sorted(words(probe) & having.keys(), key=lambda word: (len(having[word]), word)):
            candidates.update(dict.fromkeys(having[word][: block_max - len(candidates)]))
        asked = person(probe) if candidates else None
        for place in candidates:
            if place not in made:
                made[place] = person(entries[place])
            best[number] = max(best[number], algorithm.compare(asked, made[place], config).score)
    return best, 0.7 - 1e-6


def pdq_distances(entries: list, probes: list) -> tuple[numpy.ndarray, float]:
    """The smallest distance, negative; pictures of quality below 50 are left out, as Meta advises, and those that many entries share."""
    import faiss

    shared = collections.Counter(entry.get("avatar", {}).get("pdq") for entry in entries)
    usable = lambda account: account.get("avatar", {}).get("quality", 0) >= 50 and shared[account["avatar"]["pdq"]] <= SHARED_MAX
    stack = lambda accounts: numpy.stack([numpy.frombuffer(bytes.fromhex(account["avatar"]["pdq"]), numpy.uint8) for account in accounts])
    index = faiss.IndexBinaryFlat(256)
    index.add(stack([entry for entry in entries if usable(entry)]))
    best = numpy.full(len(probes), -256, numpy.float32)
    places = [place for place, probe in enumerate(probes) if usable(probe)]
    if places:
        distances, _ = index.search(stack([probes[place] for place in places]), 1)
        best[places] = -distances[:, 0]
    return best, -31


def exact_matches(entries: list, probes: list) -> tuple[numpy.ndarray, float]:
    """How many kinds of value equal those of the best entry."""
    having = collections.defaultdict(list)
    for place, entry in enumerate(entries):
        for value in exact_values(entry):
            if len(having[value]) <= SHARED_MAX:
                having[value].append(place)
    best = numpy.zeros(len(probes), numpy.float32)
    for number, probe in enumerate(probes):
        kinds = collections.defaultdict(set)
        for kind, value in exact_values(probe):
            places = having.get((kind, value), ())
            for place in places if len(places) <= SHARED_MAX else ():
                kinds[place].add(kind)
        best[number] = max(map(len, kinds.values()), default=0)
    return best, 1


METHODS = {"equality": equality, "rapidfuzz": rapidfuzz_handles, "nomenklatura": nomenklatura_names, "pdq": pdq_distances, "exact": exact_matches}
# Slow per pair: fewer ordinary probes and mirrors, so that a run ends within minutes.
SAMPLE = {"nomenklatura": (10_000, 2_000)}


def sample(probes: list, ordinary_max: int, mirrors_max: int, seed: int) -> list:
    """Some ordinary probes and some mirrors, drawn by the seed."""
    kinds = [probe for probe in probes if not probe.get("mirror_of")], [probe for probe in probes if probe.get("mirror_of")]
    rng = random.Random(seed)
    return [probe for kind, most in zip(kinds, (ordinary_max, mirrors_max)) for probe in (kind if len(kind) <= most else rng.sample(kind, most))]


def recalls(scores: numpy.ndarray, probes: list) -> list[tuple[str, list[float]]]:
    """For each group the share of its mirrors above the threshold of each cost; not told where too few ordinary probes were scored."""
    ordinary = numpy.array([not probe.get("mirror_of") for probe in probes])
    ranked = numpy.sort(scores[ordinary])[::-1]
    rows = []
    for group in evaluation_summary.GROUPS:
        mine = numpy.array([bool(probe.get("mirror_of")) and group in (evaluation_summary.group_of(probe), "all mirrors") for probe in probes])
        if mine.any():
            shares = [float((scores[mine] > ranked[len(ranked) // cost]).mean()) if len(ranked) >= cost else float("nan") for cost in COSTS]
            rows.append((group, [int(mine.sum()), *shares]))
    return rows


def tell(name: str, about: str, rows: list, used: str) -> None:
    """Prints one method: a line for each group."""
    print(f"{name} ({about}){used}")
    for group, (mirrors, *shares) in rows:
        cells = " ".join(f"{share:9.3f}" if share == share else f"{'-':>9}" for share in shares)
        print(f"  {group:20} {mirrors:8} {cells}")


def main() -> None:
    """Reads the arguments, scores the probes by each method and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries")
    parser.add_argument("probes")
    parser.add_argument("--figures", help="what `mirrorwatch evaluate --json` told of the same probes: printed first")
    parser.add_argument("--ordinary", type=int, default=20_000, help="most ordinary probes (default 20000)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default=",".join(METHODS))
    options = parser.parse_args()
    entries = list(evaluation_summary.probes_of(options.entries))
    every = list(evaluation_summary.probes_of(options.probes))
    print(f"{'baselines':22} {'mirrors':>8} {'1 in 1k':>9} {'1 in 10k':>9}")
    if options.figures:
        with open(options.figures, encoding="utf-8") as file:
            groups = evaluation_summary.by_group(json.load(file), evaluation_summary.groups_of(options.probes))
        ordinary = sum(not probe.get("mirror_of") for probe in every)
        tell("mirrorwatch", f"{ordinary} ordinary probes", [(group, groups[group][:3]) for group in evaluation_summary.GROUPS if group in groups], "")
    for name in options.only.split(","):
        ordinary_max, mirrors_max = SAMPLE.get(name, (options.ordinary, len(every)))
        probes = sample(every, min(ordinary_max, options.ordinary), mirrors_max, options.seed)
        started = time.monotonic()
        try:
            scores, usual = METHODS[name](entries, probes)
        except ImportError as error:
            print(f"{name}: left out, {error}")
            continue
        is_mirror = numpy.array([bool(probe.get("mirror_of")) for probe in probes])
        ordinary, flags = int((~is_mirror).sum()), scores >= usual
        false_share = flags[~is_mirror].mean() if ordinary else 0
        used = f"; as used: {1e4 * false_share:.0f} false flags in 10,000, recall {flags[is_mirror].mean():.3f}"
        tell(name, f"{ordinary} ordinary probes, {time.monotonic() - started:.0f} s", recalls(scores, probes), used)


if __name__ == "__main__":
    main()
