"""Loads a running mirrorwatch with wrk while bans arrive and the console is looked at; scripts/bench-load calls it."""

import argparse
import http.client
import json
import pathlib
import re
import shutil
import subprocess
import threading
import time

BANS_PER_SECOND = 100
LOOKS_PER_SECOND = 2
PROBES = 50_000

LUA = """
local bodies, at = {}, 0
for line in io.lines(os.getenv("PROBES")) do bodies[#bodies + 1] = line end
function setup(thread) threads = (threads or 0) + 1; thread:set("offset", threads * 7919) end
function request()
  at = at + 1
  local body = bodies[(at + offset) % #bodies + 1]
  return wrk.format("POST", "/v1/screen", {["Content-Type"] = "application/json"}, body)
end
function done(summary, latency, requests)
  local us = {}
  for _, p in ipairs({50, 99, 99.9}) do us[#us + 1] = string.format("%d", latency:percentile(p)) end
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %d %d %s %d\\n", summary.requests, summary.duration, table.concat(us, " "), bad))
end
"""


def prepare(arguments, folder):
    """The database of a seeded population with its own background, and probes in front of it; made once."""
    population, database = folder / "population", folder / "db"
    if not (folder / "stamp").exists():
        subprocess.run(
            ["cargo", "bench", "--quiet", "--bench", "population", "--", "--entries", str(arguments.entries), "--ordinary", "120000",
             "--mirrors", "1000", "--background", "200000", "--out", str(population)], check=True, cwd=arguments.root)
        run = [arguments.mirrorwatch, "--db", str(database)]
        subprocess.run([*run, "background", "--fresh", str(population / "background.ndjson")], check=True)
        subprocess.run([*run, "enroll", str(population / "entries.ndjson")], check=True)
        (folder / "stamp").write_text("made")
    lines = (population / "probes.ndjson").read_text().splitlines()
    # One signup in fifty is a mirror, the rest are strangers; other strangers are banned meanwhile.
    is_mirror = lambda line: json.loads(line).get("mirror_of") is not None
    mirrors = [line for line in lines if is_mirror(line)][:1000]
    strangers = [line for line in lines if not is_mirror(line)]
    mixed, bans = strangers[: PROBES - len(mirrors)], strangers[PROBES:]
    step = len(mixed) // len(mirrors)
    for n, mirror in enumerate(mirrors):
        mixed.insert(n * (step + 1), mirror)
    probes = folder / "probes.ndjson"
    probes.write_text("\n".join(mixed) + "\n")
    return database, probes, bans


def resident(pid):
    """Resident anonymous megabytes: without the mapped segment files."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) // 1024


def repeat(rate, stop, work):
    """Does `work(n)` at a rate until told to stop; returns how long each took, in seconds."""
    took, n, due = [], 0, time.monotonic()
    while not stop.is_set():
        begun = time.monotonic()
        work(n)
        took.append(time.monotonic() - begun)
        n, due = n + 1, due + 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))
    return took


def beside(host, port, bans, stop, told):
    """Bans and looks at the console, each over a connection of its own."""
    def ban(connection):
        def work(n):
            account = json.loads(bans[n % len(bans)])
            account["id"] = f"load:{time.time_ns()}"
            account["ban"] = {"reason": "load"}
            connection.request("POST", "/v1/watchlist", json.dumps(account), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        return work

    def look(connection):
        pages = ["/queue", "/search?handle=news", "/dashboard"]
        # A service without keys lets its own machine in at the door.
        connection.request("GET", "/login")
        door = connection.getresponse()
        door.read()
        cookies = [value.split(";")[0] for name, value in door.getheaders() if name.lower() == "set-cookie"]
        def work(n):
            connection.request("GET", pages[n % len(pages)], headers={"Cookie": "; ".join(cookies)})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        return work

    def run(name, rate, make):
        told[name] = repeat(rate, stop, make(http.client.HTTPConnection(host, port)))

    threads = [threading.Thread(target=run, args=("bans", BANS_PER_SECOND, ban)), threading.Thread(target=run, args=("console", LOOKS_PER_SECOND, look))]
    for thread in threads:
        thread.start()
    return threads


def load(address, script, probes, connections, seconds, environment):
    """One run of wrk: requests a second, latencies in milliseconds, bad answers."""
    threads = 1 if connections == 1 else 2
    told = subprocess.run(
        ["wrk", "-t", str(threads), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s", "-s", str(script), address],
        check=True, capture_output=True, text=True, env={**environment, "PROBES": str(probes)}).stdout
    requests, duration, p50, p99, p999, bad = map(int, re.search(r"RESULT (.*)", told).group(1).split())
    return requests / (duration / 1e6), p50 / 1e3, p99 / 1e3, p999 / 1e3, bad


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1e3 if values else float("nan")


def main():
    import os

    parser = argparse.ArgumentParser()
    for name in ("mirrorwatch", "cache", "root"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--entries", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.cache) / f"e{arguments.entries}"
    folder.mkdir(parents=True, exist_ok=True)
    database, probes, bans = prepare(arguments, folder)
    # On a copy: what one run bans and what it has seen are not there for the next.
    served = folder / "served"
    shutil.rmtree(served, ignore_errors=True)
    shutil.copytree(database, served)
    script = folder / "screen.lua"
    script.write_text(LUA)
    log = (folder / "log").open("w+")
    server = subprocess.Popen([arguments.mirrorwatch, "--db", str(served), "serve", "--listen", "127.0.0.1:0"], stderr=log,
                              env={**os.environ, "MIRRORWATCH_LOG": "warn"})
    try:
        address = None
        while address is None:
            time.sleep(0.2)
            found = re.search(r"http://([0-9.]+):(\d+)", (folder / "log").read_text())
            address = found and found.group(0)
        host, port = found.group(1), int(found.group(2))
        ready = 0
        while ready != 200:
            time.sleep(0.2)
            connection = http.client.HTTPConnection(host, port)
            connection.request("GET", "/readyz")
            ready = connection.getresponse().status
        print(f"{arguments.entries:,} entries; {arguments.seconds} s each; the load maker shares the machine's {os.cpu_count()} cores\n")
        print("| connections | beside | requests/s | p50 ms | p99 ms | p99.9 ms | bad | memory MB |")
        print("|---|---|---|---|---|---|---|---|")
        for connections in (1, 64):
            for is_beside in (False, True):
                stop, told = threading.Event(), {}
                threads = beside(host, port, bans, stop, told) if is_beside else []
                rate, p50, p99, p999, bad = load(address, script, probes, connections, arguments.seconds, os.environ)
                stop.set()
                for thread in threads:
                    thread.join()
                words = "-"
                if is_beside:
                    words = (f"{len(told['bans']) / arguments.seconds:.0f} bans/s p99 {percentile(told['bans'], .99):.1f} ms, "
                             f"console p99 {percentile(told['console'], .99):.0f} ms")
                print(f"| {connections} | {words} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {p999:.2f} | {bad} | {resident(server.pid)} |", flush=True)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(served, ignore_errors=True)


if __name__ == "__main__":
    main()
