//! What no path is followed to: the ways that a test was presumed not to take, and the code that is left.
//!
//! In: the ways that were left out, and the blocks that were visited. Out: the ways to follow after all, and the variables that the rest
//! mentions. A test of the same text is taken to give the same twice on a path, though other code may have changed that in between. Where
//! nothing else leads to a block, it must have: nobody writes what never runs. What such a path knows of what was before is believed
//! only where no other path says anything of it ([`World::overrule`]).

use rustc_hash::FxHashSet;

use super::analysis::Analysis;
use super::world::World;
use crate::flow::{BlockId, Graph, OpKind};

/// So many of the worlds that come to a block against what was presumed are remembered.
const PRESUMED: usize = 8;

impl Analysis<'_> {
    /// Leaves a way out, unless nothing else leads to where it goes.
    pub(super) fn presume(&mut self, to: BlockId, world: World) {
        self.account.presumed = true;
        let is_same = |(of, known): &&(BlockId, World)| *of == to && *known == world;
        if !self.visited[to.0 as usize]
            && self.presumed.iter().filter(|(of, _)| *of == to).count() < PRESUMED
            && !self.presumed.iter().any(|known| is_same(&known))
        {
            self.presumed.push((to, world));
        }
    }

    /// The ways that were left out though nothing else leads to where they go.
    pub(super) fn overruled(&mut self) -> Vec<(BlockId, World)> {
        let mut ways = std::mem::take(&mut self.presumed);
        ways.retain(|(to, _)| !self.visited[to.0 as usize]);
        ways
    }
}

/// The variables that blocks mention which were not visited, though something leads there: what stands behind a `return` never runs.
pub(super) fn unseen(graph: &Graph, visited: &[bool]) -> FxHashSet<String> {
    let reachable = reachable(graph);
    let blocks = graph.blocks.iter().enumerate().filter(|(index, _)| !visited[*index] && reachable[*index]);
    let mentioned = blocks.flat_map(|(_, block)| &block.ops).filter_map(|op| match op.kind {
        OpKind::Mention { place, is_read: true } => graph.locals.get(place.0 as usize),
        _ => None,
    });
    mentioned.map(|local| local.name.clone()).collect()
}

/// The blocks that the graph leads to from its start.
fn reachable(graph: &Graph) -> Vec<bool> {
    let mut reachable = vec![false; graph.blocks.len()];
    let mut open = vec![BlockId(0)];
    while let Some(id) = open.pop() {
        if let Some(block) = graph.blocks.get(id.0 as usize).filter(|_| !reachable[id.0 as usize]) {
            reachable[id.0 as usize] = true;
            open.extend(graph.successors(block));
        }
    }
    reachable
}
