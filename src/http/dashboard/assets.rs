//! The page and its parts, which are built into the program.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

/// Nothing but what comes from here: no inline script or style, no other host, no frame around it, no form that sends.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
);

macro_rules! assets {
    ($($content_type:ident $name:literal;)*) => {
        /// Name, content type and content.
        const ASSETS: &[(&str, &str, &[u8])] =
            &[$(($name, $content_type, include_bytes!(concat!("../../dashboard/", $name)))),*];
    };
}

assets! {
    HTML "index.html";
    CSS "dashboard.css";
    SVG "icon.svg";
    SCRIPT "app.js";
    SCRIPT "api.js";
    SCRIPT "charts.js";
    SCRIPT "dom.js";
    SCRIPT "feed.js";
    SCRIPT "format.js";
    SCRIPT "orders.js";
    SCRIPT "sections.js";
    SCRIPT "theme.js";
    SCRIPT "troubles.js";
    SCRIPT "verdict.js";
    SCRIPT "vendor/uPlot.iife.min.js";
    CSS "vendor/uPlot.min.css";
    TEXT "vendor/LICENSE";
}

/// The page.
pub(super) const PAGE: &str = "index.html";

struct Asset {
    name: &'static str,
    content_type: HeaderValue,
    content: &'static [u8],
    etag: HeaderValue,
}

static ALL: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    ASSETS
        .iter()
        .map(|(name, content_type, content)| Asset {
            name,
            content_type: HeaderValue::from_static(content_type),
            content,
            etag: etag_of(content),
        })
        .collect()
});

/// The first half of the content's SHA-256.
fn etag_of(content: &[u8]) -> HeaderValue {
    let mut tag = String::from("\"");
    for byte in Sha256::digest(content).iter().take(16) {
        // Writing to a string does not fail.
        tag.write_fmt(format_args!("{byte:02x}")).unwrap_or_default();
    }
    tag.push('"');
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// An asset, or only that it has not changed; `None`: there is none of this name.
pub(super) fn respond(name: &str, headers: &HeaderMap) -> Option<Response> {
    let asset = ALL.iter().find(|asset| asset.name == name)?;
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == asset.etag);
    let mut response = Response::new(Body::from(if is_known { &[][..] } else { asset.content }));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let described = [
        (header::CONTENT_TYPE, asset.content_type.clone()),
        (header::ETAG, asset.etag.clone()),
        // Kept, but asked about each time: after an update the parts must fit each other.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    response.headers_mut().extend(described.into_iter().chain(protections()));
    Some(response)
}

/// What keeps the page from being used against its visitor.
pub(super) fn protections() -> [(HeaderName, HeaderValue); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_part_is_protected_and_has_its_tag() {
        for (name, content_type, content) in ASSETS {
            let response = respond(name, &HeaderMap::new()).expect("an asset");
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
            assert_eq!(header("content-type"), Some(*content_type), "{name}");
            assert_eq!(header("x-content-type-options"), Some("nosniff"), "{name}");
            assert_eq!(header("referrer-policy"), Some("no-referrer"), "{name}");
            let policy = header("content-security-policy").expect("a policy");
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            assert!(!content.is_empty(), "{name}");
            let known =
                HeaderMap::from_iter([(header::IF_NONE_MATCH, response.headers()[header::ETAG].clone())]);
            assert_eq!(
                respond(name, &known).map(|response| response.status()),
                Some(StatusCode::NOT_MODIFIED)
            );
        }
        assert!(respond("../Cargo.toml", &HeaderMap::new()).is_none());
    }

    /// A file that nobody serves, or that the page asks for in vain, would only be found in a browser.
    #[test]
    fn what_lies_in_the_folder_is_served() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dashboard");
        let mut found = Vec::new();
        for (folder, prefix) in [(root.clone(), ""), (root.join("vendor"), "vendor/")] {
            for entry in std::fs::read_dir(folder).expect("the folder") {
                let entry = entry.expect("an entry");
                if entry.path().is_file() {
                    found.push(format!("{prefix}{}", entry.file_name().to_string_lossy()));
                }
            }
        }
        let mut served: Vec<_> = ASSETS.iter().map(|(name, ..)| (*name).to_owned()).collect();
        found.sort();
        served.sort();
        assert_eq!(found, served);
    }

    #[test]
    fn nothing_is_inline_and_nothing_lies_elsewhere() {
        for (name, _, content) in ASSETS.iter().filter(|(name, ..)| !name.starts_with("vendor/")) {
            let text = std::str::from_utf8(content).expect("text");
            for forbidden in [" style=", " onclick=", "javascript:", "innerHTML", "http://", "https://"] {
                let known = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!known.contains(forbidden), "{name}: {forbidden}");
            }
        }
    }
}
