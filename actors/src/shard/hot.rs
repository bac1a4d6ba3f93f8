//! The hot products of one shard: terms and stock, decided by their one owner.
//!
//! Counted stock has two parts: `available` can be bought, `held` was taken by checkouts (and by corrections) whose
//! event is not durable yet. Their sum is what the journal knows. Taking moves from available to held, a refused
//! checkout moves back, the durable event lets go of what was held; pieces that an event brings are added to
//! available only when it is durable (rule ii).

use crate::api::{ProductInput, ProductView};
use crate::rules::{Offer, OfferedStock, QUANTITY_MAX, take_from};
use floodgate_persistence::model::{
    Currency, ID_MAX, Money, Product, ProductId, ProductPut, SellerId, StockChange,
};
use floodgate_persistence::planted::{self, Planted};
use floodgate_persistence::store::ProductRow;
use hashbrown::{HashMap, HashSet, HashTable};
use std::hash::{DefaultHasher, Hash, Hasher};

/// `available` of a product whose stock is not counted.
const UNCOUNTED: i64 = i64::MIN;

/// Largest stock that a change may lead to, so that sums of stock stay far from overflow.
pub const STOCK_MAX: i64 = ID_MAX.cast_signed();

/// One product, without its name: 48 bytes.
struct HotProduct {
    id: ProductId,
    price: i64,
    available: i64,
    held: u32,
    name_at: u32,
    seller: u64,
    name_bytes: u16,
    quantity_max: u16,
    currency: Currency,
    digital: bool,
    active: bool,
}

/// Where a product lies in its shard. Products are never removed, so a slot stays valid.
pub type Slot = u32;

/// Why an admin change of a product was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeRefusal {
    /// No such product here.
    Unknown,
    /// Its stock is not counted.
    NotCounted,
    /// It would leave less than nothing, or more than [`STOCK_MAX`].
    OutOfRange {
        /// Pieces that can be taken.
        available: i64,
    },
}

/// The products of one shard.
#[derive(Default)]
pub struct HotProducts {
    products: Vec<HotProduct>,
    index: HashTable<Slot>,
    /// All names, one after the other. A changed name leaves its old bytes behind.
    names: String,
    download_paths: HashMap<ProductId, Box<str>>,
    /// Sequence of the last engine change of the terms, until a row that saw it was read from the store. Not
    /// forgotten earlier: a read that began before the change may still be under way.
    changed: HashMap<ProductId, u64>,
    /// New products with a stock, prepared and not yet durable here.
    coming: HashSet<ProductId>,
    held_total: u64,
}

fn hash_of(id: ProductId) -> u64 {
    // Multiplication by 2^64 / golden ratio spreads dense and sparse ids alike over the high bits (Knuth, TAOCP 6.4).
    id.get().wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
}

impl HotProducts {
    /// Number of products.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Pieces taken and not yet durable.
    pub fn held_total(&self) -> u64 {
        self.held_total
    }

