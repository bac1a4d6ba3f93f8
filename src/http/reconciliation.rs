use super::body::{self, JSON};
use super::config::BULK_BODY_MAX;
use super::error::Failure;
use super::json::{self, Object, Shape};
use super::shop::{Shop, ok, respond};
use super::status::millis;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use floodgate_actors::{Difference, ReconciliationJob, ReconciliationState};
use serde::Serialize;
use utoipa::ToSchema;

/// Nothing is to be said.
#[derive(ToSchema)]
#[schema(as = ReconciliationRequest, example = json!({}))]
pub(super) struct NothingJson {}

/// A reconciliation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub(super) struct ReconciliationJson {
    /// `running`, `done` or `failed`.
    #[schema(value_type = String, pattern = "^(running|done|failed)$")]
    state: &'static str,
    /// The checkpoint at which all was compared.
    as_of_seq: u64,
    /// The first record that the journal still has: orders from here on are compared.
    journal_from_seq: u64,
    /// Products whose stock in memory was compared with the database.
    products: u64,
    /// Products whose stock in the database was compared with the journal alone, which still has the beginning of it.
    products_by_journal: u64,
    /// Orders compared.
    orders: u64,
    /// Of these, parked: what the database refused counts as if it were there.
    orders_parked: u64,
    /// Number of differences; 0 when all is right.
    differences_total: u64,
    /// The first 1,000.
    differences: Vec<DifferenceJson>,
    elapsed_ms: u64,
    /// Why it failed: nothing can be said then.
    error: Option<String>,
}

/// Something that is not as it must be: counted stock of a product, or a sum of orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReconciliationDifference)]
pub(super) struct DifferenceJson {
    /// `stock`, or the table whose sums differ: `orders`, `seller_orders`, `order_items`.
    #[schema(value_type = String, pattern = "^(stock|orders|seller_orders|order_items)$")]
    kind: &'static str,
    /// `stock`: whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<u64>,
    /// Sums: of orders of this day in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    day: Option<String>,
    /// Sums: in this currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// Sums: of this seller, where they are by seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    seller_id: Option<u64>,
    /// Sums: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    amount: Option<&'static str>,
    /// What memory has; not for sums.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<i64>,
    /// What the journal says; `null`: it does not go back far enough.
    #[schema(value_type = Option<i64>)]
    journal: Option<i128>,
    /// What the database has, parked orders added; `null`: not counted, or no such product.
    #[schema(value_type = Option<i64>)]
    database: Option<i128>,
}

impl From<ReconciliationJob> for ReconciliationJson {
    fn from(job: ReconciliationJob) -> Self {
        let state = match job.state {
            ReconciliationState::Running => "running",
            ReconciliationState::Done => "done",
            ReconciliationState::Failed => "failed",
        };
        let found = job.findings;
        Self {
            state,
            as_of_seq: found.as_of_seq,
            journal_from_seq: found.journal_from_seq,
            products: found.products,
            products_by_journal: found.products_by_journal,
            orders: found.orders,
            orders_parked: found.orders_parked,
            differences_total: found.differences_total,
            differences: found.differences.into_iter().map(DifferenceJson::from).collect(),
            elapsed_ms: millis(job.elapsed),
            error: job.error,
        }
    }
}

impl From<Difference> for DifferenceJson {
    fn from(difference: Difference) -> Self {
        match difference {
            Difference::Stock { product_id, memory, journal, database } => Self {
                kind: "stock",
                product_id: Some(product_id.get()),
                memory,
                journal: journal.map(i128::from),
                database: database.map(i128::from),
                ..Self::default()
            },
            Difference::Sum { account, amount, journal, database } => Self {
                kind: account.ledger.as_str(),
                day: Some(account.day.to_string()),
                currency: Some(account.currency.to_string()),
                seller_id: account.seller_id.map(|id| id.get()),
                amount: Some(amount),
                journal: Some(journal),
                database: Some(database),
                ..Self::default()
            },
        }
    }
}

/// The answer of the command line, which has an engine of its own.
pub fn reconciliation_json(job: ReconciliationJob) -> serde_json::Value {
    serde_json::to_value(ReconciliationJson::from(job)).unwrap_or_default()
}

/// Holds memory, journal and database against each other.
///
/// At one checkpoint, while orders go on: counted stock of each product in memory = in the database; orders, sellers'
/// shares and lines by day in the journal = in the database + parked.
#[utoipa::path(
    post, path = "/admin/reconciliation", tag = "admin", security(("admin_token" = [])),
    request_body = NothingJson,
    responses((status = 202, description = "It has begun", body = ReconciliationJson))
)]
pub(super) async fn start_reconciliation(
    State(shop): State<Shop>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    body::content_type(&parts.headers, &[JSON])?;
    read_nothing(&body::read(body, BULK_BODY_MAX, shop.config.body_timeout).await?)?;
    match shop.engine.start_reconciliation()? {
        Ok(job) => Ok(respond(StatusCode::ACCEPTED, &ReconciliationJson::from(job))),
        Err(running) => Err(Failure::reconciliation_running((*running).into())),
    }
}

/// The last reconciliation.
#[utoipa::path(
    get, path = "/admin/reconciliation", tag = "admin", security(("admin_token" = [])),
    responses((status = 200, description = "Where it stands", body = ReconciliationJson))
)]
pub(super) async fn get_reconciliation(State(shop): State<Shop>) -> Result<Response, Failure> {
    let none = || Failure::not_found("there was no reconciliation since the start");
    Ok(ok(&ReconciliationJson::from(shop.engine.reconciliation().ok_or_else(none)?)))
}

/// `{}`.
fn read_nothing(body: &[u8]) -> Result<(), Failure> {
    let mut shape = Shape::default();
    let read =
        Object::open(json::read(body)?, String::new(), &mut shape).map(|object| object.close(&mut shape));
    shape.finish(read).map_err(Failure::shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_says_nothing() {
        for (body, fine) in
            [("{}", true), (" {} ", true), ("", false), ("[]", false), (r#"{"day": 1}"#, false)]
        {
            assert_eq!(read_nothing(body.as_bytes()).is_ok(), fine, "{body}");
        }
    }
}
