//! The real program from outside: started, killed, asked over HTTP, and held against the tables that it writes.

#![allow(dead_code, unused_imports, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails here says where")]

mod books;
mod client;
mod dice;
mod engine;
pub mod faults;
mod load;
#[path = "../../persistence/tests/common/mod.rs"]
mod mariadb;
mod proxy;
mod reconcile;
mod shop;
pub mod skip;
mod sql;
mod storm;
pub mod strace;

pub use books::{Olist, assert_invoices_are_gapless, assert_tables_agree};
pub use client::{Answer, Client};
pub use dice::Dice;
pub use engine::{Engine, ProgramOutput, TOKEN};
pub use load::{Attempt, steady_load, under_load};
pub use mariadb::{MariaDb, is_mysql};
pub use proxy::{Fault, Proxy};
pub use reconcile::{assert_reconciles, is_clean, reconciliation};
pub use shop::{cart, product, seller, shop_of};
pub use sql::{Held, Sql, Store};
pub use storm::{LIMITS, Storm};

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Far above what anything takes; only a broken engine makes a test wait for it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until there is something, or fails with what was waited for.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, look).unwrap_or_else(|| panic!("waited {PATIENCE:?} for {what}"))
}

/// Looks again and again until there is something or time is up.
pub fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The marketplace's files, which lie beside the project (or where `FLOODGATE_TEST_DATA` says) and are not part of it.
pub fn shared_data() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let place = std::env::var_os("FLOODGATE_TEST_DATA").map_or_else(beside, PathBuf::from);
    if place.join("products.csv").is_file() {
        return Some(place);
    }
    println!("skipped: {} has no marketplace files", place.display());
    None
}

/// One promise, two tests: on SQLite and on MariaDB.
#[macro_export]
macro_rules! on_both_stores {
    ($($promise:ident),* $(,)?) => { $(
        mod $promise {
            #[test]
            fn on_sqlite() {
                super::$promise($crate::common::Store::sqlite());
            }

            #[test]
            fn on_mariadb() {
                super::$promise($crate::common::Store::mariadb());
            }
        }
    )* };
}
