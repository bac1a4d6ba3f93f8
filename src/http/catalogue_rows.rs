//! Rows of a bulk upsert: from JSON or NDJSON to products and sellers. A row of the wrong shape is refused by
//! itself; the others go on.

use super::checkout_shape::{city, id, plain};
use super::error::{ErrorCode, Failure};
use super::json::{self, Object, Shape, Wrong};
use super::problem::ErrorEntry;
use floodgate_actors::ProductInput;
use floodgate_actors::rules::QUANTITY_MAX;
use floodgate_persistence::model::{Currency, Money, Product, ProductId, Seller, SellerId};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Longest name and longest download path, in characters.
const NAME_MAX: usize = 255;
/// The whole, in basis points.
const BASIS_POINTS: i64 = 10_000;
/// Most rows of a call: as many lines as there can be values in a list.
const ROWS_MAX: usize = 200_000;

/// A row that was not taken.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RejectedRow)]
pub(super) struct RejectedJson {
    /// JSON: its place in the list, from 1. NDJSON: its line, from 1.
    pub(super) row: usize,
    /// Stable name of the reason.
    #[schema(value_type = String)]
    pub(super) code: &'static str,
    /// Everything that is wrong with it, in words.
    pub(super) detail: String,
}

/// The rows of a body, with those that have the wrong shape set aside.
#[derive(Debug)]
pub(super) struct Rows<T> {
    /// Rows for the engine.
    pub(super) good: Vec<T>,
    /// The number of each good row.
    pub(super) numbers: Vec<usize>,
    /// Rows that the engine does not get to see.
    pub(super) bad: Vec<RejectedJson>,
}

impl<T> Rows<T> {
    /// Rows of `{"<name>": [...]}`.
    pub(super) fn of_json(body: &[u8], name: &str, read: ReadRow<T>) -> Result<Self, Failure> {
        let mut shape = Shape::default();
        let list = Object::open(json::read(body)?, String::new(), &mut shape).and_then(|mut object| {
            let list = object.list(name, &mut shape);
            object.close(&mut shape);
            list
        });
        let list = shape.finish(list).map_err(Failure::shape)?;
        let mut rows = Self::with_capacity(list.len());
        for (place, raw) in list.into_iter().enumerate() {
            rows.push(place + 1, read_row(raw, read));
        }
        Ok(rows)
    }

    /// Rows of one JSON object a line; blank lines are passed over, but counted.
    pub(super) fn of_lines(body: &[u8], read: ReadRow<T>) -> Result<Self, Failure> {
        let mut rows = Self::with_capacity(0);
        for (place, line) in body.split(|byte| *byte == b'\n').enumerate() {
            if place > ROWS_MAX {
                let detail = format!("send at most {ROWS_MAX} lines at once");
                return Err(Failure::new(ErrorCode::PayloadTooLarge, detail));
            }
            if !line.trim_ascii().is_empty() {
                let row = json::read(line).map_err(|failure| malformed(&failure));
                rows.push(place + 1, row.and_then(|raw| read_row(raw, read)));
            }
        }
        Ok(rows)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self { good: Vec::with_capacity(capacity), numbers: Vec::with_capacity(capacity), bad: Vec::new() }
    }

