//! Expressions, conditions and targets.

use rustc_hash::FxHashMap;
use tree_sitter::Node;

use super::{Lowering, children, span, walk};
use crate::facts::{Meaning, ScopeId};
use crate::flow::exceptions::ExcSet;
use crate::flow::graph::*;
use crate::tree::quirks;

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
const KEEPING: &[&str] = &["add", "append", "discard", "remove"];

impl<'a> Lowering<'a> {
    /// Evaluates an expression; the place returned holds its value.
    pub(super) fn expression(&mut self, node: Node<'_>) -> Place {
        self.nesting += 1;
        let place = if self.nesting > super::MAX_NESTING {
            self.gave_up = true;
            Place(0)
        } else {
            self.expression_inner(node)
        };
        self.nesting -= 1;
        place
    }

    fn expression_inner(&mut self, node: Node<'_>) -> Place {
        let at = span(node);
        match node.kind() {
            "identifier" => self.identifier(node),
            "parenthesized_expression" => match children(node).as_slice() {
                [inner] => self.expression(*inner),
                _ => self.opaque(node),
            },
            "attribute" => self.attribute(node),
            "call" => self.call(node),
            "await" => self.await_expression(node),
            "assignment" => self.assignment(node),
            "augmented_assignment" => {
                let left = node.child_by_field_name("left");
                let value = node.child_by_field_name("right").map(|right| self.expression(right));
                let sources: Vec<Place> = left.map(|left| self.expression(left)).into_iter().chain(value).collect();
                for &source in &sources {
                    self.op(OpKind::Escape(source), at);
                }
                let result = self.place();
                self.op(OpKind::Opaque(result), at);
                if let Some(left) = left {
                    self.bind(left, result);
                }
                result
            }
            "named_expression" => {
                let value = match node.child_by_field_name("value") {
                    Some(value) => self.expression(value),
                    None => return self.opaque(node),
                };
                if let Some(name) = node.child_by_field_name("name") {
                    // Past the targets of comprehensions: it binds in the function.
                    match self.locals.get(self.text(name)).copied() {
                        Some(place) => self.op(OpKind::Copy(place, value), at),
                        None => self.op(OpKind::Escape(value), at),
                    }
                }
                value
            }
            "boolean_operator" => {
                let result = self.place();
                let is_and = node.child_by_field_name("operator").is_some_and(|operator| self.text(operator) == "and");
                let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
                else {
                    return self.opaque(node);
                };
                let first = self.expression(left);
                self.op(OpKind::Copy(result, first), at);
                let (evaluate, after) = (self.block(), self.block());
                let (then, otherwise) = if is_and { (evaluate, after) } else { (after, evaluate) };
                self.branch(left, first, then, otherwise, None);
                self.current = evaluate;
                let second = self.expression(right);
                self.op(OpKind::Copy(result, second), at);
                self.goto(after);
                result
            }
            "not_operator" => {
                let Some(argument) = node.child_by_field_name("argument") else { return self.opaque(node) };
                let value = self.expression(argument);
                let result = self.place();
                self.op(OpKind::Not(result, value), at);
                result
            }
            "conditional_expression" => {
                let [body, test, alternative] = children(node)[..] else { return self.opaque(node) };
                let result = self.place();
                let (then, otherwise, after) = (self.block(), self.block(), self.block());
                self.condition(test, then, otherwise, None);
                for (block, value) in [(then, body), (otherwise, alternative)] {
                    self.current = block;
                    let value = self.expression(value);
                    self.op(OpKind::Copy(result, value), at);
                    self.goto(after);
                }
                result
            }
            "comparison_operator" => self.comparison(node),
            "none" => self.constant(node, Constant::None),
            "true" => self.constant(node, Constant::Bool(true)),
            "false" => self.constant(node, Constant::Bool(false)),
            "integer" | "float" => {
                let zero = self.text(node).chars().all(|c| !matches!(c, '1'..='9'));
                self.constant(node, if zero { Constant::Falsy } else { Constant::Truthy })
            }
            "string" => self.string(node),
            "concatenated_string" | "interpolation" | "format_specifier" => {
                let parts = children(node).into_iter().map(|part| self.expression(part)).collect();
                self.compute(node, parts)
            }
            "binary_operator" | "unary_operator" => {
                let parts = ["left", "right", "argument"].iter().filter_map(|field| node.child_by_field_name(field));
                let parts = parts.collect::<Vec<_>>().into_iter().map(|part| self.expression(part)).collect();
                self.compute(node, parts)
            }
            "list" | "tuple" | "set" | "expression_list" | "pattern_list" => {
                let items = children(node)
                    .into_iter()
                    .map(|item| match (item.kind(), item.named_child(0)) {
                        ("list_splat", Some(inner)) => (self.expression(inner), true),
                        _ => (self.expression(item), quirks::swallowed_star(item).is_some()),
                    })
                    .collect();
                let dst = self.place();
                self.op(OpKind::Display { dst, items }, at);
                dst
            }
            "subscript" => {
                let Some(value) = node.child_by_field_name("value") else { return self.opaque(node) };
                let src = self.expression(value);
                let mut cursor = node.walk();
                let indices: Vec<Node<'_>> = node.children_by_field_name("subscript", &mut cursor).collect();
                let mut last = None;
                for index in indices {
                    last = Some(self.expression(index));
                }
                let index = last.unwrap_or(src);
                let dst = self.place();
                self.op(OpKind::Subscript { dst, src, index }, at);
                dst
            }
            // A star that the grammar let slip into the expression behind it.
            "list_splat" => match node.named_child(0) {
                Some(inner) => self.expression(inner),
                None => self.opaque(node),
            },
            "yield" => {
                for child in children(node) {
                    let value = self.expression(child);
                    self.op(OpKind::Escape(value), span(child));
                }
                let dst = self.place();
                self.op(OpKind::Yield { dst }, at);
                dst
            }
            "lambda" => self.lambda(node),
            "dictionary" => {
                let (mut values, mut open) = (Vec::new(), false);
                for entry in children(node) {
                    match (entry.child_by_field_name("key"), entry.child_by_field_name("value")) {
                        (Some(key), Some(value)) => {
                            let key = self.expression(key);
                            self.op(OpKind::Escape(key), span(entry));
                            values.push(self.expression(value));
                        }
                        _ => {
                            let other = self.expression(entry);
                            self.op(OpKind::Escape(other), span(entry));
                            open = true;
                        }
                    }
                }
                let dst = self.place();
                self.op(OpKind::Dict { dst, values, open }, at);
                dst
            }
            "list_comprehension" | "set_comprehension" | "dictionary_comprehension" => self.comprehension(node),
            "generator_expression" => {
                // Nobody says when it runs, if ever; but its first iterable is evaluated now.
                let places = self.mentioned(node);
                self.op(OpKind::Capture(places), at);
                self.opaque(node)
            }
            "string_content" | "string_start" | "string_end" | "escape_sequence" | "ellipsis" | "type_conversion" => {
                self.constant(node, Constant::Truthy)
            }
            _ => {
                for child in children(node) {
                    let value = self.expression(child);
                    self.op(OpKind::Escape(value), span(child));
                }
                self.opaque(node)
            }
        }
    }

