//! Which places later code still reads.
//!
//! In: a graph. Out: for each block the places whose values matter at its start. What does not matter is forgotten, so that two
//! paths that differ in nothing else become one.

use super::graph::{BlockId, Graph, Place, Terminator};

/// Blocks times places: beyond this the sets would take more memory than the answer is worth.
const SIZE: usize = 60_000_000;

/// Which places later code reads, by block: a bit set for each.
#[derive(Debug)]
pub struct Liveness {
    words: usize,
    at_entry: Vec<u64>,
}

impl Liveness {
    /// Works it out, from the ends backwards. `None` for a function that is too large for it.
    pub fn of(graph: &Graph) -> Option<Self> {
        if graph.blocks.len().saturating_mul(graph.places as usize) > SIZE {
            return None;
        }
        let words = (graph.places as usize).div_ceil(64).max(1);
        let mut this = Self { words, at_entry: vec![0; words * graph.blocks.len()] };
        let mut before: Vec<Vec<BlockId>> = vec![Vec::new(); graph.blocks.len()];
        for (index, block) in graph.blocks.iter().enumerate() {
            for to in graph.successors(block) {
                if let Some(list) = before.get_mut(to.0 as usize) {
                    list.push(BlockId(index as u32));
                }
            }
        }
        let mut open: Vec<BlockId> = (0..graph.blocks.len() as u32).map(BlockId).collect();
        let mut waiting = vec![true; graph.blocks.len()];
        let mut set = vec![0u64; words];
        while let Some(id) = open.pop() {
            waiting[id.0 as usize] = false;
            let block = &graph.blocks[id.0 as usize];
            set.iter_mut().for_each(|word| *word = 0);
            for to in graph.successors(block) {
                for (word, more) in set.iter_mut().zip(this.row(to)) {
                    *word |= more;
                }
            }
            // An exception may leave in the middle: what it needs stays alive through the whole block.
            let kept: Vec<u64> = block.unwind.map(|to| this.row(to).to_vec()).unwrap_or_default();
            terminator_reads(&block.end, |place| mark(&mut set, place, true));
            for op in block.ops.iter().rev() {
                if let Some(place) = op.kind.writes() {
                    mark(&mut set, place, false);
                }
                op.kind.reads(|place| mark(&mut set, place, true));
                for (word, keep) in set.iter_mut().zip(&kept) {
                    *word |= keep;
                }
            }
            let row = &mut this.at_entry[id.0 as usize * words..][..words];
            if row != set.as_slice() {
                row.copy_from_slice(&set);
                for &to in &before[id.0 as usize] {
                    if !std::mem::replace(&mut waiting[to.0 as usize], true) {
                        open.push(to);
                    }
                }
            }
        }
        Some(this)
    }

    fn row(&self, block: BlockId) -> &[u64] {
        self.at_entry.get(block.0 as usize * self.words..).and_then(|rest| rest.get(..self.words)).unwrap_or_default()
    }

    /// Whether code from the start of `block` on reads what `place` holds there.
    pub fn live(&self, block: BlockId, place: Place) -> bool {
        self.row(block).get(place.0 as usize / 64).is_some_and(|word| word >> (place.0 % 64) & 1 == 1)
    }
}

fn mark(set: &mut [u64], place: Place, on: bool) {
    if let Some(word) = set.get_mut(place.0 as usize / 64) {
        let bit = 1 << (place.0 % 64);
        *word = if on { *word | bit } else { *word & !bit };
    }
}

fn terminator_reads(end: &Terminator, mut read: impl FnMut(Place)) {
    match end {
        Terminator::Branch { test, .. } => read(*test),
        Terminator::Iterate { iter, .. } => read(*iter),
        _ => {}
    }
}
