//! A store that has the synthetic catalogue and forgets what is written to it: the engine with its write-behind on,
//! without a database.

use super::wares::Wares;
use async_trait::async_trait;
use floodgate_persistence::model::{NodeId, OrderId, ProductId, Record, SellerId, Timestamp};
use floodgate_persistence::store::{
    CataloguePage, EventRow, KeyRow, OpenOrder, OrderFilter, OrderPage, ParkedRow, PoolUsage, SellerPage,
    Store, StoreError, StoreState, StoredOrder, WriteBatch,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batches {
    /// Counted as written and dropped.
    Discarded,
    /// Never answered: the store is away. What the engine knows is then in its journal alone.
    Held,
}

/// The store. Each begins at checkpoint 0, so that an engine that starts on it plays its whole journal forward.
pub struct DiscardingStore {
    wares: Wares,
    batches: Batches,
    state: Mutex<StoreState>,
}

impl DiscardingStore {
    /// At checkpoint 0.
    pub fn new(wares: Wares, batches: Batches) -> Self {
        let state = StoreState { node: None, checkpoint: Default::default() };
        Self { wares, batches, state: Mutex::new(state) }
    }

    fn as_of_seq(&self) -> u64 {
        self.state.lock().checkpoint.seq
    }

    fn products(&self, ids: impl Iterator<Item = u64>) -> CataloguePage {
        let products = ids.filter_map(|id| self.wares.product(id)).collect();
        CataloguePage { as_of_seq: self.as_of_seq(), products }
    }

    fn sellers(&self, ids: impl Iterator<Item = u64>) -> SellerPage {
        let sellers = ids.filter_map(|id| self.wares.seller(id)).collect();
        SellerPage { as_of_seq: self.as_of_seq(), sellers }
    }
}

/// Ids of a page behind `after`, up to `last`.
fn page(after: u64, limit: usize, last: u64) -> impl Iterator<Item = u64> {
    (after + 1..=last).take(limit)
}

#[async_trait]
impl Store for DiscardingStore {
    fn describe(&self) -> String {
        "none (batches are discarded)".to_owned()
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn state(&self) -> Result<StoreState, StoreError> {
        Ok(*self.state.lock())
    }

    async fn take_over(&self, node: NodeId, epoch: u64) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if state.checkpoint.epoch >= epoch {
            return Err(StoreError::Fenced(format!("epoch {}", state.checkpoint.epoch)));
        }
        state.node.get_or_insert(node);
        state.checkpoint.epoch = epoch;
        Ok(())
    }

    async fn apply(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        if self.batches == Batches::Held {
            return std::future::pending().await;
        }
        let checkpoint = &mut self.state.lock().checkpoint;
        match *checkpoint {
            found if found.epoch > batch.epoch => Err(StoreError::Fenced(format!("epoch {}", found.epoch))),
            found if found.seq != batch.from => {
                Err(StoreError::Broken(format!("at {}, not {}", found.seq, batch.from)))
            }
            _ => {
                checkpoint.seq = batch.to;
                Ok(())
            }
        }
    }

    async fn counters(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        Ok(BTreeMap::new())
    }

    async fn keys(&self, _: u64, _: usize) -> Result<Vec<KeyRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn open_orders(&self, _: u64, _: usize) -> Result<Vec<OpenOrder>, StoreError> {
        Ok(Vec::new())
    }

    async fn product_count(&self) -> Result<u64, StoreError> {
        Ok(self.wares.products())
    }

    async fn products_page(&self, after: u64, limit: usize) -> Result<CataloguePage, StoreError> {
        Ok(self.products(page(after, limit, self.wares.products())))
    }

    async fn products_by_id(&self, ids: &[ProductId]) -> Result<CataloguePage, StoreError> {
        Ok(self.products(ids.iter().map(|id| id.get())))
    }

    async fn products_changed(&self, _: Timestamp, _: u64, _: usize) -> Result<CataloguePage, StoreError> {
        Ok(self.products(std::iter::empty()))
    }

    async fn sellers_page(&self, after: u64, limit: usize) -> Result<SellerPage, StoreError> {
        Ok(self.sellers(page(after, limit, self.wares.sellers())))
    }

    async fn sellers_by_id(&self, ids: &[SellerId]) -> Result<SellerPage, StoreError> {
        Ok(self.sellers(ids.iter().map(|id| id.get())))
    }

    async fn order(&self, _: OrderId) -> Result<Option<StoredOrder>, StoreError> {
        Ok(None)
    }

    async fn orders(&self, _: &OrderFilter) -> Result<OrderPage, StoreError> {
        Ok(OrderPage { as_of_seq: self.as_of_seq(), orders: Vec::new() })
    }

    async fn order_events(&self, _: OrderId) -> Result<Vec<EventRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn stock_adjustment(&self, _: u64) -> Result<Option<Record>, StoreError> {
        Ok(None)
    }

    async fn parked(&self, _: u64, _: usize) -> Result<Vec<ParkedRow>, StoreError> {
        Ok(Vec::new())
    }

    fn pool(&self) -> PoolUsage {
        PoolUsage::default()
    }

    async fn close(&self) {}
}
