use axum::http::Method;

/// Methods and paths that are counted each by itself, the busiest first. A test holds them against the document.
pub(super) const ROUTES: &[(&str, &str)] = &[
    ("POST", "/v1/checkouts"),
    ("POST", "/v1/checkouts/batch"),
    ("POST", "/v1/quotes"),
    ("GET", "/v1/products/{id}"),
    ("GET", "/v1/orders/{id}"),
    ("GET", "/v1/orders"),
    ("GET", "/v1/orders/{id}/events"),
    ("PUT", "/admin/products"),
    ("PUT", "/admin/sellers"),
    ("POST", "/admin/products/{id}/stock"),
    ("POST", "/admin/warmup"),
    ("GET", "/admin/warmup"),
    ("GET", "/admin/parked"),
    ("POST", "/admin/parked/{id}/retry"),
    ("GET", "/admin/status"),
    ("POST", "/admin/snapshot"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    OTHER,
];

/// Everything else: paths that clients make up must not make series.
const OTHER: (&str, &str) = ("other", "other");

/// The place in [`ROUTES`] of a request.
pub(super) fn route_of(method: &Method, path: &str) -> usize {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let known = ROUTES.iter().position(|(of, template)| *of == method && fits(template, path));
    known.unwrap_or(ROUTES.len() - 1)
}

fn fits(template: &str, path: &str) -> bool {
    let Some((before, after)) = template.split_once("{id}") else { return template == path };
    let id = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn requests_find_their_route() {
        for (method, path, route) in [
            (Method::POST, "/v1/checkouts", ("POST", "/v1/checkouts")),
            (Method::GET, "/v1/checkouts", OTHER),
            (Method::GET, "/v1/orders", ("GET", "/v1/orders")),
            (Method::GET, "/v1/orders/", OTHER),
            (Method::GET, "/v1/orders/7", ("GET", "/v1/orders/{id}")),
            (Method::HEAD, "/v1/orders/7", ("GET", "/v1/orders/{id}")),
            (Method::GET, "/v1/orders/7/events", ("GET", "/v1/orders/{id}/events")),
            (Method::GET, "/v1/orders/7/8/events", OTHER),
            (Method::POST, "/admin/products/7/stock", ("POST", "/admin/products/{id}/stock")),
            (Method::GET, "/../etc/passwd", OTHER),
        ] {
            assert_eq!(ROUTES[route_of(&method, path)], route, "{method} {path}");
        }
    }

    #[test]
    fn every_described_call_is_counted() {
        let document: serde_json::Value =
            serde_json::from_str(&super::super::openapi::document()).expect("a document");
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for method in item.as_object().expect("methods").keys() {
                described.insert((method.to_uppercase(), path.clone()));
            }
        }
        let counted = ROUTES.iter().filter(|route| **route != OTHER);
        let counted = counted.map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
        assert_eq!(described, counted.collect());
    }
}
