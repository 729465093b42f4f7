//! Statements.

use tree_sitter::Node;

use super::{Loop, Lowering, children, span};
use crate::facts::BindingKind;
use crate::flow::exceptions::ExcSet;
use crate::flow::graph::*;
use crate::text::Span;

impl Lowering<'_> {
    /// The statements of a block or module.
    pub(super) fn statements(&mut self, block: Node<'_>) {
        for statement in children(block) {
            self.statement(statement);
        }
    }

    fn statement(&mut self, node: Node<'_>) {
        self.nesting += 1;
        if self.nesting > super::MAX_NESTING {
            self.gave_up = true;
        } else {
            self.statement_inner(node);
        }
        self.nesting -= 1;
    }

    fn statement_inner(&mut self, node: Node<'_>) {
        match node.kind() {
            "expression_statement" => {
                for child in children(node) {
                    let value = self.expression(child);
                    if matches!(child.kind(), "call" | "await") {
                        self.op(OpKind::Drop(value), span(child));
                    }
                }
            }
            "return_statement" => {
                let value = match children(node).first() {
                    Some(value) => self.expression(*value),
                    None => self.constant(node, Constant::None),
                };
                self.op(OpKind::Return(value), span(node));
                self.leave(self.exit, 0);
            }
            "if_statement" => self.if_statement(node),
            "while_statement" => self.while_statement(node),
            "for_statement" => self.for_statement(node),
            "try_statement" => self.try_statement(node),
            "with_statement" => self.with_statement(node),
            "match_statement" => self.match_statement(node),
            "break_statement" => {
                if let Some(target) = self.loops.last().map(|l| (l.after, l.finallies)) {
                    self.leave(target.0, target.1);
                }
            }
            "continue_statement" => {
                if let Some(target) = self.loops.last().map(|l| (l.again, l.finallies)) {
                    self.leave(target.0, target.1);
                }
            }
            "raise_statement" => self.raise_statement(node),
            "assert_statement" => self.assert_statement(node),
            "delete_statement" => {
                for child in children(node) {
                    let targets = if child.kind() == "expression_list" { children(child) } else { vec![child] };
                    for target in targets {
                        match (target.kind(), self.named(self.text(target))) {
                            ("identifier", Some(place)) => self.op(OpKind::Forget(place), span(target)),
                            ("identifier", None) => {}
                            _ => {
                                self.expression(target);
                                // What it is taken out of holds less from here on.
                                let of = target.child_by_field_name("value").and_then(|of| self.named(self.text(of)));
                                if let Some(of) = of {
                                    self.op(OpKind::Escape(of), span(target));
                                }
                            }
                        }
                    }
                }
            }
            "function_definition" | "class_definition" => self.definition(node),
            "decorated_definition" => {
                for child in children(node) {
                    if child.kind() == "decorator" {
                        for expression in children(child) {
                            self.expression(expression);
                        }
                    }
                }
                if let Some(definition) = node.child_by_field_name("definition") {
                    self.definition(definition);
                }
            }
            // The grammar takes `type(self).task = …` for a type alias; a real one holds no call of interest.
            "type_alias_statement" => {
                if let Some(right) = node.child_by_field_name("right") {
                    for child in children(right) {
                        let value = self.expression(child);
                        self.op(OpKind::Escape(value), span(child));
                    }
                }
            }
            "pass_statement"
            | "global_statement"
            | "nonlocal_statement"
            | "import_statement"
            | "import_from_statement"
            | "future_import_statement"
            | "comment" => {}
            _ => {
                for child in children(node) {
                    let value = self.expression(child);
                    self.op(OpKind::Escape(value), span(child));
                }
            }
        }
    }

    pub(super) fn field_statements(&mut self, node: Node<'_>, field: &str) {
        if let Some(block) = node.child_by_field_name(field) {
            self.statements(block);
        }
    }

    /// A function or class made here: its defaults and bases run now, its body later or elsewhere.
    fn definition(&mut self, node: Node<'_>) {
        if let Some(parameters) = node.child_by_field_name("parameters") {
            for parameter in children(parameters) {
                if let Some(default) = parameter.child_by_field_name("value") {
                    let value = self.expression(default);
                    self.op(OpKind::Escape(value), span(default));
                }
            }
        }
        if let Some(bases) = node.child_by_field_name("superclasses") {
            for base in children(bases) {
                self.expression(base.child_by_field_name("value").unwrap_or(base));
            }
        }
        if let Some(body) = node.child_by_field_name("body") {
            let places = self.mentioned(body);
            self.op(OpKind::Capture(places), span(node));
        }
        if let Some(name) = node.child_by_field_name("name")
            && let Some(place) = self.named(self.text(name))
        {
            let at = span(name);
            if self.makes(false, self.text(name), at)
                && let Some(callee) = self.called_by_definition(node)
            {
                let callee = self.expression(callee);
                return self.op(OpKind::Lambda { dst: place, callee }, at);
            }
            let kind = match self.makes(true, self.text(name), at) {
                true => {
                    // By words: what is in a comment does no harm.
                    let suspends = self.text(node).split(' ').skip(1).any(|word| word.ends_with("async"))
                        || self.text(node).contains("await");
                    let (name, awaits) = (self.qualname(span(node)), self.always_awaits(node));
                    OpKind::LocalCoroutineFunction { dst: place, name, suspends, awaits }
                }
                false => OpKind::Opaque(place),
            };
            self.op(kind, at);
        }
    }

    /// The variables of this function that one made in it awaits before it can do anything else with them.
    fn always_awaits(&self, function: Node<'_>) -> Vec<Place> {
        let own = self.facts.scope_opened_by(span(function)).and_then(|scope| self.facts.scope(scope));
        let mut found = Vec::new();
        for statement in function.child_by_field_name("body").map(children).unwrap_or_default() {
            let is_return = statement.kind() == "return_statement";
            if !is_return && statement.kind() != "expression_statement" {
                break;
            }
            let value = statement.named_child(0).filter(|_| statement.named_child_count() == 1);
            let value = match value {
                Some(of) if of.kind() == "assignment" => of.child_by_field_name("right"),
                other => other,
            };
            let awaited = value.filter(|value| value.kind() == "await").and_then(|value| value.named_child(0));
            if let Some(name) = awaited.filter(|awaited| awaited.kind() == "identifier").map(|name| self.text(name))
                && own.is_some_and(|own| own.symbols.get(name).is_none_or(|symbol| symbol.bindings.is_empty()))
            {
                found.extend(self.named(name));
            }
            if is_return {
                break;
            }
        }
        found
    }

    /// Whether the `def` whose name stands at `at` makes a coroutine function, or a plain one, that no decorator changes.
    fn makes(&self, coroutines: bool, name: &str, at: Span) -> bool {
        let is_it = |kind: &BindingKind| match *kind {
            BindingKind::Function { is_async, is_generator, decorated, .. } => {
                is_async == coroutines && !is_generator && !decorated
            }
            _ => false,
        };
        let symbol = self.facts.symbol(self.scope, name);
        symbol.is_some_and(|symbol| symbol.bindings.iter().any(|of| of.span == at && is_it(&of.kind)))
    }

    fn if_statement(&mut self, node: Node<'_>) {
        let after = self.block();
        let mut cursor = node.walk();
        let alternatives: Vec<Node<'_>> = node.children_by_field_name("alternative", &mut cursor).collect();
        let mut clause = node;
        let mut rest = alternatives.into_iter();
        loop {
            let then = self.block();
            let otherwise = self.block();
            if let Some(test) = clause.child_by_field_name("condition") {
                self.condition(test, then, otherwise, None);
            }
            self.current = then;
            self.field_statements(clause, "consequence");
            self.goto(after);
            self.current = otherwise;
            match rest.next() {
                Some(next) if next.kind() == "elif_clause" => clause = next,
                Some(next) => {
                    self.field_statements(next, "body");
                    self.goto(after);
                    return;
                }
                None => {
                    self.goto(after);
                    return;
                }
            }
        }
    }

    /// The test stands twice in the graph, before the first round and after each: what is true when the body never ran is then
    /// known apart.
    fn while_statement(&mut self, node: Node<'_>) {
        let Some(test) = node.child_by_field_name("condition") else { return };
        let body = self.block();
        let otherwise = self.block();
        let again = self.block();
        let after = self.block();
        self.condition(test, body, otherwise, Some(otherwise));
        self.loops.push(Loop { again, after, finallies: self.finallies.len() });
        self.current = body;
        self.field_statements(node, "body");
        self.goto(again);
        self.loops.pop();
        self.op(OpKind::Round, span(test));
        self.condition(test, body, otherwise, None);
        self.current = otherwise;
        if let Some(clause) = node.child_by_field_name("alternative") {
            self.field_statements(clause, "body");
        }
        self.goto(after);
    }

    fn for_statement(&mut self, node: Node<'_>) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return;
        };
        let is_async = node.child(0).is_some_and(|first| first.kind() == "async");
        let otherwise = self.block();
        let after = self.block();
        let iter = self.expression(right);
        let (again, body) = self.iterate(left, iter, right, is_async, otherwise);
        self.loops.push(Loop { again, after, finallies: self.finallies.len() });
        self.current = body;
        self.field_statements(node, "body");
        self.goto(again);
        self.loops.pop();
        self.current = otherwise;
        if let Some(clause) = node.child_by_field_name("alternative") {
            self.field_statements(clause, "body");
        }
        self.goto(after);
    }

    /// Starts a loop over the value in `iter`, that of `right`, that binds `left`; gives the block that takes the next element, and the body, both
    /// open: the caller fills the body and ends it by going to the first.
    pub(super) fn iterate(
        &mut self,
        left: Node<'_>,
        iter: Place,
        right: Node<'_>,
        is_async: bool,
        end: BlockId,
    ) -> (BlockId, BlockId) {
        let element = self.place();
        let (nonempty, spelled_out) = (nonempty(right, self.src), spelled_out(right));
        let (bind, again, body) = (self.block(), self.block(), self.block());
        let next = |first| Terminator::Iterate {
            iter,
            element,
            body: bind,
            end,
            first,
            nonempty: nonempty && first,
            spelled_out: spelled_out && !is_async,
            is_async,
            span: span(right),
        };
        self.end(next(true));
        self.graph.blocks[again.0 as usize].end = next(false);
        self.current = bind;
        self.bind(left, element);
        self.goto(body);
        (again, body)
    }

    fn try_statement(&mut self, node: Node<'_>) {
        let mut handlers = Vec::new();
        let (mut otherwise, mut finally) = (None, None);
        for child in children(node) {
            match child.kind() {
                "except_clause" | "except_group_clause" => handlers.push(child),
                "else_clause" => otherwise = Some(child),
                "finally_clause" => finally = Some(child),
                _ => {}
            }
        }
        let after = self.block();
        let outer = self.unwind;
        let finally_body = finally.map(|_| {
            let (body, entry) = self.finally_blocks();
            self.finallies.push(body);
            self.unwind = Some(entry);
            body
        });
        let around_handlers = self.unwind;

        let mut arms = Vec::new();
        let mut guards = Guards::NONE;
        let dispatch = (!handlers.is_empty()).then(|| self.block());
        for handler in &handlers {
            let mut cursor = handler.walk();
            let classes: Vec<Node<'_>> = handler.children_by_field_name("value", &mut cursor).collect();
            let (mut taken, mut unknown) =
                if classes.is_empty() { (ExcSet::ALL, false) } else { (ExcSet::NONE, false) };
            let mut named = Vec::new();
            for class in classes {
                // `except E as e` is an as_pattern to some versions of the grammar.
                let class = if class.kind() == "as_pattern" { class.named_child(0).unwrap_or(class) } else { class };
                let (one, this) = self.taken(class);
                taken = taken.union(one);
                unknown |= this;
                named.extend(self.class_paths(class));
            }
            // The first handler that matters decides: a bare one behind a named one changes nothing.
            let mut these = Self::guards_against(taken, unknown);
            these.runtime |= named.iter().any(|class| class == "builtins.RuntimeError");
            if guards.invalid == Guard::Explicit {
                these.invalid = Guard::None;
            }
            guards = guards.with(these);
            arms.push(Arm { taken, classes: named, to: self.block() });
        }
        if let Some(dispatch) = dispatch {
            self.graph.blocks[dispatch.0 as usize].end = Terminator::Dispatch(arms.clone());
            self.unwind = Some(dispatch);
        }
        let body = self.block();
        self.goto(body);
        self.guards.push(guards);
        self.field_statements(node, "body");
        self.guards.pop();
        self.unwind = around_handlers;
        let past_body = self.block();
        self.goto(past_body);
        if let Some(clause) = otherwise {
            self.field_statements(clause, "body");
        }
        self.leave_try(after, finally_body);

        for (handler, arm) in handlers.iter().zip(arms) {
            self.current = arm.to;
            self.op(OpKind::Catch, span(*handler));
            let alias = handler.child_by_field_name("alias").or_else(|| {
                let value = handler.child_by_field_name("value").filter(|value| value.kind() == "as_pattern")?;
                value.child_by_field_name("alias")?.named_child(0)
            });
            let alias = alias.and_then(|alias| self.named(self.text(alias)).map(|place| (place, span(alias))));
            if let Some((place, at)) = alias {
                self.op(OpKind::Opaque(place), at);
            }
            if let Some(block) = children(*handler).into_iter().rfind(|child| child.kind() == "block") {
                self.statements(block);
            }
            if let Some((place, at)) = alias {
                self.op(OpKind::Forget(place), at);
            }
            self.op(OpKind::EndCatch, span(*handler));
            self.leave_try(after, finally_body);
        }

        self.unwind = outer;
        if let (Some(clause), Some(body)) = (finally, finally_body) {
            self.finallies.pop();
            self.depth += 1;
            self.current = body;
            for block in children(clause).into_iter().filter(|child| child.kind() == "block") {
                self.statements(block);
            }
            self.end(Terminator::EndFinally(body));
            self.depth -= 1;
        }
        self.current = after;
    }

    /// The first block of a `finally`, and the block through which an exception enters it.
    fn finally_blocks(&mut self) -> (BlockId, BlockId) {
        self.depth += 1;
        let body = self.block();
        self.depth -= 1;
        let entry = self.block();
        self.graph.blocks[entry.0 as usize].end = Terminator::Enter { body, resume: Resume::Unwind };
        (body, entry)
    }

    fn leave_try(&mut self, after: BlockId, finally: Option<BlockId>) {
        match finally {
            Some(body) => self.end(Terminator::Enter { body, resume: Resume::At(vec![after]) }),
            None => self.end(Terminator::Goto(after)),
        }
    }

    fn with_statement(&mut self, node: Node<'_>) {
        let is_async = node.child(0).is_some_and(|first| first.kind() == "async");
        let items: Vec<Node<'_>> = children(node)
            .into_iter()
            .filter(|child| child.kind() == "with_clause")
            .flat_map(children)
            .filter(|item| item.kind() == "with_item")
            .filter_map(|item| item.child_by_field_name("value"))
            // `with (a as b, c):` is one item that holds a tuple to the grammar.
            .flat_map(|value| if value.kind() == "tuple" { children(value) } else { vec![value] })
            .collect();
        let mut open = Vec::new();
        for item in items {
            let (value, target) = if item.kind() == "as_pattern" {
                (item.named_child(0).unwrap_or(item), item.child_by_field_name("alias"))
            } else {
                (item, None)
            };
            let cm = self.expression(value);
            let entered = self.place();
            self.op(OpKind::Enter { dst: entered, cm, is_async }, span(item));
            if let Some(target) = target {
                for target in children(target) {
                    self.bind(target, entered);
                }
            }
            let after = self.block();
            let (body, entry) = self.finally_blocks();
            self.finallies.push(body);
            open.push((cm, body, after, self.unwind, span(item)));
            self.unwind = Some(entry);
            self.guards.push(self.suppresses(value));
            let inside = self.block();
            self.goto(inside);
        }
        self.field_statements(node, "body");
        while let Some((cm, body, after, outer, at)) = open.pop() {
            self.leave_try(after, Some(body));
            self.finallies.pop();
            self.guards.pop();
            self.unwind = outer;
            self.depth += 1;
            self.current = body;
            self.op(OpKind::Exit { cm, is_async, after }, at);
            self.end(Terminator::EndFinally(body));
            self.depth -= 1;
            self.current = after;
        }
    }

    /// What a context manager means to what is raised in its block: `suppress`, `pytest.raises`, `assertRaises`; or to warnings.
    fn suppresses(&self, manager: Node<'_>) -> Guards {
        // One that is not known may swallow a cancellation.
        let unknown = Guards { cancelled: true, ..Guards::NONE };
        if manager.kind() != "call" {
            return unknown;
        }
        let Some(callee) = manager.child_by_field_name("function") else { return unknown };
        let path = self.names.dotted(self.evaluating(), callee).unwrap_or_default();
        if path.starts_with("asyncio.") || path == "builtins.open" {
            return Guards::NONE;
        }
        let name = callee.child_by_field_name("attribute").unwrap_or(callee);
        if matches!(self.text(name), "warns" | "catch_warnings" | "assertWarns" | "assertWarnsRegex" | "check_warnings")
        {
            return Guards { expected: true, ..Guards::NONE };
        }
        if !matches!(
            self.text(name),
            "suppress" | "raises" | "assertRaises" | "assertRaisesRegex" | "assertRaisesRegexp"
        ) {
            return unknown;
        }
        let mut guards = Guards::NONE;
        for argument in manager.child_by_field_name("arguments").map(children).unwrap_or_default() {
            if argument.kind() == "keyword_argument" {
                continue;
            }
            let (taken, unknown) = self.taken(argument);
            let mut these = Self::guards_against(taken, unknown);
            // Somebody who writes `raises(Exception)` around it expects it to fail.
            if these.invalid != Guard::None {
                these.invalid = Guard::Explicit;
            }
            these.runtime |= these.invalid == Guard::Explicit
                || self.class_paths(argument).iter().any(|class| class == "builtins.RuntimeError");
            guards = guards.with(these);
        }
        guards.swallows = true;
        // Only `suppress` does not insist on it.
        guards.expected = self.text(name) != "suppress";
        guards
    }

    fn raise_statement(&mut self, node: Node<'_>) {
        let raised = children(node).into_iter().find(|child| Some(*child) != node.child_by_field_name("cause"));
        let mut builtin = None;
        let kinds = raised.map(|raised| {
            self.expression(raised);
            let class =
                if raised.kind() == "call" { raised.child_by_field_name("function").unwrap_or(raised) } else { raised };
            builtin = self.class_paths(class).pop().filter(|path| path.starts_with("builtins."));
            match self.taken(class) {
                (_, true) => ExcSet::ERROR,
                (kinds, false) => ExcSet(kinds.0 & ExcSet::ALL.0),
            }
        });
        if let Some(cause) = node.child_by_field_name("cause") {
            self.expression(cause);
        }
        self.end(Terminator::Raise(kinds, builtin));
    }

    /// The classes of `except CLASS` or `except (CLASS, …)`, by their dotted paths where they have one.
    fn class_paths(&self, class: Node<'_>) -> Vec<String> {
        let classes = if class.kind() == "tuple" { children(class) } else { vec![class] };
        let path = |class: Node<'_>| self.names.dotted(self.evaluating(), class);
        classes.into_iter().map(|class| path(class).unwrap_or_else(|| self.text(class).to_owned())).collect()
    }

    fn assert_statement(&mut self, node: Node<'_>) {
        let parts = children(node);
        let Some(&test) = parts.first() else { return };
        let holds = self.block();
        let fails = self.block();
        // What a failing assertion leaves behind is nobody's concern.
        self.condition(test, holds, fails, Some(fails));
        self.current = fails;
        if let Some(&message) = parts.get(1) {
            self.expression(message);
        }
        self.end(Terminator::Raise(Some(ExcSet::ASSERTION), None));
        self.current = holds;
    }
}

