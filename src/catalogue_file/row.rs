use floodgate_actors::{Engine, EngineError, ProductInput, PutOutcome};
use floodgate_persistence::model::{Currency, Money, Product, ProductId, Seller, SellerId};
use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A kind of row: how it is written in files and in the admin API.
pub trait Text: DeserializeOwned + Serialize + Send {
    /// Its columns, in the usual order; the first ones up to [`Self::NEEDED`] must be there.
    const COLUMNS: &'static [&'static str];
    /// How many of the columns must be there.
    const NEEDED: usize;
    /// What the rows are called, and the last part of their admin path.
    const NOUN: &'static str;
    /// What the engine takes.
    type Input: Send;

    /// The row in the engine's terms; the error is the reason why it cannot be.
    fn input(&self) -> Result<Self::Input, String>;

    /// Gives rows to the engine.
    fn put(engine: &Engine, rows: Vec<Self::Input>) -> impl Future<Output = Result<PutOutcome, EngineError>>;
}

/// A product as files and the admin API write it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProductText {
    product_id: u64,
    seller_id: u64,
    name: String,
    price: i64,
    currency: String,
    #[serde(deserialize_with = "truth")]
    digital: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock: Option<i64>,
    #[serde(deserialize_with = "truth", default = "yes")]
    active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_per_order: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    download_path: Option<String>,
}

/// A seller as files and the admin API write it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SellerText {
    seller_id: u64,
    name: String,
    city: String,
    commission_bps: u32,
    #[serde(deserialize_with = "truth", default = "yes")]
    active: bool,
}

impl Text for ProductText {
    const COLUMNS: &'static [&'static str] = &[
        "product_id",
        "seller_id",
        "name",
        "price",
        "currency",
        "digital",
        "stock",
        "active",
        "max_per_order",
        "download_path",
    ];
    const NEEDED: usize = 6;
    const NOUN: &'static str = "products";
    type Input = ProductInput;

    fn input(&self) -> Result<ProductInput, String> {
        let product = Product {
            id: ProductId::new(self.product_id).ok_or("product_id is not in 1 … 2^53−1")?,
            seller_id: SellerId::new(self.seller_id).ok_or("seller_id is not in 1 … 2^53−1")?,
            name: self.name.as_str().into(),
            price: Money(self.price),
            currency: Currency::new(&self.currency).ok_or("currency is not three capital letters")?,
            digital: self.digital,
            active: self.active,
            max_per_order: self.max_per_order,
            download_path: self.download_path.as_deref().map(Into::into),
        };
        if self.price < 0 || self.stock.is_some_and(|stock| stock < 0) {
            return Err("price and stock are not negative".to_owned());
        }
        Ok(ProductInput { product, stock: self.stock })
    }

    async fn put(engine: &Engine, rows: Vec<ProductInput>) -> Result<PutOutcome, EngineError> {
        engine.put_products(rows).await
    }
}

impl Text for SellerText {
    const COLUMNS: &'static [&'static str] = &["seller_id", "name", "city", "commission_bps", "active"];
    const NEEDED: usize = 4;
    const NOUN: &'static str = "sellers";
    type Input = Seller;

    fn input(&self) -> Result<Seller, String> {
        if self.commission_bps > 10_000 {
            return Err("commission_bps is not in 0 … 10000".to_owned());
        }
        Ok(Seller {
            id: SellerId::new(self.seller_id).ok_or("seller_id is not in 1 … 2^53−1")?,
            name: self.name.as_str().into(),
            city: self.city.as_str().into(),
            commission_bps: self.commission_bps,
            active: self.active,
        })
    }

    async fn put(engine: &Engine, rows: Vec<Seller>) -> Result<PutOutcome, EngineError> {
        engine.put_sellers(rows).await
    }
}

const fn yes() -> bool {
    true
}

/// `true`, `false`, `1` or `0`: spreadsheets and databases write the last two.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct Truth;

    impl Visitor<'_> for Truth {
        type Value = bool;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("true, false, 1 or 0")
        }

        fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
            Ok(value)
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
            match value {
                0 => Ok(false),
                1 => Ok(true),
                _ => Err(E::custom("neither 1 nor 0")),
            }
        }
    }

    deserializer.deserialize_any(Truth)
}
