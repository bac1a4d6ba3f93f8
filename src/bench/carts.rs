//! The carts: the n-th follows from seed and n, so that the check of the books makes it again instead of remembering
//! it.

use super::random::{Random, mix};
use super::wares::Wares;
use floodgate_actors::CheckoutCommand;
use floodgate_actors::rules::CartItem;
use floodgate_persistence::model::{CustomerId, IdempotencyClaim, Money, PaymentMethod, ProductId};

/// Customers that buy.
const CUSTOMERS: u64 = 1_000_000;

/// Largest quantity of a line.
const QUANTITY_MAX: u64 = 3;

/// What carts look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Fewest lines.
    pub lines_min: u64,
    /// Most lines.
    pub lines_max: u64,
    /// `Some(n)`: the lines lie on n shards; `None`: wherever they fall.
    pub spread: Option<u64>,
    /// The first line is always the same product.
    pub hot: bool,
}

/// A stream of carts.
#[derive(Clone, Copy, Debug)]
pub struct Carts {
    seed: u64,
    wares: Wares,
    shards: u64,
    shape: Shape,
}

impl Carts {
    /// Carts over `wares`, of which product `id` lies on shard `id` modulo `shards`.
    pub fn new(seed: u64, wares: Wares, shards: u64, shape: Shape) -> Self {
        Self { seed, wares, shards: shards.max(1), shape }
    }

    /// The catalogue they buy from.
    pub fn wares(&self) -> Wares {
        self.wares
    }

    /// The product that every hot cart buys.
    pub fn hot_product(&self) -> ProductId {
        ProductId(self.wares.products().div_ceil(2))
    }

    /// Different products, each with a quantity.
    pub fn items(&self, number: u64) -> Vec<CartItem> {
        let mut random = Random::new(mix(self.seed) ^ mix(number));
        let lines = self.shape.lines_min + random.below(self.shape.lines_max - self.shape.lines_min + 1);
        let first_shard = match self.shape.hot {
            true => self.hot_product().get() % self.shards,
            false => random.below(self.shards),
        };
        let mut items = Vec::with_capacity(usize::try_from(lines).unwrap_or(0));
        if self.shape.hot {
            items.push(item(self.hot_product(), &mut random));
        }
        while (items.len() as u64) < lines.min(self.wares.products()) {
            let id = self.pick(first_shard, items.len() as u64, &mut random);
            if items.iter().all(|item| item.product_id != id) {
                items.push(item(id, &mut random));
            }
        }
        items
    }

    fn pick(&self, first_shard: u64, line: u64, random: &mut Random) -> ProductId {
        let Some(spread) = self.shape.spread else {
            return ProductId(1 + random.below(self.wares.products()));
        };
        let shard = (first_shard + line % spread.max(1)) % self.shards;
        let round = random.below(self.wares.products() / self.shards);
        // Shard 0 has the ids `shards`, 2 × `shards` …, the others begin with their own number.
        let first = if shard == 0 { self.shards } else { shard };
        ProductId(first + round * self.shards)
    }

    /// The whole checkout, with an idempotency key of its own.
    pub fn command(&self, number: u64) -> CheckoutCommand {
        CheckoutCommand {
            customer_id: CustomerId(1 + mix(number) % CUSTOMERS),
            currency: None,
            city: Some("Ribeirao Preto".into()),
            email: None,
            items: self.items(number),
            coupon: None,
            referral_code: None,
            expected_total: None,
            delivery: None,
            payment_method: PaymentMethod::Later,
            idempotency: Some(self.claim(number)),
        }
    }

    /// The key of a cart: as random as the hash sums that keys are, and yet the number can be read from it, so that an
    /// order in the journal says which cart it was.
    pub fn claim(&self, number: u64) -> IdempotencyClaim {
        let noise = mix(self.seed ^ mix(number));
        let key = u128::from(noise) << 64 | u128::from(number ^ mix(noise));
        let body = u128::from(mix(number)) << 64 | u128::from(mix(noise ^ number));
        IdempotencyClaim { key: key.to_be_bytes(), body: body.to_be_bytes() }
    }

    /// The cart whose key this is.
    pub fn number_of(&self, claim: IdempotencyClaim) -> Option<u64> {
        let key = u128::from_be_bytes(claim.key);
        let noise = u64::try_from(key >> 64).ok()?;
        let number = u64::try_from(key & u128::from(u64::MAX)).ok()? ^ mix(noise);
        (self.claim(number) == claim).then_some(number)
    }

    /// What a cart costs; no shipping and no tax here.
    pub fn total(&self, items: &[CartItem]) -> Money {
        let line = |item: &CartItem| self.wares.price(item.product_id).0 * item.quantity;
        Money(items.iter().map(line).sum())
    }
}

fn item(product_id: ProductId, random: &mut Random) -> CartItem {
    let quantity = i64::try_from(1 + random.below(QUANTITY_MAX)).unwrap_or(1);
    CartItem { product_id, quantity, unit_price: None }
}
