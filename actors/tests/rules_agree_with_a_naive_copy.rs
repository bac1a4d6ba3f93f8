//! On random carts the rules agree with a second, naive implementation: hash maps, 128-bit sums, no shared helper.
//!
//! A failure prints the smallest cart that shows it and the seed, kept beside this file.

#![expect(
    clippy::indexing_slicing,
    reason = "the naive copy is written to be obvious; a panic fails the test"
)]

use floodgate_actors::rules::{
    Cart, CartItem, OfferedStock, Pointer, Priced, PricingTerms, Problem, ProblemCode, Refusal, build_cart,
    judge_line, price,
};
use floodgate_persistence::model::{Coupon, CouponValue, Money, OrderLine, ProductId, SellerShare};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use random_requests::{
    Catalogue, Terms, good_catalogue, good_item, hostile_catalogue, hostile_item, seeing_true_prices, terms,
    usd,
};
use std::collections::{BTreeSet, HashMap, HashSet};

mod random_requests;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn hostile_carts_are_judged_alike(
        catalogue in hostile_catalogue(),
        items in prop::collection::vec(hostile_item(), 0..=120),
        terms in terms(),
    ) {
        agree(&items, &catalogue, &terms)?;
    }

    /// Small ones, so that most problems stand alone.
    #[test]
    fn small_carts_are_judged_alike(
        catalogue in hostile_catalogue(),
        items in prop::collection::vec(hostile_item(), 1..=3),
        terms in terms(),
    ) {
        agree(&items, &catalogue, &terms)?;
    }

    #[test]
    fn good_carts_are_priced_alike(
        catalogue in good_catalogue(),
        items in prop::collection::vec(good_item(), 1..=100),
        terms in terms(),
    ) {
        let items = seeing_true_prices(items, &catalogue);
        let seen = terms.expected_total.is_some();
        let terms = Terms { expected_total: None, ..terms };
        let Some(total) = agree(&items, &catalogue, &terms)? else { return Ok(()) };
        if seen {
            let right = Terms { expected_total: Some(total), ..terms.clone() };
            prop_assert_eq!(agree(&items, &catalogue, &right)?, Some(total));
            let wrong = Terms { expected_total: Some(Money(total.0 - 1)), ..terms };
            prop_assert_eq!(agree(&items, &catalogue, &wrong)?, None);
        }
    }
}

/// Runs both, compares what they say, and checks what must hold of any order. Gives the total, if there is one.
fn agree(items: &[CartItem], catalogue: &Catalogue, terms: &Terms) -> Result<Option<Money>, TestCaseError> {
    let (cart, problems, priced) = by_the_rules(items, catalogue, &terms.pricing());
    let (expected_problems, expected) = naive(items, catalogue, terms);
    let told = Refusal::new(problems).map(|refusal| refusal.problems).unwrap_or_default();
    prop_assert_eq!(told, expected_problems.into_iter().collect::<Vec<_>>());
    prop_assert_eq!(priced.as_ref().map(flat), expected);
    match &priced {
        Some(priced) => adds_up(priced)?,
        None => prop_assert!(cart.lines.iter().flat_map(|line| &line.offer).all(|o| !o.name.is_empty())),
    }
    Ok(priced.map(|priced| priced.total))
}

fn by_the_rules(
    items: &[CartItem],
    catalogue: &Catalogue,
    terms: &PricingTerms<'_>,
) -> (Cart, Vec<Problem>, Option<Priced>) {
    let mut problems = Vec::new();
    let mut cart = build_cart(items, &mut problems);
    for line in &mut cart.lines {
        line.offer = catalogue.get(&line.product_id).cloned();
        judge_line(line, usd(), &mut problems);
    }
    let priced = price(&mut cart, terms, &mut problems);
    (cart, problems, priced)
}

fn adds_up(priced: &Priced) -> Result<(), TestCaseError> {
    let total = |amounts: &mut dyn Iterator<Item = Money>| amounts.map(|amount| i128::from(amount.0)).sum();
    let net = i128::from(priced.subtotal.0) - i128::from(priced.discount.0);
    let shares: i128 = total(&mut priced.sellers.iter().map(|share| share.subtotal));
    let lines: i128 = total(&mut priced.lines.iter().map(|line| line.line_total));
    let parts: i128 = net + total(&mut [priced.shipping, priced.tax].into_iter());
    prop_assert_eq!((shares, lines, parts), (net, net, i128::from(priced.total.0)));
    for share in &priced.sellers {
        let whole: i128 = total(&mut [share.payout, share.commission].into_iter());
        prop_assert_eq!(whole, i128::from(share.subtotal.0));
    }
    Ok(())
}

