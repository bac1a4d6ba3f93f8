use super::{
    Bucket, CourierChange, DigitalChange, EffectKind, EffectOutcome, EffectTried, Event, OrderChange,
    OrderChanged, OrderPlaced, OrderStatus,
};

macro_rules! kinds {
    ($( $(#[$doc:meta])* $kind:ident = $name:literal; )*) => {
        /// A line of an order's history (contract §2). One event can be several lines, never two of the same kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HistoryKind { $( $(#[$doc])* $kind, )* }

        impl HistoryKind {
            /// All of them.
            pub const ALL: &[Self] = &[ $( Self::$kind, )* ];

            /// The name in JSON and SQL.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$kind => $name, )* }
            }
        }
    };
}

kinds! {
    /// The order was placed.
    Placed = "placed";
    /// Cash on delivery: it goes out without money.
    Confirmed = "confirmed";
    /// A payment attempt began.
    PaymentStarted = "payment_started";
    /// The money is there.
    Paid = "paid";
    /// The gateway declined.
    PaymentFailed = "payment_failed";
    /// A part, or the last one, went out.
    Fulfilled = "fulfilled";
    /// It ended early.
    Cancelled = "cancelled";
    /// A refund began.
    RefundStarted = "refund_started";
    /// Money went back.
    Refunded = "refunded";
    /// The gateway refuses to give back.
    RefundFailed = "refund_failed";
    /// A courier brings it.
    CourierAssigned = "courier_assigned";
    /// No courier is free.
    CourierWaiting = "courier_waiting";
    /// A referrer will earn, once it is paid.
    ReferralPending = "referral_pending";
    /// A referrer earned.
    ReferralEarned = "referral_earned";
    /// A referrer lost it again.
    ReferralReversed = "referral_reversed";
    /// A mail was sent.
    EmailSent = "email_sent";
    /// A mail could not be sent.
    EmailFailed = "email_failed";
    /// Digital goods were handed out.
    DigitalDelivered = "digital_delivered";
    /// Digital goods wait for licence keys.
    DigitalWaiting = "digital_waiting";
    /// Digital goods were taken back.
    DigitalRevoked = "digital_revoked";
    /// A receiver was told.
    WebhookDelivered = "webhook_delivered";
    /// A receiver could not be told.
    WebhookFailed = "webhook_failed";
}

impl HistoryKind {
    /// The kind of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// The lines that an event is in its order's history, in their order.
    pub fn of(event: &Event) -> impl Iterator<Item = Self> {
        let kinds = match event {
            Event::OrderPlaced(order) => of_placed(order),
            Event::OrderChanged(changed) => [of_change(&changed.change), of_referral(changed), None, None],
            Event::CourierChanged(changed) => one(of_courier(changed.change)),
            Event::DigitalChanged(changed) => one(of_digital(&changed.change)),
            Event::EffectTried(tried) => one(of_effect(tried)),
            _ => [None; 4],
        };
        kinds.into_iter().flatten()
    }
}

type Kinds = [Option<HistoryKind>; 4];

fn one(kind: Option<HistoryKind>) -> Kinds {
    [kind, None, None, None]
}

fn of_placed(order: &OrderPlaced) -> Kinds {
    let status = match order.status {
        OrderStatus::Confirmed => Some(HistoryKind::Confirmed),
        OrderStatus::Paid => Some(HistoryKind::Paid),
        _ => None,
    };
    let pending = order.referral.map(|_| HistoryKind::ReferralPending);
    // What is paid at once is earned at once.
    let earned = pending.and(status.filter(|status| *status == HistoryKind::Paid));
    [Some(HistoryKind::Placed), status, pending, earned.map(|_| HistoryKind::ReferralEarned)]
}

fn of_change(change: &OrderChange) -> Option<HistoryKind> {
    Some(match change {
        OrderChange::PaymentStarted => HistoryKind::PaymentStarted,
        OrderChange::Paid { .. } => HistoryKind::Paid,
        OrderChange::PaymentFailed { .. } => HistoryKind::PaymentFailed,
        OrderChange::Cancelled { .. } => HistoryKind::Cancelled,
        OrderChange::RefundStarted(_) | OrderChange::StrayPayment(_) => HistoryKind::RefundStarted,
        OrderChange::Refunded { .. } | OrderChange::StrayRefunded(_) => HistoryKind::Refunded,
        OrderChange::RefundFailed(_) | OrderChange::StrayRefundFailed(_) => HistoryKind::RefundFailed,
        OrderChange::Fulfilled { .. } => HistoryKind::Fulfilled,
    })
}

fn of_referral(changed: &OrderChanged) -> Option<HistoryKind> {
    Some(match changed.referral.as_ref()?.to {
        Bucket::Pending => HistoryKind::ReferralPending,
        Bucket::Earned => HistoryKind::ReferralEarned,
        Bucket::Reversed => HistoryKind::ReferralReversed,
    })
}

fn of_courier(change: CourierChange) -> Option<HistoryKind> {
    match change {
        CourierChange::Waiting => Some(HistoryKind::CourierWaiting),
        CourierChange::Assigned(_) => Some(HistoryKind::CourierAssigned),
        CourierChange::Released => None,
    }
}

fn of_digital(change: &DigitalChange) -> Option<HistoryKind> {
    match change {
        DigitalChange::Delivered(_) => Some(HistoryKind::DigitalDelivered),
        DigitalChange::Waiting(_) => Some(HistoryKind::DigitalWaiting),
        DigitalChange::Revoked(_) => Some(HistoryKind::DigitalRevoked),
        DigitalChange::Downloaded { .. } => None,
    }
}

/// Couriers and digital goods have events of their own: only what goes outside is told here.
fn of_effect(tried: &EffectTried) -> Option<HistoryKind> {
    match (tried.key.kind, &tried.outcome) {
        (EffectKind::Mail, EffectOutcome::Done) => Some(HistoryKind::EmailSent),
        (EffectKind::Mail, EffectOutcome::Failed { .. }) => Some(HistoryKind::EmailFailed),
        (EffectKind::Webhook, EffectOutcome::Done) => Some(HistoryKind::WebhookDelivered),
        (EffectKind::Webhook, EffectOutcome::Failed { .. }) => Some(HistoryKind::WebhookFailed),
        _ => None,
    }
}
