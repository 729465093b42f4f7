//! What a function does with a task or coroutine that it is given, in the words of those who call it.

use std::sync::Arc;

use super::value::{ObjectId, States};
use crate::text::Span;

/// A task or coroutine that is given to a function of this file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lent {
    /// Which.
    pub id: ObjectId,
    /// What the function does with it.
    pub effect: Effect,
    /// The argument.
    pub arg: Span,
}

/// A place in another function of the file.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Elsewhere {
    /// The function: `report`, `Pool.start`.
    pub function: Arc<str>,
    /// Bytes from its `def` on.
    pub span: Span,
}

/// What a function does with an argument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Effect {
    /// It keeps it, or gives it to code that is not in view.
    pub escapes: bool,
    /// The task is done when it returns.
    pub settles: Extent,
    /// The states that the task may be in when it returns.
    pub leaves: States,
    /// It uses the coroutine up, or waits for the task or asks what became of it.
    pub uses: Extent,
    /// Some path awaits it or gives it to a task: it does not only close it.
    pub consumes: bool,
    /// All that it does with it could be done with a task.
    pub takes_task: bool,
    /// It does no more than wait for the task by `asyncio.wait`, which tells nothing of its exception.
    pub only_waits: bool,
    /// Whatever way it returns, it has used the coroutine up twice: where the second time, bytes from its `def` on.
    pub again: Option<Span>,
    /// It asks the task to cancel.
    pub cancels: Extent,
    /// Some path awaits the task, and nothing around that expects a `CancelledError`.
    pub awaits: bool,
    /// It asks for the result or exception of a task that may be pending: there, bytes of the callee's item.
    pub asks: Option<Asks>,
}

/// See [`Effect::asks`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Asks {
    /// `result` or `exception`.
    pub is_result: bool,
    /// Every path does.
    pub always: bool,
    /// A suspension lies between the start and the question.
    pub after_suspension: bool,
    /// The question: bytes from the function's `def` on.
    pub span: Span,
}

/// On which paths something happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Extent {
    /// On none.
    #[default]
    Never,
    /// On some.
    Sometimes,
    /// On all that return.
    Always,
}
