//! The check of the books: asks the engine what became of everything that it acknowledged.

use super::books::{Acknowledged, Books, Found, Ledger};
use super::carts::Carts;
use super::catalogue::left;
use super::crew::{ask, ask_all};
use super::settings::LoadError;
use super::user::{Outcome, checkout, outcome_of};
use super::wire::{Call, Reply, Target, Wire};
use parking_lot::Mutex;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often a list is read again that is not complete yet, because the database is behind, and the pause between.
const LIST_TRIES: u32 = 1_200;
const LIST_PAUSE: Duration = Duration::from_millis(250);

#[derive(Deserialize)]
struct OrderAnswer {
    order_id: u64,
    customer_id: u64,
    total: i64,
    items: Vec<LineAnswer>,
}

#[derive(Deserialize)]
struct LineAnswer {
    product_id: u64,
    quantity: u64,
}

#[derive(Deserialize)]
struct ListAnswer {
    data: Vec<ListedOrder>,
    next_cursor: Option<String>,
    complete: Option<bool>,
}

#[derive(Deserialize)]
struct ListedOrder {
    order_id: u64,
    total: i64,
}

/// Goes through all of it.
pub async fn audit(
    target: &Arc<Target>,
    carts: &Arc<Carts>,
    mut acknowledged: Vec<Acknowledged>,
    unresolved: &[(u32, u32)],
) -> Result<Books, LoadError> {
    let unknown = resolve(target, carts, unresolved, &mut acknowledged).await?;
    let resolved = (unresolved.len() as u64).saturating_sub(unknown);
    let acknowledged: Arc<[Acknowledged]> = acknowledged.into();
    let mut ledger = Ledger::new(carts, &acknowledged);
    ledger.resolved(resolved, unknown);
    for (order, found) in acknowledged.iter().zip(look_up(target, &acknowledged).await?) {
        ledger.order(order, found.as_ref());
    }
    let users: BTreeSet<u32> = acknowledged.iter().map(|order| order.user).collect();
    for (user, orders) in read_lists(target, carts, users.into_iter().collect()).await? {
        ledger.list(user, &orders);
    }
    ledger.stock(&left(target, carts.wares()).await?);
    Ok(ledger.close())
}

/// Sends what has no known outcome again, under the same key. The number of those that stay unknown.
async fn resolve(
    target: &Arc<Target>,
    carts: &Carts,
    unresolved: &[(u32, u32)],
    acknowledged: &mut Vec<Acknowledged>,
) -> Result<u64, LoadError> {
    let mut wire = Wire::new(Arc::clone(target));
    let mut unknown = 0;
    for (user, number) in unresolved {
        let reply = ask(&mut wire, &checkout(carts, *user, *number)).await?;
        match outcome_of(*user, *number, &Ok(reply)) {
            Outcome::Placed(order) => acknowledged.push(order),
            Outcome::NotPlaced => {}
            Outcome::Unknown => unknown += 1,
        }
    }
    Ok(unknown)
}

async fn look_up(
    target: &Arc<Target>,
    acknowledged: &Arc<[Acknowledged]>,
) -> Result<Vec<Option<Found>>, LoadError> {
    let found: Arc<Mutex<Vec<Option<Found>>>> = Arc::new(Mutex::new(vec![None; acknowledged.len()]));
    let (asked, filled) = (Arc::clone(acknowledged), Arc::clone(&found));
    let question = move |place: usize| {
        Call::get(format!("/v1/orders/{}", asked.get(place).map_or(0, |order| order.order_id)))
    };
    let take = move |place: usize, reply: Reply| {
        if let Some(slot) = filled.lock().get_mut(place) {
            *slot = read(&reply);
        }
    };
    ask_all(target, acknowledged.len(), question, take).await?;
    let found = std::mem::take(&mut *found.lock());
    Ok(found)
}

fn read(reply: &Reply) -> Option<Found> {
    let order: OrderAnswer = serde_json::from_slice(&reply.body).ok().filter(|_| reply.status == 200)?;
    Some(Found {
        order_id: order.order_id,
        customer_id: order.customer_id,
        total: order.total,
        lines: order.items.iter().map(|line| (line.product_id, line.quantity)).collect(),
    })
}

type Lists = Vec<(u32, Vec<(u64, i64)>)>;

async fn read_lists(target: &Arc<Target>, carts: &Carts, users: Vec<u32>) -> Result<Lists, LoadError> {
    let mut wire = Wire::new(Arc::clone(target));
    let mut lists = Lists::with_capacity(users.len());
    for user in users {
        lists.push((user, read_list(&mut wire, carts.customer(user)).await?));
    }
    Ok(lists)
}

async fn read_list(wire: &mut Wire, customer: u64) -> Result<Vec<(u64, i64)>, LoadError> {
    let first = format!("/v1/orders?customer_id={customer}&limit=200");
    let (mut orders, mut path) = (Vec::new(), first.clone());
    loop {
        let page = read_page(wire, &path).await?;
        orders.extend(page.data.iter().map(|order| (order.order_id, order.total)));
        match page.next_cursor {
            Some(cursor) => path = format!("{first}&cursor={cursor}"),
            None => return Ok(orders),
        }
    }
}

/// A page that has everything: while the database is behind, it is asked for again.
async fn read_page(wire: &mut Wire, path: &str) -> Result<ListAnswer, LoadError> {
    for _ in 0..LIST_TRIES {
        let reply = ask(wire, &Call::get(path.to_owned())).await?;
        let page: ListAnswer =
            serde_json::from_slice(&reply.body).map_err(|error| LoadError::engine(path, error))?;
        if page.complete != Some(false) {
            return Ok(page);
        }
        tokio::time::sleep(LIST_PAUSE).await;
    }
    Err(LoadError::engine(path, "the lists are not complete after five minutes: the database is behind"))
}
