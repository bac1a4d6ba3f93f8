//! What the program says when it starts: what to try next, whoever reads it, and what its configuration costs.

mod common;

use common::{Engine, Store, TOKEN};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn what_to_try_next_goes_into_a_pipe_too() {
    let engine = Engine::prepare(Store::sqlite(), &[]);
    let mut command = engine.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut program = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok);
    // Ends with the pipe, should the last line never come.
    let said: Vec<String> = lines.take_while(|line| !line.starts_with("Ctrl-C")).collect();
    program.kill().unwrap();
    program.wait().unwrap();
    let said = said.join("\n");
    let port = said.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split('.').next());
    let port: u16 = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port in {said:?}"));
    assert!(port > 0 && said.contains(&format!("curl http://127.0.0.1:{port}/v1/checkouts")), "{said}");
    assert!(!said.contains(TOKEN), "a token does not belong there: {said}");
}

/// Each row: what is configured, and the words of the warning.
#[test]
fn what_a_configuration_costs_is_said_once_and_only_where_it_does() {
    let rows = [
        ("journal.sync=never", "can cost acknowledged orders"),
        ("journal.sync=interval:100ms", "can cost acknowledged orders"),
        ("engine.in_flight_max=999", "a full batch is never admitted"),
    ];
    for (setting, warning) in rows {
        let said = warnings(setting);
        assert_eq!(said.iter().filter(|line| line.contains(warning)).count(), 1, "{setting}: {said:?}");
    }
    for fine in ["journal.sync=always", "engine.in_flight_max=1000"] {
        let said = warnings(fine);
        let wrong = |line: &&String| rows.iter().any(|(_, warning)| line.contains(warning));
        assert_eq!(said.iter().find(wrong), None, "{fine}");
    }
}

fn warnings(setting: &str) -> Vec<String> {
    let engine = Engine::start(Store::sqlite(), &[setting]);
    engine.log().into_iter().filter(|line| line.contains("\"WARN\"")).collect()
}
