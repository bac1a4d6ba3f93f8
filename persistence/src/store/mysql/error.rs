//! What an error of the server means to the engine. Numbers: MySQL "Server Error Message Reference", MariaDB
//! "Error Codes".

use super::StoreError;
use mysql_async::{DriverError, Error, ServerError};

/// The database of the URL does not exist.
pub const UNKNOWN_DATABASE: u16 = 1049;

/// The number that the server gave, if it was the server that spoke.
pub fn code(error: &Error) -> Option<u16> {
    match error {
        Error::Server(ServerError { code, .. }) => Some(*code),
        _ => None,
    }
}

/// Sorts an error into retry, refuse or stop.
///
/// What is not known is worth a retry: nothing is lost by it, and it stays visible as a backlog that grows. Calling
/// it a data error would park good orders, calling it broken would stop the engine.
pub fn classify(error: &Error) -> StoreError {
    let text = error.to_string();
    match error {
        Error::Server(ServerError { code, .. }) => match code {
            // Bad value: null, cut off, out of range, wrong for its type, no such parent; a number that overflows.
            // 1644: a trigger of somebody's says no.
            1048 | 1264 | 1265 | 1292 | 1366 | 1406 | 1452 | 1644 | 1690 | 3819 | 4025 => {
                StoreError::Refused(text)
            }
            // A packet over the limit: halving the batch helps.
            1153 => StoreError::Refused(text),
            // Duplicate key.
            1062 => StoreError::Broken(text),
            // Unknown column or table; a statement that does not parse; wrong number of columns. Access denied, to the
            // server, to a database, to a table or column. Somebody's doing, who can undo it.
            1054 | 1146 | 1064 | 1136 | 1044 | 1045 | 1142 | 1143 | 1227 | 1698 => {
                StoreError::Configuration(text)
            }
            // 1205, 1213 locks; 1040, 1203 connections; 1053, 1290, 1836 shutdown and read-only; 1317, 1927, 1969,
            // 3024 killed or too slow; 2006, 2013 gone away; and everything that is not known here.
            _ => StoreError::Unavailable(text),
        },
        Error::Driver(DriverError::PacketTooLarge) => StoreError::Refused(text),
        // MySQL asks a user that it does not know for some plugin by chance, so as not to give away who exists.
        Error::Driver(DriverError::UnknownAuthPlugin { .. }) => {
            StoreError::Configuration(format!("{text} Is the user in store.url right?"))
        }
        Error::Driver(_) | Error::Io(_) | Error::Other(_) | Error::Url(_) => StoreError::Unavailable(text),
    }
}

/// A limit of ours that ran out.
pub fn timed_out(what: &str, limit: std::time::Duration) -> StoreError {
    StoreError::Unavailable(format!("{what} took longer than {limit:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: u16) -> &'static str {
        let error = ServerError { code, message: "m".into(), state: "HY000".into() };
        match classify(&Error::Server(error)) {
            StoreError::Unavailable(_) => "retry",
            StoreError::Refused(_) => "refuse",
            StoreError::Broken(_) => "stop",
            StoreError::Configuration(_) => "retry, somebody has to act",
            StoreError::Fenced(_) | StoreError::Behind { .. } => "?",
        }
    }

    #[test]
    fn every_code_of_the_design_is_retry_refuse_or_stop() {
        for (codes, expected) in [
            (
                [1205, 1213, 1040, 1203, 2006, 2013, 1290, 1836, 1053, 1927, 1317, 1969, 3024, 9999]
                    .as_slice(),
                "retry",
            ),
            (&[1406, 1264, 1366, 1048, 1452, 1265, 1292, 1644, 4025, 1153], "refuse"),
            (&[1054, 1064, 1136, 1146, 1044, 1045, 1142], "retry, somebody has to act"),
            (&[1062], "stop"),
        ] {
            for code in codes {
                assert_eq!(class(*code), expected, "{code}");
            }
        }
    }
}
