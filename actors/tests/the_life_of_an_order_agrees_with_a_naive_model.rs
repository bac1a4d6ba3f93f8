//! Random commands on random orders: the rules agree with a naive model step by step, and money and stock are
//! conserved at every step: captured = payouts + commission + shipping + tax, each less what was given back.
//!
//! A failure prints the smallest sequence that shows it, and its seed is kept beside this file.

#![expect(
    clippy::indexing_slicing,
    reason = "the naive copy is written to be obvious; a panic fails the test"
)]

use floodgate_actors::rules::{LifeCommand, RefundAsked, RefundWhat, Who, judge_command};
use floodgate_persistence::model::{
    Bucket, Currency, Money, OrderChange, OrderChanged, OrderLife, OrderPlaced, OrderStatus, PartLife,
    Refund, SellerId, Timestamp,
};
use naive_life::Naive;
use orders_in_life::{EXPIRES_AT, Sold, brl, order_of};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use std::collections::BTreeMap;

mod naive_life;
mod orders_in_life;

/// Stands for the total of the order that a payment is for.
const RIGHT: Money = Money(-1);

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_500,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_commands(order in order(), steps in prop::collection::vec(step(), 1..40)) {
        let mut books = Books::new(&order);
        for (mut command, now) in steps {
            if let LifeCommand::PaymentSucceeded { amount, .. } = &mut command
                && *amount == RIGHT
            {
                *amount = order.total;
            }
            books.step(command, now)?;
        }
    }

    /// Refunds of a paid order, by card with the gateway's answers in any order, or in cash; then the rest: it is
    /// taken whole and exactly.
    #[test]
    fn refunds_in_any_steps_never_drift(
        order in order(),
        cash in any::<bool>(),
        steps in prop::collection::vec(refunds(), 1..30),
    ) {
        let status = if cash { OrderStatus::Confirmed } else { OrderStatus::PendingPayment };
        let order = OrderPlaced { status, ..order };
        let mut books = Books::new(&order);
        let pay = if cash { LifeCommand::TakeCash { who: Who::Admin } } else { paid(0, 0, order.total, brl()) };
        books.step(pay, Timestamp(1))?;
        for command in steps {
            books.step(command, Timestamp(2))?;
        }
        books.settle_all()?;
        books.step(refund(Who::Admin, RefundWhat::Whole, true), Timestamp(3))?;
        books.settle_all()?;
        books.ends_at_zero()?;
    }
}

/// An order with its life, the naive model of it, and the sums that its events moved.
struct Books {
    order: OrderPlaced,
    life: OrderLife,
    naive: Naive,
    ledger: BTreeMap<(SellerId, Bucket), i64>,
    referral: BTreeMap<Bucket, i64>,
    /// Pieces back in stock by product.
    stock: BTreeMap<u64, i64>,
    coupons_back: usize,
}

impl Books {
    fn new(order: &OrderPlaced) -> Self {
        let pending = order.sellers.iter().map(|share| ((share.seller_id, Bucket::Pending), share.payout.0));
        Self {
            life: OrderLife::placed(order, Timestamp(0)),
            naive: Naive::new(order),
            ledger: pending.collect(),
            referral: order.referral.iter().map(|referral| (Bucket::Pending, referral.amount.0)).collect(),
            stock: BTreeMap::new(),
            coupons_back: 0,
            order: order.clone(),
        }
    }

    fn step(&mut self, command: LifeCommand, now: Timestamp) -> Result<(), TestCaseError> {
        let wanted = self.naive.step(&command, now);
        let got = judge_command(&self.order, &self.life, command, now);
        let told = got.as_ref().ok().map(|events| events.iter().map(told).collect::<Vec<_>>());
        prop_assert_eq!(&told, &wanted, "{:?}", got);
        for event in got.into_iter().flatten() {
            self.apply(event);
            self.add_up()?;
        }
        prop_assert_eq!(self.life.status.as_str(), self.naive.status);
        let stock: BTreeMap<u64, i64> = self.stock.clone();
        for (place, pieces) in &self.naive.stock {
            let product = self.order.lines[*place].product_id.0;
            prop_assert_eq!(i128::from(stock.get(&product).copied().unwrap_or(0)), *pieces);
        }
        Ok(())
    }

