//! What each asyncio operation does to a task or coroutine, and what is known of one at each point of a function.
//!
//! In: the graph of a function, and the summaries of those it calls. Out: an [`Account`]: what is asked of each task that was made in
//! view, with the states it can be in there and why, path by path; what consumes each coroutine; how each object ends; every mention,
//! for hover. And a [`Summary`] for the callers. No rule is in here and no text: rules judge the account.
//!
//! - `value` what a place can hold, `world` what is known on one path, `entry` on all where the function starts
//! - `analysis` carries worlds through the graph, `ends` where it branches, to an `account`; `asks` notes what is asked, `unseen` is what
//!   no path is followed to
//! - `callee` what is called, by its name, `modules` the same for names of other modules; `calls`, `members`, `methods`, `awaits` and
//!   `coroutines` are the table of what each operation does, checked against CPython by the tests; `collections` is what lists and dicts
//!   hold, `spent` what of it is used up, `kept` what another method put into an attribute, `refine` what a test tells
//! - `summary` and `effect` what a function does with what it is given, `trusted` what the user says of one

mod account;
mod analysis;
mod asks;
mod awaits;
mod callee;
mod calls;
mod collections;
mod coroutines;
mod effect;
mod ends;
mod entry;
mod kept;
mod members;
mod methods;
pub mod modules;
mod refine;
mod spent;
mod summary;
mod trusted;
mod unseen;
mod value;
mod world;

pub use account::{Account, Ask, AwaitOf, Consumption, End, Mention, Step};
pub use analysis::{Context, analyse};
pub use calls::may_make_tasks;
pub use summary::{Given, Returns, Summary};
pub use value::{
    Asks, Coroutine, Effect, Elsewhere, Extent, Kind, Object, ObjectId, Passed, Raises, States, Why, WhyKind,
};
