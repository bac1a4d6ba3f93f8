//! The parts of an order add up exactly, as the contract's worked example does.
//!
//! Rows read `lines | shipping tax | subtotal shipping tax total | shares`. A line is `price x quantity / seller`,
//! with `~` for a download; a seller takes the commission of [`commission_bps`]; a share is
//! `seller: subtotal = commission + payout`.

use floodgate_actors::rules::{
    Cart, CartItem, CouponTerms, Offer, OfferedStock, Pointer, Priced, PricingTerms, Problem, ProblemCode,
    ReferralTerms, ShippingTerms, build_cart, price,
};
use floodgate_persistence::model::{
    Coupon, CouponValue, Currency, CustomerId, Money, ProductId, Referral, SellerId, SellerShare, Timestamp,
};

/// Sellers 3 and 4 give 10 %, 5 gives half, 6 nothing, 7 all.
fn commission_bps(seller: u64) -> u32 {
    match seller {
        5 => 5_000,
        6 => 0,
        7 => 10_000,
        _ => 1_000,
    }
}

#[test]
fn parts_add_up() {
    price_all(
        "
        1000x2/3 999x1/4~ | 700 1000 | 2999 700 300 3999 | 3: 2000 = 200 + 1800, 4: 999 = 100 + 899
        1000x2/3~ 9x1/4~  | 700 1000 | 2009   0 201 2210 | 3: 2000 = 200 + 1800, 4: 9 = 1 + 8
        1000x2/3          | 700    0 | 2000 700   0 2700 | 3: 2000 = 200 + 1800
        5x1/3 5x1/3 5x1/3 |   0    0 |   15   0   0   15 | 3: 15 = 2 + 13
        4x1/3             |   0 1000 |    4   0   0    4 | 3: 4 = 0 + 4
        5x1/3             |   0 1000 |    5   0   1    6 | 3: 5 = 1 + 4
        7x1/4 8x1/3 9x1/4 |   0    0 |   24   0   0   24 | 4: 16 = 2 + 14, 3: 8 = 1 + 7
        1x1/5 3x1/6 2x1/7 |   1 5000 |    6   1   3   10 | 5: 1 = 1 + 0, 6: 3 = 0 + 3, 7: 2 = 2 + 0
        0x9/3             |   0 9999 |    0   0   0    0 | 3: 0 = 0 + 0
        0x9/3             | 700 9999 |    0 700   0  700 | 3: 0 = 0 + 0
        9223372036854775807x1/3~ | 1 0 | 9223372036854775807 0 0 9223372036854775807 \
            | 3: 9223372036854775807 = 922337203685477581 + 8301034833169298226
        ",
    );
}

/// The contract's worked example, to the cent: coupon 10 %, commission 10 %, shipping 700, tax 10 %.
#[test]
fn the_worked_example_of_the_contract() {
    let spring = coupon(CouponValue::Percent(1_000));
    let terms = PricingTerms {
        coupon: Some(CouponTerms { coupon: &spring, currency: spring.currency, now: Timestamp(0) }),
        shipping: ShippingTerms { price: Money(700), free_over: Some(Money(2_700)) },
        tax_bps: 1_000,
        referral: Some(ReferralTerms { owner: CustomerId(7), buyer: CustomerId(42), rate_bps: 500 }),
        expected_total: Some(Money(3_669)),
    };
    let priced = priced(&mut cart_of("1000x2/3 999x1/4~"), &terms);
    let lines: Vec<_> = priced.lines.iter().map(|line| (line.discount.0, line.line_total.0)).collect();
    assert_eq!(lines, [(200, 1800), (100, 899)]);
    assert_eq!(shares(&priced), "3: 1800 = 180 + 1620, 4: 899 = 90 + 809");
    let sums = [priced.subtotal, priced.discount, priced.shipping, priced.tax, priced.total].map(|sum| sum.0);
    assert_eq!(sums, [2_999, 300, 700, 270, 3_669]);
    assert_eq!(priced.referral, Some(Referral { customer_id: CustomerId(7), amount: Money(135) }));
}

