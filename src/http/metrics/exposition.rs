//! Histograms in Prometheus' text format (version 0.0.4).

use super::counters::HttpMetrics;
use floodgate_actors::EngineHistograms;
use floodgate_persistence::histogram::HistogramSnapshot;
use std::fmt::Write;

/// Ends of the buckets of requests, in nanoseconds: from a cached read to the request time-out.
const REQUESTS: &[u64] = &[
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// The same, from what a phase takes at least.
const PHASES: &[u64] = &[
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Ends of the buckets of what is counted.
const COUNTS: &[u64] = &[1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000];

/// What a family is measured in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Recorded in nanoseconds, told in seconds.
    Seconds,
    /// Told as recorded.
    Count,
}

struct Family {
    name: &'static str,
    help: &'static str,
    unit: Unit,
    bounds: &'static [u64],
}

const REQUEST_TIME: Family = Family {
    name: "floodgate_http_request_duration_seconds",
    help: "Time from a request's head to its answer.",
    unit: Unit::Seconds,
    bounds: REQUESTS,
};

const PHASE_TIME: Family = Family {
    name: "floodgate_checkout_phase_duration_seconds",
    help: "Phases of a checkout. Of the checkouts of a batch one in 16 is measured, without parse and answer.",
    unit: Unit::Seconds,
    bounds: PHASES,
};

const SYNC_TIME: Family = Family {
    name: "floodgate_journal_sync_duration_seconds",
    help: "Write and sync of a group of the journal.",
    unit: Unit::Seconds,
    bounds: PHASES,
};

const GROUP_EVENTS: Family = Family {
    name: "floodgate_journal_group_events",
    help: "Events of a group of the journal.",
    unit: Unit::Count,
    bounds: COUNTS,
};

const BATCH_TIME: Family = Family {
    name: "floodgate_store_batch_duration_seconds",
    help: "Time of a batch's transaction in the store.",
    unit: Unit::Seconds,
    bounds: REQUESTS,
};

const BATCH_ORDERS: Family = Family {
    name: "floodgate_store_batch_orders",
    help: "Orders of a batch written to the store.",
    unit: Unit::Count,
    bounds: COUNTS,
};

const INSERT_TIME: Family = Family {
    name: "floodgate_store_insert_duration_seconds",
    help: "Time of an insert of many rows, by table.",
    unit: Unit::Seconds,
    bounds: REQUESTS,
};

/// What requests took.
pub(super) fn of_requests(metrics: &HttpMetrics, out: &mut String) {
    let series = metrics.routes().map(|route| {
        let labels =
            format!("method=\"{}\",route=\"{}\",status_class=\"{}\"", route.method, route.route, route.class);
        (labels, route.times)
    });
    REQUEST_TIME.write(series, out);
}

/// What the engine measures.
pub(super) fn of_engine(engine: &EngineHistograms, out: &mut String) {
    PHASE_TIME.write(labelled("phase", &engine.phases), out);
    INSERT_TIME.write(labelled("table", &engine.inserts), out);
    for (family, times) in [
        (SYNC_TIME, &engine.journal_sync),
        (GROUP_EVENTS, &engine.group_events),
        (BATCH_TIME, &engine.batch_time),
        (BATCH_ORDERS, &engine.batch_orders),
    ] {
        family.write([(String::new(), times.clone())].into_iter(), out);
    }
}

fn labelled(
    label: &str,
    series: &[(&'static str, HistogramSnapshot)],
) -> impl Iterator<Item = (String, HistogramSnapshot)> {
    series.iter().map(move |(value, times)| (format!("{label}=\"{value}\""), times.clone()))
}

impl Family {
    /// Each series with its labels.
    fn write(&self, series: impl Iterator<Item = (String, HistogramSnapshot)>, out: &mut String) {
        // Writing to a string does not fail.
        writeln!(out, "# HELP {} {}\n# TYPE {} histogram", self.name, self.help, self.name)
            .unwrap_or_default();
        for (labels, times) in series {
            self.write_series(&labels, &times, out).unwrap_or_default();
        }
        out.push('\n');
    }

    fn write_series(&self, labels: &str, times: &HistogramSnapshot, out: &mut String) -> std::fmt::Result {
        let name = self.name;
        let comma = if labels.is_empty() { "" } else { "," };
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        for bound in self.bounds {
            let (end, count) = (self.told(*bound), times.up_to(*bound));
            writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{end}\"}} {count}")?;
        }
        let count = times.count();
        writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}")?;
        writeln!(out, "{name}_sum{braces} {}", self.told(times.sum()))?;
        writeln!(out, "{name}_count{braces} {count}")
    }

    fn told(&self, value: u64) -> String {
        if self.unit == Unit::Count { value.to_string() } else { seconds(value) }
    }
}

/// Nanoseconds as seconds, with as many digits as there are.
fn seconds(nanoseconds: u64) -> String {
    let text = format!("{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_persistence::histogram::{self, Histogram};
    use std::time::Duration;

    #[test]
    fn seconds_have_no_digit_too_many() {
        for (nanoseconds, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (250_000, "0.00025"),
            (1_500_000_000, "1.5"),
            (10_000_000_000, "10"),
        ] {
            assert_eq!(seconds(nanoseconds), text);
        }
    }

    /// A bucket between two of the histogram's own would be a guess.
    #[test]
    fn told_bounds_are_measured_bounds() {
        for (told, measured) in
            [(REQUESTS, &histogram::DURATIONS), (PHASES, &histogram::DURATIONS), (COUNTS, &histogram::COUNTS)]
        {
            for bound in told {
                assert!(measured.contains(bound), "{bound}");
            }
        }
    }

    #[test]
    fn a_family_reads_as_prometheus_wants_it() {
        let histogram = Histogram::of_durations();
        histogram.record_duration(Duration::from_micros(300));
        let mut text = String::new();
        REQUEST_TIME.write([("route=\"/x\"".to_owned(), histogram.snapshot())].into_iter(), &mut text);
        for line in [
            "# TYPE floodgate_http_request_duration_seconds histogram\n",
            "_bucket{route=\"/x\",le=\"0.00025\"} 0\n",
            "_bucket{route=\"/x\",le=\"0.0005\"} 1\n",
            "_bucket{route=\"/x\",le=\"+Inf\"} 1\n",
            "_sum{route=\"/x\"} 0.0003\n",
            "_count{route=\"/x\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
