//! Random carts, catalogues and terms.

use floodgate_actors::rules::{
    CartItem, CouponTerms, Offer, OfferedStock, PricingTerms, ReferralTerms, ShippingTerms,
};
use floodgate_persistence::model::{
    Coupon, CouponValue, Currency, CustomerId, Money, ProductId, SellerId, Timestamp,
};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::HashMap;

const PRODUCTS: u32 = 30;

pub type Catalogue = HashMap<ProductId, Offer>;

/// Terms with a coupon of their own; placed at time 10.
#[derive(Clone, Debug)]
pub struct Terms {
    pub coupon: Option<Coupon>,
    pub shipping: ShippingTerms,
    pub tax_bps: u32,
    pub referral: Option<ReferralTerms>,
    pub expected_total: Option<Money>,
}

impl Terms {
    pub fn pricing(&self) -> PricingTerms<'_> {
        let of = |coupon| CouponTerms { coupon, currency: usd(), now: Timestamp(10) };
        PricingTerms {
            coupon: self.coupon.as_ref().map(of),
            shipping: self.shipping,
            tax_bps: self.tax_bps,
            referral: self.referral,
            expected_total: self.expected_total,
        }
    }
}

pub fn usd() -> Currency {
    Currency::new("USD").expect("three capital letters")
}

pub fn terms() -> impl Strategy<Value = Terms> {
    let expected = prop_oneof![3 => Just(None), 1 => (-5..5_000_i64).prop_map(|total| Some(Money(total)))];
    let price = prop_oneof![5 => 0..2_000_i64, 1 => Just(i64::MAX)];
    let free_over = prop::option::weighted(0.3, 0..20_000_i64);
    let tax_bps = prop_oneof![5 => 0..=3_000_u32, 1 => Just(0), 1 => Just(10_000)];
    let coupon = prop::option::weighted(0.5, coupon());
    let referral = prop::option::weighted(0.5, (1..3_u64, prop_oneof![0..1_000_u32, Just(20_000)]));
    (coupon, price, free_over, tax_bps, referral, expected).prop_map(
        |(coupon, price, free_over, tax_bps, referral, expected_total)| Terms {
            coupon,
            shipping: ShippingTerms { price: Money(price), free_over: free_over.map(Money) },
            tax_bps,
            referral: referral.map(|(owner, rate_bps)| ReferralTerms {
                owner: CustomerId(owner),
                buyer: CustomerId(1),
                rate_bps,
            }),
            expected_total,
        },
    )
}

/// Mostly one whose conditions hold.
fn coupon() -> impl Strategy<Value = Coupon> {
    let value = prop_oneof![
        3 => (1..=10_000_u32).prop_map(CouponValue::Percent),
        3 => (1..5_000_i64).prop_map(|amount| CouponValue::Fixed(Money(amount))),
        1 => Just(CouponValue::Fixed(Money(i64::MAX))),
    ];
    let seller = prop::option::weighted(0.4, 1..=6_u64);
    let window = (prop::option::weighted(0.2, 8..12_i64), prop::option::weighted(0.2, 9..13_i64));
    let least = prop::option::weighted(0.3, 0..5_000_i64);
    (value, seller, window, least, prop::bool::weighted(0.9)).prop_map(
        |(value, seller, (from, until), least, dollars)| Coupon {
            code: "SPRING10".into(),
            value,
            currency: if dollars { usd() } else { Currency::new("BRL").expect("three letters") },
            seller_id: seller.map(SellerId),
            starts_at: from.map(Timestamp),
            ends_at: until.map(Timestamp),
            max_uses: None,
            max_uses_per_customer: None,
            min_subtotal: least.map(Money),
        },
    )
}

/// Small, just where 1, 100 or 10,000 pieces fit or no longer fit, and the largest.
fn any_price() -> impl Strategy<Value = i64> {
    let pieces = select(vec![1, 2, 7, 100, 10_000_i64]);
    prop_oneof![
        6 => 0..10_000_i64,
        2 => (pieces, -1..=1_i64).prop_map(|(pieces, off)| (i64::MAX / pieces).saturating_add(off)),
        1 => any::<i64>().prop_map(|price| price & i64::MAX),
    ]
}

