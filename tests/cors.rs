//! Pages of the configured origins may call the shop API from a browser, no others, and nobody's the admin API.

mod common;

use common::{Answer, Client, Engine, Store, cart, shop_of};

fn ask(client: &Client, method: &str, path: &str, origin: &str, more: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("origin", origin)];
    headers.extend_from_slice(more);
    client.send(method, path, &headers, None).expect("an answer")
}

const QUESTION: [(&str, &str); 2] = [
    ("access-control-request-method", "POST"),
    ("access-control-request-headers", "content-type, idempotency-key"),
];

#[test]
fn known_origins_may_and_others_may_not() {
    let setting = r#"server.cors_origins=["https://shop.example", "http://localhost:3000"]"#;
    let engine = Engine::start(Store::sqlite(), &[setting]);
    let client = shop_of(&engine, 1, 10);
    let placed = client
        .post_with("/v1/checkouts", &[("origin", "https://shop.example")], &cart(1, &[(1, 1)]))
        .expect("an answer");
    assert_eq!(
        (placed.status, placed.header("access-control-allow-origin")),
        (201, Some("https://shop.example"))
    );
    assert_eq!(placed.header("access-control-allow-credentials"), Some("true"));
    assert!(
        placed.header("access-control-expose-headers").is_some_and(|names| names.contains("x-request-id"))
    );
    assert_eq!(placed.header("vary"), Some("origin"));
    for (origin, path, allowed) in [
        ("https://shop.example", "/v1/products/1", true),
        ("http://localhost:3000", "/v1/products/1", true),
        ("https://shop.example", "/v1/orders/999999", true),
        ("http://shop.example", "/v1/products/1", false),
        ("https://evil.example", "/v1/products/1", false),
        ("null", "/v1/products/1", false),
        ("https://shop.example", "/admin/status", false),
        ("https://shop.example", "/metrics", false),
    ] {
        let answer = ask(&client, "GET", path, origin, &[]);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            allowed.then_some(origin),
            "{origin} {path}"
        );
        let question = ask(&client, "OPTIONS", path, origin, &QUESTION);
        assert_eq!(question.status == 204, allowed, "{origin} {path}: {}", question.status);
        assert_eq!(
            question.header("access-control-allow-origin"),
            allowed.then_some(origin),
            "{origin} {path}"
        );
    }
    let question = ask(&client, "OPTIONS", "/v1/checkouts", "https://shop.example", &QUESTION);
    for (name, value) in [
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "idempotency-key"),
        ("access-control-max-age", "600"),
    ] {
        assert!(
            question.header(name).is_some_and(|said| said.contains(value)),
            "{name}: {:?}",
            question.headers
        );
    }
    assert!(question.header("x-request-id").is_some());
}

#[test]
fn a_star_is_everybody_without_cookies() {
    let engine = Engine::start(Store::sqlite(), &[r#"server.cors_origins=["*"]"#]);
    let answer = ask(&engine.client(), "GET", "/v1/preferences", "https://anyone.example", &[]);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

/// The credential is asked for in the call itself; the question before it has none.
#[test]
fn the_question_needs_no_key() {
    let hash = "ab".repeat(32);
    let keys = format!(r#"auth.api_keys=[{{ id = "web", sha256 = "{hash}", scope = "shop" }}]"#);
    let engine = Engine::start(Store::sqlite(), &[&keys, r#"server.cors_origins=["https://shop.example"]"#]);
    let client = engine.client();
    assert_eq!(ask(&client, "OPTIONS", "/v1/checkouts", "https://shop.example", &QUESTION).status, 204);
    let refused = ask(&client, "GET", "/v1/products/1", "https://shop.example", &[]);
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (401, Some("https://shop.example"))
    );
}

#[test]
fn without_origins_nothing_is_said() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let answer = ask(&engine.client(), "GET", "/v1/preferences", "https://shop.example", &[]);
    assert!(
        answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")),
        "{:?}",
        answer.headers
    );
    assert_eq!(answer.header("vary"), None);
}
