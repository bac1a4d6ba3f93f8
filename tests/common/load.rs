use super::{Answer, Client, Dice, cart};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

/// A request that changes something, with the key that tells later what became of it.
pub struct Attempt {
    path: String,
    key: String,
    body: Value,
    /// Nothing: the outcome is not known.
    answer: Option<Value>,
}

/// Random carts over the products 1 … `products`, from some threads at once, for as long as the engine answers and
/// `meanwhile` runs. Everything that was tried comes back, but for what was refused for lack of room.
pub fn under_load(
    admin: &Client,
    threads: usize,
    products: u64,
    dice: &mut Dice,
    meanwhile: impl FnOnce(),
) -> Vec<Attempt> {
    steady_load(admin, threads, products, dice, Duration::ZERO, meanwhile)
}

/// The same with a pause after each request, so that a test that lasts longer does not drown in its own orders.
pub fn steady_load(
    admin: &Client,
    threads: usize,
    products: u64,
    dice: &mut Dice,
    pause: Duration,
    meanwhile: impl FnOnce(),
) -> Vec<Attempt> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = &over;
        let load = |_| {
            let (client, mut dice) = (admin.another(), dice.split());
            scope.spawn(move || shop_until(over, &client, products, &mut dice, pause))
        };
        let shoppers: Vec<ScopedJoinHandle<'_, Vec<Attempt>>> = (0..threads).map(load).collect();
        meanwhile();
        over.store(true, Ordering::Relaxed);
        shoppers.into_iter().flat_map(|shopper| shopper.join().unwrap()).collect()
    })
}

fn shop_until(
    over: &AtomicBool,
    client: &Client,
    products: u64,
    dice: &mut Dice,
    pause: Duration,
) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let mut attempt = Attempt::random(products, dice);
        match attempt.make(client) {
            Ok(Some(_)) => attempts.push(attempt),
            Ok(None) => {}
            Err(_) => {
                attempts.push(attempt);
                break;
            }
        }
        std::thread::sleep(pause);
    }
    attempts
}

impl Attempt {
    fn random(products: u64, dice: &mut Dice) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let key = format!("attempt-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let (path, body) = match dice.below(10) {
            0 => {
                let path = format!("/admin/products/{}/stock", dice.between(1, products));
                (path, json!({ "delta": dice.between(1, 5), "reason": "found" }))
            }
            1 | 2 => ("/v1/checkouts/batch".to_owned(), random_batch(&key, products, dice)),
            _ => ("/v1/checkouts".to_owned(), random_cart(products, dice)),
        };
        Self { path, key, body, answer: None }
    }

    /// Sends it, and keeps the answer. `None`: refused, nothing was done.
    fn make(&mut self, client: &Client) -> Result<Option<Answer>, String> {
        let answer = client.post_with(&self.path, &[("idempotency-key", &self.key)], &self.body)?;
        match answer.status {
            503 => return Ok(None),
            200 | 201 => self.answer = Some(answer.json.clone()),
            _ => panic!("{} {}: {} {}", self.path, self.body, answer.status, answer.text),
        }
        for result in self.results() {
            assert_eq!(result["status"], 201, "{result}");
        }
        Ok(Some(answer))
    }

    /// Sends it again: it must answer what it answered before, if that is known, and does not count twice.
    pub fn repeat(&mut self, client: &Client) {
        let before = self.answer.take();
        let again = self.make(client).unwrap().expect("there is room");
        let Some(before) = before else { return };
        assert_eq!(self.orders(), orders_of(&before), "{} with {}", self.path, self.key);
        assert!(self.results().iter().all(|result| result["replayed"] == true), "{}", again.text);
        if self.results().is_empty() {
            assert_eq!(again.header("idempotent-replayed"), Some("true"), "{} with {}", self.path, self.key);
        }
    }

    pub fn is_known(&self) -> bool {
        self.answer.is_some()
    }

    /// The orders that were acknowledged.
    pub fn orders(&self) -> Vec<Value> {
        self.answer.as_ref().map(orders_of).unwrap_or_default()
    }

    /// By how much it changed the stock of which products.
    pub fn stock_changes(&self) -> BTreeMap<u64, i64> {
        let mut changes = BTreeMap::new();
        for order in self.orders() {
            for line in order["items"].as_array().unwrap() {
                let product = line["product_id"].as_u64().unwrap();
                *changes.entry(product).or_default() -= line["quantity"].as_i64().unwrap();
            }
        }
        if let Some(answer) = self.answer.as_ref().filter(|answer| answer["delta"].is_i64()) {
            changes.insert(answer["product_id"].as_u64().unwrap(), answer["delta"].as_i64().unwrap());
        }
        changes
    }

    fn results(&self) -> Vec<Value> {
        let answer = self.answer.as_ref().and_then(|answer| answer["results"].as_array());
        answer.cloned().unwrap_or_default()
    }
}

fn orders_of(answer: &Value) -> Vec<Value> {
    match answer["results"].as_array() {
        Some(results) => results.iter().map(|result| result["order"].clone()).collect(),
        None if answer["order_id"].is_u64() => vec![answer.clone()],
        None => Vec::new(),
    }
}

fn random_cart(products: u64, dice: &mut Dice) -> Value {
    let quantity = |dice: &mut Dice| i64::try_from(dice.between(1, 3)).unwrap();
    let lines: Vec<(u64, i64)> =
        (0..dice.between(1, 4)).map(|_| (dice.between(1, products), quantity(dice))).collect();
    cart(dice.between(1, 1_000), &lines)
}

/// Some carts; those without a key of their own go by the header's.
fn random_batch(key: &str, products: u64, dice: &mut Dice) -> Value {
    let carts: Vec<Value> = (0..dice.between(1, 8))
        .map(|number| {
            let mut cart = random_cart(products, dice);
            if dice.below(2) == 0 {
                cart["idempotency_key"] = format!("{key}-own-{number}").into();
            }
            cart
        })
        .collect();
    json!({ "checkouts": carts })
}
