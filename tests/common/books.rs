use super::Sql;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The marketplace's catalogue as its files have it, and what an order of it must look like: written without a look
/// at the engine.
pub struct Olist {
    products: HashMap<u64, ListedProduct>,
    commission_bps: HashMap<u64, i64>,
    pub carts: Vec<Value>,
}

struct ListedProduct {
    seller_id: u64,
    name: String,
    price: i64,
    digital: bool,
    stock: i64,
}

impl Olist {
    pub fn read(dir: &Path) -> Self {
        let mut products = HashMap::new();
        for row in rows(&dir.join("products.csv")) {
            let product = ListedProduct {
                seller_id: row["seller_id"].parse().unwrap(),
                name: row["name"].clone(),
                price: row["price"].parse().unwrap(),
                digital: row["digital"] == "1",
                stock: row["stock"].parse().unwrap(),
            };
            products.insert(row["product_id"].parse().unwrap(), product);
        }
        let bps = |row: &HashMap<String, String>| {
            (row["seller_id"].parse().unwrap(), row["commission_bps"].parse().unwrap())
        };
        let commission_bps = rows(&dir.join("sellers.csv")).iter().map(bps).collect();
        let carts = std::fs::read_to_string(dir.join("carts.ndjson")).unwrap();
        let carts = carts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { products, commission_bps, carts }
    }

    /// The parts of an order that the catalogue and the cart decide.
    pub fn order_of(&self, cart: &Value) -> Value {
        let mut items: Vec<Value> = Vec::new();
        let mut shares: Vec<(u64, i64)> = Vec::new();
        let mut total = 0;
        for (line, (id, quantity)) in (1..).zip(merged(cart)) {
            let product = &self.products[&id];
            let amount = product.price * quantity;
            total += amount;
            match shares.iter_mut().find(|(seller, _)| *seller == product.seller_id) {
                Some((_, sum)) => *sum += amount,
                None => shares.push((product.seller_id, amount)),
            }
            items.push(json!({
                "line": line, "product_id": id, "seller_id": product.seller_id, "name": product.name,
                "quantity": quantity, "unit_price": product.price, "discount": 0, "line_total": amount,
                "digital": product.digital,
            }));
        }
        let sellers: Vec<Value> = shares.iter().map(|(seller, sum)| self.share(*seller, *sum)).collect();
        json!({
            "customer_id": cart["customer_id"], "currency": "BRL", "city": cart["city"], "items": items,
            "sellers": sellers, "subtotal": total, "discount": 0, "shipping": 0, "tax": 0, "total": total,
            "status": "pending_payment",
        })
    }

    /// Commission in basis points, rounded half up.
    fn share(&self, seller: u64, subtotal: i64) -> Value {
        let commission = (subtotal * self.commission_bps[&seller] + 5_000) / 10_000;
        json!({ "seller_id": seller, "subtotal": subtotal, "commission": commission, "payout": subtotal - commission })
    }

    /// The stock of every product after these carts.
    pub fn stock_after(&self, carts: &[Value]) -> Vec<(u64, i64)> {
        let mut stock: BTreeMap<u64, i64> =
            self.products.iter().map(|(id, product)| (*id, product.stock)).collect();
        for (id, quantity) in carts.iter().flat_map(merged) {
            *stock.get_mut(&id).unwrap() -= quantity;
        }
        stock.into_iter().collect()
    }

    /// Numbers of products and sellers.
    pub fn counts(&self) -> (usize, usize) {
        (self.products.len(), self.commission_bps.len())
    }
}

fn rows(file: &Path) -> Vec<HashMap<String, String>> {
    csv::Reader::from_path(file).unwrap().deserialize().map(Result::unwrap).collect()
}

/// `(product, quantity)` with each product once, at the place of its first item.
fn merged(cart: &Value) -> Vec<(u64, i64)> {
    let mut lines: Vec<(u64, i64)> = Vec::new();
    for item in cart["items"].as_array().unwrap() {
        let (id, quantity) = (item["product_id"].as_u64().unwrap(), item["quantity"].as_i64().unwrap());
        match lines.iter_mut().find(|(known, _)| *known == id) {
            Some((_, sum)) => *sum += quantity,
            None => lines.push((id, quantity)),
        }
    }
    lines
}