// ---- the naive copy ------------------------------------------------------------------------------------------

/// An order in wide numbers.
#[derive(Debug, PartialEq)]
struct Flat {
    lines: Vec<FlatLine>,
    /// Seller, subtotal, commission, payout.
    shares: Vec<(u64, i128, i128, i128)>,
    /// Subtotal, discount, shipping, tax, total.
    sums: [i128; 5],
    /// Who earns what by a referral code.
    referral: Option<(u64, i128)>,
}

#[derive(Debug, PartialEq)]
struct FlatLine {
    number: usize,
    product: u64,
    seller: u64,
    name: String,
    quantity: i128,
    price: i128,
    discount: i128,
    amount: i128,
    digital: bool,
    taken: i128,
}

fn flat(priced: &Priced) -> Flat {
    let wide = |amount: Money| i128::from(amount.0);
    let line = |line: &OrderLine| FlatLine {
        number: usize::from(line.line),
        product: line.product_id.0,
        seller: line.seller_id.0,
        name: line.name.to_string(),
        quantity: i128::from(line.quantity),
        price: wide(line.unit_price),
        discount: wide(line.discount),
        amount: wide(line.line_total),
        digital: line.digital,
        taken: i128::from(line.stock_taken),
    };
    let share = |share: &SellerShare| {
        (share.seller_id.0, wide(share.subtotal), wide(share.commission), wide(share.payout))
    };
    Flat {
        lines: priced.lines.iter().map(line).collect(),
        shares: priced.sellers.iter().map(share).collect(),
        sums: [priced.subtotal, priced.discount, priced.shipping, priced.tax, priced.total].map(wide),
        referral: priced.referral.map(|referral| (referral.customer_id.0, wide(referral.amount))),
    }
}

fn naive(items: &[CartItem], catalogue: &Catalogue, terms: &Terms) -> (BTreeSet<Problem>, Option<Flat>) {
    if items.is_empty() || items.len() > 100 {
        let code = if items.is_empty() { ProblemCode::EmptyCart } else { ProblemCode::TooManyLines };
        return ([Problem { pointer: Pointer::Items, code }].into(), None);
    }
    let places = places_by_product(items);
    let mut groups: Vec<&Vec<usize>> = places.values().collect();
    groups.sort_unstable();
    let mut found = naive_items(items);
    for group in &groups {
        naive_line(items, group, catalogue, &mut found);
    }
    for (place, max) in naive_limits(items, &places, catalogue) {
        found.insert(at(place, "quantity", ProblemCode::QuantityOutOfRange { max }));
    }
    let lines = naive_lines(items, &groups, catalogue, &mut found);
    let flat = lines.and_then(|lines| naive_order(lines, catalogue, terms, &mut found));
    (found, flat)
}

/// The places of each product's items, in order.
fn places_by_product(items: &[CartItem]) -> HashMap<ProductId, Vec<usize>> {
    let mut places: HashMap<ProductId, Vec<usize>> = HashMap::new();
    for (place, item) in items.iter().enumerate() {
        places.entry(item.product_id).or_default().push(place);
    }
    places
}

fn naive_items(items: &[CartItem]) -> BTreeSet<Problem> {
    let negative = |item: &CartItem| item.unit_price.is_some_and(|price| price.0 < 0);
    let bad = items.iter().enumerate().filter(|(_, item)| negative(item));
    bad.map(|(place, _)| at(place, "unit_price", ProblemCode::AmountOutOfRange)).collect()
}

/// The lowest limit that is broken at each place.
fn naive_limits(
    items: &[CartItem],
    places: &HashMap<ProductId, Vec<usize>>,
    catalogue: &Catalogue,
) -> HashMap<usize, u32> {
    let mut limits = HashMap::new();
    for (product, places) in places {
        let odd: Vec<usize> =
            places.iter().copied().filter(|place| !(1..10_001).contains(&items[*place].quantity)).collect();
        for place in &odd {
            limits.insert(*place, 10_000);
        }
        let whole: i128 = places.iter().map(|place| i128::from(items[*place].quantity)).sum();
        if odd.is_empty() && whole > 10_000 {
            limits.insert(places[0], 10_000);
        }
        if let Some(offer) = catalogue.get(product)
            && pieces(items, places) > i128::from(offer.quantity_max)
        {
            let limit = limits.entry(places[0]).or_insert(offer.quantity_max);
            *limit = offer.quantity_max.min(*limit);
        }
    }
    limits
}

