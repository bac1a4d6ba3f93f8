//! `floodgate load` against the real engine: it ends well where the books balance, and badly where they do not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may panic")]

mod common;

use common::{Engine, ProgramOutput, Store, cart, shop_of, until};
use floodgate::load::{Acknowledged, Carts, Difference, Found, Ledger, Ware};
use serde_json::{Value, json};

/// A small run: 40 users over 20 products for a second and a half.
fn load(engine: &Engine, more: &[&str]) -> ProgramOutput {
    let url = engine.url();
    let mut arguments = vec!["load", "--url", url.as_str(), "--users", "40", "--duration", "1500ms"];
    arguments.extend(["--think", "50ms", "--json", "--report", "report.html"]);
    arguments.extend(more);
    engine.program(&arguments)
}

fn json_of(output: &ProgramOutput) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[test]
fn a_sound_engine_is_loaded_and_its_books_balance() {
    let engine = Engine::start(Store::sqlite(), &[]);
    for tier in ["baseline", "stress", "spike", "endurance"] {
        let seed = tier.len().to_string();
        let output = load(&engine, &["--tier", tier, "--own-products", "100", "--seed", &seed]);
        assert_eq!(output.code, Some(0), "{tier}: {output:?}");
        let report = json_of(&output);
        let orders = report["books"]["orders"].as_u64().unwrap();
        assert!(orders > 10, "{report}");
        assert_eq!(report["operations"][0]["answered"], orders, "{report}");
        assert_eq!(report["books"]["differences"], 0, "{report}");
        assert_eq!(report["tier"], tier);
        for budget in report["budgets"].as_array().unwrap() {
            let measured = budget["count"].as_u64() > Some(0) && budget["at"].as_array().unwrap().len() == 3;
            assert!(measured, "the engine has it under another name: {budget}");
        }
        let page = std::fs::read_to_string(engine.dir().join("report.html")).unwrap();
        assert!(page.contains("The books balance.") && page.matches("<polyline").count() >= 5, "{page}");
        assert!(
            !page.contains("http-equiv") && !page.contains("<script") && !page.contains("src="),
            "{page}"
        );
    }
}

#[test]
fn scarce_products_are_refused_and_never_oversold() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 20, 5);
    let output = load(&engine, &["--tier", "baseline", "--products", "1-20"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let report = json_of(&output);
    let errors = report["errors"].as_array().unwrap();
    let short = errors.iter().find(|error| error["code"] == "insufficient_stock").expect("sold out");
    assert_eq!((&short["status"], &report["operations"][0]["failed"]), (&json!(409), &json!(0)), "{report}");
    let left: i64 = (1..=20).map(|id| client.available(id)).sum();
    assert_eq!(report["books"]["units"].as_i64().unwrap(), 100 - left, "{report}");
}

#[test]
fn stock_that_somebody_else_moved_is_found() {
    let engine = Engine::start(Store::sqlite(), &[]);
    shop_of(&engine, 20, 1_000_000);
    let output = std::thread::scope(|scope| {
        let loading = scope.spawn(|| load(&engine, &["--tier", "baseline", "--products", "1-20"]));
        let client = engine.client();
        until("the first order of the load", || (client.get("/v1/orders/1").status == 200).then_some(()));
        client.buy(&cart(1, &[(3, 2)]));
        loading.join().unwrap()
    });
    assert_eq!(output.code, Some(1), "{output:?}");
    let report = json_of(&output);
    assert_eq!(report["books"]["differences"], 1, "{report}");
    let named = report["books"]["named"][0].as_str().unwrap();
    assert!(named.starts_with("product 3: "), "{named}");
    assert!(output.stderr.contains("the books do not balance"), "{output:?}");
    let page = std::fs::read_to_string(engine.dir().join("report.html")).unwrap();
    assert!(page.contains("do not balance") && page.contains(named), "{page}");
}

#[test]
fn what_cannot_be_loaded_is_said() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let nobody =
        engine.program(&["load", "--url", "http://127.0.0.1:1", "--tier", "baseline", "--timeout", "50ms"]);
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
    for (arguments, said) in [
        (["--users", "0"], "--users"),
        (["--url", "ftp://somewhere"], "--url"),
        (["--url", "http://"], "--url"),
        (["--products", "5-1"], "--products"),
        (["--own-products", "3"], "--own-products"),
        (["--products", "1-9"], "can be bought"),
    ] {
        let url = engine.url();
        let mut line = vec!["load", "--tier", "baseline"];
        if arguments[0] != "--url" {
            line.extend(["--url", &url]);
        }
        line.extend(arguments);
        let output = engine.program(&line);
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:?}");
        assert!(output.stderr.contains(said), "{arguments:?}: {output:?}");
    }
}

