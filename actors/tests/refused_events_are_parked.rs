//! Whatever the database refuses, each event is in its tables or parked, exactly once, and the stock is right.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::*;
use floodgate_actors::{CheckoutCommand, EngineError, Readiness};
use floodgate_persistence::journal::SplitMix64;
use floodgate_persistence::model::{CustomerId, OrderId};
use floodgate_persistence::store::OrderFilter;

const BAD: u64 = 666;

const REFUSE: &str = "CREATE TRIGGER refuse BEFORE INSERT ON orders WHEN NEW.customer_id = 666 \
                      BEGIN SELECT RAISE(ABORT, 'no such customer'); END";

fn of(customer: u64) -> CheckoutCommand {
    CheckoutCommand { customer_id: CustomerId(customer), ..cart(&[(1, 1)]) }
}

fn count(world: &World, table: &str) -> u64 {
    let connection = rusqlite::Connection::open(world.dir.path().join("store.db")).unwrap();
    let count: u32 =
        connection.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap();
    count.into()
}

fn stock(world: &World) -> i64 {
    let connection = rusqlite::Connection::open(world.dir.path().join("store.db")).unwrap();
    connection.query_row("SELECT stock FROM products WHERE id = 1", [], |row| row.get(0)).unwrap()
}

/// Orders, the bad ones at these places, all in as few batches as may be: the store is held meanwhile.
async fn place(world: &World, orders: u64, bad: &[u64]) -> Vec<u64> {
    world.store.writes.close();
    let mut ids = Vec::new();
    for number in 0..orders {
        let order = placed(world.checkout(of(if bad.contains(&number) { BAD } else { 42 })).await);
        if bad.contains(&number) {
            ids.push(order.order.order_id.get());
        }
    }
    world.store.writes.open();
    ids
}

fn parked_orders(world: &World) -> Vec<u64> {
    let (parked, _) = world.engine.parked(None, 10_000);
    let mut ids: Vec<u64> = parked.iter().filter_map(|event| Some(event.order_id?.get())).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn random_bad_rows_in_random_batches() {
    let seed = std::env::var("FLOODGATE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| std::process::id().into());
    println!("FLOODGATE_SEED={seed}");
    let mut random = SplitMix64::new(seed);
    for _ in 0..8 {
        let world = World::new(2).await;
        world.put(1, 100, Some(1000)).await;
        world.drained().await;
        world.sql(REFUSE);
        let orders = 1 + random.bits() % 120;
        let mut bad: Vec<u64> = (0..random.bits() % 11).map(|_| random.bits() % orders).collect();
        bad.sort_unstable();
        bad.dedup();
        let mut ids = place(&world, orders, &bad).await;
        ids.sort_unstable();
        world.drained().await;
        assert_eq!(parked_orders(&world), ids, "{bad:?} of {orders}");
        assert_eq!(count(&world, "parked_events"), ids.len() as u64);
        assert_eq!(count(&world, "orders"), orders - ids.len() as u64);
        assert_eq!(stock(&world), 1000 - i64::try_from(orders).unwrap());
        let all = world.engine.orders(OrderFilter { limit: 200, ..OrderFilter::default() }).await.unwrap();
        assert_eq!(all.orders.len() as u64, orders);
        let hash = world.engine.state_hash().await.unwrap();
        let world = world.restart(|_| {}).await;
        assert_eq!(world.engine.state_hash().await.unwrap(), hash, "timers of parked orders run on");
        for id in &ids {
            let order = world.engine.order(OrderId(*id)).await.unwrap().unwrap();
            assert!(!order.persisted);
        }
        world.sql("DROP TRIGGER refuse");
        for event in world.engine.parked(None, 100).0 {
            let retry = world.engine.retry_parked(event.seq).await.unwrap().unwrap();
            assert_eq!(retry.written, [event.seq]);
            assert_eq!(world.engine.retry_parked(event.seq).await.unwrap(), None);
        }
        assert_eq!((count(&world, "parked_events"), count(&world, "orders")), (0, orders));
        assert_eq!(stock(&world), 1000 - i64::try_from(orders).unwrap());
        world.engine.stop(std::time::Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn too_many_in_a_minute_stop_the_writer_and_not_the_shop() {
    let world = World::new(1).await;
    world.put(1, 100, Some(1000)).await;
    world.drained().await;
    world.sql(REFUSE);
    let bad: Vec<u64> = (0..11).map(|number| 2 * number).collect();
    place(&world, 30, &bad).await;
    wait_for("the writer to stop", async || world.engine.status().await.unwrap().writer.state == "stopped")
        .await;
    let status = world.engine.status().await.unwrap();
    assert_eq!(status.writer.parked, 10);
    assert!(status.writer.last_error.unwrap().contains("no such customer"));
    placed(world.checkout(of(42)).await);
    let Readiness::Ready { notes } = world.engine.readiness() else { panic!("not ready") };
    assert!(notes.iter().any(|note| note.contains("10 events are parked")), "{notes:?}");
    let again = world.engine.retry_parked(world.engine.parked(None, 1).0[0].seq).await;
    assert!(matches!(again, Err(EngineError::Unavailable(_))), "{again:?}");
    // Before the start: the next writer goes on at once, and must not meet it.
    world.sql("DROP TRIGGER refuse");
    let world = world.restart(|_| {}).await;
    world.drained().await;
    assert_eq!((count(&world, "orders"), stock(&world)), (21, 1000 - 31));
}

#[tokio::test]
async fn a_refused_product_keeps_its_new_terms_in_memory_and_its_old_ones_in_the_table() {
    let world = World::new(2).await;
    world.put(1, 100, Some(9)).await;
    world.drained().await;
    world.sql(
        "CREATE TRIGGER refuse BEFORE INSERT ON products WHEN NEW.price = 250 \
         BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    world.put(1, 250, Some(19)).await;
    world.put(1, 300, None).await;
    world.drained().await;
    let (parked, _) = world.engine.parked(None, 10);
    assert_eq!(parked.len(), 2, "a later put of the same product waits: {parked:?}");
    assert!(parked.iter().all(|event| event.order_id.is_none()));
    assert_eq!(stock(&world), 19, "its stock is applied");
    let world = world.restart(|_| {}).await;
    assert_eq!((world.price(1).await, world.available(1).await), (300, Some(19)));
    let scope = floodgate_actors::WarmupScope::All;
    world.engine.start_warmup(scope).await.unwrap().unwrap();
    wait_for("the warm-up", async || {
        world.engine.warmup().unwrap().state == floodgate_actors::WarmupState::Done
    })
    .await;
    assert_eq!(world.price(1).await, 300, "the table's old terms are not brought back");
    let retry = world.engine.retry_parked(parked[0].seq).await.unwrap().unwrap();
    assert_eq!(retry.written.len(), 2);
    assert_eq!(stock(&world), 19);
    let world = world.restart(|_| {}).await;
    assert_eq!((world.price(1).await, world.available(1).await), (300, Some(19)));
}
