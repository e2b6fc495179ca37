//! The service as a process: a socket, signals, keys from the command line, TLS, and a kill in the middle.
//!
//! Needs the binary, as `recovery` does. Everything listens on 127.0.0.1, on a free port.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::store::Access;
use crate::tests::recovery::program;
use crate::tests::{id, opened};

/// A running service, killed when dropped.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(db: &Path, args: &[&str]) -> Option<Command> {
    let mut command = Command::new(program()?);
    command.arg("--db").arg(db).args(args);
    Some(command)
}

fn told(db: &Path, args: &[&str]) -> Option<Output> {
    Some(command(db, args)?.output().unwrap())
}

impl Served {
    fn start(db: &Path, more: &[&str]) -> Option<Self> {
        let args = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
        let mut child = command(db, &args)?.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let (_, address) = line.split_once("://").unwrap();
        let address = address.to_owned();
        // The log goes on; nobody may wait for it to be read.
        std::thread::spawn(move || lines.for_each(drop));
        let served = Self { child, address };
        let begun = Instant::now();
        while !more.contains(&"--tls-cert") && served.call("GET", "/readyz", "", None).0 != 200 {
            assert!(begun.elapsed() < Duration::from_secs(60), "not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(served)
    }

    /// One request over a connection of its own: the status and the body.
    fn call(&self, method: &str, path: &str, body: &str, key: Option<&str>) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let key = key.map_or(String::new(), |key| {
            format!("Authorization: Bearer {key}\r\n")
        });
        let len = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{key}Content-Type: application/json\r\nContent-Length: {len}\r\n\r\n",
            self.address
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

fn ban(number: usize) -> Value {
    json!({"id": format!("x:{number}"), "handle": format!("zorvani_dispatch_{number}")})
}

#[test]
fn a_ban_that_was_acknowledged_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for _ in 0..5 {
        let Some(served) = Served::start(folder.path(), &[]) else {
            return;
        };
        for _ in 0..20 {
            let (status, body) = served.call(
                "POST",
                "/v1/watchlist",
                &ban(acknowledged).to_string(),
                None,
            );
            assert_eq!(status, 200, "{body}");
            acknowledged += 1;
        }
        served.signal("-KILL");
    }
    let engine = opened(folder.path(), Access::Write);
    assert_eq!(engine.generation().entries() as usize, acknowledged);
    assert!(engine.entry(&id("x:99")).unwrap().is_some());
}

#[test]
fn bans_that_came_while_it_was_down_find_who_signed_up_before() {
    let folder = tempfile::tempdir().unwrap();
    let Some(served) = Served::start(folder.path(), &[]) else {
        return;
    };
    let signup = json!({"id": "y:1", "handle": "zorvani_dispatch_77", "bio": "t.me/zorvanidsp"});
    let (status, body) = served.call("POST", "/v1/screen", &signup.to_string(), None);
    assert_eq!(status, 200, "{body}");
    served.signal("-KILL");
    drop(served);
    let list = folder.path().join("banned.ndjson");
    let entry = json!({"id": "x:7", "handle": "zorvani_dispatch_7", "bio": "t.me/zorvanidsp"});
    std::fs::write(&list, format!("{entry}\n")).unwrap();
    let list = list.to_str().unwrap();
    let enrolled = told(folder.path(), &["enroll", list]).unwrap();
    assert!(enrolled.status.success(), "{enrolled:?}");
    let served = Served::start(folder.path(), &[]).unwrap();
    let flags = || served.call("GET", "/v1/decisions?probe=y:1", "", None).1;
    let begun = Instant::now();
    while flags() == "[]" {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not found");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Takes one message of Standard Webhooks and says that it has it: its id, and what it says.
fn taken(listener: &TcpListener) -> (String, Value) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let (mut id, mut len) = (String::new(), 0);
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some(("webhook-id", value)) => id = value.to_owned(),
            Some(("content-length", value)) => len = value.parse().unwrap(),
            None if line.trim().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; len];
    lines.read_exact(&mut body).unwrap();
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    (id, serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_flag_that_nobody_had_taken_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    // Nobody listens while the first runs.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let settings = folder.path().join("settings.toml");
    let endpoint = format!(
        "[[flags]]\nname = \"team\"\nurl = \"http://{address}/\"\nsecret = \"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n"
    );
    std::fs::write(&settings, endpoint).unwrap();
    let more = ["--config", settings.to_str().unwrap()];
    let Some(served) = Served::start(&db, &more) else {
        return;
    };
    served.call("POST", "/v1/watchlist", &ban(7).to_string(), None);
    let signup = json!({"id": "y:1", "handle": "zorvani_dispatch_77"}).to_string();
    let (_, body) = served.call("POST", "/v1/screen", &signup, None);
    let report: Value = serde_json::from_str(&body).unwrap();
    served.signal("-KILL");
    drop(served);
    let listener = TcpListener::bind(address).unwrap();
    let _served = Served::start(&db, &more).unwrap();
    let (id, told) = taken(&listener);
    assert_eq!(id, format!("flag_{}", report["decision"].as_str().unwrap()));
    assert_eq!(told["type"], "org.mirrorwatch.flag.raised.v1");
    for field in ["id", "verdict", "decision", "hits"] {
        assert_eq!(told["data"][field], report[field], "{field}");
    }
}

#[test]
fn who_stops_it_waits_for_no_request_and_loses_none() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut served) = Served::start(folder.path(), &[]) else {
        return;
    };
    let (status, _) = served.call("POST", "/v1/watchlist", &ban(1).to_string(), None);
    assert_eq!(status, 200);
    // Readers of the same database go on beside it; writers are told who holds it.
    let lookup = told(folder.path(), &["lookup", "zorvani_dispatch_1"]).unwrap();
    assert!(
        String::from_utf8(lookup.stdout)
            .unwrap()
            .contains("zorvani_dispatch_1")
    );
    let withdraw = told(folder.path(), &["withdraw", "x:1"]).unwrap();
    assert_eq!(withdraw.status.code(), Some(1));
    served.signal("-TERM");
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(&served.address).is_err());
}

