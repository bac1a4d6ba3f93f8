//! Floodgate: an in-memory order engine that stands in front of MySQL.
//!
//! This package knows HTTP, configuration, the command line and the order of start and stop. It talks to
//! `floodgate_actors::Engine` and decides nothing about orders.

pub mod alerts;
pub mod audit;
pub mod bench;
pub mod boot;
pub mod catalogue_file;
pub mod cli;
pub mod config;
pub mod http;
pub mod log;
pub mod sample;
pub mod trace;