/// A threshold is held against what is left after the discount; one's own code earns nothing, nor does half a cent.
#[test]
fn thresholds_and_shares_look_at_what_is_paid() {
    let fixed = coupon(CouponValue::Fixed(Money(500)));
    let coupon = Some(CouponTerms { coupon: &fixed, currency: fixed.currency, now: Timestamp(0) });
    for (price, coupon, owner, rate_bps, shipping, earned) in [
        (2_000, None, 7, 500, 0, Some(100)),
        (2_499, coupon, 7, 500, 700, Some(100)),
        (2_500, coupon, 7, 500, 0, Some(100)),
        (2_500, coupon, 42, 500, 0, None),
        (500, coupon, 7, 500, 700, None),
        (1, None, 7, 4_999, 700, None),
        (1, None, 7, 5_000, 700, Some(1)),
        (9, None, 7, u32::MAX, 700, Some(9)),
    ] {
        let referral = ReferralTerms { owner: CustomerId(owner), buyer: CustomerId(42), rate_bps };
        let terms = PricingTerms {
            coupon,
            shipping: ShippingTerms { price: Money(700), free_over: Some(Money(2_000)) },
            referral: Some(referral),
            ..PricingTerms::default()
        };
        let priced = priced(&mut cart_of(&format!("{price}x1/3")), &terms);
        let got = (priced.shipping.0, priced.referral.map(|referral| referral.amount.0));
        assert_eq!(got, (shipping, earned), "{price} {owner} {rate_bps}");
    }
}

#[test]
fn a_coupon_that_does_not_fit_is_a_problem_of_its_field() {
    let late = Coupon { ends_at: Some(Timestamp(5)), ..coupon(CouponValue::Percent(1)) };
    for (now, wanted) in [(4, None), (5, Some(ProblemCode::CouponNotValid))] {
        let coupon = Some(CouponTerms { coupon: &late, currency: late.currency, now: Timestamp(now) });
        let mut cart = cart_of("1000x2/3");
        let before = cart.clone();
        let mut problems = Vec::new();
        let priced = price(&mut cart, &PricingTerms { coupon, ..PricingTerms::default() }, &mut problems);
        let code = wanted.clone();
        assert_eq!(
            problems,
            Vec::from_iter(code.map(|code| Problem { pointer: Pointer::Field("coupon"), code }))
        );
        assert_eq!((priced.is_none(), cart == before), (wanted.is_some(), wanted.is_some()));
    }
}

fn coupon(value: CouponValue) -> Coupon {
    Coupon {
        code: "SPRING10".into(),
        value,
        currency: Currency::new("BRL").expect("three capital letters"),
        seller_id: None,
        starts_at: None,
        ends_at: None,
        max_uses: None,
        max_uses_per_customer: None,
        min_subtotal: None,
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    price_all(
        "
        9223372036854775807x2/3                       | 0 0 | /items/0/quantity
        9223372036854775807x3/3                       | 0 0 | /items/0/quantity
        1x1/3 4611686018427387904x2/3                 | 0 0 | /items/1/quantity
        4611686018427387904x2/3 4611686018427387904x2/4 | 0 0 | /items/0/quantity /items/1/quantity
        4611686018427387904x1/3 4611686018427387904x1/4 | 0 0 | /items
        9223372036854775807x1/3                       | 1 0 | /items
        9223372036854775807x1/3~                      | 0 1 | /items
        9223372036854775807x1/3~                      | 0 4294967295 | /items
        ",
    );
}

#[test]
fn lines_are_numbered_and_say_what_they_took() {
    let mut cart = cart_of("1000x2/3 999x1/4~");
    let taken = [OfferedStock::Counted(2), OfferedStock::Uncounted];
    for (line, stock) in cart.lines.iter_mut().zip(taken) {
        line.offer.as_mut().expect("looked up").stock = stock;
    }
    let priced = priced(&mut cart, &PricingTerms::default());
    let lines: Vec<_> = priced
        .lines
        .iter()
        .map(|line| (line.line, line.quantity, line.stock_taken, line.line_total.0, line.digital))
        .collect();
    assert_eq!(lines, [(1, 2, 2, 2000, false), (2, 1, 0, 999, true)]);
}

#[test]
fn names_move_only_when_the_price_holds() {
    let mut cart = cart_of("1000x2/3 999x1/4");
    let offered = |cart: &Cart| -> Vec<Box<str>> {
        cart.lines.iter().map(|line| line.offer.as_ref().expect("looked up").name.clone()).collect()
    };
    let names = offered(&cart);
    let before = cart.clone();

    let wrong = PricingTerms { expected_total: Some(Money(1)), ..PricingTerms::default() };
    let mut problems = Vec::new();
    assert_eq!(price(&mut cart, &wrong, &mut problems), None);
    assert_eq!(problems.len(), 1);
    assert_eq!(cart, before);

    let right = PricingTerms { expected_total: Some(Money(2999)), ..PricingTerms::default() };
    let priced = priced(&mut cart, &right);
    assert_eq!(priced.lines.iter().map(|line| line.name.clone()).collect::<Vec<_>>(), names);
    assert!(offered(&cart).iter().all(|name| name.is_empty()));
}

#[test]
fn the_first_line_says_the_commission_of_its_seller() {
    let mut cart = cart_of("100x1/3 100x1/3");
    cart.lines[1].offer.as_mut().expect("looked up").commission_bps = 9_000;
    let priced = priced(&mut cart, &PricingTerms::default());
    assert_eq!(shares(&priced), "3: 200 = 20 + 180");
}

#[test]
fn without_an_offer_or_a_line_there_is_no_price() {
    let mut problems = Vec::new();
    assert_eq!(price(&mut Cart::default(), &PricingTerms::default(), &mut problems), None);
    assert_eq!(problems, []);

    let mut cart = cart_of("1000x2/3 999x1/4");
    cart.lines[1].offer = None;
    assert_eq!(price(&mut cart, &PricingTerms::default(), &mut problems), None);
    let codes: Vec<_> = problems.iter().map(|problem| &problem.code).collect();
    assert_eq!(codes, [&ProblemCode::UnknownProduct(ProductId(2))]);
}

/// Prices each row and compares the sums and shares, or the places of what does not fit.
fn price_all(table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (lines, rest) = row.split_once('|').expect("lines come first");
        let (terms, answer) = rest.split_once('|').expect("terms come second");
        let [shipping, tax_bps] = numbers(terms)[..] else { panic!("two terms: {row}") };
        let tax_bps = u32::try_from(tax_bps).expect("tax is in 1/10,000");
        let shipping = ShippingTerms { price: Money(shipping), free_over: None };
        let terms = PricingTerms { shipping, tax_bps, ..PricingTerms::default() };
        let wanted = answer.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(answered(&mut cart_of(lines), &terms), wanted, "{row}");
    }
}

