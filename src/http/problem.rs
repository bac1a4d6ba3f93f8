//! Problem documents (RFC 9457), as they are written.

use super::error::{ErrorCode, Failure, JobJson};
use axum::http::HeaderValue;
use floodgate_actors::rules::{Pointer, Problem, ProblemCode};
use floodgate_persistence::model::ProductId;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// Where the errors are described; a name, not an address that has to answer.
const TYPE_BASE: &str = "https://floodgate.dev/errors/";

/// Why a request was not done.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemJson<'a> {
    /// The kind of problem as a URI: `https://floodgate.dev/errors/<code>`.
    #[serde(rename = "type")]
    #[schema(example = "https://floodgate.dev/errors/insufficient_stock")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 409)]
    status: u16,
    /// The kind's stable name.
    #[schema(example = "insufficient_stock")]
    code: &'static str,
    /// This occurrence in words.
    detail: &'a str,
    /// The request's `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    /// Every single problem of the request.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ErrorEntry],
    /// `warmup_running`, `reconciliation_running`: the job that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<&'a JobJson>,
}

impl<'a> ProblemJson<'a> {
    /// The document of a failure.
    pub(super) fn new(failure: &'a Failure, request_id: Option<&'a HeaderValue>) -> Self {
        let code = failure.code();
        Self {
            kind: format!("{TYPE_BASE}{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            code: code.as_str(),
            detail: failure.detail(),
            request_id: request_id.and_then(|id| id.to_str().ok()),
            errors: failure.errors(),
            job: failure.job(),
        }
    }
}

/// One problem of a request: where it lies, what it is, and the facts that belong to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProblemEntry)]
pub(super) struct ErrorEntry {
    /// JSON pointer (RFC 6901) into the request body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/items/0/quantity")]
    pub(super) pointer: Option<String>,
    /// Name of the query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameter: Option<String>,
    /// Name of the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) header: Option<&'static str>,
    /// Stable name of the problem.
    #[schema(value_type = String)]
    pub(super) code: &'static str,
    /// In words.
    #[schema(value_type = String)]
    pub(super) detail: Cow<'static, str>,
    /// The product it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    product_id: Option<ProductId>,
    /// `insufficient_stock`: pieces asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    requested: Option<i64>,
    /// `insufficient_stock`: pieces left.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
    /// `price_changed`: the amount that the request gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<i64>,
    /// `price_changed`: the amount that is true now.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<i64>,
    /// `quantity_out_of_range`: the largest quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
}

impl ErrorEntry {
    /// A field of the body.
    pub(super) fn of_body(pointer: String, code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: Some(pointer), code: code.as_str(), detail: detail.into(), ..Self::default() }
    }

    /// A query parameter.
    pub(super) fn of_parameter(name: &str, code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let parameter = Some(super::json::shortened(name));
        Self { parameter, code: code.as_str(), detail: detail.into(), ..Self::default() }
    }

    /// A header.
    pub(super) fn of_header(name: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let code = ErrorCode::InvalidField.as_str();
        Self { header: Some(name), code, detail: detail.into(), ..Self::default() }
    }

    /// Too few pieces of a product, where the request has no line to point at.
    pub(super) fn of_stock(product_id: ProductId, requested: Option<i64>, available: i64) -> Self {
        Self {
            pointer: Some("/delta".to_owned()),
            code: ErrorCode::InsufficientStock.as_str(),
            detail: "the stock would go below zero".into(),
            product_id: Some(product_id),
            requested,
            available: Some(available),
            ..Self::default()
        }
    }

    /// A reason of the rules that has nothing to add.
    pub(super) fn of_rule(pointer: &str, code: &'static str, detail: &'static str) -> Self {
        Self { pointer: Some(pointer.to_owned()), code, detail: detail.into(), ..Self::default() }
    }
}

