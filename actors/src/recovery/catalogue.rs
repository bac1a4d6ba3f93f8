//! The catalogue as of the checkpoint: from the cache file where it is of use, else from the store.

use super::growing::{GrowingShard, on_each};
use crate::api::EngineConfig;
use crate::catalogue::WarmupRecord;
use floodgate_persistence::catalogue_file::{CatalogueFileError, CatalogueFileReader, CopiedFrom};
use floodgate_persistence::journal::{JournalError, Recovery};
use floodgate_persistence::model::{NodeId, Record, Timestamp};
use floodgate_persistence::store::{CatalogueChunk, Store, StoreError, StoreState};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Rows of a page.
const PAGE_ROWS: usize = 10_000;

/// The catalogue, and where it comes from.
pub struct LoadedCatalogue {
    /// One entry a shard.
    pub shards: Vec<GrowingShard>,
    /// The warm-up that this was.
    pub warmup: WarmupRecord,
    /// The cache file that it came from.
    pub file: Option<CopiedFrom>,
    /// What others changed in the database before this moment is in it.
    pub read_at: Timestamp,
}

/// Why a cache file is not used. The store is the truth, so this is no error.
#[derive(Debug, thiserror::Error)]
enum NotUsed {
    #[error(transparent)]
    File(#[from] CatalogueFileError),
    #[error("it is of the data of engine {0}")]
    OtherData(NodeId),
    #[error("it is as of record {as_of_seq}, and the store has only {checkpoint}")]
    AheadOfStore { as_of_seq: u64, checkpoint: u64 },
    #[error("the journal no longer has the records after {0}")]
    RecordsGone(u64),
    #[error("the journal after it cannot be read: {0}")]
    Journal(#[from] JournalError),
}

/// What shards hear while they are loaded from a file.
enum Heard {
    Rows(CatalogueChunk),
    Records(Vec<Record>),
}

/// Loads products and sellers as of the checkpoint.
pub async fn load(
    config: &EngineConfig,
    store: &dyn Store,
    state: &StoreState,
    recovery: &Recovery,
) -> Result<LoadedCatalogue, StoreError> {
    let began = Instant::now();
    if let Some(path) = &config.cache_file {
        match from_file(path, config.shards, state, recovery) {
            Ok(Some(loaded)) => {
                let as_of_seq = loaded.file.map(|file| file.as_of_seq);
                let (rows, elapsed_s) = (loaded.warmup.job().loaded, began.elapsed().as_secs_f64());
                tracing::info!(?path, as_of_seq, rows, elapsed_s, "loaded the catalogue from its cache file");
                return Ok(loaded);
            }
            Ok(None) => {}
            Err(reason) => tracing::warn!(?path, %reason, "the catalogue cache file is not used"),
        }
    }
    let loaded = from_store(config.shards, store, state.checkpoint.seq).await?;
    let (rows, elapsed_s) = (loaded.warmup.job().loaded, began.elapsed().as_secs_f64());
    tracing::info!(rows, elapsed_s, "loaded the catalogue from the store");
    Ok(loaded)
}

/// The rows of the file, and of the journal what happened to them up to the checkpoint. What was loaded before a fault
/// shows is thrown away.
fn from_file(
    path: &Path,
    shards: usize,
    state: &StoreState,
    recovery: &Recovery,
) -> Result<Option<LoadedCatalogue>, NotUsed> {
    let Some(mut reader) = CatalogueFileReader::open(path)? else { return Ok(None) };
    let (file, checkpoint) = (reader.copied_from(), state.checkpoint.seq);
    judge(&file, state, recovery.first_seq())?;
    let mut warmup = WarmupRecord::begin(0);
    let hear = |shard: &mut GrowingShard, heard: &Arc<Heard>, index| match &**heard {
        Heard::Rows(chunk) => shard.load(chunk, index, shards),
        Heard::Records(records) => records.iter().for_each(|record| shard.replay(record, index, shards)),
    };
    let empty = (0..shards).map(|_| GrowingShard::for_file(checkpoint)).collect();
    let loaded = on_each(empty, hear, |say| {
        while let Some(chunk) = reader.next_chunk()? {
            warmup.add((chunk.sellers.len() + chunk.products.len()) as u64);
            say(Arc::new(Heard::Rows(chunk)));
        }
        read_records(recovery, file.as_of_seq, checkpoint, |records| say(Arc::new(Heard::Records(records))))
    })?;
    warmup.end(None);
    Ok(Some(LoadedCatalogue { shards: loaded, warmup, file: Some(file), read_at: file.taken_at }))
}

fn judge(file: &CopiedFrom, state: &StoreState, first_seq: Option<u64>) -> Result<(), NotUsed> {
    let (as_of_seq, checkpoint) = (file.as_of_seq, state.checkpoint.seq);
    if state.node != Some(file.node) {
        return Err(NotUsed::OtherData(file.node));
    }
    if as_of_seq > checkpoint {
        return Err(NotUsed::AheadOfStore { as_of_seq, checkpoint });
    }
    let has_records = first_seq.is_some_and(|first| first <= as_of_seq + 1);
    if as_of_seq < checkpoint && !has_records {
        return Err(NotUsed::RecordsGone(as_of_seq));
    }
    Ok(())
}

/// Hands out every record behind `from`, up to the checkpoint.
fn read_records(
    recovery: &Recovery,
    from: u64,
    checkpoint: u64,
    mut hand_out: impl FnMut(Vec<Record>),
) -> Result<(), NotUsed> {
    let mut read_to = from;
    let mut frames = recovery.frames_after(from);
    while read_to < checkpoint {
        let Some(frame) = frames.next() else { break };
        let mut records = frame?.records;
        records.retain(|record| record.seq > read_to && record.seq <= checkpoint);
        let (Some(first), Some(last)) = (records.first(), records.last()) else { continue };
        if first.seq != read_to + 1 {
            break;
        }
        read_to = last.seq;
        hand_out(records);
    }
    if read_to == checkpoint { Ok(()) } else { Err(NotUsed::RecordsGone(read_to)) }
}

async fn from_store(
    shards: usize,
    store: &dyn Store,
    checkpoint: u64,
) -> Result<LoadedCatalogue, StoreError> {
    let read_at = Timestamp::now();
    let mut warmup = WarmupRecord::begin(store.product_count().await?);
    let mut loaded: Vec<_> = (0..shards).map(|_| GrowingShard::for_store(checkpoint)).collect();
    let mut load = |chunk: CatalogueChunk| {
        warmup.add((chunk.sellers.len() + chunk.products.len()) as u64);
        (0..).zip(&mut loaded).for_each(|(index, shard)| shard.load(&chunk, index, shards));
    };
    let mut after = Some(0);
    while let Some(id) = after {
        let page = store.sellers_page(id, PAGE_ROWS).await?;
        let last = page.sellers.last().map(|seller| seller.id.get());
        after = last.filter(|_| page.sellers.len() == PAGE_ROWS);
        load(CatalogueChunk { as_of_seq: page.as_of_seq, sellers: page.sellers, products: Vec::new() });
    }
    after = Some(0);
    while let Some(id) = after {
        let page = store.products_page(id, PAGE_ROWS).await?;
        let last = page.products.last().map(|row| row.product.id.get());
        after = last.filter(|_| page.products.len() == PAGE_ROWS);
        load(CatalogueChunk { as_of_seq: page.as_of_seq, sellers: Vec::new(), products: page.products });
    }
    warmup.end(None);
    Ok(LoadedCatalogue { shards: loaded, warmup, file: None, read_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_persistence::store::Checkpoint;

    #[test]
    fn a_file_is_used_only_where_nothing_of_it_is_wrong() {
        // Identity of file and store, file as of, store as of, first record of the journal.
        for (node, owner, as_of_seq, checkpoint, first_seq, verdict) in [
            (7, Some(7), 10, 20, Some(1), "used"),
            (7, Some(7), 10, 20, Some(11), "used"),
            (7, Some(7), 10, 20, Some(12), "the journal no longer has the records after 10"),
            (7, Some(7), 10, 20, None, "the journal no longer has the records after 10"),
            (7, Some(7), 20, 20, None, "used"),
            (7, Some(7), 20, 20, Some(30), "used"),
            (7, Some(7), 21, 20, Some(1), "it is as of record 21, and the store has only 20"),
            (7, Some(8), 10, 20, Some(1), "it is of the data of engine 0000000000000007"),
            (7, None, 0, 0, None, "it is of the data of engine 0000000000000007"),
        ] {
            let file = CopiedFrom { node: NodeId(node), as_of_seq, taken_at: Timestamp(0) };
            let state =
                StoreState { node: owner.map(NodeId), checkpoint: Checkpoint { seq: checkpoint, epoch: 1 } };
            let found =
                judge(&file, &state, first_seq).err().map_or("used".to_owned(), |why| why.to_string());
            assert_eq!(found, verdict);
        }
    }
}
