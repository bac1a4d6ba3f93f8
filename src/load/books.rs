//! What was acknowledged against what the engine says afterwards. Pure: it gets what was asked and compares.

use super::carts::Carts;
use std::collections::{HashMap, HashSet};

/// Most differences that are named; all are counted.
const NAMED_MAX: usize = 20;

/// An order that was answered as placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Whose cart.
    pub user: u32,
    /// Which of the user's.
    pub number: u32,
    /// The order that it became.
    pub order_id: u64,
    /// What it costs.
    pub total: i64,
}

/// An order as it is found afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub order_id: u64,
    /// Whose it is.
    pub customer_id: u64,
    /// What it costs.
    pub total: i64,
    /// Products and pieces, line by line.
    pub lines: Vec<(u64, u64)>,
}

/// Something that is not as it was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// An acknowledged order is not there.
    #[error("order {0} was acknowledged and is not there")]
    Missing(u64),
    /// Two carts were answered with one order.
    #[error("order {0} was the answer to two carts")]
    Twice(u64),
    /// It is there, but with other lines, another total or another customer.
    #[error("order {0} is not what was acknowledged")]
    NotTheSame(u64),
    /// The customer's list does not have it.
    #[error("order {0} is not in its customer's list")]
    NotListed(u64),
    /// The customer's list has it more than once.
    #[error("order {0} is in its customer's list twice")]
    ListedTwice(u64),
    /// The customer's list has an order that nobody was told of.
    #[error("order {0} is in a customer's list and was not acknowledged")]
    NotAcknowledged(u64),
    /// What a product lost is not what was sold of it.
    #[error("product {product}: {sold} units were sold, and {gone} are gone")]
    Stock {
        /// The product.
        product: u64,
        /// Units in acknowledged orders.
        sold: i64,
        /// Units by which the stock went down.
        gone: i64,
    },
    /// More was sold than there was.
    #[error("product {product}: {sold} units were sold out of {available}")]
    Oversold {
        /// The product.
        product: u64,
        /// Units in acknowledged orders.
        sold: i64,
        /// Units before the run.
        available: i64,
    },
    /// A product that was bought is not there.
    #[error("product {0} is gone")]
    ProductGone(u64),
    /// The sum of what was acknowledged is not the sum of what is there.
    #[error("the orders acknowledged make {acknowledged}, those listed {listed}")]
    Sums {
        /// Sum of the totals answered.
        acknowledged: i128,
        /// Sum of the totals in the lists.
        listed: i128,
    },
    /// The engine did not say what became of some checkouts.
    #[error("the outcome of {0} checkouts is not known")]
    Unknown(u64),
}

/// What was checked, and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Acknowledged orders, each of which was looked up.
    pub orders: u64,
    /// Of them, those whose outcome was asked for again under their key.
    pub resolved: u64,
    /// The sum of their totals.
    pub total: i128,
    /// Customers whose lists were read.
    pub customers: u64,
    /// Products whose stock was compared.
    pub products: u64,
    /// Units sold of counted products.
    pub units: i64,
    /// Number of differences.
    pub differences: u64,
    /// The first of them.
    pub named: Vec<Difference>,
}

impl Books {
    /// Nothing is wrong.
    pub const fn balance(&self) -> bool {
        self.differences == 0
    }

    fn differs(&mut self, difference: Difference) {
        self.differences += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(difference);
        }
    }
}

/// Compares, one answer after the other.
pub struct Ledger<'a> {
    carts: &'a Carts,
    /// By user: the orders acknowledged.
    by_user: HashMap<u32, HashSet<u64>>,
    /// By place of the ware.
    sold: Vec<i64>,
    listed: i128,
    books: Books,
}

