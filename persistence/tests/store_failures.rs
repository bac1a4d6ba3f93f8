//! What fails leaves nothing behind, is named rightly, and succeeds when it is tried again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod store_fixtures;

use common::MariaDb;
use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use mysql_async::prelude::Queryable;
use std::sync::Arc;
use std::time::Duration;
use store_fixtures::*;

on_both!(bad_data_is_refused_whole);

async fn bad_data_is_refused_whole(bed: &Bed) {
    let store = bed.ready().await;
    store.apply(&batch(0, [put(product(7), StockChange::Counted(5))])).await.unwrap();
    let long = |length| "x".repeat(length).into_boxed_str();
    let named = OrderLine { name: long(256), ..line(1, 7, 3, 1) };
    for (name, bad) in [
        ("line", placed(OrderPlaced { lines: vec![named], ..order(2) })),
        ("city", placed(OrderPlaced { city: Some(long(101)), ..order(2) })),
        ("email", placed(OrderPlaced { email: Some(long(255)), ..order(2) })),
        ("product", put(Product { name: long(256), ..product(8) }, StockChange::Unchanged)),
        ("stock", adjust(7, i64::MAX)),
    ] {
        let result = store.apply(&batch(1, [placed(order(1)), bad])).await;
        assert_eq!(outcome(&result), "refused", "{name}: {result:?}");
        assert_eq!(store.state().await.unwrap().checkpoint.seq, 1, "{name}");
        assert_eq!(store.order(OrderId(1)).await.unwrap(), None, "{name}");
    }
    store.apply(&batch(1, [placed(order(1))])).await.unwrap();
    let page = store.products_page(0, 9).await.unwrap();
    assert_eq!((page.as_of_seq, page.products.first().unwrap().stock), (2, Some(3)));
}

fn stocked() -> WriteBatch {
    batch(0, [put(product(7), StockChange::Counted(5)), put(product(8), StockChange::Counted(5))])
}

#[tokio::test]
async fn a_lock_that_another_holds_is_waited_for_and_then_retried() {
    let bed = Bed::on(MariaDb::shared(), Duration::from_secs(3)).await;
    let store = bed.ready().await;
    store.apply(&stocked()).await.unwrap();
    let mut other = bed.sql().await;
    other.query_drop("START TRANSACTION").await.unwrap();
    other.query_drop("UPDATE products SET stock = stock WHERE id = 7").await.unwrap();
    let selling = batch(2, [placed(order(1)), placed(order(2))]);
    assert_eq!(outcome(&store.apply(&selling).await), "unavailable");
    assert_eq!(store.state().await.unwrap().checkpoint.seq, 2);
    other.query_drop("ROLLBACK").await.unwrap();
    store.apply(&selling).await.unwrap();
    let page = store.products_by_id(&[ProductId(7)]).await.unwrap();
    assert_eq!((page.as_of_seq, page.products.first().unwrap().stock), (4, Some(1)));
}

#[tokio::test]
async fn the_victim_of_a_deadlock_writes_its_batch_again() {
    let server = Arc::new(MariaDb::start(&[]));
    let bed = Bed::on(server, Duration::from_secs(10)).await;
    let store = bed.ready().await;
    store.apply(&stocked()).await.unwrap();
    // Much to undo: the server ends the transaction that costs it least, so ours.
    let many: Vec<String> = (0..5000).map(|number| format!("('n{number}', 1)")).collect();
    let mut other = bed.sql().await;
    other.query_drop("START TRANSACTION").await.unwrap();
    other.query_drop(format!("INSERT INTO counters (name, value) VALUES {}", many.join(","))).await.unwrap();
    other.query_drop("UPDATE products SET stock = stock WHERE id = 7").await.unwrap();
    let selling = batch(2, [placed(order(1))]);
    let (result, ()) = tokio::join!(store.apply(&selling), async {
        until_ok(|| stock_statement_runs(&bed)).await;
        other.query_drop("UPDATE journal_checkpoint SET epoch = epoch").await.unwrap();
        other.query_drop("ROLLBACK").await.unwrap();
    });
    assert_eq!(outcome(&result), "unavailable");
    assert!(result.unwrap_err().to_string().contains("1213"));
    store.apply(&selling).await.unwrap();
    let page = store.products_by_id(&[ProductId(7)]).await.unwrap();
    assert_eq!((page.as_of_seq, page.products.first().unwrap().stock), (3, Some(3)));
}

#[tokio::test]
async fn a_lost_session_is_replaced_and_its_lock_taken_back() {
    let bed = Bed::mariadb().await;
    let store = bed.ready().await;
    store.apply(&stocked()).await.unwrap();
    let database = bed.config.url.rsplit('/').next().unwrap();
    let mut other = bed.sql().await;
    for round in 0..3 {
        let holder = format!("SELECT IS_USED_LOCK('floodgate.{database}')");
        let holder: Option<u64> = other.query_first(holder).await.unwrap();
        other.query_drop(format!("KILL {}", holder.unwrap())).await.unwrap();
        let selling = batch(2 + round, [placed(order(round + 1))]);
        until_ok(|| store.apply(&selling)).await;
    }
    // Taken in between by somebody else, it is not taken back.
    let holder = format!("SELECT IS_USED_LOCK('floodgate.{database}')");
    let holder: Option<u64> = other.query_first(holder).await.unwrap();
    other.query_drop(format!("KILL {}", holder.unwrap())).await.unwrap();
    let taken = format!("SELECT GET_LOCK('floodgate.{database}', 10)");
    assert_eq!(other.query_first::<u64, _>(taken).await.unwrap(), Some(1));
    let selling = batch(5, [placed(order(9))]);
    // The first answer may still be the news that the session is gone.
    let results = [store.apply(&selling).await, store.apply(&selling).await];
    assert_eq!(outcome(&results[1]), "fenced", "{results:?}");
    let page = store.products_by_id(&[ProductId(7)]).await.unwrap();
    assert_eq!((page.as_of_seq, page.products.first().unwrap().stock), (5, Some(-1)));
}

