"""Times other software and our indexes on the same values of one population; scripts/bench-peers calls it.

Each job takes its values from entries.ndjson and its probes from probes.ndjson, half mirrors and half strangers, runs
`cargo bench --bench signals` on them for our time and the exact answer, then every peer: one thread, one probe a call as
a service would ask, building not counted. Recall is the share of the exact answer's pairs that the peer finds.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

# A peer gets no more probes once it has used this long.
SECONDS_MAX = 30
PDQ_DISTANCE = 31
HANDLE_DISTANCE = 2
# Between these lengths our rule is distance 2 throughout, as the peers are asked.
HANDLE_LENS = range(7, 31)
CDIST_PROBES = 100
BIO_THRESHOLD = 0.5
BIO_HASHES = 128
RECORDS = 2000


@dataclass
class Row:
    job: str
    entries: int
    peer: str
    probes: int
    peer_us: float
    ours_us: float | None
    peer_p50_us: float | None
    ours_p50_us: float | None
    recall: float | None
    build_s: float
    note: str = ""

    def text(self):
        def number(value, form):
            return "-" if value is None else format(value, form)

        ratio = self.peer_us / self.ours_us if self.ours_us else None
        return (
            f"{self.job:<20} {self.entries:>9,} {self.peer:<48} {self.probes:>6} {self.peer_us:>12,.1f} "
            f"{number(self.ours_us, ',.1f'):>9} {number(ratio, ',.1f'):>9} {number(self.peer_p50_us, ',.1f'):>12} "
            f"{number(self.ours_p50_us, ',.1f'):>9} {number(self.recall, '.3f'):>7} {self.build_s:>8.1f}  {self.note}"
        )


HEADING = (
    f"{'job':<20} {'entries':>9} {'peer':<48} {'probes':>6} {'peer us':>12} "
    f"{'ours us':>9} {'ratio':>9} {'peer p50':>12} {'ours p50':>9} {'recall':>7} {'build s':>8}  note"
)


class Bench:
    """The population's records, our answers, and the rows made so far."""

    def __init__(self, folder, probe_count):
        self.folder = folder
        self.probe_count = probe_count
        self.entries = read(folder / "entries.ndjson")
        self.probes = read(folder / "probes.ndjson")
        self.place = {entry["id"]: n for n, entry in enumerate(self.entries)}
        self.rows = []

    def pairs(self):
        """Mirrors with their entries."""
        mirrors = (probe for probe in self.probes if probe["mirror_of"])
        return [(probe, self.entries[self.place[probe["mirror_of"]]]) for probe in mirrors]

    def strangers(self):
        return [probe for probe in self.probes if not probe["mirror_of"]]

    def halves(self, mirrors, strangers):
        """As many of each as probes are wanted, in turns, so that a cut still has both."""
        half = self.probe_count // 2
        return [value for pair in zip(mirrors[:half], strangers[:half]) for value in pair]

    def tell(self, row):
        self.rows.append(row)
        print(row.text(), flush=True)

    def ours(self, kind, entries, probes):
        """Our mean time a probe, and what was found for each."""
        with tempfile.TemporaryDirectory() as folder:
            files = {name: Path(folder, name) for name in ("entries", "probes", "answers")}
            files["entries"].write_text("".join(value + "\n" for value in entries), encoding="utf-8")
            files["probes"].write_text("".join(value + "\n" for value in probes), encoding="utf-8")
            command = ["cargo", "bench", "--quiet", "--locked", "--bench", "signals", "--", f"--{kind}", files["entries"]]
            command += ["--probes", files["probes"], "--answers", files["answers"]]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            answers = [set(map(int, line.split())) for line in files["answers"].read_text().splitlines()]
        return json.loads(told), answers

    def compare(self, job, entries, ours, answers, probes, peer, build, query, note=""):
        """Builds the peer, asks it one probe at a time, and holds its answers against ours."""
        begin = time.perf_counter()
        try:
            built = build()
        except Exception as error:
            print(f"{job}: {peer} left out: {type(error).__name__}: {error}", flush=True)
            return
        build_s = time.perf_counter() - begin
        query(built, probes[0])
        times, right, found, more = [], 0, 0, 0
        for probe, answer in zip(probes, answers):
            begin = time.perf_counter()
            got = query(built, probe)
            times.append((time.perf_counter() - begin) * 1e6)
            right += len(answer)
            found += len(answer & set(got))
            more += len(set(got) - answer)
            if sum(times) > SECONDS_MAX * 1e6:
                break
        recall = found / right if right else None
        if more and not note:
            note = f"finds {more} that ours does not"
        mean, median = statistics.fmean(times), statistics.median(times)
        self.tell(Row(job, len(entries), peer, len(times), mean, ours["mean_us"], median, ours["p50_us"], recall, build_s, note))


