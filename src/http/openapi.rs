//! The routes, and the document that describes them: both come from the same list of handlers.

use super::problem::ProblemJson;
use super::shop::Shop;
use super::{
    batch, catalogue, checkout, health, order, parked, preferences, product, reconciliation, status, stock,
    warmup,
};
use axum::Router;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, Parameter, PathItem};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// What the code cannot say by itself.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Floodgate", version = "1",
        description = "An in-memory order engine that stands in front of MySQL.\n\n\
            Money is an integer of minor units, ids are integers of 1 … 2^53−1, times are RFC 3339 in UTC. Errors are \
            problem documents (RFC 9457) that name every problem at once; a field that is not known is refused. A \
            path id that nothing can have is 404, a malformed query parameter 400. Every response carries \
            `X-Request-Id`: the request's own where it is 1–128 of `A-Za-z0-9._-`, else a new one.",
        license(name = "MIT", identifier = "MIT"),
    ),
    tags(
        (name = "shop", description = "Carts, products, orders"),
        (name = "admin", description = "Catalogue, stock, operation; bearer token"),
        (name = "operations", description = "Health, measurements, this document"),
    ),
    components(schemas(ProblemJson)),
)]
struct Head;

/// All routes with their description.
fn described() -> OpenApiRouter<Shop> {
    OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(checkout::place_checkout))
        .routes(routes!(batch::place_batch))
        .routes(routes!(checkout::quote))
        .routes(routes!(product::get_product))
        .routes(routes!(order::list_orders))
        .routes(routes!(order::get_order))
        .routes(routes!(order::get_events))
        .routes(routes!(preferences::get_preferences, preferences::put_preferences))
        .routes(routes!(catalogue::put_products))
        .routes(routes!(catalogue::put_sellers))
        .routes(routes!(stock::adjust_stock))
        .routes(routes!(warmup::start_warmup, warmup::get_warmup))
        .routes(routes!(warmup::write_snapshot))
        .routes(routes!(parked::list_parked))
        .routes(routes!(parked::retry_parked))
        .routes(routes!(reconciliation::start_reconciliation, reconciliation::get_reconciliation))
        .routes(routes!(status::get_status))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::get_metrics))
        .routes(routes!(health::get_openapi))
}

/// The router of a worker.
pub(super) fn router(shop: Shop) -> Router {
    let (router, _) = described().split_for_parts();
    router.merge(SwaggerUi::new("/docs").config(Config::from("/openapi.json"))).with_state(shop)
}

/// The OpenAPI 3.1 document as JSON text.
pub fn document() -> String {
    let (_, mut api) = described().split_for_parts();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    api.components.get_or_insert_default().add_security_scheme("admin_token", bearer);
    for (path, item) in &mut api.paths.paths {
        for operation in operations(item) {
            operation.parameters.iter_mut().flatten().for_each(forbid_null);
            add_errors(path, operation);
        }
    }
    api.to_pretty_json().unwrap_or_default()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post].into_iter().flatten()
}

/// An optional parameter can be left out; unlike a field of a body, it cannot be `null`.
fn forbid_null(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(Parameter { schema: Some(schema), .. }) = parameter else { return };
    match schema {
        RefOr::T(Schema::Object(object)) => {
            if let SchemaType::Array(types) = &object.schema_type {
                let typed = types.iter().find(|one| **one != Type::Null);
                object.schema_type = typed.cloned().map_or(SchemaType::AnyValue, SchemaType::Type);
            }
        }
        RefOr::T(Schema::OneOf(choice)) => {
            if let Some(reference) = choice.items.iter().find(|one| matches!(one, RefOr::Ref(_))) {
                *schema = reference.clone();
            }
        }
        _ => {}
    }
}

/// Failures look the same everywhere; which of them can happen follows from what a call has.
fn add_errors(path: &str, operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let has_query = operation.parameters.is_some() && !path.contains("{id}");
    let is_job = matches!(path, "/admin/warmup" | "/admin/reconciliation");
    let judged = path.starts_with("/v1/checkouts") || path == "/v1/quotes" || path.ends_with("/stock");
    let may_stay_refused = path.ends_with("/retry");
    let uses_engine = !matches!(path, "/livez" | "/openapi.json" | "/metrics" | "/v1/preferences");
    let errors = [
        ("400", has_body || has_query, "Not JSON, or of the wrong shape"),
        ("401", path.starts_with("/admin") || path.starts_with("/v1"), "No valid credential"),
        ("403", path.starts_with("/admin") || path.starts_with("/v1"), "The credential does not cover this"),
        ("404", path.contains("{id}") || (is_job && !has_body), "No such thing"),
        ("408", has_body, "The body did not arrive in time; nothing was done"),
        ("409", judged || may_stay_refused || (is_job && has_body), "Not as things are now"),
        ("413", has_body, "The body is too large"),
        ("415", has_body, "Another content type is wanted"),
        ("422", judged, "Well-formed, but cannot be done"),
        ("429", path.starts_with("/admin") || path.starts_with("/v1"), "Too often; nothing was done"),
        ("500", true, "A fault of the engine"),
        ("503", uses_engine, "Not now; nothing was done"),
        ("504", uses_engine && path != "/readyz", "The outcome is unknown"),
    ];
    for (status, possible, description) in errors {
        if possible {
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new().description(description);
            let response = response.content("application/problem+json", problem).build();
            operation.responses.responses.insert(status.to_owned(), RefOr::T(response));
        }
    }
}

/// The worked example of an order.
pub(super) fn order_example() -> serde_json::Value {
    serde_json::json!({
        "order_id": 1001, "invoice_number": "INV-2026-0000000001", "status": "pending_payment",
        "customer_id": 42, "currency": "BRL", "city": "Campinas",
        "items": [
            { "line": 1, "product_id": 7, "seller_id": 3, "name": "Kettle", "quantity": 2, "unit_price": 1000,
              "discount": 200, "line_total": 1800, "digital": false },
            { "line": 2, "product_id": 9, "seller_id": 4, "name": "E-book", "quantity": 1, "unit_price": 999,
              "discount": 100, "line_total": 899, "digital": true },
        ],
        "sellers": [
            { "seller_id": 3, "subtotal": 1800, "commission": 180, "payout": 1620 },
            { "seller_id": 4, "subtotal": 899, "commission": 90, "payout": 809 },
        ],
        "subtotal": 2999, "discount": 300, "shipping": 700, "tax": 270, "total": 3669,
        "created_at": "2026-11-23T10:00:00.123Z", "expires_at": "2026-11-23T10:15:00.123Z",
        "journal_seq": 12345, "persisted": false
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// `FLOODGATE_BLESS=1 cargo test` writes the document anew.
    #[test]
    fn the_committed_document_is_the_generated_one() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
        let generated = document() + "\n";
        if std::env::var_os("FLOODGATE_BLESS").is_some() {
            std::fs::write(&file, &generated).expect("the file can be written");
        }
        let committed = std::fs::read_to_string(&file).expect("the file is there");
        assert!(committed == generated, "the API has changed: run the tests with FLOODGATE_BLESS=1");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let parsed: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        assert_eq!(parsed["openapi"], "3.1.0");
        for reference in document.split("\"$ref\": \"#").skip(1) {
            let pointer = reference.split('"').next().expect("the end of the reference");
            assert!(parsed.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
