use super::request::in_request;
use floodgate_persistence::model::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// For people.
    Text,
    /// One object a line; the event's fields beside `timestamp`, `level`, `target`, `request_id` and `trace_id`.
    Json,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match self {
            Self::Json => {
                let line = serde_json::to_string(&object(event)).map_err(|_| fmt::Error)?;
                writeln!(out, "{line}")
            }
            Self::Text => {
                let (level, target) = (event.metadata().level(), event.metadata().target());
                write!(out, "{} {level:>5} {target}: ", Timestamp::now().to_rfc3339())?;
                context.format_fields(out.by_ref(), event)?;
                for (name, value) in marks() {
                    write!(out, " {name}={value}")?;
                }
                writeln!(out)
            }
        }
    }
}

/// In this order, so that a line can be read by eye as well.
fn object(event: &Event<'_>) -> Fields {
    let time = ("timestamp", Timestamp::now().to_rfc3339().into());
    let mut fields = Fields(vec![time, ("level", event.metadata().level().as_str().into())]);
    event.record(&mut fields);
    fields.0.push(("target", event.metadata().target().into()));
    fields.0.extend(marks().map(|(name, value)| (name, value.into())));
    fields
}

/// Of the request that is being worked on.
fn marks() -> impl Iterator<Item = (&'static str, String)> {
    let marks = in_request(|mark| {
        let id = mark.request_id.to_str().unwrap_or_default().to_owned();
        [Some(("request_id", id)), mark.trace_id.map(|trace| ("trace_id", trace.to_string()))]
    });
    marks.into_iter().flatten().flatten()
}

/// The fields of an event as JSON.
struct Fields(Vec<(&'static str, Value)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.push((field.name(), value.into()));
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Mark, marked};
    use axum::http::HeaderValue;
    use opentelemetry::trace::TraceId;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::prelude::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("ours").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written of an event within a request and of one outside.
    fn written(lines: Lines) -> Vec<String> {
        let paper = Paper::default();
        let pen = paper.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(lines)
            .with_ansi(false)
            .with_writer(move || pen.clone());
        let log = tracing_subscriber::registry().with(layer);
        let mark = Mark {
            request_id: HeaderValue::from_static("r-1"),
            trace_id: Some(TraceId::from(0xab_u128)),
            is_traced: false,
        };
        tracing::subscriber::with_default(log, || {
            let inside = marked(mark, async { tracing::warn!(seq = 7, why = "a \"b\"\n", "not {}", "done") });
            tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(inside);
            tracing::info!(text = %"x", "outside");
        });
        let text = String::from_utf8(paper.0.lock().expect("ours").clone()).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_json_line_has_the_fields_and_the_request() {
        assert!(written(Lines::Json)[0].starts_with("{\"timestamp\":"));
        let lines: Vec<Value> =
            written(Lines::Json).iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let trace = "000000000000000000000000000000ab";
        for (name, value) in [
            ("message", "not done"),
            ("why", "a \"b\"\n"),
            ("level", "WARN"),
            ("request_id", "r-1"),
            ("trace_id", trace),
        ] {
            assert_eq!(lines[0][name], value, "{name}");
        }
        assert_eq!((&lines[0]["seq"], &lines[1]["text"]), (&7.into(), &"x".into()));
        assert!(lines[0]["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
        assert!(lines[1].get("request_id").is_none() && lines.len() == 2, "{lines:?}");
    }

    #[test]
    fn a_text_line_reads_well() {
        let lines = written(Lines::Text);
        assert!(lines[0].contains(" WARN floodgate::log::lines::tests: not done seq=7"), "{lines:?}");
        assert!(lines[0].ends_with("request_id=r-1 trace_id=000000000000000000000000000000ab"), "{lines:?}");
        assert_eq!(lines.len(), 2, "a line break in a value begins no line: {lines:?}");
    }
}
