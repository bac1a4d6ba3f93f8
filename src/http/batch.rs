use super::access::Caller;
use super::body::{self, JSON};
use super::checkout::{CHECKOUTS, of_outcome};
use super::checkout_shape::{CheckoutJson, Keys, ReadCheckout, read_checkout};
use super::config::{BATCH_MAX, BODY_MAX, BULK_BODY_MAX};
use super::error::{ErrorCode, Failure};
use super::idempotency;
use super::json::{self, Object, Shape};
use super::order_json::OrderJson;
use super::problem::ProblemJson;
use super::request_id::REQUEST_ID;
use super::shop::{Shop, ShopState, ok};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::response::Response;
use floodgate_actors::{CheckoutCommand, PlacedOrder};
use floodgate_persistence::planted::{self, Planted};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Many checkouts at once.
#[derive(ToSchema)]
#[schema(as = Batch)]
#[expect(dead_code, reason = "read by the document; the call keeps each checkout's bytes as they came")]
pub(super) struct BatchJson<'a> {
    /// 1–1,000, each with an optional `idempotency_key`.
    #[schema(min_items = 1, max_items = 1000)]
    checkouts: Vec<CheckoutJson<'a>>,
}

/// What became of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchAnswer)]
pub(super) struct BatchAnswerJson<'a> {
    /// In the order of the request.
    #[serde(serialize_with = "results")]
    #[schema(value_type = Vec<ResultJson>)]
    results: Results<'a>,
}

/// What became of one checkout of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResult)]
pub(super) struct ResultJson<'a> {
    /// What the checkout alone would have been answered with.
    status: u16,
    /// With an order: an earlier request with the same key placed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ProblemJson<'a>>,
}

/// Results with the id of the request that asked for them.
struct Results<'a>(&'a [Result<PlacedOrder, Failure>], Option<&'a HeaderValue>);

fn results<S: Serializer>(results: &Results<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(results.0.iter().map(|result| match result {
        Ok(placed) => ResultJson {
            status: 201,
            replayed: Some(placed.replayed),
            order: Some(OrderJson::placed(placed)),
            error: None,
        },
        Err(failure) => ResultJson {
            status: failure.code().status().as_u16(),
            replayed: None,
            order: None,
            error: Some(ProblemJson::new(failure, results.1)),
        },
    }))
}

/// Places many orders.
///
/// Each checkout stands alone: one that is refused, or has the wrong shape, does not touch the others. The batch is
/// admitted or shed as a whole. A header `Idempotency-Key: K` stands for `K#<index>` on checkouts without a key of
/// their own; all keys live in the scope of `POST /v1/checkouts`. What counts as «the same body» for such a key are
/// the bytes of the checkout as they stand in the batch, its own `idempotency_key` included: send the same bytes
/// again to get the same order.
#[utoipa::path(
    post, path = "/v1/checkouts/batch", tag = "shop", request_body = BatchJson,
    params(("Idempotency-Key" = Option<String>, Header, description = "At most 250 visible ASCII characters")),
    responses((status = 200, description = "A result for each checkout", body = BatchAnswerJson))
)]
pub(super) async fn place_batch(State(shop): State<Shop>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    body::content_type(&parts.headers, &[JSON])?;
    let key = idempotency::header_key(&parts.headers)?;
    let caller = Caller::of(&parts);
    // One place was enough to look at the batch, and is given back at once; its checkouts need one each.
    let (body, _) = shop.admit_and_read(body, BULK_BODY_MAX).await?;
    let checkouts = split(json::read(&body)?)?;
    let read =
        checkouts.iter().enumerate().map(|(place, raw)| read_item(raw, place, key, caller.credential()));
    let answers = place_all(&shop, read.collect()).await?;
    let results = Results(&answers, parts.headers.get(REQUEST_ID));
    answers.iter().for_each(|answer| shop.metrics.checkout(answer.as_ref().err()));
    Ok(ok(&BatchAnswerJson { results }))
}

/// The checkouts of a batch, unread.
fn split(raw: &RawValue) -> Result<Vec<&RawValue>, Failure> {
    let mut shape = Shape::default();
    let checkouts = Object::open(raw, String::new(), &mut shape).and_then(|mut object| {
        let checkouts = object.list("checkouts", &mut shape);
        object.close(&mut shape);
        checkouts
    });
    if checkouts.as_ref().is_some_and(|checkouts| !(1..=BATCH_MAX).contains(&checkouts.len())) {
        shape.invalid("/checkouts".to_owned(), format!("must be 1 to {BATCH_MAX} checkouts"));
    }
    shape.finish(checkouts).map_err(Failure::shape)
}

