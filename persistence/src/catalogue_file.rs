//! The catalogue cache file: the store's products and sellers as of one checkpoint, for a start that spares the
//! database.
//!
//! The store is the truth. A file that is not whole, or of another version, is of no use and does no harm; whoever
//! reads it throws away what a file gave before its end was seen. The bytes are described in `FORMAT.md`.

mod layout;

mod reader;
mod writer;

#[cfg(test)]
mod format_page;

pub use reader::{CatalogueFileError, CatalogueFileReader};
pub use writer::{CatalogueFileWriter, WrittenCatalogue};

use crate::model::{NodeId, Timestamp};

/// What a file is a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopiedFrom {
    /// The store's identity.
    pub node: NodeId,
    /// The checkpoint that the snapshot saw.
    pub as_of_seq: u64,
    /// The engine's clock just before the snapshot was taken.
    pub taken_at: Timestamp,
}
