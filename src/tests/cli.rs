//! The command line: what is printed, in which order, with which exit status.

use std::io::Write;

use serde_json::Value;

use crate::tests::{Shell, sample, steady};

#[test]
fn enrolling_tells_what_it_did() {
    let shell = Shell::new();
    let watchlist = sample("watchlist.ndjson");
    assert_eq!(
        shell.expect(0, &["enroll", &watchlist]),
        "enrolled 76: 76 added, 0 updated, 0 rejected; 76 entries, lsn 76\n"
    );
    assert_eq!(
        shell.expect(0, &["enroll", &watchlist]),
        "enrolled 76: 0 added, 76 updated, 0 rejected; 76 entries, lsn 152\n"
    );
}

#[test]
fn one_line_for_each_record_in_order_with_errors_in_place() {
    let shell = Shell::with_samples();
    let lines = [
        "{\"id\":\"x:1\"}",
        "{\"id\":",
        "",
        "{\"handle\":\"a\"}",
        "{\"id\":\"x:5\",\"handle\":\"sadaetormand2\"}",
        "{\"id\":\"x:6\",\"kind\":\"dog\"}",
    ];
    let told = shell.run(&["screen", &shell.file("mixed.ndjson", lines.join("\n"))]);
    assert_eq!(told.status, 3);
    let reports = steady(&told.out);
    let told_of = |report: &Value| {
        let code = report["error"]["code"].as_str();
        format!(
            "{} {}",
            report.get("line").unwrap_or(&report["id"]),
            code.unwrap_or_else(|| report["verdict"].as_str().unwrap_or("?"))
        )
    };
    let order: Vec<String> = reports.iter().map(told_of).collect();
    assert_eq!(
        order,
        [
            "\"x:1\" clear",
            "2 invalid_json",
            "4 missing_field",
            "\"x:5\" match",
            "6 invalid_value"
        ]
    );
    insta::assert_snapshot!(told.err, @r"
    mixed.ndjson:2: invalid_json: field `record`: EOF while parsing a value at line 1 column 6
    mixed.ndjson:4: missing_field: field `id`: every record needs an id of 1 to 256 bytes
    mixed.ndjson:6: invalid_value: field `kind`: expected account, page, group or channel
    ");
}

#[test]
fn every_format_and_compression_says_the_same() {
    let shell = Shell::with_samples();
    let records = [
        ("x:1", "sadaetormand2", "Sada, \"e\" Tormand"),
        ("x:2", "velmintra.capita1", "Two\nlines"),
        ("x:3", "quiet_pond", ""),
    ];
    let json = |(id, handle, name): &(&str, &str, &str)| {
        serde_json::json!({"id": id, "handle": handle, "display_name": name}).to_string() + "\n"
    };
    let csv = |(id, handle, name): &(&str, &str, &str)| {
        format!("{id},{handle},\"{}\"\r\n", name.replace('"', "\"\""))
    };
    let ndjson: String = records.iter().map(json).collect();
    let csv: String =
        "id,handle,display_name\r\n".to_owned() + &records.iter().map(csv).collect::<String>();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(ndjson.as_bytes()).unwrap();
    let files = [
        shell.file("a.csv", &csv),
        shell.file("a.jsonl", &ndjson),
        shell.file("a.ndjson.gz", gz.finish().unwrap()),
        shell.file(
            "a.ndjson.zst",
            zstd::encode_all(ndjson.as_bytes(), 3).unwrap(),
        ),
        shell.file("a.csv.zst", zstd::encode_all(csv.as_bytes(), 3).unwrap()),
    ];
    let expected = steady(&shell.expect(0, &["screen", &shell.file("a.ndjson", &ndjson)]));
    assert_eq!(expected[0]["verdict"], "match");
    for file in files {
        assert_eq!(
            steady(&shell.expect(0, &["screen", &file])),
            expected,
            "{file}"
        );
    }
    let unnamed = shell.file("a.txt", &ndjson);
    assert_eq!(
        steady(&shell.expect(0, &["screen", "--format", "ndjson", &unnamed])),
        expected
    );
    let told = shell.run(&["screen", &unnamed]);
    assert_eq!(told.status, 1);
    assert!(told.err.contains("give --format"), "{}", told.err);
}

#[test]
fn lookup_answers_in_a_table_and_in_json() {
    let shell = Shell::with_samples();
    let rows: Value =
        serde_json::from_str(&shell.expect(0, &["lookup", "@sada3tormand", "--json"])).unwrap();
    let first = &rows[0];
    let told =
        ["relation", "handle", "display_name", "id"].map(|key| first[key].as_str().unwrap_or("-"));
    assert_eq!(
        told,
        [
            "confusable",
            "sadaetormand",
            "صدائے تورمند | Sada-e-Tormand",
            "x:2588139986987973091"
        ]
    );
    assert_eq!(first["ban"]["network"], "sada-e-tormand");
    let table = shell.expect(0, &["lookup", "sadaetormand"]);
    let kinds: Vec<&str> = table
        .lines()
        .filter_map(|line| line.trim_start().split("  ").next())
        .collect();
    assert!(
        kinds.contains(&"same") && table.contains("sada-e-tormand") && table.contains("2026-04-10"),
        "{table}"
    );
    assert!(
        table.contains("\u{2068}صدائے"),
        "right-to-left text is isolated"
    );
    assert_eq!(
        shell.expect(0, &["lookup", "qqqqqqqqqqqqqq"]),
        "no entry has a handle like qqqqqqqqqqqqqq\n"
    );
    assert_eq!(
        shell
            .expect(0, &["lookup", "sadaetormand", "--limit", "1", "--json"])
            .matches("\"relation\"")
            .count(),
        1
    );
}

#[test]
fn explain_tells_why_and_why_not() {
    let shell = Shell::with_samples();
    let (entry, file) = (
        "x:2588139986987973091",
        shell.file(
            "probe.ndjson",
            r#"{"id":"x:9","handle":"sadaetormand_2","bio":"رسمی"}"#,
        ),
    );
    let why = shell.expect(0, &["explain", &file, entry]);
    assert!(
        why.starts_with("x:9 against x:2588139986987973091\n") && why.contains(": match, "),
        "{why}"
    );
    for signal in [
        "handle", "name", "bio", "avatar", "link", "contact", "token",
    ] {
        assert!(
            why.contains(&format!(" {signal} ")),
            "{signal} is missing in {why}"
        );
    }
    let other = shell.expect(0, &["explain", &file, "telegram:9581762528"]);
    assert!(other.contains("bits short of review"), "{other}");
    // By id: first unknown, then seen.
    let unknown = shell.run(&["explain", "x:9", entry]);
    assert_eq!(
        (unknown.status, unknown.err.as_str()),
        (
            1,
            "mirrorwatch: x:9: neither a file nor the id of an account that was screened or enrolled here\n"
        )
    );
    shell.expect(0, &["screen", &file]);
    let by_id: Value =
        serde_json::from_str(&shell.expect(0, &["explain", "x:9", entry, "--json"])).unwrap();
    assert_eq!(by_id["entry"], entry);
    assert_eq!(by_id["evidence"].as_array().unwrap().len(), 7);
    assert_eq!(
        shell.run(&["explain", &file, "x:none"]).err,
        "mirrorwatch: no entry `x:none` on the watchlist\n"
    );
}

#[test]
fn figures_have_the_names_scripts_read() {
    let shell = Shell::with_samples();
    let figures: Value =
        serde_json::from_str(&shell.expect(0, &["evaluate", &sample("signups.ndjson"), "--json"]))
            .unwrap();
    let keys: Vec<&String> = figures.as_object().unwrap().keys().collect();
    insta::assert_snapshot!(format!("{keys:?}"), @r#"["at_cost", "at_dial", "calibration_error", "mean_reciprocal_rank", "mirrors", "ordinary", "reliability", "right_entry_of_flagged", "scripts", "tactics"]"#);
    assert_eq!(
        (&figures["mirrors"], &figures["ordinary"]),
        (&123.into(), &105.into())
    );
    let table = shell.expect(0, &["evaluate", &sample("signups.ndjson")]);
    assert!(
        table.starts_with("105 ordinary probes, 123 mirrors\n"),
        "{table}"
    );
}

#[test]
fn the_dial_and_the_hits_are_options() {
    let shell = Shell::with_samples();
    let probe = shell.file("probe.ndjson", r#"{"id":"x:9","handle":"tormand_updates","display_name":"Tormand","bio":"Breaking updates from the front"}"#);
    let report = |options: &[&str]| {
        steady(&shell.expect(0, &[&["screen", &probe], options].concat())).remove(0)
    };
    let hits = |report: &Value| report["hits"].as_array().unwrap().len();
    assert!(hits(&report(&["--all-candidates", "--hits", "50"])) > hits(&report(&[])));
    assert_eq!(hits(&report(&["--all-candidates", "--hits", "1"])), 1);
    let rank = |dial: &str| match report(&["--false-flags-per-10k", dial])["verdict"].as_str() {
        Some("match") => 2,
        Some("review") => 1,
        _ => 0,
    };
    assert!(rank("0.000000001") < rank("100"));
}

#[test]
fn a_background_is_built_and_kept() {
    let shell = Shell::new();
    let signups = sample("signups.ndjson");
    let told = shell.expect(
        0,
        &["background", &signups, "--out", &shell.path("counts.bin")],
    );
    assert!(
        told.starts_with("counted 228 accounts, 0 rejected; "),
        "{told}"
    );
    shell.expect(0, &["background", &signups, "--fresh"]);
    let stats: Value = serde_json::from_str(&shell.expect(0, &["stats", "--json"])).unwrap();
    let counted = stats["background_accounts"].as_u64().unwrap();
    assert!((1..=228).contains(&counted), "{counted}");
}

#[test]
fn the_demonstration_tells_its_story() {
    let shell = Shell::new();
    let told = shell.expect(0, &["demo", "--data", &sample("")]);
    assert!(
        told.starts_with("Enrolled 76 banned accounts of "),
        "{told}"
    );
    assert_eq!(
        shell.run(&["demo", "--data", &shell.path("none")]).status,
        1
    );
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let shell = Shell::new();
    let wrong: [&[&str]; 8] = [
        &[],
        &["nothing"],
        &["screen"],
        &["screen", "a", "--hits", "x"],
        &["lookup"],
        &["rescan", "a"],
        &["enroll", "a", "--format", "xml"],
        &["screen", "a", "--false-flags-per-10k", "0"],
    ];
    for args in wrong {
        let told = shell.run(args);
        assert_eq!(told.status, 2, "{args:?}");
        assert!(
            told.out.is_empty() && !told.err.is_empty(),
            "{args:?}: {told:?}"
        );
    }
    assert!(shell.expect(0, &["--help"]).contains("screen"));
    assert!(shell.expect(0, &["--version"]).starts_with("mirrorwatch "));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let shell = Shell::with_samples();
    let line = ["mirrorwatch", "--db", &shell.db(), "export"].map(std::ffi::OsString::from);
    let mut err = Vec::new();
    assert_eq!(crate::cli::run(line, &mut Gone, &mut err), 0);
    assert_eq!(err, b"");
}
