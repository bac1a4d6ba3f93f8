//! A start from the catalogue cache file ends in the same state as a start from the store, without reading the catalogue
//! from it; a file that is of no use does no harm.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{World, cart, config, keyed, placed, seller, wait_for};
use floodgate_actors::{CheckoutOutcome, EngineError};
use floodgate_persistence::catalogue_file::{CatalogueFileReader, CatalogueFileWriter, CopiedFrom};
use floodgate_persistence::journal;
use floodgate_persistence::model::{NodeId, ProductId, Seller, Timestamp};
use floodgate_persistence::store::CatalogueChunk;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

fn file_in(dir: &Path) -> PathBuf {
    dir.join("catalogue.cache")
}

async fn world(shards: usize) -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), shards);
    config.cache_file = Some(file_in(dir.path()));
    World::on(dir, config).await
}

/// Ends the engine without draining, as a kill does, and starts another.
async fn kill_and_restart(world: World, meanwhile: impl FnOnce(&Path)) -> World {
    let World { dir, config, engine, .. } = world;
    engine.stop(Duration::ZERO).await;
    drop(engine);
    meanwhile(dir.path());
    World::on(dir, config).await
}

fn came_from_file(world: &World) -> bool {
    world.store.product_pages.load(Ordering::SeqCst) == 0
}

async fn hash(world: &World) -> u64 {
    world.engine.state_hash().await.unwrap()
}

async fn adjust(world: &World, id: u64, delta: i64) {
    world.engine.adjust_stock(ProductId(id), delta, "counted".into(), None).await.unwrap();
}

fn outside_product(world: &World, id: u64) {
    world.sql(&format!(
        "INSERT INTO products (id, seller_id, name, price, currency, digital, stock, active, updated_at) \
         VALUES ({id}, 1, 'From outside', 777, 'USD', 0, 50, 1, '2026-01-01 00:00:00.000')"
    ));
}

/// Every kind of change, to products that the file has and to products that it does not have.
async fn change_everything(world: &World, round: u64) {
    let key = u8::try_from(round).unwrap() * 10;
    placed(world.checkout(keyed(&[(1, 1), (2, 2), (3, 3)], key)).await);
    // New terms; a new stock; a new product, counted and not; counted from here on; a correction.
    world.put(1, 100 + i64::try_from(round).unwrap(), None).await;
    world.put(2, 200, Some(70)).await;
    world.put(30 + round, 300, Some(9)).await;
    world.put(40 + round, 400, None).await;
    world.put(5 + round, 500, Some(12)).await;
    adjust(world, 3, -4).await;
    let changed = Seller { commission_bps: 1000 + u32::try_from(round).unwrap(), ..seller(2) };
    world.engine.put_sellers(vec![changed]).await.unwrap();
    placed(world.checkout(keyed(&[(5 + round, 2), (30 + round, 1), (40 + round, 5)], key + 1)).await);
}

/// The records up to the checkpoint are in the store, those behind it only in the journal: the one kind must reach the
/// products only, the other everything.
#[tokio::test]
async fn a_start_from_the_file_equals_the_state_before_the_kill() {
    let world = world(3).await;
    for id in 1..=20 {
        world.put(id, 100, (!(6..=9).contains(&id)).then_some(100)).await;
    }
    world.drained().await;
    let info = world.engine.snapshot().await.unwrap();
    assert_eq!((info.products, info.sellers), (20, 1));
    assert_eq!(info.bytes, file_in(world.dir.path()).metadata().unwrap().len());

    change_everything(&world, 1).await;
    outside_product(&world, 50);
    outside_product(&world, 51);
    outside_product(&world, 52);
    placed(world.checkout(keyed(&[(50, 7)], 1)).await);
    world.drained().await;
    world.store.writes.close();
    change_everything(&world, 2).await;
    let last = placed(world.checkout(keyed(&[(50, 2), (51, 3), (31, 1)], 2)).await);
    adjust(&world, 51, 5).await;
    world.put(52, 999, None).await;
    world.put(41, 411, Some(3)).await;
    placed(world.checkout(cart(&[(52, 1), (41, 1)])).await);
    let (before, open) = (hash(&world).await, world.engine.status().await.unwrap().open_orders);

    let world = kill_and_restart(world, |_| {}).await;
    assert!(came_from_file(&world));
    assert_eq!(hash(&world).await, before);
    assert_eq!(world.available(51).await, Some(52));
    assert_eq!((world.price(52).await, world.available(52).await), (999, Some(49)));
    assert_eq!(world.engine.status().await.unwrap().open_orders, open);
    let again = placed(world.checkout(keyed(&[(50, 2), (51, 3), (31, 1)], 2)).await);
    assert_eq!((again.replayed, &again.order), (true, &last.order));
    world.drained().await;

    let world = world.restart(|dir| std::fs::remove_file(file_in(dir)).unwrap()).await;
    assert!(!came_from_file(&world));
    assert_eq!(hash(&world).await, before, "what was written to the store is the same");
}

