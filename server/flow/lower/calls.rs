//! Calls, awaits, and the lambdas that do no more than call.

use tree_sitter::Node;

use super::{Lowering, children, span, walk};
use crate::facts::Meaning;
use crate::flow::exceptions::ExcSet;
use crate::flow::graph::*;

/// Functions that run through a generator expression at once.
const CONSUMERS: &[&str] = &[
    "all",
    "any",
    "dict",
    "enumerate",
    "filter",
    "frozenset",
    "gather",
    "join",
    "len",
    "list",
    "max",
    "min",
    "set",
    "sorted",
    "sum",
    "tuple",
    "wait",
    "extend",
    "update",
];

/// Methods that put something into a collection or take it out, and let nobody see it.
pub(super) const KEEPING: &[&str] = &["add", "append", "discard", "remove"];

impl Lowering<'_> {
    /// A lambda runs later; all that is seen of it is the call that its body may be.
    pub(super) fn lambda(&mut self, node: Node<'_>) -> Place {
        let at = span(node);
        let places = self.mentioned(node);
        self.op(OpKind::Capture(places), at);
        match node.child_by_field_name("body").and_then(|body| self.called_inside(node, body)) {
            Some(callee) => {
                let callee = self.expression(callee);
                let dst = self.place();
                self.op(OpKind::Lambda { dst, callee }, at);
                dst
            }
            None => self.opaque(node),
        }
    }

    /// What a function made here calls, where its value is a call and what is called means the same outside.
    fn called_inside<'t>(&self, function: Node<'t>, value: Node<'t>) -> Option<Node<'t>> {
        let callee = Some(value).filter(|value| value.kind() == "call")?.child_by_field_name("function")?;
        let own = self.facts.scope_opened_by(span(function)).and_then(|scope| self.facts.scope(scope))?;
        let root = self.text(root_name(callee)?);
        let is_own = own.symbols.get(root).is_some_and(|symbol| !symbol.bindings.is_empty());
        // By then it may hold something else.
        let outer = self.facts.symbol(self.scope, root);
        let is_lasting = outer.is_none_or(|symbol| symbol.bindings.len() < 2 && !symbol.rebound_inside);
        (!is_own && is_lasting).then_some(callee)
    }

    /// The same for `def make(): return work()`: the callee.
    pub(super) fn called_by_definition<'t>(&self, function: Node<'t>) -> Option<Node<'t>> {
        let [only] = children(function.child_by_field_name("body")?)[..] else { return None };
        let value = Some(only).filter(|only| only.kind() == "return_statement")?.named_child(0)?;
        self.called_inside(function, value)
    }

    /// The variable of the module, or the attribute of `self`, that an expression names.
    pub(super) fn shared_collection(&self, object: Node<'_>) -> Option<String> {
        match object.kind() {
            "identifier" => {
                let name = self.text(object);
                let is_variable =
                    matches!(self.names.module.meaning(name), Some(Meaning::CallResult(_) | Meaning::Other));
                (self.named(name).is_none() && self.resolves_to_module(name) && is_variable).then(|| name.to_owned())
            }
            "attribute" => {
                let of = object.child_by_field_name("object").filter(|of| of.kind() == "identifier")?;
                self.receiver(self.text(of))?;
                Some(self.text(object.child_by_field_name("attribute")?).to_owned())
            }
            _ => None,
        }
    }

    pub(super) fn call(&mut self, node: Node<'_>) -> Place {
        let (Some(function), Some(arguments)) =
            (node.child_by_field_name("function"), node.child_by_field_name("arguments"))
        else {
            return self.opaque(node);
        };
        if let Some(place) = self.unittest_assertion(node, function, arguments) {
            return place;
        }
        let callee = self.expression(function);
        let mut args = Vec::new();
        if arguments.kind() == "generator_expression" {
            let name = function.child_by_field_name("attribute").unwrap_or(function);
            let place = if CONSUMERS.contains(&self.text(name)) {
                self.comprehension(arguments)
            } else {
                self.expression(arguments)
            };
            args.push(Arg { place, span: span(arguments), kind: ArgKind::Positional });
        } else {
            for argument in children(arguments) {
                let (value, kind) = match argument.kind() {
                    "keyword_argument" => (
                        argument.child_by_field_name("value"),
                        ArgKind::Keyword(
                            argument
                                .child_by_field_name("name")
                                .map(|name| self.text(name).to_owned())
                                .unwrap_or_default(),
                        ),
                    ),
                    "list_splat" => (argument.named_child(0), ArgKind::Star),
                    "dictionary_splat" => (argument.named_child(0), ArgKind::DoubleStar),
                    _ => (Some(argument), ArgKind::Positional),
                };
                if let Some(value) = value {
                    let place = self.expression(value);
                    args.push(Arg { place, span: span(value), kind });
                }
            }
        }
        let dst = self.place();
        let (guards, names) = (self.around(), self.variables(node));
        self.op(OpKind::Call { dst, callee, args, guards, names }, span(node));
        dst
    }

    /// `self.assertTrue(test)` and `self.assertFalse(test)` are `assert test` and `assert not test`.
    fn unittest_assertion(&mut self, node: Node<'_>, function: Node<'_>, arguments: Node<'_>) -> Option<Place> {
        let holds = match self.text(function.child_by_field_name("attribute")?) {
            "assertTrue" => true,
            "assertFalse" => false,
            _ => return None,
        };
        let test = children(arguments)
            .first()
            .copied()
            .filter(|test| !matches!(test.kind(), "keyword_argument" | "list_splat"))?;
        let (passed, failed) = (self.block(), self.block());
        let (then, otherwise) = if holds { (passed, failed) } else { (failed, passed) };
        self.condition(test, then, otherwise, Some(failed));
        self.current = failed;
        self.end(Terminator::Raise(Some(ExcSet::ASSERTION), None));
        self.current = passed;
        Some(self.constant(node, Constant::None))
    }

    /// The variables that a call mentions, sorted; `*` among them where it mentions a function made in this one, which may
    /// reach any of its variables.
    fn variables(&self, node: Node<'_>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        walk(node, |node| match node.kind() {
            "attribute" => {
                if let Some(root) = root_name(node) {
                    self.variable(root, &mut names);
                    return false;
                }
                true
            }
            "keyword_argument" => true,
            "identifier" => {
                self.variable(node, &mut names);
                true
            }
            "lambda" => {
                names.push("*".to_owned());
                false
            }
            _ => true,
        });
        names.sort();
        names.dedup();
        names
    }

    fn variable(&self, node: Node<'_>, names: &mut Vec<String>) {
        let name = self.text(node);
        let local = self.facts.scopes.get(self.scope.0 as usize).and_then(|scope| scope.symbols.get(name));
        if let Some(symbol) = local.filter(|symbol| !symbol.bindings.is_empty()) {
            let made_here = |b: &crate::facts::Binding| {
                matches!(b.kind, crate::facts::BindingKind::Function { .. } | crate::facts::BindingKind::Class)
            };
            if symbol.bindings.iter().any(made_here) {
                names.push("*".to_owned());
            }
            names.push(name.to_owned());
        } else if self.overlays.iter().any(|(_, overlay)| overlay.contains_key(name))
            || !self.resolves_to_module(name)
            || (!self.is_definition(name) && self.names.dotted(self.evaluating(), node).is_none())
        {
            names.push(name.to_owned());
        }
    }

    pub(super) fn await_expression(&mut self, node: Node<'_>) -> Place {
        let Some(operand) = children(node).first().copied() else { return self.opaque(node) };
        // `await a ** 2` is `(await a) ** 2`; the grammar binds it the other way.
        if operand.kind() == "binary_operator"
            && let (Some(base), Some(exponent)) =
                (operand.child_by_field_name("left"), operand.child_by_field_name("right"))
        {
            let src = self.expression(base);
            let dst = self.place();
            self.op(OpKind::Await { dst, src, operand: span(base), guards: self.around() }, span(node));
            let exponent = self.expression(exponent);
            return self.compute(node, vec![dst, exponent]);
        }
        let src = self.expression(operand);
        let dst = self.place();
        self.op(OpKind::Await { dst, src, operand: span(operand), guards: self.around() }, span(node));
        dst
    }
}

/// The identifier at the left end of `a.b.c`, if that is what stands there.
fn root_name(mut node: Node<'_>) -> Option<Node<'_>> {
    while node.kind() == "attribute" {
        node = node.child_by_field_name("object")?;
    }
    (node.kind() == "identifier").then_some(node)
}
