use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Where Debian puts it.
const CHROMIUM: &str = "/usr/bin/chromium";

/// A real browser, and the scripts in `tests/dashboard` that drive it.
pub struct Browser {
    scripts: PathBuf,
}

impl Browser {
    /// What is needed, or a word about what is missing.
    pub fn find() -> Option<Self> {
        let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard");
        let chromium = std::env::var_os("FLOODGATE_CHROMIUM").map_or_else(|| CHROMIUM.into(), PathBuf::from);
        let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
        for (there, what) in [
            (node, "node"),
            (chromium.is_file(), "chromium"),
            (scripts.join("node_modules/playwright-core").is_dir(), "tests/dashboard/node_modules (npm ci)"),
        ] {
            if !there {
                println!("skipped: {what} is missing; scripts/test installs it");
                return None;
            }
        }
        Some(Self { scripts })
    }

    /// Plays a scenario against the engine at `url`. What the scenario asks for (a word and its argument) is `done`,
    /// and it is told the outcome.
    pub fn play(&self, scenario: &[&str], url: &str, token: &str, mut done: impl FnMut(&str, &str) -> Value) {
        let mut node = Command::new("node");
        node.current_dir(&self.scripts).args(scenario);
        node.env("FLOODGATE_URL", url).env("FLOODGATE_TOKEN", token);
        let mut node = Player(node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
        let mut answers = node.0.stdin.take().unwrap();
        for line in BufReader::new(node.0.stdout.take().unwrap()).lines().map_while(Result::ok) {
            match line.strip_prefix("@ ") {
                Some(request) => {
                    let (word, argument) = request.split_once(' ').unwrap_or((request, ""));
                    writeln!(answers, "{}", done(word, argument)).unwrap();
                }
                None => println!("{line}"),
            }
        }
        assert!(node.0.wait().unwrap().success(), "{scenario:?} failed: see above");
    }
}

/// Does not outlive the test.
struct Player(Child);

impl Drop for Player {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
