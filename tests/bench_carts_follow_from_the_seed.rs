//! The check of the books makes each cart again from its number: so carts must be what they were.

use floodgate::bench::{Carts, Shape, Wares};
use std::collections::BTreeSet;

fn shape(lines_min: u64, lines_max: u64, spread: Option<u64>, hot: bool) -> Shape {
    Shape { lines_min, lines_max, spread, hot }
}

#[test]
fn a_number_gives_the_same_cart_and_its_key_gives_the_number() {
    let carts = Carts::new(42, Wares::new(5_000), 4, shape(1, 10, None, false));
    let others = Carts::new(43, Wares::new(5_000), 4, shape(1, 10, None, false));
    for number in (0..2_000).chain([u64::MAX]) {
        assert_eq!(carts.command(number), carts.command(number));
        assert_eq!(carts.number_of(carts.claim(number)), Some(number));
        assert_eq!(others.number_of(carts.claim(number)), None, "keys of two runs are never the same");
    }
}

#[test]
fn lines_spread_and_hot_product_are_as_chosen() {
    for (lines_min, lines_max, spread, hot) in [
        (3, 3, None, false),
        (1, 10, None, false),
        (4, 4, Some(1), false),
        (4, 4, Some(2), false),
        (4, 4, Some(4), false),
        (3, 3, None, true),
        (4, 4, Some(2), true),
    ] {
        let wares = Wares::new(100_001);
        let carts = Carts::new(1, wares, 4, shape(lines_min, lines_max, spread, hot));
        let mut sizes = BTreeSet::new();
        for number in 0..2_000 {
            let ids: Vec<u64> = carts.items(number).iter().map(|item| item.product_id.get()).collect();
            let different: BTreeSet<_> = ids.iter().collect();
            let shards: BTreeSet<_> = ids.iter().map(|id| id % 4).collect();
            assert_eq!(different.len(), ids.len(), "no product twice: {ids:?}");
            assert!(ids.iter().all(|id| wares.product(*id).is_some()), "{ids:?}");
            assert!(spread.is_none_or(|spread| shards.len() as u64 == spread), "{spread:?}: {ids:?}");
            assert!(!hot || ids[0] == carts.hot_product().get(), "{ids:?}");
            sizes.insert(ids.len() as u64);
        }
        assert_eq!(sizes, (lines_min..=lines_max).collect(), "every number of lines occurs");
    }
}
