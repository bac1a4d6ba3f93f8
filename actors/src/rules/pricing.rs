use super::cart::{Cart, CartLine, Offer, OfferedStock};
use super::discount::{CouponTerms, DiscountRefusal, take_off};
use super::problem::{Pointer, Problem, ProblemCode};
use super::shipping::ShippingTerms;
use floodgate_persistence::model::{CustomerId, Money, OrderLine, Referral, SellerShare};
use floodgate_persistence::planted::{self, Planted};

/// Terms of the order as a whole; [`Default`]: no coupon, shipping, tax or referral.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PricingTerms<'a> {
    /// The coupon that the checkout names.
    pub coupon: Option<CouponTerms<'a>>,
    /// Once an order; nothing when all lines are digital.
    pub shipping: ShippingTerms,
    /// Tax on subtotal − discount, in 1/10,000.
    pub tax_bps: u32,
    /// Who earns by the referral code that the checkout names.
    pub referral: Option<ReferralTerms>,
    /// The total that the customer saw.
    pub expected_total: Option<Money>,
}

/// A referral code that a checkout names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferralTerms {
    /// The code's own customer: who earns.
    pub owner: CustomerId,
    /// Who buys; the owner earns nothing by it.
    pub buyer: CustomerId,
    /// Share of subtotal − discount, in 1/10,000.
    pub rate_bps: u32,
}

impl ReferralTerms {
    /// `None`: it is the customer's own code, or the share does not reach a cent. A rate that does not fit is one
    /// above all that was paid, and is cut to that.
    fn share(&self, net: Money) -> Option<Referral> {
        let amount = net.checked_basis_points(self.rate_bps).map_or(net, |share| share.min(net));
        let earns = self.owner != self.buyer && amount > Money::ZERO;
        earns.then_some(Referral { customer_id: self.owner, amount })
    }
}

/// A priced cart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    /// One for each cart line; `stock_taken` is the quantity where stock is counted, else 0.
    pub lines: Vec<OrderLine>,
    /// One for each seller, in the order of their first line.
    pub sellers: Vec<SellerShare>,
    /// Σ quantity × unit price.
    pub subtotal: Money,
    /// Σ discount.
    pub discount: Money,
    /// Once an order.
    pub shipping: Money,
    /// On subtotal − discount.
    pub tax: Money,
    /// subtotal − discount + shipping + tax.
    pub total: Money,
    /// What the owner of the referral code gets.
    pub referral: Option<Referral>,
}

/// Prices a cart whose lines all have an offer. Every amount that does not fit is a problem, so is a coupon whose
/// conditions do not hold, and a total other than the customer saw; then the result is `None`.
///
/// The names move out of the offers, but only on success: a refused cart can still be diagnosed. A line without an
/// offer is an unknown product; an empty cart has no price, and [`build_cart`](super::build_cart) has said why.
/// Problems found earlier are not looked at: whether the result may be sold is the caller's to say. Short stock or a
/// changed price leaves the total meaningful, so such a cart may be priced to compare the total that was seen; after
/// a `validation_failed` (a quantity put in range, another currency) the comparison would mislead.
pub fn price(cart: &mut Cart, terms: &PricingTerms<'_>, problems: &mut Vec<Problem>) -> Option<Priced> {
    let mut lines = price_lines(cart, problems)?;
    if let Some(problem) =
        terms.coupon.and_then(|coupon| take_off(&mut lines, &coupon).err()).map(coupon_problem)
    {
        problems.push(problem);
        return None;
    }
    let Some(mut priced) = add_up(cart, lines, terms) else {
        problems.push(Problem { pointer: Pointer::Items, code: ProblemCode::AmountOutOfRange });
        return None;
    };
    if let Some(problem) = judge_total(terms, priced.total) {
        problems.push(problem);
        return None;
    }
    move_names(cart, &mut priced.lines);
    Some(priced)
}

/// All lines, still without names and discounts; `None` if one of them has no price.
fn price_lines(cart: &Cart, problems: &mut Vec<Problem>) -> Option<Vec<OrderLine>> {
    let mut lines = Vec::with_capacity(cart.lines.len());
    for (number, line) in (1..).zip(&cart.lines) {
        match price_line(number, line) {
            Ok(priced) => lines.push(priced),
            Err(problem) => problems.push(problem),
        }
    }
    (!lines.is_empty() && lines.len() == cart.lines.len()).then_some(lines)
}

