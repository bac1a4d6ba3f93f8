//! The checkpoint moves by compare-and-set, by one writer, and each event is written once.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use store_fixtures::*;

on_both!(
    a_new_store_is_empty_and_gets_an_identity,
    a_compare_and_set_without_a_row_has_four_answers,
    a_batch_whose_answer_was_lost_is_written_once,
    a_duplicate_of_our_own_key_is_not_papered_over,
    two_engines_do_not_write_one_store,
    an_older_epoch_is_fenced,
    keys_leave_the_window_oldest_first,
);

async fn a_new_store_is_empty_and_gets_an_identity(bed: &Bed) {
    let empty = StoreState { node: None, checkpoint: Checkpoint::default() };
    assert_eq!(bed.store.state().await.unwrap(), empty);
    assert_eq!(outcome(&bed.store.apply(&batch(0, [placed(order(1))])).await), "broken");
    bed.ready().await;
    let taken = StoreState { node: Some(NODE), checkpoint: Checkpoint { seq: 0, epoch: EPOCH } };
    assert_eq!(bed.store.state().await.unwrap(), taken);
    bed.store.migrate().await.unwrap();
    assert_eq!(bed.store.state().await.unwrap(), taken);
    assert_eq!(outcome(&bed.store.take_over(NodeId(1), EPOCH + 1).await), "broken");
    assert_eq!(outcome(&bed.store.take_over(NODE, EPOCH).await), "fenced");
    assert_eq!(outcome(&bed.store.take_over(NODE, EPOCH + 1).await), "ok");
}

async fn a_compare_and_set_without_a_row_has_four_answers(bed: &Bed) {
    let store = bed.ready().await;
    store.apply(&batch(0, (1..=10).map(|id| placed(order(id))))).await.unwrap();
    let attempt = |from, to, epoch| WriteBatch { from, to, epoch, ..WriteBatch::default() };
    for (from, to, epoch, expected) in [
        (5, 10, EPOCH, "ok"),
        (11, 12, EPOCH, "behind"),
        (9, 11, EPOCH, "broken"),
        (10, 12, EPOCH - 1, "fenced"),
        (10, 12, EPOCH + 1, "broken"),
        (10, 11, EPOCH, "ok"),
    ] {
        let result = store.apply(&attempt(from, to, epoch)).await;
        assert_eq!(outcome(&result), expected, "{from} to {to} of {epoch}: {result:?}");
    }
    let Err(StoreError::Behind { found, expected }) = store.apply(&attempt(20, 21, EPOCH)).await else {
        panic!("a store behind its engine must say so");
    };
    assert_eq!((found, expected), (11, 20));
}

async fn a_batch_whose_answer_was_lost_is_written_once(bed: &Bed) {
    let store = bed.ready().await;
    let stocked = batch(0, [put(product(7), StockChange::Counted(10)), placed(order(1)), adjust(7, 3)]);
    for _ in 0..3 {
        store.apply(&stocked).await.unwrap();
    }
    assert_eq!(store.products_page(0, 9).await.unwrap().products.first().unwrap().stock, Some(11));
    assert_eq!(store.keys(u64::MAX, 9).await.unwrap().len(), 1);
    assert_eq!(store.state().await.unwrap().checkpoint, Checkpoint { seq: 3, epoch: EPOCH });
}

async fn a_duplicate_of_our_own_key_is_not_papered_over(bed: &Bed) {
    let store = bed.ready().await;
    store.apply(&batch(0, [placed(order(1))])).await.unwrap();
    let again = batch(1, [placed(order(2)), placed(OrderPlaced { customer_id: CustomerId(1), ..order(1) })]);
    assert_eq!(outcome(&store.apply(&again).await), "broken");
    assert_eq!(store.order(OrderId(2)).await.unwrap(), None);
    assert_eq!(store.state().await.unwrap().checkpoint.seq, 1);
    store.apply(&batch(1, [placed(order(2))])).await.unwrap();
}

async fn two_engines_do_not_write_one_store(bed: &Bed) {
    let first = bed.ready().await;
    let second = bed.another().await;
    assert_eq!(outcome(&second.take_over(NODE, EPOCH + 1).await), "fenced");
    first.apply(&batch(0, [placed(order(1))])).await.unwrap();
    first.close().await;
    assert_eq!(outcome(&first.apply(&batch(1, [placed(order(2))])).await), "unavailable");
    until_ok(|| second.take_over(NODE, EPOCH + 1)).await;
    assert_eq!(second.state().await.unwrap().checkpoint, Checkpoint { seq: 1, epoch: EPOCH + 1 });
}

async fn an_older_epoch_is_fenced(bed: &Bed) {
    let store = bed.ready().await;
    let old = batch(0, [placed(order(1))]);
    store.take_over(NODE, EPOCH + 1).await.unwrap();
    assert_eq!(outcome(&store.apply(&old).await), "fenced");
    assert_eq!(store.order(OrderId(1)).await.unwrap(), None);
}

async fn keys_leave_the_window_oldest_first(bed: &Bed) {
    let store = bed.ready().await;
    let keyed = |id| OrderPlaced { idempotency: Some(claim(id)), ..order(id) };
    store.apply(&batch(0, (1..=10).map(|id| placed(keyed(id))))).await.unwrap();
    let rows = store.keys(u64::MAX, 3).await.unwrap();
    let expected =
        [10, 9, 8].map(|seq| KeyRow { seq, at: at(seq), claim: claim(seq), order_id: Some(OrderId(seq)) });
    assert_eq!(rows, expected);
    assert_eq!(store.keys(3, 9).await.unwrap().iter().map(|key| key.seq).collect::<Vec<_>>(), [2, 1]);
    let forgetting = WriteBatch { forget_keys_to: 8, ..batch(10, [adjust(7, 1)]) };
    store.apply(&forgetting).await.unwrap();
    let left = store.keys(u64::MAX, 99).await.unwrap();
    assert_eq!(left.iter().map(|key| key.seq).collect::<Vec<_>>(), [11, 10, 9]);
    assert_eq!(left.first().unwrap().order_id, None);
    // An order out of the window is whole but for its key.
    assert_eq!(store.order(OrderId(1)).await.unwrap().unwrap().placed, order(1));
    assert_eq!(store.order(OrderId(9)).await.unwrap().unwrap().placed, keyed(9));
}
