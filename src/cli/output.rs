//! What a command says. Standard output is for results, standard error for everything else. A reader who has gone
//! away (a closed pipe) is no failure of the command.

use super::CliError;
use std::io::Write;

/// One line on standard error.
pub(super) fn complain(error: &CliError) {
    note(&format!("floodgate: {error}"));
}

/// A line on standard error.
pub(super) fn note(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// A result on standard output.
pub(super) fn print(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// A result on standard output that may be long; an error tells the caller to stop producing.
pub(super) fn print_line(out: &mut impl Write, text: &str) -> Result<(), CliError> {
    writeln!(out, "{text}").map_err(|_| CliError::Said)
}
