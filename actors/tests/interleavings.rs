//! The four rules that carry everything: each interleaving that they exclude is brought about here, and does no harm.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

mod common;
#[path = "../../tests/common/faults.rs"]
mod faults;

use common::{World, cart, keyed, placed, product, refused, wait_for};
use floodgate_actors::{AdjustOutcome, CheckoutCommand, CheckoutOutcome, Engine, WarmupScope, WarmupState};
use floodgate_persistence::model::ProductId;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Rule ii: what an event brings can be bought only when the event is durable.
#[tokio::test]
async fn stock_that_comes_cannot_be_sold_before_it_is_durable() {
    let world = World::new(1).await;
    world.put(1, 100, Some(1)).await;
    world.disk.syncs.close();
    let engine = world.engine.clone();
    let adding =
        tokio::spawn(async move { engine.adjust_stock(ProductId(1), 5, "found".into(), None).await });
    wait_for("the sync of the adjustment", async || world.disk.syncs.is_held()).await;
    assert_eq!(world.available(1).await, Some(1));
    assert_eq!(refused(world.checkout(cart(&[(1, 3)])).await), ["insufficient_stock"]);
    world.disk.syncs.open();
    assert!(matches!(adding.await.unwrap().unwrap(), AdjustOutcome::Adjusted { available: Some(6), .. }));
    placed(world.checkout(cart(&[(1, 3)])).await);
    assert_eq!(world.available(1).await, Some(3));
}

/// Rule ii, the other half: what leaves is taken before its event goes to the journal.
#[tokio::test]
async fn stock_that_leaves_is_taken_before_it_is_durable() {
    let world = World::new(1).await;
    world.put(1, 100, Some(5)).await;
    world.disk.syncs.close();
    let (engine, first) = (world.engine.clone(), world.begin_checkout(cart(&[(1, 2)])));
    let taking =
        tokio::spawn(async move { engine.adjust_stock(ProductId(1), -2, "broken".into(), None).await });
    wait_for("both to be taken", async || world.available(1).await == Some(1)).await;
    assert_eq!(refused(world.checkout(cart(&[(1, 2)])).await), ["insufficient_stock"]);
    world.disk.syncs.open();
    placed(first.await.unwrap());
    assert!(matches!(taking.await.unwrap().unwrap(), AdjustOutcome::Adjusted { available: Some(1), .. }));
}

/// A warm-up that reads the store while it lags behind an admin change does not bring the old terms back.
#[tokio::test]
async fn a_warm_up_does_not_undo_a_change_that_the_store_does_not_have_yet() {
    let world = World::new(2).await;
    world.put(1, 100, Some(9)).await;
    world.drained().await;
    world.store.writes.close();
    world.put(1, 250, None).await;
    warm_up(&world).await;
    assert_eq!(world.price(1).await, 250);
    world.store.writes.open();
    world.drained().await;
    warm_up(&world).await;
    assert_eq!((world.price(1).await, world.available(1).await), (250, Some(9)));
}

/// The same, where the read began before the change and comes back after the store has caught up with it.
#[tokio::test]
async fn a_read_that_began_before_a_change_is_not_used_after_it() {
    let world = World::new(1).await;
    world.put(1, 100, Some(9)).await;
    world.drained().await;
    world.store.reads.close();
    world.engine.start_warmup(WarmupScope::All).await.unwrap().unwrap();
    wait_for("the warm-up to have read", async || world.store.reads.is_held()).await;
    world.put(1, 250, None).await;
    world.drained().await;
    world.store.reads.open();
    wait_for("the warm-up", async || world.engine.warmup().unwrap().state == WarmupState::Done).await;
    assert_eq!(world.price(1).await, 250);
}

/// What another program changes in the database comes in, but never its stock.
#[tokio::test]
async fn a_warm_up_brings_in_terms_from_outside_and_leaves_stock_alone() {
    let world = World::new(1).await;
    world.put(1, 100, Some(9)).await;
    placed(world.checkout(cart(&[(1, 4)])).await);
    world.drained().await;
    world.sql(
        "UPDATE products SET price = 300, stock = 1000, updated_at = '2030-01-01 00:00:00.000' WHERE id = 1",
    );
    warm_up(&world).await;
    assert_eq!((world.price(1).await, world.available(1).await), (300, Some(5)));
}

