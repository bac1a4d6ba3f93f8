use super::{CliError, output, running};
use crate::boot::{self, Core};
use crate::config::Config;
use crate::http::reconciliation_json;
use clap::Args;
use floodgate_actors::{Engine, ReconciliationJob, ReconciliationState};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often it is looked whether it is done.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Longest call: all of them answer at once.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// An engine that was started for this first brings the store to the journal's end. What is not there after this is
/// compared as far as the store is.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Args, Debug)]
pub(super) struct Reconcile {
    /// Address of the running engine [default: server.listen, if an engine answers there]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Reconcile {
    /// Through the running engine, or else through one that is started for it.
    pub(super) async fn run(&self, config: &Config) -> Result<(), CliError> {
        let found = match self.url.clone().or_else(|| running::find(config)) {
            Some(base) => Api::at(&base, config)?.reconcile()?,
            None => on_our_own(config).await?,
        };
        output::print(&if self.json { found.to_string() } else { text(&found) });
        match (of(&found, "state").as_str(), of(&found, "differences_total").as_u64()) {
            (Some("done"), Some(0)) => Ok(()),
            (Some("done"), _) => Err(CliError::Differences),
            _ => Err(CliError::failed("reconcile", of(&found, "error").as_str().unwrap_or("it did not end"))),
        }
    }
}

/// The admin API of a running engine.
struct Api {
    agent: ureq::Agent,
    url: String,
    token: String,
}

impl Api {
    fn at(base: &str, config: &Config) -> Result<Self, CliError> {
        let (token, _) = boot::admin_token(config)?;
        let url = format!("{}/admin/reconciliation", base.trim_end_matches('/'));
        Ok(Self { agent: running::agent(CALL_TIMEOUT), url, token: format!("Bearer {token}") })
    }

    /// One of ours: one that ran already does not know what happened since it began.
    fn reconcile(&self) -> Result<Value, CliError> {
        loop {
            let request = self.agent.post(&self.url).header("authorization", &self.token);
            let (status, answer) = self.answer(request.send_json(serde_json::json!({})))?;
            match status {
                202 => return self.ended(),
                409 => drop(self.ended()?),
                _ => return Err(CliError::failed(&self.url, format!("status {status}: {answer}"))),
            }
        }
    }

    fn ended(&self) -> Result<Value, CliError> {
        loop {
            let request = self.agent.get(&self.url).header("authorization", &self.token);
            let (status, job) = self.answer(request.call())?;
            match status {
                200 if of(&job, "state") != "running" => return Ok(job),
                200 => std::thread::sleep(LOOK_AGAIN),
                _ => return Err(CliError::failed(&self.url, format!("status {status}: {job}"))),
            }
        }
    }

    fn answer(
        &self,
        sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<(u16, Value), CliError> {
        let mut answer = sent.map_err(|error| CliError::failed(&self.url, error))?;
        let json = answer.body_mut().read_json().map_err(|error| CliError::failed(&self.url, error))?;
        Ok((answer.status().as_u16(), json))
    }
}

async fn on_our_own(config: &Config) -> Result<Value, CliError> {
    let core: Core = boot::start_without_http(config).await?;
    let found = reconcile(&core.engine).await;
    core.stop(DRAIN_TIMEOUT).await;
    found.map(reconciliation_json)
}

async fn reconcile(engine: &Engine) -> Result<ReconciliationJob, CliError> {
    drained(engine).await?;
    let failed = |error| CliError::failed("engine", error);
    drop(engine.start_reconciliation().map_err(failed)?);
    loop {
        match engine.reconciliation() {
            Some(job) if job.state != ReconciliationState::Running => return Ok(job),
            _ => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

async fn drained(engine: &Engine) -> Result<(), CliError> {
    let until = Instant::now() + DRAIN_TIMEOUT;
    while Instant::now() < until {
        let writer = engine.status().await.map_err(|error| CliError::failed("engine", error))?.writer;
        if writer.backlog == 0 || writer.state == "stopped" {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// A member of an object, or `null`.
fn of<'a>(object: &'a Value, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

/// In words, a difference a line.
fn text(found: &Value) -> String {
    let mut lines = vec![format!(
        "compared at record {}, the journal from record {} on: {} products, {} orders ({} of them parked)",
        of(found, "as_of_seq"),
        of(found, "journal_from_seq"),
        of(found, "products"),
        of(found, "orders"),
        of(found, "orders_parked")
    )];
    lines.extend(of(found, "differences").as_array().into_iter().flatten().map(difference));
    lines.push(format!("{} differences", of(found, "differences_total")));
    lines.join("\n")
}

fn difference(difference: &Value) -> String {
    let word = |name: &str| of(difference, name).as_str().unwrap_or_default().to_owned();
    let (journal, database) = (of(difference, "journal"), of(difference, "database"));
    if of(difference, "kind") == "stock" {
        let (product, memory) = (of(difference, "product_id"), of(difference, "memory"));
        return format!(
            "stock of product {product}: memory {memory}, journal {journal}, database {database}"
        );
    }
    let seller = difference.get("seller_id").map_or_else(String::new, |id| format!(" of seller {id}"));
    format!(
        "{} of {}, {}{seller}: {}: journal {journal}, database {database}",
        word("kind"),
        word("day"),
        word("currency"),
        word("amount")
    )
}
