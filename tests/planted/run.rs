//! The proof: each test passes, and fails with its bug planted.

use super::finders::{FINDERS, Finder, Package};
use super::root;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// As many tests run side by side.
const LANES: usize = 2;

/// A test that takes longer hangs. With a bug planted that counts as found: nobody overlooks it.
const PATIENCE: Duration = Duration::from_secs(180);

/// Crash images are made until so many have passed; a bug shows long before.
const CRASH_IMAGES: &str = "4000";

type Programs = BTreeMap<(String, String), PathBuf>;

/// How a test ended.
enum Ending {
    Passed,
    /// With what it said first.
    Failed(String),
    /// It is not there, or did not run.
    Strange(String),
}

#[test]
fn every_planted_bug_is_found() {
    let programs = build();
    let begun = Instant::now();
    let innocent: BTreeSet<(Package, &str, &str)> =
        FINDERS.iter().map(|finder| (finder.package, finder.target, finder.test)).collect();
    let mut failures = Vec::new();
    let jobs: Vec<_> = innocent.into_iter().collect();
    let passed = in_lanes(&jobs, |&(package, target, test)| run(&programs, package, target, test, None));
    for ((package, target, test), (ending, _)) in jobs.iter().zip(passed) {
        match ending {
            Ending::Passed => {}
            Ending::Failed(why) | Ending::Strange(why) => {
                failures.push(format!("{package} {target} {test} fails with no bug planted: {why}"));
            }
        }
    }
    let results = in_lanes(FINDERS, |finder| {
        run(&programs, finder.package, finder.target, finder.test, Some(finder.bug))
    });
    let mut log = String::new();
    for (finder, (ending, took)) in FINDERS.iter().zip(results) {
        let (found, said) = match ending {
            Ending::Failed(said) => (true, said),
            Ending::Passed => (false, "the test passes".to_owned()),
            Ending::Strange(why) => (false, why),
        };
        tell(finder, found, took, &said);
        writeln!(log, "{}", line(finder, found, took)).unwrap();
        if !found {
            failures.push(format!("{:?} survives {} {}: {said}", finder.bug, finder.target, finder.test));
        }
    }
    println!("{} bugs, {:.0} s after the build", FINDERS.len(), begun.elapsed().as_secs_f64());
    if let Some(file) = std::env::var_os("FLOODGATE_PLANTED_LOG") {
        std::fs::write(file, log).unwrap();
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn tell(finder: &Finder, found: bool, took: Duration, said: &str) {
    let verdict = if found { "found" } else { "SURVIVES" };
    let said: String = said.chars().take(90).collect();
    let bug = format!("{:?}", finder.bug);
    println!(
        "{verdict:8} {bug:24} {:5.1} s  {} {}\n{:36}{said}",
        took.as_secs_f64(),
        finder.target,
        finder.test,
        ""
    );
}

fn line(finder: &Finder, found: bool, took: Duration) -> Value {
    let test = match finder.target {
        "lib" => finder.test.to_owned(),
        target => format!("{target} {}", finder.test),
    };
    json!({
        "bug": format!("{:?}", finder.bug), "what": finder.bug.what(), "package": finder.package.to_string(),
        "test": test, "found": found, "ms": u64::try_from(took.as_millis()).unwrap(),
    })
}

/// All the test programs that are needed, built as this one was.
fn build() -> Programs {
    let targets: BTreeSet<&str> = FINDERS.iter().map(|finder| finder.target).collect();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args([
        "test",
        "--locked",
        "--workspace",
        "--features",
        "planted-bugs",
        "--no-run",
    ]);
    cargo.arg("--message-format=json-render-diagnostics");
    for target in targets {
        if target == "lib" {
            cargo.arg("--lib")
        } else {
            cargo.args(["--test", target])
        };
    }
    let Output { status, stdout, .. } = cargo.stderr(Stdio::inherit()).output().unwrap();
    assert!(status.success(), "the tests do not compile");
    let mut programs = Programs::new();
    for message in String::from_utf8(stdout).unwrap().lines() {
        let message: Value = serde_json::from_str(message).unwrap();
        if let (Some(program), true) = (message["executable"].as_str(), message["profile"]["test"] == true) {
            let kind = message["target"]["kind"][0].as_str().unwrap();
            let target = if kind == "lib" { kind } else { message["target"]["name"].as_str().unwrap() };
            programs.insert((package_of(&message), target.to_owned()), program.into());
        }
    }
    programs
}

/// The package that an artifact was built for, by the directory of its manifest.
fn package_of(message: &Value) -> String {
    let manifest = PathBuf::from(message["manifest_path"].as_str().unwrap());
    let dir = manifest.parent().unwrap().to_owned();
    let all = [Package::Persistence, Package::Actors, Package::Engine];
    let package = all.into_iter().find(|package| root().join(package.dir()).canonicalize().unwrap() == dir);
    package.unwrap_or_else(|| panic!("{} is no package of ours", dir.display())).to_string()
}

fn in_lanes<T: Sync, R: Send>(jobs: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(place) else { return };
                    let result = work(job);
                    done.lock().unwrap().insert(place, result);
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
}

/// Runs one test, with or without a bug.
fn run(
    programs: &Programs,
    package: Package,
    target: &str,
    test: &str,
    bug: Option<floodgate_persistence::planted::Planted>,
) -> (Ending, Duration) {
    let begun = Instant::now();
    let Some(program) = programs.get(&(package.to_string(), target.to_owned())) else {
        return (Ending::Strange(format!("{package} has no test target {target}")), begun.elapsed());
    };
    let mut command = Command::new("timeout");
    command.arg(PATIENCE.as_secs().to_string()).arg(program).args([test, "--exact", "--test-threads=1"]);
    command.current_dir(root().join(package.dir())).env("FLOODGATE_CRASH_IMAGES", CRASH_IMAGES);
    command.env("RUST_BACKTRACE", "0").env_remove("FLOODGATE_FAULT_LOG").env_remove("FLOODGATE_PLANTED");
    if let Some(bug) = bug {
        command.env("FLOODGATE_PLANTED", format!("{bug:?}"));
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    (ending(&output), begun.elapsed())
}

fn ending(output: &Output) -> Ending {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) if stdout.contains("test result: ok. 1 passed") => Ending::Passed,
        Some(0) => Ending::Strange("there is no such test".to_owned()),
        Some(101) if stdout.contains("test result: FAILED. 0 passed; 1 failed") => {
            Ending::Failed(first_panic(&stdout))
        }
        Some(124) => Ending::Failed(format!("hung for {PATIENCE:?}")),
        // A panic of a core thread ends the process, and so the test.
        None | Some(1 | 134) if !stderr.is_empty() || !stdout.is_empty() => {
            Ending::Failed(last_line(&stderr))
        }
        other => Ending::Strange(format!("ended with {other:?}: {}", last_line(&stderr))),
    }
}

/// What stands below the first line that tells of a panic.
fn first_panic(text: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.contains("panicked at"));
    lines.nth(1).unwrap_or("no word").to_owned()
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or("no word").to_owned()
}
