//! Histograms of the server's `/metrics` (Prometheus text), and what was added to them between two looks.

use std::collections::BTreeMap;

/// All histogram buckets of a look: by series without `le`, then upper end in nanoseconds (`u64::MAX`: no end), how many
/// were at or below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrape(BTreeMap<Series, BTreeMap<u64, u64>>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
}

/// Where a quantile lies: a histogram only knows between which ends, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// At least.
    pub from: u64,
    /// At most; `u64::MAX`: above the last bucket's end.
    pub to: u64,
}

/// Buckets of one or several series together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets(BTreeMap<u64, u64>);

impl Scrape {
    /// Reads the text; what is no histogram bucket is passed over.
    pub fn read(text: &str) -> Self {
        let mut series: BTreeMap<Series, BTreeMap<u64, u64>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((of, end, count)) = bucket(line) {
                series.entry(of).or_default().insert(end, count);
            }
        }
        Self(series)
    }

    /// What was added since `before` to all series of this name that have these labels; `None` where there is no such
    /// series.
    pub fn added(&self, before: &Self, name: &str, labels: &[(&str, &str)]) -> Option<Buckets> {
        let fits = |series: &Series| {
            let has =
                |(label, value): &(&str, &str)| series.labels.get(*label).is_some_and(|found| found == value);
            series.name == name && labels.iter().all(has)
        };
        let mut sum: Option<Buckets> = None;
        for (series, buckets) in self.0.iter().filter(|(series, _)| fits(series)) {
            let sum = &mut sum.get_or_insert_default().0;
            for (end, count) in buckets {
                let was = before.0.get(series).and_then(|earlier| earlier.get(end)).copied().unwrap_or(0);
                *sum.entry(*end).or_default() += count.saturating_sub(was);
            }
        }
        sum
    }
}

impl Buckets {
    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.0.values().copied().max().unwrap_or(0)
    }

    /// Between which ends the quantile `thousandths` / 1,000 lies; `None` of nothing.
    pub fn quantile(&self, thousandths: u64) -> Option<Between> {
        let rank = (self.count().saturating_mul(thousandths)).div_ceil(1_000);
        let mut from = 0;
        for (end, count) in &self.0 {
            if *count >= rank && rank > 0 {
                return Some(Between { from, to: *end });
            }
            from = *end;
        }
        None
    }
}

/// `name_bucket{label="value",le="0.5"} 7`.
fn bucket(line: &str) -> Option<(Series, u64, u64)> {
    let (name, rest) = line.split_once("_bucket{")?;
    let (labels, value) = rest.rsplit_once("} ")?;
    let pairs = labels.split("\",").filter_map(|pair| {
        let (label, value) = pair.split_once("=\"")?;
        Some((label.trim_start_matches(',').to_owned(), value.trim_end_matches('"').to_owned()))
    });
    let mut labels: BTreeMap<_, _> = pairs.collect();
    let end = nanoseconds(&labels.remove("le")?)?;
    Some((Series { name: name.to_owned(), labels }, end, value.trim().parse().ok()?))
}

#[expect(clippy::float_arithmetic, reason = "the text has seconds with a point")]
fn nanoseconds(text: &str) -> Option<u64> {
    match text {
        "+Inf" => Some(u64::MAX),
        seconds => Some(crate::bench::whole(seconds.parse::<f64>().ok()? * 1e9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# TYPE t histogram\nt_bucket{route=\"/a\",le=\"0.001\"} 5\nt_bucket{route=\"/a\",le=\"0.01\"} 6\nt_bucket{route=\"/a\",le=\"+Inf\"} 6\n\
        t_sum{route=\"/a\"} 1.5\nt_count{route=\"/a\"} 6\n";
    const AFTER: &str = "t_bucket{route=\"/a\",le=\"0.001\"} 95\nt_bucket{route=\"/a\",le=\"0.01\"} 105\n\
        t_bucket{route=\"/a\",le=\"+Inf\"} 106\nt_bucket{route=\"/b\",le=\"0.001\"} 7\nother 3\n";

    #[test]
    fn only_what_was_added_counts() {
        let added =
            Scrape::read(AFTER).added(&Scrape::read(BEFORE), "t", &[("route", "/a")]).expect("a series");
        assert_eq!(added.count(), 100);
        assert_eq!(added.quantile(500), Some(Between { from: 0, to: 1_000_000 }));
        assert_eq!(added.quantile(990), Some(Between { from: 1_000_000, to: 10_000_000 }));
        assert_eq!(Scrape::read(AFTER).added(&Scrape::default(), "t", &[]).expect("both").count(), 106);
        assert_eq!(Scrape::read(AFTER).added(&Scrape::default(), "u", &[]), None);
        assert_eq!(Buckets::default().quantile(500), None);
    }
}
