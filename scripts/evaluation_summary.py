"""Recall by how many signals a mirror keeps, from `mirrorwatch evaluate --json` and the probes it was run on.

Usage: evaluation_summary.py FIGURES.json PROBES.ndjson. Prints one line a group: probes, then the share flagged at one false flag in
1,000, 10,000 and 100,000. A mirror that keeps only a moved handle is a group of its own. The other evaluation_*.py take their groups here.
"""

import collections
import json
import sys

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


def main(figures_path: str, probes_path: str) -> None:
    """Prints the table."""
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


if __name__ == "__main__":
    main(*sys.argv[1:3])
