//! Writing the catalogue cache file: when one is due, and one at a time.
//!
//! A file is written on a thread of its own, which ends with it: no actor waits for the disk, and a request that goes away
//! leaves it running. Who asks for one while one is being written waits for that. When and why: see
//! `docs/decisions/0007-catalogue-cache-file.md`.

use crate::api::SnapshotInfo;
use crate::write_behind::WriterFigures;
use floodgate_persistence::catalogue_file::{CatalogueFileWriter, CopiedFrom};
use floodgate_persistence::model::{NodeId, Timestamp};
use floodgate_persistence::store::{CatalogueChunk, Store, StoreError};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant as Until, timeout_at};

/// A file this many records old is written anew: playing them forward takes about a tenth of a second.
const RECORDS_BEHIND_MAX: u64 = 10_000;

/// Parts of the catalogue between the store and the file: a few megabytes.
const PARTS_AHEAD: usize = 2;

/// Where the writing of a file stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotJob {
    /// Not done yet.
    UnderWay,
    /// It lies in its place.
    Written(SnapshotInfo),
    /// There is none; the log says why. The file before is still there.
    Failed,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
enum SnapshotError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the file cannot be written: {0}")]
    Disk(#[from] std::io::Error),
    #[error("the engine stops")]
    Stopping,
}

/// What it takes to write files.
pub struct SnapshotParts {
    /// What is copied.
    pub store: Arc<dyn Store>,
    /// Where to; `None`: nothing is written.
    pub file: Option<PathBuf>,
    /// Identity of the data.
    pub node: NodeId,
    /// How long the journal keeps what the store has.
    pub retain: Duration,
    /// The file that the engine started from.
    pub newest: Option<CopiedFrom>,
    /// How far the store is.
    pub writer: Arc<WriterFigures>,
}

/// Knows the newest file and the one being written.
pub struct Snapshots {
    store: Arc<dyn Store>,
    file: Option<PathBuf>,
    node: NodeId,
    retain: Duration,
    newest: Mutex<Option<CopiedFrom>>,
    writer: Arc<WriterFigures>,
    under_way: Mutex<Option<watch::Receiver<SnapshotJob>>>,
    stop: watch::Sender<bool>,
}

impl Snapshots {
    /// With nothing under way.
    pub fn new(parts: SnapshotParts) -> Arc<Self> {
        let SnapshotParts { store, file, node, retain, newest, writer } = parts;
        let (newest, under_way) = (Mutex::new(newest), Mutex::default());
        Arc::new(Self {
            store,
            file,
            node,
            retain,
            newest,
            writer,
            under_way,
            stop: watch::Sender::new(false),
        })
    }

    /// Begins a file, or joins the one being written. `None`: the configuration wants none.
    pub fn begin(self: &Arc<Self>) -> Option<watch::Receiver<SnapshotJob>> {
        let file = self.file.clone()?;
        let mut under_way = self.under_way.lock();
        // A job whose thread is gone without a word will not end.
        if let Some(job) = under_way.as_ref().filter(|job| job.has_changed().is_ok()) {
            return Some(job.clone());
        }
        let (end, job) = watch::channel(SnapshotJob::UnderWay);
        *under_way = Some(job.clone());
        let snapshots = Arc::clone(self);
        let run = move || snapshots.run(&file, &end);
        if let Err(error) = std::thread::Builder::new().name("catalogue-file".to_owned()).spawn(run) {
            tracing::warn!(%error, "no thread to write the catalogue cache file");
        }
        Some(job)
    }

    /// Begins a file if it is time for one.
    pub fn write_if_due(self: &Arc<Self>) {
        if self.is_due() {
            drop(self.begin());
        }
    }

    /// Waits for the file being written; writes one if it is due and `may_begin`. What is not done at `until` is
    /// given up.
    pub async fn stop(self: &Arc<Self>, may_begin: bool, until: Until) {
        let job = self.under_way.lock().clone();
        let job = if may_begin && self.is_due() { self.begin() } else { job };
        let Some(mut job) = job else { return };
        let ended = job.wait_for(|job| *job != SnapshotJob::UnderWay);
        if timeout_at(until, ended).await.is_err() {
            tracing::warn!("no time left to write the catalogue cache file");
        }
        self.stop.send_replace(true);
    }

    fn is_due(&self) -> bool {
        let newest = *self.newest.lock();
        is_due(newest, self.writer.checkpoint_seq(), Timestamp::now(), self.retain)
    }

