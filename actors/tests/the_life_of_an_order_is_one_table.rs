//! Every situation of an order against every command: one row a command, one table a situation, the whole outcome.
//!
//! An outcome is the refusal, or the events in order, each with what it moved: `+3 of 1` pieces back to stock,
//! `coupon` its use given back, `3: pending-9 earned+9` the sellers' ledger, `ref pending>earned 9` the referrer;
//! at the end the status, where it changed. `a` is the attempt that is under way after it.

use floodgate_actors::rules::{LifeCommand, LifeRefusal, RefundAsked, RefundWhat, Who, judge_command};
use floodgate_persistence::model::{
    Bucket, Currency, Money, OrderChange, OrderChanged, OrderLife, OrderPlaced, OrderStatus, SellerId,
    Timestamp,
};
use orders_in_life::{EXPIRES_AT, brl, worked_example};

mod orders_in_life;

const ADMIN: Who = Who::Admin;

/// The commands, by the names of the rows.
fn commands() -> Vec<(&'static str, LifeCommand, Timestamp)> {
    let soon = Timestamp(1);
    let own = Who::Seller(SellerId(3));
    let part = |seller| LifeCommand::Fulfil { who: ADMIN, seller };
    vec![
        ("begin payment", begin(), soon),
        ("begin, overdue", begin(), EXPIRES_AT),
        ("paid", paid(1, "pay_1", 3669, brl()), soon),
        ("paid by callback", paid(0, "pay_1", 3669, brl()), soon),
        ("paid otherwise", paid(1, "pay_2", 3669, brl()), soon),
        ("paid too little", paid(1, "pay_2", 3668, brl()), soon),
        ("paid in dollars", paid(1, "pay_2", 3669, Currency::new("USD").expect("three letters")), soon),
        ("declined", LifeCommand::PaymentDeclined { attempt: 1, in_time: true }, soon),
        ("another declined", LifeCommand::PaymentDeclined { attempt: 9, in_time: true }, soon),
        ("take cash", LifeCommand::TakeCash { who: ADMIN }, soon),
        ("cash by the shop", LifeCommand::TakeCash { who: Who::Shop }, soon),
        ("cash by one seller", LifeCommand::TakeCash { who: own }, soon),
        ("cancel by customer", cancel(Who::Shop), soon),
        ("cancel by admin", cancel(ADMIN), soon),
        ("cancel by one seller", cancel(own), soon),
        ("expire, early", LifeCommand::Expire, soon),
        ("expire", LifeCommand::Expire, EXPIRES_AT),
        ("refund whole", refund(ADMIN, RefundWhat::Whole), soon),
        ("refund a line", refund(ADMIN, lines(&[(1, 1)])), soon),
        (
            "refund an amount",
            LifeCommand::Refund { who: ADMIN, asked: asked(RefundWhat::Amount(Money(100)), false) },
            soon,
        ),
        ("refund by seller", refund(own, RefundWhat::Whole), soon),
        ("refund by the shop", refund(Who::Shop, RefundWhat::Whole), soon),
        ("refund by a stranger", refund(Who::Seller(SellerId(9)), RefundWhat::Whole), soon),
        ("refund 1 went back", went_back(1), soon),
        ("refund 1 failed", LifeCommand::RefundFailed { number: 1 }, soon),
        ("refund 9 went back", went_back(9), soon),
        ("fulfil", part(None), soon),
        ("fulfil one part", part(Some(SellerId(4))), soon),
        ("fulfil, a stranger's", part(Some(SellerId(9))), soon),
        ("fulfil, not own", LifeCommand::Fulfil { who: own, seller: Some(SellerId(4)) }, soon),
    ]
}

fn begin() -> LifeCommand {
    LifeCommand::BeginPayment { token: "tok_ok".into(), answers_checkout: false }
}

fn paid(attempt: u32, payment_id: &str, amount: i64, currency: Currency) -> LifeCommand {
    let amount = Money(amount);
    LifeCommand::PaymentSucceeded { attempt, payment_id: payment_id.into(), amount, currency, in_time: true }
}

