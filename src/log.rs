//! What the program says about itself, on standard error: text on a terminal, else one JSON object a line. What is said
//! while a request is worked on carries the request's id, and its trace's where there is one; never anything of what
//! was ordered or by whom.

mod filter;
mod lines;
mod request;

pub use filter::{filter_in_force, filter_of, set_filter};
pub use request::{Mark, in_request, marked};

use crate::config::{self, LogFormat};
use lines::Lines;
use std::io::IsTerminal;
use tracing_subscriber::prelude::*;

/// Starts logging, and tracing where it is configured, for the rest of the process. `RUST_LOG` wins over `log.filter`.
/// A second call changes nothing, so that tests may start the engine many times.
pub fn start(settings: &config::Log, tracing: &config::Tracing) {
    let wanted = std::env::var("RUST_LOG").ok().filter(|text| filter_of(text).is_ok());
    let (filter, swap) = filter::begin(wanted.as_deref().unwrap_or(&settings.filter));
    let format = if is_json(settings.format) { Lines::Json } else { Lines::Text };
    let lines = tracing_subscriber::fmt::layer()
        .event_format(format)
        .with_ansi(format == Lines::Text && std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_filter(filter);
    let started = tracing_subscriber::registry().with(lines).with(crate::trace::layer(tracing)).try_init();
    if started.is_ok() {
        swap.keep();
    }
}

fn is_json(format: LogFormat) -> bool {
    match format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    }
}
