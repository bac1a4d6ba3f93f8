use crate::life_events::{life_events, referral};
use crate::memory_disk::MemoryDisk;
use crate::support::*;
use floodgate_persistence::journal::*;
use floodgate_persistence::model::*;
use proptest::option::of;
use proptest::prelude::*;
use std::sync::Arc;

pub fn text() -> impl Strategy<Value = Box<str>> {
    any::<String>().prop_map(Into::into)
}

pub fn currency() -> impl Strategy<Value = Currency> {
    "[A-Z]{3}".prop_map(|code| Currency::new(&code).unwrap())
}

pub fn claim() -> impl Strategy<Value = IdempotencyClaim> {
    any::<([u8; 16], [u8; 16])>().prop_map(|(key, body)| IdempotencyClaim { key, body })
}

fn product() -> impl Strategy<Value = Product> {
    let terms = (any::<(u64, u64, i64, bool, bool)>(), text(), currency(), of(any::<u32>()), of(text()));
    terms.prop_map(|((id, seller, price, digital, active), name, currency, max_per_order, download_path)| {
        Product {
            id: ProductId(id),
            seller_id: SellerId(seller),
            name,
            price: Money(price),
            currency,
            digital,
            active,
            max_per_order,
            download_path,
        }
    })
}

fn stock() -> impl Strategy<Value = StockChange> {
    prop_oneof![
        Just(StockChange::Unchanged),
        any::<i64>().prop_map(StockChange::Delta),
        any::<i64>().prop_map(StockChange::Counted),
    ]
}

fn seller() -> impl Strategy<Value = Seller> {
    (any::<(u64, u32, bool)>(), text(), text()).prop_map(|((id, commission_bps, active), name, city)| {
        Seller { id: SellerId(id), name, city, commission_bps, active }
    })
}

fn line() -> impl Strategy<Value = OrderLine> {
    (any::<(u16, u64, u64, u32, i64, i64, i64, bool, u32)>(), text()).prop_map(|(numbers, name)| {
        let (line, product, seller, quantity, price, discount, total, digital, stock_taken) = numbers;
        OrderLine {
            line,
            product_id: ProductId(product),
            seller_id: SellerId(seller),
            name,
            quantity,
            unit_price: Money(price),
            discount: Money(discount),
            line_total: Money(total),
            digital,
            stock_taken,
        }
    })
}

fn share() -> impl Strategy<Value = SellerShare> {
    any::<(u64, i64, i64, i64)>().prop_map(|(seller, subtotal, commission, payout)| SellerShare {
        seller_id: SellerId(seller),
        subtotal: Money(subtotal),
        commission: Money(commission),
        payout: Money(payout),
    })
}

fn order() -> BoxedStrategy<OrderPlaced> {
    let who =
        (any::<(u64, u64, u16, u64)>(), any::<String>(), currency(), 0..OrderStatus::ALL.len(), 0..3_usize);
    let what = (prop::collection::vec(line(), 0..5), prop::collection::vec(share(), 0..4));
    let sums = any::<(i64, i64, i64, i64, i64)>();
    let texts = (of(text()), of(text()), of(text()), of(text()), of(text()));
    let rest = (of(any::<i64>()), of(claim()), of(referral()));
    (who, what, sums, texts, rest)
        .prop_map(|(who, (lines, sellers), sums, texts, (expires_at, idempotency, referral))| {
            let ((order, customer, year, number), prefix, currency, status, method) = who;
            let (city, email, coupon, referral_code, delivery) = texts;
            OrderPlaced {
                order_id: OrderId(order),
                invoice: InvoiceNumber { prefix: prefix.into(), year, number },
                status: OrderStatus::ALL[status],
                customer_id: CustomerId(customer),
                currency,
                city,
                email,
                lines,
                sellers,
                subtotal: Money(sums.0),
                discount: Money(sums.1),
                shipping: Money(sums.2),
                tax: Money(sums.3),
                total: Money(sums.4),
                coupon,
                referral_code,
                referral,
                delivery,
                payment_method: [PaymentMethod::Later, PaymentMethod::Card, PaymentMethod::CashOnDelivery]
                    [method],
                expires_at: expires_at.map(Timestamp),
                idempotency,
            }
        })
        .boxed()
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<u64>().prop_map(|epoch| Event::EngineStarted { epoch }),
        (product(), stock())
            .prop_map(|(product, stock)| Event::ProductPut(Box::new(ProductPut { product, stock }))),
        seller().prop_map(|seller| Event::SellerPut(Box::new(seller))),
        (any::<(u64, i64)>(), text(), of(claim())).prop_map(|((id, delta), reason, idempotency)| {
            Event::StockAdjusted(Box::new(StockAdjusted {
                product_id: ProductId(id),
                delta,
                reason,
                idempotency,
            }))
        }),
        order().prop_map(|order| Event::OrderPlaced(Arc::new(order))),
        life_events(),
        life_events(),
        life_events(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn as_it_went_in(groups in prop::collection::vec(prop::collection::vec((any::<i64>(), events()), 1..6), 1..6)) {
        let config = JournalConfig { segment_bytes: 64 * 1024, max_bytes: 1 << 24, ..config() };
        let disk = MemoryDisk::default();
        let mut writer = open_on(&disk, &config);
        let mut expected = Vec::new();
        for group in groups {
            let mut frame = writer.frame_builder();
            for (at, event) in group {
                frame.push(Timestamp(at), &event).unwrap();
                expected.push(Record { seq: expected.len() as u64 + 1, at: Timestamp(at), event });
            }
            writer.append(&mut frame).unwrap();
        }
        drop(writer);
        let recovery = recover_on(disk.as_disk(), &config, from(0)).unwrap();
        prop_assert_eq!(all_of(&recovery).unwrap(), expected);
    }
}
