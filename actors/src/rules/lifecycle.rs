use super::refund::{RefundAsked, RefundRefusal};
use changes::Changes;
use floodgate_persistence::model::{
    Currency, Money, OrderChanged, OrderLife, OrderPlaced, OrderStatus, SellerId, Timestamp,
};

mod changes;
mod ending;
mod fulfilment;
mod giving_back;
mod payment;

/// What somebody, the gateway or the clock wants of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifeCommand {
    /// Try to take its money by card.
    BeginPayment {
        /// What the gateway is given.
        token: Box<str>,
        /// It comes with the checkout, whose answer waits for it.
        answers_checkout: bool,
    },
    /// The gateway took money: as an answer or by callback.
    PaymentSucceeded {
        /// Which attempt; 0: a callback that does not know.
        attempt: u32,
        /// The gateway's name for it.
        payment_id: Box<str>,
        /// What came.
        amount: Money,
        /// Its currency.
        currency: Currency,
        /// The checkout still waits for its answer.
        in_time: bool,
    },
    /// The gateway declined.
    PaymentDeclined {
        /// Which attempt; 0: a callback that does not know.
        attempt: u32,
        /// The checkout still waits for its answer.
        in_time: bool,
    },
    /// The cash of a cash-on-delivery order is there.
    TakeCash {
        /// Who says so.
        who: Who,
    },
    /// End it before it goes out.
    Cancel {
        /// Who wants it.
        who: Who,
        /// In words, at most 500 characters.
        detail: Box<str>,
    },
    /// Its time to be paid is over.
    Expire,
    /// Give money back.
    Refund {
        /// Who wants it; a seller only their own.
        who: Who,
        /// What.
        asked: RefundAsked,
    },
    /// The gateway gave back, of the order's payment or of a stray one.
    RefundSucceeded {
        /// Number of the refund.
        number: u32,
        /// The gateway's name for it.
        refund_id: Box<str>,
    },
    /// The gateway refuses to give back.
    RefundFailed {
        /// Number of the refund.
        number: u32,
    },
    /// Goods went out.
    Fulfil {
        /// Who says so; a seller only of their own.
        who: Who,
        /// Whose; `None`: all that is theirs to say.
        seller: Option<SellerId>,
    },
}

/// Whose credential a command came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The shop, for its customer.
    Shop,
    /// A seller: their part only.
    Seller(SellerId),
    /// An operator.
    Admin,
}

/// Why a command changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeRefusal {
    /// Not with this credential, or not for another seller's part.
    Forbidden,
    /// Nothing of the order is this seller's: to them it does not exist.
    NotFound,
    /// The status does not allow it.
    InvalidTransition(OrderStatus),
    /// It has its money; the status that it has by now.
    AlreadyPaid(OrderStatus),
    /// An attempt is under way.
    PaymentInProgress,
    /// Its time is over, or (for an expiry) not over yet.
    NotInTime,
    /// The journal has it already: a repetition, to be answered like the first.
    AlreadyKnown,
    /// No such refund was ever begun: somebody has to look.
    UnknownRefund,
    /// The refund asks for what is not there.
    Refund(RefundRefusal),
}

/// Judges a command on an order. The events come in their order, each with the order's life after it; without what
/// only the journal thread knows: the number of a credit note is empty, and the caller says what idempotency key or
/// callback the first of them burnt.
///
/// Who may do it comes first, then repetition, then the status, then the details.
pub fn judge_command(
    order: &OrderPlaced,
    life: &OrderLife,
    command: LifeCommand,
    now: Timestamp,
) -> Result<Vec<OrderChanged>, LifeRefusal> {
    let mut changes = Changes::new(order, life, now);
    match command {
        LifeCommand::BeginPayment { token, answers_checkout } => {
            changes.begin_payment(token, answers_checkout)
        }
        LifeCommand::PaymentSucceeded { attempt, payment_id, amount, currency, in_time } => {
            changes.payment_succeeded(attempt, payment_id, (amount, currency), in_time)
        }
        LifeCommand::PaymentDeclined { attempt, in_time } => changes.payment_declined(attempt, in_time),
        LifeCommand::TakeCash { who } => changes.take_cash(who),
        LifeCommand::Cancel { who, detail } => changes.cancel(who, detail),
        LifeCommand::Expire => changes.expire(),
        LifeCommand::Refund { who, asked } => changes.refund(who, asked),
        LifeCommand::RefundSucceeded { number, refund_id } => changes.refund_succeeded(number, refund_id),
        LifeCommand::RefundFailed { number } => changes.refund_failed(number),
        LifeCommand::Fulfil { who, seller } => changes.fulfil(who, seller),
    }?;
    Ok(changes.events)
}
