//! The rules of the house that no compiler checks. Each failure names the file and what to do.

use floodgate::config::{Config, KEYS, Sources};
use std::collections::BTreeMap;
use std::path::Path;

/// Longest file of code, in lines. Most are half of it; one that grows beyond has two subjects.
const LINES_MAX: usize = 500;

/// The packages that the project is built on.
const FOUNDATION: [&str; 10] = [
    "actix",
    "tokio",
    "mysql_async",
    "dashmap",
    "crossbeam-channel",
    "serde",
    "bincode",
    "axum",
    "tracing",
    "parking_lot",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files below `dir` (as paths from the root) with this extension; a directory that is not there has none.
fn files(dir: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![root().join(dir)];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(from_root(&path));
            }
        }
    }
    found.sort();
    found
}

fn from_root(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned()
}

/// Sources of the program, without tests and benchmarks.
fn sources() -> Vec<String> {
    ["src", "actors/src", "persistence/src"].iter().flat_map(|dir| files(dir, "rs")).collect()
}

/// All code, tests and benchmarks included, but for this file, which has to name what it forbids.
fn all_code() -> Vec<String> {
    let others =
        ["tests", "benches", "actors/tests", "actors/benches", "persistence/tests", "persistence/benches"];
    let tests = others.iter().flat_map(|dir| files(dir, "rs")).filter(|file| file != "tests/tidy.rs");
    sources().into_iter().chain(tests).collect()
}

/// The lines of a source that are not comments, with their numbers, up to its unit tests.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, line)| (index + 1, line))
}

/// Where `forbidden` finds something in the code of `files`, as `file:line`.
fn places(files: &[String], forbidden: impl Fn(&str) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    for file in files {
        let text = read(file);
        places.extend(
            code_lines(&text).filter(|(_, line)| forbidden(line)).map(|(line, _)| format!("{file}:{line}")),
        );
    }
    places
}

/// The names in a section of a manifest.
fn dependencies(manifest: &str, section: &str) -> Vec<String> {
    let text = read(manifest);
    let body = text.split(&format!("\n[{section}]\n")).nth(1).unwrap_or_default();
    let lines = body.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn none(places: &[String], rule: &str) {
    assert!(places.is_empty(), "{rule}:\n  {}", places.join("\n  "));
}

#[test]
fn arrows_between_packages_point_one_way() {
    for (manifest, allowed) in [
        ("Cargo.toml", &["floodgate-actors", "floodgate-persistence"][..]),
        ("actors/Cargo.toml", &["floodgate-persistence"][..]),
        ("persistence/Cargo.toml", &[][..]),
    ] {
        let ours =
            dependencies(manifest, "dependencies").into_iter().filter(|name| name.starts_with("floodgate"));
        assert_eq!(ours.collect::<Vec<_>>(), allowed, "{manifest}");
        assert!(
            read(manifest).contains("\n[lints]\nworkspace = true"),
            "{manifest}: opt in to the workspace's lints"
        );
    }
}

#[test]
fn layers_do_not_know_what_is_none_of_their_business() {
    let rules: Vec<_> =
        files("actors/src", "rs").into_iter().filter(|file| file.starts_with("actors/src/rules")).collect();
    let impure = |line: &str| {
        ["actix", "tokio", "Instant::now", "SystemTime", "Timestamp::now", "std::fs", "rand::"]
            .iter()
            .any(|word| line.contains(word))
    };
    none(&places(&rules, impure), "rules are pure: no actor, clock, randomness or I/O");
    none(&places(&files("persistence/src", "rs"), |line| line.contains("actix")), "no actix in persistence");
    for (dir, manifest) in
        [("actors/src", "actors/Cargo.toml"), ("persistence/src", "persistence/Cargo.toml")]
    {
        let web =
            |line: &str| ["axum", "hyper::", "hyper_util", "utoipa"].iter().any(|word| line.contains(word));
        none(&places(&files(dir, "rs"), web), "no HTTP outside src/");
        let names = dependencies(manifest, "dependencies");
        assert!(!names.iter().any(|name| name.contains("axum") || name.contains("hyper")), "{manifest}");
    }
    let http: Vec<_> = files("src", "rs").into_iter().filter(|file| file.starts_with("src/http")).collect();
    let deep = |line: &str| line.contains("persistence::journal") || line.contains("dyn Store");
    none(&places(&http, deep), "HTTP talks to the Engine, not to journal or store");
}

#[test]
fn sql_stays_in_the_stores() {
    let outside: Vec<_> =
        sources().into_iter().filter(|file| !file.starts_with("persistence/src/store")).collect();
    let sql = |line: &str| {
        ["SELECT ", "INSERT INTO", "DELETE FROM", "CREATE TABLE"].iter().any(|word| line.contains(word))
            || line.split_once("UPDATE ").is_some_and(|(_, rest)| rest.contains(" SET "))
    };
    none(&places(&outside, sql), "SQL belongs into persistence/src/store");
}

#[test]
fn nothing_is_left_half_done() {
    let marks = ["todo!(", "unimplemented!(", "FIXME", "TODO"];
    for file in all_code() {
        let text = read(&file);
        let unfinished = marks.iter().find(|mark| text.contains(**mark));
        assert!(unfinished.is_none(), "{file}: {unfinished:?} says that something is left to do");
    }
}

#[test]
fn no_assertion_is_thrown_away() {
    for file in all_code() {
        let text = read(&file);
        let mut before = ';';
        for (at, line) in text.lines().enumerate() {
            let bare = line.trim_start().starts_with("matches!(") && matches!(before, ';' | '{' | '}');
            let rest = text.lines().skip(at).collect::<Vec<_>>().join("\n");
            assert!(!(bare && ends_as_statement(&rest)), "{file}:{}: `matches!(…);` asserts nothing", at + 1);
            before = line.trim_end().chars().last().unwrap_or(before);
        }
    }
}

/// Whether the first pair of brackets in `text` is followed by a semicolon.
fn ends_as_statement(text: &str) -> bool {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => return text[at + 1..].starts_with(';'),
            ')' => depth -= 1,
            _ => {}
        }
    }
    false
}