/// Whether the server has the batch's stock statement before it.
async fn stock_statement_runs(bed: &Bed) -> Result<(), StoreError> {
    let sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'UPDATE JSON_TABLE%'";
    match bed.sql().await.query_first::<u64, _>(sql).await.unwrap() {
        Some(1) => Ok(()),
        other => Err(StoreError::Unavailable(format!("{other:?} stock statements run"))),
    }
}

#[tokio::test]
async fn a_server_killed_in_the_middle_is_written_to_again_when_it_is_back() {
    let server = Arc::new(MariaDb::start(&[]));
    let bed = Bed::on(Arc::clone(&server), Duration::from_secs(3)).await;
    let store = bed.ready().await;
    store.apply(&stocked()).await.unwrap();
    let mut from = 2;
    for round in 0..3 {
        let large = batch(from, (1..=3000).map(|n| placed(order(round * 3000 + n))));
        from = large.to;
        // The batch waits at a row that another transaction holds, half of it sent: there the server dies.
        let mut other = bed.sql().await;
        other.query_drop("START TRANSACTION").await.unwrap();
        other.query_drop("UPDATE products SET stock = stock WHERE id = 7").await.unwrap();
        let (result, ()) = tokio::join!(store.apply(&large), async {
            until_ok(|| stock_statement_runs(&bed)).await;
            server.kill();
        });
        assert_eq!(outcome(&result), "unavailable");
        assert_eq!(outcome(&store.state().await), "unavailable");
        assert_eq!(outcome(&store.apply(&large).await), "unavailable");
        server.restart();
        until_ok(|| store.apply(&large)).await;
        let page = until_ok(|| store.products_by_id(&[ProductId(7)])).await;
        let sold = i64::try_from(2 * (from - 2)).unwrap();
        assert_eq!((page.as_of_seq, page.products.first().unwrap().stock), (from, Some(5 - sold)));
    }
}

#[tokio::test]
async fn large_batches_fit_through_a_small_packet() {
    let server = Arc::new(MariaDb::start(&["--max-allowed-packet=1M"]));
    let bed = Bed::on(server, Duration::from_secs(10)).await;
    let store = bed.ready().await;
    let wide = |id| {
        let named = |number| OrderLine { name: "\\'🎈".repeat(85).into(), ..line(number, 7, 3, 1) };
        placed(OrderPlaced {
            lines: (1..=5).map(named).collect(),
            delivery: Some("\\'".repeat(512).into()),
            ..order(id)
        })
    };
    store.apply(&batch(0, (1..=1500).map(wide))).await.unwrap();
    let mut other = bed.sql().await;
    let count: Option<(u64, u64)> = other
        .query_first("SELECT (SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM order_items)")
        .await
        .unwrap();
    assert_eq!(count, Some((1500, 7500)));
    let Event::OrderPlaced(expected) = wide(1500) else { panic!("an order") };
    assert_eq!(store.order(OrderId(1500)).await.unwrap().unwrap().placed, *expected);
}

#[tokio::test]
async fn readers_and_urls_fail_with_a_reason() {
    let server = MariaDb::shared();
    let with = |url: String| StoreConfig { connect_timeout: Duration::from_secs(2), ..StoreConfig::new(url) };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, expected) in [
        ("redis://x".to_owned(), "configuration"),
        ("nonsense".to_owned(), "configuration"),
        ("sqlite://".to_owned(), "configuration"),
        ("sqlite:///proc/no/such.db".to_owned(), "configuration"),
        ("mysql://root:geheim@127.0.0.1:1".to_owned(), "configuration"),
        ("mysql://root:geheim@127.0.0.1:x/d".to_owned(), "configuration"),
        (server.url("d").replace("root", "nobody:geheim"), "configuration"),
        (format!("mysql://root:geheim@127.0.0.1:{port}/d"), "unavailable"),
    ] {
        let result = open(&with(url.clone())).await.map(|store| store.describe());
        assert_eq!(outcome(&result), expected, "{url}: {result:?}");
        assert!(!format!("{result:?}").contains("geheim"), "{result:?}");
        assert!(!format!("{:?}", with(url)).contains("geheim"));
    }
    // Somebody who takes the connection and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let config = StoreConfig {
        connect_timeout: Duration::from_millis(100),
        ..StoreConfig::new(format!("mysql://root@127.0.0.1:{port}/d"))
    };
    assert_eq!(outcome(&open(&config).await.map(|_| ())), "unavailable");
}