    /// Where the product lies.
    pub fn slot(&self, id: ProductId) -> Option<Slot> {
        self.index.find(hash_of(id), |&slot| self.at(slot).id == id).copied()
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "slots come from the index of this very vector, which never shrinks"
    )]
    fn at(&self, slot: Slot) -> &HotProduct {
        &self.products[slot as usize]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "slots come from the index of this very vector, which never shrinks"
    )]
    fn at_mut(&mut self, slot: Slot) -> &mut HotProduct {
        &mut self.products[slot as usize]
    }

    /// A row read from the store. New products are taken whole; a product already hot takes its terms only if the
    /// read saw its last engine change, and its stock never.
    pub fn load(&mut self, row: &ProductRow, as_of_seq: u64) {
        match self.slot(row.product.id) {
            // The store has it already, from an event whose message is still on its way here: that message brings it.
            None if self.coming.contains(&row.product.id) => {}
            None => {
                self.insert(&row.product, row.stock.unwrap_or(UNCOUNTED));
            }
            Some(slot) => {
                let unchanged = self.changed.get(&row.product.id).is_none_or(|changed| *changed <= as_of_seq);
                if planted::is(Planted::StockFromStoreTaken) {
                    self.at_mut(slot).available = row.stock.unwrap_or(UNCOUNTED);
                }
                if unchanged || planted::is(Planted::OldRowTaken) {
                    self.changed.remove(&row.product.id);
                    self.set_terms(slot, &row.product);
                }
            }
        }
    }

    fn insert(&mut self, product: &Product, available: i64) -> Slot {
        let slot = Slot::try_from(self.products.len()).unwrap_or(Slot::MAX);
        assert!(slot < Slot::MAX, "a shard holds fewer than 2^32 products");
        self.products.push(HotProduct {
            id: product.id,
            price: 0,
            available,
            held: 0,
            name_at: 0,
            seller: 0,
            name_bytes: 0,
            quantity_max: 0,
            currency: product.currency,
            digital: false,
            active: false,
        });
        let products = &self.products;
        self.index.insert_unique(hash_of(product.id), slot, |&slot| {
            products.get(slot as usize).map_or(0, |product| hash_of(product.id))
        });
        self.set_terms(slot, product);
        slot
    }

    fn set_terms(&mut self, slot: Slot, product: &Product) {
        let (name_at, name_bytes) = self.keep_name(slot, &product.name);
        match &product.download_path {
            Some(path) => drop(self.download_paths.insert(product.id, path.clone())),
            None => drop(self.download_paths.remove(&product.id)),
        }
        let quantity_max = product.max_per_order.unwrap_or(QUANTITY_MAX).min(QUANTITY_MAX);
        let hot = self.at_mut(slot);
        hot.price = product.price.0;
        hot.seller = product.seller_id.get();
        hot.currency = product.currency;
        hot.digital = product.digital;
        hot.active = product.active;
        hot.quantity_max = u16::try_from(quantity_max).unwrap_or(u16::MAX);
        hot.name_at = name_at;
        hot.name_bytes = name_bytes;
    }

    fn keep_name(&mut self, slot: Slot, name: &str) -> (u32, u16) {
        let hot = self.at(slot);
        if self.name(slot) == name {
            return (hot.name_at, hot.name_bytes);
        }
        let at = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        assert!(at < u32::MAX, "the names of a shard fit into 4 GiB");
        self.names.push_str(name);
        (at, u16::try_from(name.len()).unwrap_or(u16::MAX))
    }

    fn name(&self, slot: Slot) -> &str {
        let hot = self.at(slot);
        let begin = hot.name_at as usize;
        self.names.get(begin..begin + usize::from(hot.name_bytes)).unwrap_or_default()
    }

    /// Reads a byte of the product's name, for the cache's sake.
    pub fn touch(&self, slot: Slot) -> u8 {
        self.names.as_bytes().get(self.at(slot).name_at as usize).copied().unwrap_or(0)
    }

    /// Everything that pricing needs; the seller's part is filled in by the caller.
    pub fn offer(&self, slot: Slot) -> Offer {
        let hot = self.at(slot);
        Offer {
            seller_id: SellerId(hot.seller),
            name: self.name(slot).into(),
            unit_price: Money(hot.price),
            currency: hot.currency,
            digital: hot.digital,
            active: hot.active,
            seller_active: false,
            commission_bps: 0,
            quantity_max: u32::from(hot.quantity_max),
            stock: match hot.available {
                UNCOUNTED => OfferedStock::Uncounted,
                available => OfferedStock::Counted(available),
            },
        }
    }

    /// Takes pieces of counted stock for a checkout under way; the caller has seen that there are enough.
    pub fn take(&mut self, slot: Slot, quantity: u32) {
        let hot = self.at_mut(slot);
        let left = take_from(hot.available, quantity);
        hot.available =
            left.unwrap_or_else(|| panic!("product {} is taken only after a look at its stock", hot.id));
        hot.held += quantity;
        self.held_total += u64::from(quantity);
    }

    /// A checkout was refused: what it took can be bought again.
    pub fn give_back(&mut self, slot: Slot, quantity: u32) {
        self.settle(slot, quantity);
        let times = if planted::is(Planted::StockReleasedTwice) { 2 } else { 1 };
        self.at_mut(slot).available += times * i64::from(quantity);
    }

    /// An order is durable: what it took is sold.
    pub fn settle(&mut self, slot: Slot, quantity: u32) {
        let hot = self.at_mut(slot);
        assert!(hot.held >= quantity, "product {} settles {quantity} of {} held", hot.id, hot.held);
        hot.held -= quantity;
        if planted::is(Planted::SoldPieceKept) {
            hot.available += 1;
        }
        self.held_total -= u64::from(quantity);
    }

    /// Turns a row's stock into a delta, and takes what the delta takes. A stock given for a known product is the
    /// counted quantity, what checkouts under way hold included. One change a product at a time: the caller waits for
    /// the last one to be durable.
    pub fn prepare_put(&mut self, input: &ProductInput) -> Result<StockChange, ChangeRefusal> {
        let Some(stock) = input.stock else { return Ok(StockChange::Unchanged) };
        let Some(slot) = self.slot(input.product.id) else {
            self.coming.insert(input.product.id);
            return Ok(StockChange::Counted(stock));
        };
        let hot = self.at_mut(slot);
        if hot.available == UNCOUNTED {
            return Ok(StockChange::Counted(stock));
        }
        let delta = stock - (hot.available + i64::from(hot.held));
        hot.prepare_delta(delta)?;
        Ok(if delta == 0 { StockChange::Unchanged } else { StockChange::Delta(delta) })
    }

    /// Checks a correction, and takes what it takes.
    pub fn prepare_adjust(&mut self, id: ProductId, delta: i64) -> Result<(), ChangeRefusal> {
        let slot = self.slot(id).ok_or(ChangeRefusal::Unknown)?;
        let hot = self.at_mut(slot);
        if hot.available == UNCOUNTED { Err(ChangeRefusal::NotCounted) } else { hot.prepare_delta(delta) }
    }

    /// A change of terms is durable. What it takes was taken when it was prepared.
    pub fn commit_put(&mut self, seq: u64, put: &ProductPut) {
        self.coming.remove(&put.product.id);
        let brought = match put.stock {
            StockChange::Delta(delta) => StockChange::Delta(delta.max(0)),
            other => other,
        };
        self.apply_put(seq, &put.product, brought);
    }

    /// A correction is durable. What it takes was taken when it was prepared.
    pub fn commit_adjust(&mut self, id: ProductId, delta: i64) {
        self.add(id, delta.max(0));
    }

    /// A change of terms, played forward from the journal: nothing was taken for it before.
    pub fn replay_put(&mut self, seq: u64, put: &ProductPut) {
        self.apply_put(seq, &put.product, put.stock);
    }

    /// A correction or a sale, played forward from the journal.
    pub fn replay_delta(&mut self, id: ProductId, delta: i64) {
        self.add(id, delta);
    }

    fn apply_put(&mut self, seq: u64, product: &Product, stock: StockChange) {
        let slot = match self.slot(product.id) {
            Some(slot) => {
                self.set_terms(slot, product);
                slot
            }
            None => self.insert(product, UNCOUNTED),
        };
        self.changed.insert(product.id, seq);
        match stock {
            StockChange::Unchanged => {}
            StockChange::Delta(delta) => self.add(product.id, delta),
            StockChange::Counted(quantity) => self.at_mut(slot).available = quantity,
        }
    }

    fn add(&mut self, id: ProductId, delta: i64) {
        let Some(slot) = self.slot(id) else { return };
        let hot = self.at_mut(slot);
        if hot.available != UNCOUNTED {
            hot.available += delta;
        }
    }

    /// The product as others may see it.
    pub fn view(&self, slot: Slot) -> ProductView {
        let hot = self.at(slot);
        let quantity_max = u32::from(hot.quantity_max);
        ProductView {
            product_id: hot.id,
            seller_id: SellerId(hot.seller),
            name: self.name(slot).into(),
            price: Money(hot.price),
            currency: hot.currency,
            digital: hot.digital,
            active: hot.active,
            max_per_order: Some(quantity_max).filter(|max| *max < QUANTITY_MAX),
            available: Some(hot.available).filter(|available| *available != UNCOUNTED),
        }
    }

    /// What the journal knows of each product's stock: what can be bought and what is held. `None`: not counted.
    pub fn durable_stock(&self) -> Vec<(ProductId, Option<i64>)> {
        let stock =
            |hot: &HotProduct| (hot.available != UNCOUNTED).then(|| hot.available + i64::from(hot.held));
        self.products.iter().map(|hot| (hot.id, stock(hot))).collect()
    }

    /// Hash over terms and durable stock of all products, whatever order they were loaded in.
    pub fn state_hash(&self) -> u64 {
        let mut sum = 0u64;
        for (slot, hot) in (0..).zip(&self.products) {
            let mut hasher = DefaultHasher::new();
            let terms =
                (hot.id, hot.price, hot.seller, hot.currency, hot.digital, hot.active, hot.quantity_max);
            let stock =
                if hot.available == UNCOUNTED { UNCOUNTED } else { hot.available + i64::from(hot.held) };
            (terms, stock, self.name(slot), self.download_paths.get(&hot.id)).hash(&mut hasher);
            sum = sum.wrapping_add(hasher.finish());
        }
        sum
    }
}