/// What the file's journal brought does not keep newer rows of the store out.
#[tokio::test]
async fn changes_of_others_come_in_after_a_start_from_the_file() {
    let world = world(2).await;
    world.put(1, 100, Some(9)).await;
    world.drained().await;
    world.engine.snapshot().await.unwrap();
    world.put(1, 200, None).await;
    world.drained().await;
    let world = kill_and_restart(world, |dir| {
        let connection = rusqlite::Connection::open(dir.join("store.db")).unwrap();
        let changes = "UPDATE products SET price = 300, updated_at = '2099-01-01 00:00:00.000'; \
                       UPDATE sellers SET active = 0;";
        connection.execute_batch(changes).unwrap();
    })
    .await;
    assert!(came_from_file(&world));
    wait_for("the product", async || world.price(1).await == 300).await;
    wait_for("the seller", async || {
        matches!(world.checkout(cart(&[(1, 1)])).await, CheckoutOutcome::Refused(_))
    })
    .await;
}

type Spoil = fn(&Path);

/// Each of these files is of no use. It stays as it is, and the store is read.
#[tokio::test]
async fn a_file_of_no_use_is_not_used() {
    let damage: [(&str, Spoil); 5] = [
        ("a byte changed in the middle", |dir| {
            let mut bytes = std::fs::read(file_in(dir)).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(file_in(dir), bytes).unwrap();
        }),
        ("cut off", |dir| {
            let bytes = std::fs::read(file_in(dir)).unwrap();
            std::fs::write(file_in(dir), &bytes[..bytes.len() - 1]).unwrap();
        }),
        ("empty", |dir| std::fs::write(file_in(dir), "").unwrap()),
        ("of another identity", |dir| forge(dir, |from| from.node = NodeId(from.node.0 ^ 1))),
        ("ahead of the store", |dir| forge(dir, |from| from.as_of_seq = 1_000)),
    ];
    for (what, spoil) in damage {
        let world = world(2).await;
        world.put(1, 100, Some(9)).await;
        world.drained().await;
        world.engine.snapshot().await.unwrap();
        placed(world.checkout(cart(&[(1, 2)])).await);
        let before = hash(&world).await;
        let mut spoiled = Vec::new();
        let world = kill_and_restart(world, |dir| {
            spoil(dir);
            spoiled = std::fs::read(file_in(dir)).unwrap();
        })
        .await;
        assert!(!came_from_file(&world), "{what}");
        assert_eq!(hash(&world).await, before, "{what}");
        assert_eq!(std::fs::read(file_in(world.dir.path())).unwrap(), spoiled, "{what}: left as it is");
    }
}

/// An empty catalogue, so that nobody could miss that it is used.
fn forge(dir: &Path, change: fn(&mut CopiedFrom)) {
    let mut from = CatalogueFileReader::open(&file_in(dir)).unwrap().unwrap().copied_from();
    change(&mut from);
    let mut writer = CatalogueFileWriter::create(&file_in(dir), &from).unwrap();
    writer.push(&CatalogueChunk::default()).unwrap();
    writer.finish().unwrap();
}