/// A stock given for a known product counts what checkouts under way hold.
#[tokio::test]
async fn a_stock_upsert_counts_what_checkouts_under_way_hold() {
    for (stock, after) in [(10, Some(7)), (20, Some(17)), (5, Some(2)), (3, Some(0)), (2, None)] {
        let world = World::new(1).await;
        world.put(1, 100, Some(10)).await;
        world.put(2, 100, Some(10)).await;
        world.disk.syncs.close();
        let under_way = world.begin_checkout(cart(&[(1, 3)]));
        wait_for("the checkout to take", async || world.available(1).await == Some(7)).await;
        let engine = world.engine.clone();
        // The second row shows when the first has been prepared: its piece leaves at once.
        let rows = vec![product(1, 100, Some(stock)), product(2, 100, Some(9))];
        let putting = tokio::spawn(async move { engine.put_products(rows).await });
        wait_for("the upsert to be prepared", async || world.available(2).await == Some(9)).await;
        world.disk.syncs.open();
        placed(under_way.await.unwrap());
        let outcome = putting.await.unwrap().unwrap();
        let codes: Vec<_> = outcome.rejected.iter().map(|row| (row.row, row.code)).collect();
        match after {
            Some(left) => {
                assert_eq!((codes, world.available(1).await), (vec![], Some(left)), "stock {stock}")
            }
            None => assert_eq!(codes, [(0, "insufficient_stock")], "stock {stock}"),
        }
        world.drained().await;
        let hash = world.engine.state_hash().await.unwrap();
        let world = world.restart(|_| {}).await;
        assert_eq!(world.engine.state_hash().await.unwrap(), hash, "stock {stock}");
    }
}

/// A journey that misses a product gives back what it took while it waits, and begins again.
#[tokio::test]
async fn a_miss_in_mid_journey_holds_nothing_while_it_waits() {
    let world = World::new(2).await;
    world.put(2, 100, Some(1)).await;
    world.drained().await;
    world.sql(OUTSIDE_PRODUCT_3);
    world.store.reads.close();
    let missing = world.begin_checkout(cart(&[(2, 1), (3, 1)]));
    wait_for("the read-through", async || world.store.reads.is_held()).await;
    assert_eq!(world.available(2).await, Some(1), "given back while it waits");
    placed(world.checkout(cart(&[(2, 1)])).await);
    world.store.reads.open();
    assert_eq!(refused(missing.await.unwrap()), ["insufficient_stock"]);
    assert_eq!((world.available(2).await, world.available(3).await), (Some(0), Some(50)));
    let order = placed(world.checkout(cart(&[(3, 2)])).await);
    assert_eq!(order.order.total.0, 2 * 777);
    assert_eq!(world.available(3).await, Some(48));
}

const OUTSIDE_PRODUCT_3: &str = "INSERT INTO products (id, seller_id, name, price, currency, digital, stock, active, \
                                 updated_at) VALUES (3, 1, 'From outside', 777, 'USD', 0, 50, 1, \
                                 '2026-01-01 00:00:00.000')";

/// With the store away, a product that is not in memory is «not ready», not «unknown».
#[tokio::test]
async fn a_miss_with_the_store_away_is_not_a_refusal() {
    let world = World::new(2).await;
    world.put(2, 100, Some(1)).await;
    world.store.fail_reads.store(true, Ordering::SeqCst);
    let outcome = world.checkout(keyed(&[(2, 1), (99, 1)], 7)).await;
    assert!(matches!(outcome, CheckoutOutcome::Unavailable(_)), "{outcome:?}");
    assert_eq!(world.available(2).await, Some(1));
    world.store.fail_reads.store(false, Ordering::SeqCst);
    assert_eq!(
        refused(world.checkout(keyed(&[(2, 1), (99, 1)], 7)).await),
        ["unknown_product"],
        "the key was let go"
    );
}

/// Invented ids do not hammer the store.
#[tokio::test]
async fn an_unknown_id_is_asked_for_once() {
    let world = World::new(1).await;
    world.put(1, 100, Some(1)).await;
    let before = world.store.reads_by_id.load(Ordering::SeqCst);
    for _ in 0..20 {
        assert_eq!(refused(world.checkout(cart(&[(99, 1)])).await), ["unknown_product"]);
    }
    assert_eq!(world.store.reads_by_id.load(Ordering::SeqCst) - before, 1);
    world.put(99, 5, None).await;
    placed(world.checkout(cart(&[(99, 1)])).await);
}

/// Rule iv: a client that goes away leaves a whole order behind, and a key that finds it.
#[tokio::test]
async fn a_client_gone_in_mid_checkout_changes_nothing() {
    let world = World::new(1).await;
    world.put(1, 100, Some(10)).await;
    world.disk.syncs.close();
    let gone = world.begin_checkout(keyed(&[(1, 3)], 1));
    wait_for("the sync", async || world.disk.syncs.is_held()).await;
    gone.abort();
    assert!(matches!(world.checkout(keyed(&[(1, 3)], 1)).await, CheckoutOutcome::KeyInProgress));
    world.disk.syncs.open();
    wait_for("the order to be durable", async || world.engine.status().await.unwrap().in_flight == 0).await;
    let again = placed(world.checkout(keyed(&[(1, 3)], 1)).await);
    assert!(again.replayed);
    assert_eq!(world.available(1).await, Some(7));
}

