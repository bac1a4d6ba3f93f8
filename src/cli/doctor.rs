//! `floodgate doctor`: checks an installation and says what to change.

use super::{CliError, output};
use crate::config::Config;
use crate::doctor::{Finding, State, examine};
use clap::Args;
use serde_json::json;

#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Code 1 where something fails; warnings are said.
    pub(super) async fn run(&self, config: &Config) -> Result<(), CliError> {
        let findings = examine(config).await;
        let healthy = findings.iter().all(|finding| finding.state != State::Fail);
        match self.json {
            true => output::print(&json!({ "healthy": healthy, "findings": findings }).to_string()),
            false => output::print(&as_text(&findings)),
        }
        if healthy { Ok(()) } else { Err(CliError::Said) }
    }
}

fn as_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let state = match finding.state {
            State::Ok => "ok  ",
            State::Warn => "warn",
            State::Fail => "FAIL",
        };
        text.push_str(&format!("{state}  {}: {}\n", finding.check, finding.found));
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("        {advice}\n"));
        }
    }
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    text.push_str(&format!(
        "{} ok, {} to look at, {} to change",
        count(State::Ok),
        count(State::Warn),
        count(State::Fail)
    ));
    text
}