    fn opaque(&mut self, node: Node<'_>) -> Place {
        let dst = self.place();
        self.op(OpKind::Opaque(dst), span(node));
        dst
    }

    pub(super) fn constant(&mut self, node: Node<'_>, value: Constant) -> Place {
        let dst = self.place();
        self.op(OpKind::Constant(dst, value), span(node));
        dst
    }

    pub(super) fn compute(&mut self, node: Node<'_>, parts: Vec<Place>) -> Place {
        let dst = self.place();
        self.op(OpKind::Compute(dst, parts), span(node));
        dst
    }

    fn string(&mut self, node: Node<'_>) -> Place {
        let parts = children(node);
        if parts.iter().all(|part| matches!(part.kind(), "string_start" | "string_content" | "string_end")) {
            let empty = !parts.iter().any(|part| part.kind() == "string_content");
            return self.constant(node, if empty { Constant::Falsy } else { Constant::Truthy });
        }
        let mut values = Vec::new();
        for part in parts.into_iter().filter(|part| part.kind() == "interpolation") {
            // `f"{x:=5}"` is a format, whatever the grammar says.
            let expression = match part.child_by_field_name("expression") {
                Some(walrus) if walrus.kind() == "named_expression" => walrus.child_by_field_name("name"),
                other => other,
            };
            values.extend(expression.map(|expression| self.expression(expression)));
            if let Some(format) = part.child_by_field_name("format_specifier") {
                values.push(self.expression(format));
            }
        }
        self.compute(node, values)
    }

