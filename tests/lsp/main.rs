//! The language server as a client sees it: over pipes within this process, and as the real binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod client;
mod configuration;
mod findings;
mod junk;
mod modules;
mod process;
mod protocol;
mod replay;
mod workspace;
mod workspace_pulls;