/// Two customers with two orders each.
fn story() -> (Carts, Vec<Acknowledged>) {
    let wares = (1..=30).map(|id| Ware { id, available: Some(1_000), max_per_order: 10 }).collect();
    let acknowledged = (0..4).map(|place: u32| Acknowledged {
        user: place / 2,
        number: place % 2,
        order_id: 100 + u64::from(place),
        total: 500 + i64::from(place),
    });
    (Carts::new(1, "USD".to_owned(), wares), acknowledged.collect())
}

fn found(carts: &Carts, order: &Acknowledged) -> Found {
    let cart = carts.cart(order.user, order.number);
    Found {
        order_id: order.order_id,
        customer_id: carts.customer(order.user),
        total: order.total,
        lines: cart.iter().map(|line| (line.product_id, line.quantity)).collect(),
    }
}

/// What an engine answers that has lied nowhere yet.
struct Answers {
    orders: Vec<Option<Found>>,
    lists: Vec<Vec<(u64, i64)>>,
    left: Vec<Option<Option<i64>>>,
}

fn honest(carts: &Carts, acknowledged: &[Acknowledged]) -> Answers {
    let mut left = vec![1_000; carts.wares().len()];
    for line in acknowledged.iter().flat_map(|order| carts.cart(order.user, order.number)) {
        left[line.ware] -= i64::try_from(line.quantity).unwrap();
    }
    let list = |user| {
        let own = acknowledged.iter().filter(move |order| order.user == user);
        own.map(|order| (order.order_id, order.total)).collect()
    };
    Answers {
        orders: acknowledged.iter().map(|order| Some(found(carts, order))).collect(),
        lists: vec![list(0), list(1)],
        left: left.into_iter().map(|left| Some(Some(left))).collect(),
    }
}

/// One row a lie: the differences that it makes.
#[test]
fn each_lie_of_an_engine_is_named() {
    type Lie = fn(&mut Answers);
    let rows: [(Lie, Vec<Difference>); 10] = [
        (|_| {}, vec![]),
        (|answers| answers.orders[1] = None, vec![Difference::Missing(101)]),
        (|answers| answers.orders[1].as_mut().unwrap().total += 1, vec![Difference::NotTheSame(101)]),
        (|answers| answers.orders[2].as_mut().unwrap().customer_id += 1, vec![Difference::NotTheSame(102)]),
        (|answers| answers.orders[3].as_mut().unwrap().lines[0].1 += 1, vec![Difference::NotTheSame(103)]),
        (
            |answers| answers.lists[0].truncate(1),
            vec![Difference::NotListed(101), Difference::Sums { acknowledged: 2_006, listed: 1_505 }],
        ),
        (
            |answers| answers.lists[1].push((999, 7)),
            vec![Difference::NotAcknowledged(999), Difference::Sums { acknowledged: 2_006, listed: 2_013 }],
        ),
        (
            |answers| answers.lists[1].push((102, 502)),
            vec![Difference::ListedTwice(102), Difference::Sums { acknowledged: 2_006, listed: 2_508 }],
        ),
        (|answers| answers.lists[0][0].1 += 1, vec![Difference::Sums { acknowledged: 2_006, listed: 2_007 }]),
        (|answers| answers.left[29] = None, vec![Difference::ProductGone(30)]),
    ];
    let (carts, acknowledged) = story();
    for (number, (lie, differences)) in rows.into_iter().enumerate() {
        let mut answers = honest(&carts, &acknowledged);
        lie(&mut answers);
        let mut ledger = Ledger::new(&carts, &acknowledged);
        for (order, found) in acknowledged.iter().zip(&answers.orders) {
            ledger.order(order, found.as_ref());
        }
        for (user, list) in (0..).zip(&answers.lists) {
            ledger.list(user, list);
        }
        ledger.stock(&answers.left);
        assert_eq!(ledger.close().named, differences, "row {number}");
    }
}

#[test]
fn orders_that_were_answered_twice_and_units_that_were_not_there_are_named() {
    let (carts, mut acknowledged) = story();
    acknowledged[1].order_id = 100;
    let mut ledger = Ledger::new(&carts, &acknowledged);
    ledger.resolved(0, 3);
    let first = carts.cart(0, 0)[0];
    let mut left: Vec<_> = honest(&carts, &acknowledged).left;
    left[first.ware] = Some(Some(-1));
    ledger.stock(&left);
    let books = ledger.close();
    assert!(books.named.contains(&Difference::Twice(100)), "{books:?}");
    assert!(books.named.contains(&Difference::Unknown(3)), "{books:?}");
    let oversold = |difference: &Difference| matches!(difference, Difference::Oversold { product, .. } if *product == first.product_id);
    assert!(books.named.iter().any(oversold), "{books:?}");
    assert!(!books.balance());
}
