//! Bytes and SQL of the order engine.
//!
//! Four doors: [`model`] holds the nouns that survive a crash, [`journal`] keeps the events of the engine on
//! disk, [`store`] writes them out to SQL and reads them back, [`catalogue_file`] keeps a copy of the store's
//! catalogue for a faster start. The journal and the stores do not know each other, and nothing here takes a decision.

pub mod model;

pub mod journal;

pub mod store;

pub mod catalogue_file;

pub mod free_space;

pub mod page_cache;

pub mod planted;

mod fields;
