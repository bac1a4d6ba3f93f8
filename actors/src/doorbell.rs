//! Wakes an actor that is fed through a channel.
//!
//! A mailbox message costs allocations and a wake, so items travel through a channel and the mailbox carries only
//! «there is something»: at most one such message is under way, however many items are. What bounds the channel is
//! the admission counter (checkouts) or the channel's own capacity.

use actix::prelude::*;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// There is something in the actor's channel.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Ring;

/// The bell of one actor.
#[derive(Default)]
pub struct Doorbell {
    rung: AtomicBool,
    actor: OnceLock<Recipient<Ring>>,
}

impl Doorbell {
    /// Names the actor, once, when it starts; then it looks into its channel for the first time. Whoever rang before
    /// reached nobody, so the bell is made to ring again.
    pub fn connect(&self, actor: Recipient<Ring>) {
        let first = self.actor.set(actor).is_ok();
        assert!(first, "a doorbell is connected once");
        self.quiet();
    }

    /// Called after an item was put into the channel. `false`: the actor is gone, which only happens when the
    /// process is ending.
    pub fn ring(&self) -> bool {
        if self.rung.swap(true, Ordering::SeqCst) {
            return true;
        }
        match self.actor.get() {
            Some(actor) => actor.try_send(Ring).is_ok(),
            None => true,
        }
    }

    /// Called by the actor before its last look into the channel: whoever puts something in after that look rings
    /// again.
    pub fn quiet(&self) {
        self.rung.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    struct Listener {
        bell: Arc<Doorbell>,
        heard: Arc<AtomicUsize>,
    }

    impl Actor for Listener {
        type Context = Context<Self>;

        fn started(&mut self, ctx: &mut Self::Context) {
            self.bell.connect(ctx.address().recipient());
        }
    }

    impl Handler<Ring> for Listener {
        type Result = ();

        fn handle(&mut self, _: Ring, _: &mut Self::Context) {
            self.bell.quiet();
            self.heard.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The journal thread may ring before an actor has started: that must not silence the bell for ever.
    #[test]
    fn a_ring_before_the_start_does_not_silence_the_bell() {
        System::new().block_on(async {
            let (bell, heard) = (Arc::new(Doorbell::default()), Arc::new(AtomicUsize::new(0)));
            assert!(bell.ring(), "nobody is there yet");
            let listener = Listener { bell: Arc::clone(&bell), heard: Arc::clone(&heard) }.start();
            while !listener.connected() || bell.actor.get().is_none() {
                tokio::task::yield_now().await;
            }
            for rings in 1..=3 {
                assert!(bell.ring());
                let heard_it = async {
                    while heard.load(Ordering::SeqCst) < rings {
                        tokio::task::yield_now().await;
                    }
                };
                let in_time = tokio::time::timeout(std::time::Duration::from_secs(10), heard_it).await;
                assert!(in_time.is_ok(), "ring {rings} was not heard");
            }
        });
    }
}
