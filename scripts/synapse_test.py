"""The story of `scripts/test-synapse`: who is let in, who is not, and what is flagged later.

Starts mirrorwatch and Synapse on free ports of 127.0.0.1, plays the registrations, prints one line a step and exits 1 at the first
that goes another way. Every process it starts is ended by it.
"""

import http.server
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from standardwebhooks.webhooks import Webhook

HERE = Path(__file__).resolve().parent
MIRRORWATCH = os.environ["MIRRORWATCH"]
# What the ordinary user turns into: the banned account's name and its channel.
TURNED = "Zorvani Dispatch Quetta | t.me/zorvanidsp"
SECRET = "the-secret-of-the-synapse-test"
FLAGS_KEY = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
BANNED = {
    "id": "telegram:17",
    "platform": "telegram",
    "handle": "zorvani_dispatch",
    "display_name": "Zorvani Dispatch Quetta",
    "bio": "News of the valley, every day at six: t.me/zorvanidsp",
    "ban": {"reason": "fraud", "network": "zorvani"},
}


class Processes:
    """What was started, to be ended."""

    def __init__(self):
        self.running = []

    def start(self, arguments, log, **options):
        with open(log, "ab") as file:
            process = subprocess.Popen(arguments, stdout=file, stderr=file, **options)
        self.running.append(process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.running:
            self.running.remove(process)

    def end_all(self):
        for process in list(self.running):
            self.end(process)


class Flags(http.server.BaseHTTPRequestHandler):
    """Takes flags as anybody would who uses the library of Standard Webhooks."""

    came = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        Flags.came.append(Webhook(FLAGS_KEY).verify(body, headers))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(method, url, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def until(what, seconds, why):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = what()
            if found:
                return found
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"synapse_test: after {seconds} s still not: {why}")


def step(name, holds, seen):
    print(f"{'ok  ' if holds else 'FAIL'} {name}", flush=True)
    if not holds:
        raise SystemExit(f"synapse_test: {name}: {seen}")


class Stage:
    def __init__(self, folder, processes):
        self.folder, self.processes = folder, processes
        self.watch_port, self.matrix_port, flags_port = free_port(), free_port(), free_port()
        self.watch = f"http://127.0.0.1:{self.watch_port}"
        self.matrix = f"http://127.0.0.1:{self.matrix_port}"
        self.flags = f"http://127.0.0.1:{flags_port}/"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", flags_port), Flags)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.mirrorwatch = None

    def enroll(self):
        listed = self.folder / "watchlist.ndjson"
        listed.write_text(json.dumps(BANNED) + "\n")
        subprocess.run([MIRRORWATCH, "--db", self.folder / "db", "enroll", listed], check=True, capture_output=True)

    def start_mirrorwatch(self, action):
        """mirrorwatch as its operator would run it: settings in a file."""
        settings = self.folder / "mirrorwatch.toml"
        settings.write_text(
            f'[[hooks]]\nname = "synapse"\nplatform = "synapse"\nsecret = "{SECRET}"\n'
            f'action_on_match = "{action}"\naction_on_review = "{action}"\n'
            f'[[flags]]\nname = "test"\nurl = "{self.flags}"\nsecret = "{FLAGS_KEY}"\n'
        )
        listen = f"127.0.0.1:{self.watch_port}"
        command = [MIRRORWATCH, "--db", self.folder / "db", "serve", "--config", settings, "--listen", listen]
        self.mirrorwatch = self.processes.start(command, self.folder / "mirrorwatch.log")
        until(lambda: call("GET", f"{self.watch}/readyz")[0] == 200, 60, "mirrorwatch is ready")

    def stop_mirrorwatch(self):
        self.processes.end(self.mirrorwatch)

    def start_synapse(self):
        config = self.folder / "homeserver.yaml"
        generate = ["--server-name", "test.local", "--config-path", config, "--generate-config", "--report-stats=no"]
        run = [sys.executable, "-m", "synapse.app.homeserver"]
        subprocess.run(run + generate, check=True, capture_output=True, cwd=self.folder)
        text = config.read_text().replace("port: 8008", f"port: {self.matrix_port}")
        text += f"""
enable_registration: true
enable_registration_without_verification: true
trusted_key_servers: []
rc_registration: {{per_second: 1000, burst_count: 1000}}
modules:
  - module: synapse_mirrorwatch.Mirrorwatch
    config:
      url: "{self.watch}/hooks/synapse"
      secret: "{SECRET}"
      timeout_seconds: 3
  - module: synapse_http_antispam.HTTPAntispam
    config:
      base_url: "{self.watch}/hooks/synapse"
      authorization: "{SECRET}"
      enabled_callbacks: [check_login_for_spam]
      do_ping: true
      fail_open: {{check_login_for_spam: true}}
"""
        config.write_text(text)
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        self.processes.start(run + ["-c", config], self.folder / "synapse.log", cwd=self.folder, env=environment)
        versions = f"{self.matrix}/_matrix/client/versions"
        until(lambda: call("GET", versions)[0] == 200, 120, "Synapse is ready")

    def register(self, name):
        body = {"username": name, "password": "correct horse battery", "auth": {"type": "m.login.dummy"}}
        return call("POST", f"{self.matrix}/_matrix/client/v3/register", body)

    def login(self, name):
        identifier = {"type": "m.id.user", "user": name}
        body = {"type": "m.login.password", "identifier": identifier, "password": "correct horse battery"}
        return call("POST", f"{self.matrix}/_matrix/client/v3/login", body)

    def is_shadow_banned(self, name):
        with sqlite3.connect(f"file:{self.folder / 'homeserver.db'}?mode=ro", uri=True) as database:
            row = database.execute("SELECT shadow_banned FROM users WHERE name = ?", [f"@{name}:test.local"]).fetchone()
        return bool(row and row[0])

    def rename(self, account, name):
        url = f"{self.matrix}/_matrix/client/v3/profile/{account['user_id']}/displayname"
        return call("PUT", url, {"displayname": name}, account["access_token"])[0]

    def flag_of(self, probe):
        return next((flag for flag in Flags.came if flag["data"]["id"] == probe), None)


def play(stage):
    stage.enroll()
    stage.start_mirrorwatch("deny")
    stage.start_synapse()

    status, ordinary = stage.register("marigold77")
    step("an ordinary user is let in", status == 200 and not stage.is_shadow_banned("marigold77"), ordinary)
    status, answer = stage.register("zorvani_dispatch2")
    step("a mirror is denied, without being told why", status == 429 and answer["error"] == "Rate limited", (status, answer))
    flag = until(lambda: stage.flag_of("matrix:@zorvani_dispatch2:test.local"), 20, "the flag of the denied mirror")
    step("and flagged, signed", flag["data"]["hits"][0]["entry"] == BANNED["id"], flag)

    status = stage.rename(ordinary, TURNED)
    step("a later change of the name is taken", status == 200, status)
    flag = until(lambda: stage.flag_of(f"matrix:{ordinary['user_id']}"), 20, "the flag of the renamed user")
    step("and raises a flag", flag["type"] == "org.mirrorwatch.flag.raised.v1", flag)
    signals = [row["signal"] for row in flag["data"]["hits"][0]["evidence"] if row["bits"] > 5]
    step("on the name and the link in it", {"name", "link"} <= set(signals), signals)
    count = len(Flags.came)
    step("the same name again is taken", stage.rename(ordinary, TURNED) == 200, "")
    time.sleep(1)
    step("and is no news", len(Flags.came) == count, Flags.came[count:])

    stage.stop_mirrorwatch()
    status, answer = stage.register("bluebell12")
    step("while mirrorwatch is down users are let in", status == 200, answer)
    stage.start_mirrorwatch("shadow_ban")
    status, answer = stage.register("zorvani.dispatch_3")
    step("a mirror is let in where shadow bans are set", status == 200, answer)
    step("and seen by nobody else", stage.is_shadow_banned("zorvani.dispatch_3"), "not shadow-banned")
    status, _ = stage.register("tulip_anna")
    step("an ordinary user still is", status == 200 and not stage.is_shadow_banned("tulip_anna"), status)
    stage.stop_mirrorwatch()
    stage.start_mirrorwatch("flag")
    status, _ = stage.register("zorvani-dispatch4")
    step("where only flags are set a mirror is let in", status == 200 and not stage.is_shadow_banned("zorvani-dispatch4"), status)
    until(lambda: stage.flag_of("matrix:@zorvani-dispatch4:test.local"), 20, "the flag of the mirror that was let in")
    step("and flagged", True, "")
    status, answer = stage.login("zorvani-dispatch4")
    step("and may sign in", status == 200, answer)
    stage.stop_mirrorwatch()
    stage.start_mirrorwatch("deny")
    status, answer = stage.login("zorvani-dispatch4")
    step("where mirrors are denied synapse-http-antispam turns it away", (status, answer["errcode"]) == (403, "M_FORBIDDEN"), answer)
    step("and lets others sign in", stage.login("tulip_anna")[0] == 200, "")


def main():
    processes = Processes()
    with tempfile.TemporaryDirectory(prefix="mirrorwatch-synapse-") as folder:
        folder = Path(folder)
        try:
            play(Stage(folder, processes))
        except BaseException:
            for log in ("mirrorwatch.log", "synapse.log"):
                if (folder / log).exists():
                    print(f"--- {log}", (folder / log).read_text(errors="replace")[-4000:], sep="\n", file=sys.stderr)
            raise
        finally:
            processes.end_all()


if __name__ == "__main__":
    main()