    fn push(&mut self, number: usize, row: Result<T, (&'static str, String)>) {
        match row {
            Ok(row) => {
                self.good.push(row);
                self.numbers.push(number);
            }
            Err((code, detail)) => self.bad.push(RejectedJson { row: number, code, detail }),
        }
    }
}

fn malformed(failure: &Failure) -> (&'static str, String) {
    (failure.code().as_str(), failure.detail().to_owned())
}

/// Reads the members of a row.
pub(super) type ReadRow<T> = fn(&mut Object<'_>, &mut Shape) -> Option<T>;

fn read_row<T>(raw: &RawValue, read: ReadRow<T>) -> Result<T, (&'static str, String)> {
    let mut shape = Shape::default();
    let row = Object::open(raw, String::new(), &mut shape).and_then(|mut object| {
        let row = read(&mut object, &mut shape);
        object.close(&mut shape);
        row
    });
    shape.finish(row).map_err(|problems| {
        let details: Vec<_> = problems.iter().map(in_words).collect();
        (Failure::shape(problems).code().as_str(), details.join("; "))
    })
}

/// `price: must be an integer`
fn in_words(problem: &ErrorEntry) -> String {
    match problem.pointer.as_deref().unwrap_or_default().strip_prefix('/') {
        Some(field) => format!("{field}: {}", problem.detail),
        None => problem.detail.to_string(),
    }
}

/// A product row.
#[derive(ToSchema)]
#[schema(as = ProductRow, example = json!({
    "product_id": 7, "seller_id": 3, "name": "Kettle", "price": 1999, "currency": "BRL", "digital": false,
    "stock": 100, "active": true
}))]
#[expect(dead_code, reason = "read by the document; rows are read by name, so that every problem is found")]
pub(super) struct ProductRowJson {
    #[schema(minimum = 1, maximum = 9007199254740991_i64)]
    product_id: u64,
    #[schema(minimum = 1, maximum = 9007199254740991_i64)]
    seller_id: u64,
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Of a piece, in minor units.
    #[schema(minimum = 0)]
    price: i64,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// Absent: no download.
    digital: Option<bool>,
    /// Absent: not counted when new, unchanged when known. Of a known product it is the counted quantity including
    /// what checkouts under way hold.
    #[schema(minimum = 0)]
    stock: Option<i64>,
    /// Absent: for sale.
    active: Option<bool>,
    /// Absent: the general limit.
    #[schema(minimum = 1, maximum = 10000)]
    max_per_order: Option<u32>,
    /// Where a download lies below `digital.base_url`.
    #[schema(max_length = 255)]
    download_path: Option<String>,
}

/// Reads a product row.
pub(super) fn product(row: &mut Object<'_>, shape: &mut Shape) -> Option<ProductInput> {
    let id_ = row.required("product_id", shape, id);
    let seller_id = row.required("seller_id", shape, id);
    let name = row.required("name", shape, name);
    let price = row.required("price", shape, |raw| within(raw, 0, i64::MAX));
    let currency = row.required("currency", shape, currency);
    let digital = row.optional("digital", shape, json::boolean).unwrap_or(false);
    let stock = row.optional("stock", shape, |raw| within(raw, 0, i64::MAX));
    let active = row.optional("active", shape, json::boolean).unwrap_or(true);
    let max = row.optional("max_per_order", shape, |raw| within(raw, 1, i64::from(QUANTITY_MAX)));
    let download_path = row.optional("download_path", shape, self::name);
    let product = Product {
        id: ProductId::new(id_?)?,
        seller_id: SellerId::new(seller_id?)?,
        name: name?,
        price: Money(price?),
        currency: currency?,
        digital,
        active,
        max_per_order: max.and_then(|max| u32::try_from(max).ok()),
        download_path,
    };
    Some(ProductInput { product, stock })
}

/// A seller row.
#[derive(ToSchema)]
#[schema(as = SellerRow, example = json!({
    "seller_id": 3, "name": "Casa", "city": "Campinas", "commission_bps": 1000, "active": true
}))]
#[expect(dead_code, reason = "read by the document; rows are read by name, so that every problem is found")]
pub(super) struct SellerRowJson {
    #[schema(minimum = 1, maximum = 9007199254740991_i64)]
    seller_id: u64,
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    #[schema(min_length = 1, max_length = 100)]
    city: String,
    /// The marketplace's share in 1/10,000.
    #[schema(minimum = 0, maximum = 10000)]
    commission_bps: u32,
    /// Absent: sells.
    active: Option<bool>,
}

/// Reads a seller row.
pub(super) fn seller(row: &mut Object<'_>, shape: &mut Shape) -> Option<Seller> {
    let id_ = row.required("seller_id", shape, id);
    let name = row.required("name", shape, name);
    let city = row.required("city", shape, |raw| city(&json::text(raw)?));
    let commission = row.required("commission_bps", shape, |raw| within(raw, 0, BASIS_POINTS));
    let active = row.optional("active", shape, json::boolean).unwrap_or(true);
    Some(Seller {
        id: SellerId::new(id_?)?,
        name: name?,
        city: city?,
        commission_bps: u32::try_from(commission?).ok()?,
        active,
    })
}

