//! Which records the next batches park instead of writing their rows.

use crate::parked::{PARKED_MAX, ParkedEvents, Subject};
use floodgate_persistence::journal::{JournalError, record_bytes};
use floodgate_persistence::model::{Record, Timestamp};
use floodgate_persistence::store::{PARKED_REASON_MAX, ParkedRow, WriteBatch};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most records refused within [`REFUSALS_WITHIN`]: more is no bad data but a bad table.
const REFUSALS_MAX: usize = 10;

/// See [`REFUSALS_MAX`].
const REFUSALS_WITHIN: Duration = Duration::from_secs(60);

/// What is parked, and what is to be.
pub struct Parking {
    events: Arc<ParkedEvents>,
    /// Records that the database refused by themselves, with what it said; until they are in the store as parked.
    refused: BTreeMap<u64, Box<str>>,
    /// Subjects of records that are being parked, which [`Self::events`] does not have yet.
    coming: HashSet<Subject>,
    refusals: VecDeque<Instant>,
}

impl Parking {
    /// With what the store has parked.
    pub fn new(events: Arc<ParkedEvents>) -> Self {
        Self { events, refused: BTreeMap::new(), coming: HashSet::new(), refusals: VecDeque::new() }
    }

    /// Adds the next record to a batch, with its rows or without.
    pub fn push(&mut self, batch: &mut WriteBatch, record: &Record) -> Result<(), JournalError> {
        if self.refused.is_empty() && self.coming.is_empty() && self.events.len() == 0 {
            batch.push(record);
            return Ok(());
        }
        if batch.is_empty() {
            batch.parked_products = self.events.products();
        }
        let subject = Subject::of(record);
        let reason = match self.refused.get(&record.seq) {
            Some(reason) => reason.clone(),
            None if self.coming.contains(&subject) || self.events.holds(subject) => {
                "an earlier event of the same is parked".into()
            }
            None => {
                batch.push(record);
                return Ok(());
            }
        };
        let row = ParkedRow {
            seq: record.seq,
            order_id: record.event.order_id(),
            reason,
            event: record_bytes(record)?.into(),
            parked_at: Timestamp::now(),
        };
        batch.park(record, row);
        self.coming.insert(subject);
        Ok(())
    }

    /// The database refuses this record by itself: from now on it is parked. `Err`: too many were, in words.
    pub fn refuse(&mut self, seq: u64, reason: &str) -> Result<(), String> {
        let now = Instant::now();
        while self.refusals.front().is_some_and(|then| now.duration_since(*then) >= REFUSALS_WITHIN) {
            self.refusals.pop_front();
        }
        if self.refusals.len() >= REFUSALS_MAX {
            return Err(format!(
                "the database refused more than {REFUSALS_MAX} events within a minute, which is no bad data but a \
                 table that does not fit; repair it and start again. Event {seq}: {reason}"
            ));
        }
        if self.events.len() >= PARKED_MAX {
            return Err(format!(
                "{PARKED_MAX} events are parked already: repair the table, retry them, and start again. Event {seq}: \
                 {reason}"
            ));
        }
        self.refusals.push_back(now);
        self.refused.insert(seq, reason.chars().take(PARKED_REASON_MAX).collect());
        Ok(())
    }

    /// Whether this record was refused by itself before.
    pub fn is_refused(&self, seq: u64) -> bool {
        self.refused.contains_key(&seq)
    }

    /// A batch is on its way: whoever reads shall know what it parks before the store has it, never after.
    pub fn announce(&self, batch: &WriteBatch) {
        let decoded = |row: &ParkedRow| {
            floodgate_persistence::journal::record_from_bytes(row.seq, &row.event)
                .map(|record| (record, row.clone()))
        };
        if !batch.parked.is_empty() {
            self.events.add(batch.parked.iter().filter_map(decoded));
        }
    }

    /// The batch was refused: what it would have parked is not.
    pub fn withdraw(&self, batch: &WriteBatch) {
        let seqs: Vec<u64> = batch.parked.iter().map(|row| row.seq).collect();
        self.events.remove(&seqs);
    }

    /// The batch is in the store.
    pub fn written(&mut self, batch: &WriteBatch) {
        self.events.remove(&batch.unparked);
        for row in &batch.parked {
            if self.refused.remove(&row.seq).is_some() {
                tracing::error!(
                    seq = row.seq,
                    order_id = row.order_id.map(|id| id.get()),
                    reason = %row.reason,
                    "the database refused an event: it is parked, see /admin/parked"
                );
            }
        }
        self.coming.retain(|subject| !self.events.holds(*subject));
    }

    /// What was built and not sent is built again.
    pub fn forget_coming(&mut self) {
        self.coming.clear();
    }
}
