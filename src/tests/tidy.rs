//! House rules a machine can check: rooms import downwards, walls hold, files and functions stay small.
//!
//! Reads the source as text, tests cut off. Each finding says how to mend it; all findings are told at once.

use std::path::{Path, PathBuf};

/// The rooms, lowest first: a room imports itself and rooms of a lower rank. `lib`, `main` and `tests` may import all.
const RANKS: [(&str, u32); 21] = [
    ("error", 0),
    ("account", 1),
    ("judgment", 2),
    ("hash", 2),
    ("normalize", 3),
    ("index", 4),
    ("background", 5),
    ("signal", 6),
    ("fingerprint", 7),
    ("watchlist", 8),
    ("blocking", 9),
    ("evidence", 9),
    ("score", 10),
    ("verdict", 11),
    ("store", 11),
    ("engine", 12),
    ("wire", 13),
    ("format", 14),
    ("evaluate", 15),
    ("serve", 16),
    ("cli", 17),
];
/// Words that only these places may name, outside tests.
const WALLS: [(&str, &[&str]); 5] = [
    ("rocksdb::", &["src/store/"]),
    ("fst::", &["src/index/dictionary.rs"]),
    ("clap::", &["src/cli/"]),
    ("axum::", &["src/serve/"]),
    (
        "serde::",
        &[
            "src/wire.rs",
            "src/format/",
            "src/score/model_file.rs",
            "src/evaluate/",
            "src/cli/",
            "src/serve/",
        ],
    ),
];
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

struct Source {
    /// From the repository's root, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The room, or `None` where any import is allowed.
    fn room(&self) -> Option<&str> {
        let inner = self.path.strip_prefix("src/")?;
        let room = inner.split('/').next()?.trim_end_matches(".rs");
        (!matches!(room, "lib" | "main" | "tests")).then_some(room)
    }

    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.contains("/tests/")
            || name.ends_with("tests.rs")
            || self.path.ends_with("index/figures.rs")
    }

    /// Numbered lines of code, without tests and comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.text.lines());
        let code = lines.take_while(|(_, line)| *line != "mod tests {");
        code.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn sources() -> Vec<Source> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            match path.is_dir() {
                true => collect(&path, found),
                false => found.push(path),
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    paths.sort();
    let source = |path: PathBuf| Source {
        path: path.strip_prefix(root).unwrap().display().to_string(),
        text: std::fs::read_to_string(&path).unwrap(),
    };
    paths.into_iter().map(source).collect()
}

/// Runs a rule on every source that is no test; fails with all it finds.
#[track_caller]
fn hold(rule: impl Fn(&Source) -> Vec<String>) {
    let sources = sources();
    let found: Vec<String> = sources
        .iter()
        .filter(|source| !source.is_test())
        .flat_map(rule)
        .collect();
    assert!(
        sources.len() > 50 && found.is_empty(),
        "\n{}",
        found.join("\n")
    );
}

fn rank(room: &str) -> Option<u32> {
    RANKS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, rank)| *rank)
}

/// Names that follow `crate::` in a line.
fn imported(line: &str) -> impl Iterator<Item = &str> {
    let after = line.split("crate::").skip(1);
    after.map(|rest| {
        rest.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
    })
}

#[test]
fn rooms_import_downwards() {
    hold(|source| {
        let Some(room) = source.room() else {
            return Vec::new();
        };
        let Some(own) = rank(room) else {
            return vec![format!(
                "{}: room `{room}` has no rank: give it one in src/tests/tidy.rs",
                source.path
            )];
        };
        let mut found = Vec::new();
        for (number, line) in source.code() {
            for name in imported(line).filter(|name| *name != room) {
                match rank(name) {
                    Some(rank) if rank < own => {}
                    Some(_) => found.push(format!("{}:{number}: `{room}` must not import `{name}`, which is not below it: move what is shared down", source.path)),
                    None => found.push(format!("{}:{number}: `crate::{name}` is no room: import from the owner's path", source.path)),
                }
            }
        }
        found
    });
}

