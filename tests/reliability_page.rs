//! `docs/reliability.md` is written from what the tests say of themselves, and from nothing else.
//!
//! `scripts/reliability-page` calls [`write_the_page`] with the logs of a run.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails here says where")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The faults that the engine has to survive, by number.
const FAULTS: [(u64, &str); 20] = [
    (1, "kill -9 at random moments under load and in recovery"),
    (2, "kill at an exact system call"),
    (3, "loss of power: what was not synced is gone, torn, reordered"),
    (4, "damaged, shortened, missing, doubled, swapped, foreign journal files"),
    (5, "EIO and ENOSPC on write, sync, rename; short writes; a full disk"),
    (6, "slow and hung disk"),
    (7, "kill -9 of the database in mid-transaction"),
    (8, "answer to COMMIT lost; connection black-holed, reset, slowed"),
    (9, "deadlocks, lock waits, read-only, too many connections, small packets, killed sessions"),
    (10, "a row that the database refuses"),
    (11, "database down, restored from an older backup, another database"),
    (12, "two engines on one journal or one database"),
    (13, "a panic, a dead worker, a stopped process"),
    (14, "client goes away in mid-checkout"),
    (15, "one idempotency key many times"),
    (16, "many clients for few pieces, crossing carts, a hot product"),
    (17, "hostile values, huge and deep bodies"),
    (18, "crowds: idle connections, slow senders, header bombs, request smuggling"),
    (21, "the clock jumps"),
    (22, "SIGTERM and SIGINT"),
];

/// The planted bugs of the last run in which they were planted stand between these.
const PLANTED_BEGIN: &str = "<!-- planted bugs -->\n";
const PLANTED_END: &str = "<!-- end -->\n";

fn lines(log: &str) -> Vec<Value> {
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('|', "\\|")
}

/// 1234567 as «1,234,567».
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let places = digits.char_indices();
    places.fold(String::new(), |mut shown, (place, digit)| {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
        shown
    })
}

/// What was reported of one kind of one fault.
#[derive(Default)]
struct Kind {
    runs: u64,
    cases: u64,
    seeds: Vec<String>,
}

/// One row a kind, in the order of faults; a fault that nobody reported has a row that says so.
fn fault_table(log: &str) -> String {
    let mut kinds: BTreeMap<(u64, String, String), Kind> = BTreeMap::new();
    for line in lines(log) {
        let fault = line["fault"].as_u64().unwrap();
        let kind = kinds.entry((fault, text(&line["kind"]), text(&line["checked"]))).or_default();
        kind.runs += 1;
        kind.cases += line["cases"].as_u64().unwrap();
        kind.seeds.extend(line["seed"].as_u64().map(|seed| seed.to_string()));
    }
    let mut table = "| # | fault | what was done | runs | cases | seeds | checked | result |\n\
                     | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (number, name) in FAULTS {
        let mine: Vec<_> = kinds.iter().filter(|((fault, ..), _)| *fault == number).collect();
        if mine.is_empty() {
            writeln!(table, "| {number} | {name} | – | 0 | 0 | – | – | **not run** |").unwrap();
        }
        for ((_, kind, checked), Kind { runs, cases, seeds }) in mine {
            let seeds = if seeds.is_empty() { "–".to_owned() } else { seeds.join(" ") };
            let cases = grouped(*cases);
            writeln!(
                table,
                "| {number} | {name} | {kind} | {runs} | {cases} | {seeds} | {checked} | passed |"
            )
            .unwrap();
        }
    }
    table
}

fn planted_table(log: &str, commit: &str) -> String {
    let lines = lines(log);
    let found = lines.iter().filter(|line| line["found"] == true).count();
    let mut table = format!(
        "{found} of {} planted bugs are found (`scripts/planted`, commit {commit}).\n\n\
         | bug | what it does | package | found by | result |\n| --- | --- | --- | --- | --- |\n",
        lines.len()
    );
    for line in &lines {
        let result = if line["found"] == true { "found" } else { "**survives**" };
        let [bug, what, package, test] = ["bug", "what", "package", "test"].map(|name| text(&line[name]));
        writeln!(table, "| {bug} | {what} | {package} | `{test}` | {result} |").unwrap();
    }
    table
}

