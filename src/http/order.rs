use super::access::Caller;
use super::error::{ErrorCode, Failure};
use super::order_json::{OrderJson, as_text};
use super::order_query::{OrderQuery, cursor, path_id, read_query};
use super::shop::{Shop, ok};
use axum::extract::{Path, State};
use axum::http::{Extensions, Uri};
use axum::response::Response;
use floodgate_actors::rules::part_of;
use floodgate_actors::{OrderEventView, OrderListView, OrderView};
use floodgate_persistence::model::{OrderId, SellerId, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A page of orders, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderPage)]
pub(super) struct OrderPageJson<'a> {
    #[serde(serialize_with = "orders")]
    #[schema(value_type = Vec<OrderJson>)]
    data: &'a OrderListView,
    /// What to ask the next page with; `null`: there is none.
    next_cursor: Option<String>,
    /// `false`: orders journalled after `as_of_seq` may be missing. Absent where the list is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_seq: Option<u64>,
}

impl<'a> OrderPageJson<'a> {
    fn new(page: &'a OrderListView) -> Self {
        Self {
            data: page,
            next_cursor: page.next_below.map(cursor),
            complete: page.incomplete_as_of.map(|_| false),
            as_of_seq: page.incomplete_as_of,
        }
    }
}

fn orders<S: Serializer>(page: &OrderListView, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(page.orders.iter().map(OrderJson::now))
}

/// The history of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderHistory)]
pub(super) struct HistoryJson {
    data: Vec<EventJson>,
}

/// Something that happened to an order.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderEvent)]
pub(super) struct EventJson {
    /// Sequence in the journal.
    seq: u64,
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What happened: `placed`, `paid`, `cancelled` ….
    #[serde(rename = "type")]
    kind: &'static str,
}

impl EventJson {
    fn new(event: &OrderEventView) -> Self {
        Self { seq: event.seq, at: event.at, kind: event.kind.as_str() }
    }
}

/// An order as it is now.
///
/// Reads its own writes: visible from the moment it was acknowledged.
#[utoipa::path(
    get, path = "/v1/orders/{id}", tag = "shop",
    params(("id" = u64, Path, description = "The order", minimum = 1, maximum = 9007199254740991_i64)),
    responses((status = 200, description = "The order", body = OrderJson))
)]
pub(super) async fn get_order(
    State(shop): State<Shop>,
    Path(id): Path<String>,
    extensions: Extensions,
) -> Result<Response, Failure> {
    let order = find(&shop, &id, &Caller::in_extensions(&extensions)).await?;
    Ok(ok(&OrderJson::now(&order)))
}

/// What happened to an order, oldest first.
#[utoipa::path(
    get, path = "/v1/orders/{id}/events", tag = "shop",
    params(("id" = u64, Path, description = "The order", minimum = 1, maximum = 9007199254740991_i64)),
    responses((status = 200, description = "The history", body = HistoryJson))
)]
pub(super) async fn get_events(
    State(shop): State<Shop>,
    Path(id): Path<String>,
    extensions: Extensions,
) -> Result<Response, Failure> {
    let caller = Caller::in_extensions(&extensions);
    if caller.only_seller().is_some() {
        find(&shop, &id, &caller).await?;
    }
    let events = shop.answer(shop.engine.order_events(order_id(&id)?)).await??.ok_or_else(unknown)?;
    Ok(ok(&HistoryJson { data: events.iter().map(EventJson::new).collect() }))
}

/// Orders that match all conditions given, newest first.
#[utoipa::path(
    get, path = "/v1/orders", tag = "shop", params(OrderQuery),
    responses((status = 200, description = "A page of orders", body = OrderPageJson))
)]
pub(super) async fn list_orders(
    State(shop): State<Shop>,
    uri: Uri,
    extensions: Extensions,
) -> Result<Response, Failure> {
    let mut filter = read_query(&uri)?;
    let seller = Caller::in_extensions(&extensions).only_seller();
    if let Some(seller) = seller
        && filter.seller_id.replace(seller.get()).is_some_and(|asked| asked != seller.get())
    {
        return Err(Failure::new(ErrorCode::Forbidden, "this key sees the orders of its own seller only"));
    }
    let mut page = shop.answer(shop.engine.orders(filter)).await??;
    if let Some(seller) = seller {
        page.orders = page.orders.into_iter().filter_map(|order| seen_by(order, seller)).collect();
    }
    Ok(ok(&OrderPageJson::new(&page)))
}

/// An order, as far as the caller may see it. What is not theirs does not exist for them.
async fn find(shop: &Shop, id: &str, caller: &Caller) -> Result<OrderView, Failure> {
    let order = shop.answer(shop.engine.order(order_id(id)?)).await??;
    let order = match caller.only_seller() {
        Some(seller) => order.and_then(|order| seen_by(order, seller)),
        None => order,
    };
    order.ok_or_else(unknown)
}

fn seen_by(order: OrderView, seller: SellerId) -> Option<OrderView> {
    let placed = part_of(&order.placed, seller)?;
    Some(OrderView { placed, ..order })
}

/// An id in a path that no order can have leads nowhere, like one that no order has.
fn order_id(text: &str) -> Result<OrderId, Failure> {
    path_id(text).and_then(OrderId::new).ok_or_else(unknown)
}

fn unknown() -> Failure {
    Failure::not_found("there is no such order")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::order_json::tests::example;
    use floodgate_actors::OrderView;
    use floodgate_persistence::model::HistoryKind;

    #[test]
    fn a_page_says_how_to_go_on_and_what_it_lacks() {
        let placed = example();
        let order = OrderView {
            status: placed.order.status,
            placed: placed.order,
            seq: 5,
            at: placed.at,
            persisted: true,
        };
        let page =
            OrderListView { orders: vec![order], next_below: Some(OrderId(1001)), incomplete_as_of: Some(4) };
        let written = serde_json::to_value(OrderPageJson::new(&page)).expect("a page");
        assert_eq!(written["data"][0]["order_id"], 1001);
        assert_eq!(written["next_cursor"], cursor(OrderId(1001)).as_str());
        assert_eq!((&written["complete"], &written["as_of_seq"]), (&false.into(), &4.into()));
        let written = serde_json::to_string(&OrderPageJson::new(&OrderListView::default())).expect("a page");
        assert_eq!(written, r#"{"data":[],"next_cursor":null}"#);
    }

    #[test]
    fn history_is_written_as_described() {
        let event = OrderEventView { seq: 7, at: Timestamp(0), kind: HistoryKind::Placed };
        let written = serde_json::to_string(&HistoryJson { data: vec![EventJson::new(&event)] });
        let expected = r#"{"data":[{"seq":7,"at":"1970-01-01T00:00:00.000Z","type":"placed"}]}"#;
        assert_eq!(written.expect("a history"), expected);
    }
}
