use super::access::Caller;
use super::body::{self, JSON};
use super::checkout_shape::plain;
use super::config::BODY_MAX;
use super::error::{ErrorCode, Failure};
use super::idempotency::{self, IDEMPOTENT_REPLAYED};
use super::json::{self, Object, Shape};
use super::order_json::as_text;
use super::order_query::path_id;
use super::problem::ErrorEntry;
use super::shop::{Shop, ok};
use axum::extract::{Path, Request, State};
use axum::http::HeaderValue;
use axum::response::Response;
use floodgate_actors::AdjustOutcome;
use floodgate_persistence::model::{ProductId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// A correction of counted stock.
#[derive(Debug, PartialEq, Eq, ToSchema)]
#[schema(as = Adjustment, example = json!({ "delta": -3, "reason": "broken in the warehouse" }))]
pub(super) struct AdjustmentJson {
    /// More or less pieces; not 0.
    delta: i64,
    #[schema(value_type = String, min_length = 1, max_length = 500)]
    reason: Box<str>,
}

/// A correction that is in force.
#[derive(Serialize, ToSchema)]
#[schema(as = Adjusted)]
pub(super) struct AdjustedJson {
    product_id: u64,
    delta: i64,
    #[schema(value_type = String)]
    reason: Box<str>,
    /// Pieces that can be bought now.
    available: Option<i64>,
    journal_seq: u64,
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Corrects counted stock by hand.
///
/// Never below zero. With an `Idempotency-Key` the same bytes can be sent again without correcting twice.
#[utoipa::path(
    post, path = "/admin/products/{id}/stock", tag = "admin",
    request_body = AdjustmentJson,
    params(
        ("id" = u64, Path, description = "The product", minimum = 1, maximum = 9007199254740991_i64),
        ("Idempotency-Key" = Option<String>, Header, description = "1–255 visible ASCII characters"),
    ),
    responses((status = 200, description = "In force and durable", body = AdjustedJson))
)]
pub(super) async fn adjust_stock(
    State(shop): State<Shop>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let product_id = path_id(&id).and_then(ProductId::new).ok_or_else(unknown)?;
    let (parts, body) = request.into_parts();
    body::content_type(&parts.headers, &[JSON])?;
    let key = idempotency::header_key(&parts.headers)?;
    let caller = Caller::of(&parts);
    let body = body::read(body, BODY_MAX, shop.config.body_timeout).await?;
    let AdjustmentJson { delta, reason } = read_adjustment(&body)?;
    let claim = key.map(|key| idempotency::claim(caller.credential(), parts.uri.path(), key, &body));
    let work = shop.engine.adjust_stock(product_id, delta, reason, claim);
    of_outcome(product_id, delta, shop.answer(work).await??)
}

fn read_adjustment(body: &[u8]) -> Result<AdjustmentJson, Failure> {
    let mut shape = Shape::default();
    let read = Object::open(json::read(body)?, String::new(), &mut shape).and_then(|mut object| {
        let delta = object.required("delta", &mut shape, |raw| match json::integer(raw)? {
            0 => Err("must not be 0".into()),
            delta => Ok(delta),
        });
        let reason = object.required("reason", &mut shape, |raw| plain(&json::text(raw)?, REASON_MAX));
        object.close(&mut shape);
        Some(AdjustmentJson { delta: delta?, reason: reason? })
    });
    shape.finish(read).map_err(Failure::shape)
}

fn of_outcome(product_id: ProductId, delta: i64, outcome: AdjustOutcome) -> Result<Response, Failure> {
    match outcome {
        AdjustOutcome::Adjusted { seq, at, delta, reason, available, replayed } => {
            let product_id = product_id.get();
            let answer = AdjustedJson { product_id, delta, reason, available, journal_seq: seq, at };
            let mut response = ok(&answer);
            if replayed {
                response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
            }
            Ok(response)
        }
        AdjustOutcome::UnknownProduct => Err(unknown()),
        AdjustOutcome::NotCounted => Err(Failure::with_errors(
            ErrorCode::ValidationFailed,
            "the stock of this product is not counted: give it one by PUT /admin/products first",
            vec![ErrorEntry::of_rule("/delta", "stock_not_counted", "there is no stock to correct")],
        )),
        AdjustOutcome::Insufficient { available } => Err(Failure::with_errors(
            ErrorCode::InsufficientStock,
            "the stock was left as it is",
            vec![ErrorEntry::of_stock(product_id, delta.checked_neg(), available)],
        )),
    }
}

fn unknown() -> Failure {
    Failure::not_found("there is no such product")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_has_a_delta_and_a_reason() {
        let long = format!(r#"{{"delta":1,"reason":"{}"}}"#, "x".repeat(501));
        for (body, pointers) in [
            (r#"{"delta":-3,"reason":"broken"}"#, &[][..]),
            (r#"{"delta":0,"reason":"broken"}"#, &["/delta"]),
            (r#"{"delta":1.5,"reason":""}"#, &["/delta", "/reason"]),
            (r#"{"delta":1,"reason":"a\nb"}"#, &["/reason"]),
            (r#"{"delta":1,"reason":"a","by":"me"}"#, &["/by"]),
            (r#"{}"#, &["/delta", "/reason"]),
            (r#"[]"#, &[""]),
            (&long, &["/reason"]),
        ] {
            let failure = read_adjustment(body.as_bytes()).err();
            let found: Vec<_> = failure.iter().flat_map(|failure| failure.errors()).collect();
            let found: Vec<_> = found.iter().filter_map(|entry| entry.pointer.as_deref()).collect();
            assert_eq!(found, pointers, "{body}");
        }
    }

    #[test]
    fn outcomes_have_the_contracts_names() {
        for (outcome, status, code) in [
            (AdjustOutcome::UnknownProduct, 404, "not_found"),
            (AdjustOutcome::NotCounted, 422, "validation_failed"),
            (AdjustOutcome::Insufficient { available: 2 }, 409, "insufficient_stock"),
        ] {
            let failure = of_outcome(ProductId(7), -3, outcome).expect_err(code);
            assert_eq!((failure.code().status().as_u16(), failure.code().as_str()), (status, code));
        }
    }
}
