//! What the program says about itself, on standard error: text on a terminal, else one JSON object a line.

use crate::config::{self, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// The filter of a text in the syntax of `RUST_LOG`; the error is the reason.
pub fn filter_of(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder().parse(text).map_err(|error| format!("`{text}`: {error}"))
}

/// Starts logging for the rest of the process. `RUST_LOG` wins over `log.filter`. A second call changes nothing, so
/// that tests may start the engine many times.
pub fn start(settings: &config::Log) {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|text| filter_of(&text).ok());
    let filter = wanted.or_else(|| filter_of(&settings.filter).ok()).unwrap_or_default();
    let output = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if is_json(settings.format) {
        output.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        output.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    drop(started);
}

fn is_json(format: LogFormat) -> bool {
    match format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    }
}
