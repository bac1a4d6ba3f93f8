use floodgate_persistence::model::ProductId;
use floodgate_persistence::store::Account;
use std::time::Duration;

/// Differences that are listed; the rest is counted.
pub const LISTED_MAX: usize = 1_000;

/// Where a reconciliation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconciliationState {
    /// Under way.
    Running,
    /// Compared all.
    Done,
    /// Stopped by an error: nothing can be said.
    Failed,
}

/// What was compared, and what differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The checkpoint at which all was compared.
    pub as_of_seq: u64,
    /// The first record that the journal still has: orders from here on were compared.
    pub journal_from_seq: u64,
    /// Products whose stock in memory was compared with the store.
    pub products: u64,
    /// Products whose stock in the store was compared with the journal alone: counting began in what it still has.
    pub products_by_journal: u64,
    /// Orders in the journal up to the checkpoint.
    pub orders: u64,
    /// Of these, parked.
    pub orders_parked: u64,
    /// Number of differences.
    pub differences_total: u64,
    /// The first [`LISTED_MAX`].
    pub differences: Vec<Difference>,
}

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Counted stock of a product at the checkpoint.
    Stock {
        /// Whose.
        product_id: ProductId,
        /// In memory; `None`: not counted, or not to be said.
        memory: Option<i64>,
        /// By the journal alone; `None`: it does not go back far enough.
        journal: Option<i64>,
        /// In the store; `None`: not counted, or no such product.
        database: Option<i64>,
    },
    /// A sum of orders.
    Sum {
        /// Which.
        account: Account,
        /// Its name.
        amount: &'static str,
        /// By the journal.
        journal: i128,
        /// In the store, parked orders added.
        database: i128,
    },
}

/// A reconciliation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconciliationJob {
    /// Where it stands.
    pub state: ReconciliationState,
    /// What it found; empty while it runs.
    pub findings: Findings,
    /// Time since its start, or its whole time.
    pub elapsed: Duration,
    /// Why it failed.
    pub error: Option<String>,
}

impl Findings {
    /// Lists a difference, or counts it.
    pub fn differs(&mut self, difference: Difference) {
        self.differences_total += 1;
        if self.differences.len() < LISTED_MAX {
            self.differences.push(difference);
        }
    }
}
