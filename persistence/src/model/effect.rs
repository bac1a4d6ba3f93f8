use super::{CourierId, OrderId, ProductId, Timestamp};
use bincode::{Decode, Encode};

/// What is done because of an event, outside of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum EffectKind {
    /// A courier is found.
    Courier,
    /// A mail is sent.
    Mail,
    /// Digital goods are handed out.
    Digital,
    /// A receiver is told over HTTP.
    Webhook,
}

impl EffectKind {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Courier, Self::Mail, Self::Digital, Self::Webhook];

    /// The name in JSON and SQL, and of its cursor in `journal_checkpoint`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Courier => "courier",
            Self::Mail => "mail",
            Self::Digital => "digital",
            Self::Webhook => "webhook",
        }
    }

    /// The kind of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Which effect: at most one for each cause, kind and receiver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct EffectKey {
    /// Sequence of the event that it follows.
    pub cause: u64,
    /// What is done.
    pub kind: EffectKind,
    /// To whom: a template's name for mail, an endpoint's id for webhooks. At most 64 of `[A-Za-z0-9._-]`.
    pub receiver: Box<str>,
}

/// A try of an effect whose outcome is worth remembering.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EffectTried {
    /// Which effect.
    pub key: EffectKey,
    /// The order that it is about.
    pub order_id: Option<OrderId>,
    /// What is sent, in one word: the type of the event that is told.
    pub subject: Box<str>,
    /// Tries so far.
    pub attempts: u32,
    /// How it went.
    pub outcome: EffectOutcome,
}

/// How a try went.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum EffectOutcome {
    /// It is done.
    Done,
    /// Not yet: it is tried again.
    Again {
        /// When.
        at: Timestamp,
        /// What went wrong, at most 500 characters; no personal data.
        error: Box<str>,
    },
    /// It gave up; somebody may ask for another try.
    Failed {
        /// What went wrong last, at most 500 characters; no personal data.
        error: Box<str>,
    },
}

impl EffectOutcome {
    /// The name of the state in JSON and SQL.
    pub const fn state(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Again { .. } => "waiting",
            Self::Failed { .. } => "failed",
        }
    }
}

/// A courier's part in an order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CourierChanged {
    /// Which order.
    pub order_id: OrderId,
    /// Sequence of the event that it follows.
    pub cause: u64,
    /// The order's city, trimmed and case-folded.
    pub city: Box<str>,
    /// What.
    pub change: CourierChange,
}

/// What happened between a courier and an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum CourierChange {
    /// Nobody is free: it waits for one.
    Waiting,
    /// This one brings it.
    Assigned(CourierId),
    /// It went out, or ended: its courier is free for another.
    Released,
}

/// What happened to the digital goods of an order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DigitalChanged {
    /// Which order.
    pub order_id: OrderId,
    /// Sequence of the event that it follows; 0: a download or a refill.
    pub cause: u64,
    /// What.
    pub change: DigitalChange,
}

/// What happened to digital goods.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum DigitalChange {
    /// These may be downloaded from now on. A line may come again with further licence keys.
    Delivered(Vec<DigitalGood>),
    /// The pool of licence keys is empty for these.
    Waiting(Vec<DigitalGood>),
    /// These lines may no longer be downloaded; their licence keys are not given out again.
    Revoked(Vec<u16>),
    /// One download more.
    Downloaded {
        /// Which line.
        line: u16,
        /// Downloads so far, this one included.
        downloads: u32,
    },
}

/// The digital goods of one line.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DigitalGood {
    /// Which line.
    pub line: u16,
    /// Which product.
    pub product_id: ProductId,
    /// Units of it.
    pub units: u32,
    /// Licence keys given out now, where the product has a pool: at most one a unit.
    pub licence_keys: Vec<Box<str>>,
    /// Units that still wait for a licence key.
    pub waiting: u32,
    /// When its links end.
    pub expires_at: Timestamp,
}