/// The order tables have these orders as they were answered, row by row, and nothing else.
#[track_caller]
pub fn assert_tables_agree(sql: &Sql, orders: &[Value]) {
    let mut orders: Vec<&Value> = orders.iter().collect();
    orders.sort_by_key(|order| order["order_id"].as_u64());
    let rows = |query: &str| sql.rows(query);
    same_rows(
        rows(
            "SELECT id, invoice_number, customer_id, status, currency, subtotal, discount, shipping, tax, total, \
             city, seq, created_at FROM orders ORDER BY id",
        ),
        orders.iter().map(|order| order_row(order)),
    );
    same_rows(
        rows(
            "SELECT order_id, line, product_id, seller_id, name, quantity, unit_price, discount, line_total, \
             digital FROM order_items ORDER BY order_id, line",
        ),
        orders.iter().flat_map(|order| {
            let lines = order["items"].as_array().unwrap().iter();
            lines.map(|line| row(order, line, &ITEM))
        }),
    );
    same_rows(
        rows(
            "SELECT order_id, seller_id, subtotal, commission, payout FROM seller_orders \
             ORDER BY order_id, seller_id",
        ),
        orders.iter().flat_map(|order| {
            let mut shares: Vec<&Value> = order["sellers"].as_array().unwrap().iter().collect();
            shares.sort_by_key(|share| share["seller_id"].as_u64());
            shares.into_iter().map(|share| row(order, share, &SHARE))
        }),
    );
    same_rows(
        rows("SELECT order_id, seq, type, at FROM order_events ORDER BY order_id, type"),
        orders.iter().flat_map(|order| {
            let confirmed = (order["status"] == "confirmed").then_some("confirmed");
            confirmed.into_iter().chain(["placed"]).map(|kind| {
                vec![text(&order["order_id"]), text(&order["journal_seq"]), kind.to_owned(), time(order)]
            })
        }),
    );
}

const ORDER: [&str; 12] = [
    "order_id",
    "invoice_number",
    "customer_id",
    "status",
    "currency",
    "subtotal",
    "discount",
    "shipping",
    "tax",
    "total",
    "city",
    "journal_seq",
];
const ITEM: [&str; 9] = [
    "line",
    "product_id",
    "seller_id",
    "name",
    "quantity",
    "unit_price",
    "discount",
    "line_total",
    "digital",
];
const SHARE: [&str; 4] = ["seller_id", "subtotal", "commission", "payout"];

fn order_row(order: &Value) -> Vec<String> {
    let mut row: Vec<String> = ORDER.iter().map(|name| text(&order[*name])).collect();
    row.push(time(order));
    row
}

fn row(order: &Value, part: &Value, names: &[&str]) -> Vec<String> {
    let mut row = vec![text(&order["order_id"])];
    row.extend(names.iter().map(|name| text(&part[*name])));
    row
}

/// A value as a table has it.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(truth) => u8::from(*truth).to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn time(order: &Value) -> String {
    order["created_at"].as_str().unwrap().replace('T', " ").replace('Z', "")
}

#[track_caller]
fn same_rows(found: Vec<Vec<String>>, expected: impl Iterator<Item = Vec<String>>) {
    let expected: Vec<_> = expected.collect();
    let different = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    assert_eq!(different, None, "the first row that is not as answered");
    assert_eq!(found.len(), expected.len(), "rows");
}

/// The invoice numbers of all orders there are: 1 … n, each once.
#[track_caller]
pub fn assert_invoices_are_gapless<'a>(orders: impl Iterator<Item = &'a Value>) {
    let number = |order: &Value| -> usize {
        order["invoice_number"].as_str().unwrap().rsplit('-').next().unwrap().parse().unwrap()
    };
    let mut numbers: Vec<usize> = orders.map(number).collect();
    numbers.sort_unstable();
    let count = numbers.len();
    assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "invoice numbers");
}
