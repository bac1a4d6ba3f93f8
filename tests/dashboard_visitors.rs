//! Who may look at the dashboard: a visitor at the machine sees figures and no order, an operator everything, anybody
//! else is asked for the token; and pages that look hold nothing up.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Engine, Store, Stream, TOKEN, cart, shop_of};
use serde_json::Value;
use sha2::{Digest, Sha256};

const PAGE: &str = "/dashboard";
const EVENTS: &str = "/dashboard/events";
const ELSEWHERE: (&str, &str) = ("x-forwarded-for", "203.0.113.7");
const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");

fn bearer(secret: &str) -> String {
    format!("Bearer {secret}")
}

/// A second of the feed.
fn second(stream: &mut Stream) -> Value {
    while stream.line("event: ").expect("an event") != "second" {}
    serde_json::from_str(&stream.line("data: ").expect("data")).expect("JSON")
}

#[test]
fn each_visitor_is_shown_what_is_theirs() {
    let key = Sha256::digest("secret of s-3").iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let keys = format!("auth.api_keys=[{{id=\"s-3\",sha256=\"{key}\",scope=\"seller:3\"}}]");
    let engine = Engine::start(Store::sqlite(), &[&keys]);
    let (operator, seller, nobody) = (bearer(TOKEN), bearer("secret of s-3"), bearer("wrong"));
    let address = engine.address().expect("an address");
    for (headers, page, feed) in [
        (&[][..], 200, 200),
        (&[("authorization", &*operator)][..], 200, 200),
        (&[("authorization", &*operator), ELSEWHERE][..], 200, 200),
        (&[ELSEWHERE][..], 401, 401),
        (&[ELSEWHERE, BROWSER][..], 401, 401),
        (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")][..], 401, 401),
        (&[("authorization", &*seller)][..], 403, 403),
        (&[("authorization", &*nobody)][..], 401, 401),
    ] {
        for (path, status) in [(PAGE, page), (EVENTS, feed)] {
            let answer = Stream::get(&address, path, headers);
            assert_eq!(answer.status, status, "{path} {headers:?}: {}", answer.head);
        }
    }
}

#[test]
fn who_is_sent_away_gets_a_page_that_asks_or_a_problem() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = engine.client();
    let page = client.send("GET", PAGE, &[ELSEWHERE, BROWSER], None).expect("an answer");
    assert_eq!((page.status, page.header("content-type")), (401, Some("text/html; charset=utf-8")));
    assert!(page.text.contains("id=\"token\"") && page.header("content-security-policy").is_some());
    let problem = client.send("GET", PAGE, &[ELSEWHERE], None).expect("an answer");
    assert_eq!((problem.status, problem.code()), (401, "unauthorized"));
    let events = client.send("GET", EVENTS, &[ELSEWHERE, BROWSER], None).expect("an answer");
    assert_eq!((events.status, events.code()), (401, "unauthorized"));
    let part = client.send("GET", "/dashboard/app.js", &[ELSEWHERE], None).expect("an answer");
    assert_eq!(part.status, 200, "the page that asks has to run");
    assert_eq!(client.get("/dashboard/none.js").code(), "not_found");
    assert_eq!(client.get("/dashboard/").header("location"), Some(PAGE));
}

#[test]
fn a_page_that_is_known_is_not_sent_again() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = engine.client();
    for path in [PAGE, "/dashboard/app.js", "/dashboard/vendor/uPlot.iife.min.js"] {
        let first = client.get(path);
        let tag = first.header("etag").expect("a tag");
        let again = client.send("GET", path, &[("if-none-match", tag)], None).expect("an answer");
        assert_eq!((first.status, again.status, again.text.len()), (200, 304, 0), "{path}");
    }
}

#[test]
fn an_onlooker_gets_figures_an_operator_the_databases_words_too() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 3, 100);
    let order = client.buy(&cart(4_711_471_147_114, &[(1, 2)]));
    client.post("/v1/checkouts", &cart(1, &[(1, 101)])).expect(409);
    let address = engine.address().expect("an address");
    let (mut onlooker, token) = (Stream::get(&address, EVENTS, &[]), bearer(TOKEN));
    let mut operator = Stream::get(&address, EVENTS, &[("authorization", &token)]);
    for (stream, view) in [(&mut onlooker, "onlooker"), (&mut operator, "operator")] {
        assert!(stream.head.contains("content-type: text/event-stream"), "{}", stream.head);
        let hello: Value = serde_json::from_str(&stream.line("data: ").expect("a greeting")).expect("JSON");
        assert_eq!(hello["view"], view);
        let shown = loop {
            let shown = second(stream);
            if shown["refusals"]["insufficient_stock"] == 1 {
                break shown;
            }
        };
        let text = shown.to_string();
        for secret in [order["invoice_number"].as_str().expect("a number"), "4711471147114", TOKEN] {
            assert!(view == "operator" || !text.contains(secret), "{secret} in {text}");
        }
        assert_eq!(shown["status"]["hot_products"][0]["product_id"], 1, "{text}");
        assert_eq!(shown["status"]["shards"].as_array().map(Vec::len), Some(4));
    }
}

#[test]
fn pages_are_limited_and_end_with_the_engine() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let address = engine.address().expect("an address");
    let mut pages: Vec<Stream> = (0..32).map(|_| Stream::get(&address, EVENTS, &[])).collect();
    assert!(pages.iter().all(|page| page.status == 200));
    assert_eq!(Stream::get(&address, EVENTS, &[]).status, 503);
    assert!(engine.stop().success(), "open feeds do not hold up the end");
    for page in &mut pages {
        while page.line("event: ").is_some() {}
    }
}