/// A problem that the rules found.
impl From<&Problem> for ErrorEntry {
    fn from(problem: &Problem) -> Self {
        let entry = Self {
            pointer: Some(pointer_text(problem.pointer)),
            code: problem.code.as_str(),
            ..Self::default()
        };
        match problem.code {
            ProblemCode::EmptyCart => entry.with("there is nothing in the cart"),
            ProblemCode::TooManyLines => entry.with("there are too many items in the cart"),
            ProblemCode::UnknownProduct(id) => entry.with("there is no such product").about(id),
            ProblemCode::InactiveProduct(id) => entry.with("the product is not for sale").about(id),
            ProblemCode::InactiveSeller(id) => entry.with("the product's seller does not sell").about(id),
            ProblemCode::CurrencyMismatch(id) => entry.with("the product has another currency").about(id),
            ProblemCode::QuantityOutOfRange { max } => Self {
                max: Some(max),
                ..entry.with(format!("the quantity of a product must be 1 to {max} in all"))
            },
            ProblemCode::AmountOutOfRange => entry.with("the amount is negative or too large"),
            ProblemCode::UnknownCoupon => entry.with("there is no such coupon"),
            ProblemCode::CouponNotValid => entry.with("the coupon is not valid for this order"),
            ProblemCode::CouponUsedUp => entry.with("the coupon is used up"),
            ProblemCode::UnknownReferral => entry.with("there is no such referral code"),
            ProblemCode::PaymentNotAvailable => entry.with("this way to pay is not available"),
            ProblemCode::InsufficientStock { product_id, requested, available } => Self {
                requested: Some(i64::from(requested)),
                available: Some(available),
                ..entry.with("fewer pieces are left than asked for").about(product_id)
            },
            ProblemCode::UnitPriceChanged { product_id, expected, current } => Self {
                expected: Some(expected.0),
                current: Some(current.0),
                ..entry.with("the price has changed").about(product_id)
            },
            ProblemCode::TotalChanged { expected, current } => Self {
                expected: Some(expected.0),
                current: Some(current.0),
                ..entry.with("the total has changed")
            },
        }
    }
}

impl ErrorEntry {
    fn with(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    fn about(self, product_id: ProductId) -> Self {
        Self { product_id: Some(product_id), ..self }
    }
}

/// RFC 6901. Fields of the rules need no escaping: they are names of ours.
fn pointer_text(pointer: Pointer) -> String {
    match pointer {
        Pointer::Items => "/items".to_owned(),
        Pointer::Item { index, field } => format!("/items/{index}/{field}"),
        Pointer::Field(field) => format!("/{field}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_actors::rules::Refusal;
    use floodgate_persistence::model::Money;

    fn document(failure: &Failure) -> serde_json::Value {
        let id = HeaderValue::from_static("r-1");
        serde_json::to_value(ProblemJson::new(failure, Some(&id))).expect("a document")
    }

    #[test]
    fn a_refusal_carries_its_facts() {
        let items = |index, field| Pointer::Item { index, field };
        let failure = Failure::from(Refusal {
            problems: vec![
                Problem {
                    pointer: items(0, "quantity"),
                    code: ProblemCode::InsufficientStock {
                        product_id: ProductId(7),
                        requested: 3,
                        available: 1,
                    },
                },
                Problem {
                    pointer: items(0, "unit_price"),
                    code: ProblemCode::UnitPriceChanged {
                        product_id: ProductId(7),
                        expected: Money(5),
                        current: Money(6),
                    },
                },
            ],
        });
        assert_eq!(
            document(&failure),
            serde_json::json!({
                "type": "https://floodgate.dev/errors/insufficient_stock",
                "title": "Not enough stock", "status": 409, "code": "insufficient_stock",
                "detail": "nothing was sold: see errors", "request_id": "r-1",
                "errors": [
                    { "pointer": "/items/0/quantity", "code": "insufficient_stock",
                      "detail": "fewer pieces are left than asked for",
                      "product_id": 7, "requested": 3, "available": 1 },
                    { "pointer": "/items/0/unit_price", "code": "price_changed",
                      "detail": "the price has changed", "product_id": 7, "expected": 5, "current": 6 },
                ],
            })
        );
    }

    #[test]
    fn the_problem_of_highest_precedence_names_the_answer() {
        let unknown = Problem {
            pointer: Pointer::Item { index: 1, field: "product_id" },
            code: ProblemCode::UnknownProduct(ProductId(9)),
        };
        let total = Problem {
            pointer: Pointer::Field("expected_total"),
            code: ProblemCode::TotalChanged { expected: Money(1), current: Money(2) },
        };
        for (problems, status, code) in
            [(vec![total.clone()], 409, "price_changed"), (vec![total, unknown], 422, "validation_failed")]
        {
            let document = document(&Failure::from(Refusal { problems }));
            assert_eq!((&document["status"], &document["code"]), (&status.into(), &code.into()));
        }
    }
}
