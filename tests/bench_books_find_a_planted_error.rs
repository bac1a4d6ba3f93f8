//! The check of the books can fail: each planted error is named, and sound books are not complained of.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may panic")]

use floodgate::bench::{Acknowledged, Answered, Books, Carts, Difference, Ledger, STOCK, Shape, Wares};
use floodgate_persistence::model::{
    Currency, Event, InvoiceNumber, Money, OrderId, OrderLine, OrderPlaced, OrderStatus, PaymentMethod,
    ProductId, Record, SellerShare, Timestamp,
};
use std::sync::Arc;

const ORDERS: u64 = 200;

fn carts() -> Carts {
    let shape = Shape { lines_min: 1, lines_max: 10, spread: None, hot: false };
    Carts::new(7, Wares::new(1_000), 1, shape)
}

/// The order that the engine makes of a cart.
fn order(carts: &Carts, number: u64) -> OrderPlaced {
    let (command, wares) = (carts.command(number), carts.wares());
    let lines: Vec<OrderLine> = (1..)
        .zip(&command.items)
        .map(|(line, item)| OrderLine {
            line,
            product_id: item.product_id,
            seller_id: wares.seller_of(item.product_id),
            name: "x".into(),
            quantity: u32::try_from(item.quantity).unwrap(),
            unit_price: wares.price(item.product_id),
            discount: Money::ZERO,
            line_total: Money(wares.price(item.product_id).0 * item.quantity),
            digital: false,
            stock_taken: u32::try_from(item.quantity).unwrap(),
        })
        .collect();
    let total = carts.total(&command.items);
    let commission = Money(total.0 / 10);
    OrderPlaced {
        order_id: OrderId(1 + number),
        invoice: InvoiceNumber { prefix: "INV".into(), year: 2026, number: 1 + number },
        status: OrderStatus::PendingPayment,
        customer_id: command.customer_id,
        currency: Currency::new("USD").unwrap(),
        city: None,
        email: None,
        sellers: vec![SellerShare {
            seller_id: lines[0].seller_id,
            subtotal: total,
            commission,
            payout: Money(total.0 - commission.0),
        }],
        lines,
        subtotal: total,
        discount: Money::ZERO,
        shipping: Money::ZERO,
        tax: Money::ZERO,
        total,
        coupon: None,
        referral_code: None,
        referral: None,
        delivery: None,
        payment_method: PaymentMethod::Later,
        expires_at: None,
        idempotency: command.idempotency,
    }
}

fn record(order: OrderPlaced) -> Record {
    Record { seq: order.order_id.get(), at: Timestamp(0), event: Event::OrderPlaced(Arc::new(order)) }
}

/// Checks a journal, into which `plant` put an error, against what was acknowledged.
fn check(plant: impl FnOnce(&mut Vec<OrderPlaced>, &mut Acknowledged)) -> Books {
    let carts = carts();
    let mut acknowledged = Acknowledged::default();
    let mut orders: Vec<OrderPlaced> = (0..ORDERS).map(|number| order(&carts, number)).collect();
    for order in &orders {
        let number = order.order_id.get() - 1;
        acknowledged.add(number);
        let answered = Answered { number, order_id: order.order_id, total: order.total, seq: 1 + number };
        acknowledged.keep(answered);
    }
    plant(&mut orders, &mut acknowledged);
    let mut ledger = Ledger::new(&carts, &acknowledged);
    orders.into_iter().for_each(|order| ledger.record(&record(order)));
    ledger.close()
}

#[test]
fn sound_books_have_no_difference() {
    let books = check(|_, _| {});
    assert_eq!((books.differences, books.orders), (0, ORDERS), "{:?}", books.named);
    assert_eq!(books.last_order, Some(OrderId(ORDERS)));
}

#[test]
fn a_lost_order_is_missed() {
    let books = check(|orders, _| drop(orders.pop()));
    assert_eq!(books.named, [Difference::Missing(ORDERS - 1)]);
    let books = check(|orders, _| drop(orders.remove(5)));
    assert_eq!(books.named, [Difference::Gap(OrderId(7)), Difference::Missing(5)], "and leaves a gap");
}

#[test]
fn every_other_planted_error_is_named() {
    type Plant = fn(&mut Vec<OrderPlaced>, &mut Acknowledged);
    let rows: [(&str, Plant, Difference); 9] = [
        (
            "an order that nobody was told of",
            |orders, _| orders.push(order(&carts(), ORDERS)),
            Difference::NotAcknowledged(ORDERS),
        ),
        (
            "one cart, two orders",
            |orders, _| {
                let mut again = orders[9].clone();
                again.order_id = OrderId(ORDERS + 1);
                again.invoice.number = ORDERS + 1;
                orders.push(again);
            },
            Difference::Twice(9),
        ),
        ("a foreign key", |orders, _| orders[3].idempotency = None, Difference::Foreign(OrderId(4))),
        (
            "another quantity",
            |orders, _| orders[3].lines[0].quantity += 1,
            Difference::WrongLines(OrderId(4)),
        ),
        (
            "less stock taken than sold",
            |orders, _| orders[3].lines[0].stock_taken = 0,
            Difference::WrongLines(OrderId(4)),
        ),
        (
            "another product",
            |orders, _| orders[3].lines[0].product_id = ProductId(1_001),
            Difference::WrongLines(OrderId(4)),
        ),
        ("a cent too much", |orders, _| orders[3].tax = Money(1), Difference::WrongAmounts(OrderId(4))),
        (
            "a share that lost a cent",
            |orders, _| orders[3].sellers[0].payout.0 -= 1,
            Difference::WrongAmounts(OrderId(4)),
        ),
        (
            "an invoice number skipped",
            |orders, _| {
                orders.last_mut().unwrap().invoice.number += 1;
            },
            Difference::Gap(OrderId(ORDERS)),
        ),
    ];
    for (what, plant, difference) in rows {
        let books = check(plant);
        assert!(books.named.contains(&difference), "{what}: {:?}", books.named);
    }
}

#[test]
fn an_answer_that_differs_from_the_journal_is_named() {
    let books = check(|_, acknowledged| {
        let wrong = Answered { number: 8, order_id: OrderId(9), total: Money(1), seq: 9 };
        acknowledged.keep(wrong);
    });
    assert_eq!(books.named, [Difference::WrongAnswer(OrderId(9))]);
}

#[test]
fn stock_that_does_not_follow_from_what_was_sold_is_named() {
    let mut books = check(|_, _| {});
    let (product, sold) = books.sold.iter().map(|(product, sold)| (*product, *sold)).max().unwrap();
    books.compare_stock(product, STOCK, STOCK - sold);
    assert_eq!(books.differences, 0);
    books.compare_stock(product, STOCK, STOCK - sold + 1);
    assert_eq!(
        books.named,
        [Difference::Stock { product, available: STOCK - sold + 1, expected: STOCK - sold }]
    );
}
