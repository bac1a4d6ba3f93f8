//! Lists of orders: every combination of conditions gives what a walk over all orders would.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use store_fixtures::*;

on_both!(conditions_combine, pages_follow_each_other, odd_cities_are_found);

const CITIES: [Option<&str>; 3] = [None, Some(" Campinas "), Some("São Paulo")];
const STATUSES: [OrderStatus; 2] = [OrderStatus::PendingPayment, OrderStatus::Paid];

/// 60 orders that differ in everything that can be asked for.
fn orders() -> Vec<OrderPlaced> {
    let pick = |id: u64, count: usize| usize::try_from(id).unwrap() % count;
    (1..=60)
        .map(|id| {
            let seller = 3 + id % 4;
            OrderPlaced {
                customer_id: CustomerId(40 + id % 5),
                status: *STATUSES.get(pick(id / 2, 2)).unwrap(),
                city: CITIES.get(pick(id, 3)).unwrap().map(Into::into),
                lines: vec![line(1, 7, seller, 1), line(2, 8, 3, 1)],
                sellers: if seller == 3 { vec![share(3)] } else { vec![share(seller), share(3)] },
                ..order(id)
            }
        })
        .collect()
}

fn matches(filter: &OrderFilter, order: &OrderPlaced, at: Timestamp) -> bool {
    filter.customer_id.is_none_or(|id| order.customer_id.get() == id)
        && filter.seller_id.is_none_or(|id| order.sellers.iter().any(|share| share.seller_id.get() == id))
        && filter.status.is_none_or(|status| order.status == status)
        && filter.city.as_ref().is_none_or(|city| order.city.as_deref().map(city_key) == Some(city_key(city)))
        && filter.from.is_none_or(|from| at >= from)
        && filter.to.is_none_or(|to| at < to)
        && filter.below.is_none_or(|below| order.order_id < below)
}

async fn conditions_combine(bed: &Bed) {
    let store = bed.ready().await;
    store.apply(&batch(0, orders().into_iter().map(placed))).await.unwrap();
    // Each bit of the number gives one condition.
    for bits in 0..128_u32 {
        let given = |bit: u32| bits & (1 << bit) != 0;
        let filter = OrderFilter {
            customer_id: given(0).then_some(42),
            seller_id: given(1).then_some(5),
            status: given(2).then_some(OrderStatus::Paid),
            city: given(3).then(|| "CAMPINAS".to_owned()),
            from: given(4).then(|| at(11)),
            to: given(5).then(|| Timestamp(at(50).0 - 1)),
            below: given(6).then_some(OrderId(46)),
            limit: 7,
        };
        let all = (1..).zip(orders()).map(|(seq, placed)| StoredOrder {
            status: placed.status,
            last_seq: seq,
            life: OrderLife::placed(&placed, at(seq)),
            placed,
            seq,
            at: at(seq),
        });
        let mut expected: Vec<_> = all.filter(|order| matches(&filter, &order.placed, order.at)).collect();
        expected.reverse();
        expected.truncate(7);
        let page = store.orders(&filter).await.unwrap();
        assert_eq!(page.as_of_seq, 60);
        assert_eq!(page.orders, expected, "{filter:?}");
    }
    for filter in [
        OrderFilter { from: Some(at(61)), limit: 9, ..OrderFilter::default() },
        OrderFilter { to: Some(at(1)), limit: 9, ..OrderFilter::default() },
        OrderFilter { customer_id: Some(1), limit: 9, ..OrderFilter::default() },
        OrderFilter { limit: 0, ..OrderFilter::default() },
    ] {
        assert_eq!(store.orders(&filter).await.unwrap().orders, [], "{filter:?}");
    }
}

async fn pages_follow_each_other(bed: &Bed) {
    let store = bed.ready().await;
    store.apply(&batch(0, orders().into_iter().map(placed))).await.unwrap();
    let mut filter = OrderFilter { seller_id: Some(3), limit: 17, ..OrderFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.orders(&filter).await.unwrap();
        let Some(last) = page.orders.last() else { break };
        filter.below = Some(last.placed.order_id);
        seen.extend(page.orders.iter().map(|order| order.placed.order_id.get()));
        // What comes in meanwhile is newer than the page: it does not shift the list.
        let newest = store.state().await.unwrap().checkpoint.seq;
        store.apply(&batch(newest, [placed(order(newest + 1))])).await.unwrap();
    }
    assert_eq!(seen, (1..=60).rev().collect::<Vec<u64>>());
}

async fn odd_cities_are_found(bed: &Bed) {
    let store = bed.ready().await;
    let cities = ["O'Fallon", "Back\\slash", "ÉVRY", "İzmir", "%", "a\\' OR 1=1 -- ", "ΑΘΗΝΑΣ", "Gießen"];
    let orders = (1..).zip(cities).map(|(id, city)| OrderPlaced { city: Some(city.into()), ..order(id) });
    store.apply(&batch(0, orders.map(placed))).await.unwrap();
    for (id, city) in (1..).zip(cities) {
        for asked in [city.to_owned(), format!("  {city} "), city.to_lowercase(), city.to_uppercase()] {
            let filter = OrderFilter { city: Some(asked), limit: 9, ..OrderFilter::default() };
            let page = store.orders(&filter).await.unwrap();
            let found: Vec<_> = page.orders.iter().map(|order| order.placed.order_id.get()).collect();
            assert_eq!(found, [id], "{filter:?}");
        }
    }
}
