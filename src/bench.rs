//! The benchmark: the whole engine without HTTP (and, for the ratio that asks for it, with), against itself without syncs and against the bare loop
//! that writes and syncs the same bytes, in one run and interleaved.
//!
//! Every figure is a ratio of two things measured in the same run; absolute figures stand beside it. After each round
//! the books are checked: only orders that are found again after a restart count.

mod settings;

mod carts;
mod random;
mod wares;

mod bed;
mod discard;
mod slow_disk;

mod drain;
mod driver;
mod letters;
mod over_http;
mod sampler;
mod side;
mod threads;

mod audit;
mod books;

mod bare;

mod goals;
mod json;
mod machine;
mod plan;
mod progress;
mod results;
mod sides;
mod stats;
mod table;

pub use bed::StoreChoice;
pub use books::{Acknowledged, Answered, Books, Difference, Ledger};
pub use carts::{Carts, Shape};
pub use drain::run as run_drain;
pub use goals::{Goal, Row};
pub use over_http::run as run_over_http;
pub use plan::run;
pub use random::Random;
pub use results::Report;
pub use settings::{BenchError, Settings, Syncs};
pub use stats::{Spread, ratios};
pub use threads::{CpuTimes, Group};
pub use wares::{STOCK, Wares};
