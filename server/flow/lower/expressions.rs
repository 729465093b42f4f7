//! Expressions, conditions and targets.

use rustc_hash::FxHashMap;
use tree_sitter::Node;

use super::calls::KEEPING;
use super::{Lowering, children, span};
use crate::facts::{Meaning, ScopeId};
use crate::flow::graph::*;
use crate::tree::quirks;

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
                let adds = node.child_by_field_name("operator").is_some_and(|operator| self.text(operator) == "+=");
                let name = left.filter(|left| adds && left.kind() == "identifier");
                if let (Some(name), Some(value)) = (name, value)
                    && let Some(dst) = self.named(self.text(name))
                {
                    self.op(OpKind::Mention { place: dst, is_read: true }, span(name));
                    self.op(OpKind::Extend { dst, value }, at);
                    return dst;
                }
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

    pub(super) fn opaque(&mut self, node: Node<'_>) -> Place {
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
        } else if let Some(Meaning::Bool(truth)) = self.names.module.meaning(name)
            && self.resolves_to_module(name)
        {
            OpKind::Constant(dst, Constant::Bool(*truth))
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

    pub(super) fn resolves_to_module(&self, name: &str) -> bool {
        matches!(self.facts.resolve(self.evaluating(), name), crate::facts::Resolved::Module)
    }

    /// Whether the module binds the name by a `def` that no decorator changes, or by a class.
    fn is_made_here(&self, name: &str) -> bool {
        let meaning = self.names.module.meaning(name);
        matches!(meaning, Some(Meaning::Function { decorated: false, .. } | Meaning::Class))
    }

    /// Whether the module binds the name by a `def`, a class or an import: not a variable.
    pub(super) fn is_definition(&self, name: &str) -> bool {
        matches!(self.names.module.meaning(name), Some(Meaning::Function { .. } | Meaning::Class | Meaning::Import(_)))
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
        let owner = object.child_by_field_name("object").filter(|of| of.kind() == "identifier");
        let owner = owner.and_then(|of| self.graph.locals.get(self.named(self.text(of))?.0 as usize));
        let stays = owner.is_some_and(|local| local.stays);
        self.op(OpKind::Attribute { dst, src, object: span(object), name, like_loop, stays }, span(node));
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
                    // A dict keeps its keys, too.
                    let key = self.expression(index);
                    self.op(OpKind::Escape(key), span(index));
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
    pub(super) fn comprehension(&mut self, node: Node<'_>) -> Place {
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
            let (next, body) = self.iterate(left, iter, right, is_async, again);
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
