//! Looking after a database: export, backup, restore, verify, stats, withdraw.

use serde_json::{Value, json};

use crate::tests::{Shell, sample, steady};

#[test]
fn what_is_exported_enrols_to_the_same_export() {
    let shell = Shell::with_samples();
    let exported = shell.expect(0, &["export"]);
    assert_eq!(exported.lines().count(), 76);
    let other = Shell::new();
    let file = other.file("export.ndjson", &exported);
    other.expect(0, &["enroll", &file]);
    assert_eq!(other.expect(0, &["export"]), exported);
}

#[test]
fn a_backup_restores_to_the_same_answers() {
    let shell = Shell::with_samples();
    let signups = sample("signups.ndjson");
    let (backup, restored) = (shell.path("copy"), shell.path("again"));
    let before = steady(&shell.expect(0, &["screen", &signups]));
    shell.expect(0, &["keys", "add", "ada", "--role", "analyst"]);
    let keys = shell.expect(0, &["keys", "list"]);
    assert_eq!(shell.expect(0, &["backup", &backup]), "backed up to copy\n");
    let told = shell.run(&["backup", &backup]);
    assert_eq!(
        (told.status, told.err.as_str()),
        (
            1,
            "mirrorwatch: copy: exists already; name a folder that does not\n"
        )
    );
    // What happens after the backup is not in it.
    shell.expect(0, &["withdraw", "x:2588139986987973091"]);
    let on = |db: &str, args: &[&str]| shell.run_on(db, args).out;
    assert_eq!(
        on(&restored, &["restore", &backup]),
        "restored 76 entries from copy\n"
    );
    assert_eq!(on(&restored, &["keys", "list"]), keys);
    assert_eq!(steady(&on(&restored, &["screen", &signups])), before);
    assert_eq!(
        shell.run(&["restore", &backup]).status,
        1,
        "an existing database is not replaced"
    );
    assert!(
        on(&restored, &["verify"])
            .starts_with("verified 76 entries, 76 changes, 228 seen accounts: 0 damaged")
    );
}

#[test]
fn flipped_bytes_are_found() {
    let shell = Shell::with_samples();
    // The second opening for writing moves the log into tables.
    shell.expect(0, &["withdraw", "x:2588139986987973091"]);
    assert_eq!(
        shell.expect(0, &["verify"]),
        "verified 75 entries, 77 changes, 0 seen accounts: 0 damaged\n"
    );
    let tables = std::fs::read_dir(shell.db())
        .unwrap()
        .map(|file| file.unwrap().path());
    let largest = tables
        .filter(|path| path.extension().is_some_and(|extension| extension == "sst"))
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    for byte in bytes.iter_mut().skip(200).take(40) {
        *byte ^= 0x55;
    }
    std::fs::write(&largest, bytes).unwrap();
    let told = shell.run(&["verify"]);
    assert_eq!(told.status, 1, "{told:?}");
    assert!(
        told.err.contains("orruption") || told.err.contains("checksum"),
        "{told:?}"
    );
}

#[test]
fn a_lost_entry_is_found() {
    let shell = Shell::with_samples();
    let store =
        crate::store::Store::open(shell.db().as_ref(), crate::store::Access::Write).unwrap();
    let id = crate::tests::id("x:2588139986987973091");
    // A withdrawal far ahead in the log: changes are missing before it.
    store
        .write(&[crate::store::Change::Withdraw(id)], 900, None)
        .unwrap();
    drop(store);
    let told = shell.run(&["verify"]);
    assert_eq!(
        (told.status, told.err.as_str()),
        (1, "log: change 77 is missing, 900 follows\n")
    );
}

#[test]
fn ids_are_withdrawn_from_the_line_or_a_file() {
    let shell = Shell::with_samples();
    let ids = [
        "x:2588139986987973091",
        "telegram:2707536455",
        "facebook:915188447294055",
    ];
    let file = shell.file("ids.txt", format!("{}\r\n\n  {}\n", ids[1], ids[2]));
    assert_eq!(
        shell.expect(0, &["withdraw", ids[0]]),
        "withdrew 1, 0 unknown; 75 entries, lsn 77\n"
    );
    assert_eq!(
        shell.expect(0, &["withdraw", "--from", &file]),
        "withdrew 2, 0 unknown; 73 entries, lsn 79\n"
    );
    let told = shell.run(&["withdraw", ids[0]]);
    assert_eq!(
        (told.status, told.err.as_str()),
        (1, "no entry `x:2588139986987973091` on the watchlist\n")
    );
    assert_eq!(
        shell
            .run(&["withdraw", "--from", &shell.path("none.txt")])
            .status,
        1
    );
    assert_eq!(shell.run(&["withdraw"]).status, 2);
}

#[test]
fn sizes_are_told_as_text_and_json() {
    let shell = Shell::with_samples();
    let text = shell.expect(0, &["stats"]);
    assert!(
        text.contains("entries              76\n") && text.contains("sada-e-tormand"),
        "{text}"
    );
    let stats: Value = serde_json::from_str(&shell.expect(0, &["stats", "--json"])).unwrap();
    assert_eq!(
        (
            &stats["entries"],
            &stats["lsn"],
            &stats["networks"]["sada-e-tormand"]
        ),
        (&json!(76), &json!(76), &json!(18))
    );
    for key in [
        "segments",
        "disk_bytes",
        "model",
        "background_accounts",
        "index_bytes",
    ] {
        assert!(!stats[key].is_null(), "{key}");
    }
}

#[test]
fn commands_that_read_do_not_make_a_database() {
    let shell = Shell::new();
    for args in [
        &["stats"][..],
        &["export"],
        &["verify"],
        &["lookup", "a"],
        &["withdraw", "x:1"],
        &["backup", "copy"],
    ] {
        let told = shell.run(args);
        assert_eq!(
            (told.status, told.err.as_str()),
            (
                1,
                "mirrorwatch: no database at watch.db: enroll a watchlist first\n"
            ),
            "{args:?}"
        );
    }
    assert!(!std::path::Path::new(&shell.db()).exists());
}
