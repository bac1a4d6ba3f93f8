//! What operators do is written down before it is answered: who, when, what, under which request id, how it ended; never
//! what was sent, never a secret. Lines are only ever added, also across restarts.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Engine, Store, TOKEN, cart, product, seller};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::os::unix::fs::PermissionsExt;

fn keyed() -> Engine {
    let row = |id: &str, scope: &str| {
        let hash: String =
            Sha256::digest(format!("secret of {id}")).iter().map(|b| format!("{b:02x}")).collect();
        format!(r#"{{ id = "{id}", sha256 = "{hash}", scope = "{scope}" }}"#)
    };
    let keys = [row("web", "shop"), row("ops", "admin")];
    Engine::start(Store::sqlite(), &[&format!("auth.api_keys=[{}]", keys.join(", "))])
}

fn text(engine: &Engine) -> String {
    std::fs::read_to_string(engine.dir().join("data/audit.log")).expect("an audit log")
}

fn lines(engine: &Engine) -> Vec<Value> {
    text(engine).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn send(client: &Client, id: &str, method: &str, path: &str, body: &Value) -> u16 {
    let headers = [("content-type", "application/json"), ("x-request-id", id)];
    let body = body.to_string();
    let body = (method != "GET").then_some(body.as_bytes());
    client.send(method, path, &headers, body).expect("an answer").status
}

/// Client, request id, method, path, body, status, and who did it and how it ended where it is written down.
type Step<'a> = (&'a Client, &'a str, &'a str, &'a str, Value, u16, Option<(&'a str, &'a str)>);

#[test]
fn actions_are_written_down() {
    let engine = keyed();
    let (ops, token) = (Client::new(engine.url(), Some("secret of ops")), engine.admin());
    let (web, nobody) = (Client::new(engine.url(), Some("secret of web")), engine.client());
    let reason = json!({ "delta": 1, "reason": "found behind the shelf" });
    let order = cart(1, &[(1, 1)]);
    let steps: [Step<'_>; 12] = [
        (&ops, "r-1", "PUT", "/admin/sellers", json!({ "sellers": [seller(1)] }), 200, Some(("ops", "done"))),
        (
            &token,
            "r-2",
            "PUT",
            "/admin/products",
            json!({ "products": [product(1, Some(9))] }),
            200,
            Some(("admin", "done")),
        ),
        (
            &ops,
            "r-3",
            "POST",
            "/admin/products/1/stock?key=hidden",
            reason.clone(),
            200,
            Some(("ops", "done")),
        ),
        (&ops, "r-4", "POST", "/admin/products/99/stock", reason.clone(), 404, Some(("ops", "refused"))),
        (&ops, "r-5", "POST", "/admin/nowhere", json!({}), 404, Some(("ops", "refused"))),
        (&web, "r-6", "POST", "/admin/warmup", json!({}), 403, Some(("web", "refused"))),
        (&nobody, "r-7", "POST", "/admin/warmup", json!({}), 401, None),
        (&ops, "r-8", "GET", "/admin/status", json!({}), 200, None),
        (&web, "r-9", "POST", "/v1/checkouts", order.clone(), 201, None),
        (&ops, "r-10", "POST", "/v1/checkouts", order, 201, None),
        (&ops, "r-11", "PUT", "/admin/log", json!({ "filter": "info" }), 200, Some(("ops", "done"))),
        (&ops, "r-12", "PUT", "/admin/log", json!({ "filter": "a=loud" }), 400, Some(("ops", "refused"))),
    ];
    let mut expected = Vec::new();
    for (client, id, method, path, body, status, written) in &steps {
        assert_eq!(send(client, id, method, path, body), *status, "{method} {path}");
        let what = format!("{method} {}", path.split('?').next().expect("a path"));
        expected.extend(written.map(|(who, outcome)| json!([id, who, what, status, outcome])));
        // Written before it was answered: nothing is waited for.
        assert_eq!(lines(&engine).len(), expected.len(), "{method} {path}");
    }
    let found: Vec<Value> = lines(&engine)
        .iter()
        .map(|line| json!([line["request_id"], line["who"], line["what"], line["status"], line["outcome"]]))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(lines(&engine)[3]["code"], "not_found");
    let text = text(&engine);
    for secret in [TOKEN, "secret of", "behind the shelf", "hidden", "product 1", "loud"] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
    let mode = std::fs::metadata(engine.dir().join("data/audit.log")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn lines_are_only_added() {
    let engine = keyed();
    let ops = || Client::new(engine.url(), Some("secret of ops"));
    assert_eq!(send(&ops(), "r-1", "POST", "/admin/warmup", &json!({})), 202);
    let before = text(&engine);
    engine.kill9();
    engine.restart();
    assert_eq!(text(&engine), before, "a start changes nothing");
    assert_eq!(send(&ops(), "r-2", "POST", "/admin/snapshot", &json!({})), 200);
    let after = text(&engine);
    assert!(after.starts_with(&before) && lines(&engine).len() == 2, "{after}");
    let times: Vec<_> =
        lines(&engine).iter().map(|line| line["at"].as_str().expect("a time").to_owned()).collect();
    assert!(times[0] <= times[1], "{times:?}");
}

#[test]
fn a_log_that_cannot_be_written_stops_the_start() {
    let engine = Engine::prepare(Store::sqlite(), &[]);
    std::fs::create_dir_all(engine.dir().join("data/audit.log")).expect("a directory in its place");
    let ended = engine.program(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("audit log") && ended.stderr.contains("audit.log"), "{}", ended.stderr);
}
