//! The wall clock may jump by a day either way: ids, numbers and times stay right.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

mod common;
#[path = "../../tests/common/faults.rs"]
mod faults;

use common::{World, cart, config, keyed, placed};
use floodgate_persistence::journal::{self, RecoverFrom};
use floodgate_persistence::model::{Event, NodeId, Timestamp};
use std::time::Duration;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// An engine whose journal ends at `last_at`: what a run leaves whose clock stood there.
async fn world_after(last_at: Timestamp) -> World {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), 2);
    let recovery = journal::recover(&config.journal, RecoverFrom { node: None, checkpoint_seq: 0 }).unwrap();
    let mut writer = recovery.into_writer(NodeId(7)).unwrap();
    let mut frame = writer.frame_builder();
    frame.push(last_at, &Event::EngineStarted { epoch: 1 }).unwrap();
    writer.append(&mut frame).unwrap();
    drop(writer);
    World::on(dir, config).await
}

#[tokio::test]
async fn a_clock_that_was_set_back_changes_nothing() {
    for ahead in [-DAY_MS, 0, DAY_MS, 400 * DAY_MS] {
        let last_at = Timestamp::now().plus_millis(ahead);
        let world = world_after(last_at).await;
        world.put(1, 100, Some(50)).await;
        let mut before = last_at;
        for number in 1..=5 {
            let order = placed(world.checkout(keyed(&[(1, 1)], number)).await);
            let given = (order.order.order_id.get(), order.order.invoice.number, order.order.invoice.year);
            assert_eq!(given, (number.into(), number.into(), order.at.year()), "{ahead} ms ahead");
            assert!(order.at >= before, "{ahead} ms ahead: {:?} after {before:?}", order.at);
            assert_eq!(order.order.expires_at, Some(order.at.plus_millis(900_000)), "{ahead} ms ahead");
            before = order.at;
        }
        // The next run begins where time stood, and remembers the keys, whatever the clock says.
        let world = world.restart(|_| {}).await;
        assert!(placed(world.checkout(keyed(&[(1, 1)], 3)).await).replayed, "{ahead} ms ahead");
        let next = placed(world.checkout(cart(&[(1, 1)])).await);
        assert_eq!((next.order.order_id.get(), next.order.invoice.number), (6, 6), "{ahead} ms ahead");
        assert!(next.at >= before, "{ahead} ms ahead");
        world.engine.stop(Duration::from_secs(10)).await;
    }
    faults::report(
        21,
        "the wall clock is a day ahead of the last record, a day behind it, and 400 days behind it",
        4,
        None,
        "ids, invoice numbers and their years, times that never run back, timers, keys after a restart",
    );
}
