//! Where the write-behind reads: memory while it keeps up, the segments when it lags.

use super::parking::Parking;
use crate::tail::Tail;
use floodgate_persistence::journal::{FrameReader, JournalError, JournalHandle};
use floodgate_persistence::model::Record;
use floodgate_persistence::store::WriteBatch;
use std::sync::Arc;

/// Most order lines of a batch. With about 150 bytes a line as SQL text this is 2.5 MB a transaction: large enough
/// that the commit is a small part, small enough that a transaction stays well below a second.
pub const BATCH_LINES_MAX: usize = 16 * 1024;

/// Most records of a batch, whatever they are.
pub const BATCH_RECORDS_MAX: u64 = 8 * 1024;

/// A cursor in the journal.
pub struct Source {
    cursor: u64,
    tail: Arc<Tail>,
    journal: JournalHandle,
    /// The segments being read, with what is left of the last frame.
    lagging: Option<Lagging>,
}

struct Lagging {
    reader: FrameReader,
    rest: std::vec::IntoIter<Record>,
}

impl Source {
    /// Reads on after `cursor`.
    pub fn new(cursor: u64, tail: Arc<Tail>, journal: JournalHandle) -> Self {
        Self { cursor, tail, journal, lagging: None }
    }

    /// Goes back: what was read after `cursor` is read again.
    pub fn rewind(&mut self, cursor: u64) {
        self.cursor = cursor;
        self.lagging = None;
    }

    /// The next records as a batch, none beyond `last`; `None`: there is nothing new.
    pub fn next_batch(
        &mut self,
        epoch: u64,
        last: u64,
        parking: &mut Parking,
    ) -> Result<Option<WriteBatch>, JournalError> {
        if self.tail.durable_seq() <= self.cursor {
            return Ok(None);
        }
        let mut batch = WriteBatch::new(self.cursor, epoch);
        match self.read_memory(&mut batch, last, parking)? {
            true => self.lagging = None,
            false => self.read_segments(&mut batch, last, parking).inspect_err(|_| self.lagging = None)?,
        }
        self.cursor = batch.to;
        Ok(Some(batch).filter(|batch| !batch.is_empty()))
    }

    fn read_memory(
        &self,
        batch: &mut WriteBatch,
        last: u64,
        parking: &mut Parking,
    ) -> Result<bool, JournalError> {
        let Some(groups) =
            self.tail.read(self.cursor + 1, usize::try_from(BATCH_RECORDS_MAX).unwrap_or(usize::MAX))
        else {
            return Ok(false);
        };
        let from = batch.from;
        let records = groups.iter().flat_map(|group| &group.records);
        for record in records.skip_while(|record| record.seq <= from) {
            if is_full(batch, last) {
                break;
            }
            parking.push(batch, record)?;
        }
        Ok(true)
    }

    fn read_segments(
        &mut self,
        batch: &mut WriteBatch,
        last: u64,
        parking: &mut Parking,
    ) -> Result<(), JournalError> {
        let cursor = self.cursor;
        let journal = &self.journal;
        let lagging = self.lagging.get_or_insert_with(|| Lagging {
            reader: journal.read_from(cursor + 1),
            rest: Vec::new().into_iter(),
        });
        while !is_full(batch, last) {
            match lagging.rest.next() {
                Some(record) if record.seq <= batch.to => {}
                Some(record) => parking.push(batch, &record)?,
                None => match lagging.reader.next().transpose()? {
                    Some(frame) => lagging.rest = frame.records.into_iter(),
                    None => {
                        // The end of what is synced: the next read comes from memory, or from a new reader.
                        self.lagging = None;
                        return Ok(());
                    }
                },
            }
        }
        Ok(())
    }
}

fn is_full(batch: &WriteBatch, last: u64) -> bool {
    batch.to >= last || batch.lines >= BATCH_LINES_MAX || batch.to - batch.from >= BATCH_RECORDS_MAX
}
