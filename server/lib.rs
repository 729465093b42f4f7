//! `aiolint` finds asyncio mistakes in Python while they are typed, and repairs them.
//!
//! The stages, each a folder that knows only those before it:
//! `text` → `items` → `tree` → `facts` → `project` → `flow` → `tasks` → `report` → `fixes` → `rules`, behind the one door `engine`;
//! `lsp` and `cli` are clients of that door. `ARCHITECTURE.md`, beside this file, is the map.

pub mod text;

pub mod items;

pub mod tree;

pub mod facts;

pub mod project;

pub mod flow;

pub mod tasks;

pub mod report;

pub mod fixes;

pub mod rules;

pub mod engine;

pub mod lsp;

pub mod cli;