impl<'a> Ledger<'a> {
    /// Knows what was acknowledged.
    pub fn new(carts: &'a Carts, acknowledged: &[Acknowledged]) -> Self {
        let mut ledger = Self {
            carts,
            by_user: HashMap::new(),
            sold: vec![0; carts.wares().len()],
            listed: 0,
            books: Books::default(),
        };
        let mut seen = HashSet::with_capacity(acknowledged.len());
        for order in acknowledged {
            if !seen.insert(order.order_id) {
                ledger.books.differs(Difference::Twice(order.order_id));
            }
            ledger.enter(order);
        }
        ledger
    }

    fn enter(&mut self, order: &Acknowledged) {
        self.books.orders += 1;
        self.books.total += i128::from(order.total);
        self.by_user.entry(order.user).or_default().insert(order.order_id);
        for line in self.carts.cart(order.user, order.number) {
            if let Some(sold) = self.sold.get_mut(line.ware) {
                *sold += i64::try_from(line.quantity).unwrap_or(i64::MAX);
            }
        }
    }

    /// So many of the acknowledged orders were resolved afterwards, and so many checkouts could not be.
    pub fn resolved(&mut self, resolved: u64, unknown: u64) {
        self.books.resolved = resolved;
        if unknown > 0 {
            self.books.differs(Difference::Unknown(unknown));
        }
    }

    /// An acknowledged order was looked up.
    pub fn order(&mut self, acknowledged: &Acknowledged, found: Option<&Found>) {
        let Some(found) = found else {
            return self.books.differs(Difference::Missing(acknowledged.order_id));
        };
        let cart = self.carts.cart(acknowledged.user, acknowledged.number);
        let lines = cart.iter().map(|line| (line.product_id, line.quantity));
        let same = found.order_id == acknowledged.order_id
            && found.total == acknowledged.total
            && found.customer_id == self.carts.customer(acknowledged.user)
            && lines.eq(found.lines.iter().copied());
        if !same {
            self.books.differs(Difference::NotTheSame(acknowledged.order_id));
        }
    }

    /// The whole list of a user's orders, as (id, total), was read.
    pub fn list(&mut self, user: u32, orders: &[(u64, i64)]) {
        self.books.customers += 1;
        let mut expected = self.by_user.remove(&user).unwrap_or_default();
        let mut seen = HashSet::new();
        for (order, total) in orders {
            self.listed += i128::from(*total);
            if !seen.insert(*order) {
                self.books.differs(Difference::ListedTwice(*order));
            } else if !expected.remove(order) {
                self.books.differs(Difference::NotAcknowledged(*order));
            }
        }
        let mut missing: Vec<_> = expected.into_iter().collect();
        missing.sort_unstable();
        missing.into_iter().for_each(|order| self.books.differs(Difference::NotListed(order)));
    }

    /// What is left of the wares, in their order: the outer `None` where one is gone, the inner where it is not counted.
    pub fn stock(&mut self, left: &[Option<Option<i64>>]) {
        let wares = self.carts.wares();
        for ((ware, sold), left) in wares.iter().zip(self.sold.clone()).zip(left) {
            match (ware.available, left) {
                (_, None) => self.books.differs(Difference::ProductGone(ware.id)),
                (Some(available), Some(Some(left))) => self.compare(ware.id, available, sold, *left),
                _ => {}
            }
        }
    }

    fn compare(&mut self, product: u64, available: i64, sold: i64, left: i64) {
        self.books.products += 1;
        self.books.units += sold;
        if sold > available || left < 0 {
            self.books.differs(Difference::Oversold { product, sold, available });
        }
        let gone = available - left;
        if gone != sold {
            self.books.differs(Difference::Stock { product, sold, gone });
        }
    }

    /// All has been looked up.
    pub fn close(mut self) -> Books {
        let mut unlisted: Vec<_> = self.by_user.values().flatten().copied().collect();
        unlisted.sort_unstable();
        unlisted.into_iter().for_each(|order| self.books.differs(Difference::NotListed(order)));
        if self.listed != self.books.total {
            let (acknowledged, listed) = (self.books.total, self.listed);
            self.books.differs(Difference::Sums { acknowledged, listed });
        }
        self.books
    }
}
