//! The command line, and the parts of the report that it shares with the language server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod apply;
mod bad_input;
mod cache;
mod check;
mod configuration;
mod explain;
mod fix;
mod reading;
mod sandbox;
mod suppression;
mod tasks;
mod walking;
