//! The one writer: its session holds the named lock of the database, and is thrown away at the first doubt.

use super::StoreError;
use super::connect::{Role, Server};
use super::session::Session;
use super::statement::Statements;
use crate::model::{NodeId, Timestamp};
use crate::planted::{self, Planted};
use crate::store::checkpoint::{COPY, STORE, found_parked, judge, may_take_over, unfinished_copy};
use crate::store::{Checkpoint, StoreState, WriteBatch, query, write};
use std::sync::Arc;

/// Largest statement, in bytes: larger ones are not faster, and hold memory on both sides.
const STATEMENT_MAX: usize = 1 << 20;

/// Seconds to wait for the lock after our own lost session, or the engine before us, was killed.
const LOCK_WAIT_S: u32 = 2;

/// Sessions of ours that are remembered while none gets through. The server ends a lost one at its next statement, so
/// that old ones are gone long before they are forgotten.
const OUR_IDS_MAX: usize = 64;

/// The writer's session, and what it takes to get another.
pub struct Writer {
    server: Arc<Server>,
    /// None: the next call connects.
    session: Option<Session>,
    /// The numbers at the server of the last session and of all that tried to follow it. Any of them may still be
    /// there, with a transaction open or with the lock: the answer to `GET_LOCK` can be lost as well.
    our_ids: Vec<u64>,
    pub(super) statements: Statements,
}

impl Writer {
    /// Not connected yet.
    pub fn new(server: Arc<Server>) -> Self {
        Self { server, session: None, our_ids: Vec::new(), statements: Statements::default() }
    }

    /// See [`crate::store::Store::take_over`].
    pub async fn take_over(&mut self, node: NodeId, epoch: u64) -> Result<(), StoreError> {
        let mut session = self.take_session().await?;
        let result = raise_epoch(&mut session, node, epoch).await;
        if result.is_ok() {
            self.server.owner.get_or_init(|| node);
        }
        self.settle(session, result).await
    }

    /// See [`crate::store::Store::apply`].
    pub async fn apply(&mut self, batch: &WriteBatch) -> Result<(), StoreError> {
        let mut session = self.take_session().await?;
        let result = self.transact(&mut session, batch).await;
        self.settle(session, result).await
    }

    async fn transact(&mut self, session: &mut Session, batch: &WriteBatch) -> Result<(), StoreError> {
        self.statements.restart(statement_max(session));
        write::write_batch(batch, &mut self.statements)?;
        session.execute(b"START TRANSACTION").await?;
        if batch.is_retry() && !self.hold_for_retry(session, batch).await? {
            session.execute(b"ROLLBACK").await?;
            return Ok(());
        }
        if !batch.is_retry() && session.execute(compare_and_set(batch).as_bytes()).await? == 0 {
            let found = session.first(&query::checkpoint()).await?;
            session.execute(b"ROLLBACK").await?;
            return judge(batch, found);
        }
        if planted::is(Planted::CheckpointApart) {
            session.execute(b"COMMIT AND CHAIN").await?;
        }
        for statement in self.statements.iter() {
            let written = session.execute(statement).await;
            if planted::is(Planted::CommitAfterError) && written.is_err() {
                session.execute(b"COMMIT").await?;
            }
            written?;
        }
        session.execute(b"COMMIT").await?;
        Ok(())
    }

    /// Holds the checkpoint where it is, and takes the parked events out; `false`: they were written before.
    async fn hold_for_retry(&self, session: &mut Session, batch: &WriteBatch) -> Result<bool, StoreError> {
        let mut held = query::checkpoint();
        held.sql += " FOR UPDATE";
        let found = session.first(&held).await?;
        if found != Some(Checkpoint { seq: batch.from, epoch: batch.epoch }) {
            return judge(batch, found).map(|()| false);
        }
        let deleted = session.execute(query::delete_parked(&batch.unparked).as_bytes()).await?;
        found_parked(batch, usize::try_from(deleted).unwrap_or(usize::MAX))
    }

    /// The session, with the lock held. Its place is empty until [`Self::settle`] puts it back: whatever happens to
    /// it in between, nobody uses it again.
    pub(super) async fn take_session(&mut self) -> Result<Session, StoreError> {
        match self.session.take() {
            Some(session) => Ok(session),
            None => self.connect().await,
        }
    }

