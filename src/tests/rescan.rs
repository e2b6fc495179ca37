//! `rescan`: the same reports as `screen`, in a file, also after an interruption.

use serde_json::json;

use crate::tests::{Shell, sample, steady};

/// Records of the input: three chunks and a bit, so that there are marks to stop at.
const RECORDS: usize = 3 * 8_192 + 500;

/// A shell with the sample watchlist and an input of [`RECORDS`] lines, one in a thousand broken.
fn shell() -> (Shell, String) {
    let shell = Shell::with_samples();
    let line = |n: usize| match n % 1_000 {
        17 => "{broken\n".to_owned(),
        n @ (40 | 41) => format!("{{\"id\":\"x:{n}\",\"handle\":\"sadaetormand{n}\"}}\n"),
        _ => format!("{{\"id\":\"x:{n}\"}}\n"),
    };
    let input = shell.file("many.ndjson", (0..RECORDS).map(line).collect::<String>());
    (shell, input)
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_file() {
    let (shell, input) = shell();
    let (out, mark) = (shell.path("out.ndjson"), shell.path("out.ndjson.progress"));
    let told = shell.run(&["rescan", &input, "--out", &out]);
    assert_eq!(told.status, 3);
    let whole = shell.read("out.ndjson");
    assert_eq!(whole.lines().count(), RECORDS);
    assert!(
        !std::path::Path::new(&mark).exists(),
        "a finished run leaves no mark"
    );
    // As after a crash: the mark is at the second chunk's end, the output half a line and some further.
    let at_mark: usize = whole
        .split_inclusive('\n')
        .take(2 * 8_192)
        .map(str::len)
        .sum();
    shell.file("out.ndjson", &whole.as_bytes()[..at_mark + 5_003]);
    let crafted = json!({"inputs": [input], "records": 2 * 8_192, "rejected": 17, "flagged": 34, "out_bytes": at_mark});
    shell.file("out.ndjson.progress", crafted.to_string());
    let again = shell.run(&["rescan", &input, "--out", &out, "--resume"]);
    assert_eq!(again.status, 3);
    assert!(
        steady(&shell.read("out.ndjson")) == steady(&whole),
        "the resumed file differs"
    );
    let summary = |told: &str| told.split(';').next().map(str::to_owned);
    assert_eq!(summary(&again.out), summary(&told.out));
}

#[test]
fn a_mark_of_another_run_is_refused() {
    let shell = Shell::with_samples();
    let (signups, out) = (sample("signups.ndjson"), shell.path("out.ndjson"));
    let mark = json!({"inputs": ["other.ndjson"], "records": 1, "rejected": 0, "flagged": 0, "out_bytes": 9});
    shell.file("out.ndjson", "untouched");
    shell.file("out.ndjson.progress", mark.to_string());
    let told = shell.run(&["rescan", &signups, "--out", &out, "--resume"]);
    assert_eq!(
        told.err,
        "mirrorwatch: out.ndjson.progress: it belongs to a run over other files, another watchlist or other options\n"
    );
    shell.file("out.ndjson.progress", "rubbish");
    assert_eq!(
        shell
            .run(&["rescan", &signups, "--out", &out, "--resume"])
            .status,
        1
    );
    assert_eq!(shell.read("out.ndjson"), "untouched");
}

#[test]
fn rescan_and_screen_agree() {
    let shell = Shell::with_samples();
    let (signups, out) = (sample("signups.ndjson"), shell.path("out.ndjson"));
    let screened = steady(&shell.expect(0, &["screen", &signups]));
    assert!(
        shell
            .expect(0, &["rescan", &signups, "--out", &out])
            .starts_with("rescanned 228: ")
    );
    assert_eq!(steady(&shell.read("out.ndjson")), screened);
    let again = shell.expect(0, &["rescan", &signups, "--out", &out, "--resume"]);
    assert!(
        again.starts_with("rescanned 228: "),
        "without a mark it starts anew: {again}"
    );
    assert_eq!(steady(&shell.read("out.ndjson")), screened);
}

#[test]
fn clear_reports_can_be_left_out() {
    let shell = Shell::with_samples();
    let (signups, out) = (sample("signups.ndjson"), shell.path("out.ndjson"));
    let all = steady(&shell.expect(0, &["screen", &signups]));
    shell.expect(0, &["rescan", &signups, "--out", &out, "--flagged-only"]);
    let flagged: Vec<_> = all
        .into_iter()
        .filter(|report| report["verdict"] != "clear")
        .collect();
    assert!(!flagged.is_empty());
    assert_eq!(steady(&shell.read("out.ndjson")), flagged);
}

#[test]
fn an_output_that_cannot_be_resumed_is_refused() {
    let shell = Shell::with_samples();
    let told = shell.run(&[
        "rescan",
        &sample("signups.ndjson"),
        "--out",
        &shell.path("out.gz"),
    ]);
    let reason = "reports are written as .ndjson, .jsonl or .json";
    assert!(
        told.status == 2 && told.err.contains(reason),
        "{}",
        told.err
    );
}
