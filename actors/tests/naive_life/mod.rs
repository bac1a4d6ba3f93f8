//! A second, naive implementation of an order's life: plain maps and wide numbers, no shared helper. It says what
//! a command comes to, or nothing where it is refused.

use floodgate_actors::rules::{LifeCommand, RefundWhat, Who};
use floodgate_persistence::model::{Money, OrderPlaced, OrderStatus, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
struct Back {
    /// Pieces and money by place of the line.
    lines: BTreeMap<usize, (i128, i128)>,
    shipping: i128,
    tax: i128,
    /// By seller.
    commission: BTreeMap<u64, i128>,
    restock: bool,
}

impl Back {
    fn money(&self) -> i128 {
        self.lines.values().map(|(_, money)| money).sum::<i128>() + self.shipping + self.tax
    }
}

#[derive(Clone, Debug)]
pub struct Naive {
    order: OrderPlaced,
    pub status: &'static str,
    attempt: Option<u32>,
    attempts: u32,
    /// `card` or `cash`.
    captured: Option<&'static str>,
    known_payments: BTreeSet<String>,
    numbers: u32,
    open: BTreeMap<u32, Back>,
    done: Vec<Back>,
    strays: BTreeSet<u32>,
    fulfilled: BTreeSet<u64>,
    /// Pieces back in stock, by place of the line.
    pub stock: BTreeMap<usize, i128>,
}

impl Naive {
    pub fn new(order: &OrderPlaced) -> Self {
        Self {
            order: order.clone(),
            status: order.status.as_str(),
            attempt: None,
            attempts: 0,
            captured: None,
            known_payments: BTreeSet::new(),
            numbers: 0,
            open: BTreeMap::new(),
            done: Vec::new(),
            strays: BTreeSet::new(),
            fulfilled: BTreeSet::new(),
            stock: BTreeMap::new(),
        }
    }

    /// What the command comes to, in words that the test finds for the events too.
    pub fn step(&mut self, command: &LifeCommand, now: Timestamp) -> Option<Vec<String>> {
        let overdue = self.order.expires_at.is_some_and(|until| now >= until);
        match command {
            LifeCommand::BeginPayment { .. } => {
                if self.status != "pending_payment" || self.attempt.is_some() || overdue {
                    return None;
                }
                self.attempts += 1;
                self.attempt = Some(self.attempts);
                Some(vec!["payment_started".into()])
            }
            LifeCommand::PaymentSucceeded { attempt, payment_id, amount, currency, .. } => {
                let good = *amount == self.order.total && *currency == self.order.currency;
                self.money_came(*attempt, payment_id, *amount, good)
            }
            LifeCommand::PaymentDeclined { attempt, .. } => {
                self.attempt.filter(|running| *attempt == 0 || attempt == running)?;
                self.attempt = None;
                Some(vec!["payment_failed".into()])
            }
            LifeCommand::TakeCash { who } => {
                if self.status != "confirmed" || !self.owns_all(*who) {
                    return None;
                }
                (self.captured, self.status) = (Some("cash"), "paid");
                Some(vec!["paid".into()])
            }
            LifeCommand::Cancel { who, .. } => self.cancel(*who),
            LifeCommand::Expire if self.status == "pending_payment" && overdue => Some(self.end()),
            LifeCommand::Expire => None,
            LifeCommand::Refund { who, asked } => {
                let seller = match who {
                    Who::Shop => return None,
                    Who::Admin => None,
                    Who::Seller(own) => Some(own.0),
                };
                let cancelled = self.status == "cancelled" && self.captured.is_some();
                if !["paid", "fulfilled", "partially_refunded"].contains(&self.status) && !cancelled {
                    return None;
                }
                self.refund(seller, &asked.what, asked.restock)
            }
            LifeCommand::RefundSucceeded { number, .. } => match self.open.remove(number) {
                Some(back) => Some(vec![self.went_back(*number, back)]),
                None => self.strays.remove(number).then(|| vec![format!("stray_refunded r{number}")]),
            },
            LifeCommand::RefundFailed { number } => {
                let Some(back) = self.open.remove(number) else {
                    return self
                        .strays
                        .contains(number)
                        .then(|| vec![format!("stray_refund_failed r{number}")]);
                };
                if self.status == "cancelled" {
                    self.restock(&back);
                }
                Some(vec![format!("refund_failed r{number}")])
            }
            LifeCommand::Fulfil { who, seller } => self.fulfil(*who, seller.map(|seller| seller.0)),
        }
    }

    fn sellers(&self) -> BTreeSet<u64> {
        self.order.lines.iter().map(|line| line.seller_id.0).collect()
    }

    fn owns_all(&self, who: Who) -> bool {
        match who {
            Who::Shop => false,
            Who::Admin => true,
            Who::Seller(own) => self.sellers() == BTreeSet::from([own.0]),
        }
    }

    fn money_came(&mut self, attempt: u32, name: &str, amount: Money, good: bool) -> Option<Vec<String>> {
        if !self.known_payments.insert(name.to_owned()) {
            return None;
        }
        if attempt == 0 || self.attempt == Some(attempt) {
            self.attempt = None;
        }
        if self.status == "pending_payment" && good {
            (self.captured, self.status) = (Some("card"), "paid");
            return Some(vec!["paid".into()]);
        }
        self.numbers += 1;
        self.strays.insert(self.numbers);
        Some(vec![format!("stray r{} {amount}", self.numbers)])
    }

    fn cancel(&mut self, who: Who) -> Option<Vec<String>> {
        let allowed = if who == Who::Shop { self.captured.is_none() } else { self.owns_all(who) };
        if !allowed || !["pending_payment", "confirmed", "paid"].contains(&self.status) {
            return None;
        }
        let mut told = self.end();
        told.extend(
            self.captured.and_then(|_| self.refund(None, &RefundWhat::Whole, false)).unwrap_or_default(),
        );
        Some(told)
    }

    fn end(&mut self) -> Vec<String> {
        self.status = "cancelled";
        for (place, line) in self.order.lines.iter().enumerate() {
            if !self.fulfilled.contains(&line.seller_id.0) {
                let open =
                    self.open.values().filter_map(|back| back.lines.get(&place)).map(|(pieces, _)| pieces);
                let here = (i128::from(line.stock_taken) - open.sum::<i128>()).max(0);
                *self.stock.entry(place).or_default() += here;
            }
        }
        vec!["cancelled".into()]
    }

    /// Everything given back or on its way.
    fn gone(&self) -> impl Iterator<Item = &Back> {
        self.done.iter().chain(self.open.values())
    }

    fn line_gone(&self, place: usize) -> (i128, i128) {
        let lines = self.gone().filter_map(|back| back.lines.get(&place));
        lines.fold((0, 0), |sum, line| (sum.0 + line.0, sum.1 + line.1))
    }

    /// Pieces and money left.
    fn line_left(&self, place: usize) -> (i128, i128) {
        let (line, gone) = (&self.order.lines[place], self.line_gone(place));
        (i128::from(line.quantity) - gone.0, i128::from(line.line_total.0) - gone.1)
    }

    fn refund(&mut self, seller: Option<u64>, what: &RefundWhat, restock: bool) -> Option<Vec<String>> {
        let lines = self.order.lines.iter().enumerate();
        let own: Vec<usize> = lines
            .filter(|(_, line)| seller.is_none_or(|seller| seller == line.seller_id.0))
            .map(|(place, _)| place)
            .collect();
        let shipping_left =
            i128::from(self.order.shipping.0) - self.gone().map(|back| back.shipping).sum::<i128>();
        let tax_left = i128::from(self.order.tax.0) - self.gone().map(|back| back.tax).sum::<i128>();
        let mut back = Back { restock: restock && self.status != "cancelled", ..Back::default() };
        match what {
            RefundWhat::Whole => {
                back.lines = own.iter().map(|place| (*place, self.line_left(*place))).collect();
                back.shipping = if seller.is_none() { shipping_left } else { 0 };
                back.tax = if seller.is_none() { tax_left } else { self.tax_of(&back, tax_left) };
            }
            RefundWhat::Lines { items, shipping } => {
                let shipping = i128::from(shipping.0);
                if items.iter().any(|(_, quantity)| *quantity == 0) {
                    return None;
                }
                if shipping < 0 || shipping > shipping_left || (seller.is_some() && shipping != 0) {
                    return None;
                }
                let mut asked: BTreeMap<usize, i128> = BTreeMap::new();
                for (line, quantity) in items {
                    let place = own.iter().copied().find(|place| place + 1 == usize::from(*line))?;
                    *asked.entry(place).or_default() += i128::from(*quantity);
                }
                for (place, quantity) in asked {
                    let (pieces, money) = self.line_left(place);
                    if quantity < 1 || quantity > pieces {
                        return None;
                    }
                    back.lines.insert(place, (quantity, rounded(money * quantity, pieces)));
                }
                back.shipping = shipping;
                back.tax = self.tax_of(&back, tax_left);
            }
            RefundWhat::Amount(amount) => {
                let mut weights: Vec<i128> = own.iter().map(|place| self.line_left(*place).1).collect();
                weights.extend(if seller.is_none() { vec![shipping_left, tax_left] } else { vec![] });
                let amount = i128::from(amount.0);
                if restock || amount < 1 || amount > weights.iter().sum() {
                    return None;
                }
                let shares = cent_by_cent(amount, &weights);
                back.lines = own.iter().copied().zip(shares.iter().map(|share| (0, *share))).collect();
                if seller.is_none() {
                    (back.shipping, back.tax) = (shares[own.len()], shares[own.len() + 1]);
                }
            }
        }
        if back.money() == 0 {
            return None;
        }
        for seller in self.sellers() {
            let commission = self.commission_of(seller, &back);
            back.commission.insert(seller, commission);
        }
        self.numbers += 1;
        if self.captured == Some("cash") {
            return Some(vec![self.went_back(self.numbers, back)]);
        }
        let told = told_refund("refund_started", self.numbers, &back);
        self.open.insert(self.numbers, back);
        Some(vec![told])
    }

    fn tax_of(&self, back: &Back, tax_left: i128) -> i128 {
        if back.lines.values().all(|(_, money)| *money == 0) {
            return 0;
        }
        let net = i128::from(self.order.subtotal.0 - self.order.discount.0);
        let lines = self.gone().chain([back]).flat_map(|back| back.lines.values());
        let sum: i128 = lines.map(|(_, money)| money).sum();
        let tax = i128::from(self.order.tax.0);
        let due = if net == 0 { 0 } else { rounded(tax * sum, net) };
        let due = due - (tax - tax_left);
        if due < 0 { 0 } else { due.min(tax_left) }
    }

    /// The running total, kept between what the payout cannot bear and what the commission has.
    fn commission_of(&self, seller: u64, back: &Back) -> i128 {
        let share =
            self.order.sellers.iter().find(|share| share.seller_id.0 == seller).expect("sold something");
        let money = |back: &Back| {
            let own = back.lines.iter().filter(|(place, _)| self.order.lines[**place].seller_id.0 == seller);
            own.map(|(_, (_, money))| money).sum::<i128>()
        };
        let now = money(back);
        let before: i128 = self.gone().map(&money).sum();
        let given: i128 = self.gone().filter_map(|back| back.commission.get(&seller)).sum();
        let (subtotal, commission) = (i128::from(share.subtotal.0), i128::from(share.commission.0));
        let payout_left = i128::from(share.payout.0) - (before - given);
        let mut due = if subtotal == 0 { 0 } else { rounded(commission * (before + now), subtotal) - given };
        due = due.min(now).min(commission - given);
        due.max(now - payout_left).max(0)
    }

    fn went_back(&mut self, number: u32, back: Back) -> String {
        if back.restock {
            self.restock(&back);
        }
        let told = told_refund("refunded", number, &back);
        self.done.push(back);
        let all: i128 = self.done.iter().map(Back::money).sum();
        if self.status != "cancelled" {
            self.status =
                if all == i128::from(self.order.total.0) { "refunded" } else { "partially_refunded" };
        }
        told
    }

    fn restock(&mut self, back: &Back) {
        for (place, (pieces, _)) in back.lines.iter().filter(|_| back.restock) {
            let counted = self.order.lines[*place].stock_taken > 0;
            *self.stock.entry(*place).or_default() += if counted { *pieces } else { 0 };
        }
    }

    fn fulfil(&mut self, who: Who, seller: Option<u64>) -> Option<Vec<String>> {
        let whose = match (who, seller) {
            (Who::Shop, _) => return None,
            (Who::Admin, seller) => seller,
            (Who::Seller(own), None) => Some(own.0),
            (Who::Seller(own), Some(seller)) if own.0 == seller => Some(seller),
            _ => return None,
        };
        if !["paid", "partially_refunded"].contains(&self.status) {
            return None;
        }
        let gone = |backs: &mut dyn Iterator<Item = &Back>, seller: u64| {
            let lines = backs.flat_map(|back| &back.lines);
            let own = lines.filter(|(place, _)| self.order.lines[**place].seller_id.0 == seller);
            let money: i128 = own.map(|(_, (_, money))| money).sum();
            let of =
                self.order.sellers.iter().find(|share| share.seller_id.0 == seller).expect("sold something");
            money > 0 && money == i128::from(of.subtotal.0)
        };
        let due: BTreeSet<u64> = self
            .sellers()
            .into_iter()
            .filter(|seller| whose.is_none_or(|whose| whose == *seller))
            .filter(|seller| !self.fulfilled.contains(seller) && !gone(&mut self.gone(), *seller))
            .collect();
        if due.is_empty() {
            return None;
        }
        let told = due.iter().map(u64::to_string).collect::<Vec<_>>().join("+");
        let now: BTreeSet<u64> = self.fulfilled.union(&due).copied().collect();
        let whole =
            self.sellers().iter().all(|seller| now.contains(seller) || gone(&mut self.done.iter(), *seller));
        self.fulfilled = now;
        if whole && self.status == "paid" {
            self.status = OrderStatus::Fulfilled.as_str();
        }
        Some(vec![format!("fulfilled {told}")])
    }
}

fn told_refund(kind: &str, number: u32, back: &Back) -> String {
    let commission: i128 = back.commission.values().sum();
    let lines = back.lines.iter().filter(|(_, (pieces, money))| *pieces > 0 || *money > 0);
    let lines: Vec<_> =
        lines.map(|(place, (pieces, money))| format!("{}:{pieces}={money}", place + 1)).collect();
    let (money, shipping, tax) = (back.money(), back.shipping, back.tax);
    format!(
        "{kind} r{number} {money} shipping {shipping} tax {tax} commission {commission} {}",
        lines.join(" ")
    )
}

/// Half up; nothing negative comes here.
fn rounded(product: i128, of: i128) -> i128 {
    let (whole, rest) = (product / of, product % of);
    if rest * 2 >= of { whole + 1 } else { whole }
}

fn cent_by_cent(amount: i128, weights: &[i128]) -> Vec<i128> {
    let whole: i128 = weights.iter().sum();
    let mut shares: Vec<i128> = weights.iter().map(|weight| amount * weight / whole).collect();
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
