//! A shard's copy of the sellers: what pricing needs of them.

use floodgate_persistence::model::{Seller, SellerId};
use hashbrown::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The terms of a seller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SellerTerms {
    /// The marketplace's share, in 1/10,000.
    pub commission_bps: u32,
    /// Sells at all.
    pub active: bool,
}

/// All sellers.
#[derive(Clone, Default)]
pub struct HotSellers {
    terms: HashMap<SellerId, SellerTerms>,
    /// Sequence of the last engine change of each seller; kept, because sellers are read from more than one place.
    changed: HashMap<SellerId, u64>,
}

impl HotSellers {
    /// Number of sellers.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// The terms of a seller.
    pub fn terms(&self, id: SellerId) -> Option<SellerTerms> {
        self.terms.get(&id).copied()
    }

    /// A row read from the store; not used if the read did not see the seller's last engine change.
    pub fn load(&mut self, seller: &Seller, as_of_seq: u64) {
        if self.changed.get(&seller.id).is_none_or(|changed| *changed <= as_of_seq) {
            self.set(seller);
        }
    }

    /// A durable change.
    pub fn put(&mut self, seq: u64, seller: &Seller) {
        self.changed.insert(seller.id, seq);
        self.set(seller);
    }

    fn set(&mut self, seller: &Seller) {
        let terms = SellerTerms { commission_bps: seller.commission_bps, active: seller.active };
        self.terms.insert(seller.id, terms);
    }

    /// Hash over all sellers, whatever order they were loaded in.
    pub fn state_hash(&self) -> u64 {
        let hash_of = |entry: (&SellerId, &SellerTerms)| {
            let mut hasher = DefaultHasher::new();
            entry.hash(&mut hasher);
            hasher.finish()
        };
        self.terms.iter().map(hash_of).fold(0, u64::wrapping_add)
    }
}
