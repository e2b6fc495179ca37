//! Bad files through the command line: huge lines, pictures that are none, cut streams, tables, what is no file.

use std::io::Write;

use base64::Engine as _;
use serde_json::json;

use crate::tests::hostile::{GOOD, rejects, shell};
use crate::tests::{Told, steady};

#[test]
fn a_line_of_a_hundred_megabytes_is_skipped() {
    let shell = shell();
    let path = shell.path("huge.ndjson");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    write!(file, "{GOOD}\n{{\"id\":\"x:2\",\"bio\":\"").unwrap();
    let megabyte = vec![b'a'; 1 << 20];
    (0..100).for_each(|_| file.write_all(&megabyte).unwrap());
    write!(file, "\"}}\n{GOOD}\n").unwrap();
    drop(file);
    let told = shell.run(&["screen", &path]);
    let lines = steady(&told.out);
    assert_eq!(
        (told.status, lines.len(), &lines[1]["error"]["code"]),
        (3, 3, &json!("too_long"))
    );
    assert_eq!(lines[2]["id"], "x:good");
    assert!(
        told.err
            .contains("huge.ndjson:2: too_long: field `record`: 104857"),
        "{}",
        told.err
    );
}

#[test]
fn pictures_that_are_none() {
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let with = |key: &str, value: &str| json!({"id": "x:2", "avatar": {key: value}}).to_string();
    rejects(
        "invalid_value",
        "avatar.base64",
        with("base64", "%%%not base64%%%"),
    );
    rejects(
        "invalid_picture",
        "avatar.base64",
        with("base64", &encode(b"neither PNG nor JPEG")),
    );
    rejects("invalid_picture", "avatar.base64", with("base64", ""));
    rejects("unreadable", "avatar.path", with("path", "absent.png"));
    rejects("unreadable", "avatar.path", with("path", "."));
    rejects(
        "too_large",
        "avatar.base64",
        with("base64", &encode(&png_header(60_000, 60_000))),
    );
    // A header that is allowed, and nothing behind it.
    rejects(
        "invalid_picture",
        "avatar.base64",
        with("base64", &encode(&png_header(64, 64))),
    );
}

/// The beginning of a PNG that claims this size.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&header);
    png.extend(crc32fast::hash(&header).to_be_bytes());
    png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    png
}

#[test]
fn a_picture_file_past_the_limit_is_refused() {
    let shell = shell();
    shell.file("large.png", vec![0u8; (8 << 20) + 1]);
    let file = shell.file(
        "bad.ndjson",
        r#"{"id":"x:2","avatar":{"path":"large.png"}}"#,
    );
    let told = shell.run(&["screen", &file]);
    assert_eq!(
        (told.status, told.err.as_str()),
        (
            3,
            "bad.ndjson:1: too_long: field `avatar.path`: the limit of a picture is 8388608 bytes\n"
        )
    );
}

#[test]
fn cut_streams_keep_what_came_before() {
    let shell = shell();
    // Lines that do not compress away, so that the cut leaves some of them whole.
    let mut random = fastrand::Rng::with_seed(1);
    let text: String = (0..4_000)
        .map(|n| {
            format!(
                "{{\"id\":\"x:{n}\",\"handle\":\"h{:x}\"}}\n",
                random.u64(..)
            )
        })
        .collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    let streams = [
        ("cut.ndjson.gz", gz.clone()),
        ("CUT.NDJSON.GZ", gz),
        (
            "cut.ndjson.zst",
            zstd::encode_all(text.as_bytes(), 1).unwrap(),
        ),
    ];
    for (name, stream) in streams {
        let told = shell.run(&["screen", &shell.file(name, &stream[..stream.len() * 3 / 4])]);
        let lines = steady(&told.out);
        let (last, before) = lines.split_last().unwrap();
        assert_eq!(
            (told.status, &last["error"]["code"]),
            (3, &json!("unreadable")),
            "{name}: {}",
            told.err
        );
        assert_eq!(last["line"], before.len() + 1, "{name}");
        assert!(
            before.iter().all(|line| line["verdict"] == "clear"),
            "{name}"
        );
        let told = shell.run(&["screen", &shell.file(name, b"no stream at all")]);
        assert_eq!(
            (told.status, told.out.matches("unreadable").count()),
            (3, 1),
            "{name}: {told:?}"
        );
    }
}

#[test]
fn rows_of_csv() {
    let shell = shell();
    let screen =
        |name: &str, content: &[u8]| -> Told { shell.run(&["screen", &shell.file(name, content)]) };
    let told = screen(
        "a.csv",
        b"id,handle,bio,avatar.quality\nx:1,a,\"two\nlines\",\nx:2,\xff,,\nx:3,b,,high\nx:4,c\n",
    );
    assert_eq!(told.status, 3);
    insta::assert_snapshot!(told.err, @r"
    a.csv:4: invalid_utf8: field `handle`: the cell is not UTF-8
    a.csv:5: invalid_value: field `avatar.quality`: expected 0 to 100
    ");
    assert_eq!(steady(&told.out).len(), 4);
    let told = screen("b.csv", b"handle,bio\na,b\nc,d\n");
    assert_eq!(
        (told.status, told.err.as_str()),
        (
            3,
            "b.csv:1: missing_field: field `id`: the CSV header has no column `id`\n"
        )
    );
    assert_eq!(
        screen("c.csv", b"id,links\nx:1,\"[1]\"\nx:2,a.example b.example\n")
            .err
            .matches("field `links`")
            .count(),
        1
    );
    assert_eq!(
        screen("d.csv", b"id,handle\n").err,
        "d.csv:1: empty_input: field `record`: the input has no records\n"
    );
    assert_eq!(
        screen("e.csv", b"id,handle\n,a\n").err,
        "e.csv:2: missing_field: field `id`: every record needs an id of 1 to 256 bytes\n"
    );
    // A quote never closed swallows the rest as one record; nothing panics and one line comes out.
    assert_eq!(
        screen("f.csv", b"id,handle\nx:1,\"never closed\nx:2,b\n")
            .out
            .lines()
            .count(),
        1
    );
}

#[test]
fn inputs_that_are_no_files() {
    let shell = shell();
    let told = shell.run(&["screen", &shell.file("empty.ndjson", "")]);
    assert_eq!(
        (told.status, told.err.as_str()),
        (
            3,
            "empty.ndjson:1: empty_input: field `record`: the input has no records\n"
        )
    );
    let absent = shell.run(&["screen", &shell.path("absent.ndjson")]);
    assert_eq!(
        (absent.status, absent.err.as_str()),
        (
            1,
            "mirrorwatch: absent.ndjson: No such file or directory (os error 2)\n"
        )
    );
    std::fs::create_dir(shell.path("folder.ndjson")).unwrap();
    let folder = shell.run(&["screen", &shell.path("folder.ndjson")]);
    assert!(
        matches!(folder.status, 1 | 3)
            && folder.err.contains("folder.ndjson")
            && folder.err.contains("directory"),
        "{folder:?}"
    );
}
