//! Each key opens its own doors and no others, and a seller sees their own part of an order only.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Engine, Store, TOKEN, product, seller};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The callers of the matrix, in the order of its columns.
const CALLERS: [&str; 6] = ["nobody", "a stranger", "shop", "seller 1", "seller 2", "admin"];

/// Status by caller. Orders: 1 has parts of both sellers, 2 one of seller 1 only.
const MATRIX: [(&str, &str, [u16; 6]); 22] = [
    ("POST", "/v1/checkouts", [401, 401, 201, 403, 403, 201]),
    ("POST", "/v1/checkouts/batch", [401, 401, 200, 403, 403, 200]),
    ("POST", "/v1/quotes", [401, 401, 200, 403, 403, 200]),
    ("GET", "/v1/products/1", [401, 401, 200, 200, 200, 200]),
    ("GET", "/v1/orders/1", [401, 401, 200, 200, 200, 200]),
    ("GET", "/v1/orders/2", [401, 401, 200, 200, 404, 200]),
    ("GET", "/v1/orders/1/events", [401, 401, 200, 200, 200, 200]),
    ("GET", "/v1/orders/2/events", [401, 401, 200, 200, 404, 200]),
    ("GET", "/v1/orders", [401, 401, 200, 200, 200, 200]),
    ("GET", "/v1/orders?seller_id=1", [401, 401, 200, 200, 403, 200]),
    ("GET", "/v1/preferences", [401, 401, 200, 403, 403, 200]),
    ("GET", "/v1/nowhere", [401, 401, 404, 404, 404, 404]),
    ("GET", "/admin/status", [401, 401, 403, 403, 403, 200]),
    ("GET", "/admin/alerts", [401, 401, 403, 403, 403, 200]),
    ("GET", "/admin/log", [401, 401, 403, 403, 403, 200]),
    ("PUT", "/admin/log", [401, 401, 403, 403, 403, 200]),
    ("GET", "/admin/nowhere", [401, 401, 403, 403, 403, 404]),
    ("PUT", "/admin/sellers", [401, 401, 403, 403, 403, 200]),
    ("POST", "/admin/products/1/stock", [401, 401, 403, 403, 403, 200]),
    ("GET", "/livez", [200; 6]),
    ("GET", "/metrics", [200; 6]),
    ("GET", "/openapi.json", [200; 6]),
];

fn keyed() -> Engine {
    let row = |id: &str, scope: &str| {
        let hash: String =
            Sha256::digest(format!("secret of {id}")).iter().map(|b| format!("{b:02X}")).collect();
        format!(r#"{{ id = "{id}", sha256 = "{hash}", scope = "{scope}" }}"#)
    };
    let keys = [row("web", "shop"), row("one", "seller:1"), row("two", "seller:2"), row("ops", "admin")];
    let engine = Engine::start(Store::sqlite(), &[&format!("auth.api_keys=[{}]", keys.join(", "))]);
    let admin = engine.admin();
    admin.put("/admin/sellers", &json!({ "sellers": [seller(1), seller(2)] })).expect(200);
    let mut second = product(2, Some(100));
    second["seller_id"] = 2.into();
    let rows = json!({ "products": [product(1, Some(100)), second] });
    assert_eq!(admin.put("/admin/products", &rows).expect(200)["accepted"], 2);
    let shop = by(&engine, "secret of web");
    shop.buy(&cart(&[1, 2]));
    shop.buy(&cart(&[1]));
    engine
}

fn by(engine: &Engine, secret: &str) -> Client {
    Client::new(engine.url(), Some(secret))
}

fn cart(products: &[u64]) -> Value {
    let items: Vec<Value> = products.iter().map(|id| json!({ "product_id": id, "quantity": 2 })).collect();
    json!({ "customer_id": 42, "city": "Campinas", "items": items })
}

fn body_of(method: &str, path: &str) -> Option<Value> {
    match (method, path) {
        (_, "/v1/checkouts" | "/v1/quotes") => Some(cart(&[1])),
        (_, "/v1/checkouts/batch") => Some(json!({ "checkouts": [cart(&[1])] })),
        ("PUT", "/admin/log") => Some(json!({ "filter": "info" })),
        (_, "/admin/sellers") => Some(json!({ "sellers": [seller(1)] })),
        (_, "/admin/products/1/stock") => Some(json!({ "delta": 1, "reason": "found" })),
        _ => None,
    }
}

#[test]
fn a_key_opens_its_own_doors_and_no_others() {
    let engine = keyed();
    let clients = [
        engine.client(),
        by(&engine, "secret of somebody"),
        by(&engine, "secret of web"),
        by(&engine, "secret of one"),
        by(&engine, "secret of two"),
        by(&engine, TOKEN),
    ];
    for (method, path, row) in MATRIX {
        for ((client, caller), expected) in clients.iter().zip(CALLERS).zip(row) {
            let body = body_of(method, path).map(|body| body.to_string());
            let headers: &[_] = if body.is_some() { &[("content-type", "application/json")] } else { &[] };
            let sent = client.send(method, path, headers, body.as_deref().map(str::as_bytes));
            let answer = sent.expect("an answer");
            assert_eq!(answer.status, expected, "{caller}: {method} {path}: {}", answer.text);
            match expected {
                401 => assert_eq!(answer.code(), "unauthorized"),
                403 => assert_eq!(answer.code(), "forbidden"),
                _ => {}
            }
        }
    }
    // A key of scope admin does what the token does.
    by(&engine, "secret of ops").get("/admin/status").expect(200);
    // What was refused at the door has moved nothing: 100, four carts with it sold twice each, and one found.
    let sold = 2 * (2 + 2 * 2);
    assert_eq!(by(&engine, TOKEN).available(1), 100 - sold + 1);
}

/// The document says of each call of the matrix what the door does.
#[test]
fn the_document_names_the_credentials_of_each_call() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let document = engine.client().get("/openapi.json").expect(200);
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    for (method, path, row) in MATRIX.iter().filter(|(_, path, _)| !path.ends_with("nowhere")) {
        let path = path.split('?').next().expect("a path");
        let template = path.replace("/1", "/{id}").replace("/2", "/{id}");
        let security = &document["paths"][&template][method.to_lowercase()]["security"];
        let asked: Vec<_> = security.as_array().into_iter().flatten().map(|one| one.as_object()).collect();
        let mut names: Vec<_> = asked.iter().flatten().flat_map(|one| one.keys()).collect();
        names.sort();
        let open = asked.iter().flatten().any(|one| one.is_empty());
        let closed = row[0] == 401;
        let expected: &[&str] = if closed { &["admin_token", "api_key"] } else { &[] };
        assert_eq!(names, expected, "{method} {path}");
        assert!(names.iter().all(|name| schemes[*name]["scheme"] == "bearer"), "{method} {path}");
        assert_eq!(
            open,
            closed && path.starts_with("/v1"),
            "{method} {path}: without a key where there is none"
        );
    }
}

