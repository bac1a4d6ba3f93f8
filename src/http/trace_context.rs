//! W3C Trace Context: the `traceparent` header, in and out.

use super::route::template_of;
use crate::log::Mark;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Requests of so many among which the share of traced ones is counted.
const SHARE_OF: u64 = 10_000;

/// Decides which requests are traced.
pub(super) struct Tracing {
    /// Of 10,000 requests without a `traceparent`; `None`: tracing is off.
    share: Option<u64>,
    dice: RandomState,
    rolls: AtomicU64,
}

/// What a request is to its trace.
pub(super) struct Visit {
    /// The trace that the caller is in.
    parent: Option<SpanContext>,
    /// Our span, where the request is traced.
    pub(super) span: Option<Span>,
}

impl Tracing {
    /// Traces so many of 10,000 requests; `None`: none at all, whatever they ask for.
    pub(super) fn new(share: Option<u64>) -> Self {
        Self { share, dice: RandomState::new(), rolls: AtomicU64::new(0) }
    }

    /// Looks at a request that goes to this route. Whoever brings a `traceparent` has decided already, one way or the
    /// other.
    pub(super) fn visit(&self, request: &Request, route: usize) -> Visit {
        let parent = request.headers().get(TRACEPARENT).and_then(parse);
        let wanted = |share| match &parent {
            Some(parent) => parent.is_sampled(),
            None => self.roll() < share,
        };
        let is_traced = self.share.is_some_and(wanted);
        let span = is_traced.then(|| span_of(request.method(), template_of(route), parent.as_ref()));
        Visit { parent, span }
    }

    fn roll(&self) -> u64 {
        self.dice.hash_one(self.rolls.fetch_add(1, Ordering::Relaxed)) % SHARE_OF
    }
}

impl Visit {
    /// What the request's log lines carry.
    pub(super) fn mark(&self, request_id: &HeaderValue) -> Mark {
        if let Some(span) = &self.span {
            span.record("request_id", request_id.to_str().unwrap_or_default());
        }
        let ours = self.span.as_ref().map(|span| span.context().span().span_context().clone());
        let context = ours.as_ref().or(self.parent.as_ref());
        Mark {
            request_id: request_id.clone(),
            trace_id: context.map(SpanContext::trace_id),
            is_traced: self.span.is_some(),
        }
    }

    /// Ends with this status, and tells the caller: our span, or the caller's own where there is none of ours, so that
    /// whoever answers in between need not care.
    pub(super) fn end(self, status: u16, headers: &mut HeaderMap) {
        let ours = self.span.map(|span| {
            span.record("http.response.status_code", u64::from(status));
            if status >= 500 {
                span.record("otel.status_code", "ERROR");
            }
            span.context().span().span_context().clone()
        });
        if let Some(told) = ours.or(self.parent).as_ref().and_then(format) {
            headers.insert(TRACEPARENT, told);
        }
    }
}

/// Carries the route, not the path, which has ids and codes in it.
fn span_of(method: &Method, route: &'static str, parent: Option<&SpanContext>) -> Span {
    let span = tracing::info_span!(
        target: "floodgate::request",
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
        request_id = Empty,
    );
    if let Some(parent) = parent
        && span.set_parent(Context::new().with_remote_span_context(parent.clone())).is_err()
    {
        tracing::debug!("a span without its parent");
    }
    span
}

/// `00-<32 digits>-<16 digits>-<2 digits>`, in lower case; a later version may have more behind it. What is all zero or
/// anything else is as good as absent.
fn parse(value: &HeaderValue) -> Option<SpanContext> {
    let mut parts = value.to_str().ok()?.split('-');
    let [version, trace, span, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let is_hex = |text: &str, length| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let well_formed =
        is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2) && version != "ff";
    if !well_formed || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

fn format(context: &SpanContext) -> Option<HeaderValue> {
    let flags = u8::from(context.is_sampled());
    HeaderValue::try_from(format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traceparents_are_read_as_the_standard_says() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let zero = "0".repeat(32);
        for (text, sampled) in [
            (format!("00-{trace}-{span}-01"), Some(true)),
            (format!("00-{trace}-{span}-00"), Some(false)),
            (format!("00-{trace}-{span}-03"), Some(true)),
            (format!("01-{trace}-{span}-01-more"), Some(true)),
            (format!("00-{trace}-{span}-01-more"), None),
            (format!("ff-{trace}-{span}-01"), None),
            (format!("00-{zero}-{span}-01"), None),
            (format!("00-{trace}-{}-01", "0".repeat(16)), None),
            (format!("00-{}-{span}-01", trace.to_uppercase()), None),
            (format!("00-{trace}-{span}"), None),
            (String::new(), None),
        ] {
            let read = parse(&HeaderValue::try_from(&text).expect("a header"));
            assert_eq!(read.as_ref().map(SpanContext::is_sampled), sampled, "{text}");
        }
        let read =
            parse(&HeaderValue::try_from(format!("00-{trace}-{span}-01")).expect("a header")).expect("read");
        assert_eq!(format(&read).expect("told"), format!("00-{trace}-{span}-01").as_str());
    }
}
