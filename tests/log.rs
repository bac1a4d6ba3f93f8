//! The log: JSON where no terminal is, text on one; a filter that an operator changes while the program runs; the
//! request's id on every line of a request; nothing of what was ordered or by whom.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Engine, Store, TOKEN, cart, shop_of, until};
use serde_json::{Value, json};
use std::process::Command;

fn lines_with(engine: &Engine, id: &str) -> Vec<Value> {
    let lines = engine.log();
    let ours = lines.iter().filter(|line| line.contains(&format!("\"request_id\":\"{id}\"")));
    ours.map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn the_filter_changes_while_it_runs() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let admin = engine.admin();
    let ask = |id: &str| {
        drop(admin.send("GET", "/v1/products/1", &[("x-request-id", id)], None).expect("an answer"))
    };
    let begin = admin.get("/admin/log").expect(200);
    assert_eq!(begin["filter"], "info,refinery_core=warn");
    ask("quiet-1");
    let loud = json!({ "filter": "info,floodgate::http=debug" });
    assert_eq!(admin.put("/admin/log", &loud).expect(200), loud);
    ask("loud-1");
    let line = until("the request in the log", || lines_with(&engine, "loud-1").pop());
    assert_eq!((&line["message"], &line["route"]), (&"answered".into(), &"/v1/products/{id}".into()));
    for wrong in [json!({ "filter": "floodgate=loud" }), json!({}), json!({ "filter": "" })] {
        assert_eq!(admin.put("/admin/log", &wrong).code(), "invalid_field", "{wrong}");
        assert_eq!(admin.get("/admin/log").expect(200), loud, "what is wrong changes nothing");
    }
    admin.put("/admin/log", &begin).expect(200);
    ask("quiet-2");
    assert!(engine.stop().success());
    assert!(lines_with(&engine, "quiet-1").is_empty() && lines_with(&engine, "quiet-2").is_empty());
    assert!(engine.log().iter().any(|line| line.contains("what is logged was changed")));
}

#[test]
fn nothing_personal_is_logged() {
    let filter = "trace,mio=off,polling=off";
    let engine = Engine::start(Store::sqlite(), &[&format!("log.filter={filter}")]);
    let client = shop_of(&engine, 1, 10);
    let mut order = cart(7_007_007, &[(1, 1)]);
    order["email"] = "ada@example.com".into();
    order["city"] = "Campinas-Norte".into();
    order["delivery"] = json!({ "name": "Ada Lovelace", "phone": "555-0199" });
    let id = [("x-request-id", "bought-1"), ("idempotency-key", "my-own-key")];
    client.post_with("/v1/checkouts", &id, &order).expect("an answer").expect(201);
    client.get("/v1/orders?customer_id=7007007&city=Campinas-Norte").expect(200);
    engine.admin().get("/admin/status").expect(200);
    engine.drain();
    assert!(engine.stop().success());
    assert!(!lines_with(&engine, "bought-1").is_empty(), "the request is in the log");
    for line in engine.log() {
        for personal in
            ["ada@example", "Campinas-Norte", "Lovelace", "555-0199", "7007007", "my-own-key", TOKEN]
        {
            assert!(!line.contains(personal), "{personal} in {line}");
        }
    }
}

/// `script` (util-linux) runs a program on a terminal of its own.
fn on_a_terminal(engine: &Engine, arguments: &[&str]) -> String {
    let plain = engine.command(arguments);
    let words = std::iter::once(plain.get_program()).chain(plain.get_args());
    let line: Vec<String> = words.map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let mut command = Command::new("script");
    command.args(["-qec", &line.join(" "), "/dev/null"]).current_dir(engine.dir());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    String::from_utf8_lossy(&command.output().expect("script, of util-linux").stdout).into_owned()
}

#[test]
fn lines_are_json_for_programs_and_text_for_people() {
    let engine = Engine::prepare(Store::sqlite(), &[]);
    let migrate = ["migrate", "--set", "log.format=auto", "--set", "log.filter=info"];
    let piped = engine.program(&migrate);
    let said: Vec<Value> = piped
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let line = said.iter().find(|line| line["message"] == "the schema is up to date").expect("the line");
    assert_eq!((&line["level"], line["applied"].is_u64()), (&"INFO".into(), true), "{line}");
    assert!(line["target"].is_string() && line["timestamp"].is_string(), "{line}");
    let shown = on_a_terminal(&engine, &migrate);
    assert!(shown.contains(" INFO floodgate_persistence"), "{shown}");
    assert!(shown.contains("the schema is up to date") && !shown.contains("{\"timestamp"), "{shown}");
}