/// Pieces of a product, each item and the sum put into the legal range.
fn pieces(items: &[CartItem], places: &[usize]) -> i128 {
    let mut sum = 0;
    for place in places {
        sum += match items[*place].quantity {
            ..=0 => 1,
            10_001.. => 10_000,
            legal => i128::from(legal),
        };
    }
    if sum > 10_000 { 10_000 } else { sum }
}

fn naive_line(items: &[CartItem], places: &[usize], catalogue: &Catalogue, found: &mut BTreeSet<Problem>) {
    let (first, product_id) = (places[0], items[places[0]].product_id);
    let Some(offer) = catalogue.get(&product_id) else {
        found.insert(at(first, "product_id", ProblemCode::UnknownProduct(product_id)));
        return;
    };
    if !offer.active {
        found.insert(at(first, "product_id", ProblemCode::InactiveProduct(product_id)));
    }
    if !offer.seller_active {
        found.insert(at(first, "product_id", ProblemCode::InactiveSeller(product_id)));
    }
    if offer.currency.as_str() != "USD" {
        found.insert(at(first, "product_id", ProblemCode::CurrencyMismatch(product_id)));
    }
    let requested = pieces(items, places);
    match offer.stock {
        OfferedStock::Counted(available) if i128::from(available) - requested < 0 => {
            let requested = u32::try_from(requested).expect("at most 10,000");
            let code = ProblemCode::InsufficientStock { product_id, requested, available };
            found.insert(at(first, "quantity", code));
        }
        _ => {}
    }
    for place in places {
        match items[*place].unit_price {
            Some(expected) if expected.0 >= 0 && expected.0 != offer.unit_price.0 => {
                let current = offer.unit_price;
                let code = ProblemCode::UnitPriceChanged { product_id, expected, current };
                found.insert(at(*place, "unit_price", code));
            }
            _ => {}
        }
    }
}

fn naive_lines(
    items: &[CartItem],
    groups: &[&Vec<usize>],
    catalogue: &Catalogue,
    found: &mut BTreeSet<Problem>,
) -> Option<Vec<FlatLine>> {
    let mut lines = Vec::new();
    let mut fits = true;
    for group in groups {
        let product_id = items[group[0]].product_id;
        let Some(offer) = catalogue.get(&product_id) else {
            fits = false;
            continue;
        };
        let (quantity, price) = (pieces(items, group), i128::from(offer.unit_price.0));
        if quantity * price > i128::from(i64::MAX) {
            found.insert(at(group[0], "quantity", ProblemCode::AmountOutOfRange));
            fits = false;
        }
        lines.push(FlatLine {
            number: lines.len() + 1,
            product: product_id.0,
            seller: offer.seller_id.0,
            name: offer.name.to_string(),
            quantity,
            price,
            discount: 0,
            amount: quantity * price,
            digital: offer.digital,
            taken: if offer.stock == OfferedStock::Uncounted { 0 } else { quantity },
        });
    }
    if fits { Some(lines) } else { None }
}

fn naive_order(
    mut lines: Vec<FlatLine>,
    catalogue: &Catalogue,
    terms: &Terms,
    found: &mut BTreeSet<Problem>,
) -> Option<Flat> {
    let subtotal: i128 = lines.iter().map(|line| line.amount).sum();
    if let Some(coupon) = &terms.coupon
        && let Err(problem) = naive_coupon(coupon, &mut lines)
    {
        found.insert(problem);
        return None;
    }
    let discount: i128 = lines.iter().map(|line| line.discount).sum();
    let net = subtotal - discount;
    let kinds: HashSet<bool> = lines.iter().map(|line| line.digital).collect();
    let free = terms.shipping.free_over.is_some_and(|least| net >= i128::from(least.0));
    let shipping = if kinds.contains(&false) && !free { i128::from(terms.shipping.price.0) } else { 0 };
    let tax = rounded(net, i128::from(terms.tax_bps));
    let total = net + shipping + tax;
    let Some(current) = fitting(subtotal).and(fitting(total)) else {
        found.insert(Problem { pointer: Pointer::Items, code: ProblemCode::AmountOutOfRange });
        return None;
    };
    let referral = terms.referral.filter(|referral| referral.owner != referral.buyer);
    let referral =
        referral.map(|referral| (referral.owner.0, rounded(net, referral.rate_bps.into()).min(net)));
    match terms.expected_total {
        Some(expected) if expected != current => {
            let code = ProblemCode::TotalChanged { expected, current };
            found.insert(Problem { pointer: Pointer::Field("expected_total"), code });
            None
        }
        _ => Some(Flat {
            shares: naive_shares(&lines, catalogue),
            lines,
            sums: [subtotal, discount, shipping, tax, total],
            referral: referral.filter(|(_, amount)| *amount != 0),
        }),
    }
}

