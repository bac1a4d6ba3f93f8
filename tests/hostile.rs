//! Requests that mean harm: values that break parsers, requests that two servers would read differently. Each is answered
//! with a problem document or taken for what it is; nothing fails, nothing is smuggled in, memory stays flat.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may panic")]

mod common;

use common::{Answer, Client, Engine, PATIENCE, Store, TOKEN, cart, faults::report, shop_of};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

on_both_stores!(hostile_values_are_refused_or_kept_as_they_are);

/// JSON texts that stand where another value is expected.
#[rustfmt::skip]
const VALUES: &[&[u8]] = &[
    b"1e999", b"-1e999", b"1E400", b"-0", b"-0.0", b"0.1", b"1e2", b"9223372036854775807", b"9223372036854775808",
    b"-9223372036854775809", b"18446744073709551616", b"9007199254740992", b"99999999999999999999999999999999999999",
    b"NaN", b"Infinity", b"0x10", b"01", b"+1", b"1_000", b"true", b"null", b"{}", b"[]", b"[[]]", b"\"\"", b"\"1\"",
    b"\"\\u0000\"", b"\"a\\r\\nSet-Cookie: x=1\"", b"\"\\ud800\"", b"\"\\udfff\\ud800\"", b"\"\xff\xfe\"", b"\"\xc0\xaf\"",
    b"\"\xed\xa0\x80\"", b"\"\x00\"", b"\"\x1b[31m\"", b"\"'; DROP TABLE orders; --\"", b"\"' OR '1'='1\"",
    b"\"\\\\'; DELETE FROM products; #\"", b"\"../../../../etc/passwd\"", b"\"%2e%2e%2f\"", b"\"${jndi:ldap://x}\"",
    b"\"{{7*7}}\"", b"\"<script>alert(1)</script>\"", b"\"\\u202e\"", b"\"%s%n%x\"",
];

