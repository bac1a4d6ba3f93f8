//! The synthetic catalogue: every product and seller follows from its id, so that nothing needs to be remembered to
//! check an order.

use floodgate_persistence::model::{Currency, Money, Product, ProductId, Seller, SellerId};
use floodgate_persistence::store::ProductRow;

/// Counted stock of each product: more than any run can sell.
pub const STOCK: i64 = 1_000_000_000_000;

/// Products of one seller.
const PRODUCTS_A_SELLER: u64 = 50;

/// The catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wares {
    products: u64,
}

impl Wares {
    /// Products 1 … `products`, at least one.
    pub fn new(products: u64) -> Self {
        Self { products: products.max(1) }
    }

    /// Number of products.
    pub fn products(self) -> u64 {
        self.products
    }

    /// Number of sellers.
    pub fn sellers(self) -> u64 {
        self.products.div_ceil(PRODUCTS_A_SELLER)
    }

    /// Price of a piece.
    pub fn price(self, id: ProductId) -> Money {
        Money(i64::try_from(199 + id.get() * 37 % 49_800).unwrap_or(199))
    }

    /// Neighbouring products have different sellers, as neighbouring lines of a cart mostly do.
    pub fn seller_of(self, id: ProductId) -> SellerId {
        SellerId(1 + id.get() % self.sellers())
    }

    /// The product with this id, if there is one.
    pub fn product(self, id: u64) -> Option<ProductRow> {
        let id = ProductId::new(id).filter(|id| id.get() <= self.products)?;
        Some(ProductRow { product: self.terms(id), stock: Some(STOCK) })
    }

    fn terms(self, id: ProductId) -> Product {
        Product {
            id,
            seller_id: self.seller_of(id),
            name: format!("Bench article {id:08}").into(),
            price: self.price(id),
            currency: currency(),
            digital: false,
            active: true,
            max_per_order: None,
            download_path: None,
        }
    }

    /// The seller with this id, if there is one.
    pub fn seller(self, id: u64) -> Option<Seller> {
        let id = SellerId::new(id).filter(|id| id.get() <= self.sellers())?;
        let commission_bps = 500 + u32::try_from(id.get() % 1000).unwrap_or(0);
        let name = format!("Bench seller {id:06}").into();
        Some(Seller { id, name, city: "Campinas".into(), commission_bps, active: true })
    }
}

/// The one currency of the benchmark.
pub fn currency() -> Currency {
    match Currency::new("USD") {
        Some(currency) => currency,
        None => unreachable!("three capital letters"),
    }
}
