//! Tests: what `if`, `while`, `assert` and comprehensions branch on.

use tree_sitter::Node;

use super::{Lowering, children, span, walk};
use crate::facts::BindingKind;
use crate::flow::graph::*;

impl Lowering<'_> {
    pub(super) fn comparison(&mut self, node: Node<'_>) -> Place {
        match self.single_comparison(node) {
            Some((op, left, right)) => {
                let left = self.expression(left);
                let right = self.expression(right);
                let dst = self.place();
                self.op(OpKind::Compare { dst, op, left, right }, span(node));
                dst
            }
            None => {
                let parts = children(node).into_iter().map(|part| self.expression(part)).collect();
                self.compute(node, parts)
            }
        }
    }

    fn single_comparison<'t>(&self, node: Node<'t>) -> Option<(CmpOp, Node<'t>, Node<'t>)> {
        let [left, right] = children(node)[..] else { return None };
        let between = self.src.get(left.end_byte()..right.start_byte())?;
        let op = node.child_by_field_name("operators").map(|operator| self.text(operator)).unwrap_or(between);
        let op = match op.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["is"] => CmpOp::Is,
            ["is", "not"] => CmpOp::IsNot,
            ["=="] => CmpOp::Eq,
            ["!="] | ["<>"] => CmpOp::Ne,
            ["in"] => CmpOp::In,
            ["not", "in"] => CmpOp::NotIn,
            _ => CmpOp::Order,
        };
        Some((op, left, right))
    }

    /// Evaluates a test and goes to `then` or `otherwise`.
    pub(super) fn condition(&mut self, node: Node<'_>, then: BlockId, otherwise: BlockId, unexpected: Option<BlockId>) {
        self.nesting += 1;
        if self.nesting > super::MAX_NESTING {
            self.gave_up = true;
        } else {
            self.condition_inner(node, then, otherwise, unexpected);
        }
        self.nesting -= 1;
    }

    fn condition_inner(&mut self, node: Node<'_>, then: BlockId, otherwise: BlockId, unexpected: Option<BlockId>) {
        match node.kind() {
            "parenthesized_expression" if children(node).len() == 1 => {
                self.condition(children(node)[0], then, otherwise, unexpected);
            }
            "not_operator" => match node.child_by_field_name("argument") {
                Some(argument) => self.condition(argument, otherwise, then, unexpected),
                None => self.end(Terminator::Choice(vec![then, otherwise])),
            },
            "boolean_operator" => {
                let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
                else {
                    return self.end(Terminator::Choice(vec![then, otherwise]));
                };
                let second = self.block();
                if node.child_by_field_name("operator").is_some_and(|operator| self.text(operator) == "and") {
                    self.condition(left, second, otherwise, unexpected);
                } else {
                    self.condition(left, then, second, unexpected);
                }
                self.current = second;
                self.condition(right, then, otherwise, unexpected);
            }
            _ => {
                let test = self.expression(node);
                self.branch(node, test, then, otherwise, unexpected);
            }
        }
    }

    /// Goes by the truth of `test`, the value of the expression `node`.
    pub(super) fn branch(
        &mut self,
        node: Node<'_>,
        test: Place,
        then: BlockId,
        otherwise: BlockId,
        unexpected: Option<BlockId>,
    ) {
        let condition = self.intern(node, self.text(node).to_owned());
        let telling = self.is_telling(node);
        self.end(Terminator::Branch { test, condition, then, otherwise, span: span(node), unexpected, telling });
    }

    /// Whether a test reads more than parameters that keep their value, and constants.
    fn is_telling(&self, node: Node<'_>) -> bool {
        let mut telling = false;
        walk(node, |part| {
            match part.kind() {
                "identifier" => {
                    let symbol = self.facts.symbol(self.scope, self.text(part));
                    telling |= !symbol.is_some_and(|symbol| {
                        matches!(symbol.bindings.as_slice(), [only] if matches!(only.kind, BindingKind::Parameter(_)))
                    });
                }
                "attribute" | "call" | "subscript" | "await" => telling = true,
                _ => {}
            }
            !telling
        });
        telling
    }

    /// The identity of a test of what `node` reads, by its text. A test that awaits or binds is never the same twice.
    pub(super) fn intern(&mut self, node: Node<'_>, text: String) -> Option<ConditionId> {
        let (mut reads, mut pure, mut repeatable) = (Vec::new(), true, true);
        walk(node, |part| {
            match part.kind() {
                "await" | "named_expression" | "yield" | "lambda" => repeatable = false,
                "attribute" | "call" | "subscript" => pure = false,
                "identifier" => match self.named(self.text(part)) {
                    Some(place) => {
                        pure &= self
                            .graph
                            .locals
                            .get(place.0 as usize)
                            .is_none_or(|local| !local.shared && !local.volatile);
                        reads.push(place);
                    }
                    None => pure = false,
                },
                _ => {}
            }
            repeatable
        });
        if !repeatable {
            return None;
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let id = match self.conditions.get(&text) {
            Some(&id) => id,
            None => {
                let id = ConditionId(self.graph.conditions.len() as u32);
                self.graph.conditions.push(Condition { text: text.clone(), reads, pure });
                self.conditions.insert(text, id);
                self.uses.push(0);
                id
            }
        };
        self.uses[id.0 as usize] += 1;
        Some(id)
    }
}
