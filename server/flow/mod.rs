//! The control-flow graph of one function, and the solver that walks it.
//!
//! In: a function's syntax node with the facts of its item. Out: a [`Graph`] of basic blocks over a small instruction set, plain
//! data without a reference to the tree. Everything that can raise has an exception edge, and every `finally` (a `with` is one
//! too) stands in the graph once: how control goes on behind it travels with the state (see [`Resume`]), so that nested
//! `finally`s cannot multiply.
//!
//! - `graph` the types; `dump` their text form
//! - `lower` from syntax to graph, `statements`, `patterns`, `conditions`, `expressions` and `calls`
//! - `exceptions` which exceptions a handler takes
//! - `solve` the worklist, `liveness` what may be forgotten on the way

mod dump;
mod exceptions;
mod graph;
mod liveness;
mod lower;
mod solve;

pub use dump::dump;
pub use exceptions::ExcSet;
pub use graph::{
    Arg, ArgKind, Arm, Block, BlockId, CmpOp, Condition, ConditionId, Constant, Graph, Guard, Guards, Local, Op,
    OpKind, Parameter, Place, Receiver, Resume, Terminator,
};
pub use liveness::Liveness;
pub use lower::{Unit, lower, units};
pub use solve::{Domain, Outcome, solve};
