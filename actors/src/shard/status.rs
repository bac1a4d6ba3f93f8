use super::Shard;
use crate::api::ShardStatus;
use std::time::Instant;

impl Shard {
    /// How it is.
    pub(super) fn status(&mut self) -> ShardStatus {
        let (recent_takes, most_taken) = self.demand.of(&self.state.products, Instant::now());
        ShardStatus {
            products: self.state.products.len(),
            sellers: self.state.sellers.len(),
            queued: self.inbox.len(),
            held: self.state.products.held_total(),
            recent_takes,
            most_taken,
        }
    }
}
