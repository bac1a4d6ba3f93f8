//! The HTTP API: requests in, commands to the [`Engine`](floodgate_actors::Engine), answers out.
//!
//! A request passes the door (request id, credential, panics, metrics), then its handler, one file a noun. A
//! handler knows nothing of status codes of failures: it returns a [`Failure`](error::Failure), and [`error`] is the
//! only place that knows what each of them looks like outside.

mod access;
mod batch;
mod body;
mod catalogue;
mod catalogue_rows;
mod checkout;
mod checkout_shape;
mod config;
mod connection;
mod door;
mod error;
mod health;
mod idempotency;
mod json;
mod metrics;
mod openapi;
mod order;
mod order_json;
mod order_query;
mod parked;
mod preferences;
mod problem;
mod product;
mod rate;
mod reconciliation;
mod request_id;
mod route;
mod server;
mod shop;
mod status;
mod stock;
mod warmup;
mod worker;

pub use access::{Access, AccessKey, Scope};
pub use config::HttpConfig;
pub use metrics::install_metrics;
pub use openapi::document;
pub use preferences::Jar;
pub use rate::RateLimits;
pub use reconciliation::reconciliation_json;
pub use server::{Running, Server};