    fn identifier(&mut self, node: Node<'_>) -> Place {
        let name = self.text(node);
        if let Some(place) = self.named(name) {
            self.op(OpKind::Mention { place, is_read: true }, span(node));
            return place;
        }
        let dst = self.place();
        let kind = if let Some(path) = self.names.dotted(self.evaluating(), node) {
            OpKind::Path(dst, path)
        } else if let Some(path) = self.names.call_result(self.evaluating(), name) {
            OpKind::ResultOf(dst, path)
        } else if self.resolves_to_module(name) && self.is_made_here(name) {
            OpKind::Definition(dst, name.to_owned())
        } else if let Some(receiver) = self.receiver(name) {
            OpKind::Receiver(dst, receiver)
        } else {
            OpKind::Opaque(dst)
        };
        self.op(kind, span(node));
        dst
    }

    fn resolves_to_module(&self, name: &str) -> bool {
        matches!(self.facts.resolve(self.evaluating(), name), crate::facts::Resolved::Module)
    }

    /// Whether the module binds the name by a `def` that no decorator changes, or by a class.
    fn is_made_here(&self, name: &str) -> bool {
        let meaning = self.names.module.meaning(name);
        matches!(meaning, Some(Meaning::Function { decorated: false, .. } | Meaning::Class))
    }

    /// Whether the module binds the name by a `def`, a class or an import: not a variable.
    fn is_definition(&self, name: &str) -> bool {
        matches!(self.names.module.meaning(name), Some(Meaning::Function { .. } | Meaning::Class | Meaning::Import(_)))
    }

