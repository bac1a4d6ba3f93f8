//! The report as one page of HTML that needs nothing beside it.

use super::chart::{Line, Scale, chart};
use super::report::{Point, Report, books_in_words, in_ms, measured};
use super::timing::QUANTILES;
use crate::bench::{per_second, real};

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn page(report: &Report) -> String {
    let title = format!("Load report: {}", report.about.settings.tier.name());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\n\
         <style>\n{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{}{}{}{}{}{}</body>\n</html>\n",
        summary(report),
        charts(&report.points),
        latencies(report),
        budgets(report),
        errors(report),
        books(report)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn summary(report: &Report) -> String {
    let (settings, all) = (&report.about.settings, report.counts());
    let verdict = if report.books.balance() { "the books balance" } else { "the books do not balance" };
    format!(
        "<p class=\"lead\">{} users, each asking once in {:?} in the mean, for {:?}: {} requests, {:.0} a second; \
         {} answered, {} refused, {} shed, {} failed; {verdict}.</p>\n\
         <p>Open loop: arrivals are drawn beforehand (a Poisson process a user, seed {}) and do not wait for the engine; \
         latency counts from the moment that a request was due, so that a wait behind a slow answer is in it. The client's timer has \
         steps of a millisecond, which are in those figures and not in those from the sending. {} requests were due and never \
         sent before the end. Refused: the engine said no in good order (409, 422, 402, 404). Shed: 429 or 503, nothing was \
         taken.</p>\n<p>Client: {}, version {}, {} products, {} threads; asked {}.</p>\n",
        settings.users,
        settings.think,
        settings.duration,
        all.total(),
        per_second(all.total(), settings.duration),
        all.answered,
        all.refused,
        all.shed,
        all.failed,
        settings.seed,
        report.unsent,
        escape(&report.about.machine),
        report.about.version,
        report.about.products,
        settings.threads,
        escape(&settings.url)
    )
}

#[expect(clippy::float_arithmetic, reason = "coordinates of a drawing")]
fn charts(points: &[Point]) -> String {
    let line = |name, class, value: fn(&Point) -> f64| Line {
        name,
        class,
        points: points.iter().map(|point| (point.at.as_secs_f64(), value(point))).collect(),
    };
    let load = [
        line("requests", "one", |point| point.rate),
        line("shed", "two", |point| point.shed),
        line("failed", "three", |point| point.failed),
    ];
    let latency = [
        line("p50", "one", |point| real(point.p50_us) / 1_000.0),
        line("p99", "two", |point| real(point.p99_us) / 1_000.0),
    ];
    let users = [line("users", "one", |point| real(point.users as u64))];
    [
        chart("Requests a second", &load, Scale::Linear, ""),
        chart("Latency from when a request was due", &latency, Scale::Decades, "ms"),
        chart("Users", &users, Scale::Linear, ""),
    ]
    .concat()
}

fn row(cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr>{}</tr>\n", cells.concat())
}

fn table(title: &str, head: &[&str], rows: &[String]) -> String {
    let head: Vec<_> = head.iter().map(|name| format!("<th>{name}</th>")).collect();
    format!(
        "<h2>{title}</h2>\n<div class=\"scroll\"><table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>\n",
        head.concat(),
        rows.concat()
    )
}

fn latencies(report: &Report) -> String {
    let mut head = vec!["call", "requests", "from"];
    head.extend(QUANTILES.map(|(name, _)| name));
    let mut rows = Vec::new();
    for operation in &report.operations {
        for (from, histogram) in [("due", &operation.timing.due), ("sent", &operation.timing.sent)] {
            let mut cells = vec![operation.name.to_owned(), histogram.len().to_string(), from.to_owned()];
            cells.extend(QUANTILES.map(|(_, quantile)| in_ms(histogram.value_at_quantile(quantile))));
            rows.push(row(&cells));
        }
    }
    table("Latency in milliseconds", &head, &rows)
}

fn budgets(report: &Report) -> String {
    let mut rows = Vec::new();
    for budget in &report.budgets {
        let mut cells = vec![
            budget.name.to_owned(),
            format!("{} ms", budget.limit.as_millis()),
            format!("{} ({})", budget.said, budget.count),
        ];
        cells.extend(budget.at.iter().map(|(_, between, verdict)| measured(*between, *verdict)));
        cells.resize(6, "–".to_owned());
        rows.push(row(&cells));
    }
    table("Budgets", &["phase", "budget", "measured", "p50", "p99", "p99.9"], &rows)
}

fn errors(report: &Report) -> String {
    let rows: Vec<_> = report
        .codes
        .iter()
        .map(|(call, status, code, count)| {
            let status = if *status == 0 { "no answer".to_owned() } else { status.to_string() };
            row(&[(*call).to_owned(), status, escape(code), count.to_string()])
        })
        .collect();
    match rows.is_empty() {
        true => "<h2>Errors by code</h2>\n<p>None.</p>\n".to_owned(),
        false => table("Errors by code", &["call", "status", "code", "times"], &rows),
    }
}

fn books(report: &Report) -> String {
    let lines: Vec<_> =
        books_in_words(&report.books).iter().map(|line| format!("<p>{}</p>\n", escape(line))).collect();
    format!("<h2>The books</h2>\n{}", lines.concat())
}