def read(file):
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def named(package):
    return f"{package} {version(package)}"


def pictures(bench):
    import faiss
    import numpy
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex

    faiss.omp_set_num_threads(1)

    def bits(record):
        return int(record["avatar"]["pdq"], 16)

    entries = [entry["avatar"]["pdq"] for entry in bench.entries if "avatar" in entry]
    kept = [
        probe["avatar"]["pdq"]
        for probe, entry in bench.pairs()
        if "avatar" in probe and "avatar" in entry and (bits(probe) ^ bits(entry)).bit_count() <= PDQ_DISTANCE
    ]
    strange = [probe["avatar"]["pdq"] for probe in bench.strangers() if "avatar" in probe]
    probes = bench.halves(kept, strange)
    ours, answers = bench.ours("hashes", entries, probes)

    def compare(peer, build, query, note=""):
        bench.compare("pictures, PDQ <= 31", entries, ours, answers, probes, peer, build, query, note)

    compare(
        f"{named('threatexchange')} PDQIndex (its default)",
        lambda: PDQIndex((value, n) for n, value in enumerate(entries)),
        lambda index, probe: [match.metadata for match in index.query(probe)],
    )
    vectors = numpy.frombuffer(bytes.fromhex("".join(entries)), dtype=numpy.uint8).reshape(-1, 32)

    def within(index, probe):
        vector = numpy.frombuffer(bytes.fromhex(probe), dtype=numpy.uint8).reshape(1, 32)
        return index.range_search(vector, PDQ_DISTANCE + 1)[2].tolist()

    def flat():
        index = faiss.IndexBinaryFlat(256)
        index.add(vectors)
        return index

    def multi_hash():
        index = faiss.IndexBinaryMultiHash(256, 16, 16)
        index.nflip = PDQ_DISTANCE // 16
        index.add(vectors)
        return index

    compare(f"{named('faiss-cpu')} IndexBinaryFlat", flat, within)
    compare(f"{named('faiss-cpu')} IndexBinaryMultiHash 16x16", multi_hash, within)


def plain(handle):
    """As our indexes hold it: lower case, separators off."""
    return "".join(letter for letter in handle.lower() if letter.isalnum())