#[test]
fn a_thrown_away_assertion_would_be_found() {
    for (text, found) in [
        ("matches!(a, Some(_));", true),
        ("matches!(\n    a,\n    B { .. }\n);", true),
        ("matches!(a, B)\n}", false),
        ("matches!(a, B) && c;", false),
    ] {
        assert_eq!(ends_as_statement(text), found, "{text}");
    }
}

#[test]
fn files_have_one_subject() {
    for file in all_code().into_iter().chain(["tests/tidy.rs".to_owned()]) {
        let lines = read(&file).lines().count();
        assert!(lines <= LINES_MAX, "{file} has {lines} lines: split it by subject (at most {LINES_MAX})");
        let door = file.ends_with("/mod.rs") && !file.contains("tests/");
        assert!(!door, "{file}: a folder's door is a file beside it");
    }
}

#[test]
fn the_foundation_is_used() {
    let text: String = sources().iter().map(|file| read(file)).collect();
    for name in FOUNDATION {
        let module = name.replace('-', "_");
        let used = text.contains(&format!("{module}::"));
        assert!(used, "{name} is not used");
    }
}

#[test]
fn every_dependency_says_what_it_is_here_for() {
    let text = read("Cargo.toml");
    let list = text.split("\n[workspace.dependencies]\n").nth(1).expect("the list of versions");
    for line in list.lines().take_while(|line| !line.starts_with('[')).filter(|line| line.contains(" = ")) {
        let reason = line.rsplit_once('#').map_or("", |(_, reason)| reason.trim());
        assert!(line.contains("path = ") || reason.len() >= 8, "no reason beside: {line}");
    }
}

#[test]
fn documents_hold_everywhere() {
    let mut documents = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned(), "config.toml".to_owned()];
    for dir in ["docs", "persistence", "actors", "benches"] {
        documents.extend(files(dir, "md").into_iter().filter(|file| !file.contains("/target/")));
    }
    for file in documents {
        let text = read(&file);
        for path in ["/home/", "/root/", "/Users/", "/tmp/"] {
            assert!(!text.contains(path), "{file}: {path} is a place on one machine only");
        }
    }
}

#[test]
fn the_readme_names_every_part_and_both_commands() {
    let readme = read("README.md");
    for file in files("src", "rs").iter().filter(|file| file.matches('/').count() == 1) {
        assert!(readme.contains(&format!("`{file}`")), "{file} is missing in README's code map");
    }
    for command in ["cargo run --release", "./scripts/test"] {
        assert!(readme.contains(command), "README does not say `{command}`");
    }
    for link in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        let there = link.contains("://") || root().join(link).exists();
        assert!(there, "README points to {link}, which is not there");
    }
}

/// A key as `config.toml` has it: its paragraph of comment, and whether its line is commented out.
struct Documented {
    comment: String,
    off: bool,
}

fn documented() -> BTreeMap<String, Documented> {
    let (mut section, mut comment) = (String::new(), String::new());
    let mut keys = BTreeMap::new();
    for line in read("config.toml").lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((name, _)) = key_line(line) {
            let off = line.starts_with('#');
            keys.insert(
                format!("{section}.{name}"),
                Documented { comment: std::mem::take(&mut comment), off },
            );
        } else if line.starts_with('#') {
            comment.push_str(line);
        } else {
            comment.clear();
        }
    }
    keys
}

/// `key = value`, commented out or not; prose is no key.
fn key_line(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix("# ").unwrap_or(line).split_once(" = ")?;
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    plain.then_some((name, value))
}

#[test]
fn config_toml_documents_every_key() {
    let documented = documented();
    let mut names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    names.sort_unstable();
    assert_eq!(documented.keys().map(String::as_str).collect::<Vec<_>>(), names);
    for key in KEYS {
        let entry = &documented[key.name];
        assert!(
            entry.comment.len() > 20,
            "{}: say unit, what it does, what too low and too high do",
            key.name
        );
        assert_eq!(entry.comment.contains("Later."), !key.in_force, "{}: «Later.»", key.name);
        assert_eq!(
            entry.off,
            key.default.is_empty(),
            "{}: commented out exactly where there is no default",
            key.name
        );
    }
}

#[test]
fn config_toml_holds_the_defaults() {
    let file = Some(root().join("config.toml"));
    let config = Config::load(&Sources { file, ..Sources::default() }).expect("config.toml is good");
    for ((name, shown), key) in config.shown().iter().zip(KEYS) {
        assert_eq!(*name, key.name);
        assert_eq!(Ok(shown), key.shown_default().as_ref(), "{name}");
    }
}
