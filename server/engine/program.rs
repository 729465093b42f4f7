//! Which functions of a file are analysed, and in which order: those that are called before those that call them.
//!
//! In: the items. Out: each function of an item that matters, up to date. Who calls whom is judged by words: a word too many only makes
//! a function wait for another, or be analysed again. Functions that call each other in a circle know nothing of each other, in
//! whatever order somebody opened or edited them.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::item::{Inputs, ItemState, Slot, word};
use super::names::Module;
use crate::items::Item;
use crate::tasks::Summary;
use crate::tasks::modules::Modules;
use crate::text::Text;

/// A function: its item, and its slot in that.
struct Node {
    item: usize,
    slot: usize,
    callable: Option<Arc<str>>,
    /// The functions that it may call, as indices of nodes.
    calls: Vec<usize>,
    /// What it does for its callers; nothing where another function has the same name.
    summary: Option<Arc<Summary>>,
    effect: u64,
}

/// The functions of a file and who calls whom, kept from one edit to the next.
#[derive(Default)]
pub(super) struct Program {
    /// What the items were, in order: their places, and a stamp of the functions of each.
    items: Vec<(usize, u64)>,
    nodes: Vec<Node>,
    /// The functions by name, `None` where two share it.
    by_name: FxHashMap<Arc<str>, Option<usize>>,
    circles: Vec<Vec<usize>>,
    /// What the names of the module meant.
    generation: u64,
}

impl Program {
    /// Brings all functions of the items in `wanted` up to date; gives the number of those that had to be analysed.
    pub fn analyse(
        &mut self,
        wanted: &[usize],
        text: &Text,
        items: &[Item],
        states: &mut [ItemState],
        module: &Module,
        modules: &dyn Modules,
    ) -> u64 {
        for &index in wanted {
            states[index].prepare(items[index].span.of(text.as_str()));
        }
        let mut dirty = self.outdated(wanted, states).unwrap_or_else(|| {
            self.nodes = nodes(wanted, states);
            self.by_name = link(&mut self.nodes, states);
            self.circles = circles(&self.nodes);
            vec![true; self.nodes.len()]
        });
        self.items = wanted.iter().map(|&index| (index, states[index].stamp())).collect();
        if std::mem::replace(&mut self.generation, module.generation) != module.generation {
            dirty.iter_mut().for_each(|dirty| *dirty = true);
        }
        if !dirty.contains(&true) {
            return 0;
        }
        let mut analysed = 0;
        let mut changed = vec![false; self.nodes.len()];
        for circle in &self.circles {
            let is_open = |index: &usize| dirty[*index] || self.nodes[*index].calls.iter().any(|of| changed[*of]);
            if !circle.iter().any(is_open) {
                continue;
            }
            for &index in circle {
                let Node { item, slot: at, ref calls, .. } = self.nodes[index];
                let Some(slot) = slot(states, item, at) else { continue };
                let outside = calls.iter().filter(|of| !circle.contains(of));
                let calls = outside.fold(0u64, |sum, &of| {
                    let name = self.nodes[of].callable.as_deref().unwrap_or_default();
                    sum.wrapping_add(word(name).rotate_left(7) ^ self.nodes[of].effect)
                });
                let names = module.meaning_of(slot);
                let summary = |name: &str| {
                    let known = self.by_name.get(name).copied().flatten().filter(|of| !circle.contains(of))?;
                    self.nodes[known].summary.clone()
                };
                let inputs = Inputs { module, names, calls, summary: &summary, modules };
                analysed += u64::from(states[item].analyse(at, items[item].span.of(text.as_str()), &inputs));
            }
            for &index in circle {
                let node = &mut self.nodes[index];
                let is_sole = node.callable.as_ref().is_some_and(|name| self.by_name.get(name) == Some(&Some(index)));
                if let Some(slot) = slot(states, node.item, node.slot).filter(|_| is_sole) {
                    let (summary, effect) = slot.summary();
                    changed[index] = effect != node.effect;
                    (node.summary, node.effect) = (summary.cloned(), effect);
                }
            }
        }
        analysed
    }

    /// What its functions do for their callers, by name.
    pub fn summaries(&self) -> FxHashMap<Arc<str>, Arc<Summary>> {
        let known = self.nodes.iter().filter_map(|node| Some((node.callable.clone()?, node.summary.clone()?)));
        known.collect()
    }

