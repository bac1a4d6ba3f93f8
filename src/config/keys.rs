use super::source::{Merged, Origin};
use super::{
    ApiKey, Automatic, ByteSize, CacheFile, ConfigError, Endpoint, Gateway, LogFormat, Optional, Secret,
    Setting, Span, StoreUrl, SyncText,
};
use floodgate_persistence::model::Currency;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A key of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// `section.key`.
    pub name: &'static str,
    /// The built-in value as text; empty: none.
    pub default: &'static str,
    /// False: accepted and checked, but the feature that it belongs to is not in this version.
    pub in_force: bool,
}

macro_rules! sections {
    ($(
        $(#[$section_doc:meta])*
        $section:ident: $Section:ident {
            $( $(#[$doc:meta])* $key:ident: $kind:ty = $default:literal $($later:ident)?; )*
        }
    )*) => {
        $(
            $(#[$section_doc])*
            #[derive(Clone, Debug)]
            pub struct $Section { $( $(#[$doc])* pub $key: $kind, )* }
        )*

        /// Everything that can be configured, read and checked.
        #[derive(Clone, Debug)]
        pub struct Config {
            $( $(#[$section_doc])* pub $section: $Section, )*
            /// `--insecure`: an open door on an address that is not loopback is wanted.
            pub insecure: bool,
            /// Where the values that are not built in came from, by key.
            pub origins: BTreeMap<&'static str, Origin>,
        }

        /// All keys, in the order of `config.toml`.
        pub const KEYS: &[Key] = &[ $($( Key {
            name: concat!(stringify!($section), ".", stringify!($key)),
            default: $default,
            in_force: concat!("" $(, stringify!($later))?).is_empty(),
        }, )*)* ];

        impl Config {
            pub(super) fn read(merged: &Merged, insecure: bool) -> Result<Self, ConfigError> {
                Ok(Self {
                    $( $section: $Section {
                        $( $key: merged.setting(concat!(stringify!($section), ".", stringify!($key)), $default)?, )*
                    }, )*
                    insecure,
                    origins: merged.origins(),
                })
            }

            /// Every key with its value as TOML text, secrets masked, in the order of [`KEYS`]; an empty text: no value.
            pub fn shown(&self) -> Vec<(&'static str, String)> {
                vec![ $($(
                    (concat!(stringify!($section), ".", stringify!($key)), self.$section.$key.show()),
                )*)* ]
            }
        }

        /// The value of `key` as [`Config::shown`] would show it, if its text were `text`: for the check of
        /// `config.toml` against the defaults.
        pub(super) fn shown_default(key: &str) -> Option<Result<String, String>> {
            match key {
                $($( concat!(stringify!($section), ".", stringify!($key)) =>
                    Some(<$kind>::parse($default).map(|value| value.show())), )*)*
                _ => None,
            }
        }
    };
}

sections! {
    /// `[server]`: the HTTP side.
    server: Server {
        /// Address and port; port 0 takes a free one.
        listen: SocketAddr = "127.0.0.1:8080";
        /// Longest time between a signal and the end of the process.
        shutdown_timeout: Span = "30s";
        /// Most connections at once, all workers together.
        connections_max: usize = "12000";
        /// HTTP worker threads, each with its own listener.
        workers: Automatic<usize> = "auto";
        /// Longest time for a request's head to arrive.
        header_timeout: Span = "10s";
        /// Longest time for a request's body to arrive.
        body_timeout: Span = "10s";
        /// Longest time between a whole request and its answer.
        request_timeout: Span = "10s";
        /// Longest time that a client may take to read on.
        write_timeout: Span = "30s";
        /// Longest time that a connection may stay without a request.
        idle_timeout: Span = "60s";
    }
    /// `[store]`: the database that the journal is written out to.
    store: Store {
        /// Which database.
        url: StoreUrl = "sqlite://data/floodgate.db";
        /// Most connections to it.
        pool_max: usize = "8";
        /// Longest time to get a connection.
        connect_timeout: Span = "5s";
        /// Longest time for one statement.
        query_timeout: Span = "10s";
    }
    /// `[journal]`: the file of truth.
    journal: Journal {
        /// Directory of the segments; its parent is the data directory.
        dir: String = "data/journal";
        /// Disk budget of all segments.
        max_bytes: ByteSize = "64GiB";
        /// Free disk space below which checkouts are shed.
        disk_reserve: ByteSize = "256MiB";
        /// How long consumed segments are kept.
        retain: Span = "24h";
        /// When an append counts as done.
        sync: SyncText = "always";
        /// Size of one segment file.
        segment_bytes: Automatic<ByteSize> = "auto";
    }
    /// `[engine]`: the shards.
    engine: Engine {
        /// Shards that the products are spread over.
        shards: Automatic<usize> = "auto";
        /// Most checkouts between admission and answer.
        in_flight_max: usize = "16384";
        /// A store without any product gets the built-in sample at the start of `serve`.
        sample_catalogue: bool = "true";
        /// Newest changed orders kept in memory.
        recent_orders_max: usize = "100000";
    }
    /// `[limits]`: rate limits by API key, else by address.
    limits: Limits {
        /// Requests a second; 0: no limit.
        requests_per_second: u64 = "0";
        /// Requests that may come at once; 0: as many as a second's.
        burst: u64 = "0";
    }
    /// `[admin]`: the admin API.
    admin: Admin {
        /// The bearer token; none: made at the first start.
        token: Optional<Secret> = "";
    }
    /// `[auth]`: who may use the shop API.
    auth: Auth {
        /// The keys; none: anyone who reaches the address.
        api_keys: Vec<ApiKey> = "[]";
    }
    /// `[orders]`: terms of an order.
    orders: Orders {
        /// How long an unpaid order lives.
        payment_window: Span = "15m";
        /// Most open orders.
        open_max: usize = "10000000";
        /// Currency of a checkout that names none.
        currency: Currency = "USD";
        /// Id of the very first order of a store.
        first_id: u64 = "1";
        /// First part of invoice numbers.
        invoice_prefix: String = "INV";
    }
    /// `[idempotency]`: how long a repeated request is recognised.
    idempotency: Idempotency {
        /// Age up to which a key is remembered.
        window: Span = "24h";
        /// Most keys remembered.
        keys_max: usize = "10000000";
    }
    /// `[cache]`: how fresh copies are kept.
    cache: Cache {
        /// Age at which a product is refreshed.
        product_ttl: Span = "30m";
        /// Age at which a seller is refreshed.
        seller_ttl: Span = "5m";
        /// Age at which what is digital about a product is refreshed.
        digital_ttl: Span = "5m";
        /// Life of the preferences cookie.
        preferences_ttl: Span = "24h";
        /// The catalogue cache file.
        file: CacheFile = "auto";
    }
    /// `[payments]`: the payment gateway.
    payments: Payments {
        /// Which gateway.
        gateway: Gateway = "sandbox" later;
        /// Address of the `http` gateway.
        url: Optional<String> = "" later;
        /// Longest wait for the gateway's decision.
        timeout: Span = "5s" later;
        /// Secret of the gateway's callbacks.
        webhook_secret: Optional<Secret> = "" later;
    }
    /// `[webhooks]`: who is told what happened.
    webhooks: Webhooks {
        /// The receivers.
        endpoints: Vec<Endpoint> = "[]" later;
    }
    /// `[mail]`: the mail server.
    mail: Mail {
        /// Its address; none: mail is off.
        url: Optional<String> = "" later;
        /// The sender's address.
        from: Optional<String> = "" later;
    }
    /// `[referral]`: reward of whoever brought a customer.
    referral: Referral {
        /// Share of subtotal − discount, in 1/10,000.
        rate_bps: u64 = "500" later;
    }
    /// `[digital]`: downloads.
    digital: Digital {
        /// Where `download_path` of the products lies below.
        base_url: Optional<String> = "" later;
        /// Life of a download link.
        link_ttl: Span = "24h" later;
        /// Downloads of one line of an order.
        max_downloads: u64 = "5" later;
    }
    /// `[log]`: what is logged, on standard error.
    log: Log {
        /// Form of the lines.
        format: LogFormat = "auto";
        /// What is logged, in the syntax of `RUST_LOG`, which wins where it is set.
        filter: String = "info,refinery_core=warn";
    }
}

impl Key {
    /// The default as [`Config::shown`] shows it.
    pub fn shown_default(&self) -> Result<String, String> {
        shown_default(self.name).unwrap_or_else(|| Err(format!("{} is no key", self.name)))
    }
}