/// Whether an iterable is a display that tells which element comes first, and which then.
fn spelled_out(node: Node<'_>) -> bool {
    let has_order = match node.kind() {
        "list" | "tuple" | "expression_list" => true,
        "set" => node.named_child_count() == 1,
        _ => false,
    };
    has_order && children(node).iter().all(|child| child.kind() != "list_splat")
}

/// Whether an iterable is seen to hold something: a display with elements, `range(3)`.
fn nonempty(node: Node<'_>, src: &str) -> bool {
    match node.kind() {
        "list" | "tuple" | "set" | "expression_list" | "dictionary" => {
            children(node).iter().any(|child| !matches!(child.kind(), "list_splat" | "dictionary_splat"))
        }
        "call" => {
            let text = src.get(node.byte_range()).unwrap_or_default();
            let inner = text.strip_prefix("range(").and_then(|rest| rest.strip_suffix(')'));
            let count = inner.and_then(|inner| inner.trim().parse::<u64>().ok());
            count.is_some_and(|count| count > 0)
                || text.starts_with("itertools.count(")
                || (text.starts_with("enumerate(")
                    && node
                        .child_by_field_name("arguments")
                        .and_then(|args| args.named_child(0))
                        .is_some_and(|arg| nonempty(arg, src)))
        }
        _ => false,
    }
}