fn cancel(who: Who) -> LifeCommand {
    LifeCommand::Cancel { who, detail: "changed my mind".into() }
}

fn lines(items: &[(u16, u32)]) -> RefundWhat {
    RefundWhat::Lines { items: items.to_vec(), shipping: Money::ZERO }
}

fn asked(what: RefundWhat, restock: bool) -> RefundAsked {
    RefundAsked { what, restock, seller: None, reason: "broken".into() }
}

fn refund(who: Who, what: RefundWhat) -> LifeCommand {
    LifeCommand::Refund { who, asked: asked(what, true) }
}

fn went_back(number: u32) -> LifeCommand {
    LifeCommand::RefundSucceeded { number, refund_id: "re_1".into() }
}

/// How an order comes into each situation: the name, the status it was placed with, the commands.
fn situations() -> Vec<(&'static str, OrderStatus, Vec<LifeCommand>)> {
    let (pending, confirmed) = (OrderStatus::PendingPayment, OrderStatus::Confirmed);
    let card = || vec![begin(), paid(1, "pay_1", 3669, brl())];
    let with = |more: Vec<LifeCommand>| card().into_iter().chain(more).collect();
    let fulfil = |seller| LifeCommand::Fulfil { who: ADMIN, seller };
    let whole = || refund(ADMIN, RefundWhat::Whole);
    let one = || refund(ADMIN, lines(&[(1, 1)]));
    vec![
        ("pending_payment", pending, vec![]),
        ("pending_payment, attempt under way", pending, vec![begin()]),
        ("confirmed", confirmed, vec![]),
        ("paid by card", pending, card()),
        ("paid in cash", confirmed, vec![LifeCommand::TakeCash { who: ADMIN }]),
        ("paid, one part went out", pending, with(vec![fulfil(Some(SellerId(3)))])),
        ("paid, a line's refund under way", pending, with(vec![one()])),
        ("paid, the whole refund under way", pending, with(vec![whole()])),
        ("fulfilled", pending, with(vec![fulfil(None)])),
        ("partially_refunded", pending, with(vec![one(), went_back(1)])),
        ("refunded", pending, with(vec![whole(), went_back(1)])),
        ("cancelled unpaid", pending, vec![cancel(Who::Shop)]),
        ("cancelled, attempt under way", pending, vec![begin(), cancel(Who::Shop)]),
        ("cancelled, refund under way", pending, with(vec![cancel(ADMIN)])),
        (
            "cancelled, refund failed",
            pending,
            with(vec![cancel(ADMIN), LifeCommand::RefundFailed { number: 1 }]),
        ),
        ("cancelled, stray payment", pending, vec![cancel(ADMIN), paid(0, "pay_1", 3669, brl())]),
    ]
}

#[test]
fn every_status_and_command() {
    let told = situations().into_iter().map(|(name, status, path)| table(name, status, path));
    let told = told.collect::<Vec<_>>().join("\n");
    let wanted = include_str!("the_life_of_an_order_is_one_table.txt");
    for (number, (row, wanted)) in (1..).zip(told.lines().zip(wanted.lines())) {
        assert_eq!(row, wanted, "line {number} of the table; all of it:\n{told}");
    }
    assert_eq!(told.trim_end(), wanted.trim_end());
}

/// Each status appears, and each kind of change: a new one without a row is found here.
#[test]
fn the_table_is_whole() {
    let table = include_str!("the_life_of_an_order_is_one_table.txt");
    for status in OrderStatus::ALL {
        let begins = |line: &str| line.starts_with(&format!("# {}", status.as_str()));
        let reached =
            table.lines().any(begins) || (status == OrderStatus::Paid && table.contains("# paid by card"));
        assert!(reached, "{}", status.as_str());
    }
    for change in [
        "payment_started",
        "paid",
        "payment_failed",
        "cancelled",
        "refund_started",
        "refunded",
        "refund_failed",
        "fulfilled",
        "stray",
        "stray_refunded",
        "stray_refund_failed",
    ] {
        assert!(table.split_whitespace().any(|word| word == change), "{change}");
    }
}

