//! Every problem of a request is named at once, at its place and with its facts, and the gravest names the refusal.
//!
//! Rows read `items | total seen | answer`; an item is `product x quantity @ price seen`. The answer is the total,
//! or the refusal and its problems in order.

use floodgate_actors::rules::{
    Cart, CartItem, Offer, OfferedStock, Pointer, PricingTerms, Problem, ProblemCode, Refusal, RefusalCode,
    build_cart, judge_line, price, take_from,
};
use floodgate_persistence::model::{Currency, Money, ProductId, SellerId};

/// `product price currency stock max flags`; `-` is not counted, `product` and `seller` are those not active.
const CATALOGUE: &str = "
    1                1000  USD      5  10000
    2                 250  USD      -  10000
    3                 100  USD      -     10
    4                 100  USD      5  10000  product
    5                 100  USD      5  10000  seller
    6                 100  BRL      5  10000
    7 9223372036854775807  USD      -  10000
    8                 100  BRL      0      1  product seller
    9                   0  USD  20000  20000
   11                  -1  USD      -  10000
";

#[test]
fn each_problem_has_its_place_and_facts() {
    judge_all(
        "
        2x1           |      | 250
        2x1@250       | 250  | 250
        1x5           |      | 5000
        9x10000       | 0    | 0
        7x1           |      | 9223372036854775807

        -             |      | validation_failed: /items empty_cart
        100*2x1       |      | 25000
        101*2x1       |      | validation_failed: /items too_many_lines
        101*404x0@-1  |      | validation_failed: /items too_many_lines

        404x1         |      | validation_failed: /items/0/product_id unknown_product 404
        4x1           |      | validation_failed: /items/0/product_id inactive_product 4
        5x1           |      | validation_failed: /items/0/product_id inactive_seller 5
        6x1           |      | validation_failed: /items/0/product_id currency_mismatch 6

        2x0           |      | validation_failed: /items/0/quantity quantity_out_of_range 10000
        2x-1          |      | validation_failed: /items/0/quantity quantity_out_of_range 10000
        2x10000       |      | 2500000
        2x10001       |      | validation_failed: /items/0/quantity quantity_out_of_range 10000
        9x10001       |      | validation_failed: /items/0/quantity quantity_out_of_range 10000
        3x10          |      | 1000
        3x11          |      | validation_failed: /items/0/quantity quantity_out_of_range 10
        3x10001       |      | validation_failed: /items/0/quantity quantity_out_of_range 10

        2x1@-1        |      | validation_failed: /items/0/unit_price amount_out_of_range
        7x2           |      | validation_failed: /items/0/quantity amount_out_of_range
        7x1 2x1       |      | validation_failed: /items amount_out_of_range
        11x1          |      | validation_failed: /items/0/quantity amount_out_of_range

        1x6           |      | insufficient_stock: /items/0/quantity insufficient_stock 1 6>5
        2x1@249       |      | price_changed: /items/0/unit_price price_changed 2 249>250
        2x1           | 249  | price_changed: /expected_total price_changed 249>250
        2x1           | -250 | price_changed: /expected_total price_changed -250>250
        ",
    );
}

#[test]
fn items_of_a_product_are_one_line_at_the_first_place() {
    judge_all(
        "
        1x2 2x1 1x3             | | 5250
        2x1 1x3 1x3             | | insufficient_stock: /items/1/quantity insufficient_stock 1 6>5
        2x1 3x5 3x6             | | validation_failed: /items/1/quantity quantity_out_of_range 10
        2x5000 2x5000           | | 2500000
        1x1 2x5000 2x5001       | | validation_failed: /items/1/quantity quantity_out_of_range 10000
        2x1 2x0                 | | validation_failed: /items/1/quantity quantity_out_of_range 10000
        2x10000 2x10001         | | validation_failed: /items/1/quantity quantity_out_of_range 10000
        2x9223372036854775807 2x9223372036854775807 | | validation_failed: \
            /items/0/quantity quantity_out_of_range 10000, /items/1/quantity quantity_out_of_range 10000
        2x-9223372036854775808 2x-9223372036854775808 | | validation_failed: \
            /items/0/quantity quantity_out_of_range 10000, /items/1/quantity quantity_out_of_range 10000
        2x1@250 2x1 2x1@251     | | price_changed: /items/2/unit_price price_changed 2 251>250
        2x1@249 2x1@249         | | price_changed: \
            /items/0/unit_price price_changed 2 249>250, /items/1/unit_price price_changed 2 249>250
        404x1 404x1             | | validation_failed: /items/0/product_id unknown_product 404
        ",
    );
}