/// Bodies with a hole, and where they go.
const HOLES: &[(&str, &str, &str)] = &[
    ("POST", "/v1/checkouts", r#"{"customer_id":@,"items":[{"product_id":1,"quantity":1}]}"#),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":@}"#),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[@]}"#),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[{"product_id":@,"quantity":1}]}"#),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[{"product_id":1,"quantity":@}]}"#),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1,"unit_price":@}]}"#),
    (
        "POST",
        "/v1/checkouts",
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"expected_total":@}"#,
    ),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"city":@}"#),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"email":@}"#),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"coupon":@}"#),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"delivery":@}"#),
    (
        "POST",
        "/v1/checkouts",
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"delivery":{"note":@}}"#,
    ),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"payment":@}"#),
    ("POST", "/v1/checkouts", r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"currency":@}"#),
    ("POST", "/v1/checkouts/batch", r#"{"checkouts":[@]}"#),
    ("POST", "/v1/quotes", r#"{"customer_id":1,"items":[{"product_id":@,"quantity":1}]}"#),
    ("PUT", "/v1/preferences", r#"{"theme":@}"#),
    (
        "PUT",
        "/admin/products",
        r#"{"products":[{"product_id":2,"seller_id":1,"name":@,"price":1,"currency":"BRL","digital":false,"active":true}]}"#,
    ),
    (
        "PUT",
        "/admin/products",
        r#"{"products":[{"product_id":2,"seller_id":1,"name":"x","price":@,"currency":"BRL","digital":false,"active":true}]}"#,
    ),
    (
        "PUT",
        "/admin/products",
        r#"{"products":[{"product_id":@,"seller_id":1,"name":"x","price":1,"currency":"BRL","digital":false,"active":true}]}"#,
    ),
    ("PUT", "/admin/sellers", r#"{"sellers":[{"seller_id":2,"name":"x","city":@,"commission_bps":1}]}"#),
    ("PUT", "/admin/sellers", r#"{"sellers":[{"seller_id":2,"name":"x","city":"x","commission_bps":@}]}"#),
    ("POST", "/admin/products/1/stock", r#"{"delta":@,"reason":"x"}"#),
    ("POST", "/admin/products/1/stock", r#"{"delta":1,"reason":@}"#),
];

/// A success, or a problem document; never a failure of the engine.
#[track_caller]
fn is_orderly(answer: &Answer, what: &str) {
    if answer.status >= 400 {
        assert!(answer.status < 500 || answer.status == 503, "{what}: {} {}", answer.status, answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
        assert!(!answer.code().is_empty(), "{what}: {}", answer.text);
    }
    let strange = answer.headers.iter().any(|(name, _)| name == "x");
    assert!(
        !strange && answer.header("set-cookie").is_none_or(|cookie| !cookie.starts_with("x=1")),
        "{what}"
    );
}

fn fill(hole: &str, value: &[u8]) -> Vec<u8> {
    let (before, after) = hole.split_once('@').unwrap();
    [before.as_bytes(), value, after.as_bytes()].concat()
}

fn peak_bytes(engine: &Engine) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", engine.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn hostile_values_are_refused_or_kept_as_they_are(store: Store) {
    let engine = Engine::start(store, &["log.filter=debug"]);
    let client = shop_of(&engine, 1, 1_000_000);
    let admin = engine.admin();
    let mut cases = 0;
    for (method, path, hole) in HOLES {
        for value in VALUES {
            let body = fill(hole, value);
            let sent = admin.send(method, path, &[("content-type", "application/json")], Some(&body));
            let what = format!("{method} {path} {}", String::from_utf8_lossy(&body));
            is_orderly(&sent.expect("an answer"), &what);
            cases += 1;
        }
    }
    cases += hostile_paths(&client, &admin);
    text_is_kept_as_it_is(&client);
    engine.drain();
    let sql = engine.sql();
    let kept = sql.rows("SELECT city FROM orders WHERE customer_id = 4711");
    assert_eq!(kept, [["'; DROP TABLE orders; -- \\' é"]]);
    assert_eq!(sql.number("SELECT COUNT(*) FROM products WHERE id = 1"), 1);
    for line in engine.log() {
        let parsed: Result<Value, _> = serde_json::from_str(&line);
        assert!(parsed.is_ok() && !line.contains('\u{1b}'), "a line of the log was broken: {line:?}");
    }
    report(
        17,
        "hostile values in every field, path and query",
        cases,
        None,
        "a problem document or taken as it is; no 5xx, tables and log unharmed",
    );
}

/// Stands for itself, whatever SQL may make of it.
fn text_is_kept_as_it_is(client: &Client) {
    let mut body = cart(4711, &[(1, 1)]);
    body["city"] = "'; DROP TABLE orders; -- \\' é".into();
    let order = client.buy(&body);
    assert_eq!(client.get(&format!("/v1/orders/{}", order["order_id"])).expect(200)["city"], body["city"]);
}

fn hostile_paths(client: &Client, admin: &Client) -> usize {
    let values = [
        "0",
        "-1",
        "1e9",
        "9007199254740992",
        "18446744073709551616",
        "%00",
        "%0d%0aX:%201",
        "..%2f..%2fetc%2fpasswd",
        "%ff",
        "1%27%20OR%201=1",
        "%25%73",
        "~",
        "1;2",
        "1.0",
        "١",
    ];
    let mut cases = 0;
    for value in values.map(|value| value.replace('١', "%D9%A1")) {
        for place in [
            "/v1/products/@",
            "/v1/orders/@",
            "/v1/orders/@/events",
            "/v1/orders?customer_id=@",
            "/v1/orders?city=@",
            "/v1/orders?status=@",
            "/v1/orders?from=@",
            "/v1/orders?limit=@",
            "/v1/orders?cursor=@",
            "/v1/orders?@=1",
            "/docs/@",
            "/@",
        ] {
            is_orderly(&client.get(&place.replace('@', &value)), &place.replace('@', &value));
            cases += 1;
        }
        for place in ["/admin/parked?cursor=@", "/admin/status?state_hash=@", "/admin/@"] {
            is_orderly(&admin.get(&place.replace('@', &value)), &place.replace('@', &value));
            cases += 1;
        }
    }
    cases
}

/// A name; how many bytes more than allowed; the body of so many bytes, or a few less.
type Huge = (&'static str, usize, fn(usize) -> Vec<u8>);

const BODIES: &[Huge] = &[
    ("opening brackets", 0, |size| "[".repeat(size).into_bytes()),
    ("a deep value", 0, |size| {
        let depth = (size - 100) / 2;
        format!(r#"{{"items":{}{}}}"#, "[".repeat(depth), "]".repeat(depth)).into_bytes()
    }),
    ("deep objects", 0, |size| {
        let depth = size / 6 - 20;
        format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth)).into_bytes()
    }),
    ("a long list", 0, |size| format!(r#"{{"checkouts":[0{}]}}"#, ",0".repeat(size / 2 - 20)).into_bytes()),
    ("doubled keys", 0, |size| format!("{{{}\"a\":1}}", r#""a":1,"#.repeat(size / 6 - 20)).into_bytes()),
    ("one byte too many", 1, |size| vec![b' '; size]),
];

#[test]
fn huge_and_deep_bodies_cost_little() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 1, 10);
    let admin = engine.admin();
    let before = peak_bytes(&engine);
    const SINGLE: usize = 64 * 1024;
    const BULK: usize = 8 << 20;
    let mut cases = 0;
    for (what, more, body) in BODIES {
        for (method, path, size) in [
            ("POST", "/v1/checkouts", SINGLE),
            ("POST", "/v1/quotes", SINGLE),
            ("POST", "/v1/checkouts/batch", BULK),
            ("PUT", "/admin/products", BULK),
            ("PUT", "/admin/sellers", BULK),
        ] {
            let headers = [("content-type", "application/json")];
            // A connection each: what is not read ends it.
            let answer = admin.another().send(method, path, &headers, Some(&body(size + more)));
            cases += 1;
            let answer = match answer {
                Ok(answer) => answer,
                // Who goes on sending after the answer may be cut off before reading it.
                Err(_) if *more > 0 => continue,
                Err(error) => panic!("{what} {path}: {error}"),
            };
            is_orderly(&answer, &format!("{what} {path}"));
            assert!((400..500).contains(&answer.status), "{what} {path}: {}", answer.status);
            assert!(answer.text.len() < 200_000, "{what} {path}: an answer of {} bytes", answer.text.len());
        }
    }
    let grown = peak_bytes(&engine).saturating_sub(before);
    assert!(grown < 160 << 20, "{grown} bytes for bodies of 8 MiB");
    client.buy(&cart(1, &[(1, 1)]));
    report(17, "huge and deep bodies", cases, None, "4xx problem documents, small answers, memory bounded");
}

/// Everything that comes back until the engine closes, which it must.
fn raw(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut all = Vec::new();
    if stream.write_all(request).is_ok() {
        drop(stream.shutdown(Shutdown::Write));
    }
    // A reset after an answer is a refusal too.
    drop(stream.read_to_end(&mut all));
    String::from_utf8_lossy(&all).into_owned()
}

/// Heads that a proxy and a server may read in two ways; behind each stands a whole second request, hidden in what one of
/// them takes for a body. `@` is the length of that.
const AMBIGUOUS: &[&str] = &[
    "Content-Length: @\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: @",
    "Content-Length: @\r\nContent-Length: 0",
    "Content-Length: 0\r\nContent-Length: @",
    "Content-Length: 0, @",
    "Content-Length: 0\r\nTransfer-Encoding: identity, chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding:\r\n chunked",
    "X: y\r\n Transfer-Encoding: chunked",
    "X: y\r\n\tContent-Length: @",
    "Content-Length: +0",
    "Content-Length: -1",
    "Content-Length: 0x5",
    "Content-Length: 5 5",
    "Content-Length: 99999999999999999999",
    "Transfer-Encoding: \x0bchunked",
    "Transfer-Encoding: chunked\x00",
    "X: a\rContent-Length: @",
    "\x00: x",
    "Host: other\r\nContent-Length: @",
    "GET /livez HTTP/1.1",
];

#[test]
fn nothing_is_smuggled_in() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 1, 1_000);
    let address = engine.address().unwrap();
    let hidden_body = cart(666, &[(1, 1)]).to_string();
    let hidden = format!(
        "POST /v1/checkouts HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{hidden_body}",
        hidden_body.len()
    );
    for header in AMBIGUOUS {
        // First what ends a chunked body, so that the hidden request begins where the chunks end.
        let rest = format!("0\r\n\r\n{hidden}");
        let header = header.replace('@', &rest.len().to_string());
        let head = format!(
            "POST /v1/quotes HTTP/1.1\r\nHost: e2e\r\nContent-Type: application/json\r\n{header}\r\n\r\n"
        );
        let answer = raw(&address, format!("{head}{rest}").as_bytes());
        let answers = answer.matches("HTTP/1.1 ").count();
        assert!(answers <= 1, "{header:?}: {answers} answers:\n{answer}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{header:?}: {answer}");
    }
    for end in ["\n", "\r"] {
        let answer = raw(&address, hidden.replace("\r\n", end).as_bytes());
        assert!(!answer.contains("HTTP/1.1 5"), "lines that end with {end:?}: {answer}");
    }
    let smuggled = client.get("/v1/orders?customer_id=666").expect(200)["data"].as_array().unwrap().len();
    // Lines may end with a bare LF (RFC 9112 §2.2): that one is a request in its own right, and no smuggled one.
    assert!(smuggled <= 1, "{smuggled} orders were smuggled in");
    report(
        18,
        "request smuggling",
        AMBIGUOUS.len(),
        None,
        "one answer at the most, a refusal, and nothing sold",
    );
}