    /// The functions that may have to be analysed again, where all else is as it was: the same functions call each other.
    fn outdated(&self, wanted: &[usize], states: &[ItemState]) -> Option<Vec<bool>> {
        if wanted.len() != self.items.len() {
            return None;
        }
        let mut dirty = vec![false; self.nodes.len()];
        let mut nodes = self.nodes.iter().enumerate().peekable();
        let mut named: Option<FxHashMap<u64, Vec<usize>>> = None;
        for (&index, &(place, stamp)) in wanted.iter().zip(&self.items) {
            if index != place {
                return None;
            }
            let slots = states[index].analysis.as_ref().map(|analysis| analysis.slots()).unwrap_or_default();
            let is_same = states[index].stamp() == stamp;
            for slot in slots {
                let (at, node) = nodes.next().filter(|(_, node)| node.item == index)?;
                if is_same {
                    // An edit that was taken back leaves the text as it was, but not what was said of it.
                    dirty[at] = slot.is_open();
                    continue;
                }
                let named = named.get_or_insert_with(|| by_last_name(&self.nodes));
                if node.callable != slot.callable || node.calls != calls(slot, named) {
                    return None;
                }
                dirty[at] = true;
            }
            if nodes.peek().is_some_and(|(_, node)| node.item == index) {
                return None;
            }
        }
        Some(dirty)
    }
}

fn slot(states: &[ItemState], item: usize, slot: usize) -> Option<&Slot> {
    states[item].analysis.as_ref()?.slots().get(slot)
}

fn nodes(wanted: &[usize], states: &[ItemState]) -> Vec<Node> {
    let mut nodes = Vec::new();
    for &item in wanted {
        for (slot, of) in states[item].analysis.iter().flat_map(|analysis| analysis.slots()).enumerate() {
            let callable = of.callable.clone();
            nodes.push(Node { item, slot, callable, calls: Vec::new(), summary: None, effect: 0 });
        }
    }
    nodes
}

/// Finds for each function those whose last name stands in it. Gives the functions by name, `None` where two share it.
fn link(nodes: &mut [Node], states: &[ItemState]) -> FxHashMap<Arc<str>, Option<usize>> {
    let mut by_name: FxHashMap<Arc<str>, Option<usize>> = FxHashMap::default();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(name) = &node.callable {
            by_name.entry(name.clone()).and_modify(|known| *known = None).or_insert(Some(index));
        }
    }
    let named = by_last_name(nodes);
    for node in nodes {
        node.calls = slot(states, node.item, node.slot).map(|slot| calls(slot, &named)).unwrap_or_default();
    }
    by_name
}

fn by_last_name(nodes: &[Node]) -> FxHashMap<u64, Vec<usize>> {
    let mut named: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(name) = &node.callable {
            named.entry(word(name.rsplit('.').next().unwrap_or(name))).or_default().push(index);
        }
    }
    named
}

/// The functions whose last name stands in this one.
fn calls(slot: &Slot, named: &FxHashMap<u64, Vec<usize>>) -> Vec<usize> {
    slot.words.iter().filter_map(|word| named.get(word)).flatten().copied().collect()
}

/// The functions in circles of calls (Tarjan's strongly connected components; most are one function), called ones first. Does
/// not recurse, since a chain of calls may be as long as its author likes.
fn circles(nodes: &[Node]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let mut order = vec![NEW; nodes.len()];
    let mut low = vec![0; nodes.len()];
    let mut on_stack = vec![false; nodes.len()];
    let (mut stack, mut circles, mut count) = (Vec::new(), Vec::new(), 0);
    for root in 0..nodes.len() {
        if order[root] != NEW {
            continue;
        }
        // A function, and how many of its calls have been followed.
        let mut open = vec![(root, 0)];
        while let Some((node, next)) = open.pop() {
            if next == 0 {
                (order[node], low[node]) = (count, count);
                count += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            match nodes[node].calls.get(next) {
                Some(&to) => {
                    open.push((node, next + 1));
                    if order[to] == NEW {
                        open.push((to, 0));
                    } else if on_stack[to] {
                        low[node] = low[node].min(order[to]);
                    }
                }
                None => {
                    if low[node] == order[node] {
                        let at = stack.iter().rposition(|of| *of == node).unwrap_or_default();
                        let circle = stack.split_off(at);
                        circle.iter().for_each(|&of| on_stack[of] = false);
                        circles.push(circle);
                    }
                    if let Some(&(caller, _)) = open.last() {
                        low[caller] = low[caller].min(low[node]);
                    }
                }
            }
        }
    }
    circles
}