#[test]
fn the_gravest_problem_names_the_refusal_and_all_are_told() {
    judge_all(
        "
        2x1@1 1x6     |   | insufficient_stock: \
            /items/0/unit_price price_changed 2 1>250, /items/1/quantity insufficient_stock 1 6>5
        1x6 404x1     |   | validation_failed: \
            /items/0/quantity insufficient_stock 1 6>5, /items/1/product_id unknown_product 404
        2x1@1 404x1   |   | validation_failed: \
            /items/0/unit_price price_changed 2 1>250, /items/1/product_id unknown_product 404
        1x1 2x1@1     | 1 | price_changed: \
            /items/1/unit_price price_changed 2 1>250, /expected_total price_changed 1>1250
        8x2@99        |   | validation_failed: \
            /items/0/product_id inactive_product 8, /items/0/product_id inactive_seller 8, \
            /items/0/product_id currency_mismatch 8, /items/0/quantity quantity_out_of_range 1, \
            /items/0/quantity insufficient_stock 8 2>0, /items/0/unit_price price_changed 8 99>100
        4x6           |   | validation_failed: \
            /items/0/product_id inactive_product 4, /items/0/quantity insufficient_stock 4 6>5
        404x0@-1      |   | validation_failed: \
            /items/0/product_id unknown_product 404, /items/0/quantity quantity_out_of_range 10000, \
            /items/0/unit_price amount_out_of_range
        1x99999       |   | validation_failed: \
            /items/0/quantity quantity_out_of_range 10000, /items/0/quantity insufficient_stock 1 10000>5
        7x2 7x2 404x1 |   | validation_failed: \
            /items/0/quantity amount_out_of_range, /items/2/product_id unknown_product 404
        ",
    );
}

#[test]
fn a_line_without_an_offer_is_an_unknown_product_before_it_is_priced() {
    let mut problems = Vec::new();
    let cart = build_cart(&items_of("2x1 404x1@5 404x1"), &mut problems);
    for line in cart.lines.iter().skip(1) {
        judge_line(line, currency("USD"), &mut problems);
    }
    let unknown = ProblemCode::UnknownProduct(ProductId(404));
    assert_eq!(problems, [Problem::at_item(1, "product_id", unknown)]);
}

#[test]
fn taking_leaves_the_rest_or_nothing_happens() {
    for (available, quantity, left) in [
        (5, 1, Some(4)),
        (5, 5, Some(0)),
        (5, 6, None),
        (0, 1, None),
        (-1, 1, None),
        (i64::MAX, 10_000, Some(i64::MAX - 10_000)),
        (i64::MIN, 1, None),
        (i64::MAX, u32::MAX, Some(i64::MAX - 4_294_967_295)),
    ] {
        assert_eq!(take_from(available, quantity), left, "{available} - {quantity}");
    }
}

#[test]
fn problems_are_told_in_the_order_of_the_request_and_once() {
    let total = Problem {
        pointer: Pointer::Field("expected_total"),
        code: ProblemCode::TotalChanged { expected: Money(1), current: Money(2) },
    };
    let coupon = Problem { pointer: Pointer::Field("coupon"), code: ProblemCode::UnknownCoupon };
    let sums = Problem { pointer: Pointer::Items, code: ProblemCode::AmountOutOfRange };
    let range = |index, max| Problem::at_item(index, "quantity", ProblemCode::QuantityOutOfRange { max });
    let unknown = Problem::at_item(10, "product_id", ProblemCode::UnknownProduct(ProductId(4)));
    let given = vec![
        total.clone(),
        range(10, 5),
        unknown.clone(),
        coupon.clone(),
        range(2, 10_000),
        range(2, 7),
        unknown.clone(),
        sums.clone(),
        range(10, 5),
        range(2, 9),
    ];
    let told = Refusal::new(given).map(|refusal| refusal.problems);
    assert_eq!(told, Some(vec![sums, range(2, 7), unknown, range(10, 5), coupon, total]));
    assert_eq!(Refusal::new(Vec::new()), None);
}

#[test]
fn every_code_leads_to_its_refusal() {
    let id = ProductId(1);
    let (expected, current) = (Money(1), Money(2));
    let rows = [
        (ProblemCode::EmptyCart, "empty_cart", "validation_failed"),
        (ProblemCode::TooManyLines, "too_many_lines", "validation_failed"),
        (ProblemCode::UnknownProduct(id), "unknown_product", "validation_failed"),
        (ProblemCode::InactiveProduct(id), "inactive_product", "validation_failed"),
        (ProblemCode::InactiveSeller(id), "inactive_seller", "validation_failed"),
        (ProblemCode::CurrencyMismatch(id), "currency_mismatch", "validation_failed"),
        (ProblemCode::QuantityOutOfRange { max: 1 }, "quantity_out_of_range", "validation_failed"),
        (ProblemCode::AmountOutOfRange, "amount_out_of_range", "validation_failed"),
        (ProblemCode::UnknownCoupon, "unknown_coupon", "validation_failed"),
        (ProblemCode::CouponNotValid, "coupon_not_valid", "validation_failed"),
        (ProblemCode::CouponUsedUp, "coupon_used_up", "validation_failed"),
        (ProblemCode::UnknownReferral, "unknown_referral", "validation_failed"),
        (ProblemCode::PaymentNotAvailable, "payment_not_available", "validation_failed"),
        (
            ProblemCode::InsufficientStock { product_id: id, requested: 2, available: 1 },
            "insufficient_stock",
            "insufficient_stock",
        ),
        (
            ProblemCode::UnitPriceChanged { product_id: id, expected, current },
            "price_changed",
            "price_changed",
        ),
        (ProblemCode::TotalChanged { expected, current }, "price_changed", "price_changed"),
    ];
    for (code, name, refusal) in &rows {
        assert_eq!((code.as_str(), code.refusal().as_str()), (*name, *refusal));
    }
    for (grave, light) in rows.iter().zip(rows.iter().skip(1)) {
        assert!(grave.0 < light.0, "{} comes before {}", grave.1, light.1);
    }
}