pub fn hostile_catalogue() -> impl Strategy<Value = Catalogue> {
    let stock = prop_oneof![
        1 => Just(OfferedStock::Uncounted),
        2 => (-1..12_000_i64).prop_map(OfferedStock::Counted),
        1 => (0..4_i64).prop_map(OfferedStock::Counted),
    ];
    let quantity_max = select(vec![0, 1, 5, 9_999, 10_000, 10_000, 20_000]);
    catalogue(any_price(), stock, quantity_max, prop::bool::weighted(0.9), 0..=PRODUCTS as usize)
}

pub fn good_catalogue() -> impl Strategy<Value = Catalogue> {
    let price = prop_oneof![20 => 0..100_000_i64, 1 => any_price()];
    let stock =
        prop_oneof![Just(OfferedStock::Uncounted), (1_000_000..i64::MAX).prop_map(OfferedStock::Counted)];
    catalogue(price, stock, Just(10_000), Just(true), PRODUCTS as usize..=PRODUCTS as usize)
}

fn catalogue(
    price: impl Strategy<Value = i64>,
    stock: impl Strategy<Value = OfferedStock>,
    quantity_max: impl Strategy<Value = u32>,
    sound: impl Strategy<Value = bool> + Clone,
    size: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Catalogue> {
    let sound = (sound.clone(), sound.clone(), sound);
    // Now and then a catalogue of downloads alone, so that shipping falls away.
    let digital = prop::bool::weighted(0.3);
    let offer = (price, stock, quantity_max, sound, digital, 1..=5_u64, 0..=10_000_u32);
    (prop::collection::vec(offer, size), prop::bool::weighted(0.2)).prop_map(|(rows, all_digital)| {
        let offers =
            (1..).zip(rows).map(|(id, (price, stock, quantity_max, sound, digital, seller, bps))| {
                let offer = Offer {
                    seller_id: SellerId(seller),
                    name: format!("product {id}").into(),
                    unit_price: Money(price),
                    currency: Currency::new(if sound.0 { "USD" } else { "BRL" }).expect("three letters"),
                    digital: digital || all_digital,
                    active: sound.1,
                    seller_active: sound.2,
                    commission_bps: bps,
                    quantity_max,
                    stock,
                };
                (ProductId(id), offer)
            });
        offers.collect()
    })
}

pub fn hostile_item() -> impl Strategy<Value = CartItem> {
    let quantity = prop_oneof![
        8 => 1..5_i64,
        2 => 1..=10_000_i64,
        1 => select(vec![0, -1, 9_999, 10_000, 10_001, 4_294_967_297, i64::MAX, i64::MIN]),
    ];
    let seen = prop_oneof![8 => Just(None), 2 => (0..3_i64).prop_map(Some), 1 => any::<i64>().prop_map(Some)];
    item(1..=u64::from(PRODUCTS + 2), quantity, seen)
}

pub fn good_item() -> impl Strategy<Value = CartItem> {
    item(1..=u64::from(PRODUCTS), prop_oneof![1..5_i64, 1..=100_i64], prop_oneof![Just(None), Just(Some(0))])
}

fn item(
    product: impl Strategy<Value = u64>,
    quantity: impl Strategy<Value = i64>,
    seen: impl Strategy<Value = Option<i64>>,
) -> impl Strategy<Value = CartItem> {
    (product, quantity, seen).prop_map(|(product, quantity, seen)| CartItem {
        product_id: ProductId(product),
        quantity,
        unit_price: seen.map(Money),
    })
}

/// Whoever saw a price saw the one in force.
pub fn seeing_true_prices(mut items: Vec<CartItem>, catalogue: &Catalogue) -> Vec<CartItem> {
    for item in &mut items {
        item.unit_price = item.unit_price.and(catalogue.get(&item.product_id).map(|offer| offer.unit_price));
    }
    items
}
