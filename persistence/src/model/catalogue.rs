use super::{Currency, Money, ProductId, SellerId};
use bincode::{Decode, Encode};

/// The terms on which a product is sold. Its stock is not part of them: it moves by deltas.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Product {
    /// Key.
    pub id: ProductId,
    /// Who sells it and is paid for it.
    pub seller_id: SellerId,
    /// 1–255 characters.
    pub name: Box<str>,
    /// Price of one piece, not negative.
    pub price: Money,
    /// Currency of `price`; an order has one currency.
    pub currency: Currency,
    /// Delivered as a download, not by courier.
    pub digital: bool,
    /// Sold at all.
    pub active: bool,
    /// Largest quantity in one order, where it is below the general limit of 10,000.
    pub max_per_order: Option<u32>,
    /// Where a digital product lies below `digital.base_url`.
    pub download_path: Option<Box<str>>,
}

/// A seller and its terms.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Seller {
    /// Key.
    pub id: SellerId,
    /// 1–255 characters.
    pub name: Box<str>,
    /// At most 100 characters.
    pub city: Box<str>,
    /// The marketplace's share of the seller's subtotal, in 1/10,000; 0 … 10,000.
    pub commission_bps: u32,
    /// Sells at all.
    pub active: bool,
}

/// What an admin change does to the counted stock of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum StockChange {
    /// The row did not speak of stock. A new product stays uncounted.
    Unchanged,
    /// A counted product has this much more (or less).
    Delta(i64),
    /// A product that was new or not counted is counted from here on, beginning with this quantity.
    Counted(i64),
}

/// A product was created or its terms were replaced.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProductPut {
    /// The terms in force from here on.
    pub product: Product,
    /// What happened to its stock.
    pub stock: StockChange,
}