fn name(raw: &RawValue) -> Result<Box<str>, Wrong> {
    plain(&json::text(raw)?, NAME_MAX)
}

fn currency(raw: &RawValue) -> Result<Currency, Wrong> {
    Currency::new(&json::text(raw)?).ok_or("must be three capital letters (ISO 4217)".into())
}

/// An integer between two others, both included.
pub(super) fn within(raw: &RawValue, min: i64, max: i64) -> Result<i64, Wrong> {
    let number = json::integer(raw)?;
    match (min..=max).contains(&number) {
        true => Ok(number),
        false => Err(format!("must be {min} to {max}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KETTLE: &str = r#"{"product_id":7,"seller_id":3,"name":"Kettle","price":1999,"currency":"BRL"}"#;

    #[test]
    fn good_rows_are_taken_and_bad_ones_named() {
        let body = format!(
            "{KETTLE}\n\n  \n{{\"product_id\":8}}\r\nnot json\n{}\n{}\n",
            KETTLE.replace('7', "9"),
            KETTLE.replace("\"price\":1999", "\"price\":-1,\"prize\":1"),
        );
        let rows = Rows::of_lines(body.as_bytes(), product).expect("rows");
        let taken: Vec<_> = rows.good.iter().map(|row| row.product.id.get()).zip(rows.numbers).collect();
        assert_eq!(taken, [(7, 1), (9, 6)]);
        let bad: Vec<_> = rows.bad.iter().map(|row| (row.row, row.code, row.detail.as_str())).collect();
        let [(4, "invalid_field", missing), (5, "malformed_json", _), (7, "unknown_field", wrong)] = bad[..]
        else {
            panic!("{bad:?}")
        };
        assert_eq!(
            missing,
            "seller_id: is required; name: is required; price: is required; currency: is required"
        );
        assert_eq!(wrong, "price: must be 0 to 9223372036854775807; prize: is not a field of this request");
    }

    #[test]
    fn rows_of_a_list_count_from_1() {
        let body = format!(r#"{{"products":[{KETTLE},7,{KETTLE}]}}"#);
        let rows = Rows::of_json(body.as_bytes(), "products", product).expect("rows");
        assert_eq!((rows.numbers, rows.bad[0].row), (vec![1, 3], 2));
        for bad in ["{}", "[]", r#"{"product":[]}"#, r#"{"products":[],"x":1}"#, "{"] {
            assert!(Rows::of_json(bad.as_bytes(), "products", product).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_row_leaves_out_has_a_meaning() {
        let rows = Rows::of_lines(KETTLE.as_bytes(), product).expect("rows");
        let row = &rows.good[0];
        assert_eq!((row.product.digital, row.product.active, row.stock), (false, true, None));
        assert_eq!((row.product.max_per_order, row.product.download_path.as_deref()), (None, None));
    }

    #[test]
    fn booleans_are_words_or_digits() {
        let seller_of = |active: &str| {
            let row = format!(
                r#"{{"seller_id":3,"name":"C","city":"X","commission_bps":10000,"active":{active}}}"#
            );
            Rows::of_lines(row.as_bytes(), seller).expect("rows").good.first().map(|seller| seller.active)
        };
        for (text, active) in [
            ("true", Some(true)),
            ("1", Some(true)),
            ("false", Some(false)),
            ("0", Some(false)),
            ("null", Some(true)),
            ("2", None),
            ("\"true\"", None),
        ] {
            assert_eq!(seller_of(text), active, "{text}");
        }
    }

    #[test]
    fn a_seller_row_has_limits() {
        let row = |commission: i64, city: &str| {
            format!(r#"{{"seller_id":3,"name":"C","city":"{city}","commission_bps":{commission}}}"#)
        };
        for (row, fine) in [
            (row(0, "X"), true),
            (row(10_000, "X"), true),
            (row(10_001, "X"), false),
            (row(-1, "X"), false),
            (row(0, &"x".repeat(101)), false),
        ] {
            assert_eq!(Rows::of_lines(row.as_bytes(), seller).expect("rows").bad.is_empty(), fine, "{row}");
        }
    }
}
