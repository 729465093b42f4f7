//! What the analysis of a function saw: the asks, and the evidence for them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::value::{Object, ObjectId};
use super::world::{Trail, World};
use crate::flow::{BlockId, Guard};
use crate::text::Span;

/// What the analysis saw.
#[derive(Debug, Default)]
pub struct Account {
    /// Every `task.result` or `task.exception` that is called, by place; one entry for each way in which a path can come there.
    pub asks: FxHashMap<Span, Vec<Ask>>,
    /// Every mention of a task by a name, with the states on all paths together.
    pub mentions: FxHashMap<Span, Mention>,
    /// A way was left out because a test of the same text had given something else before, though other code may have changed that
    /// in between: what is left may not be all, so nothing is certain.
    pub presumed: bool,
    /// Where the tasks were waited for: the blocks and the expressions.
    pub(super) waits: FxHashMap<ObjectId, FxHashSet<(BlockId, Span)>>,
    pub(super) steps: Vec<(u32, Step)>,
    pub(super) reach: Vec<Vec<BlockId>>,
}

/// A path comes to `task.result()` or `task.exception()`.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The task, and what is known of it on this path; `None` where the receiver is none that was made in view.
    pub task: Option<(ObjectId, Object)>,
    /// The whole `task.result()`, and the expression for the task in it; empty where the receiver is none.
    pub call: Span,
    /// See `call`.
    pub receiver: Span,
    /// `result` or `exception`.
    pub is_result: bool,
    /// No reader would believe in the path.
    pub doubt: bool,
    /// The path has passed a question that can only fail.
    pub beyond: bool,
    /// What catches the error.
    pub guard: Guard,
    pub(super) trail: Trail,
}

/// A task where it is named.
#[derive(Clone, Debug)]
pub struct Mention {
    /// The task; `None` where it is another on another path.
    pub task: Option<ObjectId>,
    /// What is known on each path.
    pub states: Vec<Object>,
}

/// A branch that a path took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The test, or the iterable.
    pub test: Span,
    /// The way it went.
    pub taken: bool,
    pub(super) from: BlockId,
    pub(super) other: BlockId,
}

impl Ask {
    /// Nothing but the path.
    pub(super) fn at(world: &World) -> Self {
        Self {
            task: None,
            call: Span::default(),
            receiver: Span::default(),
            is_result: false,
            doubt: world.doubt,
            beyond: world.beyond,
            guard: Guard::None,
            trail: world.trail,
        }
    }

    /// Whether it says the same: the first to come stands for all, having taken the shortest path.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let marks = |ask: &Self| (ask.doubt, ask.beyond);
        self.task == other.task && marks(self) == marks(other)
    }
}

impl Account {
    /// The branch on the path of `ask` that led past a wait for its task: the last one whose other side goes to a wait.
    pub fn skipped(&self, ask: &Ask) -> Option<Step> {
        let (id, _) = ask.task.as_ref()?;
        let waits = self.waits.get(id)?;
        let mut at = ask.trail.0;
        while at != 0 {
            let (before, step) = *self.steps.get(at as usize)?;
            // The wait has to lie on the way that was not taken, not around the next round of a loop.
            if self.reaches(step.other, step.from, |block| waits.iter().any(|(of, _)| *of == block)) {
                return Some(step);
            }
            at = before;
        }
        None
    }

    fn reaches(&self, from: BlockId, without: BlockId, hit: impl Fn(BlockId) -> bool) -> bool {
        let mut seen = FxHashSet::default();
        let mut open = vec![from];
        while let Some(block) = open.pop() {
            if block == without || !seen.insert(block) {
                continue;
            }
            if hit(block) {
                return true;
            }
            open.extend(self.reach.get(block.0 as usize).into_iter().flatten());
        }
        false
    }
}