    /// Keeps the session after a success. After an error its transaction may be open (1205), gone (1213), or
    /// waiting in the server (a lost connection): it is closed, killed, and replaced.
    pub(super) async fn settle(
        &mut self,
        session: Session,
        result: Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match &result {
            Ok(()) => self.session = Some(session),
            Err(_) if planted::is(Planted::SessionKeptAfterError) => self.session = Some(session),
            Err(StoreError::Fenced(_)) => session.leave().await,
            Err(error) => {
                tracing::warn!(%error, "the transaction failed, its session is given up");
                drop(session);
                match self.connect().await {
                    Ok(session) => self.session = Some(session),
                    Err(error) => tracing::warn!(%error, "no new session for the writer yet"),
                }
            }
        }
        result
    }

    async fn connect(&mut self) -> Result<Session, StoreError> {
        let mut session = self.server.connect(Role::Writer).await?;
        let is_first = self.our_ids.is_empty();
        // Before it asks for the lock: what it gets may never be answered.
        self.our_ids.push(session.id);
        let forget = self.our_ids.len().saturating_sub(OUR_IDS_MAX);
        self.our_ids.drain(..forget);
        self.lock(&mut session, is_first).await?;
        self.our_ids = vec![session.id];
        Ok(session)
    }

    /// Takes the named lock. Where our own lost session still holds it, that session is killed; the lock comes free
    /// only when its transaction is undone, so that nothing of it can come later. The first time it is waited for: the
    /// server notices that the engine before us was killed only when that one's last statement ends.
    async fn lock(&self, session: &mut Session, is_first: bool) -> Result<(), StoreError> {
        let name = self.server.lock_literal();
        let patience = if is_first { LOCK_WAIT_S } else { 0 };
        if session.number(&format!("GET_LOCK({name}, {patience})")).await? == Some(1) {
            return Ok(());
        }
        let holder = session.number(&format!("IS_USED_LOCK({name})")).await?;
        if holder.is_some_and(|id| !self.our_ids.contains(&id)) {
            return Err(StoreError::Fenced(format!("another session holds its lock {name}")));
        }
        if let Some(id) = holder {
            // It may have gone by itself in the meantime (1094): the lock will tell.
            if let Err(error) = session.execute(format!("KILL {id}").as_bytes()).await {
                tracing::debug!(%error, "the lost session could not be killed");
            }
        }
        match session.number(&format!("GET_LOCK({name}, {LOCK_WAIT_S})")).await? {
            Some(1) => Ok(()),
            _ => Err(StoreError::Unavailable(format!("the lock {name} of our lost session is not free yet"))),
        }
    }

    /// Gives the lock back.
    pub async fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.leave().await;
        }
    }
}

/// Half of what the server takes, and no more than is useful.
pub(super) fn statement_max(session: &Session) -> usize {
    (session.packet_max / 2).min(STATEMENT_MAX)
}

/// Moves the checkpoint, if it is where the batch begins.
pub(super) fn compare_and_set(batch: &WriteBatch) -> String {
    let WriteBatch { from, to, epoch, .. } = batch;
    let now = Timestamp::now().to_sql();
    let seq = if planted::is(Planted::CheckpointNotCompared) { "seq".to_owned() } else { from.to_string() };
    let ours = if planted::is(Planted::EpochNotCompared) { "epoch".to_owned() } else { epoch.to_string() };
    format!(
        "UPDATE journal_checkpoint SET seq = {to}, epoch = {epoch}, updated_at = '{now}' \
         WHERE consumer = '{STORE}' AND seq = {seq} AND epoch = {ours}"
    )
}

async fn raise_epoch(session: &mut Session, node: NodeId, epoch: u64) -> Result<(), StoreError> {
    session.execute(b"START TRANSACTION").await?;
    if session.first(&query::checkpoint_of(COPY)).await?.is_some() {
        return Err(unfinished_copy());
    }
    let state =
        StoreState { node: session.first(&query::node()).await?, checkpoint: session.checkpoint().await? };
    if may_take_over(&state, node, epoch)? {
        let sql = format!("INSERT INTO engine_identity (id, node) VALUES (1, {})", node.0);
        session.execute(sql.as_bytes()).await?;
    }
    let now = Timestamp::now().to_sql();
    let sql = format!(
        "INSERT INTO journal_checkpoint (consumer, seq, epoch, updated_at) VALUES ('{STORE}', 0, {epoch}, '{now}') \
         ON DUPLICATE KEY UPDATE epoch = VALUES(epoch), updated_at = VALUES(updated_at)"
    );
    session.execute(sql.as_bytes()).await?;
    session.execute(b"COMMIT").await?;
    Ok(())
}