/// Rule i: what memory needs of the past is in the store, not only in the journal.
#[tokio::test]
async fn keys_timers_and_counters_outlive_the_segments() {
    let world = World::new(2).await;
    world.put(1, 100, Some(100)).await;
    world.put(2, 100, Some(100)).await;
    let mut orders = Vec::new();
    for key in 1..=40 {
        orders.push(placed(world.checkout(keyed(&[(1, 1), (2, 2)], key)).await));
    }
    world.drained().await;
    let (status, hash) = (world.engine.status().await.unwrap(), world.engine.state_hash().await.unwrap());
    let journal = world.config.journal.clone();
    let world = world
        .restart(|_| {
            let store_seq = status.writer.checkpoint_seq;
            let node = floodgate_persistence::journal::inspect(&journal.dir).unwrap().node.unwrap();
            std::fs::remove_dir_all(&journal.dir).unwrap();
            floodgate_persistence::journal::resume(&journal, node, store_seq).unwrap();
        })
        .await;
    assert_eq!(world.engine.state_hash().await.unwrap(), hash);
    assert_eq!(world.engine.status().await.unwrap().open_orders, 40);
    let again = placed(world.checkout(keyed(&[(1, 1), (2, 2)], 17)).await);
    assert!(again.replayed);
    assert_eq!((&again.order, again.seq, again.at), (&orders[16].order, orders[16].seq, orders[16].at));
    let next = placed(world.checkout(keyed(&[(1, 1), (2, 2)], 41)).await);
    assert_eq!((next.order.order_id.get(), next.order.invoice.number), (41, 41));
    assert!(next.at >= orders[39].at);
}

/// Invariant 6: after a sync failed nothing is acknowledged any more, and everybody is told «unknown».
#[tokio::test]
async fn a_failed_sync_is_the_end() {
    let world = World::new(1).await;
    world.put(1, 100, Some(10)).await;
    let before = placed(world.checkout(keyed(&[(1, 1)], 1)).await);
    world.disk.fail_syncs.store(true, Ordering::SeqCst);
    assert!(matches!(world.checkout(keyed(&[(1, 1)], 2)).await, CheckoutOutcome::Unknown));
    assert!(world.engine.failed().await.contains("a sync that fails on purpose"));
    world.disk.fail_syncs.store(false, Ordering::SeqCst);
    assert!(world.engine.admit(1).is_err(), "a sync that would succeed now changes nothing");
    let world = world.restart(|_| {}).await;
    let again = placed(world.checkout(keyed(&[(1, 1)], 1)).await);
    assert_eq!((again.replayed, again.order), (true, before.order));
    let checked = "outcome unknown, nothing more is taken, what was acknowledged is there after a start";
    faults::report(5, "a sync under the running engine that fails once", 1, None, checked);
}

/// A burst that fills whole frames while a sync is under way: the journal goes on with the rest.
#[tokio::test]
async fn a_burst_larger_than_a_frame_is_answered_to_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = common::config(dir.path(), 1);
    config.journal.segment_bytes = 1 << 20;
    let world = World::on(dir, config).await;
    world.put(1, 100, None).await;
    let note: Box<str> = format!("{{\"note\":\"{}\"}}", "x".repeat(900)).into();
    for round in 0..3 {
        world.disk.syncs.close();
        let carts = (0..600).map(|_| CheckoutCommand { delivery: Some(note.clone()), ..cart(&[(1, 1)]) });
        let burst: Vec<_> = carts.map(|command| world.begin_checkout(command)).collect();
        wait_for("the first sync", async || world.disk.syncs.is_held()).await;
        world.disk.syncs.open();
        for checkout in burst {
            let answered = tokio::time::timeout(Duration::from_secs(30), checkout).await;
            placed(answered.unwrap_or_else(|_| panic!("round {round}: no answer")).unwrap());
        }
    }
}

/// Invariant 12: an engine that is still writing to the store keeps others off, to its last batch.
#[tokio::test]
async fn no_engine_starts_while_another_one_drains() {
    let world = World::new(1).await;
    world.put(1, 100, Some(10)).await;
    world.drained().await;
    world.store.writes.close();
    placed(world.checkout(cart(&[(1, 4)])).await);
    wait_for("the batch", async || world.store.writes.is_held()).await;
    let draining = world.engine.clone();
    let stopping = tokio::spawn(async move { draining.stop(Duration::from_secs(20)).await });
    wait_for("the stop", async || world.engine.admit(1).is_err()).await;
    for _ in 0..20 {
        let second = Engine::start(world.config.clone(), world.store.clone()).await;
        let why = second.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            why.starts_with("journal:"),
            "kept off by the journal's lock, before it reads anything: {why:?}"
        );
    }
    world.store.writes.open();
    assert_eq!(stopping.await.unwrap(), 0);
    let World { dir, config, engine, port, .. } = world;
    drop((engine, port));
    let world = World::on(dir, config).await;
    assert_eq!(world.available(1).await, Some(6));
}

async fn warm_up(world: &World) {
    world.engine.start_warmup(WarmupScope::All).await.unwrap().unwrap();
    wait_for("the warm-up", async || world.engine.warmup().unwrap().state != WarmupState::Running).await;
    assert_eq!(world.engine.warmup().unwrap().state, WarmupState::Done);
}