impl HotProduct {
    /// Takes what a negative delta takes; a positive one comes when it is durable.
    fn prepare_delta(&mut self, delta: i64) -> Result<(), ChangeRefusal> {
        let after = self.available.checked_add(delta).filter(|after| (0..=STOCK_MAX).contains(after));
        let after = after.ok_or(ChangeRefusal::OutOfRange { available: self.available })?;
        let takes = delta < 0 && !planted::is(Planted::StockTakenLate);
        if takes || planted::is(Planted::StockSoldBeforeDurable) {
            self.available = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(id: u64, stock: Option<i64>) -> ProductInput {
        let product = Product {
            id: ProductId(id),
            seller_id: SellerId(1),
            name: "Kettle".into(),
            price: Money(100),
            currency: Currency::new("USD").unwrap(),
            digital: false,
            active: true,
            max_per_order: None,
            download_path: None,
        };
        ProductInput { product, stock }
    }

    /// The store may have a new product before the shard hears that it is durable.
    #[test]
    fn a_row_does_not_overtake_the_event_that_made_it() {
        let mut products = HotProducts::default();
        let new = input(7, Some(10));
        assert_eq!(products.prepare_put(&new), Ok(StockChange::Counted(10)));
        products.load(&ProductRow { product: new.product.clone(), stock: Some(10) }, 50);
        assert_eq!(products.slot(ProductId(7)), None, "it cannot be sold before its event is here");
        products
            .commit_put(50, &ProductPut { product: new.product.clone(), stock: StockChange::Counted(10) });
        let slot = products.slot(ProductId(7)).unwrap();
        products.take(slot, 3);
        products.load(&ProductRow { product: new.product, stock: Some(10) }, 50);
        assert_eq!(products.view(slot).available, Some(7));
    }

    #[test]
    fn pieces_move_between_available_and_held() {
        let mut products = HotProducts::default();
        products.load(&ProductRow { product: input(1, None).product, stock: Some(10) }, 0);
        let slot = products.slot(ProductId(1)).unwrap();
        products.take(slot, 4);
        products.take(slot, 3);
        products.give_back(slot, 3);
        assert_eq!((products.view(slot).available, products.held_total()), (Some(6), 4));
        assert_eq!(
            products.prepare_put(&input(1, Some(10))),
            Ok(StockChange::Unchanged),
            "held pieces are counted"
        );
        assert_eq!(products.prepare_put(&input(1, Some(3))), Err(ChangeRefusal::OutOfRange { available: 6 }));
        products.settle(slot, 4);
        assert_eq!(products.prepare_put(&input(1, Some(10))), Ok(StockChange::Delta(4)));
        assert_eq!((products.view(slot).available, products.held_total()), (Some(6), 0));
    }
}
