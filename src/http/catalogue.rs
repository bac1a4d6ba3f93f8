use super::body::{self, JSON, NDJSON};
use super::catalogue_rows::{ProductRowJson, ReadRow, RejectedJson, Rows, SellerRowJson, product, seller};
use super::config::BULK_BODY_MAX;
use super::error::Failure;
use super::shop::{Shop, ShopState, ok};
use axum::extract::{Request, State};
use axum::response::Response;
use floodgate_actors::{EngineError, PutOutcome};
use serde::Serialize;
use std::future::Future;
use utoipa::ToSchema;

/// Product rows.
#[derive(ToSchema)]
#[schema(as = Products)]
#[expect(dead_code, reason = "read by the document")]
pub(super) struct ProductsJson {
    products: Vec<ProductRowJson>,
}

/// Seller rows.
#[derive(ToSchema)]
#[schema(as = Sellers)]
#[expect(dead_code, reason = "read by the document")]
pub(super) struct SellersJson {
    sellers: Vec<SellerRowJson>,
}

/// What became of a bulk upsert.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PutAnswer)]
pub(super) struct PutJson {
    /// Rows taken: durable and hot everywhere.
    accepted: usize,
    /// Rows not taken, by rising number.
    rejected: Vec<RejectedJson>,
}

impl PutJson {
    /// Puts the engine's refusals, which count what it was given, between those of the wrong shape.
    fn new(outcome: PutOutcome, numbers: &[usize], bad: Vec<RejectedJson>) -> Self {
        let mut rejected = bad;
        rejected.extend(outcome.rejected.into_iter().map(|refusal| RejectedJson {
            row: numbers.get(refusal.row).copied().unwrap_or_default(),
            code: refusal.code,
            detail: refusal.detail,
        }));
        rejected.sort_by_key(|row| row.row);
        Self { accepted: outcome.accepted, rejected }
    }
}

/// Creates or replaces products.
///
/// Good rows are taken, bad ones named. `application/x-ndjson` takes one row a line.
#[utoipa::path(
    put, path = "/admin/products", tag = "admin",
    request_body(content((ProductsJson = "application/json"), (ProductRowJson = "application/x-ndjson"))),
    responses((status = 200, description = "What became of the rows", body = PutJson))
)]
pub(super) async fn put_products(State(shop): State<Shop>, request: Request) -> Result<Response, Failure> {
    put(&shop, request, "products", product, |rows| shop.engine.put_products(rows)).await
}

/// Creates or replaces sellers.
///
/// Good rows are taken, bad ones named. `application/x-ndjson` takes one row a line.
#[utoipa::path(
    put, path = "/admin/sellers", tag = "admin",
    request_body(content((SellersJson = "application/json"), (SellerRowJson = "application/x-ndjson"))),
    responses((status = 200, description = "What became of the rows", body = PutJson))
)]
pub(super) async fn put_sellers(State(shop): State<Shop>, request: Request) -> Result<Response, Failure> {
    put(&shop, request, "sellers", seller, |rows| shop.engine.put_sellers(rows)).await
}

async fn put<T, F>(
    shop: &ShopState,
    request: Request,
    name: &str,
    read: ReadRow<T>,
    take: impl FnOnce(Vec<T>) -> F,
) -> Result<Response, Failure>
where
    F: Future<Output = Result<PutOutcome, EngineError>>,
{
    let (parts, body) = request.into_parts();
    let content_type = body::content_type(&parts.headers, &[JSON, NDJSON])?;
    let body = body::read(body, BULK_BODY_MAX, shop.config.body_timeout).await?;
    let rows = match content_type {
        NDJSON => Rows::of_lines(&body, read)?,
        _ => Rows::of_json(&body, name, read)?,
    };
    let outcome = match rows.good.is_empty() {
        true => PutOutcome::default(),
        false => shop.answer(take(rows.good)).await??,
    };
    Ok(ok(&PutJson::new(outcome, &rows.numbers, rows.bad)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_actors::RowRefusal;

    #[test]
    fn refusals_of_the_engine_get_the_numbers_of_the_request() {
        let refusal = |row| RowRefusal { row, code: "unknown_seller", detail: String::new() };
        let outcome = PutOutcome { accepted: 1, rejected: vec![refusal(0), refusal(2)] };
        let bad = RejectedJson { row: 4, code: "invalid_field", detail: String::new() };
        let answer = PutJson::new(outcome, &[1, 3, 6], vec![bad]);
        let rows: Vec<_> = answer.rejected.iter().map(|row| (row.row, row.code)).collect();
        assert_eq!(rows, [(1, "unknown_seller"), (4, "invalid_field"), (6, "unknown_seller")]);
    }
}