#[test]
fn a_seller_sees_their_own_part_only() {
    let engine = keyed();
    let seller = by(&engine, "secret of two");
    let part = seller.get("/v1/orders/1").expect(200);
    let items = part["items"].as_array().expect("items");
    assert_eq!(items.len(), 1, "{part}");
    assert_eq!((&items[0]["product_id"], &items[0]["line"]), (&2.into(), &2.into()));
    assert_eq!(part["sellers"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        part["sellers"][0],
        json!({ "seller_id": 2, "subtotal": 200, "commission": 20, "payout": 180 })
    );
    let sums = ["subtotal", "discount", "shipping", "tax", "total"].map(|name| part[name].as_i64());
    assert_eq!(sums, [Some(200), Some(0), Some(0), Some(0), Some(200)]);
    let list = seller.get("/v1/orders").expect(200);
    assert_eq!(list["data"], json!([part]), "the other order has nothing of theirs");
    let whole = by(&engine, "secret of web").get("/v1/orders/1").expect(200);
    assert_eq!((whole["items"].as_array().map(Vec::len), &whole["total"]), (Some(2), &400.into()));
}

/// A key says again only what it said to the same caller.
#[test]
fn idempotency_keys_belong_to_a_credential() {
    let engine = keyed();
    let (shop, admin) = (by(&engine, "secret of web"), by(&engine, TOKEN));
    let first = shop.post_key("/v1/checkouts", "k", &cart(&[1])).expect(201);
    let again = shop.post_key("/v1/checkouts", "k", &cart(&[1]));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(201)["order_id"], first["order_id"]);
    let other = admin.post_key("/v1/checkouts", "k", &cart(&[1])).expect(201);
    assert_ne!(other["order_id"], first["order_id"]);
}

/// Without keys anybody may shop, and nobody may do more.
#[test]
fn without_keys_the_shop_is_open_and_the_rest_is_not() {
    let engine = Engine::start(Store::sqlite(), &[]);
    common::shop_of(&engine, 1, 10);
    let nobody = engine.client();
    nobody.buy(&cart(&[1]));
    nobody.get("/v1/orders/1").expect(200);
    assert_eq!(nobody.get("/admin/status").status, 401);
    assert_eq!(by(&engine, "a key of old").get("/v1/orders/1").status, 401, "a wrong key is no key");
}

/// Who asks too often is told when to come back, others are served, and health is never limited.
#[test]
fn one_caller_cannot_take_it_all() {
    let engine = Engine::start(Store::sqlite(), &["limits.requests_per_second=1", "limits.burst=5"]);
    let (nobody, admin) = (engine.client(), engine.admin());
    let answers: Vec<_> = (0..20).map(|_| nobody.get("/v1/orders/1")).collect();
    let limited = answers.iter().filter(|answer| answer.status == 429).count();
    assert!(answers[..5].iter().all(|answer| answer.status == 404) && limited > 0, "{limited} limited");
    let refused = answers.iter().find(|answer| answer.status == 429).expect("one");
    assert_eq!(
        (refused.code(), refused.header("ratelimit-policy")),
        ("rate_limited", Some("\"default\";q=1;w=1"))
    );
    assert!(
        refused.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok_and(|after| after >= 1))
    );
    assert_eq!(answers[0].header("ratelimit"), Some("\"default\";r=4;t=1"));
    admin.get("/admin/status").expect(200);
    for _ in 0..20 {
        nobody.get("/livez").expect(200);
    }
}