#[test]
fn imports_name_what_they_take() {
    hold(|source| {
        let is_public_front = source.path == "src/lib.rs";
        let lines = source.code().filter(|(_, line)| {
            let line = line.trim_start();
            let is_import = line.starts_with("use ")
                || line.starts_with("pub use ")
                || line.starts_with("pub(crate) use ");
            line.contains("super::super")
                || (is_import && !is_public_front && line.ends_with("::*;"))
        });
        let found = lines.map(|(number, line)| {
            format!(
                "{}:{number}: `{}`: name each item by its owner's path, `crate::room::file::Item`",
                source.path,
                line.trim()
            )
        });
        found.collect()
    });
}

#[test]
fn walls_hold() {
    hold(|source| {
        let mut found = Vec::new();
        for (number, line) in source.code() {
            for (word, places) in WALLS {
                let is_named = line.split(word).skip(1).count() > 0 && {
                    let before = line
                        .split(word)
                        .next()
                        .and_then(|before| before.chars().last());
                    !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
                };
                if is_named && !places.iter().any(|place| source.path.starts_with(place)) {
                    found.push(format!(
                        "{}:{number}: `{word}` is only for {places:?}: ask that room instead",
                        source.path
                    ));
                }
            }
        }
        found
    });
}

#[test]
fn files_say_what_they_are_and_stay_small() {
    let mut found = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if !source.text.starts_with("//! ") {
            found.push(format!("{}: begin with `//!` lines: the question it answers, its trick, what it does not do", source.path));
        }
        if lines > FILE_LINES_MAX {
            found.push(format!(
                "{}: {lines} lines: split it, {FILE_LINES_MAX} at most",
                source.path
            ));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn functions_fit_on_a_screen() {
    let mut found = Vec::new();
    for source in sources() {
        let lines: Vec<(usize, &str)> = source.code().collect();
        let starts = lines
            .iter()
            .enumerate()
            .filter(|(_, (_, line))| is_function(line.trim_start()));
        for (at, (number, line)) in starts {
            let len = body_len(lines.get(at..).unwrap_or_default());
            if len > FUNCTION_LINES_MAX {
                let path = &source.path;
                found.push(format!("{path}:{number}: {len} lines from `{}`: put steps into functions, {FUNCTION_LINES_MAX} at most", line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Lines from a function's first to its closing brace, which rustfmt puts under its beginning; 1 for a declaration.
fn body_len(lines: &[(usize, &str)]) -> usize {
    let opening = lines
        .iter()
        .map(|(_, line)| line)
        .find(|line| line.ends_with(['{', '}', ';']));
    if !opening.is_some_and(|line| line.ends_with('{')) {
        return 1;
    }
    let first = lines.first().map_or("", |(_, line)| line);
    let end = format!("{}}}", " ".repeat(first.len() - first.trim_start().len()));
    lines
        .iter()
        .position(|(_, line)| *line == end)
        .map_or(1, |last| last + 1)
}

fn is_function(line: &str) -> bool {
    let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "];
    let mut rest = line;
    while let Some(shorter) = words.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter;
    }
    rest.starts_with("fn ")
}

#[test]
fn the_documents_follow_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap_or_default();
    let map = read("ARCHITECTURE.md");
    let mut rooms: Vec<String> = sources()
        .iter()
        .filter_map(|source| source.room().map(str::to_owned))
        .collect();
    rooms.dedup();
    let missing: Vec<&String> = rooms
        .iter()
        .filter(|room| !map.contains(&format!("src/{room}")))
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md does not name {missing:?}: add a line with a link to src/ROOM and its question"
    );
    let database = read("src/store/database.rs");
    let version = database
        .split("const FORMAT: u32 = ")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .unwrap();
    assert!(
        read("src/store/FORMAT.md").contains(&format!("`FORMAT` = {version}")),
        "src/store/FORMAT.md does not tell of `FORMAT` = {version}: describe the bytes and what changed"
    );
}