    fn apply(&mut self, event: OrderChanged) {
        for row in &event.ledger {
            *self.ledger.entry((row.seller_id, row.bucket)).or_default() += row.amount.0;
        }
        if let Some(moved) = &event.referral {
            *self.referral.entry(moved.from).or_default() -= moved.amount.0;
            *self.referral.entry(moved.to).or_default() += moved.amount.0;
        }
        for back in &event.stock {
            *self.stock.entry(back.product_id.0).or_default() += i64::from(back.quantity);
        }
        self.coupons_back += usize::from(event.coupon.is_some());
        self.life = event.after;
    }

    /// What holds after every event.
    fn add_up(&self) -> Result<(), TestCaseError> {
        let (order, life) = (&self.order, &self.life);
        let open: i64 = life.open_refunds.iter().map(|refund| refund.amount.0).sum();
        let captured = life.captured.as_ref().map_or(0, |captured| captured.amount.0);
        prop_assert!(life.refunded_total.0 + open <= captured, "more went back than came");
        let lines: i64 = life.refunded_lines.iter().map(|line| line.amount.0).sum();
        prop_assert_eq!(lines + life.refunded_shipping.0 + life.refunded_tax.0, life.refunded_total.0);
        if life.captured.is_some() {
            let parts = |of: fn(&PartLife) -> i64| life.parts.iter().map(of).sum::<i64>();
            let payouts = order.sellers.iter().map(|share| share.payout.0).sum::<i64>()
                - parts(|part| part.payout_reversed.0);
            let commission = order.sellers.iter().map(|share| share.commission.0).sum::<i64>()
                - parts(|part| part.commission_reversed.0);
            let shipping = order.shipping.0 - life.refunded_shipping.0;
            let tax = order.tax.0 - life.refunded_tax.0;
            prop_assert!([payouts, commission, shipping, tax].iter().all(|part| *part >= 0));
            prop_assert_eq!(captured - life.refunded_total.0, payouts + commission + shipping + tax);
        }
        self.buckets_add_up()?;
        for line in &order.lines {
            let back = self.stock.get(&line.product_id.0).copied().unwrap_or(0);
            prop_assert!((0..=i64::from(line.stock_taken)).contains(&back), "{} of {:?}", back, line);
        }
        let used = usize::from(order.coupon.is_some() && life.cancelled.is_some());
        prop_assert_eq!(self.coupons_back, used);
        Ok(())
    }

    fn buckets_add_up(&self) -> Result<(), TestCaseError> {
        for share in &self.order.sellers {
            let of = |bucket| self.ledger.get(&(share.seller_id, bucket)).copied().unwrap_or(0);
            let [pending, earned, reversed] = [Bucket::Pending, Bucket::Earned, Bucket::Reversed].map(of);
            prop_assert!(pending >= 0 && earned >= 0 && reversed >= 0);
            prop_assert_eq!(pending + earned + reversed, share.payout.0);
            let part = self.life.parts.iter().find(|part| part.seller_id == share.seller_id);
            if self.life.captured.is_some() {
                prop_assert_eq!(reversed, part.map_or(0, |part| part.payout_reversed.0));
                let sent = part.is_some_and(|part| part.fulfilled);
                prop_assert_eq!(if sent { pending } else { earned }, 0);
            }
        }
        prop_assert!(self.referral.values().all(|amount| *amount >= 0), "{:?}", self.referral);
        let agreed = self.order.referral.map_or(0, |referral| referral.amount.0);
        prop_assert_eq!(self.referral.values().sum::<i64>(), agreed);
        Ok(())
    }