    /// A lambda runs later; all that is seen of it is the call that its body may be.
    fn lambda(&mut self, node: Node<'_>) -> Place {
        let at = span(node);
        let places = self.mentioned(node);
        self.op(OpKind::Capture(places), at);
        let body = node.child_by_field_name("body").filter(|body| body.kind() == "call");
        let callee = body.and_then(|body| body.child_by_field_name("function"));
        let own = self.facts.scope_opened_by(at).and_then(|scope| self.facts.scope(scope));
        let visible = |callee: &Node<'_>| {
            root_name(*callee).is_some_and(|root| own.is_some_and(|own| !own.symbols.contains_key(self.text(root))))
        };
        match callee.filter(visible) {
            Some(callee) => {
                let callee = self.expression(callee);
                let dst = self.place();
                self.op(OpKind::Lambda { dst, callee }, at);
                dst
            }
            None => self.opaque(node),
        }
    }

    fn attribute(&mut self, node: Node<'_>) -> Place {
        if let Some(path) = self.names.dotted(self.evaluating(), node) {
            let dst = self.place();
            self.op(OpKind::Path(dst, path), span(node));
            return dst;
        }
        let (Some(object), Some(name)) = (node.child_by_field_name("object"), node.child_by_field_name("attribute"))
        else {
            return self.opaque(node);
        };
        if let Some(shared) = self.shared_collection(object).filter(|_| KEEPING.contains(&self.text(name))) {
            let dst = self.place();
            self.op(OpKind::Shared { dst, name: shared, method: self.text(name).to_owned() }, span(node));
            return dst;
        }
        let src = self.expression(object);
        let dst = self.place();
        let last = object.child_by_field_name("attribute").unwrap_or(object);
        let like_loop = self.text(last).trim_start_matches('_').to_ascii_lowercase().ends_with("loop");
        let name = self.text(name).to_owned();
        self.op(OpKind::Attribute { dst, src, object: span(object), name, like_loop }, span(node));
        dst
    }

    /// The variable of the module, or the attribute of `self`, that an expression names.
    fn shared_collection(&self, object: Node<'_>) -> Option<String> {
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

    fn call(&mut self, node: Node<'_>) -> Place {
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

    fn await_expression(&mut self, node: Node<'_>) -> Place {
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

    fn assignment(&mut self, node: Node<'_>) -> Place {
        let Some(left) = node.child_by_field_name("left") else { return self.opaque(node) };
        match node.child_by_field_name("right") {
            Some(right) => {
                let value = self.expression(right);
                self.bind(left, value);
                // `a = b = []` gives one list two names.
                let name = (left.kind() == "identifier").then(|| self.named(self.text(left))).flatten();
                name.unwrap_or(value)
            }
            None => self.opaque(node),
        }
    }

    /// Binds a target to the value in `src`.
    pub(super) fn bind(&mut self, target: Node<'_>, src: Place) {
        let at = span(target);
        match target.kind() {
            "identifier" => match self.named(self.text(target)) {
                Some(place) => {
                    self.op(OpKind::Copy(place, src), at);
                    self.op(OpKind::Mention { place, is_read: false }, at);
                }
                None => self.op(OpKind::Escape(src), at),
            },
            "pattern_list" | "tuple_pattern" | "list_pattern" | "tuple" | "list" | "expression_list" => {
                let parts = children(target);
                let starred = parts.iter().position(|part| matches!(part.kind(), "list_splat_pattern" | "list_splat"));
                let targets: Vec<Place> = parts.iter().map(|_| self.place()).collect();
                self.op(OpKind::Unpack { src, targets: targets.clone(), starred }, at);
                for (part, place) in parts.into_iter().zip(targets) {
                    self.bind(part, place);
                }
            }
            "list_splat_pattern" | "list_splat" | "parenthesized_expression" | "as_pattern_target" => {
                for inner in children(target) {
                    self.bind(inner, src);
                }
            }
            "attribute" => {
                let parts = (target.child_by_field_name("object"), target.child_by_field_name("attribute"));
                let (Some(object), Some(name)) = parts else { return self.op(OpKind::Escape(src), at) };
                let object = self.expression(object);
                self.op(OpKind::Store { object, name: self.text(name).to_owned(), src }, at);
            }
            "subscript" => {
                let object = target.child_by_field_name("value").map(|value| self.expression(value));
                if let Some(index) = target.child_by_field_name("subscript") {
                    self.expression(index);
                }
                match object {
                    Some(object) => self.op(OpKind::StoreItem { object, src }, at),
                    None => self.op(OpKind::Escape(src), at),
                }
            }
            _ => self.op(OpKind::Escape(src), at),
        }
    }

    /// A comprehension that runs now: a loop for each `for`, a branch for each `if`.
    fn comprehension(&mut self, node: Node<'_>) -> Place {
        let at = span(node);
        let scope = self.facts.scope_opened_by(at).unwrap_or_else(|| self.evaluating());
        // Who keeps the values of a generator is not followed.
        let dst = self.place();
        let (kind, collects) = match node.kind() {
            "list_comprehension" | "set_comprehension" => (OpKind::Display { dst, items: Vec::new() }, true),
            "dictionary_comprehension" => (OpKind::Dict { dst, values: Vec::new(), open: false }, true),
            _ => (OpKind::Opaque(dst), false),
        };
        self.op(kind, at);
        let after = self.block();
        let mut again = after;
        let mut entered = false;
        let clauses: Vec<Node<'_>> =
            children(node).into_iter().filter(|child| matches!(child.kind(), "for_in_clause" | "if_clause")).collect();
        for clause in clauses {
            if clause.kind() == "if_clause" {
                if let Some(test) = clause.named_child(0) {
                    let holds = self.block();
                    self.condition(test, holds, again, None);
                    self.current = holds;
                }
                continue;
            }
            let (Some(left), Some(right)) = (clause.child_by_field_name("left"), clause.child_by_field_name("right"))
            else {
                continue;
            };
            let iter = self.expression(right);
            if !entered {
                // The first iterable is evaluated outside; the targets are known from here on.
                entered = true;
                let targets = self.targets(scope);
                self.overlays.push((scope, targets));
            }
            let is_async = clause.child(0).is_some_and(|first| first.kind() == "async");
            let (next, body) =
                self.iterate(left, iter, super::statements::nonempty(right, self.src), is_async, span(right), again);
            again = next;
            self.current = body;
        }
        let parts: Vec<Node<'_>> = match node.child_by_field_name("body") {
            Some(body) if body.kind() == "pair" => children(body),
            Some(body) => vec![body],
            None => Vec::new(),
        };
        for (index, part) in parts.iter().enumerate() {
            let value = self.expression(*part);
            let collects = collects && index + 1 == parts.len();
            self.op(if collects { OpKind::Collect { dst, value } } else { OpKind::Escape(value) }, span(*part));
        }
        self.goto(again);
        if entered {
            self.overlays.pop();
        }
        self.current = after;
        dst
    }

    fn targets(&mut self, scope: ScopeId) -> FxHashMap<String, Place> {
        let facts = self.facts;
        let Some(scope) = facts.scopes.get(scope.0 as usize) else { return FxHashMap::default() };
        let mut names: Vec<&String> = scope.symbols.keys().collect();
        names.sort();
        names.into_iter().map(|name| (name.clone(), self.place())).collect()
    }
}

/// The identifier at the left end of `a.b.c`, if that is what stands there.
fn root_name(mut node: Node<'_>) -> Option<Node<'_>> {
    while node.kind() == "attribute" {
        node = node.child_by_field_name("object")?;
    }
    (node.kind() == "identifier").then_some(node)
}
