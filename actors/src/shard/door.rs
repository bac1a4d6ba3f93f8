use super::ShardInput;
use crate::doorbell::Doorbell;
use crossbeam_channel::{Receiver, Sender};

/// The way to one shard.
pub struct ShardDoor {
    inbox: Sender<ShardInput>,
    pub(super) bell: Doorbell,
}

impl ShardDoor {
    /// A door, and what the shard takes out of it.
    pub fn new() -> (Self, Receiver<ShardInput>) {
        let (inbox, outbox) = crossbeam_channel::unbounded();
        (Self { inbox, bell: Doorbell::default() }, outbox)
    }

    /// Hands something in. Never blocks.
    pub fn send(&self, input: ShardInput) {
        // A closed channel or mailbox means that the shard is gone, and then so is the process in a moment: whoever
        // waits for an answer is told by the closing of its connection.
        if self.inbox.send(input).is_err() || !self.bell.ring() {
            tracing::error!("a message came for a shard that is gone");
        }
    }
}
