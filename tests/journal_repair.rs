//! `journal repair` is the way past damage: without `--yes` it changes nothing, with it the engine starts again, and
//! a store that has more than what remains is left to `journal resume`.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Engine, Store, cart, faults, shop_of};
use serde_json::Value;
use std::path::PathBuf;

/// A bit of the last byte of the first segment that is written, or of one so many bytes before.
fn flip(engine: &Engine, before_last: usize) -> PathBuf {
    let file = engine.dir().join("data/journal/journal-00000000000000000001.seg");
    let mut bytes = std::fs::read(&file).expect("a segment");
    let last = bytes.iter().rposition(|&byte| byte != 0).expect("records");
    bytes[last - before_last] ^= 0x10;
    std::fs::write(&file, bytes).expect("written");
    file
}

fn json(engine: &Engine, arguments: &[&str]) -> Value {
    let said = engine.program(arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
    serde_json::from_str(&said.stdout).expect("one object")
}

#[test]
fn damage_is_passed_by_word_only_and_the_loss_is_named() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 1, 1_000);
    engine.drain();
    // The store takes nothing more: what is bought now is in the journal alone.
    let held = engine.sql().hold_writes();
    let orders: Vec<Value> = (0..20).map(|_| client.buy(&cart(1, &[(1, 1)]))).collect();
    let refused = engine.program(&["journal", "repair", "--yes"]);
    assert_eq!(refused.code, Some(1), "beside a running engine: {refused:?}");
    engine.kill9();
    drop(held);
    let sound = engine.program(&["journal", "repair", "--yes"]);
    assert!(sound.code == Some(1) && sound.stderr.contains("sound"), "{sound:?}");
    let file = flip(&engine, 3_000);
    let damaged = std::fs::read(&file).expect("a segment");
    engine.spawn();
    assert_eq!(engine.ended().code(), Some(1));
    assert!(
        engine.log().join("\n").contains("journal repair"),
        "it says what to do: {:?}",
        engine.log().last()
    );

    let plan = json(&engine, &["journal", "repair", "--json"]);
    assert_eq!(plan["repaired"], false, "{plan}");
    assert_eq!(std::fs::read(&file).expect("a segment"), damaged, "without --yes nothing is changed");
    let done = json(&engine, &["journal", "repair", "--yes", "--json"]);
    assert_eq!(done["repaired"], true, "{done}");
    for field in ["damage", "lost", "first_lost_seq", "last_lost_seq", "readable_records", "order_ids"] {
        assert_eq!(done[field], plan[field], "{field}");
    }
    let copy =
        PathBuf::from(done["copies"].as_str().expect("copies")).join(file.file_name().expect("a name"));
    assert_eq!(std::fs::read(engine.dir().join(copy)).expect("a copy"), damaged);

    engine.restart();
    let kept_last = done["kept_last_seq"].as_u64().expect("a sequence");
    let (kept, lost): (Vec<&Value>, Vec<&Value>) =
        orders.iter().partition(|order| order["journal_seq"].as_u64().expect("a sequence") <= kept_last);
    assert!(!kept.is_empty() && lost.len() > 1, "{} kept, {} lost: {done}", kept.len(), lost.len());
    for order in &kept {
        engine.client().get(&format!("/v1/orders/{}", order["order_id"])).expect(200);
    }
    for order in &lost {
        engine.client().get(&format!("/v1/orders/{}", order["order_id"])).expect(404);
    }
    // All but the one with the flipped bit can be named.
    let named = done["order_ids"].as_array().expect("a list");
    assert!(lost.iter().skip(1).all(|order| named.contains(&order["order_id"])), "{done}");
    let sold = i64::try_from(kept.len()).expect("few");
    assert_eq!(engine.client().available(1), 1_000 - sold);
    faults::report(4, "journal repaired", 1, None, "dry run, copies, the loss named, kept orders, stock");
}

#[test]
fn a_store_with_more_than_what_remains_goes_on_by_resume() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 1, 1_000);
    let order = client.post_key("/v1/checkouts", "k", &cart(1, &[(1, 1)])).expect(201);
    engine.drain();
    engine.kill9();
    flip(&engine, 30);
    let said = engine.program(&["journal", "repair", "--yes"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("journal resume"), "{said:?}");
    engine.spawn();
    assert_eq!(engine.ended().code(), Some(1));
    assert!(engine.log().join("\n").contains("journal resume"), "{:?}", engine.log().last());
    assert_eq!(engine.program(&["journal", "resume", "--journal-is-lost"]).code, Some(0));
    engine.restart();
    assert_eq!(engine.client().post_key("/v1/checkouts", "k", &cart(1, &[(1, 1)])).expect(201), order);
}
