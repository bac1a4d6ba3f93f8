use super::access::Caller;
use super::body::{self, JSON};
use super::checkout_shape::{CheckoutJson, Keys, ReadCheckout, read_checkout};
use super::config::BODY_MAX;
use super::error::Failure;
use super::idempotency::{self, IDEMPOTENT_REPLAYED};
use super::order_json::{OrderJson, QuoteJson};
use super::shop::{Shop, ShopState, ok, respond};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use floodgate_actors::{CheckoutOutcome, PlacedOrder, QuoteOutcome};
use std::fmt::Write;

/// The path that idempotency keys of checkouts are scoped to, in a batch too.
pub(super) const CHECKOUTS: &str = "/v1/checkouts";

/// Places an order.
///
/// Validates, prices, takes stock and journals; answered when the order is durable. With an `Idempotency-Key` the
/// same bytes can be sent again without buying twice.
#[utoipa::path(
    post, path = CHECKOUTS, tag = "shop", request_body = CheckoutJson,
    params(("Idempotency-Key" = Option<String>, Header, description = "1–255 visible ASCII characters")),
    responses((status = 201, description = "The order", body = OrderJson, headers(
        ("Location" = String, description = "Path of the order"),
        ("Idempotent-Replayed" = String, description = "`true` where an earlier request placed it"),
    )))
)]
pub(super) async fn place_checkout(State(shop): State<Shop>, request: Request) -> Response {
    let answer = place(&shop, request).await;
    shop.metrics.checkout(answer.as_ref().err());
    answer.unwrap_or_else(Failure::into_response)
}

async fn place(shop: &ShopState, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    body::content_type(&parts.headers, &[JSON])?;
    let key = idempotency::header_key(&parts.headers)?;
    let caller = Caller::of(&parts);
    let (body, mut permit) = shop.admit_and_read(body, BODY_MAX).await?;
    let ReadCheckout { mut command, .. } = read_checkout(&body, Keys::Header)?;
    command.idempotency = key.map(|key| idempotency::claim(caller.credential(), CHECKOUTS, key, &body));
    drop(body);
    permit.reserve(command.items.len())?;
    let placed = of_outcome(shop.answer(shop.port.checkout(command, permit)).await?)?;
    Ok(created(&placed))
}

/// 201, with where to find the order.
fn created(placed: &PlacedOrder) -> Response {
    let mut response = respond(StatusCode::CREATED, &OrderJson::placed(placed));
    let mut location = String::with_capacity(32);
    // Writing to a string does not fail.
    let written = write!(location, "/v1/orders/{}", placed.order.order_id);
    if let (Ok(()), Ok(location)) = (written, HeaderValue::try_from(location)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if placed.replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// An order, or what the engine said instead.
pub(super) fn of_outcome(outcome: CheckoutOutcome) -> Result<PlacedOrder, Failure> {
    match outcome {
        CheckoutOutcome::Placed(placed) => Ok(placed),
        CheckoutOutcome::Refused(refusal) => Err((*refusal).into()),
        CheckoutOutcome::KeyInProgress => Err(Failure::key_in_progress()),
        CheckoutOutcome::KeyReused => Err(Failure::key_reused()),
        CheckoutOutcome::Unavailable(unavailable) => Err(unavailable.into()),
        CheckoutOutcome::Unknown => Err(Failure::unknown_outcome()),
    }
}

/// Prices a cart.
///
/// Validates and prices like a checkout, takes nothing.
#[utoipa::path(
    post, path = "/v1/quotes", tag = "shop", request_body = CheckoutJson,
    responses((status = 200, description = "The priced cart", body = QuoteJson))
)]
pub(super) async fn quote(State(shop): State<Shop>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    body::content_type(&parts.headers, &[JSON])?;
    let (body, permit) = shop.admit_and_read(body, BODY_MAX).await?;
    let ReadCheckout { command, .. } = read_checkout(&body, Keys::Header)?;
    match shop.answer(shop.port.quote(command, permit)).await? {
        QuoteOutcome::Quoted(order) => Ok(ok(&QuoteJson::new(&order))),
        QuoteOutcome::Refused(refusal) => Err((*refusal).into()),
        QuoteOutcome::Unavailable(unavailable) => Err(unavailable.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::order_json::tests::example;

    #[test]
    fn a_created_order_says_where_it_is() {
        for (replayed, header) in [(false, None), (true, Some("true"))] {
            let response = created(&PlacedOrder { replayed, ..example() });
            assert_eq!(response.status(), StatusCode::CREATED);
            assert_eq!(response.headers()[header::LOCATION], "/v1/orders/1001");
            let marked = response.headers().get(IDEMPOTENT_REPLAYED);
            assert_eq!(marked.and_then(|value| value.to_str().ok()), header);
        }
    }

    #[test]
    fn outcomes_have_the_contracts_names() {
        use floodgate_actors::Unavailable::{JournalUnavailable, NotReady, Overloaded};
        for (outcome, status, code) in [
            (CheckoutOutcome::KeyInProgress, 409, "idempotency_in_progress"),
            (CheckoutOutcome::KeyReused, 422, "idempotency_key_reused"),
            (CheckoutOutcome::Unavailable(Overloaded), 503, "overloaded"),
            (CheckoutOutcome::Unavailable(NotReady), 503, "not_ready"),
            (CheckoutOutcome::Unavailable(JournalUnavailable), 503, "journal_unavailable"),
            (CheckoutOutcome::Unknown, 504, "timeout"),
        ] {
            let failure = of_outcome(outcome).expect_err(code);
            assert_eq!((failure.code().status().as_u16(), failure.code().as_str()), (status, code));
        }
    }
}