#[test]
fn beyond_this_machine_only_with_keys_which_are_honoured_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let Some(refused) = told(folder.path(), &["serve", "--listen", "0.0.0.0:0"]) else {
        return;
    };
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("make a key first")
    );
    let added = told(
        folder.path(),
        &["keys", "add", "pipeline", "--role", "screen"],
    )
    .unwrap();
    let key = String::from_utf8(added.stdout).unwrap().trim().to_owned();
    let listed = told(folder.path(), &["keys", "list"]).unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("pipeline") && !listed.contains(&key));
    let served = Served::start(folder.path(), &[]).unwrap();
    let probe = "{\"id\":\"x:1\"}";
    assert_eq!(served.call("POST", "/v1/screen", probe, None).0, 401);
    assert_eq!(served.call("POST", "/v1/screen", probe, Some(&key)).0, 200);
    assert_eq!(
        served.call("POST", "/v1/watchlist", probe, Some(&key)).0,
        403
    );
    assert!(
        told(folder.path(), &["keys", "revoke", "pipeline"])
            .unwrap()
            .status
            .success()
    );
    // The last key is gone: the service stays shut.
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(served.call("POST", "/v1/screen", probe, Some(&key)).0, 401);
}

#[test]
fn it_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args([
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            &key,
            "-out",
            &cert,
        ])
        .output();
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    if !has_curl || !made.is_ok_and(|made| made.status.success()) {
        println!("skipped: no openssl or no curl here");
        return;
    }
    let db = folder.path().join("db");
    let Some(served) = Served::start(&db, &["--tls-cert", &cert, "--tls-key", &key]) else {
        return;
    };
    let asked = || {
        Command::new("curl")
            .args([
                "-s",
                "--cacert",
                &cert,
                &format!("https://{}/healthz", served.address),
            ])
            .output()
            .unwrap()
    };
    let begun = Instant::now();
    while asked().stdout != b"ok\n" {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", asked());
        std::thread::sleep(Duration::from_millis(50));
    }
}
