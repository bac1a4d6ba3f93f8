//! A catalogue cache file that was written on demand is what the next start of the program uses, also after a kill.
#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const TOKEN: &str = "open-sesame";

/// The program in a process of its own, killed when it goes out of scope.
struct Program {
    child: Child,
    log: Receiver<Value>,
    address: String,
    /// Lines of the log up to «listening».
    start: Vec<Value>,
}

impl Program {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_floodgate"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(dir)
            .env("FLOODGATE_ADMIN__TOKEN", TOKEN)
            .env("FLOODGATE_LOG__FORMAT", "json")
            .env_remove("RUST_LOG")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            let lines_of_it = stderr.lines().map_while(Result::ok);
            lines_of_it
                .filter_map(|line| serde_json::from_str(&line).ok())
                .all(|line| lines.send(line).is_ok());
        });
        let mut program = Self { child, log, address: String::new(), start: Vec::new() };
        program.start = program.log_until("listening, ready");
        program.start.last().unwrap()["address"].as_str().unwrap().clone_into(&mut program.address);
        program
    }

    fn log_until(&self, message: &str) -> Vec<Value> {
        let mut lines = Vec::new();
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|error| {
                panic!("{error}: «{message}» did not come: {lines:#?}");
            });
            lines.push(line);
            if lines.last().unwrap()["message"] == message {
                return lines;
            }
        }
    }

    fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("http://{}{path}", self.address));
        let mut response =
            request.header("authorization", format!("Bearer {TOKEN}")).send_json(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_json().unwrap())
    }

    fn loaded_from(&self) -> &Value {
        let is_load = |line: &&Value| {
            line["message"].as_str().is_some_and(|message| message.starts_with("loaded the catalogue"))
        };
        self.start.iter().find(is_load).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        assert!(killed.is_ok() || std::thread::panicking(), "{killed:?}");
    }
}

fn cart() -> Value {
    json!({ "customer_id": 42, "items": [{ "product_id": 1, "quantity": 1 }] })
}

#[test]
fn the_next_start_comes_from_the_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path());
    assert_eq!(program.loaded_from()["message"], "loaded the catalogue from the store");
    let (status, snapshot) = program.post("/admin/snapshot", json!({}));
    assert_eq!(status, 200, "{snapshot}");
    let file = dir.path().join(snapshot["file"].as_str().unwrap());
    assert_eq!(file.metadata().unwrap().len(), snapshot["bytes"].as_u64().unwrap());
    let (status, first) = program.post("/v1/checkouts", cart());
    assert_eq!(status, 201, "{first}");
    drop(program);

    let program = Program::start(dir.path());
    let loaded = program.loaded_from();
    assert_eq!(loaded["message"], "loaded the catalogue from its cache file");
    assert_eq!(loaded["as_of_seq"], snapshot["as_of_seq"]);
    assert!(loaded["elapsed_s"].is_f64(), "{loaded}");
    let (status, second) = program.post("/v1/checkouts", cart());
    assert_eq!(status, 201, "{second}");
    assert_eq!(second["order_id"].as_u64(), first["order_id"].as_u64().map(|id| id + 1));
}
