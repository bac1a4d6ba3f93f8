use super::share::share_out;
use floodgate_persistence::model::{Coupon, CouponValue, Currency, Money, OrderLine, Timestamp};

/// A coupon that a checkout names, and what its conditions are held against. Whether it is used up is not judged
/// here: its uses are counted where they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouponTerms<'a> {
    /// The coupon.
    pub coupon: &'a Coupon,
    /// Currency of the order.
    pub currency: Currency,
    /// When the order is placed.
    pub now: Timestamp,
}

/// Why a coupon takes nothing off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiscountRefusal {
    /// Its conditions do not hold.
    NotValid,
    /// Sums that do not fit.
    OutOfRange,
}

/// Takes a coupon off the lines that it counts for, or leaves all as it is. The lines have no discount yet.
pub(super) fn take_off(lines: &mut [OrderLine], terms: &CouponTerms<'_>) -> Result<(), DiscountRefusal> {
    let coupon = terms.coupon;
    let counted: Vec<Money> = lines.iter().map(|line| counted(line, coupon)).collect();
    let sum = counted.iter().try_fold(Money::ZERO, |sum, gross| sum.checked_add(*gross));
    let sum = sum.ok_or(DiscountRefusal::OutOfRange)?;
    if !is_valid(terms) || !has_lines(lines, coupon) || coupon.min_subtotal.is_some_and(|least| sum < least) {
        return Err(DiscountRefusal::NotValid);
    }
    let discounts = match coupon.value {
        CouponValue::Percent(basis_points) => percent(&counted, basis_points),
        CouponValue::Fixed(value) => share_out(value.clamp(Money::ZERO, sum), &counted),
    };
    for (line, discount) in lines.iter_mut().zip(discounts) {
        line.discount = discount;
        line.line_total.0 -= discount.0;
    }
    Ok(())
}

/// What of a line the coupon counts: before any discount, `line_total` is quantity × unit price.
fn counted(line: &OrderLine, coupon: &Coupon) -> Money {
    if counts(line, coupon) { line.line_total } else { Money::ZERO }
}

fn counts(line: &OrderLine, coupon: &Coupon) -> bool {
    coupon.seller_id.is_none_or(|seller_id| seller_id == line.seller_id)
}

fn has_lines(lines: &[OrderLine], coupon: &Coupon) -> bool {
    lines.iter().any(|line| counts(line, coupon))
}

fn is_valid(terms: &CouponTerms<'_>) -> bool {
    let CouponTerms { coupon, currency, now } = *terms;
    coupon.currency == currency
        && coupon.starts_at.is_none_or(|from| from <= now)
        && coupon.ends_at.is_none_or(|until| now < until)
}

