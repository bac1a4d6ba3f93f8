use super::table::{DATA, Table};
use crate::histogram::{Histogram, HistogramSnapshot};
use std::sync::Arc;
use std::time::Duration;

/// How long inserts take, by table: in MySQL one statement of at most its size, in SQLite all rows of a batch.
#[derive(Clone)]
pub struct InsertTimes(Arc<[Histogram; DATA.len()]>);

impl Default for InsertTimes {
    fn default() -> Self {
        Self(Arc::new(DATA.map(|_| Histogram::of_durations())))
    }
}

impl InsertTimes {
    /// Records one. Tables that no batch writes are not counted.
    pub fn record(&self, table: &Table, took: Duration) {
        let mine = DATA.iter().zip(self.0.iter()).find(|(of, _)| of.name == table.name);
        if let Some((_, histogram)) = mine {
            histogram.record_duration(took);
        }
    }

    /// By table.
    pub fn snapshot(&self) -> Vec<(&'static str, HistogramSnapshot)> {
        DATA.iter().zip(self.0.iter()).map(|(table, histogram)| (table.name, histogram.snapshot())).collect()
    }
}
