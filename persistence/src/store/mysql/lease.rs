//! The connections for reads: made when needed, kept while they work, lent to one reader at a time.

use super::connect::{Role, Server};
use super::session::Session;
use crate::store::gate::Gate;
use crate::store::{PoolUsage, StoreError};
use parking_lot::Mutex;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// A session that nobody wanted for this long is closed instead of lent.
const IDLE_MAX: Duration = Duration::from_secs(300);
/// A session that rested for this long is asked whether it still works before it is lent.
const TRUST: Duration = Duration::from_secs(1);

/// Begins a read-only transaction whose statements all see one moment.
pub const BEGIN_SNAPSHOT: &[u8] = b"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// The sessions at rest, and the door to them.
pub struct Leases {
    server: Arc<Server>,
    gate: Gate,
    idle: Mutex<Vec<Session>>,
}

/// A session on loan. Dropped without [`Lease::give_back`] it is closed: its state is unknown.
pub struct Lease<'a> {
    leases: &'a Leases,
    session: Option<Session>,
    in_snapshot: bool,
    _permit: OwnedSemaphorePermit,
}

impl Leases {
    /// None connected yet.
    pub fn new(server: Arc<Server>, gate: Gate) -> Self {
        Self { server, gate, idle: Mutex::new(Vec::new()) }
    }

    /// Connects once, so that a wrong URL or an old server is told at the start.
    pub async fn first_contact(&self) -> Result<(), StoreError> {
        self.lease().await?.give_back().await
    }

    /// A session; each statement sees what is committed when it runs.
    pub async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        let permit = self.gate.enter(self.server.query_timeout).await?;
        let session = match self.rested().await {
            Some(session) => session,
            None => self.server.connect(Role::Reader).await?,
        };
        Ok(Lease { leases: self, session: Some(session), in_snapshot: false, _permit: permit })
    }

    /// A session in a read-only transaction: all its statements see one moment.
    pub async fn snapshot(&self) -> Result<Lease<'_>, StoreError> {
        let mut lease = self.lease().await?;
        lease.execute(BEGIN_SNAPSHOT).await?;
        lease.in_snapshot = true;
        Ok(lease)
    }

    async fn rested(&self) -> Option<Session> {
        loop {
            // The lock is released before the session is asked anything.
            let mut session = self.idle.lock().pop()?;
            let rest = session.used_at.elapsed();
            if rest < TRUST || (rest < IDLE_MAX && session.answers().await) {
                return Some(session);
            }
        }
    }

    /// How many are on loan and wanted.
    pub fn usage(&self) -> PoolUsage {
        self.gate.usage()
    }

    /// Lends nothing any more and closes the sessions at rest.
    pub async fn close(&self) {
        self.gate.close();
        let resting = std::mem::take(&mut *self.idle.lock());
        for session in resting {
            session.leave().await;
        }
    }
}

impl Lease<'_> {
    /// Ends the snapshot and puts the session back.
    pub async fn give_back(mut self) -> Result<(), StoreError> {
        if self.in_snapshot {
            self.execute(b"COMMIT").await?;
        }
        if let Some(session) = self.session.take() {
            self.leases.idle.lock().push(session);
        }
        Ok(())
    }
}

#[expect(clippy::expect_used, reason = "a lease has its session until it is given back, which consumes it")]
impl Deref for Lease<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session.as_ref().expect("a lease has a session until it is given back")
    }
}

#[expect(clippy::expect_used, reason = "a lease has its session until it is given back, which consumes it")]
impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a lease has a session until it is given back")
    }
}
