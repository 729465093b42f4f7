//! Which functions of a file are analysed, and in which order: those that are called before those that call them.
//!
//! In: the items. Out: each function of an item that matters, up to date. Who calls whom is judged by words: a word too many only makes
//! a function wait for another, or be analysed again. Functions that call each other in a circle know nothing of each other, in
//! whatever order somebody opened or edited them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::item::{Inputs, ItemState, Slot};
use super::names::Module;
use super::touched::Touched;
use super::words::word;
use crate::facts::{Attribute, ModuleNames};
use crate::items::Item;
use crate::tasks::Summary;
use crate::tasks::modules::Modules;

/// A function: its item, and its slot in that.
struct Node {
    item: usize,
    slot: usize,
    callable: Option<Arc<str>>,
    /// The functions that it may call, as indices of nodes.
    calls: Vec<usize>,
    /// Those that may call it.
    callers: Vec<usize>,
    /// Its circle.
    circle: usize,
    /// What it does for its callers; nothing where another function has the same name.
    summary: Option<Arc<Summary>>,
    effect: u64,
}

/// The functions of a file and who calls whom, kept from one edit to the next.
#[derive(Default)]
pub(super) struct Program {
    /// Which items its functions are those of.
    of: Option<Selection>,
    nodes: Vec<Node>,
    /// The functions by name, `None` where two share it.
    by_name: FxHashMap<Arc<str>, Option<usize>>,
    /// The same by the last part of the name, as a word.
    by_last_name: FxHashMap<u64, Vec<usize>>,
    circles: Circles,
    /// What the names of the module meant.
    generation: u64,
    /// How many items there were.
    items: usize,
    touched: Touched,
    /// The items with findings.
    noted: BTreeSet<usize>,
}

/// A choice of items; equal where the items are, but for what an edit touched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Selection {
    /// Of the module's wanted items, in which version; `None` where none matters.
    pub wanted: Option<u64>,
    /// This one as well.
    pub also: Option<usize>,
}

impl Program {
    /// An edit replaces the items `old` of `len`.
    pub fn touch(&mut self, old: &Range<usize>, len: usize) {
        self.touched.note(old, len);
    }

    /// The items with findings, in order.
    pub fn noted(&self) -> impl Iterator<Item = usize> {
        self.noted.iter().copied()
    }

    /// The item and the slot of the only function of this name.
    pub fn place_of(&self, function: &str) -> Option<(usize, usize)> {
        let node = &self.nodes[self.by_name.get(function).copied().flatten()?];
        Some((node.item, node.slot))
    }

    /// Brings all functions of the items in `wanted`, which `of` identifies, up to date; gives the number of those that had to be
    /// analysed.
    pub fn analyse(
        &mut self,
        of: Selection,
        wanted: &[usize],
        text: &str,
        items: &[Item],
        states: &mut [ItemState],
        (module, modules): (&Module, &dyn Modules),
    ) -> u64 {
        let touched = self.touched.take(self.items, items.len()).map(|(_, new)| new).unwrap_or_default();
        self.items = items.len();
        let is_same = self.of.replace(of) == Some(of);
        let looked = if is_same { within(wanted, &touched) } else { wanted };
        for &index in looked {
            states[index].prepare(items[index].span.of(text));
        }
        let dirty = if is_same { self.outdated(looked, states, module) } else { None };
        if dirty.is_none() {
            self.link(wanted, states, module);
        }
        let mut open: BTreeSet<usize> = match dirty {
            Some(dirty) if self.generation == module.generation => {
                dirty.iter().map(|&index| self.nodes[index].circle).collect()
            }
            _ => (0..self.circles.len()).collect(),
        };
        self.generation = module.generation;
        let mut analysed = 0;
        // The callers of a circle stand behind it.
        while let Some(circle) = open.pop_first() {
            for at in self.circles.range(circle) {
                let index = self.circles.nodes[at];
                let Node { item, slot: at, ref calls, .. } = self.nodes[index];
                let Some(slot) = slot(states, item, at) else { continue };
                let outside = calls.iter().map(|of| &self.nodes[*of]).filter(|of| of.circle != circle);
                let calls = outside.fold(0u64, |sum, of| {
                    let name = of.callable.as_deref().unwrap_or_default();
                    sum.wrapping_add(word(name).rotate_left(7) ^ of.effect)
                });
                let names = module.meaning_of(slot);
                let summary = |name: &str| {
                    let known = &self.nodes[self.by_name.get(name).copied().flatten()?];
                    known.summary.clone().filter(|_| known.circle != circle)
                };
                let inputs = Inputs { module, names, calls, summary: &summary, modules };
                if states[item].analyse(at, items[item].span.of(text), &inputs) {
                    analysed += 1;
                    self.note(item, states);
                }
            }
            for at in self.circles.range(circle) {
                let index = self.circles.nodes[at];
                let node = &mut self.nodes[index];
                let is_sole = node.callable.as_ref().is_some_and(|name| self.by_name.get(name) == Some(&Some(index)));
                let Some(slot) = slot(states, node.item, node.slot).filter(|_| is_sole) else { continue };
                let (summary, effect) = slot.summary();
                let changed = effect != node.effect;
                (node.summary, node.effect) = (summary.cloned(), effect);
                if changed {
                    let callers = self.nodes[index].callers.iter().map(|of| self.nodes[*of].circle);
                    open.extend(callers.filter(|of| *of != circle));
                }
            }
        }
        if !is_same {
            self.noted.clear();
        }
        for &item in looked {
            self.note(item, states);
        }
        analysed
    }