fn fitting(amount: i128) -> Option<Money> {
    i64::try_from(amount).ok().map(Money)
}

/// Takes a coupon off the lines, or says why not.
fn naive_coupon(coupon: &Coupon, lines: &mut [FlatLine]) -> Result<(), Problem> {
    let theirs = |line: &FlatLine| match coupon.seller_id {
        Some(seller) => seller.0 == line.seller,
        None => true,
    };
    let places: Vec<usize> = (0..lines.len()).filter(|place| theirs(&lines[*place])).collect();
    let sum: i128 = places.iter().map(|place| lines[*place].amount).sum();
    if sum > i128::from(i64::MAX) {
        return Err(Problem { pointer: Pointer::Items, code: ProblemCode::AmountOutOfRange });
    }
    let too_early = coupon.starts_at.is_some_and(|from| from.0 > 10);
    let too_late = coupon.ends_at.is_some_and(|until| until.0 <= 10);
    let too_small = coupon.min_subtotal.is_some_and(|least| i128::from(least.0) > sum);
    if too_early || too_late || too_small || places.is_empty() || coupon.currency != usd() {
        return Err(Problem { pointer: Pointer::Field("coupon"), code: ProblemCode::CouponNotValid });
    }
    let gross: Vec<i128> = places.iter().map(|place| lines[*place].amount).collect();
    let off = match coupon.value {
        CouponValue::Percent(rate) => gross.iter().map(|amount| rounded(*amount, rate.into())).collect(),
        CouponValue::Fixed(value) => naive_sharing(i128::from(value.0).min(sum), &gross),
    };
    for (place, discount) in places.into_iter().zip(off) {
        lines[place].discount = discount;
        lines[place].amount -= discount;
    }
    Ok(())
}

/// Whole parts first, then cent by cent to whoever is furthest below the true share.
fn naive_sharing(amount: i128, weights: &[i128]) -> Vec<i128> {
    let whole: i128 = weights.iter().sum();
    let mut shares: Vec<i128> =
        weights.iter().map(|weight| if whole == 0 { 0 } else { amount * weight / whole }).collect();
    while shares.iter().sum::<i128>() < amount {
        let missing = |place: usize| amount * weights[place] - shares[place] * whole;
        let mut furthest = 0;
        for place in 1..weights.len() {
            if missing(place) > missing(furthest) {
                furthest = place;
            }
        }
        shares[furthest] += 1;
    }
    shares
}

fn naive_shares(lines: &[FlatLine], catalogue: &Catalogue) -> Vec<(u64, i128, i128, i128)> {
    let mut amounts: HashMap<u64, (usize, i128, u32)> = HashMap::new();
    for line in lines {
        let rate = catalogue[&ProductId(line.product)].commission_bps;
        amounts.entry(line.seller).or_insert((line.number, 0, rate)).1 += line.amount;
    }
    let mut sellers: Vec<(u64, (usize, i128, u32))> = amounts.into_iter().collect();
    sellers.sort_by_key(|(_, (first, _, _))| *first);
    let share = |(seller, (_, amount, rate)): (u64, (usize, i128, u32))| {
        let commission = rounded(amount, i128::from(rate));
        (seller, amount, commission, amount - commission)
    };
    sellers.into_iter().map(share).collect()
}

/// Whole part, and one more from half a unit on. Not for negative amounts.
fn rounded(amount: i128, basis_points: i128) -> i128 {
    let product = amount * basis_points;
    let (whole, rest) = (product / 10_000, product % 10_000);
    if rest >= 5_000 { whole + 1 } else { whole }
}

fn at(place: usize, field: &'static str, code: ProblemCode) -> Problem {
    let index = u16::try_from(place).expect("at most 100 items");
    Problem { pointer: Pointer::Item { index, field }, code }
}
