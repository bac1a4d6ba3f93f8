//! Bugs that a test build can plant, to prove that the tests find each: a test that cannot fail is worse than none.
//!
//! Built with the feature `planted-bugs`, the environment variable `FLOODGATE_PLANTED` names the one bug that a process
//! has. Without the feature [`is`] is the constant `false`, so that nothing of a bug is in the program; a release build
//! with the feature does not compile. Which test finds which bug is the table in `tests/planted/finders.rs`.

#[cfg(all(feature = "planted-bugs", not(debug_assertions)))]
compile_error!("planted bugs are for test builds only");

macro_rules! bugs {
    ($($bug:ident: $what:literal,)*) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Planted {
            $(#[doc = $what] $bug,)*
        }

        impl Planted {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$bug),*];

            /// What it does, in words.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$bug => $what,)* }
            }
        }
    };
}

bugs! {
    // The journal.
    AnswerBeforeSync: "a group is answered before it is synced",
    ReadBeforeSync: "readers see a frame before it is synced",
    SyncRetried: "a failed sync is tried again",
    NewSegmentNotInDirectory: "the directory is not synced after a segment got its name",
    OldSegmentNotInDirectory: "the directory is not synced after a segment went",
    OldBytesKept: "a segment that is used again keeps its old bytes",
    SegmentGoneTooEarly: "a segment goes before the store has all of it",
    JournalNotLocked: "two engines may open one journal",
    LengthBeforeChecksum: "a frame's length is trusted before the checksum of its head",
    BodyNotChecked: "the checksum of a frame's body is not compared",
    ChainNotChecked: "a frame need not carry on the chain of checksums",
    SegmentNumberNotChecked: "a frame of another segment counts",
    NodeNotChecked: "a segment of another engine's journal is taken",
    DamageTakenForTail: "damage before whole frames is cut like a torn tail",
    TailNotZeroed: "a torn tail is not zeroed when it is cut",
    TailNotWrittenAnew: "what a failed sync may have left unsafe is not written anew",
    ShortJournalTaken: "a journal that is shorter than the store is taken",
    // The store.
    CheckpointNotCompared: "a batch is written whatever the checkpoint says",
    EpochNotCompared: "a batch is written whatever the epoch says",
    CheckpointApart: "the checkpoint moves in another transaction than the rows",
    CommitAfterError: "a transaction in which a statement failed is committed",
    SessionKeptAfterError: "the session of a failed transaction is used again without a rollback",
    ForeignStoreTaken: "a new session is not asked whose data it leads to",
    InsertIgnore: "rows whose key is there already are passed over in silence",
    StockDeltaLost: "of a product that is sold twice in a batch only the last sale counts",
    ShareLost: "of an order's shares the last one is not written",
    OldKeysKept: "idempotency keys out of the window stay in the store",
    // Stock.
    StockReleasedTwice: "a refused checkout gives back twice what it took",
    HoldLeaked: "a refused checkout gives nothing back",
    StockFromStoreTaken: "a row read from the store overwrites the stock of a hot product",
    OldRowTaken: "a row that was read before a change overwrites it",
    StockSoldBeforeDurable: "pieces that a correction brings can be sold before it is durable",
    StockTakenLate: "pieces that a correction takes can be sold until it is durable",
    PermitLeaked: "a checkout under way is never counted off",
    SoldPieceKept: "of what an order took one piece can be sold again",
    // Keys, numbers, time.
    KeyNotBurnt: "a placed order does not burn its key",
    KeyNotReplayed: "keys in the journal are not restored at a start",
    KeyNotLoaded: "keys in the store are not restored at a start",
    KeyKeptOnRefusal: "a refused checkout keeps its key",
    KeysNeverForgotten: "keys out of the window stay in memory",
    BatchKeysApart: "keys of a batch do not live beside those of single checkouts",
    UnknownToldAsRefused: "an order whose fate is unknown is told as refused",
    OrderIdReused: "order ids in the journal are given again after a start",
    InvoiceNumberSkipped: "a start leaves a gap in the invoice numbers",
    ClockGoesBack: "journal time follows a wall clock that was set back",
    // Money.
    OverflowUnchecked: "a product of price and quantity wraps around",
    CommissionPerLine: "commission is rounded line by line",
}

/// Whether this bug is planted in this process. Never, in a program that is built without the feature.
#[cfg(not(feature = "planted-bugs"))]
#[must_use]
pub const fn is(_: Planted) -> bool {
    false
}

/// Whether this bug is planted in this process.
#[cfg(feature = "planted-bugs")]
#[must_use]
pub fn is(bug: Planted) -> bool {
    static HERE: std::sync::LazyLock<Option<Planted>> = std::sync::LazyLock::new(|| {
        let name = std::env::var("FLOODGATE_PLANTED").ok()?;
        let known = Planted::ALL.iter().find(|bug| format!("{bug:?}") == name);
        Some(*known.unwrap_or_else(|| panic!("FLOODGATE_PLANTED={name} is no bug")))
    });
    *HERE == Some(bug)
}
