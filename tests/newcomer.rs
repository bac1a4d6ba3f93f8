//! A newcomer's ten minutes: two commands, the dashboard open, the first order, a crash, the recovery, all seen in the
//! browser. Nothing is configured, and whatever is typed is what the program said at its start.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

mod common;

use common::{Browser, until};
use serde_json::Value;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// The program at a terminal (which `script` makes), in an empty directory.
struct Terminal {
    dir: TempDir,
    /// The one thing that a newcomer leaves as it is: here other programs use the port too.
    listen: String,
    child: Mutex<Option<Child>>,
}

impl Terminal {
    fn open() -> Self {
        let dir = tempfile::Builder::new().prefix("floodgate-newcomer-").tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = free.local_addr().unwrap().to_string();
        Self { dir, listen, child: Mutex::default() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read(self.file(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The first command.
    fn start(&self) {
        drop(std::fs::remove_file(self.file("screen")));
        let serve = format!(
            "echo $$ >pid; exec '{}' serve --listen {}",
            env!("CARGO_BIN_EXE_floodgate"),
            self.listen
        );
        let mut command = Command::new("script");
        command.args(["--quiet", "--flush", "--return", "--command", &serve, "screen"]);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FLOODGATE_")) {
            command.env_remove(name);
        }
        command.current_dir(self.dir.path()).env("SHELL", "/bin/sh");
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("script, of Debian's bsdutils");
        *self.child.lock().unwrap() = Some(child);
        until("the program to say what to try", || {
            self.read("screen").contains("Ctrl-C stops it").then_some(())
        });
    }

    /// What it says behind these words: to the end of the line, and on where the line ends in a backslash.
    fn said(&self, words: &str) -> String {
        let screen = self.read("screen").replace('\r', "").replace("\\\n", " ");
        let line = screen.lines().find_map(|line| line.split_once(words)).expect("the words");
        line.1.trim().to_owned()
    }

    /// The second command, as it was said.
    fn buy(&self) -> Value {
        let said = self.said("buy two of it");
        let output = Command::new("sh")
            .args(["-c", &format!("{said} --silent --show-error --fail")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{said}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A crash.
    fn kill(&self) {
        let pid = self.read("pid");
        assert!(Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        child.expect("it runs").wait().unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.child.get_mut().unwrap_or_else(PoisonError::into_inner).is_some() {
            self.kill();
        }
    }
}

#[test]
fn the_first_ten_minutes() {
    let Some(browser) = Browser::find() else { return };
    let terminal = Terminal::open();
    terminal.start();
    let watch = terminal.said("watch it live");
    let page = watch.split_whitespace().next().expect("an address");
    assert_eq!(page, format!("http://{}/dashboard", terminal.listen));
    assert!(watch.contains("data/admin.token"), "{watch}");
    let token = terminal.read("data/admin.token");
    browser.play(&["newcomer.mjs"], page, token.trim(), |word, _| {
        match word {
            "buy" => return terminal.buy(),
            "kill" => terminal.kill(),
            "start" => terminal.start(),
            other => panic!("{other} is not known"),
        }
        Value::Null
    });
}
