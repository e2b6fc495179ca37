"""Recall by how many signals a mirror keeps, and whom false flags hit, from `mirrorwatch evaluate --json` and the probes it was run on.

Usage: evaluation_summary.py FIGURES.json PROBES.ndjson [REPORTS.ndjson]. Prints one line a group: probes, then the share flagged at one
false flag in 1,000, 10,000 and 100,000. A mirror that keeps only a moved handle is a group of its own. With the reports that
`mirrorwatch rescan` made of the same probes it prints, by script and by origin of the name, the share of ordinary accounts whose verdict
was `match` or `review`, with a 95 % interval (Wilson) and the ratio to the share of all.
"""

import collections
import json
import math
import sys
import unicodedata

# Fewer ordinary accounts of one origin say nothing: they are told together.
ORIGIN_PROBES_MIN = 500
GROUPS = ("handle only", "one kept", "two kept", "three or more kept", "all mirrors")


def group_of(probe: dict) -> str:
    """The row a mirror counts in: by its tactic's name for handle moves, else by the number of signals kept."""
    if probe["tactic"].startswith("handle_"):
        return "handle only"
    return {1: "one kept", 2: "two kept"}.get(len(probe["kept"]), "three or more kept")


def probes_of(path: str):
    """The probes of a file, one after another."""
    with open(path, encoding="utf-8") as probes:
        yield from map(json.loads, probes)


def groups_of(probes_path: str) -> dict[str, str]:
    """The usual row of each tactic."""
    seen: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for probe in probes_of(probes_path):
        if probe.get("mirror_of"):
            seen[probe["tactic"]][group_of(probe)] += 1
    return {tactic: counts.most_common(1)[0][0] for tactic, counts in seen.items()}


def by_group(figures: dict, groups: dict[str, str]) -> dict[str, list[float]]:
    """Mirrors of each group, then the share of them flagged at each cost."""
    sums: dict[str, list[float]] = collections.defaultdict(lambda: [0, 0.0, 0.0, 0.0])
    for tactic in figures["tactics"]:
        if not tactic["is_mirror"]:
            continue
        for name in (groups[tactic["tactic"]], "all mirrors"):
            row = sums[name]
            row[0] += tactic["probes"]
            for cost, share in enumerate(tactic["flagged"]):
                row[cost + 1] += share * tactic["probes"]
    return {name: [row[0], *(flagged / row[0] for flagged in row[1:])] for name, row in sums.items()}


def script_of(probe: dict) -> str:
    """The script most letters of the name, or else of the handle, are of."""
    for text in (probe.get("display_name", ""), probe.get("handle", "")):
        letters = [letter for letter in unicodedata.normalize("NFKC", text) if letter.isalpha()]
        scripts = collections.Counter(unicodedata.name(letter, "OTHER").split()[0].lower() for letter in letters)
        if scripts:
            return scripts.most_common(1)[0][0]
    return "none"


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Bounds within which the true share lies, 95 times in 100 (Wilson's score interval)."""
    z, share = 1.96, hits / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, (centre - spread) / (1 + z * z / total)), (centre + spread) / (1 + z * z / total)


def print_fairness(probes_path: str, reports_path: str) -> None:
    """Prints false flags at the default dial by script and by origin."""
    flagged = {report["id"] for report in probes_of(reports_path) if report.get("verdict", "clear") != "clear"}
    counts: dict[str, dict[str, list[int]]] = {kind: collections.defaultdict(lambda: [0, 0]) for kind in ("script", "origin")}
    overall = [0, 0]
    for probe in probes_of(probes_path):
        if probe.get("mirror_of"):
            continue
        cells = [overall, counts["script"][script_of(probe)]]
        if probe.get("origin"):
            cells.append(counts["origin"][probe["origin"]])
        for cell in cells:
            cell[0] += 1
            cell[1] += probe["id"] in flagged
    if not overall[0]:
        return
    overall_share = overall[1] / overall[0]
    print(f"\nfalse flags (match or review) at the default dial: {overall[1]} of {overall[0]} ordinary accounts")
    print(f"{'whose':20} {'ordinary':>8} {'flagged':>8} {'in 10k':>7} {'95 % interval':>15} {'ratio':>6}")
    for kind, cells in counts.items():
        rest = [0, 0]
        rows = []
        for name, cell in cells.items():
            if cell[0] >= ORIGIN_PROBES_MIN:
                rows.append((name, cell))
            else:
                rest = [rest[0] + cell[0], rest[1] + cell[1]]
        rows.sort(key=lambda row: -row[1][0])
        for name, (total, hits) in rows + [("the others", rest)] * (rest[0] > 0):
            low, high = wilson(hits, total)
            ratio = f"{hits / total / overall_share:6.2f}" if overall_share else "     -"
            print(f"{kind + ' ' + name:20} {total:8} {hits:8} {1e4 * hits / total:7.1f} {1e4 * low:6.1f} ..{1e4 * high:6.1f} {ratio}")


def main(figures_path: str, probes_path: str, reports_path: str = "") -> None:
    """Prints the tables."""
    with open(figures_path, encoding="utf-8") as file:
        figures = json.load(file)
    dial = figures["at_dial"]
    print(f"{'kept':20} {'mirrors':>8} {'1 in 1k':>8} {'1 in 10k':>9} {'1 in 100k':>10}")
    for name, (probes, *shares) in sorted(by_group(figures, groups_of(probes_path)).items()):
        print(f"{name:20} {probes:8} {shares[0]:8.3f} {shares[1]:9.3f} {shares[2]:10.3f}")
    print(
        f"at the default dial: {dial['false_matches_per_10k']:.1f} false matches and {dial['false_flags_per_10k']:.1f} false flags"
        f" in 10,000; right entry first in {figures['right_entry_of_flagged']:.3f} of those flagged at 1 in 10,000"
    )
    if reports_path:
        print_fairness(probes_path, reports_path)


if __name__ == "__main__":
    main(*sys.argv[1:4])
