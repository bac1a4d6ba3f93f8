//! Catalogue files: products and sellers as CSV or NDJSON, read row by row with the line of each.

mod reader;
mod row;

pub use reader::{BadRow, Format, GoodRow, RowReader};
pub use row::{ProductText, SellerText, Text};
