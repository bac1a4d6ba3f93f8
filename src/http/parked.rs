use super::error::{ErrorCode, Failure};
use super::json::Wrong;
use super::nothing::{self, NothingJson};
use super::order_json::as_text;
use super::order_query::{limit, path_id};
use super::problem::ErrorEntry;
use super::shop::{Shop, ok};
use axum::extract::{Path, Query, Request, State};
use axum::http::Uri;
use axum::response::Response;
use floodgate_actors::{ParkedView, RetryView};
use floodgate_persistence::model::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

const LIMIT_DEFAULT: usize = 50;

/// Which page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the document")]
pub(super) struct ParkedQuery {
    /// Events a page, 50 where not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the last page ended: its `next_cursor`.
    cursor: Option<String>,
}

/// A page of parked events, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ParkedPage)]
pub(super) struct ParkedPageJson {
    data: Vec<ParkedJson>,
    /// What to ask the next page with; `null`: there is none.
    next_cursor: Option<String>,
}

/// An event that the database refused.
#[derive(Serialize, ToSchema)]
#[schema(as = ParkedEvent)]
pub(super) struct ParkedJson {
    /// Sequence in the journal, and the id of a retry.
    seq: u64,
    /// The order it belongs to; `null`: it is of the catalogue.
    order_id: Option<u64>,
    /// What happened: `placed`, `product_put` ….
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the database said, or that an earlier event of the same is parked.
    #[schema(value_type = String)]
    reason: Box<str>,
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = DateTime)]
    parked_at: Timestamp,
}

impl From<ParkedView> for ParkedJson {
    fn from(event: ParkedView) -> Self {
        Self {
            seq: event.seq,
            order_id: event.order_id.map(|id| id.get()),
            kind: event.kind.as_str(),
            reason: event.reason,
            parked_at: event.parked_at,
        }
    }
}

/// Parked events that are in the tables now.
#[derive(Serialize, ToSchema)]
#[schema(as = ParkedRetry)]
pub(super) struct RetryJson {
    seq: u64,
    order_id: Option<u64>,
    /// All events that were written, by rising sequence: a retry takes everything that is parked of the same order.
    written: Vec<u64>,
}

impl From<RetryView> for RetryJson {
    fn from(retry: RetryView) -> Self {
        Self { seq: retry.seq, order_id: retry.order_id.map(|id| id.get()), written: retry.written }
    }
}

/// Events that the database refused, newest first.
#[utoipa::path(
    get, path = "/admin/parked", tag = "admin", params(ParkedQuery),
    responses((status = 200, description = "A page", body = ParkedPageJson))
)]
pub(super) async fn list_parked(State(shop): State<Shop>, uri: Uri) -> Result<Response, Failure> {
    let (below, limit) = read_page(&uri)?;
    let (events, next) = shop.engine.parked(below, limit);
    let data = events.into_iter().map(ParkedJson::from).collect();
    Ok(ok(&ParkedPageJson { data, next_cursor: next.map(cursor) }))
}

/// Writes what is parked of an order, in order.
///
/// Takes all parked events of the order (or product, or seller) of this one. Stock was applied when they were parked and
/// is not touched. 409 `still_refused`: the database refuses as before, the detail names the reason, nothing is changed.
#[utoipa::path(
    post, path = "/admin/parked/{id}/retry", tag = "admin",
    request_body = Option<NothingJson>,
    params(("id" = u64, Path, description = "The `seq` of a parked event", minimum = 1)),
    responses((status = 200, description = "Written, no longer parked", body = RetryJson))
)]
pub(super) async fn retry_parked(
    State(shop): State<Shop>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    nothing::read(request, &shop.config).await?;
    let unknown = || Failure::not_found("no event is parked under this number");
    let seq = path_id(&id).ok_or_else(unknown)?;
    let retry = shop.answer(shop.engine.retry_parked(seq)).await??.ok_or_else(unknown)?;
    Ok(ok(&RetryJson::from(retry)))
}

fn cursor(below: u64) -> String {
    format!("p{below:x}")
}

fn read_cursor(text: &str) -> Option<u64> {
    let below = u64::from_str_radix(text.strip_prefix('p')?, 16).ok()?;
    (cursor(below) == text).then_some(below)
}

fn read_page(uri: &Uri) -> Result<(Option<u64>, usize), Failure> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
        return Err(Failure::new(ErrorCode::InvalidField, "the query is not name=value&name=value in UTF-8"));
    };
    let (mut page, mut problems) = ((None, LIMIT_DEFAULT), Vec::new());
    for (place, (name, value)) in pairs.iter().enumerate() {
        let twice = pairs.iter().take(place).any(|(earlier, _)| earlier == name);
        let mut invalid = |code, wrong: Wrong| problems.push(ErrorEntry::of_parameter(name, code, wrong));
        match name.as_str() {
            "limit" | "cursor" if twice => invalid(ErrorCode::InvalidField, "is given twice".into()),
            "limit" => match limit(value) {
                Some(limit) => page.1 = limit,
                None => invalid(ErrorCode::InvalidField, "must be 1 to 200".into()),
            },
            "cursor" => match read_cursor(value) {
                Some(below) => page.0 = Some(below),
                None => invalid(ErrorCode::InvalidField, "must be the next_cursor of a page".into()),
            },
            _ => invalid(ErrorCode::UnknownField, "is not a parameter of this call".into()),
        }
    }
    if problems.is_empty() { Ok(page) } else { Err(Failure::shape(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_as_others_are() {
        for (query, page) in [
            ("", Some((None, 50))),
            ("?limit=200&cursor=p1f", Some((Some(31), 200))),
            ("?limit=0", None),
            ("?limit=201", None),
            ("?limit=1&limit=1", None),
            ("?cursor=o1f", None),
            ("?cursor=p01", None),
            ("?seq=1", None),
        ] {
            let uri = format!("/admin/parked{query}").parse().expect("a path");
            assert_eq!(read_page(&uri).ok(), page, "{query}");
        }
    }
}
