use super::{Client, Engine};
use serde_json::{Value, json};

/// A product row of seller 1 with a price of 1.00.
pub fn product(id: u64, stock: Option<i64>) -> Value {
    json!({ "product_id": id, "seller_id": 1, "name": format!("product {id}"), "price": 100, "currency": "BRL",
            "digital": false, "stock": stock, "active": true })
}

/// A seller row with 10 % commission.
pub fn seller(id: u64) -> Value {
    json!({ "seller_id": id, "name": format!("seller {id}"), "city": "Campinas", "commission_bps": 1000 })
}

/// A cart of `(product, quantity)`.
pub fn cart(customer: u64, items: &[(u64, i64)]) -> Value {
    let items: Vec<Value> = items
        .iter()
        .map(|(product, quantity)| json!({ "product_id": product, "quantity": quantity }))
        .collect();
    json!({ "customer_id": customer, "items": items })
}

/// Seller 1 and the products 1 … `count`, all with the same stock.
pub fn shop_of(engine: &Engine, count: u64, stock: i64) -> Client {
    let admin = engine.admin();
    let rows: Vec<Value> = (1..=count).map(|id| product(id, Some(stock))).collect();
    let put = admin.put("/admin/sellers", &json!({ "sellers": [seller(1)] })).expect(200);
    assert_eq!(put["accepted"], 1, "{put}");
    let put = admin.put("/admin/products", &json!({ "products": rows })).expect(200);
    assert_eq!(put["accepted"], count, "{put}");
    engine.client()
}
