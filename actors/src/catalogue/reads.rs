//! Reads of the catalogue from the store, page by page.

use super::load;
use crate::api::Unavailable;
use crate::shard::{Rows, Surroundings};
use actix::prelude::*;
use floodgate_persistence::model::{ProductId, SellerId, Timestamp};
use floodgate_persistence::store::{Store, StoreError};
use tokio::sync::oneshot;

/// Rows of a page.
pub const PAGE_ROWS: usize = 5_000;

/// Asks for a product that is not hot; answered when the store was asked and what it has is hot.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ReadThrough {
    /// The product.
    pub id: ProductId,
    /// Told when the shards know.
    pub done: oneshot::Sender<Result<(), Unavailable>>,
}

/// A table of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `products`
    Products,
    /// `sellers`
    Sellers,
}

/// Whom a read is for.
pub enum Purpose {
    /// Journeys and read-throughs that wait.
    Misses,
    /// The warm-up under way.
    Warmup,
    /// The regular sweep of a table.
    Refresh(Table),
    /// The look for changed rows.
    Poll,
}

/// One query of the store.
pub enum Read {
    /// These ids.
    Missing {
        /// Products.
        products: Vec<ProductId>,
        /// Sellers.
        sellers: Vec<SellerId>,
        /// Whom it is for.
        purpose: Purpose,
    },
    /// A page by primary key.
    Page {
        /// Of this table.
        table: Table,
        /// Behind this id.
        after: u64,
        /// Whom it is for.
        purpose: Purpose,
    },
    /// A page of changed products.
    Changed {
        /// Changed at or after.
        since: Timestamp,
        /// Behind this id.
        after: u64,
        /// Whom it is for.
        purpose: Purpose,
    },
}

/// What a read brought.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loaded {
    /// Products and sellers that are hot now.
    pub rows: [u64; 2],
    /// Ids of products and of sellers that do not exist.
    pub absent: [u64; 2],
}

/// A read that came back.
pub struct ReadDone {
    /// Whom it was for.
    pub purpose: Purpose,
    /// What it brought.
    pub result: Result<Loaded, StoreError>,
    /// The page behind it, if there may be one.
    pub next: Option<Read>,
}

impl Read {
    /// The first page of a table.
    pub fn page(table: Table, purpose: Purpose) -> Self {
        Self::Page { table, after: 0, purpose }
    }

    fn purpose(&self) -> &Purpose {
        match self {
            Self::Missing { purpose, .. } | Self::Page { purpose, .. } | Self::Changed { purpose, .. } => {
                purpose
            }
        }
    }

    /// Whether it belongs to the warm-up.
    pub fn is_warmup(&self) -> bool {
        matches!(self.purpose(), Purpose::Warmup)
    }

    /// Whether it belongs to the sweep of this table.
    pub fn refreshes(&self, table: Table) -> bool {
        matches!(self.purpose(), Purpose::Refresh(swept) if *swept == table)
    }

    /// Asks the store and makes what it has hot.
    pub async fn run(self, store: &dyn Store, around: &Surroundings) -> ReadDone {
        let rows = self.query(store).await;
        let next = rows.as_ref().ok().and_then(|rows| self.page_behind(rows));
        let purpose = match self {
            Self::Missing { purpose, .. } | Self::Page { purpose, .. } | Self::Changed { purpose, .. } => {
                purpose
            }
        };
        let result = match rows {
            Ok(rows) => {
                let loaded = Loaded {
                    rows: [rows.products.len() as u64, rows.sellers.len() as u64],
                    absent: [rows.absent_products.len() as u64, rows.absent_sellers.len() as u64],
                };
                load(around, rows).await;
                Ok(loaded)
            }
            Err(error) => Err(error),
        };
        ReadDone { purpose, result, next }
    }

    async fn query(&self, store: &dyn Store) -> Result<Rows, StoreError> {
        match self {
            Self::Missing { products, sellers, .. } => rows_of(store, products, sellers).await,
            Self::Page { table: Table::Products, after, .. } => {
                let page = store.products_page(*after, PAGE_ROWS).await?;
                Ok(Rows { as_of_seq: page.as_of_seq, products: page.products, ..Rows::default() })
            }
            Self::Page { table: Table::Sellers, after, .. } => {
                let page = store.sellers_page(*after, PAGE_ROWS).await?;
                Ok(Rows { as_of_seq: page.as_of_seq, sellers: page.sellers, ..Rows::default() })
            }
            Self::Changed { since, after, .. } => {
                let page = store.products_changed(*since, *after, PAGE_ROWS).await?;
                Ok(Rows { as_of_seq: page.as_of_seq, products: page.products, ..Rows::default() })
            }
        }
    }

    fn page_behind(&self, rows: &Rows) -> Option<Self> {
        let last_product = rows.products.last().map(|row| row.product.id.get());
        let last_seller = rows.sellers.last().map(|seller| seller.id.get());
        let full = rows.products.len() + rows.sellers.len() >= PAGE_ROWS;
        let after = last_product.or(last_seller).filter(|_| full)?;
        let purpose = match self.purpose() {
            Purpose::Misses => return None,
            Purpose::Warmup => Purpose::Warmup,
            Purpose::Refresh(table) => Purpose::Refresh(*table),
            Purpose::Poll => Purpose::Poll,
        };
        match self {
            Self::Missing { .. } => None,
            Self::Page { table, .. } => Some(Self::Page { table: *table, after, purpose }),
            Self::Changed { since, .. } => Some(Self::Changed { since: *since, after, purpose }),
        }
    }
}

/// The rows of these ids, and which of them do not exist. Products bring their sellers.
pub async fn rows_of(
    store: &dyn Store,
    products: &[ProductId],
    sellers: &[SellerId],
) -> Result<Rows, StoreError> {
    let page = store.products_by_id(products).await?;
    let mut wanted = sellers.to_vec();
    wanted.extend(page.products.iter().map(|row| row.product.seller_id));
    wanted.sort_unstable();
    wanted.dedup();
    let seller_page =
        if wanted.is_empty() { Default::default() } else { store.sellers_by_id(&wanted).await? };
    // Pages come by rising id.
    let has_product = |id: &ProductId| page.products.binary_search_by_key(id, |row| row.product.id).is_ok();
    let has_seller = |id: &SellerId| seller_page.sellers.binary_search_by_key(id, |seller| seller.id).is_ok();
    let absent_products = products.iter().copied().filter(|id| !has_product(id)).collect();
    let absent_sellers = wanted.iter().copied().filter(|id| !has_seller(id)).collect();
    let as_of_seq =
        if wanted.is_empty() { page.as_of_seq } else { page.as_of_seq.min(seller_page.as_of_seq) };
    Ok(Rows {
        as_of_seq,
        products: page.products,
        sellers: seller_page.sellers,
        absent_products,
        absent_sellers,
    })
}
