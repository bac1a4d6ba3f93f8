//! State and time of the order engine.
//!
//! [`Engine`] is the one type that the outside talks to; the actors behind it are not visible. [`rules`] is the pure
//! part: no actor, no clock, no randomness and no I/O.
//!
//! | part | owns | hears | tells | bound | its death |
//! | --- | --- | --- | --- | --- | --- |
//! | shard | products, counted stock | journeys, durable facts, changes | next shard, journal, catalogue | admission | ends the process |
//! | journal thread | sequence, ids, invoice numbers, time | priced journeys, changes | everybody, when durable | admission; two groups | ends the process |
//! | order book | open orders | durable groups | admission | `orders.open_max` | ends the process |
//! | write-behind | the cursor of the store | its bell | the store | one batch | ends the process |
//! | catalogue | misses, changes, warm-up, refresh | journeys, admin calls, the clock | shards, journal | admission | ends the process |

pub mod rules;

mod api;
mod engine;

mod boot;
mod recovery;

mod admission;
mod disk_watch;
mod doorbell;
mod failure;
mod idempotency;
mod journey;
mod parked;
mod recent;
mod reconciliation;
mod reply;
mod tail;

mod catalogue;
mod order_book;
mod sequencer;
mod shard;
mod snapshots;
mod write_behind;

pub use admission::Permit;
pub use api::*;
pub use boot::is_core_thread;
pub use engine::{Engine, Port};
pub use reconciliation::{Difference, Findings, ReconciliationJob, ReconciliationState};
pub use recovery::StartError;
pub use reply::{Answer, ReplySink, ReplyTo};
pub use write_behind::{BATCH_LINES_MAX, BATCH_RECORDS_MAX};
