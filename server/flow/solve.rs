//! The one worklist solver: every state that can reach a block is carried through it once.
//!
//! In: a graph and a [`Domain`] that says what a block does to a state. Out: whether everything was visited, or the budget ran
//! out. States are not merged where paths meet, because "done on every path" is about paths: `if a: await t … if a: t.result()`
//! is right, and only states kept apart show it. The domain keeps their number small by forgetting what no later code reads, and
//! two equal states are one.

use rustc_hash::FxHashSet;
use std::collections::VecDeque;
use std::hash::Hash;

use super::graph::{BlockId, Graph};

/// What flows through a graph.
pub trait Domain {
    /// What is known at a point on a path. Equal states go on as one.
    type State: Clone + Eq + Hash;

    /// Carries a state through a block and gives each state that leaves it, with the block it goes to, to `emit`.
    fn step(&mut self, graph: &Graph, block: BlockId, state: Self::State, emit: &mut dyn FnMut(BlockId, Self::State));

    /// All is carried through. What it left out on the way and wants to see after all goes to `emit`; nothing ends the run.
    fn left_out(&mut self, _graph: &Graph, _emit: &mut dyn FnMut(BlockId, Self::State)) {}
}

/// How a run of the solver ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Every state was carried through.
    Complete,
    /// There were too many: what was seen is not the whole.
    OverBudget,
}

/// Carries `entry` through `graph` until nothing new arrives anywhere, breadth first, so that the first state of a kind took a
/// shortest path. At most `per_block` states are taken at one block and `steps` in all.
pub fn solve<D: Domain>(graph: &Graph, domain: &mut D, entry: D::State, per_block: usize, steps: usize) -> Outcome {
    let mut seen: Vec<FxHashSet<D::State>> = vec![FxHashSet::default(); graph.blocks.len()];
    let mut queue = VecDeque::from([(BlockId(0), entry.clone())]);
    if let Some(first) = seen.first_mut() {
        first.insert(entry);
    }
    let mut taken = 0;
    let mut outcome = Outcome::Complete;
    loop {
        let next = queue.pop_front();
        taken += 1;
        if taken > steps {
            return Outcome::OverBudget;
        }
        let ends = next.is_none();
        let mut emit = |to: BlockId, state: D::State| {
            let Some(seen) = seen.get_mut(to.0 as usize) else { return };
            if seen.contains(&state) {
                return;
            }
            if seen.len() >= per_block {
                outcome = Outcome::OverBudget;
                return;
            }
            seen.insert(state.clone());
            queue.push_back((to, state));
        };
        match next {
            Some((block, state)) => domain.step(graph, block, state, &mut emit),
            None => domain.left_out(graph, &mut emit),
        }
        if outcome == Outcome::OverBudget || ends && queue.is_empty() {
            return outcome;
        }
    }
}
