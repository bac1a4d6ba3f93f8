//! The journal: every event of the engine, in order, on disk before anything is answered.
//!
//! [`recover`] opens it, [`Writer`] appends to it, [`JournalHandle`] lets other threads ask and read. The bytes
//! are described in `FORMAT.md`, the rules of recovery in `recovery.rs`.

mod config;
mod error;

mod codec;
mod frame;
mod layout;

mod disk;
mod poison;
mod simulated_disk;

mod ledger;
mod segment;

mod reader;
mod scan;
mod window;

mod cut;
mod recovery;
mod survey;
mod verdict;
mod walk;

mod handle;
mod prepare;
mod writer;

mod inspect;
mod repair;
mod resume;

#[cfg(test)]
mod format_page;

pub use codec::{life_bytes, life_from_bytes, record_bytes, record_from_bytes};
pub use config::{JournalConfig, SyncMode};
pub use disk::{Disk, DiskFile, LockGuard, RealDisk};
pub use error::{Damage, JournalError};
pub use frame::{Frame, FrameBuilder, FramePosition};
pub use handle::{JournalHandle, SegmentInfo};
pub use inspect::{JournalSummary, SegmentSummary, frames, inspect, verify};
pub use reader::FrameReader;
pub use recovery::{RecoverFrom, Recovery, TailState, recover, recover_on};
pub use repair::{LostBytes, RepairReport, plan_repair, plan_repair_on, repair, repair_on};
pub use resume::{resume, resume_on};
pub use simulated_disk::{CrashPoint, Fault, Operation, PlannedFault, SimulatedDisk, SplitMix64};
pub use writer::Writer;
