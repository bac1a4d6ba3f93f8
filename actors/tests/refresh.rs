//! The regular looks at the database (the sweep of everything, the look for changed rows) bring in what others changed,
//! and never bring back what the engine has changed since.

mod common;

use common::{World, open_store, wait_for};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Others changed both products, in the proper way, so that a look for changed rows finds them.
const OUTSIDE: &str = "UPDATE products SET price = 777, updated_at = '2030-01-01 00:00:00.000'";

/// A sweep that began after this call is over: what it read is in memory.
async fn swept(world: &World) {
    let pages = || world.store.product_pages.load(Ordering::SeqCst);
    let before = pages();
    wait_for("a whole sweep", async || pages() >= before + 3).await;
}

#[tokio::test]
async fn a_sweep_does_not_undo_a_change_that_the_store_does_not_have_yet() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = common::config(dir.path(), 2);
    config.product_ttl = Duration::from_millis(50);
    let world = World::on(dir, config).await;
    world.put(1, 100, Some(9)).await;
    world.drained().await;
    world.store.writes.close();
    world.put(1, 250, None).await;
    swept(&world).await;
    assert_eq!(world.price(1).await, 250);
    world.store.writes.open();
    world.drained().await;
    swept(&world).await;
    assert_eq!((world.price(1).await, world.available(1).await), (250, Some(9)));
    world.sql("UPDATE products SET price = 777, stock = 1000");
    wait_for("the change of others", async || world.price(1).await == 777).await;
    assert_eq!(world.available(1).await, Some(9), "but never their stock");
}

/// The look for changed rows has read both; then the engine changes product 1, which reaches the store or does not; then
/// the look comes back.
#[tokio::test]
async fn a_look_for_changed_rows_does_not_undo_what_was_changed_while_it_was_under_way() {
    for store_has_it in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut config = common::config(dir.path(), 2);
        config.cache_file = Some(dir.path().join("catalogue.cache"));
        let world = World::on(dir, config).await;
        world.put(1, 100, Some(9)).await;
        world.put(2, 100, Some(9)).await;
        world.drained().await;
        world.engine.snapshot().await.unwrap();
        let World { dir, config, engine, port, .. } = world;
        engine.stop(Duration::from_secs(10)).await;
        drop((engine, port));
        common::sql(dir.path(), OUTSIDE);
        let store = open_store(dir.path()).await;
        store.reads.close();
        // A start from the file looks at once for what others changed since.
        let world = World::on_store(dir, config, store).await;
        wait_for("the look", async || world.store.reads.is_held()).await;
        if !store_has_it {
            world.store.writes.close();
        }
        world.put(1, 250, None).await;
        if store_has_it {
            world.drained().await;
        }
        world.store.reads.open();
        wait_for("what others changed", async || world.price(2).await == 777).await;
        assert_eq!(world.price(1).await, 250, "the store has it: {store_has_it}");
        world.store.writes.open();
        world.drained().await;
    }
}
