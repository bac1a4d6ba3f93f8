//! What the users buy: the n-th cart of a user follows from the seed, so that the check of the books makes it again
//! instead of remembering it.

use crate::bench::{Random, mix};
use serde_json::json;

/// Carts of ten lines: one in so many, for the budget of ten lines.
const LONG_ONE_IN: u64 = 10;
const LONG_LINES: u64 = 10;

/// Lines of all other carts: 1 to so many.
const SHORT_LINES: u64 = 4;

/// Largest quantity of a line.
const QUANTITY_MAX: u64 = 3;

/// Customers of a run are numbered from here on and from its seed, far above what a shop hands out, so that the orders
/// of two runs are not mixed up.
const CUSTOMERS_FROM: u64 = 1 << 52;
const CUSTOMERS_A_RUN: u64 = 1 << 17;

/// A product that is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ware {
    /// Its id.
    pub id: u64,
    /// Pieces before the run; `None`: not counted.
    pub available: Option<i64>,
    /// Most pieces of one order.
    pub max_per_order: u64,
}

/// A line of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Place of the product in the list of wares.
    pub ware: usize,
    /// Its id.
    pub product_id: u64,
    /// Pieces.
    pub quantity: u64,
}

/// Different products.
pub type Cart = Vec<Line>;

/// A stream of carts for each user.
#[derive(Clone, Debug)]
pub struct Carts {
    seed: u64,
    currency: String,
    wares: Vec<Ware>,
}

impl Carts {
    /// Carts over `wares`, all of the same currency.
    pub const fn new(seed: u64, currency: String, wares: Vec<Ware>) -> Self {
        Self { seed, currency, wares }
    }

    /// What can be bought.
    pub fn wares(&self) -> &[Ware] {
        &self.wares
    }

    /// Some product.
    pub fn any(&self, random: &mut Random) -> u64 {
        let place = usize::try_from(random.below(self.wares.len() as u64)).unwrap_or(0);
        self.wares.get(place).map_or(1, |ware| ware.id)
    }

    /// The customer that a user is.
    pub fn customer(&self, user: u32) -> u64 {
        let runs = CUSTOMERS_FROM / CUSTOMERS_A_RUN - 1;
        CUSTOMERS_FROM + mix(self.seed) % runs * CUSTOMERS_A_RUN + u64::from(user)
    }

    /// The idempotency key of a user's n-th cart.
    pub fn key(&self, user: u32, number: u32) -> String {
        format!("load-{:016x}-{user}-{number}", mix(self.seed))
    }

    /// A user's n-th cart.
    pub fn cart(&self, user: u32, number: u32) -> Cart {
        let mut random = Random::new(mix(self.seed ^ mix(u64::from(user) << 32 | u64::from(number))));
        let long = random.below(LONG_ONE_IN) == 0;
        let lines = if long { LONG_LINES } else { 1 + random.below(SHORT_LINES) };
        let mut cart = Cart::new();
        while (cart.len() as u64) < lines.min(self.wares.len() as u64) {
            let place = usize::try_from(random.below(self.wares.len() as u64)).unwrap_or(0);
            let taken = cart.iter().any(|line| line.ware == place);
            if let Some(ware) = self.wares.get(place).filter(|_| !taken) {
                let quantity = 1 + random.below(QUANTITY_MAX.min(ware.max_per_order));
                cart.push(Line { ware: place, product_id: ware.id, quantity });
            }
        }
        cart
    }

    /// The body of its checkout. Cash on delivery: such an order does not expire while the books are checked.
    pub fn body(&self, user: u32, cart: &[Line]) -> Vec<u8> {
        let items: Vec<_> = cart
            .iter()
            .map(|line| json!({ "product_id": line.product_id, "quantity": line.quantity }))
            .collect();
        let body = json!({
            "customer_id": self.customer(user), "currency": self.currency, "city": "Campinas", "items": items,
            "payment": { "method": "cod" },
        });
        body.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carts_follow_from_the_seed_and_keep_to_the_limits() {
        let wares: Vec<_> =
            (1..=20).map(|id| Ware { id, available: None, max_per_order: 1 + id % 3 }).collect();
        let carts = |seed| Carts::new(seed, "USD".to_owned(), wares.clone());
        let (first, second) = (carts(1), carts(2));
        let mut long = 0;
        for number in 0..1_000 {
            let cart = first.cart(3, number);
            assert_eq!(cart, carts(1).cart(3, number));
            assert!(cart.iter().all(|line| (1..=1 + line.product_id % 3).contains(&line.quantity)));
            let mut products: Vec<_> = cart.iter().map(|line| line.product_id).collect();
            products.sort_unstable();
            products.dedup();
            assert_eq!(products.len(), cart.len(), "different products");
            long += usize::from(cart.len() == 10);
        }
        assert!((50..200).contains(&long), "{long} carts of ten lines");
        assert_ne!(first.key(1, 1), second.key(1, 1));
        assert_ne!(first.customer(1), second.customer(1));
        assert!(first.customer(99_999) < 1 << 53);
    }
}
