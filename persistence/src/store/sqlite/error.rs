//! What an error of SQLite means to the engine ("Result and Error Codes", sqlite.org/rescode.html).

use super::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

/// Sorts an error into retry, refuse or stop. What is not known is worth a retry, as with the other store.
pub fn classify(error: &Error) -> StoreError {
    let text = error.to_string();
    let Error::SqliteFailure(failure, _) = error else {
        return match error {
            // A table or column that is not there: somebody's doing, who can undo it.
            Error::SqlInputError { .. } => StoreError::Configuration(text),
            // Our own statement and its values do not fit together, or a number has no place in SQLite.
            Error::InvalidParameterCount(..) => StoreError::Broken(text),
            Error::IntegralValueOutOfRange(..) | Error::ToSqlConversionFailure(_) => {
                StoreError::Refused(text)
            }
            _ => StoreError::Unavailable(text),
        };
    };
    match failure.code {
        ErrorCode::ConstraintViolation => match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_ROWID => StoreError::Broken(text),
            _ => StoreError::Refused(text),
        },
        ErrorCode::TooBig | ErrorCode::TypeMismatch => StoreError::Refused(text),
        ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::ApiMisuse
        | ErrorCode::ParameterOutOfRange => StoreError::Broken(text),
        // `Unknown` is the library's general error: a table that is not there, mostly.
        ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied | ErrorCode::Unknown => {
            StoreError::Configuration(text)
        }
        // Busy, locked, interrupted, no memory, no disk, read-only, I/O.
        _ => StoreError::Unavailable(text),
    }
}
