//! Orders as they were placed, for the tests of their life.

use floodgate_persistence::model::{
    Currency, CustomerId, InvoiceNumber, Money, OrderId, OrderLine, OrderPlaced, OrderStatus, PaymentMethod,
    ProductId, Referral, SellerId, SellerShare, Timestamp,
};

/// When the orders expire.
pub const EXPIRES_AT: Timestamp = Timestamp(900_000);

pub fn brl() -> Currency {
    Currency::new("BRL").expect("three capital letters")
}

/// A line: seller, pieces, price of one, discount, and whether stock was counted.
pub type Sold = (u64, u32, i64, i64, bool);

/// An order of these lines; product and line numbers are 1, 2, 3 …, each seller's commission is in 1/10,000.
pub fn order_of(
    sold: &[Sold],
    commission_bps: u32,
    shipping: i64,
    tax: i64,
    referral: Option<i64>,
) -> OrderPlaced {
    let lines: Vec<OrderLine> = (1..).zip(sold).map(|(number, sold)| line_of(number, *sold)).collect();
    let subtotal: i64 = lines.iter().map(|line| line.line_total.0 + line.discount.0).sum();
    let discount: i64 = lines.iter().map(|line| line.discount.0).sum();
    OrderPlaced {
        order_id: OrderId(1001),
        invoice: InvoiceNumber { prefix: "INV".into(), year: 2026, number: 1 },
        status: OrderStatus::PendingPayment,
        customer_id: CustomerId(42),
        currency: brl(),
        city: Some("Campinas".into()),
        email: None,
        sellers: shares(&lines, commission_bps),
        lines,
        subtotal: Money(subtotal),
        discount: Money(discount),
        shipping: Money(shipping),
        tax: Money(tax),
        total: Money(subtotal - discount + shipping + tax),
        coupon: (discount > 0).then(|| "SPRING10".into()),
        referral_code: referral.map(|_| "R-77".into()),
        referral: referral.map(|amount| Referral { customer_id: CustomerId(7), amount: Money(amount) }),
        delivery: None,
        payment_method: PaymentMethod::Later,
        expires_at: Some(EXPIRES_AT),
        idempotency: None,
    }
}

fn line_of(line: u16, (seller, quantity, price, discount, counted): Sold) -> OrderLine {
    OrderLine {
        line,
        product_id: ProductId(line.into()),
        seller_id: SellerId(seller),
        name: "Kettle".into(),
        quantity,
        unit_price: Money(price),
        discount: Money(discount),
        line_total: Money(price * i64::from(quantity) - discount),
        digital: false,
        stock_taken: if counted { quantity } else { 0 },
    }
}

fn shares(lines: &[OrderLine], commission_bps: u32) -> Vec<SellerShare> {
    let mut shares: Vec<SellerShare> = Vec::new();
    for line in lines {
        if shares.iter().any(|share| share.seller_id == line.seller_id) {
            continue;
        }
        let own = lines.iter().filter(|own| own.seller_id == line.seller_id);
        let subtotal = Money(own.map(|own| own.line_total.0).sum());
        let commission = subtotal.checked_basis_points(commission_bps).expect("small");
        let payout = Money(subtotal.0 - commission.0);
        shares.push(SellerShare { seller_id: line.seller_id, subtotal, commission, payout });
    }
    shares
}
