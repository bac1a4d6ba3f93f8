//! What it means when the schema cannot be brought up to date.

use super::StoreError;
use refinery::error::Kind;

/// Sorts refinery's error. `database` is what the database said, where it spoke.
pub fn migration_error(error: &refinery::Error, database: Option<StoreError>) -> StoreError {
    match error.kind() {
        Kind::MissingVersion(migration) => StoreError::Configuration(format!(
            "the database has schema {migration}, which this version does not know: it was written by a newer one"
        )),
        Kind::DivergentVersion(applied, known) => StoreError::Broken(format!(
            "the database has schema {applied}, but this version knows {known} in its place"
        )),
        _ => {
            database.unwrap_or_else(|| StoreError::Broken(format!("the schema cannot be migrated: {error}")))
        }
    }
}