/// The page. Without a log of planted bugs, the table of the page before stays: it says of which commit it is.
fn page(faults: &str, planted: Option<&str>, commit: &str, size: &str, before: &str) -> String {
    let kept = || {
        let rest = before.split_once(PLANTED_BEGIN)?.1;
        Some(rest.split_once(PLANTED_END)?.0.trim().to_owned())
    };
    let planted = planted.map(|log| planted_table(log, commit));
    let planted = planted.or_else(kept).unwrap_or_else(|| "They were not planted yet.".to_owned());
    format!(
        "# Reliability\n\
         Written by `scripts/test --write-page` from what the tests report; not by hand. A fault stands here when its\n\
         test has passed to its end; `scripts/test` fails when one does not. Seeds repeat a run (`FLOODGATE_SEED`,\n\
         `FLOODGATE_CRASH_SEED`).\n\n\
         ## Faults\nCommit {commit}, {size}.\n\n{}\n\
         ## Planted bugs\nA test that cannot fail is worse than none. Each of these bugs was built into the program, and \
         the test named\nbeside it failed; without the bug it passes.\n\n{PLANTED_BEGIN}{}\n{PLANTED_END}",
        fault_table(faults),
        planted.trim(),
    )
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn given(name: &str) -> Option<String> {
    let file = PathBuf::from(std::env::var_os(name)?);
    std::fs::read_to_string(file).ok()
}

#[test]
#[ignore = "scripts/reliability-page calls it with the logs of a run"]
fn write_the_page() {
    let faults = given("FLOODGATE_FAULT_LOG").expect("FLOODGATE_FAULT_LOG names the log of a run");
    let commit = std::env::var("FLOODGATE_COMMIT").unwrap_or_else(|_| "unknown".to_owned());
    let size = match std::env::var_os("FLOODGATE_SOAK") {
        Some(_) => "the long run (`FLOODGATE_SOAK=1`)",
        None => "the run of every commit",
    };
    let took = std::env::var("FLOODGATE_SECONDS").ok().and_then(|seconds| seconds.parse::<u64>().ok());
    let took = took.map_or_else(String::new, |seconds| format!(", {} min", seconds.div_ceil(60)));
    let size = &format!("{size}{took}");
    println!("\n{}", fault_table(&faults));
    if let Some(target) = std::env::var_os("FLOODGATE_RELIABILITY_PAGE") {
        let before = std::fs::read_to_string(&target).unwrap_or_default();
        let planted = given("FLOODGATE_PLANTED_LOG");
        std::fs::write(target, page(&faults, planted.as_deref(), &commit, size, &before)).unwrap();
    }
}

const TWO_RUNS: &str = r#"{"fault":1,"kind":"kill -9","cases":1200,"seed":7,"checked":"all | there"}
{"fault":1,"kind":"kill -9","cases":34,"seed":8,"checked":"all | there"}
{"fault":16,"kind":"rush","cases":5,"seed":null,"checked":"stock"}
"#;
const ONE_BUG: &str = r#"{"bug":"B","what":"does it","package":"p","test":"t one","found":true,"ms":3}
{"bug":"C","what":"does that","package":"p","test":"t two","found":false,"ms":3}
"#;

#[test]
fn runs_of_one_kind_are_one_row_and_nothing_is_left_out() {
    let table = fault_table(TWO_RUNS);
    let row = |number: &str| table.lines().find(|line| line.starts_with(&format!("| {number} |"))).unwrap();
    assert!(row("1").ends_with("| kill -9 | 2 | 1,234 | 7 8 | all \\| there | passed |"), "{}", row("1"));
    assert!(row("16").ends_with("| rush | 1 | 5 | – | stock | passed |"), "{}", row("16"));
    assert!(row("2").ends_with("| **not run** |"), "{}", row("2"));
    assert_eq!(table.lines().count(), 2 + FAULTS.len());
}

#[test]
fn a_bug_that_survives_is_seen_and_the_last_run_is_kept() {
    let first = page(TWO_RUNS, Some(ONE_BUG), "abc", "a run", "");
    assert!(first.contains("1 of 2 planted bugs are found (`scripts/planted`, commit abc)"), "{first}");
    assert!(first.contains("| C | does that | p | `t two` | **survives** |"), "{first}");
    let second = page(TWO_RUNS, None, "def", "a run", &first);
    assert!(second.contains("Commit def") && second.contains("commit abc)"), "{second}");
    assert_eq!(page(TWO_RUNS, None, "abc", "a run", &first), first);
}

/// What the page of a version may not have: a fault that was not caused, a bug that survives, a tree that nobody else has.
fn faults_of(page: &str) -> Vec<String> {
    let wrong =
        ["**not run**", "**survives**", "with changes", "Commit unknown", "They were not planted yet"];
    wrong.into_iter().filter(|wrong| page.contains(wrong)).map(str::to_owned).collect()
}

#[test]
fn a_page_that_leaves_something_out_is_seen() {
    let whole: String = FAULTS
        .iter()
        .map(|(number, _)| format!("{{\"fault\":{number},\"kind\":\"k\",\"cases\":1,\"checked\":\"c\"}}\n"))
        .collect();
    let good = ONE_BUG.lines().next().unwrap();
    assert_eq!(faults_of(&page(&whole, Some(good), "abc", "a run", "")), Vec::<String>::new());
    for (faults, bugs, commit, wrong) in [
        (TWO_RUNS, Some(good), "abc", "**not run**"),
        (&whole, Some(ONE_BUG), "abc", "**survives**"),
        (&whole, Some(good), "abc with changes", "with changes"),
        (&whole, None, "abc", "They were not planted yet"),
    ] {
        assert_eq!(faults_of(&page(faults, bugs, commit, "a run", "")), [wrong]);
    }
}

#[test]
#[ignore = "scripts/reliability-page --write calls it on the page that it wrote"]
fn the_written_page_is_whole() {
    let page = std::fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    assert_eq!(faults_of(&page), Vec::<String>::new(), "write it in a clean tree, where nothing is skipped");
}

/// A page of a release has every fault, and no bug that survives.
#[test]
fn the_committed_page_leaves_nothing_out() {
    let page = std::fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    for (number, name) in FAULTS {
        assert!(page.contains(&format!("| {number} | {name} |")), "fault {number} is missing");
    }
    assert!(page.contains(PLANTED_BEGIN) && !page.contains("**survives**"));
    assert_eq!(
        faults_of(&page),
        Vec::<String>::new(),
        "write it again: scripts/test --write-page in a clean tree"
    );
}
