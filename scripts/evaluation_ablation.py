"""What each signal finds alone, what all find without it, and whether two together find more than the better one.

Usage: evaluation_ablation.py BINARY DATABASE PROBES.ndjson [--sample N] [--seed N]. Takes fields away from the probes, not from the
entries, and runs `mirrorwatch evaluate --json` on what is left; each run sets its own thresholds, so all figures of a column are at the
same cost in false flags. Links include invites; contacts (telephones, e-mails, wallets, mentions) are no field of their own: they live
in `bio` and `links` and go with them. The time of creation and the platform stay.
"""

import argparse
import json
import os
import random
import subprocess
import tempfile

import evaluation_summary

FIELDS = {"handle": "handle", "name": "display_name", "bio": "bio", "avatar": "avatar", "link": "links", "token": "tokens"}
COSTS = ("1 in 1k", "1 in 10k")


def variants() -> dict[str, set[str]]:
    """The fields that each run keeps, by its name."""
    every = set(FIELDS.values())
    alone = {f"only {signal}": {field} for signal, field in FIELDS.items()}
    without = {f"all but {signal}": every - {field} for signal, field in FIELDS.items()}
    return {"all": every, **without, **alone}


def sampled(path: str, ordinary_max: int, seed: int) -> list[dict]:
    """All mirrors and some ordinary probes, in the order of the file."""
    probes = list(evaluation_summary.probes_of(path))
    ordinary = [place for place, probe in enumerate(probes) if not probe.get("mirror_of")]
    dropped = set(ordinary) - set(random.Random(seed).sample(ordinary, min(ordinary_max, len(ordinary))))
    return [probe for place, probe in enumerate(probes) if place not in dropped]


def evaluated(binary: str, database: str, probes: list[dict], kept: set[str]) -> dict:
    """The figures of the probes with only the kept fields."""
    gone = set(FIELDS.values()) - kept
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8", delete=False) as file:
        for probe in probes:
            json.dump({field: value for field, value in probe.items() if field not in gone}, file, ensure_ascii=False)
            file.write("\n")
    try:
        told = subprocess.run([binary, "--db", database, "evaluate", file.name, "--json"], check=True, capture_output=True, text=True)
    finally:
        os.unlink(file.name)
    return json.loads(told.stdout)


def print_groups(runs: dict[str, dict], groups: dict[str, str]) -> None:
    """Prints recall of each run by group, at both costs."""
    names = [name for name in evaluation_summary.GROUPS if name in set(groups.values()) | {"all mirrors"}]
    print(f"{'recall':16}" + "".join(f"{name:>21}" for name in names))
    print(f"{'':16}" + "".join(f"{COSTS[0]:>11}{COSTS[1]:>10}" for _ in names))
    for name, figures in runs.items():
        rows = evaluation_summary.by_group(figures, groups)
        print(f"{name:16}" + "".join(f"{rows[group][1]:11.3f}{rows[group][2]:10.3f}" for group in names))


def print_fusion(runs: dict[str, dict], probes: list[dict]) -> None:
    """Prints for each tactic that keeps two signals or more the best single one beside all of them."""
    kept = {probe["tactic"]: probe["kept"] for probe in probes if probe.get("mirror_of") and len(probe["kept"]) > 1}
    flagged = {name: {row["tactic"]: row["flagged"] for row in figures["tactics"] if row["is_mirror"]} for name, figures in runs.items()}
    print(f"\n{'tactic':26} {'kept':>26}" + "".join(f"{'best alone, ' + cost:>26} {'all':>6}" for cost in COSTS))
    better, ties, told = [0, 0], [0, 0], sorted(kept)
    for tactic in told:
        cells = ""
        for cost in range(2):
            alone = max((flagged[f"only {signal}"][tactic][cost], signal) for signal in FIELDS)
            together = flagged["all"][tactic][cost]
            better[cost] += together > alone[0]
            ties[cost] += together == alone[0]
            cells += f"{alone[1]:>19} {alone[0]:6.3f} {together:6.3f}"
        signals = "varies" if tactic == "burst_of_five" else "+".join(kept[tactic])
        print(f"{tactic:26} {signals:>26}{cells}")
    for cost, cost_name in enumerate(COSTS):
        print(f"at {cost_name} all signals find more than the best single one in {better[cost]} of {len(told)} tactics, as much in {ties[cost]}")


def main() -> None:
    """Reads the arguments, runs all variants and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("database")
    parser.add_argument("probes")
    parser.add_argument("--sample", type=int, default=20_000, help="most ordinary probes (default 20000); mirrors are all taken")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    probes = sampled(options.probes, options.sample, options.seed)
    groups = evaluation_summary.groups_of(options.probes)
    runs = {name: evaluated(options.binary, options.database, probes, kept) for name, kept in variants().items()}
    ordinary = sum(not probe.get("mirror_of") for probe in probes)
    print(f"{ordinary} ordinary probes, {len(probes) - ordinary} mirrors; contacts live in bio and links and go with them")
    print_groups(runs, groups)
    print_fusion(runs, probes)


if __name__ == "__main__":
    main()