    fn settle_all(&mut self) -> Result<(), TestCaseError> {
        for refund in self.life.open_refunds.clone() {
            self.step(
                LifeCommand::RefundSucceeded { number: refund.number, refund_id: "re".into() },
                Timestamp(4),
            )?;
        }
        Ok(())
    }

    /// All went back: nothing is left anywhere, to the cent and to the piece.
    fn ends_at_zero(&self) -> Result<(), TestCaseError> {
        let life = &self.life;
        if self.order.total == Money::ZERO {
            return Ok(());
        }
        prop_assert_eq!(life.status, OrderStatus::Refunded);
        prop_assert_eq!(life.refunded_total, self.order.total);
        prop_assert_eq!((life.refunded_shipping, life.refunded_tax), (self.order.shipping, self.order.tax));
        for share in &self.order.sellers {
            let part = life.parts.iter().find(|part| part.seller_id == share.seller_id);
            let back =
                part.map_or((Money::ZERO, Money::ZERO), |p| (p.commission_reversed, p.payout_reversed));
            prop_assert_eq!(back, (share.commission, share.payout));
        }
        let kept =
            [Bucket::Pending, Bucket::Earned].map(|bucket| self.referral.get(&bucket).copied().unwrap_or(0));
        let net = self.order.subtotal.0 - self.order.discount.0;
        prop_assert!(net == 0 || kept == [0, 0], "{:?}", kept);
        Ok(())
    }
}

/// An event in the naive model's words.
fn told(event: &OrderChanged) -> String {
    match &event.change {
        OrderChange::PaymentStarted => "payment_started".into(),
        OrderChange::Paid { .. } => "paid".into(),
        OrderChange::PaymentFailed { .. } => "payment_failed".into(),
        OrderChange::Cancelled { .. } => "cancelled".into(),
        OrderChange::RefundStarted(refund) => told_refund("refund_started", refund),
        OrderChange::Refunded { refund, .. } => told_refund("refunded", refund),
        OrderChange::RefundFailed(refund) => format!("refund_failed r{}", refund.number),
        OrderChange::Fulfilled { sellers } => {
            format!("fulfilled {}", sellers.iter().map(|id| id.to_string()).collect::<Vec<_>>().join("+"))
        }
        OrderChange::StrayPayment(stray) => format!("stray r{} {}", stray.refund, stray.amount),
        OrderChange::StrayRefunded(stray) => format!("stray_refunded r{}", stray.refund),
        OrderChange::StrayRefundFailed(stray) => format!("stray_refund_failed r{}", stray.refund),
    }
}

fn told_refund(kind: &str, refund: &Refund) -> String {
    let Refund { number, amount, shipping, tax, .. } = refund;
    let commission: i64 = refund.parts.iter().map(|part| part.commission.0).sum();
    let lines: Vec<_> =
        refund.lines.iter().map(|line| format!("{}:{}={}", line.line, line.quantity, line.amount)).collect();
    format!(
        "{kind} r{number} {amount} shipping {shipping} tax {tax} commission {commission} {}",
        lines.join(" ")
    )
}

// ---- random orders and commands ------------------------------------------------------------------------------

fn order() -> impl Strategy<Value = OrderPlaced> {
    let price = prop_oneof![1 => Just(0), 3 => 1..20_i64, 3 => 1..5_000_i64];
    let line = (1..=3_u64, 1..=4_u32, price, 0..=100_i64, any::<bool>());
    let line = line.prop_map(|(seller, quantity, price, percent, counted)| -> Sold {
        let gross = price * i64::from(quantity);
        (seller, quantity, price, if percent > 30 { 0 } else { gross * percent / 100 }, counted)
    });
    let charges = (select(vec![0, 1, 7, 700]), select(vec![0, 1, 13, 270]));
    let bps = select(vec![0, 1, 1_000, 3_333, 10_000]);
    let lines = prop::collection::vec(line, 1..=5);
    (lines, bps, charges, any::<bool>(), any::<bool>()).prop_map(
        |(lines, bps, (shipping, tax), referred, cod)| {
            let net: i64 = lines.iter().map(|line| line.2 * i64::from(line.1) - line.3).sum();
            let referral = Some(net / 20).filter(|share| referred && *share > 0);
            // No tax on nothing, no order that costs nothing: those are paid at once.
            let (shipping, tax) = if net == 0 { (shipping.max(1), 0) } else { (shipping, tax) };
            let status = if cod { OrderStatus::Confirmed } else { OrderStatus::PendingPayment };
            OrderPlaced { status, ..order_of(&lines, bps, shipping, tax, referral) }
        },
    )
}

