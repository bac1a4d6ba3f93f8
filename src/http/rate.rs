//! How often one caller may ask: a token bucket (GCRA) for each API key, else for each address.

use super::access::Caller;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Most callers with a bucket of their own, of some 100 bytes each; whoever comes beyond that shares one bucket.
const BUCKETS_MAX: usize = 100_000;
/// New buckets may have come by so many requests: then those that are full again are dropped.
const TIDY_EVERY: u32 = 10_000;
/// What a client reads to slow down by itself (draft-ietf-httpapi-ratelimit-headers).
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The quota itself.
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

type Buckets = RateLimiter<Asker, DashMapStateStore<Asker>, DefaultClock, StateInformationMiddleware>;

/// Whose bucket it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Asker {
    /// An API key, or the admin token.
    Key(Arc<str>),
    /// An address; of version 6, the network that one customer gets (RFC 6177: a /64 at least).
    Address(IpAddr),
    /// All who came when there was no room for more buckets.
    Crowd,
}

/// The buckets of all callers, shared by all workers.
pub struct RateLimits {
    buckets: Buckets,
    clock: DefaultClock,
    per_second: NonZeroU32,
    since_tidied: AtomicU32,
}

/// What a caller is told of their bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    /// Go on; so many more may come at once.
    Granted {
        /// Requests left.
        remaining: u32,
    },
    /// Too many; again in so many seconds.
    Refused {
        /// At least 1.
        retry_after_s: u64,
    },
}

impl RateLimits {
    /// `per_second` requests a second, and `burst` at once; a burst of 0 is as many as a second's. `None`: no limit.
    pub fn new(per_second: u32, burst: u32) -> Option<Self> {
        let per_second = NonZeroU32::new(per_second)?;
        let quota = Quota::per_second(per_second).allow_burst(NonZeroU32::new(burst).unwrap_or(per_second));
        Some(Self {
            buckets: RateLimiter::dashmap(quota).with_middleware(),
            clock: DefaultClock::default(),
            per_second,
            since_tidied: AtomicU32::new(0),
        })
    }

    /// Takes one request out of the caller's bucket.
    pub(super) fn take(&self, caller: &Caller, peer: IpAddr) -> Allowance {
        self.tidy();
        let asker = match caller.key_id() {
            Some(id) => Asker::Key(Arc::clone(id)),
            None if self.buckets.len() >= BUCKETS_MAX => Asker::Crowd,
            None => Asker::Address(network_of(peer)),
        };
        match self.buckets.check_key(&asker) {
            Ok(state) => Allowance::Granted { remaining: state.remaining_burst_capacity() },
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                // Rounded up: who comes back in time is let in.
                Allowance::Refused { retry_after_s: wait.as_secs() + 1 }
            }
        }
    }

    /// One caller in ten thousand pays for dropping the buckets that are full again, which say nothing.
    fn tidy(&self) {
        if self.since_tidied.fetch_add(1, Ordering::Relaxed) >= TIDY_EVERY {
            self.since_tidied.store(0, Ordering::Relaxed);
            self.buckets.retain_recent();
            self.buckets.shrink_to_fit();
        }
    }

    /// Writes the caller's allowance onto an answer.
    pub(super) fn tell(&self, allowance: Allowance, headers: &mut HeaderMap) {
        let (remaining, reset_s) = match allowance {
            Allowance::Granted { remaining } => (remaining, 1),
            Allowance::Refused { retry_after_s } => {
                headers.insert(header::RETRY_AFTER, retry_after_s.into());
                (0, retry_after_s)
            }
        };
        let lines = [
            (RATELIMIT, format!("\"default\";r={remaining};t={reset_s}")),
            (RATELIMIT_POLICY, format!("\"default\";q={};w=1", self.per_second)),
        ];
        for (name, line) in lines {
            // Digits and ASCII words: always a header.
            if let Ok(value) = HeaderValue::try_from(line) {
                headers.insert(name, value);
            }
        }
    }
}

/// Without the buckets.
impl std::fmt::Debug for RateLimits {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RateLimits").field("per_second", &self.per_second).finish_non_exhaustive()
    }
}

fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn each_caller_has_a_bucket_of_their_own() {
        let limits = RateLimits::new(1, 3).expect("limits");
        let shop = Caller::Shop("web".into());
        let callers = [
            (&Caller::Nobody, "192.0.2.1", [Some(2), Some(1), Some(0), None]),
            (&Caller::Nobody, "192.0.2.2", [Some(2), Some(1), Some(0), None]),
            (&shop, "192.0.2.1", [Some(2), Some(1), Some(0), None]),
            (&shop, "192.0.2.9", [None; 4]),
            (&Caller::Nobody, "::ffff:192.0.2.2", [None; 4]),
            (&Caller::Nobody, "2001:db8::1", [Some(2), Some(1), Some(0), None]),
            (&Caller::Nobody, "2001:db8::ffff", [None; 4]),
            (&Caller::Nobody, "2001:db8:0:1::1", [Some(2), Some(1), Some(0), None]),
        ];
        for (caller, peer, expected) in callers {
            for remaining in expected {
                let allowance = limits.take(caller, address(peer));
                let refused = Allowance::Refused { retry_after_s: 1 };
                let expected = remaining.map_or(refused, |remaining| Allowance::Granted { remaining });
                assert_eq!(allowance, expected, "{caller:?} {peer}");
            }
        }
    }

    #[test]
    fn no_limit_is_no_table() {
        assert!(RateLimits::new(0, 0).is_none());
    }

    #[test]
    fn the_table_is_bounded() {
        let limits = RateLimits::new(1, 1).expect("limits");
        for n in 0..u32::try_from(BUCKETS_MAX + 1000).expect("fits") {
            limits.take(&Caller::Nobody, IpAddr::V4(n.into()));
        }
        assert!(limits.buckets.len() <= BUCKETS_MAX + 1);
    }
}
