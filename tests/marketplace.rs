//! A real marketplace: its catalogue in, its baskets over HTTP, its orders in the database, a crash in between that
//! costs nothing.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{
    Engine, Olist, ProgramOutput, Store, assert_invoices_are_gapless, assert_tables_agree, shared_data,
};
use serde_json::{Value, json};
use std::path::Path;

on_both_stores!(baskets_become_orders, import_with_the_engine_stopped, bad_rows_are_named);

fn import(engine: &Engine, dir: &Path, url: Option<&str>) -> ProgramOutput {
    let file = |name: &str| dir.join(name).to_str().expect("a plain path").to_owned();
    let (products, sellers) = (file("products.csv"), file("sellers.csv"));
    let mut arguments = vec!["import", "--products", &products, "--sellers", &sellers];
    arguments.extend(url.iter().flat_map(|url| ["--url", url]));
    engine.program(&arguments)
}

/// The parts of an order that `Olist::order_of` knows.
fn decided(order: &Value, expected: &Value) -> Value {
    let names = expected.as_object().expect("an object").keys();
    names.map(|name| (name.clone(), order[name].clone())).collect()
}

fn baskets_become_orders(store: Store) {
    let Some(data) = shared_data() else { return };
    let olist = Olist::read(&data);
    let engine = Engine::start(store, &[]);
    let output = import(&engine, &data, Some(&engine.url()));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.starts_with("36046 rows taken, 0 rejected"), "{output:?}");
    assert_eq!((olist.counts(), olist.carts.len()), ((32_951, 3_095), 876));

    let mut orders = Vec::new();
    let mut client = engine.client();
    for (number, cart) in olist.carts.iter().enumerate() {
        if number == 500 {
            engine.kill9();
            engine.restart();
            client = engine.client();
        }
        let order = client.post_key("/v1/checkouts", &format!("basket-{number}"), cart).expect(201);
        let expected = olist.order_of(cart);
        assert_eq!(decided(&order, &expected), expected, "basket {number}");
        orders.push(order);
    }
    assert_invoices_are_gapless(orders.iter());
    engine.drain();
    assert_tables_agree(&engine.sql(), &orders);
    assert_eq!(
        engine.sql().pairs("SELECT id, stock FROM products ORDER BY id"),
        olist.stock_after(&olist.carts)
    );
    assert_eq!(engine.sql().number("SELECT COUNT(*) FROM parked_events"), 0);
}

fn import_with_the_engine_stopped(store: Store) {
    let Some(data) = shared_data() else { return };
    let olist = Olist::read(&data);
    let engine = Engine::prepare(store, &["server.listen=127.0.0.1:1"]);
    let output = import(&engine, &data, None);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(!output.stderr.contains("at the next start"), "nothing is left: {output:?}");
    let sql = engine.sql();
    assert_eq!(sql.pairs("SELECT id, stock FROM products ORDER BY id"), olist.stock_after(&[]));
    assert_eq!(sql.number("SELECT COUNT(*) FROM sellers"), 3_095);
    engine.restart();
    let cart = &olist.carts[0];
    let order = engine.client().buy(cart);
    let expected = olist.order_of(cart);
    assert_eq!(decided(&order, &expected), expected);
    // Once more changes nothing: the stock is what the file counts.
    engine.stop();
    assert_eq!(import(&engine, &data, None).code, Some(0));
    assert_eq!(engine.sql().pairs("SELECT id, stock FROM products ORDER BY id"), olist.stock_after(&[]));
}

/// Lines of a file of products: what is in it, and what is said of it; nothing: it is taken.
const ROWS: [(&str, &str); 9] = [
    ("1,1,good,100,BRL,0,5,1", ""),
    ("x,1,bad id,100,BRL,0,5,1", "products line 3: product_id"),
    ("3,1,negative price,-1,BRL,0,5,1", "products line 4: price"),
    ("4,1,bad currency,100,brl,0,5,1", "products line 5: currency"),
    ("5,1,too few fields,100,BRL,0", "products line 6: 6 fields"),
    ("6,1,not counted,100,BRL,0,,1", ""),
    ("7,1,negative stock,100,BRL,0,-5,1", "products line 8: "),
    ("8,1,,100,BRL,0,5,1", "products line 9: "),
    (LONG_NAME, "products line 10: "),
];

/// One character more than a name may have.
const LONG_NAME: &str = concat!(
    "9,1,",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ",100,BRL,0,5,1"
);

fn bad_rows_are_named(store: Store) {
    let engine = Engine::prepare(store, &["server.listen=127.0.0.1:1"]);
    let lines: Vec<&str> = ROWS.iter().map(|(line, _)| *line).collect();
    let head = "product_id,seller_id,name,price,currency,digital,stock,active";
    std::fs::write(engine.dir().join("products.csv"), format!("{head}\n{}\n", lines.join("\n")))
        .expect("written");
    std::fs::write(engine.dir().join("sellers.csv"), "seller_id,name,city,commission_bps\n1,one,X,0\n")
        .expect("written");
    for running in [false, true] {
        if running {
            engine.restart();
        }
        let url = running.then(|| engine.url());
        let output = import(&engine, engine.dir(), url.as_deref());
        assert_eq!(output.code, Some(1), "running {running}: {output:?}");
        assert!(output.stdout.starts_with("3 rows taken, 7 rejected"), "running {running}: {output:?}");
        for (line, said) in ROWS {
            assert!(output.stderr.contains(said), "running {running}: {line}: {output:?}");
        }
        let stock = engine.sql().rows("SELECT id, stock FROM products ORDER BY id");
        assert_eq!(json!(stock), json!([["1", "5"], ["6", "NULL"]]), "running {running}");
    }
}