/// Each line by itself; never more than the line.
fn percent(counted: &[Money], basis_points: u32) -> Vec<Money> {
    let of =
        |gross: &Money| gross.checked_basis_points(basis_points).map_or(*gross, |share| share.min(*gross));
    counted.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_persistence::model::{ProductId, SellerId};

    /// Lines as `amount/seller`; the answer is the discounts, or the refusal.
    fn taken(lines: &str, coupon: &Coupon, now: i64) -> String {
        let mut lines: Vec<OrderLine> = lines.split_whitespace().map(line).collect();
        let before: i64 = lines.iter().map(|line| line.line_total.0).sum();
        let currency = Currency::new("BRL").unwrap();
        let answer = take_off(&mut lines, &CouponTerms { coupon, currency, now: Timestamp(now) });
        let discounts: Vec<i64> = lines.iter().map(|line| line.discount.0).collect();
        let after: i64 = lines.iter().map(|line| line.line_total.0).sum();
        assert_eq!(after + discounts.iter().sum::<i64>(), before);
        match answer {
            Ok(()) => discounts.iter().map(i64::to_string).collect::<Vec<_>>().join(" "),
            Err(refusal) => format!("{refusal:?}"),
        }
    }

    fn line(text: &str) -> OrderLine {
        let (amount, seller) = text.split_once('/').unwrap();
        let amount = Money(amount.parse().unwrap());
        OrderLine {
            line: 1,
            product_id: ProductId(1),
            seller_id: SellerId(seller.parse().unwrap()),
            name: "Kettle".into(),
            quantity: 1,
            unit_price: amount,
            discount: Money::ZERO,
            line_total: amount,
            digital: false,
            stock_taken: 1,
        }
    }

    fn coupon(value: CouponValue) -> Coupon {
        Coupon {
            code: "SPRING10".into(),
            value,
            currency: Currency::new("BRL").unwrap(),
            seller_id: None,
            starts_at: None,
            ends_at: None,
            max_uses: None,
            max_uses_per_customer: None,
            min_subtotal: None,
        }
    }

    #[test]
    fn a_value_is_taken_off_the_lines_it_counts_for() {
        let of_seller = |value| Coupon { seller_id: Some(SellerId(3)), ..coupon(value) };
        let (percent, fixed) = (CouponValue::Percent, |amount| CouponValue::Fixed(Money(amount)));
        let rows = [
            ("2000/3 999/4", coupon(percent(1000)), "200 100"),
            ("5/3 5/3 5/3", coupon(percent(1000)), "1 1 1"),
            ("4/3 4/3", coupon(percent(1000)), "0 0"),
            ("7/3 0/3", coupon(percent(10_000)), "7 0"),
            ("7/3", coupon(percent(20_000)), "7"),
            ("2000/3 999/4", of_seller(percent(1000)), "200 0"),
            ("999/4", of_seller(percent(1000)), "NotValid"),
            ("1/3 1/3 1/3", coupon(fixed(1)), "1 0 0"),
            ("1000/3 1000/4 1000/5", coupon(fixed(100)), "34 33 33"),
            ("10/3 20/4", coupon(fixed(31)), "10 20"),
            ("10/3 20/4", of_seller(fixed(31)), "10 0"),
            ("20/4 10/3 10/3", of_seller(fixed(5)), "0 3 2"),
            ("0/3", coupon(fixed(5)), "0"),
            ("10/3", coupon(fixed(-5)), "0"),
        ];
        for (lines, coupon, wanted) in rows {
            assert_eq!(taken(lines, &coupon, 0), wanted, "{lines} {coupon:?}");
        }
    }

    #[test]
    fn every_condition_must_hold() {
        let base = || coupon(CouponValue::Fixed(Money(1)));
        let (from, until) = (Some(Timestamp(10)), Some(Timestamp(20)));
        let window = || Coupon { starts_at: from, ends_at: until, ..base() };
        let least = |seller_id| Coupon { min_subtotal: Some(Money(15)), seller_id, ..base() };
        let rows = [
            (window(), 9, "NotValid"),
            (window(), 10, "1 0"),
            (window(), 19, "1 0"),
            (window(), 20, "NotValid"),
            (Coupon { currency: Currency::new("USD").unwrap(), ..base() }, 0, "NotValid"),
            (least(None), 0, "1 0"),
            (Coupon { min_subtotal: Some(Money(16)), ..base() }, 0, "NotValid"),
            (least(Some(SellerId(3))), 0, "NotValid"),
        ];
        for (coupon, now, wanted) in rows {
            assert_eq!(taken("10/3 5/4", &coupon, now), wanted, "{now} {coupon:?}");
        }
    }

    #[test]
    fn sums_that_do_not_fit_are_said() {
        let half = coupon(CouponValue::Percent(5_000));
        let mut lines = [line("9223372036854775807/3"), line("1/3")];
        let terms = CouponTerms { coupon: &half, currency: half.currency, now: Timestamp(0) };
        assert_eq!(take_off(&mut lines, &terms), Err(DiscountRefusal::OutOfRange));
        assert!(lines.iter().all(|line| line.discount == Money::ZERO));
    }
}
