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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconciliation::moves::Moves;
    use floodgate_persistence::model::{Event, StockAdjusted};

    const ID: ProductId = ProductId(7);

    fn moved(delta: i64) -> Event {
        let reason = "found".into();
        Event::StockAdjusted(Box::new(StockAdjusted { product_id: ID, delta, reason, idempotency: None }))
    }

    fn counted(quantity: i64) -> Event {
        use floodgate_persistence::model::{Currency, Money, Product, ProductPut, SellerId, StockChange};
        let product = Product {
            id: ID,
            seller_id: SellerId(1),
            name: "Kettle".into(),
            price: Money(1),
            currency: Currency::new("USD").unwrap(),
            digital: false,
            active: true,
            max_per_order: None,
            download_path: None,
        };
        Event::ProductPut(Box::new(ProductPut { product, stock: StockChange::Counted(quantity) }))
    }

    fn moves(events: &[Event]) -> Moves {
        let mut moves = Moves::default();
        events.iter().for_each(|event| moves.add(event));
        moves
    }

    /// Products and differences of one comparison. `memory`, `database`: twice optional, not there and not counted.
    fn differences(
        memory: Option<Option<i64>>,
        database: Option<Option<i64>>,
        journal: &JournalBooks,
        parked: bool,
    ) -> u64 {
        let products = memory.map(|stock| (ID, stock)).into_iter().collect();
        let mut comparison = StockComparison::new(MemoryStock { as_of_seq: 0, products }, journal);
        if parked {
            comparison.parked(ID);
        }
        let mut findings = Findings::default();
        if let Some(database) = database {
            comparison.product(ID, database, &mut findings);
        }
        comparison.end(&mut findings);
        findings.differences_total
    }

    #[test]
    fn memory_is_brought_to_the_stores_checkpoint_whichever_is_later() {
        let some = |stock| Some(Some(stock));
        for (what, memory, database, between, store_is_later, differs) in [
            ("same moment", some(5), some(5), vec![], false, false),
            ("one piece too few", some(5), some(4), vec![], false, true),
            ("memory has two sales more", some(3), some(5), vec![moved(-1), moved(-1)], false, false),
            ("the store has two sales more", some(5), some(3), vec![moved(-1), moved(-1)], true, false),
            ("the wrong way round", some(5), some(3), vec![moved(-1), moved(-1)], false, true),
            ("not counted", Some(None), Some(None), vec![moved(3)], false, false),
            ("counted in one only", some(5), Some(None), vec![], false, true),
            ("counting began since", some(9), Some(None), vec![counted(10), moved(-1)], false, false),
            ("counting began in the store", Some(None), some(9), vec![counted(10), moved(-1)], true, false),
            (
                "counting began since, one is missing",
                some(8),
                Some(None),
                vec![counted(10), moved(-1)],
                false,
                true,
            ),
            ("new since", some(10), None, vec![counted(10)], false, false),
            ("gone from the store", some(10), None, vec![], false, true),
            ("not hot", None, some(5), vec![], false, false),
        ] {
            let journal =
                JournalBooks { between: moves(&between), store_is_later, ..JournalBooks::default() };
            assert_eq!(differences(memory, database, &journal, false) > 0, differs, "{what}");
        }
        assert_eq!(differences(Some(None), None, &JournalBooks::default(), true), 0, "its terms are parked");
    }

    #[test]
    fn the_journal_alone_knows_the_stock_that_it_saw_begin() {
        for (what, events, database, differs) in [
            ("as it says", vec![counted(10), moved(-3)], 7, false),
            ("changed by others", vec![counted(10), moved(-3)], 8, true),
            ("it does not go back that far", vec![moved(-3)], 8, false),
            ("it began again", vec![moved(-3), counted(4)], 4, false),
        ] {
            let journal = JournalBooks { to_checkpoint: moves(&events), ..JournalBooks::default() };
            assert_eq!(differences(None, Some(Some(database)), &journal, false) > 0, differs, "{what}");
        }
    }
}