fn table(name: &str, status: OrderStatus, path: Vec<LifeCommand>) -> String {
    let order = OrderPlaced { status, ..worked_example() };
    let life = walk(&order, path);
    let mut rows = format!("# {name}");
    for (command, wanted, now) in commands() {
        let outcome = match judge_command(&order, &life, wanted, now) {
            Ok(events) => told_events(&life, &events),
            Err(refusal) => told_refusal(refusal),
        };
        rows += &format!("\n{command:<22}{outcome}");
    }
    rows + "\n"
}

fn walk(order: &OrderPlaced, path: Vec<LifeCommand>) -> OrderLife {
    let placed = OrderLife::placed(order, Timestamp(0));
    path.into_iter().fold(placed, |life, command| {
        let events = judge_command(order, &life, command, Timestamp(1)).expect("the way leads there");
        events.last().expect("something happened").after.clone()
    })
}

fn told_refusal(refusal: LifeRefusal) -> String {
    match refusal {
        LifeRefusal::InvalidTransition(status) => format!("- invalid_transition from {}", status.as_str()),
        LifeRefusal::AlreadyPaid(status) => format!("- already paid: {}", status.as_str()),
        other => format!("- {other:?}"),
    }
}

fn told_events(before: &OrderLife, events: &[OrderChanged]) -> String {
    let told: Vec<String> = events.iter().map(told_event).collect();
    let after = &events.last().expect("something happened").after;
    let mut told = told.join(" / ");
    if after.attempt != before.attempt {
        told += after.attempt.as_ref().map_or(" a-", |_| " a+");
    }
    if after.status != before.status {
        told += &format!(" => {}", after.status.as_str());
    }
    told
}

fn told_event(event: &OrderChanged) -> String {
    let mut told = vec![told_change(&event.change)];
    told.extend(event.stock.iter().map(|stock| format!("+{} of {}", stock.quantity, stock.product_id)));
    told.extend(event.coupon.iter().map(|_| "coupon".to_owned()));
    told.extend(
        event.ledger.iter().map(|row| format!("{}:{}{:+}", row.seller_id, row.bucket.as_str(), row.amount.0)),
    );
    let bucket = Bucket::as_str;
    told.extend(
        event
            .referral
            .iter()
            .map(|moved| format!("ref {}>{} {}", bucket(moved.from), bucket(moved.to), moved.amount)),
    );
    told.join(" ")
}

fn told_change(change: &OrderChange) -> String {
    match change {
        OrderChange::PaymentStarted => "payment_started".into(),
        OrderChange::Paid { attempt } => format!("paid by attempt {attempt}"),
        OrderChange::PaymentFailed { attempt } => format!("payment_failed attempt {attempt}"),
        OrderChange::Cancelled { by, .. } => format!("cancelled by {}", by.as_str()),
        OrderChange::RefundStarted(refund) => format!("refund_started r{} {}", refund.number, refund.amount),
        OrderChange::Refunded { refund, .. } => format!("refunded r{} {}", refund.number, refund.amount),
        OrderChange::RefundFailed(refund) => format!("refund_failed r{} {}", refund.number, refund.amount),
        OrderChange::Fulfilled { sellers } => {
            format!("fulfilled {}", sellers.iter().map(|id| id.to_string()).collect::<Vec<_>>().join("+"))
        }
        OrderChange::StrayPayment(stray) => {
            format!("stray r{} {} {}", stray.refund, stray.amount, stray.currency)
        }
        OrderChange::StrayRefunded(stray) => format!("stray_refunded r{} {}", stray.refund, stray.amount),
        OrderChange::StrayRefundFailed(stray) => {
            format!("stray_refund_failed r{} {}", stray.refund, stray.amount)
        }
    }
}
