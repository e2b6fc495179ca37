"""Whom false flags hit: ordinary accounts with verdict `match` or `review` at the default dial, by script and by origin of the name.

Usage: evaluation_fairness.py PROBES.ndjson REPORTS.ndjson [PROBES.ndjson REPORTS.ndjson]... The reports are those of `mirrorwatch rescan
--flagged-only` on the probes. For each script and origin it prints how many in 10,000 are flagged, the 95 % interval (Wilson) of that and
its ratio to the share of all personal names. A difference is told as one only where that share lies outside the interval: `*`. With so
many rows one in twenty is marked by chance. Accounts without an origin bear no personal name (fans, parodies, news desks): how many there are
of which script is the maker's choice, so they have a row of their own and count for no script.
"""

import collections
import math
import sys
import unicodedata

import evaluation_summary

# Fewer ordinary accounts of one script or origin say nothing: they are told together.
PROBES_MIN = 500


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


def counted(paths: list[str]) -> tuple[list[int], dict]:
    """Ordinary accounts and the flagged among them: of all, and by script and origin."""
    overall, cells = [0, 0], {kind: collections.defaultdict(lambda: [0, 0]) for kind in ("named", "script", "origin")}
    for probes_path, reports_path in zip(paths[::2], paths[1::2]):
        flagged = {report["id"] for report in evaluation_summary.probes_of(reports_path) if report.get("verdict", "clear") != "clear"}
        for probe in evaluation_summary.probes_of(probes_path):
            if probe.get("mirror_of"):
                continue
            personal = probe.get("origin")
            mine = [overall, cells["named"]["as a person" if personal else "otherwise"]]
            if personal:
                mine += [cells["script"][script_of(probe)], cells["origin"][personal]]
            for cell in mine:
                cell[0] += 1
                cell[1] += probe["id"] in flagged
    return overall, cells


def rows_of(cells: dict[str, list[int]]) -> list[tuple[str, list[int]]]:
    """The cells, largest first; the small ones as one."""
    rows = sorted(((name, cell) for name, cell in cells.items() if cell[0] >= PROBES_MIN), key=lambda row: (-row[1][0], row[0]))
    rest = [cell for cell in cells.values() if cell[0] < PROBES_MIN]
    return rows + [("the others", [sum(column) for column in zip(*rest)])] * bool(rest)


def main(paths: list[str]) -> None:
    """Prints the table."""
    overall, cells = counted(paths)
    if not overall[0]:
        return
    total, hits = cells["named"]["as a person"]
    share = hits / max(1, total)
    print(f"false flags (match or review) at the default dial: {overall[1]} of {overall[0]} ordinary accounts; of those with a personal name {1e4 * share:.1f} in 10,000")
    print(f"{'whose':20} {'ordinary':>8} {'flagged':>8} {'in 10k':>7} {'95 % interval':>15} {'ratio':>6}")
    for kind, of_kind in cells.items():
        for name, (total, hits) in rows_of(of_kind):
            low, high = wilson(hits, total)
            ratio = f"{hits / total / share:6.2f}" if share else f"{'-':>6}"
            mark = " *" if not low <= share <= high else ""
            print(f"{kind + ' ' + name:20} {total:8} {hits:8} {1e4 * hits / total:7.1f} {1e4 * low:6.1f} ..{1e4 * high:6.1f} {ratio}{mark}")


if __name__ == "__main__":
    main(sys.argv[1:])