fn answered(cart: &mut Cart, terms: &PricingTerms<'_>) -> String {
    let mut problems = Vec::new();
    let Some(priced) = price(cart, terms, &mut problems) else {
        assert!(problems.iter().all(|problem| problem.code == ProblemCode::AmountOutOfRange));
        return places(&problems);
    };
    assert_eq!((problems.as_slice(), priced.discount), (&[][..], Money::ZERO));
    let Priced { subtotal, shipping, tax, total, .. } = &priced;
    format!("{subtotal} {shipping} {tax} {total} | {}", shares(&priced))
}

fn places(problems: &[Problem]) -> String {
    let place = |problem: &Problem| match problem.pointer {
        Pointer::Items => "/items".to_owned(),
        Pointer::Item { index, field } => format!("/items/{index}/{field}"),
        Pointer::Field(field) => format!("/{field}"),
    };
    problems.iter().map(place).collect::<Vec<_>>().join(" ")
}

fn shares(priced: &Priced) -> String {
    let share = |share: &SellerShare| {
        format!("{}: {} = {} + {}", share.seller_id, share.subtotal, share.commission, share.payout)
    };
    priced.sellers.iter().map(share).collect::<Vec<_>>().join(", ")
}

fn priced(cart: &mut Cart, terms: &PricingTerms<'_>) -> Priced {
    let mut problems = Vec::new();
    price(cart, terms, &mut problems).unwrap_or_else(|| panic!("no price: {problems:?}"))
}

/// A looked-up cart; its products are numbered 1, 2, 3 ….
fn cart_of(lines: &str) -> Cart {
    let (items, offers): (Vec<_>, Vec<_>) = (1..).zip(lines.split_whitespace()).map(line_of).unzip();
    let mut problems = Vec::new();
    let mut cart = build_cart(&items, &mut problems);
    assert_eq!(problems, []);
    for (line, offer) in cart.lines.iter_mut().zip(offers) {
        line.offer = Some(offer);
    }
    cart
}

fn line_of((product, text): (u64, &str)) -> (CartItem, Offer) {
    let [price, quantity, seller] = numbers(&text.replace(['x', '/', '~'], " "))[..] else {
        panic!("a line is price x quantity / seller: {text}");
    };
    let seller = u64::try_from(seller).expect("a seller id is not negative");
    let offer = Offer {
        seller_id: SellerId(seller),
        name: format!("product {product}").into(),
        unit_price: Money(price),
        currency: Currency::new("BRL").expect("three capital letters"),
        digital: text.ends_with('~'),
        active: true,
        seller_active: true,
        commission_bps: commission_bps(seller),
        quantity_max: 10_000,
        stock: OfferedStock::Uncounted,
    };
    (CartItem { product_id: ProductId(product), quantity, unit_price: None }, offer)
}

fn numbers(text: &str) -> Vec<i64> {
    text.split_whitespace().map(|word| word.parse().expect("a number")).collect()
}
