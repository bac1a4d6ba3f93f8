//! The statements of batches, recorded, and a client that does nothing but send them: what the write-behind is measured
//! against.

use super::StoreError;
use super::connect::{Role, Server};
use super::session::Session;
use super::statement::Statements;
use super::writer::{compare_and_set, statement_max};
use crate::store::{StoreConfig, WriteBatch, write};
use std::time::{Duration, Instant};

/// One session, with the settings of the writer's.
pub struct PlainFeed {
    session: Session,
    database: String,
}

/// A transaction: its statements in their order.
pub type Recorded = Vec<Vec<u8>>;

impl PlainFeed {
    /// Connects to the database of a `mysql://` URL.
    ///
    /// # Errors
    /// As [`open`](crate::store::open).
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let server = Server::parse(&StoreConfig::new(url))?;
        let session = server.connect(Role::Writer).await?;
        Ok(Self { session, database: server.database.clone() })
    }

    /// What the writer would send for this batch on this server.
    ///
    /// # Errors
    /// As `Store::apply`.
    pub fn record(&self, batch: &WriteBatch) -> Result<Recorded, StoreError> {
        let mut statements = Statements::default();
        statements.restart(statement_max(&self.session));
        write::write_batch(batch, &mut statements)?;
        let mut recorded = vec![b"START TRANSACTION".to_vec(), compare_and_set(batch).into_bytes()];
        recorded.extend(statements.iter().map(<[u8]>::to_vec));
        recorded.push(b"COMMIT".to_vec());
        Ok(recorded)
    }

    /// Sends all, one statement after the other; how long that took.
    ///
    /// # Errors
    /// What the server says. [`StoreError::Broken`]: the checkpoint is not where the first batch begins.
    pub async fn send(&mut self, transactions: &[Recorded]) -> Result<Duration, StoreError> {
        let began = Instant::now();
        for transaction in transactions {
            for (place, statement) in transaction.iter().enumerate() {
                let changed = self.session.execute(statement).await?;
                if place == 1 && changed != 1 {
                    return Err(StoreError::Broken("the checkpoint is somewhere else".to_owned()));
                }
            }
        }
        Ok(began.elapsed())
    }

    /// Orders in the database.
    ///
    /// # Errors
    /// What the server says.
    pub async fn orders(&mut self) -> Result<u64, StoreError> {
        Ok(self.session.number("(SELECT COUNT(*) FROM orders)").await?.unwrap_or(0))
    }

    /// Removes the whole database.
    ///
    /// # Errors
    /// What the server says.
    pub async fn drop_database(mut self) -> Result<(), StoreError> {
        let name = self.database.replace('`', "``");
        self.session.execute(format!("DROP DATABASE `{name}`").as_bytes()).await?;
        self.session.leave().await;
        Ok(())
    }
}
