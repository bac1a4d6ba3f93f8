//! Order ids, invoice numbers and expiry times: given in the order of the journal, and nowhere else.

use floodgate_persistence::model::{Event, OrderId, OrderPlaced, OrderStatus, Record, Timestamp};
use floodgate_persistence::planted::{self, Planted};
use floodgate_persistence::store::{ORDER_ID_COUNTER, invoice_counter};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// The counters.
pub struct Numbers {
    counters: BTreeMap<String, u64>,
    last_order_id: u64,
    payment_window_ms: i64,
    /// The year of the last order, and when it ends: civil time is looked up once a year.
    year: u16,
    year_ends: Timestamp,
    /// The series of the last order and its last number, so that the common case needs no look-up.
    series: (String, u16, u64),
}

impl Numbers {
    /// Goes on after the counters of the store.
    pub fn new(counters: BTreeMap<String, u64>, first_order_id: u64, payment_window: Duration) -> Self {
        let last_order_id =
            counters.get(ORDER_ID_COUNTER).copied().unwrap_or_else(|| first_order_id.saturating_sub(1));
        Self {
            counters,
            last_order_id,
            payment_window_ms: i64::try_from(payment_window.as_millis()).unwrap_or(i64::MAX),
            year: 0,
            year_ends: Timestamp(i64::MIN),
            series: (String::new(), 0, 0),
        }
    }

    /// Fills in what the journal gives. `at` is the order's time.
    pub fn give(&mut self, order: &mut OrderPlaced, at: Timestamp) {
        self.last_order_id += 1;
        order.order_id = OrderId(self.last_order_id);
        order.invoice.year = self.year_of(at);
        order.invoice.number = self.next_invoice(&order.invoice.prefix, order.invoice.year);
        order.expires_at =
            (order.status == OrderStatus::PendingPayment).then(|| at.plus_millis(self.payment_window_ms));
    }

    /// Plays an order from the journal forward.
    pub fn replay(&mut self, record: &Record) {
        if let Event::OrderPlaced(order) = &record.event {
            if !planted::is(Planted::OrderIdReused) {
                self.last_order_id = order.order_id.get();
            }
            self.select_series(&order.invoice.prefix, order.invoice.year);
            self.series.2 = order.invoice.number;
        }
    }

    /// Journal time never goes back, so the year is right until it ends.
    fn year_of(&mut self, at: Timestamp) -> u16 {
        if at >= self.year_ends {
            self.year = at.year();
            let next_year = format!("{:04}-01-01T00:00:00Z", self.year + 1);
            self.year_ends = Timestamp::from_rfc3339(&next_year).unwrap_or(Timestamp(i64::MAX));
        }
        self.year
    }

    fn next_invoice(&mut self, prefix: &str, year: u16) -> u64 {
        self.select_series(prefix, year);
        self.series.2 += 1;
        self.series.2
    }

    fn select_series(&mut self, prefix: &str, year: u16) {
        if self.series.0 == prefix && self.series.1 == year {
            return;
        }
        self.keep_series();
        let last = self.counters.get(&invoice_counter(prefix, year)).copied().unwrap_or(0);
        let last = last + u64::from(planted::is(Planted::InvoiceNumberSkipped));
        self.series = (prefix.to_owned(), year, last);
    }

    fn keep_series(&mut self) {
        let (prefix, year, last) = &self.series;
        if *last > 0 {
            self.counters.insert(invoice_counter(prefix, *year), *last);
        }
    }

    /// Hash over all counters.
    pub fn state_hash(&mut self) -> u64 {
        self.keep_series();
        self.counters.remove(ORDER_ID_COUNTER);
        let mut hasher = DefaultHasher::new();
        (&self.counters, self.last_order_id).hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_go_on_without_a_gap_whatever_the_order_of_years_and_prefixes() {
        let mut numbers = Numbers::new(
            BTreeMap::from([(invoice_counter("INV", 2026), 41), (ORDER_ID_COUNTER.to_owned(), 7)]),
            1,
            Duration::from_secs(1),
        );
        for (prefix, year, number) in [
            ("INV", 2026, 42),
            ("INV", 2026, 43),
            ("INV", 2027, 1),
            ("X", 2026, 1),
            ("INV", 2026, 44),
            ("INV", 2027, 2),
        ] {
            assert_eq!(numbers.next_invoice(prefix, year), number, "{prefix} {year}");
        }
        assert_eq!(numbers.last_order_id, 7);
    }

    #[test]
    fn the_year_turns_at_midnight_utc() {
        let mut numbers = Numbers::new(BTreeMap::new(), 1, Duration::ZERO);
        for (text, year) in [
            ("2026-11-23T10:00:00Z", 2026),
            ("2026-12-31T23:59:59.999Z", 2026),
            ("2027-01-01T00:00:00Z", 2027),
            ("2029-06-01T00:00:00Z", 2029),
        ] {
            assert_eq!(Timestamp::from_rfc3339(text).map(|at| numbers.year_of(at)), Some(year), "{text}");
        }
    }

    #[test]
    fn an_empty_store_begins_with_the_configured_id() {
        assert_eq!(Numbers::new(BTreeMap::new(), 1000, Duration::ZERO).last_order_id, 999);
    }
}
