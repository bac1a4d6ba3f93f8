//! Ids in paths, and the query of the list of orders.

use super::checkout_shape::city;
use super::error::{ErrorCode, Failure};
use super::json::Wrong;
use super::problem::ErrorEntry;
use axum::extract::Query;
use axum::http::Uri;
use floodgate_persistence::model::{OrderId, OrderStatus, Timestamp};
use floodgate_persistence::store::OrderFilter;
use utoipa::IntoParams;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 200;

/// Conditions on orders.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read by the document; the query is read by name, so that every problem is found"
)]
pub(super) struct OrderQuery {
    /// Of this customer.
    #[param(minimum = 1, maximum = 9007199254740991_i64)]
    customer_id: Option<u64>,
    /// With a line of this seller.
    #[param(minimum = 1, maximum = 9007199254740991_i64)]
    seller_id: Option<u64>,
    /// In this status.
    #[param(value_type = Option<super::order_json::StatusJson>)]
    status: Option<String>,
    /// To this city, compared trimmed and case-folded.
    #[param(max_length = 100)]
    city: Option<String>,
    /// Placed at or after this time (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Placed before this time (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// Orders a page, 50 where not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the last page ended: its `next_cursor`.
    cursor: Option<String>,
}

/// The id in a path, as digits without a sign.
pub(super) fn path_id(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The mark of where a page ended. Only this file knows what it means.
pub(super) fn cursor(below: OrderId) -> String {
    format!("o{:x}", below.get())
}

fn read_cursor(text: &str) -> Option<OrderId> {
    let id = u64::from_str_radix(text.strip_prefix('o')?, 16).ok().and_then(OrderId::new)?;
    // Only what was given out: no signs, zeros or capitals.
    (cursor(id) == text).then_some(id)
}

/// Reads the query, or names everything that is wrong with it.
pub(super) fn read_query(uri: &Uri) -> Result<OrderFilter, Failure> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
        return Err(Failure::new(ErrorCode::InvalidField, "the query is not name=value&name=value in UTF-8"));
    };
    let mut filter = OrderFilter { limit: LIMIT_DEFAULT, ..OrderFilter::default() };
    let mut problems = Vec::new();
    for (place, (name, value)) in pairs.iter().enumerate() {
        if pairs.iter().take(place).any(|(earlier, _)| earlier == name) {
            problems.push(ErrorEntry::of_parameter(name, ErrorCode::InvalidField, "is given twice"));
        } else if let Err((code, wrong)) = set(&mut filter, name, value) {
            problems.push(ErrorEntry::of_parameter(name, code, wrong));
        }
    }
    if problems.is_empty() { Ok(filter) } else { Err(Failure::shape(problems)) }
}

fn set(filter: &mut OrderFilter, name: &str, value: &str) -> Result<(), (ErrorCode, Wrong)> {
    let invalid = |wrong: &'static str| (ErrorCode::InvalidField, Wrong::from(wrong));
    let id = || path_id(value).and_then(OrderId::new).map(OrderId::get).ok_or(invalid("must be an id"));
    let time = || Timestamp::from_rfc3339(value).ok_or(invalid("must be a time as 2026-11-23T10:00:00Z"));
    match name {
        "customer_id" => filter.customer_id = Some(id()?),
        "seller_id" => filter.seller_id = Some(id()?),
        "status" => {
            let status = OrderStatus::parse(value).ok_or(invalid("must be the name of a status"))?;
            filter.status = Some(status);
        }
        "city" => filter.city = Some(city(value).map_err(|wrong| (ErrorCode::InvalidField, wrong))?.into()),
        "from" => filter.from = Some(time()?),
        "to" => filter.to = Some(time()?),
        "limit" => filter.limit = limit(value).ok_or(invalid("must be 1 to 200"))?,
        "cursor" => {
            let below = read_cursor(value).ok_or(invalid("must be the next_cursor of a page"))?;
            filter.below = Some(below);
        }
        _ => return Err((ErrorCode::UnknownField, "is not a parameter of this call".into())),
    }
    Ok(())
}

/// The `limit` of a list.
pub(super) fn limit(text: &str) -> Option<usize> {
    let limit = usize::try_from(path_id(text)?).ok()?;
    (1..=LIMIT_MAX).contains(&limit).then_some(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<OrderFilter, Failure> {
        read_query(&format!("/v1/orders?{query}").parse().expect("a path"))
    }

    #[test]
    fn a_query_becomes_a_filter() {
        let filter = read(
            "customer_id=42&seller_id=3&status=paid&city=%20S%C3%A3o+Paulo&from=2026-11-23T10:00:00Z\
             &to=2026-11-23T12:00:00%2B01:00&limit=200&cursor=o3e9",
        );
        assert_eq!(
            filter.expect("a filter"),
            OrderFilter {
                customer_id: Some(42),
                seller_id: Some(3),
                status: Some(OrderStatus::Paid),
                city: Some("São Paulo".into()),
                from: Some(Timestamp(1_795_428_000_000)),
                to: Some(Timestamp(1_795_431_600_000)),
                below: Some(OrderId(1001)),
                limit: 200,
            }
        );
        let plain = read("").expect("a filter");
        assert_eq!(plain, OrderFilter { limit: 50, ..OrderFilter::default() });
    }

    #[test]
    fn a_bad_parameter_is_named() {
        for (query, parameter, code) in [
            ("customer=1", "customer", "unknown_field"),
            ("customer_id=0", "customer_id", "invalid_field"),
            ("customer_id=9007199254740992", "customer_id", "invalid_field"),
            ("customer_id=%2B1", "customer_id", "invalid_field"),
            ("customer_id=1&customer_id=1", "customer_id", "invalid_field"),
            ("seller_id=x", "seller_id", "invalid_field"),
            ("status=done", "status", "invalid_field"),
            ("city=", "city", "invalid_field"),
            ("city=a%00b", "city", "invalid_field"),
            ("from=yesterday", "from", "invalid_field"),
            ("to=2026-13-01T00:00:00Z", "to", "invalid_field"),
            ("limit=0", "limit", "invalid_field"),
            ("limit=201", "limit", "invalid_field"),
            ("limit=-1", "limit", "invalid_field"),
            ("cursor=o", "cursor", "invalid_field"),
            ("cursor=o0", "cursor", "invalid_field"),
            ("cursor=o03e9", "cursor", "invalid_field"),
            ("cursor=o%2B3e9", "cursor", "invalid_field"),
            ("cursor=' OR 1=1", "cursor", "invalid_field"),
        ] {
            let query = query.replace(' ', "%20").replace('\'', "%27");
            let failure = read(&query).expect_err(&query);
            let [entry] = failure.errors() else { panic!("one problem: {query}") };
            assert_eq!((entry.parameter.as_deref(), entry.code), (Some(parameter), code), "{query}");
            assert_eq!(failure.code().status().as_u16(), 400);
        }
    }

    #[test]
    fn cursors_and_ids_go_there_and_back() {
        for id in [1, 1001, 9_007_199_254_740_991] {
            assert_eq!(read_cursor(&cursor(OrderId(id))), Some(OrderId(id)));
        }
        for (text, id) in
            [("7", Some(7)), ("007", Some(7)), ("", None), ("+7", None), ("-7", None), ("7.0", None)]
        {
            assert_eq!(path_id(text), id, "{text}");
        }
        assert_eq!(path_id("99999999999999999999"), None);
    }
}
