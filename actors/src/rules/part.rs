use floodgate_persistence::model::{Money, OrderLine, OrderPlaced, SellerId};
use std::sync::Arc;

/// What one seller sees of an order: their lines and their share, and the sums of those. Shipping and tax are the
/// marketplace's, so they are 0 here; so is what others sold. `None`: nothing of it is theirs.
pub fn part_of(order: &OrderPlaced, seller_id: SellerId) -> Option<Arc<OrderPlaced>> {
    let share = order.sellers.iter().find(|share| share.seller_id == seller_id)?;
    let own = order.lines.iter().filter(|line| line.seller_id == seller_id);
    let lines: Vec<OrderLine> = own.cloned().collect();
    // A part of sums that fit.
    let discount = Money(lines.iter().map(|line| line.discount.0).sum());
    Some(Arc::new(OrderPlaced {
        order_id: order.order_id,
        invoice: order.invoice.clone(),
        status: order.status,
        customer_id: order.customer_id,
        currency: order.currency,
        city: order.city.clone(),
        email: order.email.clone(),
        sellers: vec![*share],
        subtotal: Money(share.subtotal.0 + discount.0),
        discount,
        shipping: Money::ZERO,
        tax: Money::ZERO,
        total: share.subtotal,
        coupon: None,
        referral_code: None,
        referral: None,
        delivery: order.delivery.clone(),
        payment_method: order.payment_method,
        expires_at: order.expires_at,
        idempotency: None,
        lines,
    }))
}
