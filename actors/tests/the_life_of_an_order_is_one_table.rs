//! Every situation of an order against every command: one row a command, one table a situation, the whole outcome.
//!
//! An outcome is the refusal, or the events in order, each with what it moved: `+3 of 1` pieces back to stock,
//! `coupon` its use given back, `3: pending-9 earned+9` the sellers' ledger, `ref pending>earned 9` the referrer;
//! at the end the status, where it changed. `a` is the attempt that is under way after it.

use floodgate_actors::rules::{
    LifeCommand, LifeRefusal, RefundAsked, RefundRefusal, RefundWhat, Who, judge_command,
};
use floodgate_persistence::model::{
    Bucket, Currency, FirstAnswer, Money, OrderChange, OrderChanged, OrderLife, OrderPlaced, OrderStatus,
    SellerId, Timestamp,
};
use orders_in_life::{EXPIRES_AT, brl, order_of};

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

/// The contract's worked example, with a referral of 5 %.
fn worked_example() -> OrderPlaced {
    order_of(&[(3, 2, 1000, 200, true), (4, 1, 999, 100, false)], 1_000, 700, 270, Some(135))
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

/// The goods of a cancelled order go back once, whatever becomes of its money and whatever its refunds ask for.
#[test]
fn goods_return_once() {
    let whole = || refund(ADMIN, RefundWhat::Whole);
    let (one, failed) = (refund(ADMIN, lines(&[(1, 1)])), |number| LifeCommand::RefundFailed { number });
    let rows: [(Vec<LifeCommand>, u32); 4] = [
        (vec![cancel(ADMIN), failed(1), whole(), went_back(2)], 2),
        (vec![one.clone(), cancel(ADMIN), failed(1), went_back(2), whole(), went_back(3)], 2),
        (vec![one.clone(), cancel(ADMIN), went_back(1), went_back(2)], 2),
        (vec![one, went_back(1), whole(), went_back(2)], 2),
    ];
    for (path, pieces) in rows {
        let path = [begin(), paid(1, "pay_1", 3669, brl())].into_iter().chain(path);
        let events = events_of(&worked_example(), path.collect());
        let back: u32 = events.iter().flat_map(|event| &event.stock).map(|stock| stock.quantity).sum();
        let last = &events.last().expect("something happened").after;
        assert_eq!((back, last.refunded_total), (pieces, Money(3669)), "{events:?}");
    }
}

/// What a checkout with a token was answered stays what it is, whatever comes later.
#[test]
fn the_first_answer_is_remembered() {
    let first = || LifeCommand::BeginPayment { token: "tok_ok".into(), answers_checkout: true };
    let late = |command| match command {
        LifeCommand::PaymentSucceeded { attempt, payment_id, amount, currency, .. } => {
            LifeCommand::PaymentSucceeded { attempt, payment_id, amount, currency, in_time: false }
        }
        _ => LifeCommand::PaymentDeclined { attempt: 1, in_time: false },
    };
    let pays = || paid(1, "pay_1", 3669, brl());
    let declines = || LifeCommand::PaymentDeclined { attempt: 1, in_time: true };
    let rows = [
        (vec![begin(), pays()], FirstAnswer::Placed),
        (vec![first()], FirstAnswer::Waiting),
        (vec![first(), pays()], FirstAnswer::Paid),
        (vec![first(), late(pays())], FirstAnswer::Placed),
        (vec![first(), declines()], FirstAnswer::Declined),
        (vec![first(), late(declines())], FirstAnswer::Placed),
        (vec![first(), declines(), begin(), paid(2, "pay_2", 3669, brl())], FirstAnswer::Declined),
        (vec![first(), paid(1, "pay_1", 1, brl())], FirstAnswer::Placed),
        (vec![first(), cancel(ADMIN), pays()], FirstAnswer::Placed),
    ];
    for (path, wanted) in rows {
        assert_eq!(walk(&worked_example(), path.clone()).first_answer, wanted, "{path:?}");
    }
}

/// A refund names the payment that it gives back, also in the life of the order until its outcome is known.
#[test]
fn a_refund_knows_its_payment_and_reason() {
    let path = vec![begin(), paid(1, "pay_1", 3669, brl()), refund(ADMIN, lines(&[(2, 1)]))];
    let life = walk(&worked_example(), path);
    let [open] = &life.open_refunds[..] else { panic!("one refund is under way") };
    assert_eq!((open.number, &*open.payment_id, &*open.reason), (1, "pay_1", "broken"));
    assert!(life.is_unfinished());
    assert_eq!(life.captured.map(|captured| captured.amount), Some(Money(3669)));
}

/// Where what went back ran ahead of the running total, or behind it, a refund takes nothing below zero and no more
/// than itself: tax after an amount that hit the tax, commission after every other refund failed.
#[test]
fn no_part_of_a_refund_runs_below_zero_or_above_itself() {
    let six = (3, 1, 6, 0, true);
    let order = order_of(&[(3, 1, 1, 0, true), six, six, six, six], 0, 0, 7, None);
    let hits_tax = LifeCommand::Refund { who: ADMIN, asked: asked(RefundWhat::Amount(Money(1)), false) };
    let path = vec![begin(), paid(1, "pay_1", 32, brl()), hits_tax, refund(ADMIN, lines(&[(1, 1)]))];
    let taken: Vec<_> =
        walk(&order, path).open_refunds.iter().map(|refund| (refund.tax.0, refund.amount.0)).collect();
    assert_eq!(taken, [(1, 1), (0, 1)]);

    let order = order_of(&[(3, 20, 1, 0, true)], 5_000, 0, 0, None);
    for (fails, commission) in [(0, 0), (1, 1)] {
        let mut path = vec![begin(), paid(1, "pay_1", 20, brl())];
        path.extend((1..=10).map(|_| refund(ADMIN, lines(&[(1, 1)]))));
        path.extend((1..=10).map(|number| match number % 2 == fails {
            true => LifeCommand::RefundFailed { number },
            false => went_back(number),
        }));
        path.push(refund(ADMIN, lines(&[(1, 1)])));
        let part = walk(&order, path).open_refunds[0].parts[0];
        assert_eq!((part.commission.0, part.payout.0), (commission, 1 - commission));
    }
}

/// What a refund may not ask for, each with what is left.
#[test]
fn refunds_ask_for_what_is_there() {
    let order = worked_example();
    let seller = Who::Seller(SellerId(4));
    let with_shipping = |shipping| RefundWhat::Lines { items: vec![(1, 1)], shipping: Money(shipping) };
    let amount = |amount| RefundWhat::Amount(Money(amount));
    let rows = [
        (ADMIN, lines(&[(3, 1)]), RefundRefusal::UnknownLine(3)),
        (seller, lines(&[(1, 1)]), RefundRefusal::UnknownLine(1)),
        (ADMIN, lines(&[(1, 3)]), RefundRefusal::PiecesOutOfRange { line: 1, left: 2 }),
        (ADMIN, lines(&[(1, 1), (1, 2)]), RefundRefusal::PiecesOutOfRange { line: 1, left: 2 }),
        (ADMIN, lines(&[(1, u32::MAX), (1, u32::MAX)]), RefundRefusal::PiecesOutOfRange { line: 1, left: 2 }),
        (ADMIN, lines(&[(1, 0)]), RefundRefusal::PiecesOutOfRange { line: 1, left: 2 }),
        (ADMIN, with_shipping(701), RefundRefusal::AmountOutOfRange { left: Money(700) }),
        (ADMIN, with_shipping(-1), RefundRefusal::AmountOutOfRange { left: Money(700) }),
        (seller, with_shipping(1), RefundRefusal::ShippingNotOwn),
        (ADMIN, amount(3670), RefundRefusal::AmountOutOfRange { left: Money(3669) }),
        (ADMIN, amount(i64::MAX), RefundRefusal::AmountOutOfRange { left: Money(3669) }),
        (ADMIN, amount(0), RefundRefusal::AmountOutOfRange { left: Money(3669) }),
        (ADMIN, amount(-1), RefundRefusal::AmountOutOfRange { left: Money(3669) }),
        (seller, amount(900), RefundRefusal::AmountOutOfRange { left: Money(899) }),
        (ADMIN, lines(&[]), RefundRefusal::NothingLeft),
    ];
    let life = walk(&order, vec![begin(), paid(1, "pay_1", 3669, brl())]);
    for (who, what, wanted) in rows {
        let command = LifeCommand::Refund { who, asked: asked(what.clone(), false) };
        let got = judge_command(&order, &life, command, Timestamp(1));
        assert_eq!(got, Err(LifeRefusal::Refund(wanted)), "{what:?}");
    }
    let got = judge_command(&order, &life, refund(ADMIN, amount(1)), Timestamp(1));
    assert_eq!(got, Err(LifeRefusal::Refund(RefundRefusal::RestockNeedsLines)));
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
    let last = events_of(order, path).pop();
    last.map_or_else(|| OrderLife::placed(order, Timestamp(0)), |event| event.after)
}

fn events_of(order: &OrderPlaced, path: Vec<LifeCommand>) -> Vec<OrderChanged> {
    let mut life = OrderLife::placed(order, Timestamp(0));
    let mut events = Vec::new();
    for command in path {
        events.extend(judge_command(order, &life, command, Timestamp(1)).expect("the way leads there"));
        life = events.last().map_or(life, |event: &OrderChanged| event.after.clone());
    }
    events
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
