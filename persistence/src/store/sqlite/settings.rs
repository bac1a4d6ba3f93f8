use crate::store::DatabaseSettings;
use std::path::PathBuf;

/// Looks at the file without opening it.
pub fn settings(path: &str) -> DatabaseSettings {
    let path = PathBuf::from(path);
    DatabaseSettings::Sqlite { version: rusqlite::version().to_owned(), exists: path.is_file(), path }
}
