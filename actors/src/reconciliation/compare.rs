//! The three sides held against each other. Pure.

use super::journal::JournalBooks;
use super::memory::MemoryStock;
use super::moves::Moved;
use super::{Difference, Findings};
use floodgate_persistence::model::ProductId;
use floodgate_persistence::store::Sums;
use std::collections::HashSet;

/// Compares stock, product by product, as the store tells it by rising id.
pub struct StockComparison<'a> {
    memory: std::iter::Peekable<std::vec::IntoIter<(ProductId, Option<i64>)>>,
    journal: &'a JournalBooks,
    /// Products whose terms are parked: the store need not have them.
    parked: HashSet<ProductId>,
}

impl<'a> StockComparison<'a> {
    /// Before the first product.
    pub fn new(memory: MemoryStock, journal: &'a JournalBooks) -> Self {
        Self { memory: memory.products.into_iter().peekable(), journal, parked: HashSet::new() }
    }

    /// The terms of a product are parked.
    pub fn parked(&mut self, id: ProductId) {
        self.parked.insert(id);
    }

    /// The store's next product.
    pub fn product(&mut self, id: ProductId, database: Option<i64>, findings: &mut Findings) {
        while let Some((hot, memory)) = self.memory.next_if(|(hot, _)| *hot < id) {
            self.judge(hot, Some(memory), None, findings);
        }
        let memory = self.memory.next_if(|(hot, _)| *hot == id).map(|(_, memory)| memory);
        self.judge(id, memory, Some(database), findings);
    }

    /// The store has no more.
    pub fn end(mut self, findings: &mut Findings) {
        while let Some((hot, memory)) = self.memory.next() {
            self.judge(hot, Some(memory), None, findings);
        }
    }

    fn judge(
        &self,
        id: ProductId,
        memory: Option<Option<i64>>,
        database: Option<Option<i64>>,
        findings: &mut Findings,
    ) {
        let between = self.journal.between.of(id);
        findings.products += u64::from(memory.is_some());
        let is_new = between.is_some() && !self.journal.store_is_later;
        let may_lack = database.is_none() && (is_new || self.parked.contains(&id));
        let between = between.unwrap_or_default();
        let known = self.journal.to_checkpoint.of(id).filter(|moved| moved.from_zero);
        let by_journal = known.filter(|_| database.is_some()).map(|moved| moved.delta);
        findings.products_by_journal += u64::from(by_journal.is_some());
        let at_checkpoint = memory.map(|memory| self.at_checkpoint(between, memory));
        let memory_differs = match at_checkpoint {
            None => false,
            // Counting began after the checkpoint: memory is what the journal says, whatever the store has.
            Some(None) => memory != Some(Some(between.delta)),
            Some(Some(_)) if may_lack => false,
            Some(Some(memory)) => Some(memory) != database,
        };
        let journal_differs = by_journal.is_some_and(|journal| database != Some(Some(journal)));
        if memory_differs || journal_differs {
            let journal = by_journal.or(at_checkpoint.filter(Option::is_none).map(|_| between.delta));
            let memory = at_checkpoint.and_then(|at| at.or(memory)).flatten();
            let database = database.flatten();
            findings.differs(Difference::Stock { product_id: id, memory, journal, database });
        }
    }

    /// What memory has, moved to the store's checkpoint; `None`: nothing is known of it there.
    fn at_checkpoint(&self, between: Moved, memory: Option<i64>) -> Option<Option<i64>> {
        match (self.journal.store_is_later, between.from_zero) {
            (true, _) => Some(between.after(memory)),
            (false, true) => None,
            (false, false) => Some(between.before(memory)),
        }
    }
}

/// Compares the sums, amount by amount.
pub fn compare_sums(journal: &Sums, database: &Sums, findings: &mut Findings) {
    let accounts = journal.accounts.keys().chain(database.accounts.keys());
    let accounts: std::collections::BTreeSet<_> = accounts.copied().collect();
    for account in accounts {
        let of = |sums: &Sums| sums.accounts.get(&account).copied().unwrap_or_default();
        let (journal, database) = (of(journal), of(database));
        for (amount, (journal, database)) in
            account.ledger.amounts().iter().zip(journal.into_iter().zip(database))
        {
            if journal != database {
                findings.differs(Difference::Sum { account, amount, journal, database });
            }
        }
    }
}