/// Judges each row as a checkout is judged, and compares what is answered.
fn judge_all(table: &str) {
    let rows: Vec<&str> = table.lines().map(str::trim).filter(|row| !row.is_empty()).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let [items, seen, answer] = row.splitn(3, '|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("a row has three columns: {row}");
        };
        let expected_total = (!seen.is_empty()).then(|| Money(number(seen)));
        assert_eq!(judge(&items_of(items), expected_total), normalised(answer), "{row}");
    }
}

fn judge(items: &[CartItem], expected_total: Option<Money>) -> String {
    let mut problems = Vec::new();
    let mut cart = build_cart(items, &mut problems);
    look_up(&mut cart);
    for line in &cart.lines {
        judge_line(line, currency("USD"), &mut problems);
    }
    let terms = PricingTerms { expected_total, ..PricingTerms::default() };
    let priced = price(&mut cart, &terms, &mut problems);
    match (Refusal::new(problems), priced) {
        (Some(refusal), _) => told(&refusal),
        (None, Some(priced)) => priced.total.to_string(),
        (None, None) => "neither priced nor refused".into(),
    }
}

fn look_up(cart: &mut Cart) {
    for line in &mut cart.lines {
        let row = CATALOGUE.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        let mut known = row.filter(|row| row.first().is_some_and(|id| *id == line.product_id.to_string()));
        line.offer = known.next().map(|row| offer(&row));
    }
}

fn offer(row: &[&str]) -> Offer {
    let [_, price, code, stock, max, ref inactive @ ..] = *row else {
        panic!("a catalogue row has five columns: {row:?}");
    };
    Offer {
        seller_id: SellerId(1),
        name: "a name".into(),
        unit_price: Money(number(price)),
        currency: currency(code),
        digital: false,
        active: !inactive.contains(&"product"),
        seller_active: !inactive.contains(&"seller"),
        commission_bps: 1_000,
        quantity_max: u32::try_from(number(max)).expect("a maximum is no negative number"),
        stock: if stock == "-" { OfferedStock::Uncounted } else { OfferedStock::Counted(number(stock)) },
    }
}

fn items_of(text: &str) -> Vec<CartItem> {
    let words = text.split_whitespace().filter(|word| *word != "-");
    words
        .flat_map(|word| {
            let (times, item) = word.split_once('*').unwrap_or(("1", word));
            (0..number(times)).map(|_| item_of(item))
        })
        .collect()
}

fn item_of(text: &str) -> CartItem {
    let (item, seen) = text.split_once('@').map_or((text, None), |(item, seen)| (item, Some(seen)));
    let (product, quantity) = item.split_once('x').expect("an item is product x quantity");
    CartItem {
        product_id: ProductId(product.parse().expect("a product id is a number")),
        quantity: number(quantity),
        unit_price: seen.map(|seen| Money(number(seen))),
    }
}

fn told(refusal: &Refusal) -> String {
    let problems: Vec<String> = refusal.problems.iter().map(told_one).collect();
    let code: RefusalCode = refusal.code();
    format!("{}: {}", code.as_str(), problems.join(", "))
}

fn told_one(problem: &Problem) -> String {
    let place = match problem.pointer {
        Pointer::Items => "/items".into(),
        Pointer::Item { index, field } => format!("/items/{index}/{field}"),
        Pointer::Field(field) => format!("/{field}"),
    };
    format!("{place} {} {}", problem.code.as_str(), facts(&problem.code)).trim().to_owned()
}

fn facts(code: &ProblemCode) -> String {
    match code {
        ProblemCode::UnknownProduct(id)
        | ProblemCode::InactiveProduct(id)
        | ProblemCode::InactiveSeller(id)
        | ProblemCode::CurrencyMismatch(id) => id.to_string(),
        ProblemCode::QuantityOutOfRange { max } => max.to_string(),
        ProblemCode::InsufficientStock { product_id, requested, available } => {
            format!("{product_id} {requested}>{available}")
        }
        ProblemCode::UnitPriceChanged { product_id, expected, current } => {
            format!("{product_id} {expected}>{current}")
        }
        ProblemCode::TotalChanged { expected, current } => format!("{expected}>{current}"),
        _ => String::new(),
    }
}

fn normalised(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}

fn currency(code: &str) -> Currency {
    Currency::new(code).expect("a currency is three capital letters")
}