#[tokio::test]
async fn a_file_whose_records_are_gone_is_not_used() {
    let world = world(2).await;
    world.put(1, 100, Some(9)).await;
    world.drained().await;
    world.engine.snapshot().await.unwrap();
    placed(world.checkout(cart(&[(1, 2)])).await);
    world.drained().await;
    let (before, status) = (hash(&world).await, world.engine.status().await.unwrap());
    let journal = world.config.journal.clone();
    let world = kill_and_restart(world, |_| {
        let node = journal::inspect(&journal.dir).unwrap().node.unwrap();
        std::fs::remove_dir_all(&journal.dir).unwrap();
        journal::resume(&journal, node, status.writer.checkpoint_seq).unwrap();
    })
    .await;
    assert!(!came_from_file(&world));
    assert_eq!(hash(&world).await, before);
}

/// The store has these records: that the journal's copy of them is damaged must not stop a start.
#[tokio::test]
async fn a_file_whose_records_are_damaged_is_not_used() {
    let world = world(2).await;
    world.put(1, 100, Some(1_000)).await;
    world.drained().await;
    world.engine.snapshot().await.unwrap();
    for _ in 0..300 {
        placed(world.checkout(cart(&[(1, 1)])).await);
    }
    world.drained().await;
    let before = hash(&world).await;
    let segment = world.config.journal.dir.join("journal-00000000000000000001.seg");
    let spoil = |_: &Path| {
        let mut bytes = std::fs::read(&segment).unwrap();
        bytes[40_000..40_100].fill(0xAA);
        std::fs::write(&segment, bytes).unwrap();
    };
    let world = kill_and_restart(world, spoil).await;
    assert!(!came_from_file(&world));
    assert_eq!(hash(&world).await, before);
}

/// One at a time; who comes later gets the same one; who goes away changes nothing.
#[tokio::test]
async fn a_snapshot_belongs_to_the_engine() {
    let world = world(1).await;
    world.put(1, 100, Some(9)).await;
    world.drained().await;
    world.store.snapshots.close();
    let begin = || {
        let engine = world.engine.clone();
        tokio::spawn(async move { engine.snapshot().await })
    };
    let gone = begin();
    wait_for("the snapshot to begin", async || world.store.snapshots.is_held()).await;
    gone.abort();
    let (one, other) = (begin(), begin());
    placed(world.checkout(cart(&[(1, 1)])).await);
    world.store.snapshots.open();
    let (one, other) = (one.await.unwrap().unwrap(), other.await.unwrap().unwrap());
    assert_eq!(one, other);
    assert_eq!(world.store.snapshots_begun.load(Ordering::SeqCst), 1);
    world.engine.snapshot().await.unwrap();
    assert_eq!(world.store.snapshots_begun.load(Ordering::SeqCst), 2, "the next one is a new one");
}

#[tokio::test]
async fn a_graceful_stop_leaves_a_file_for_the_next_start() {
    let world = world(2).await;
    world.put(1, 100, Some(9)).await;
    let before = hash(&world).await;
    let world = world.restart(|dir| assert!(file_in(dir).exists())).await;
    assert!(came_from_file(&world));
    assert_eq!(hash(&world).await, before);
    let taken_at =
        |dir: &Path| CatalogueFileReader::open(&file_in(dir)).unwrap().unwrap().copied_from().taken_at;
    let first: Timestamp = taken_at(world.dir.path());
    let world = world.restart(|_| {}).await;
    assert_eq!(taken_at(world.dir.path()), first, "one that is hardly behind is kept");
}

/// A stop that has no time for the file gives it up and leaves nothing half-done.
#[tokio::test]
async fn a_stop_waits_for_the_file_only_so_long() {
    let world = world(1).await;
    world.put(1, 100, Some(9)).await;
    world.drained().await;
    world.store.snapshots.close();
    world.engine.stop(Duration::from_millis(300)).await;
    assert!(world.store.snapshots_begun.load(Ordering::SeqCst) > 0);
    assert!(!file_in(world.dir.path()).exists());
}

#[tokio::test]
async fn without_a_place_for_it_there_is_none() {
    let world = World::new(1).await;
    assert!(matches!(world.engine.snapshot().await, Err(EngineError::SwitchedOff(_))));
}