    /// Notes whether the item has findings.
    fn note(&mut self, item: usize, states: &[ItemState]) {
        let drafts = states[item].analysis.as_ref().and_then(|analysis| analysis.drafts().next());
        if drafts.is_some() {
            self.noted.insert(item);
        } else {
            self.noted.remove(&item);
        }
    }

    /// What its functions do for their callers, by name.
    pub fn summaries(&self) -> FxHashMap<Arc<str>, Arc<Summary>> {
        let known = self.nodes.iter().filter_map(|node| Some((node.callable.clone()?, node.summary.clone()?)));
        known.collect()
    }

    /// The functions of these items, which were edited; `None` where others call each other now.
    fn outdated(&self, looked: &[usize], states: &[ItemState], module: &Module) -> Option<Vec<usize>> {
        let mut dirty = Vec::new();
        for &item in looked {
            let first = self.nodes.partition_point(|node| node.item < item);
            let behind = self.nodes.partition_point(|node| node.item <= item);
            let slots = states[item].analysis.as_ref().map(|analysis| analysis.slots()).unwrap_or_default();
            if slots.len() != behind - first {
                return None;
            }
            for (index, slot) in (first..behind).zip(slots) {
                let node = &self.nodes[index];
                if node.callable != slot.callable || node.calls != calls(slot, &self.by_last_name, module) {
                    return None;
                }
                dirty.push(index);
            }
        }
        Some(dirty)
    }

    /// Finds the functions of these items anew, and who calls whom.
    fn link(&mut self, wanted: &[usize], states: &[ItemState], module: &Module) {
        self.nodes = nodes(wanted, states);
        self.by_name.clear();
        for (index, node) in self.nodes.iter().enumerate() {
            if let Some(name) = &node.callable {
                self.by_name.entry(name.clone()).and_modify(|known| *known = None).or_insert(Some(index));
            }
        }
        self.by_last_name = by_last_name(&self.nodes);
        for index in 0..self.nodes.len() {
            let node = &self.nodes[index];
            let calls = slot(states, node.item, node.slot).map(|slot| calls(slot, &self.by_last_name, module));
            let calls = calls.unwrap_or_default();
            for &of in &calls {
                self.nodes[of].callers.push(index);
            }
            self.nodes[index].calls = calls;
        }
        self.circles = Circles::of(&self.nodes);
        for circle in 0..self.circles.len() {
            for at in self.circles.range(circle) {
                self.nodes[self.circles.nodes[at]].circle = circle;
            }
        }
    }
}

/// Those of the sorted `wanted` that lie in the range.
fn within<'w>(wanted: &'w [usize], range: &Range<usize>) -> &'w [usize] {
    let first = wanted.partition_point(|index| *index < range.start);
    let behind = wanted.partition_point(|index| *index < range.end);
    &wanted[first..behind]
}

fn slot(states: &[ItemState], item: usize, slot: usize) -> Option<&Slot> {
    states[item].analysis.as_ref()?.slots().get(slot)
}

fn nodes(wanted: &[usize], states: &[ItemState]) -> Vec<Node> {
    let mut nodes = Vec::new();
    for &item in wanted {
        for (slot, of) in states[item].analysis.iter().flat_map(|analysis| analysis.slots()).enumerate() {
            nodes.push(Node {
                item,
                slot,
                callable: of.callable.clone(),
                calls: Vec::new(),
                callers: Vec::new(),
                circle: 0,
                summary: None,
                effect: 0,
            });
        }
    }
    nodes
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

/// The words of the functions that run in tasks which its class keeps in attributes that it mentions.
fn runs(slot: &Slot, names: &ModuleNames) -> Vec<u64> {
    let mut runs = Vec::new();
    for (attribute, held) in names.class(slot.owner()).into_iter().flat_map(|class| &class.attributes) {
        if let Attribute::Task(started) = held
            && slot.words.binary_search(&word(attribute)).is_ok()
        {
            runs.extend(started.iter().map(|of| word(of.runs.rsplit('.').next().unwrap_or_default())));
        }
    }
    runs
}

/// The functions whose last name stands in this one, and those that run in the tasks which its class keeps.
fn calls(slot: &Slot, named: &FxHashMap<u64, Vec<usize>>, module: &Module) -> Vec<usize> {
    let runs = runs(slot, &module.names);
    let words = slot.words.iter().chain(runs.iter().filter(|word| slot.words.binary_search(word).is_err()));
    words.filter_map(|word| named.get(word)).flatten().copied().collect()
}

/// The functions in circles of calls (Tarjan's strongly connected components; most are one function), called ones first.
#[derive(Default)]
struct Circles {
    /// One circle behind the other.
    nodes: Vec<usize>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Circles {
    fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where the circle stands in `nodes`.
    fn range(&self, circle: usize) -> Range<usize> {
        let start = circle.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[circle]
    }

    /// Does not recurse, since a chain of calls may be as long as its author likes.
    fn of(nodes: &[Node]) -> Self {
        const NEW: usize = usize::MAX;
        let mut order = vec![NEW; nodes.len()];
        let mut low = vec![0; nodes.len()];
        let mut on_stack = vec![false; nodes.len()];
        let (mut stack, mut circles, mut count) = (Vec::new(), Self::default(), 0);
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
                            stack[at..].iter().for_each(|&of: &usize| on_stack[of] = false);
                            circles.nodes.extend(stack.drain(at..));
                            circles.ends.push(circles.nodes.len());
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
}