def handles(bench):
    import numpy
    import tantivy
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    def usable(values):
        return [value for value in values if len(value) in HANDLE_LENS]

    entries = usable(plain(entry["handle"]) for entry in bench.entries)
    near = [
        plain(probe["handle"])
        for probe, entry in bench.pairs()
        if OSA.distance(plain(probe["handle"]), plain(entry["handle"])) <= HANDLE_DISTANCE
    ]
    probes = bench.halves(usable(near), usable(plain(probe["handle"]) for probe in bench.strangers()))
    ours, answers = bench.ours("strings", entries, probes)

    def compare(peer, build, query, note=""):
        bench.compare("handles, distance 2", entries, ours, answers, probes, peer, build, query, note)

    def extract(choices, probe):
        found = process.extract(probe, choices, scorer=OSA.distance, score_cutoff=HANDLE_DISTANCE, limit=None)
        return [place for _, _, place in found]

    def cdist(choices, probe):
        row = process.cdist([probe], choices, scorer=OSA.distance, score_cutoff=HANDLE_DISTANCE, dtype=numpy.uint8)
        return numpy.nonzero(row[0] <= HANDLE_DISTANCE)[0].tolist()

    compare(f"{named('rapidfuzz')} process.extract, OSA", lambda: entries, extract)
    compare(f"{named('rapidfuzz')} process.cdist, OSA", lambda: entries, cdist)

    # All at once it can use the processor's vectors; that is its best, not how one signup is screened.
    some = probes[:CDIST_PROBES]
    begin = time.perf_counter()
    found = process.cdist(some, entries, scorer=OSA.distance, score_cutoff=HANDLE_DISTANCE, dtype=numpy.uint8) <= HANDLE_DISTANCE
    mean = (time.perf_counter() - begin) / len(some) * 1e6
    right = sum(map(len, answers[: len(some)]))
    recall = sum(int(row[list(answer)].sum()) for row, answer in zip(found, answers)) / right
    peer = f"{named('rapidfuzz')} process.cdist, {len(some)} at once"
    bench.tell(Row("handles, distance 2", len(entries), peer, len(some), mean, ours["mean_us"], mean, ours["p50_us"], recall, 0.0))

    def text_index():
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("handle", tokenizer_name="raw", index_option="basic")
        builder.add_integer_field("place", stored=True, fast=True)
        schema = builder.build()
        index = tantivy.Index(schema)
        writer = index.writer(512_000_000, num_threads=1)
        for place, value in enumerate(entries):
            writer.add_document(tantivy.Document(handle=value, place=place))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        return schema, index.searcher()

    def fuzzy(built, probe):
        schema, searcher = built
        query = tantivy.Query.fuzzy_term_query(schema, "handle", probe, HANDLE_DISTANCE, True, False)
        hits = searcher.search(query, 10_000, count=False).hits
        return [searcher.doc(address)["place"][0] for _, address in hits]

    compare(f"{named('tantivy')} FuzzyTermQuery", text_index, fuzzy)


def bios(bench):
    from datasketch import MinHash, MinHashLSH

    entries = [(n, entry["bio"]) for n, entry in enumerate(bench.entries) if "bio" in entry]
    places = {n: place for place, (n, _) in enumerate(entries)}
    pairs = []
    for probe, entry in bench.pairs():
        words = set(probe.get("bio", "").split()), set(entry.get("bio", "").split())
        # What a mirror's own bio never reaches, and one with a fifth of its words changed always does.
        if words[1] and len(words[0] & words[1]) >= 0.5 * len(words[1]):
            pairs.append((probe["bio"], places[bench.place[entry["id"]]]))
    pairs = pairs[: bench.probe_count]
    probes = [bio for bio, _ in pairs]
    wanted = [{place} for _, place in pairs]
    ours, answers = bench.ours("bios", [bio for _, bio in entries], probes)
    ours_recall = sum(len(want & got) for want, got in zip(wanted, answers)) / len(wanted)

    def sketch(bio):
        made = MinHash(num_perm=BIO_HASHES, seed=7)
        made.update_batch([word.encode() for word in set(bio.split())])
        return made

    def lsh():
        index = MinHashLSH(threshold=BIO_THRESHOLD, num_perm=BIO_HASHES)
        with index.insertion_session() as session:
            for place, (_, bio) in enumerate(entries):
                session.insert(place, sketch(bio), check_duplication=False)
        return index

    bench.compare(
        "bios, 20% changed",
        entries,
        ours,
        wanted,
        probes,
        f"{named('datasketch')} MinHashLSH .5, {BIO_HASHES} hashes",
        lsh,
        lambda index, probe: index.query(sketch(probe)),
        f"recall of ours {ours_recall:.3f}; ours is the whole engine on bios alone, scored",
    )


def records(bench):
    """Whole records: splink on DuckDB, our `rescan`. Microseconds are of CPU."""
    half = RECORDS // 2
    probes = [probe for probe, _ in bench.pairs()][:half] + bench.strangers()[:half]
    random.Random(7).shuffle(probes)
    try:
        peer_us, recall, build_s = splinked(bench, probes)
    except Exception as error:
        print(f"whole records: splink left out: {type(error).__name__}: {error}", flush=True)
        return
    ours_us, ours_recall, ours_note = rescanned(bench, probes)
    if ours_recall is not None:
        ours_note = f"of ours {ours_recall:.3f}; {ours_note}"
    note = f"CPU; recall: entry among the best five; {ours_note}"
    bench.tell(
        Row("whole records", len(bench.entries), f"{named('splink')} on {named('duckdb')}", len(probes), peer_us, ours_us, None, None, recall, build_s, note)
    )


