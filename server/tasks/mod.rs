//! What each asyncio operation does to a task, and what states a task can be in at each point of a function.
//!
//! In: the graph of a function. Out: an [`Account`]: every call of `result()` and `exception()` on a task that was made in view,
//! with the states it can be in there and why, path by path, and every mention of such a task, for hover. No rule is in here and
//! no text: rules judge the account.
//!
//! - `value` what a place can hold, `world` what is known on one path
//! - `analysis` carries worlds through the graph, `ends` where it branches, to an `account`
//! - `calls`, `methods` and `awaits` are the table of what each operation does, checked against CPython by the tests; `refine` is
//!   what a test tells

mod account;
mod analysis;
mod asks;
mod awaits;
mod callee;
mod calls;
mod collections;
mod coroutines;
mod ends;
mod members;
mod methods;
mod refine;
mod summary;
mod value;
mod world;

pub use account::{Account, Ask, AwaitOf, Consumption, End, Mention, Step};
pub use analysis::{Context, analyse};
pub use calls::may_make_tasks;
pub use summary::{Given, Returns, Summary};
pub use value::{
    Asks, Coroutine, Effect, Elsewhere, Extent, Kind, Object, ObjectId, Passed, Raises, States, Why, WhyKind,
};