/// One checkout with its claim.
fn read_item(
    raw: &RawValue,
    place: usize,
    header_key: Option<&str>,
    credential: &str,
) -> Result<CheckoutCommand, Failure> {
    let body = raw.get().as_bytes();
    if body.len() > BODY_MAX {
        return Err(Failure::new(
            ErrorCode::PayloadTooLarge,
            format!("a checkout has at most {BODY_MAX} bytes"),
        ));
    }
    let ReadCheckout { mut command, key } = read_checkout(body, Keys::Body)?;
    let key = key.or_else(|| header_key.map(|key| format!("{key}#{place}").into()));
    let path = if planted::is(Planted::BatchKeysApart) { "/v1/checkouts/batch" } else { CHECKOUTS };
    command.idempotency = key.map(|key| idempotency::claim(credential, path, &key, body));
    Ok(command)
}

/// Hands all readable checkouts over at once, and puts the answers where the checkouts stood.
async fn place_all(
    shop: &ShopState,
    read: Vec<Result<CheckoutCommand, Failure>>,
) -> Result<Vec<Result<PlacedOrder, Failure>>, Failure> {
    let mut commands = Vec::with_capacity(read.len());
    let unread: Vec<Option<Failure>> =
        read.into_iter().map(|read| read.map(|command| commands.push(command)).err()).collect();
    let outcomes = if commands.is_empty() {
        Vec::new()
    } else {
        let mut permit = shop.engine.admit(commands.len())?;
        permit.reserve(commands.iter().map(|command| command.items.len()).sum())?;
        shop.answer(shop.port.checkout_batch(commands, permit)).await?
    };
    let mut outcomes = outcomes.into_iter();
    let merged = unread.into_iter().map(|failure| match failure {
        Some(failure) => Err(failure),
        None => outcomes.next().map_or_else(|| Err(Failure::unknown_outcome()), of_outcome),
    });
    Ok(merged.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::order_json::tests::example;

    #[test]
    fn a_batch_has_1_to_1000_checkouts() {
        let of = |count: usize| format!("{{\"checkouts\":[{}]}}", vec!["0"; count].join(","));
        for (body, fine) in [
            (of(0), false),
            (of(1), true),
            (of(1000), true),
            (of(1001), false),
            ("{}".to_owned(), false),
            ("[]".to_owned(), false),
            (r#"{"checkouts":[0],"x":1}"#.to_owned(), false),
            (r#"{"checkouts":{}}"#.to_owned(), false),
        ] {
            let raw = json::read(body.as_bytes()).expect("JSON");
            assert_eq!(split(raw).is_ok(), fine, "{}", json::shortened(&body));
        }
    }

    #[test]
    fn keys_of_a_batch_live_beside_those_of_single_checkouts() {
        let item = r#"{"customer_id":1,"items":[]}"#;
        let own = r#"{"customer_id":1,"items":[],"idempotency_key":"own"}"#;
        for (body, header, expected) in [
            (item, None, None),
            (item, Some("K"), Some("K#3")),
            (own, None, Some("own")),
            (own, Some("K"), Some("own")),
        ] {
            let raw = json::read(body.as_bytes()).expect("JSON");
            let command = read_item(raw, 3, header, "web").expect("a checkout");
            let claim = expected.map(|key| idempotency::claim("web", CHECKOUTS, key, body.as_bytes()));
            assert_eq!(command.idempotency, claim, "{body} {header:?}");
        }
    }

    #[test]
    fn results_stand_in_their_order_each_with_its_status() {
        let answers = [Ok(example()), Err(Failure::key_in_progress())];
        let id = HeaderValue::from_static("r-9");
        let answer = BatchAnswerJson { results: Results(&answers, Some(&id)) };
        let written = serde_json::to_value(answer).expect("an answer");
        assert_eq!(written["results"][0]["status"], 201);
        assert_eq!(written["results"][0]["replayed"], false);
        assert_eq!(written["results"][0]["order"]["order_id"], 1001);
        assert_eq!(written["results"][1]["status"], 409);
        assert_eq!(written["results"][1]["error"]["code"], "idempotency_in_progress");
        assert_eq!(written["results"][1]["error"]["request_id"], "r-9");
        assert_eq!(written["results"][1]["order"], serde_json::Value::Null);
    }
}
