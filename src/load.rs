//! Load over HTTP, open loop: requests are due at moments that were drawn beforehand, whether or not the engine keeps
//! up, and latency counts from there. At the end the books are checked: every acknowledged order is looked up.

mod settings;
mod tier;

mod carts;
mod catalogue;
mod crew;
mod wire;

mod tally;
mod timing;
mod user;

mod audit;
mod books;
mod budget;
mod scrape;

mod chart;
mod page;
mod progress;
mod report;
mod run;

pub use books::{Acknowledged, Books, Difference, Found, Ledger};
pub use budget::{Budget, Verdict};
pub use carts::{Cart, Carts, Line, Ware};
pub use page::page;
pub use report::Report;
pub use run::run;
pub use scrape::Scrape;
pub use settings::{LoadError, Settings, Wares};
pub use tier::{Presence, Tier};
