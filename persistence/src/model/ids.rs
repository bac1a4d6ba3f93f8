use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The largest id: 2^53 − 1, the largest integer that every JSON reader keeps exactly (RFC 8259 §6).
pub const ID_MAX: u64 = (1 << 53) - 1;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The id, if it lies in 1 … [`ID_MAX`].
            pub const fn new(value: u64) -> Option<Self> {
                if value >= 1 && value <= ID_MAX { Some(Self(value)) } else { None }
            }

            /// The number itself.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

id! {
    /// A product of the catalogue.
    ProductId
}
id! {
    /// A seller of the marketplace.
    SellerId
}
id! {
    /// A customer, as the shop numbers them; the engine keeps no customers of its own.
    CustomerId
}
id! {
    /// An order. Rises with time on a node; given by the journal thread.
    OrderId
}

id! {
    /// A courier.
    CourierId
}

/// The identity of an engine's data: made once at random, kept in the store and in every journal frame, so that a
/// journal and a database that do not belong together are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct NodeId(pub u64);

impl fmt::Display for NodeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// What an idempotency key leaves on the event that it burnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct IdempotencyClaim {
    /// First 16 bytes of SHA-256 over credential id, path and key.
    pub key: [u8; 16],
    /// First 16 bytes of SHA-256 over the request body's bytes.
    pub body: [u8; 16],
}