    fn run(&self, file: &Path, end: &watch::Sender<SnapshotJob>) {
        let began = Instant::now();
        let job = match self.write(file) {
            Ok((from, info)) => {
                tracing::info!(
                    ?file,
                    products = info.products,
                    as_of_seq = info.as_of_seq,
                    bytes = info.bytes,
                    elapsed_s = began.elapsed().as_secs_f64(),
                    "wrote the catalogue cache file"
                );
                *self.newest.lock() = Some(from);
                SnapshotJob::Written(info)
            }
            Err(error) => {
                tracing::warn!(?file, %error, "the catalogue cache file was not written");
                SnapshotJob::Failed
            }
        };
        // First, so that whoever has heard the end can begin another.
        *self.under_way.lock() = None;
        end.send_replace(job);
    }

    fn write(&self, file: &Path) -> Result<(CopiedFrom, SnapshotInfo), SnapshotError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut stop = self.stop.subscribe();
        runtime.block_on(async {
            tokio::select! {
                written = copy(&*self.store, file, self.node) => written,
                _ = stop.wait_for(|stop| *stop) => Err(SnapshotError::Stopping),
            }
        })
    }
}

/// There is none; or it is behind, and either far, or so old that the journal may soon forget what came after it.
fn is_due(newest: Option<CopiedFrom>, checkpoint: u64, now: Timestamp, retain: Duration) -> bool {
    let Some(newest) = newest else { return true };
    let behind = checkpoint.saturating_sub(newest.as_of_seq);
    let age_ms = now.0.saturating_sub(newest.taken_at.0);
    let old_ms = i64::try_from(retain.as_millis() / 2).unwrap_or(i64::MAX);
    behind >= RECORDS_BEHIND_MAX || (behind > 0 && age_ms >= old_ms)
}

/// Reads and writes at the same time. The file gets its name only when all was read.
async fn copy(
    store: &dyn Store,
    file: &Path,
    node: NodeId,
) -> Result<(CopiedFrom, SnapshotInfo), SnapshotError> {
    let taken_at = Timestamp::now();
    let (chunks, parts) = mpsc::channel(PARTS_AHEAD);
    let write = write_parts(file, node, taken_at, parts);
    let (read, written) = tokio::join!(store.catalogue_snapshot(chunks), write);
    // A write that failed ends the read: it is the cause.
    let written = written?;
    read?;
    let nothing = || StoreError::Broken("its snapshot has no part at all".to_owned());
    let (from, writer) = written.ok_or_else(nothing)?;
    let written = writer.finish()?;
    let info = SnapshotInfo {
        file: file.to_owned(),
        products: written.products,
        sellers: written.sellers,
        as_of_seq: from.as_of_seq,
        bytes: written.bytes,
    };
    Ok((from, info))
}

async fn write_parts(
    file: &Path,
    node: NodeId,
    taken_at: Timestamp,
    mut parts: mpsc::Receiver<CatalogueChunk>,
) -> std::io::Result<Option<(CopiedFrom, CatalogueFileWriter)>> {
    let Some(mut part) = parts.recv().await else { return Ok(None) };
    let from = CopiedFrom { node, as_of_seq: part.as_of_seq, taken_at };
    let mut writer = CatalogueFileWriter::create(file, &from)?;
    loop {
        writer.push(&part)?;
        match parts.recv().await {
            Some(next) => part = next,
            None => return Ok(Some((from, writer))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_due_when_it_is_missing_far_behind_or_behind_and_old() {
        let retain = Duration::from_secs(100);
        let file = |as_of_seq, taken_at| {
            Some(CopiedFrom { node: NodeId(7), as_of_seq, taken_at: Timestamp(taken_at) })
        };
        for (newest, checkpoint, now, due) in [
            (None, 0, 0, true),
            (file(50, 0), 50, 1_000_000, false),
            (file(50, 0), 51, 49_999, false),
            (file(50, 0), 51, 50_000, true),
            (file(50, 0), 50 + RECORDS_BEHIND_MAX - 1, 1, false),
            (file(50, 0), 50 + RECORDS_BEHIND_MAX, 1, true),
            (file(50, 60_000), 51, 0, false),
            (file(50, 0), 40, 1_000_000, false),
        ] {
            assert_eq!(
                is_due(newest, checkpoint, Timestamp(now), retain),
                due,
                "{newest:?} {checkpoint} {now}"
            );
        }
    }
}
