//! Every error of the API, one row each: what is sent, and the problem document that comes back.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::strace::{can_trace, strace};
use common::{Answer, Client, Engine, MariaDb, Store, cart, product, seller, shop_of, until};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A cart of one item.
macro_rules! item {
    ($product:literal, $quantity:literal) => {
        concat!(r#"{"customer_id":1,"items":[{"product_id":"#, $product, r#","quantity":"#, $quantity, "}]}")
    };
}

/// A cart that is fine but for one more field.
macro_rules! with {
    ($field:literal) => {
        concat!(r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"#, $field, "}")
    };
}

/// A body; status; code; every single problem as `pointer code`.
type Row<'a> = (&'a str, u16, &'a str, &'a [&'a str]);

/// Bodies of `POST /v1/checkouts`, and of `POST /v1/quotes`, which answers the same.
const CHECKOUTS: &[Row<'_>] = &[
    // Not JSON, or the wrong shape or type.
    ("", 400, "malformed_json", &[]),
    ("{", 400, "malformed_json", &[]),
    ("[]", 400, "invalid_field", &[" invalid_field"]),
    ("{}", 400, "invalid_field", &["/customer_id invalid_field", "/items invalid_field"]),
    (r#"{"customer_id":0,"items":[]}"#, 400, "invalid_field", &["/customer_id invalid_field"]),
    (r#"{"customer_id":9007199254740992,"items":[]}"#, 400, "invalid_field", &["/customer_id invalid_field"]),
    (r#"{"customer_id":1,"items":[7]}"#, 400, "invalid_field", &["/items/0 invalid_field"]),
    (
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":"2"}]}"#,
        400,
        "invalid_field",
        &["/items/0/quantity invalid_field"],
    ),
    (
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1e999}]}"#,
        400,
        "invalid_field",
        &["/items/0/quantity invalid_field"],
    ),
    (
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"coupn":"X"}"#,
        400,
        "unknown_field",
        &["/coupn unknown_field"],
    ),
    (
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1}],"currency":"brl","email":"x","coupon":"a b",
           "city":"a\u0000b","payment":{"method":"card"},"delivery":{"street":"x"}}"#,
        400,
        "unknown_field",
        &[
            "/city invalid_field",
            "/coupon invalid_field",
            "/currency invalid_field",
            "/delivery/street unknown_field",
            "/email invalid_field",
            "/payment/token invalid_field",
        ],
    ),
    // Well-formed, but not sellable.
    (r#"{"customer_id":1,"items":[]}"#, 422, "validation_failed", &["/items empty_cart"]),
    (MANY, 422, "validation_failed", &["/items too_many_lines"]),
    (
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1},{"product_id":99,"quantity":1}]}"#,
        422,
        "validation_failed",
        &["/items/1/product_id unknown_product"],
    ),
    (item!(2, 1), 422, "validation_failed", &["/items/0/product_id inactive_product"]),
    (item!(3, 1), 422, "validation_failed", &["/items/0/product_id inactive_seller"]),
    (item!(4, 1), 422, "validation_failed", &["/items/0/product_id currency_mismatch"]),
    (item!(1, 0), 422, "validation_failed", &["/items/0/quantity quantity_out_of_range"]),
    (item!(1, -9223372036854775808), 422, "validation_failed", &["/items/0/quantity quantity_out_of_range"]),
    (item!(7, 10001), 422, "validation_failed", &["/items/0/quantity quantity_out_of_range"]),
    (item!(6, 3), 422, "validation_failed", &["/items/0/quantity quantity_out_of_range"]),
    (
        r#"{"customer_id":1,"items":[{"product_id":7,"quantity":6000},{"product_id":7,"quantity":6000}]}"#,
        422,
        "validation_failed",
        &["/items/0/quantity quantity_out_of_range"],
    ),
    (item!(5, 2), 422, "validation_failed", &["/items/0/quantity amount_out_of_range"]),
    (
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1,"unit_price":-1}]}"#,
        422,
        "validation_failed",
        &["/items/0/unit_price amount_out_of_range"],
    ),
    (with!(r#""coupon":"NONE""#), 422, "validation_failed", &["/coupon unknown_coupon"]),
    (with!(r#""referral_code":"R-1""#), 422, "validation_failed", &["/referral_code unknown_referral"]),
    (
        with!(r#""payment":{"method":"card","token":"tok_ok"}"#),
        422,
        "validation_failed",
        &["/payment payment_not_available"],
    ),
    // Sellable, but not now or not so.
    (item!(1, 6), 409, "insufficient_stock", &["/items/0/quantity insufficient_stock"]),
    (
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":3},{"product_id":1,"quantity":3}]}"#,
        409,
        "insufficient_stock",
        &["/items/0/quantity insufficient_stock"],
    ),
    (
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1,"unit_price":99}]}"#,
        409,
        "price_changed",
        &["/items/0/unit_price price_changed"],
    ),
    (with!(r#""expected_total":99"#), 409, "price_changed", &["/expected_total price_changed"]),
    // All of it at once; the first of 422, stock, price names the answer.
    (
        r#"{"customer_id":1,"items":[{"product_id":1,"quantity":6,"unit_price":99}]}"#,
        409,
        "insufficient_stock",
        &["/items/0/quantity insufficient_stock", "/items/0/unit_price price_changed"],
    ),
    (
        r#"{"customer_id":1,"coupon":"NONE","items":[{"product_id":1,"quantity":6,"unit_price":99},
           {"product_id":99,"quantity":0},{"product_id":2,"quantity":1}]}"#,
        422,
        "validation_failed",
        &[
            "/coupon unknown_coupon",
            "/items/0/quantity insufficient_stock",
            "/items/0/unit_price price_changed",
            "/items/1/product_id unknown_product",
            "/items/1/quantity quantity_out_of_range",
            "/items/2/product_id inactive_product",
        ],
    ),
];

/// Other calls: method, path, content type, body, credential; status, code.
#[rustfmt::skip]
const CALLS: &[(&str, &str, &str, &str, &str, u16, &str)] = &[
    ("GET", "/nothing", "", "", "", 404, "not_found"),
    ("GET", "/v1/orders/1", "", "", "", 404, "not_found"),
    ("GET", "/v1/orders/0", "", "", "", 404, "not_found"),
    ("GET", "/v1/orders/x", "", "", "", 404, "not_found"),
    ("GET", "/v1/orders/1/events", "", "", "", 404, "not_found"),
    ("GET", "/v1/products/99", "", "", "", 404, "not_found"),
    ("GET", "/v1/orders?limit=201", "", "", "", 400, "invalid_field"),
    ("GET", "/v1/orders?customer=1", "", "", "", 400, "unknown_field"),
    ("GET", "/v1/orders?cursor=x", "", "", "", 400, "invalid_field"),
    ("GET", "/v1/checkouts", "", "", "", 405, "method_not_allowed"),
    ("DELETE", "/v1/orders/1", "", "", "", 405, "method_not_allowed"),
    ("POST", "/v1/checkouts", "", "{}", "", 415, "unsupported_media_type"),
    ("POST", "/v1/checkouts", "text/plain", "{}", "", 415, "unsupported_media_type"),
    ("POST", "/v1/checkouts/batch", "application/json", r#"{"checkouts":[]}"#, "", 400, "invalid_field"),
    ("POST", "/v1/checkouts/batch", "application/json", r#"{"checkout":[]}"#, "", 400, "unknown_field"),
    ("GET", "/admin/status", "", "", "", 401, "unauthorized"),
    ("GET", "/admin/status", "", "", "Bearer wrong", 401, "unauthorized"),
    ("GET", "/admin/nothing", "", "", "", 401, "unauthorized"),
    ("PUT", "/admin/products", "application/json", "{}", "", 401, "unauthorized"),
    ("GET", "/admin/nothing", "", "", "Bearer e2e-0123456789abcdef", 404, "not_found"),
    ("PUT", "/admin/products", "application/json", "{}", "Bearer e2e-0123456789abcdef", 400, "invalid_field"),
    ("POST", "/admin/snapshot", "application/json", r#"{"file":"x"}"#, "Bearer e2e-0123456789abcdef", 400, "unknown_field"),
    ("POST", "/admin/snapshot", "application/json", "[]", "Bearer e2e-0123456789abcdef", 400, "invalid_field"),
    ("POST", "/admin/snapshot", "text/plain", "{}", "Bearer e2e-0123456789abcdef", 415, "unsupported_media_type"),
    ("POST", "/admin/parked/1/retry", "application/json", r#"{"force":true}"#, "Bearer e2e-0123456789abcdef", 400, "unknown_field"),
    ("POST", "/admin/parked/1/retry", "", "", "Bearer e2e-0123456789abcdef", 404, "not_found"),
    ("PUT", "/admin/products", "text/csv", "1", "Bearer e2e-0123456789abcdef", 415, "unsupported_media_type"),
];

/// Calls of whoever has the wrong key, or none: method, path, secret; status, code.
const KEYED: &[(&str, &str, Option<&str>, u16, &str)] = &[
    ("POST", "/v1/checkouts", None, 401, "unauthorized"),
    ("POST", "/v1/checkouts", Some("a stranger's"), 401, "unauthorized"),
    ("POST", "/v1/checkouts", Some("a seller's"), 403, "forbidden"),
    ("POST", "/v1/checkouts/batch", Some("a seller's"), 403, "forbidden"),
    ("POST", "/v1/quotes", Some("a seller's"), 403, "forbidden"),
    ("GET", "/v1/orders?seller_id=2", Some("a seller's"), 403, "forbidden"),
    ("GET", "/v1/preferences", Some("a seller's"), 403, "forbidden"),
    ("GET", "/admin/status", Some("a seller's"), 403, "forbidden"),
    ("PUT", "/admin/products", Some("a shop's"), 403, "forbidden"),
    ("POST", "/admin/snapshot", Some("a shop's"), 403, "forbidden"),
];

/// Stands for a cart of 101 items.
const MANY: &str = "many";

/// 1: five pieces of 1.00. 2: inactive. 3: of an inactive seller. 4: in USD. 5: the highest price, not counted.
/// 6: two an order. 7: not counted.
fn engine_with_oddities() -> Engine {
    let engine = Engine::start(Store::sqlite(), &[]);
    let admin = engine.admin();
    let changed = |id, stock, name: &str, value: Value| {
        let mut row = product(id, stock);
        row[name] = value;
        row
    };
    let rows = [
        product(1, Some(5)),
        changed(2, None, "active", json!(false)),
        changed(3, None, "seller_id", json!(2)),
        changed(4, None, "currency", json!("USD")),
        changed(5, None, "price", json!(i64::MAX)),
        changed(6, None, "max_per_order", json!(2)),
        product(7, None),
    ];
    let mut closed = seller(2);
    closed["active"] = json!(false);
    assert_eq!(admin.put("/admin/sellers", &json!({ "sellers": [seller(1), closed] })).json["accepted"], 2);
    assert_eq!(admin.put("/admin/products", &json!({ "products": rows })).json["accepted"], 7);
    engine
}

/// Whatever is wrong: a whole problem document with the request's own id.
#[track_caller]
fn is_problem(answer: &Answer, id: &str, status: u16, code: &str, what: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{what}: {}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(answer.header("x-request-id"), Some(id), "{what}");
    assert_eq!(answer.json["request_id"], id, "{what}");
    assert_eq!(answer.json["status"], status, "{what}");
    let kind = answer.json["type"].as_str().expect("a type");
    assert!(kind.starts_with("https://") && kind.ends_with(&format!("/errors/{code}")), "{what}: {kind}");
    for name in ["title", "detail"] {
        assert!(answer.json[name].as_str().is_some_and(|text| !text.is_empty()), "{what}: {name}");
    }
    let retry = answer.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
    assert_eq!(retry.is_some(), [429, 503].contains(&status), "{what}: Retry-After");
}

/// `pointer code`, sorted.
fn problems(answer: &Answer) -> Vec<String> {
    let entries = answer.json["errors"].as_array().into_iter().flatten();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let mut found: Vec<_> =
        entries.map(|entry| format!("{} {}", text(entry, "pointer"), text(entry, "code"))).collect();
    found.sort();
    found
}

#[test]
fn carts_that_are_refused() {
    let engine = engine_with_oddities();
    let client = engine.client();
    let many = cart(1, &[(7, 1); 101]).to_string();
    for path in ["/v1/checkouts", "/v1/quotes"] {
        for (number, (body, status, code, errors)) in CHECKOUTS.iter().enumerate() {
            let body = if *body == MANY { &many } else { *body };
            let id = format!("row-{number}");
            let headers = [("content-type", "application/json"), ("x-request-id", id.as_str())];
            let answer = client.send("POST", path, &headers, Some(body.as_bytes())).expect("an answer");
            let what = format!("{path} {}", &body[..body.len().min(200)]);
            is_problem(&answer, &id, *status, code, &what);
            assert_eq!(problems(&answer), *errors, "{what}");
        }
    }
    assert_eq!(client.available(1), 5, "nothing was taken");
    assert_eq!(client.get("/v1/orders").expect(200)["data"], json!([]), "nothing was sold");
}

#[test]
fn refusals_carry_what_is_true_now() {
    let client = engine_with_oddities();
    let client = client.client();
    let entry = |body: &str| {
        let headers = [("content-type", "application/json")];
        let answer = client.send("POST", "/v1/checkouts", &headers, Some(body.as_bytes()));
        answer.expect("an answer").json["errors"][0].clone()
    };
    for (body, facts) in [
        (item!(1, 6), json!({ "product_id": 1, "requested": 6, "available": 5 })),
        (item!(6, 3), json!({ "max": 2 })),
        (item!(7, 10001), json!({ "max": 10_000 })),
        (item!(99, 1), json!({ "product_id": 99 })),
        (with!(r#""expected_total":99"#), json!({ "expected": 99, "current": 100 })),
        (
            r#"{"customer_id":1,"items":[{"product_id":1,"quantity":1,"unit_price":99}]}"#,
            json!({ "product_id": 1, "expected": 99, "current": 100 }),
        ),
    ] {
        let entry = entry(body);
        for (name, value) in facts.as_object().expect("an object") {
            assert_eq!(&entry[name], value, "{body}: {name} in {entry}");
        }
    }
}

#[test]
fn other_calls_that_are_refused() {
    let engine = engine_with_oddities();
    let client = engine.client();
    for (number, (method, path, content_type, body, credential, status, code)) in CALLS.iter().enumerate() {
        let id = format!("call-{number}");
        let mut headers = vec![("x-request-id", id.as_str())];
        headers.extend([("content-type", *content_type), ("authorization", *credential)]);
        headers.retain(|(_, value)| !value.is_empty());
        let body = (!body.is_empty()).then_some(body.as_bytes());
        let answer = client.send(method, path, &headers, body).expect("an answer");
        is_problem(&answer, &id, *status, code, &format!("{method} {path}"));
        assert_eq!(answer.header("allow").is_some(), *status == 405, "{method} {path}: Allow");
        assert_eq!(answer.header("www-authenticate").is_some(), *status == 401, "{method} {path}");
    }
    let id = [("content-type", "application/json"), ("x-request-id", "large")];
    let large = vec![b' '; 64 * 1024 + 1];
    for (path, fits) in [("/v1/checkouts", false), ("/v1/quotes", false), ("/v1/checkouts/batch", true)] {
        // A connection each: what was not read ends it.
        let answer = client.another().send("POST", path, &id, Some(&large)).expect("an answer");
        let (status, code) = if fits { (400, "malformed_json") } else { (413, "payload_too_large") };
        is_problem(&answer, "large", status, code, path);
    }
    let strange = client.send("GET", "/nothing", &[("x-request-id", "<script>")], None).expect("an answer");
    let own = strange.header("x-request-id").expect("an id");
    assert!(own != "<script>" && strange.json["request_id"] == own, "an id that is not sane is replaced");
}

#[test]
fn wrong_keys_and_too_many_calls() {
    let key = |id: &str, scope: &str| {
        let hash = Sha256::digest(format!("a {id}'s"));
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(r#"{{ id = "{id}", sha256 = "{hash}", scope = "{scope}" }}"#)
    };
    let keys = format!("auth.api_keys=[{}, {}]", key("seller", "seller:1"), key("shop", "shop"));
    let limits = ["limits.requests_per_second=1", "limits.burst=1"];
    let engine = Engine::start(Store::sqlite(), &[&keys, limits[0], limits[1]]);
    for (number, (method, path, secret, status, code)) in KEYED.iter().enumerate() {
        let id = format!("key-{number}");
        let headers = [("content-type", "application/json"), ("x-request-id", id.as_str())];
        let answer =
            Client::new(engine.url(), *secret).send(method, path, &headers, None).expect("an answer");
        is_problem(&answer, &id, *status, code, &format!("{method} {path} with {secret:?}"));
        assert_eq!(answer.header("www-authenticate").is_some(), *status == 401, "{method} {path}");
    }
    let shop = Client::new(engine.url(), Some("a shop's"));
    let limited = until("a call too many", || {
        let answer = shop.send("GET", "/v1/products/1", &[("x-request-id", "id")], None).expect("an answer");
        (answer.status != 404).then_some(answer)
    });
    is_problem(&limited, "id", 429, "rate_limited", "a call too many");
}

/// The journal fails while the request waits: sold or not, nobody knows before the next start.
#[test]
fn a_journal_that_fails_leaves_the_outcome_open() {
    if !can_trace() {
        return;
    }
    let engine = Engine::start(Store::sqlite(), &[]);
    shop_of(&engine, 1, 1_000);
    engine.kill9();
    let segment = engine.dir().canonicalize().expect("a directory").join("data/journal");
    let segment = segment.join(format!("journal-{:020}.seg", 1)).display().to_string();
    let line = strace("fdatasync:error=EIO:when=6", &[segment]);
    engine.runs_under(&line.iter().map(String::as_str).collect::<Vec<_>>());
    engine.restart();
    let client = engine.client();
    let failed = until("a failed sync", || {
        let answer = try_to_buy(&client, "/v1/checkouts", &cart(1, &[(1, 1)]));
        (answer.status != 201).then_some(answer)
    });
    is_problem(&failed, "id", 504, "timeout", "a journal that failed");
    engine.runs_under(&[]);
}

/// POST of a cart with the request id `id`.
fn try_to_buy(client: &Client, path: &str, body: &Value) -> Answer {
    client.post_with(path, &[("x-request-id", "id")], body).expect("an answer")
}

#[test]
fn too_much_at_once_is_overloaded() {
    for (setting, allowed) in [("engine.in_flight_max=2", 2), ("orders.open_max=2", 2)] {
        let engine = Engine::start(Store::sqlite(), &[setting]);
        let client = shop_of(&engine, 1, 100);
        let batch = |count: usize| json!({ "checkouts": vec![cart(1, &[(1, 1)]); count] });
        let shed = try_to_buy(&client, "/v1/checkouts/batch", &batch(allowed + 1));
        is_problem(&shed, "id", 503, "overloaded", setting);
        assert_eq!(client.available(1), 100, "{setting}: shed whole");
        let taken = try_to_buy(&client, "/v1/checkouts/batch", &batch(allowed)).expect(200);
        assert!(
            taken["results"].as_array().expect("results").iter().all(|one| one["status"] == 201),
            "{taken}"
        );
    }
}

#[test]
fn keys_that_are_in_use() {
    let engine = engine_with_oddities();
    let client = engine.client();
    let send = |key: &str, body: &Value| {
        let headers = [("idempotency-key", key), ("x-request-id", "id")];
        client.post_with("/v1/checkouts", &headers, body).expect("an answer")
    };
    send("k", &cart(1, &[(1, 1)])).expect(201);
    is_problem(&send("k", &cart(2, &[(1, 1)])), "id", 422, "idempotency_key_reused", "another body");
    is_problem(&send("a b", &cart(1, &[(1, 1)])), "id", 400, "invalid_field", "a key with a space");
    // Calls that burn no key do not pass over one that is none.
    for path in ["/admin/snapshot", "/admin/parked/1/retry", "/admin/warmup", "/admin/products/1/stock"] {
        let headers = [("idempotency-key", "a b"), ("x-request-id", "id")];
        let answer = engine.admin().post_with(path, &headers, &json!({})).expect("an answer");
        is_problem(&answer, "id", 400, "invalid_field", path);
    }
    // Two items with one key: the first is under way while the second is looked at.
    let mut item = cart(1, &[(1, 1)]);
    item["idempotency_key"] = json!("twins");
    let mut other = cart(2, &[(1, 1)]);
    other["idempotency_key"] = json!("twins");
    let batch = json!({ "checkouts": [item, item, other] });
    let results = client.post("/v1/checkouts/batch", &batch).expect(200)["results"].clone();
    let code = |place: usize| (results[place]["status"].as_u64(), results[place]["error"]["code"].as_str());
    assert_eq!(results[0]["status"], 201, "{results}");
    assert_eq!(code(1), (Some(409), Some("idempotency_in_progress")), "{results}");
    assert_eq!(code(2), (Some(422), Some("idempotency_key_reused")), "{results}");
    assert_eq!(client.available(1), 3);
}

#[test]
fn a_journal_without_room_takes_nothing_and_loses_nothing() {
    let server = Arc::new(MariaDb::start(&[]));
    let engine =
        Engine::start(Store::on(Arc::clone(&server)), &["journal.max_bytes=4MiB", "journal.retain=0s"]);
    let client = shop_of(&engine, 3, 1_000_000);
    engine.drain();
    server.kill();
    let batch = json!({ "checkouts": vec![cart(1, &[(1, 1), (2, 1), (3, 1)]); 500] });
    let mut sold = 0;
    let refused = until("the journal to be full", || {
        let answer = try_to_buy(&client, "/v1/checkouts/batch", &batch);
        sold += if answer.status == 200 { 500 } else { 0 };
        (answer.status != 200).then_some(answer)
    });
    is_problem(&refused, "id", 503, "journal_unavailable", "no room");
    // The refusal came before the body was read, which ends its connection.
    let client = client.another();
    assert_eq!(client.get("/readyz").code(), "not_ready");
    assert_eq!(client.get("/livez").status, 200);
    server.restart();
    until("room again", || (client.get("/readyz").status == 200).then_some(()));
    client.buy(&cart(1, &[(1, 1)]));
    engine.drain();
    assert_eq!(engine.sql().number("SELECT COUNT(*) FROM orders"), sold + 1);
    assert_eq!(client.available(1), 1_000_000 - sold - 1);
}

/// Product 1 is in memory; whether the database knows product 50 cannot be told.
#[test]
fn rows_that_need_the_database_are_named_and_the_rest_is_taken() {
    let server = Arc::new(MariaDb::start(&[]));
    let engine = Engine::start(Store::on(Arc::clone(&server)), &[]);
    let client = shop_of(&engine, 1, 10);
    engine.drain();
    server.kill();
    let dearer = |id| {
        let mut row = product(id, None);
        row["price"] = json!(777);
        row
    };
    let put = |rows: Value| engine.admin().put("/admin/products", &json!({ "products": rows }));
    let answer = put(json!([dearer(50), dearer(1), { "product_id": 0 }])).expect(200);
    assert_eq!(answer["accepted"], 1, "{answer}");
    let rejected = answer["rejected"].as_array().expect("rows");
    let rejected: Vec<_> = rejected.iter().map(|row| (row["row"].as_u64(), row["code"].as_str())).collect();
    assert_eq!(rejected, [(Some(1), Some("not_ready")), (Some(3), Some("invalid_field"))], "{answer}");
    assert_eq!(client.get("/v1/products/1").expect(200)["price"], 777, "what is accepted is in force");
    // Nothing was done at all: that is what 503 says.
    let nothing = put(json!([dearer(50), dearer(51)]));
    assert_eq!((nothing.status, nothing.code()), (503, "not_ready"), "{}", nothing.text);
}

#[test]
fn a_database_that_is_needed_and_away_is_not_ready() {
    let server = Arc::new(MariaDb::start(&[]));
    let engine = Engine::start(Store::on(Arc::clone(&server)), &["server.request_timeout=500ms"]);
    let client = shop_of(&engine, 1, 10);
    engine.drain();
    let held = engine.sql().hold("LOCK TABLES products WRITE");
    let id = [("x-request-id", "id")];
    let hung = client.send("GET", "/v1/products/99", &id, None).expect("an answer");
    is_problem(&hung, "id", 504, "timeout", "a database that does not answer");
    drop(held);
    server.kill();
    for path in ["/v1/orders", "/v1/products/98"] {
        let away = client.send("GET", path, &id, None).expect("an answer");
        is_problem(&away, "id", 503, "not_ready", path);
    }
    is_problem(&try_to_buy(&client, "/v1/checkouts", &cart(1, &[(97, 1)])), "id", 503, "not_ready", "a miss");
    client.buy(&cart(1, &[(1, 1)]));
}