fn price_line(number: u16, line: &CartLine) -> Result<OrderLine, Problem> {
    let offer = line.offer.as_ref().ok_or_else(|| line.unknown())?;
    let line_total = line_total(offer, line.quantity)
        .ok_or_else(|| line.problem("quantity", ProblemCode::AmountOutOfRange))?;
    Ok(OrderLine {
        line: number,
        product_id: line.product_id,
        seller_id: offer.seller_id,
        name: Box::default(),
        quantity: line.quantity,
        unit_price: offer.unit_price,
        discount: Money::ZERO,
        line_total,
        digital: offer.digital,
        stock_taken: stock_taken(offer, line.quantity),
    })
}

/// Never negative: whatever the catalogue says, nobody is paid for buying.
fn line_total(offer: &Offer, quantity: u32) -> Option<Money> {
    let total = offer.unit_price.checked_times(quantity)?;
    (total >= Money::ZERO).then_some(total)
}

const fn stock_taken(offer: &Offer, quantity: u32) -> u32 {
    match offer.stock {
        OfferedStock::Counted(_) => quantity,
        OfferedStock::Uncounted => 0,
    }
}

/// Sums, shares, shipping and tax; `None` where one of them does not fit.
fn add_up(cart: &Cart, lines: Vec<OrderLine>, terms: &PricingTerms<'_>) -> Option<Priced> {
    let subtotal = sum(lines.iter().map(|line| line.unit_price.checked_times(line.quantity)))?;
    let discount = sum(lines.iter().map(|line| Some(line.discount)))?;
    let net = subtotal.checked_sub(discount)?;
    let sellers = share_out(cart, &lines)?;
    let all_digital = lines.iter().all(|line| line.digital);
    let shipping = terms.shipping.cost(net, all_digital);
    let tax = net.checked_basis_points(terms.tax_bps)?;
    let total = net.checked_add(shipping)?.checked_add(tax)?;
    let referral = terms.referral.and_then(|referral| referral.share(net));
    Some(Priced { lines, sellers, subtotal, discount, shipping, tax, total, referral })
}

const fn coupon_problem(refusal: DiscountRefusal) -> Problem {
    match refusal {
        DiscountRefusal::NotValid => {
            Problem { pointer: Pointer::Field("coupon"), code: ProblemCode::CouponNotValid }
        }
        DiscountRefusal::OutOfRange => {
            Problem { pointer: Pointer::Items, code: ProblemCode::AmountOutOfRange }
        }
    }
}

fn sum(mut amounts: impl Iterator<Item = Option<Money>>) -> Option<Money> {
    amounts.try_fold(Money::ZERO, |sum, amount| sum.checked_add(amount?))
}

/// One share a seller, in the order of their first line. That line's commission rate holds for all of them: while a
/// change of the rate is on its way, two lines may have seen different ones.
fn share_out(cart: &Cart, lines: &[OrderLine]) -> Option<Vec<SellerShare>> {
    let mut shares: Vec<SellerShare> = Vec::new();
    for offer in cart.lines.iter().filter_map(|line| line.offer.as_ref()) {
        if shares.iter().all(|share| share.seller_id != offer.seller_id) {
            shares.push(share_of(offer, lines)?);
        }
    }
    Some(shares)
}

/// The commission is rounded once a seller, so that the payout is what is left and both add up.
fn share_of(offer: &Offer, lines: &[OrderLine]) -> Option<SellerShare> {
    let seller_id = offer.seller_id;
    let own = lines.iter().filter(|line| line.seller_id == seller_id);
    let subtotal = sum(own.clone().map(|line| Some(line.line_total)))?;
    let commission = match planted::is(Planted::CommissionPerLine) {
        true => sum(own.map(|line| line.line_total.checked_basis_points(offer.commission_bps)))?,
        false => subtotal.checked_basis_points(offer.commission_bps)?,
    };
    let payout = subtotal.checked_sub(commission)?;
    Some(SellerShare { seller_id, subtotal, commission, payout })
}

fn judge_total(terms: &PricingTerms<'_>, current: Money) -> Option<Problem> {
    let expected = terms.expected_total.filter(|expected| *expected != current)?;
    let code = ProblemCode::TotalChanged { expected, current };
    Some(Problem { pointer: Pointer::Field("expected_total"), code })
}

fn move_names(cart: &mut Cart, lines: &mut [OrderLine]) {
    let offers = cart.lines.iter_mut().filter_map(|line| line.offer.as_mut());
    for (line, offer) in lines.iter_mut().zip(offers) {
        line.name = std::mem::take(&mut offer.name);
    }
}