fn step() -> impl Strategy<Value = (LifeCommand, Timestamp)> {
    let now = prop_oneof![12 => Just(Timestamp(1)), 1 => Just(EXPIRES_AT)];
    let command = prop_oneof![
        2 => Just(LifeCommand::BeginPayment { token: "tok".into(), answers_checkout: false }),
        4 => money_in(),
        1 => (0..3_u32).prop_map(|attempt| LifeCommand::PaymentDeclined { attempt, in_time: true }),
        2 => who().prop_map(|who| LifeCommand::TakeCash { who }),
        1 => who().prop_map(|who| LifeCommand::Cancel { who, detail: "".into() }),
        1 => Just(LifeCommand::Expire),
        10 => refunds(),
        3 => (who(), prop::option::of((1..=4_u64).prop_map(SellerId)))
            .prop_map(|(who, seller)| LifeCommand::Fulfil { who, seller }),
    ];
    (command, now)
}

/// Mostly the right amount: the order's total is not known here, [`RIGHT`] stands for it.
fn money_in() -> impl Strategy<Value = LifeCommand> {
    let amount = prop_oneof![1 => 1..3_000_i64, 4 => Just(RIGHT.0)];
    (0..3_u32, 0..6_u32, amount).prop_map(|(attempt, name, amount)| paid(attempt, name, Money(amount), brl()))
}

fn paid(attempt: u32, name: u32, amount: Money, currency: Currency) -> LifeCommand {
    let payment_id = format!("pay_{name}").into();
    LifeCommand::PaymentSucceeded { attempt, payment_id, amount, currency, in_time: true }
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![1 => Just(Who::Shop), 4 => Just(Who::Admin), 2 => (1..=4_u64).prop_map(|id| Who::Seller(SellerId(id)))]
}

fn refund(who: Who, what: RefundWhat, restock: bool) -> LifeCommand {
    LifeCommand::Refund { who, asked: RefundAsked { what, restock, seller: None, reason: "".into() } }
}

fn refunds() -> impl Strategy<Value = LifeCommand> {
    let item = (
        prop_oneof![20 => 1..=5_u16, 1 => Just(9)],
        prop_oneof![20 => 1..=2_u32, 1 => Just(0), 1 => 3..6_u32],
    );
    let items = prop::collection::vec(item, 0..3);
    let shipping = prop_oneof![3 => Just(0), 1 => 1..5_i64, 1 => -1..800_i64];
    let what = prop_oneof![
        1 => Just(RefundWhat::Whole),
        5 => (items, shipping).prop_map(|(items, shipping)| RefundWhat::Lines { items, shipping: Money(shipping) }),
        3 => prop_oneof![1..20_i64, -1..2_000_i64].prop_map(|amount| RefundWhat::Amount(Money(amount))),
    ];
    let asked = (who(), what, any::<bool>()).prop_map(|(who, what, restock)| refund(who, what, restock));
    let number = 0..12_u32;
    prop_oneof![
        5 => asked,
        3 => number.clone().prop_map(|number| LifeCommand::RefundSucceeded { number, refund_id: "re".into() }),
        1 => number.prop_map(|number| LifeCommand::RefundFailed { number }),
    ]
}
