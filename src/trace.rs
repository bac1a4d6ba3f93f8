//! Traces: where the time of single requests went, for a collector that speaks OTLP over HTTP. Off unless
//! `tracing.otlp_url` is set.
//!
//! The door decides which requests are traced, so that the others pay nothing. A traced request has a span; the
//! phases of a checkout, which are measured anyway, become spans below it when it has been answered. What is logged
//! meanwhile, and the batches of the write-behind, go along.

mod courier;

use crate::config;
use courier::Courier;
use floodgate_actors::Trail;
use opentelemetry::trace::{Span as _, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// How long the last spans may take to leave when the process ends.
const LAST_SPANS: Duration = Duration::from_secs(2);

static EXPORT: OnceLock<Export> = OnceLock::new();

struct Export {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// What turns spans into exported ones; `None`: tracing is off, or was started before.
pub fn layer<S>(settings: &config::Tracing) -> Option<impl Layer<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let url = settings.otlp_url.0.as_deref()?;
    let export = match Export::to(url) {
        Ok(export) => export,
        Err(error) => {
            // Before there is a log.
            eprintln!("floodgate: tracing is off: {error}");
            return None;
        }
    };
    let tracer = export.tracer.clone();
    EXPORT.set(export).ok()?;
    let ours =
        Targets::new().with_target("floodgate", Level::INFO).with_target("floodgate_actors", Level::INFO);
    let ours = ours.with_target("floodgate_persistence", Level::INFO);
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    Some(layer.with_location(false).with_threads(false).with_filter(ours))
}

impl Export {
    fn to(url: &str) -> Result<Self, String> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Courier::new())
            .with_endpoint(url)
            .build()
            .map_err(|error| error.to_string())?;
        let resource = Resource::builder()
            .with_service_name("floodgate")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        // Which requests are traced was decided at the door.
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self { tracer: provider.tracer("floodgate"), provider })
    }
}

/// Whether spans go anywhere.
pub fn is_on() -> bool {
    EXPORT.get().is_some()
}

/// Sends what is left. Called once, at the end.
pub fn stop() {
    if let Some(Err(error)) = EXPORT.get().map(|export| export.provider.shutdown_with_timeout(LAST_SPANS)) {
        tracing::warn!(%error, "the last spans were not sent");
    }
}

/// The phases that a checkout has behind it, as spans below the current one.
pub fn add_phases(trail: &Trail) {
    let Some(export) = EXPORT.get() else { return };
    let context: Context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return;
    }
    let (now, wall) = (Instant::now(), SystemTime::now());
    let at = |moment: Instant| wall.checked_sub(now.saturating_duration_since(moment)).unwrap_or(wall);
    for lap in trail.laps() {
        let span = export.tracer.span_builder(lap.phase.as_str()).with_start_time(at(lap.began));
        let mut span = span.start_with_context(&export.tracer, &context);
        span.end_with_timestamp(at(lap.ended));
    }
}
