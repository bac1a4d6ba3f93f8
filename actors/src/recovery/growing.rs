//! Shards while they are brought up to the end of the journal.

use super::join;
use crate::journey::shard_of;
use crate::shard::ShardState;
use floodgate_persistence::model::{Event, ProductId, ProductPut, Record, StockChange};
use floodgate_persistence::store::{CatalogueChunk, Store, StoreError};
use std::collections::BTreeMap;

/// Messages between the reader and each of those who play them forward.
pub const AHEAD: usize = 64;

/// Products asked for at once.
const IDS_AT_ONCE: usize = 1_000;

/// A shard, and what it cannot know yet.
///
/// A product that others put into the database after a cache file was written, and that was then sold, is in the journal
/// but not in the file: what its stock was when the engine first read it, only the store knows. Such products wait until
/// the journal is read, and are then asked for by id. A shard that was loaded from the store waits for nothing.
pub struct GrowingShard {
    state: ShardState,
    /// The store's rows are as of this checkpoint.
    checkpoint: u64,
    /// What happened after the checkpoint to products that the cache file did not have.
    unsure: Option<BTreeMap<ProductId, Vec<Later>>>,
}

/// Something that is to be done when the store's row is there.
enum Later {
    Moved(i64),
    Put(u64, Box<ProductPut>),
}

impl GrowingShard {
    /// Empty, to be loaded from the store.
    pub fn for_store(checkpoint: u64) -> Self {
        Self { state: ShardState::default(), checkpoint, unsure: None }
    }

    /// Empty, to be loaded from a cache file.
    pub fn for_file(checkpoint: u64) -> Self {
        Self { unsure: Some(BTreeMap::new()), ..Self::for_store(checkpoint) }
    }

    /// Takes the rows that belong here.
    pub fn load(&mut self, chunk: &CatalogueChunk, index: u16, shards: usize) {
        let Self { state, .. } = self;
        chunk.sellers.iter().for_each(|seller| state.sellers.load(seller, chunk.as_of_seq));
        for row in chunk.products.iter().filter(|row| shard_of(row.product.id, shards) == index) {
            state.products.load(row, chunk.as_of_seq);
        }
    }

    /// Plays one record forward, if it is about a product of this shard.
    pub fn replay(&mut self, record: &Record, index: u16, shards: usize) {
        let mine = |id| shard_of(id, shards) == index;
        match &record.event {
            Event::OrderPlaced(order) => {
                for line in order.lines.iter().filter(|line| line.stock_taken > 0 && mine(line.product_id)) {
                    self.stock_moved(record.seq, line.product_id, -i64::from(line.stock_taken));
                }
            }
            Event::ProductPut(put) if mine(put.product.id) => self.put(record.seq, put),
            Event::StockAdjusted(adjusted) if mine(adjusted.product_id) => {
                self.stock_moved(record.seq, adjusted.product_id, adjusted.delta);
            }
            Event::SellerPut(seller) => self.state.sellers.put(record.seq, seller),
            _ => {}
        }
    }

    /// Puts parked terms over those that the store still has. A product that the store never got stays unknown: what
    /// its stock would be cannot be known, and what cannot be sold cannot be oversold.
    pub fn replay_terms(&mut self, record: &Record) {
        match &record.event {
            Event::ProductPut(put) if self.state.products.slot(put.product.id).is_some() => {
                let terms = ProductPut { product: put.product.clone(), stock: StockChange::Unchanged };
                self.state.products.replay_put(record.seq, &terms);
            }
            Event::SellerPut(seller) => self.state.sellers.put(record.seq, seller),
            _ => {}
        }
    }

    fn stock_moved(&mut self, seq: u64, id: ProductId, delta: i64) {
        let in_store = seq <= self.checkpoint;
        match self.waiting_for(id) {
            None => self.state.products.replay_delta(id, delta),
            Some(_) if in_store => {}
            Some(later) => match later.last_mut() {
                Some(Later::Moved(sum)) => *sum += delta,
                _ => later.push(Later::Moved(delta)),
            },
        }
    }

    fn put(&mut self, seq: u64, put: &ProductPut) {
        let in_store = seq <= self.checkpoint;
        if matches!(put.stock, StockChange::Counted(_)) {
            // Whatever it was before, it is this from here on: nothing to ask the store for.
            self.unsure.as_mut().map(|unsure| unsure.remove(&put.product.id));
        } else if let Some(later) = self.waiting_for(put.product.id) {
            if !in_store {
                later.push(Later::Put(seq, Box::new(put.clone())));
            }
            return;
        }
        self.state.products.replay_put(seq, put);
    }

    /// What waits for the store's row of a product that the cache file did not have; `None`: the product is known.
    fn waiting_for(&mut self, id: ProductId) -> Option<&mut Vec<Later>> {
        let unsure = self.unsure.as_mut()?;
        let unknown = self.state.products.slot(id).is_none();
        unknown.then(|| unsure.entry(id).or_default())
    }

    /// Asks the store for what the cache file did not have. Nobody writes to the store yet: its rows are as of the
    /// checkpoint.
    pub async fn settle(self, store: &dyn Store) -> Result<ShardState, StoreError> {
        let Self { mut state, unsure, .. } = self;
        let unsure = unsure.unwrap_or_default();
        let ids: Vec<ProductId> = unsure.keys().copied().collect();
        for ids in ids.chunks(IDS_AT_ONCE) {
            let page = store.products_by_id(ids).await?;
            page.products.iter().for_each(|row| state.products.load(row, page.as_of_seq));
        }
        for (id, later) in unsure {
            for change in later {
                match change {
                    Later::Moved(delta) => state.products.replay_delta(id, delta),
                    Later::Put(seq, put) => state.products.replay_put(seq, &put),
                }
            }
        }
        Ok(state)
    }
}

/// Gives each shard a thread that hears, in order, everything that `speak` says.
pub fn on_each<T: Clone + Send, E>(
    shards: Vec<GrowingShard>,
    hear: impl Fn(&mut GrowingShard, &T, u16) + Sync,
    speak: impl FnOnce(&dyn Fn(T)) -> Result<(), E>,
) -> Result<Vec<GrowingShard>, E> {
    std::thread::scope(|scope| {
        let (mut ways, mut players) = (Vec::new(), Vec::new());
        for (index, mut shard) in (0..).zip(shards) {
            let (way, heard) = crossbeam_channel::bounded::<T>(AHEAD);
            let hear = &hear;
            ways.push(way);
            players.push(scope.spawn(move || {
                heard.iter().for_each(|what| hear(&mut shard, &what, index));
                shard
            }));
        }
        let spoken = speak(&|what| {
            for way in &ways {
                // A closed way means that its thread panicked, which joining it tells.
                drop(way.send(what.clone()));
            }
        });
        drop(ways);
        let shards = players.into_iter().map(join).collect();
        spoken.map(|()| shards)
    })
}
