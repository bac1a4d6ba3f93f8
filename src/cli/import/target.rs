use super::{CliError, GoodRow, Text};
use crate::boot::{self, Core};
use crate::cli::running;
use crate::config::Config;
use serde::Deserialize;
use std::time::Duration;
use ureq::Agent;

/// A call that the engine sheds is tried again this often, a second apart.
const TRIES: u32 = 30;

/// Longest call: a thousand rows on a slow disk.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// The store may be slow to take a whole catalogue; what is left after this is picked up at the next start.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(600);

/// Who takes the rows.
pub(super) enum Target {
    /// Nobody: `--dry-run`.
    Nothing,
    /// A running engine, through its admin API.
    Running(Api),
    /// An engine that was started for this.
    Own(Box<Core>),
}

/// The admin API of a running engine.
pub(super) struct Api {
    agent: Agent,
    base: String,
    token: String,
}

/// A row that the engine refused.
#[derive(Deserialize)]
pub(super) struct Refused {
    /// Place in the call, from 1: the line of the body.
    pub(super) row: usize,
    pub(super) code: String,
    pub(super) detail: String,
}

#[derive(Deserialize)]
struct Answer {
    rejected: Vec<Refused>,
}

enum Tried {
    Done(Vec<Refused>),
    Again(String),
}

impl Target {
    /// The engine at `url`, with the configured token.
    pub(super) fn at(url: &str, config: &Config) -> Result<Self, CliError> {
        let (token, _) = boot::admin_token(config)?;
        Ok(Self::Running(Api {
            agent: running::agent(CALL_TIMEOUT),
            base: url.trim_end_matches('/').to_owned(),
            token,
        }))
    }

    /// The engine that runs, else one of our own.
    pub(super) async fn find(config: &Config) -> Result<Self, CliError> {
        if let Some(base) = running::find(config) {
            return Self::at(&base, config);
        }
        Ok(Self::Own(Box::new(boot::start_without_http(config).await?)))
    }

    /// Gives rows to the engine; answers those that it refused, when the others are durable.
    pub(super) async fn put<T: Text>(
        &self,
        rows: &[GoodRow<T>],
        inputs: Vec<T::Input>,
    ) -> Result<Vec<Refused>, CliError> {
        match self {
            Self::Nothing => Ok(Vec::new()),
            Self::Running(api) => api.put(T::NOUN, body_of(rows)?),
            Self::Own(core) => {
                let outcome = T::put(&core.engine, inputs).await;
                let rejected = outcome.map_err(|error| CliError::failed("engine", error))?.rejected;
                let refused = |row: floodgate_actors::RowRefusal| Refused {
                    row: row.row + 1,
                    code: row.code.to_owned(),
                    detail: row.detail,
                };
                Ok(rejected.into_iter().map(refused).collect())
            }
        }
    }

    /// Ends what was begun for the import.
    pub(super) async fn finish(self) -> Result<(), CliError> {
        if let Self::Own(core) = self {
            let left = core.stop(DRAIN_TIMEOUT).await;
            if left > 0 {
                super::output::note(&format!(
                    "{left} records are journalled and reach the store at the next start"
                ));
            }
        }
        Ok(())
    }
}

fn body_of<T: Text>(rows: &[GoodRow<T>]) -> Result<Vec<u8>, CliError> {
    let mut body = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut body, &row.text).map_err(|error| CliError::failed("row", error))?;
        body.push(b'\n');
    }
    Ok(body)
}

impl Api {
    /// The same rows may be put twice: a call whose answer was lost is simply made again.
    fn put(&self, noun: &str, body: Vec<u8>) -> Result<Vec<Refused>, CliError> {
        let mut reason = String::new();
        for _ in 0..TRIES {
            match self.once(noun, &body)? {
                Tried::Done(refused) => return Ok(refused),
                Tried::Again(cause) => reason = cause,
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        Err(CliError::failed(&self.base, format!("gave up after {TRIES} tries: {reason}")))
    }

    fn once(&self, noun: &str, body: &[u8]) -> Result<Tried, CliError> {
        let request = self
            .agent
            .put(format!("{}/admin/{noun}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/x-ndjson");
        let mut answer = match request.send(body) {
            Ok(answer) => answer,
            Err(error) => return Ok(Tried::Again(error.to_string())),
        };
        match answer.status().as_u16() {
            200 => {
                let answer: Answer =
                    answer.body_mut().read_json().map_err(|error| CliError::failed(&self.base, error))?;
                Ok(Tried::Done(answer.rejected))
            }
            status @ (429 | 503 | 504) => Ok(Tried::Again(format!("status {status}"))),
            status @ (401 | 403) => Err(CliError::failed(
                &self.base,
                format!(
                    "status {status}: the admin token of this configuration is not the engine's; is another engine listening there?"
                ),
            )),
            status => {
                let text = answer.body_mut().read_to_string().unwrap_or_default();
                Err(CliError::failed(&self.base, format!("status {status}: {text}")))
            }
        }
    }
}
