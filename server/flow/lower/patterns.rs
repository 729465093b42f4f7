//! `match`: a constant pattern is a test, a name takes anything, and of the rest nothing is known.

use tree_sitter::Node;

use super::{Lowering, children, span};
use crate::flow::graph::*;

impl Lowering<'_> {
    pub(super) fn match_statement(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let subjects: Vec<Node<'_>> = node.children_by_field_name("subject", &mut cursor).collect();
        let values: Vec<Place> = subjects.iter().map(|subject| self.expression(*subject)).collect();
        let after = self.block();
        let cases = node.child_by_field_name("body").map(children).unwrap_or_default();
        for case in cases {
            let taken = self.block();
            let next = self.block();
            let patterns: Vec<Node<'_>> =
                children(case).into_iter().filter(|child| child.kind() == "case_pattern").collect();
            let guard = case.child_by_field_name("guard").and_then(|guard| guard.named_child(0));
            match (subjects.as_slice(), values.as_slice(), patterns.as_slice()) {
                (_, _, [only]) if is_capture(self.text(*only)) => self.end(Terminator::Goto(taken)),
                ([subject], [value], [only]) if self.constants(*only).is_some() => {
                    let constants = self.constants(*only).unwrap_or_default();
                    let last = constants.len().saturating_sub(1);
                    for (index, constant) in constants.into_iter().enumerate() {
                        let other = if index == last { next } else { self.block() };
                        self.match_constant(*subject, *value, constant, taken, other);
                        self.current = other;
                    }
                }
                _ => {
                    for (subject, value) in subjects.iter().zip(&values) {
                        self.op(OpKind::Escape(*value), span(*subject));
                    }
                    self.end(Terminator::Choice(vec![taken, next]));
                }
            }
            self.current = taken;
            for pattern in patterns {
                for place in self.mentioned(pattern) {
                    self.op(OpKind::Opaque(place), span(pattern));
                }
            }
            if let Some(guard) = guard {
                let body = self.block();
                self.condition(guard, body, next, None);
                self.current = body;
            }
            self.field_statements(case, "consequence");
            self.goto(after);
            self.current = next;
        }
        self.goto(after);
    }

    /// The constants that a pattern compares with: `None`, or `1 | 2`.
    fn constants<'t>(&self, pattern: Node<'t>) -> Option<Vec<Node<'t>>> {
        let whole = pattern.named_child(0).filter(|whole| whole.byte_range() == pattern.byte_range())?;
        let of = if whole.kind() == "union_pattern" { children(whole) } else { vec![whole] };
        let is_constant = |node: &Node<'_>| {
            let is_attribute = node.kind() == "dotted_name" && self.text(*node).contains('.');
            is_attribute || ["true", "false", "none", "integer", "float", "string"].contains(&node.kind())
        };
        (!of.is_empty() && of.iter().all(is_constant)).then_some(of)
    }

    /// `case None:` is `if subject is None`, `case 1:` is `if subject == 1`.
    fn match_constant(
        &mut self,
        subject: Node<'_>,
        value: Place,
        constant: Node<'_>,
        then: BlockId,
        otherwise: BlockId,
    ) {
        let singleton = matches!(constant.kind(), "true" | "false" | "none");
        let op = if singleton { CmpOp::Is } else { CmpOp::Eq };
        let right = self.expression(constant);
        let test = self.place();
        self.op(OpKind::Compare { dst: test, op, left: value, right }, span(constant));
        let condition = match constant.kind() {
            "true" => self.truth_of(subject),
            _ => self.intern(subject, format!("{}{op:?}{}", self.text(subject), self.text(constant))),
        };
        self.end(Terminator::Branch {
            test,
            condition,
            then,
            otherwise,
            span: span(constant),
            unexpected: None,
            telling: true,
        });
    }

    /// What `case True:` compares with `True` is a truth value for any reader: `if subject` asks the same. As it need not be one, what
    /// is known by this is not certain.
    fn truth_of(&mut self, subject: Node<'_>) -> Option<ConditionId> {
        let id = self.intern(subject, self.text(subject).to_owned())?;
        if let Some(condition) = self.graph.conditions.get_mut(id.0 as usize) {
            condition.pure = false;
        }
        Some(id)
    }
}

/// Whether a pattern is a name, which takes anything.
fn is_capture(pattern: &str) -> bool {
    pattern.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !pattern.starts_with(|c: char| c.is_ascii_digit())
        && !matches!(pattern, "True" | "False" | "None")
}
