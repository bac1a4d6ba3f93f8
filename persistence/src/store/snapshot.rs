//! The walk through the whole catalogue, for both stores: by primary key, a part at a time.

use super::query::{self, Query};
use super::{CatalogueChunk, ProductRow, StoreError};
use crate::model::Seller;

/// Rows of a part: a question of some ten milliseconds, far below every limit, and a part of a few megabytes.
const PART_ROWS: usize = 5_000;

/// What to ask next.
pub(super) enum Step {
    /// Sellers.
    Sellers(Query<Seller>),
    /// Products.
    Products(Query<ProductRow>),
}

/// Where the walk is.
pub(super) struct Walk {
    as_of_seq: u64,
    in_products: bool,
    after: u64,
    ended: bool,
}

impl Walk {
    /// At the first seller, in a snapshot that sees this checkpoint.
    pub(super) fn new(as_of_seq: u64) -> Self {
        Self { as_of_seq, in_products: false, after: 0, ended: false }
    }

    /// The next question; `None`: that was all.
    pub(super) fn next(&self) -> Option<Step> {
        match (self.ended, self.in_products) {
            (true, _) => None,
            (false, false) => Some(Step::Sellers(query::sellers_page(self.after, PART_ROWS))),
            (false, true) => Some(Step::Products(query::products_page(self.after, PART_ROWS))),
        }
    }

    /// Sellers came.
    pub(super) fn sellers(&mut self, sellers: Vec<Seller>) -> CatalogueChunk {
        let last = sellers.last().map(|seller| seller.id.get());
        match last.filter(|_| sellers.len() == PART_ROWS) {
            Some(last) => self.after = last,
            None => (self.in_products, self.after) = (true, 0),
        }
        CatalogueChunk { as_of_seq: self.as_of_seq, sellers, products: Vec::new() }
    }

    /// Products came.
    pub(super) fn products(&mut self, products: Vec<ProductRow>) -> CatalogueChunk {
        let last = products.last().map(|row| row.product.id.get());
        match last.filter(|_| products.len() == PART_ROWS) {
            Some(last) => self.after = last,
            None => self.ended = true,
        }
        CatalogueChunk { as_of_seq: self.as_of_seq, sellers: Vec::new(), products }
    }
}

/// Nobody wants the rest.
pub(super) fn unwanted() -> StoreError {
    StoreError::Unavailable("the reader of the catalogue is gone".to_owned())
}