def rescanned(bench, probes):
    binary = os.environ["MIRRORWATCH"]
    if not os.access(binary, os.X_OK):
        return None, None, f"ours left out: no binary at {binary}"
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        database, given, out = (Path(folder, name) for name in ("db", "probes.ndjson", "reports.ndjson"))
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # The population's words are invented: without their own counts all of them would pass for rare.
        subprocess.run([binary, "--db", database, "background", bench.folder / "background.ndjson"], **quiet)
        subprocess.run([binary, "--db", database, "enroll", bench.folder / "entries.ndjson"], **quiet)

        def cpu(chosen):
            given.write_text("".join(json.dumps(probe) + "\n" for probe in chosen), encoding="utf-8")
            out.unlink(missing_ok=True)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([binary, "--db", database, "rescan", "--all-candidates", "--out", out, given], **quiet)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        # Opening a large watchlist costs more than the probes; what the probes cost is what more of them add.
        others = [probe for probe in bench.probes if probe["id"] not in {probe["id"] for probe in probes}]
        opened, more = cpu(probes[:1]), cpu((probes + others)[: 4 * RECORDS])
        both = cpu(probes)
        reports = {report["id"]: report for report in read(out)}
    count = len((probes + others)[: 4 * RECORDS])
    mirrors = [probe for probe in probes if probe["mirror_of"]]
    right = sum(
        any(hit["entry"] == probe["mirror_of"] for hit in reports[probe["id"]].get("hits", [])) for probe in mirrors
    )
    note = f"ours with opening {both:.1f} CPU-s for {len(probes):,}"
    return (more - opened) / (count - 1) * 1e6, right / len(mirrors), note


def splinked(bench, probes):
    import duckdb
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    columns = ("unique_id", "handle", "handle_head", "name", "bio", "link")

    def rows(accounts):
        import pyarrow

        def row(account):
            handle, links = plain(account.get("handle", "")), account.get("links", [])
            values = (account["id"], handle, handle[:6], account.get("display_name"), account.get("bio"), links[0] if links else None)
            return dict(zip(columns, values))

        return pyarrow.Table.from_pylist([row(account) for account in accounts])

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    api = DuckDBAPI(connection)
    begin = time.perf_counter()
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("handle", [0.92, 0.8]),
            cl.JaroWinklerAtThresholds("name", [0.92, 0.8]),
            cl.JaccardAtThresholds("bio", [0.9, 0.8]),
            cl.ExactMatch("link"),
        ],
        blocking_rules_to_generate_predictions=[block_on("handle_head"), block_on("name"), block_on("link")],
        probability_two_random_records_match=1 / len(bench.entries),
    )
    tables = [api.register(rows(bench.entries), dataset_display_name="entries")]
    tables.append(api.register(rows(probes), dataset_display_name="probes"))
    linker = Linker(tables, settings, log_level="ERROR")
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=7)
    build_s = time.perf_counter() - begin
    begin = time.process_time()
    predicted = linker.inference.predict(warning_mode="never")
    spent = time.process_time() - begin
    best = {}
    mirror_of = {probe["id"]: probe["mirror_of"] for probe in probes}
    for row in predicted.as_record_list():
        probe, entry = row["unique_id_r"], row["unique_id_l"]
        if probe not in mirror_of:
            probe, entry = entry, probe
        best.setdefault(probe, []).append((row["match_weight"], entry))
    mirrors = [probe for probe, entry in mirror_of.items() if entry]
    right = sum(mirror_of[probe] in {entry for _, entry in sorted(best.get(probe, []), reverse=True)[:5]} for probe in mirrors)
    return spent / len(probes) * 1e6, right / len(mirrors), build_s


JOBS = {"pictures": pictures, "handles": handles, "bios": bios, "records": records}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--probes", type=int, default=200)
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    bench = Bench(arguments.folder, arguments.probes)
    print(HEADING, flush=True)
    for job in arguments.jobs.split(","):
        JOBS[job](bench)
    if arguments.json:
        arguments.json.write_text("".join(json.dumps(asdict(row)) + "\n" for row in bench.rows), encoding="utf-8")


if __name__ == "__main__":
    main()
