//! What the queries find in an item's tree, by place, not yet put into scopes.

use std::sync::LazyLock;

use memchr::memmem;
use rustc_hash::{FxHashMap, FxHashSet};
use streaming_iterator::StreamingIterator;
use tree_sitter::{Node, Query, QueryCursor};

use super::{Attribute, BindingKind, Role, ScopeKind, Started};
use crate::text::Span;
use crate::tree::{self, named_children, quirks, span, text_of};

/// All queries but the names in one, so that one walk over the tree answers them all.
static QUERY: LazyLock<Query> = LazyLock::new(|| {
    compile(concat!(
        include_str!("../../queries/scopes.scm"),
        include_str!("../../queries/bindings.scm"),
        include_str!("../../queries/imports.scm"),
        include_str!("../../queries/calls.scm"),
    ))
});
static NAMES: LazyLock<Query> = LazyLock::new(|| compile(include_str!("../../queries/names.scm")));

#[expect(clippy::expect_used, reason = "the queries are part of the program, and every test compiles them")]
fn compile(source: &str) -> Query {
    Query::new(&tree::language(), source).expect("a query that fits the grammar")
}

/// What the queries see of a tree. They count levels in 16 bits and go astray below that.
const MAX_DEPTH: u32 = 10_000;
/// An error of more nodes, such as that of 100,000 open brackets, is left alone: a query takes quadratic time for it.
const MAX_ERROR_CHILDREN: u32 = 10_000;

fn cursor() -> QueryCursor {
    let mut cursor = QueryCursor::new();
    cursor.set_max_start_depth(Some(MAX_DEPTH));
    cursor
}

/// A node that opens a scope.
pub(super) struct Opened<'t> {
    pub node: Node<'t>,
    pub kind: ScopeKind,
    pub span: Span,
    /// See [`super::Scope::outside`].
    pub outside: Span,
}

/// A name that is bound, and how.
pub(super) struct Bound {
    pub name: Span,
    pub kind: BindingKind,
    /// By a walrus.
    pub is_walrus: bool,
}

/// `object.name = …`, with a plain name for the object.
pub(super) struct Stored {
    pub object: Span,
    pub name: Span,
    /// The value; `None` for Python's.
    pub value: Option<Attribute>,
}

/// What the decorators of a `def` do to it.
#[derive(Clone, Default)]
pub(super) struct Decorators {
    /// Their names as written, without their arguments.
    pub written: Vec<String>,
    pub role: Role,
    /// One of them may make anything of it.
    pub unknown: bool,
}

/// Decorators that leave a function what it is, by the last part of their name; with arguments or without.
#[rustfmt::skip]
const KEEPING: [&str; 10] = [
    "abstractmethod", "asyncio", "deprecated", "final", "no_type_check", "overload", "override", "parametrize", "skip",
    "wraps",
];

impl Decorators {
    fn of(decorated: Node<'_>, src: &str) -> Self {
        let mut this = Self::default();
        for decorator in named_children(decorated).filter(|child| child.kind() == "decorator") {
            let Some(expression) = decorator.named_child(0) else { continue };
            let is_call = expression.kind() == "call";
            let named = if is_call { expression.child_by_field_name("function") } else { Some(expression) };
            let text = named.map(|named| text_of(named, src)).unwrap_or_default();
            this.written.extend(named.filter(|named| is_dotted(*named)).map(|named| dotted(named, src)));
            match text.rsplit('.').next().unwrap_or_default() {
                "staticmethod" => this.role = Role::Static,
                "classmethod" => this.role = Role::Class,
                "asyncio" | "parametrize" | "skip" if !text.contains("mark.") => this.unknown = true,
                name if KEEPING.contains(&name) => {}
                _ => this.unknown = true,
            }
        }
        this
    }
}

/// A call, not yet given its scope.
pub(super) struct CallSite {
    pub span: Span,
    pub callee: Span,
    pub name: Option<Span>,
}

/// What the queries found. Not sorted, unless said.
#[derive(Default)]
pub(super) struct Found<'t> {
    pub scopes: Vec<Opened<'t>>,
    /// The decorators of a `def` or `class`, by where that starts.
    pub decorated: FxHashMap<u32, Decorators>,
    /// Where a `yield` starts.
    pub yields: Vec<u32>,
    pub bindings: Vec<Bound>,
    pub globals: Vec<Span>,
    pub nonlocals: Vec<Span>,
    pub star_imports: Vec<String>,
    /// The blocks below `if TYPE_CHECKING:`.
    pub typing_only: Vec<Span>,
    pub calls: Vec<CallSite>,
    /// What is stored in attributes of names.
    pub stored: Vec<Stored>,
    /// Each `await` node, as it stands in the tree.
    pub awaits: Vec<Node<'t>>,
    /// The words `async for` and `async with`.
    pub asyncs: Vec<Span>,
    /// What does not parse, see [`quirks::is_broken`]. Sorted and disjoint.
    pub errors: Vec<Span>,
    /// Where a walrus starts that is none.
    formats: Vec<u32>,
    /// Where an expression starts that the grammar has start at the star before it, by where that is.
    stars: FxHashMap<u32, u32>,
}

impl<'t> Found<'t> {
    /// Asks the queries of the item whose tree has this root.
    pub fn new(root: Node<'t>, src: &str) -> Self {
        let mut found = Self::default();
        if !found.parse_errors(root) {
            return found;
        }
        let mut cursor = cursor();
        let mut matches = cursor.matches(&QUERY, root, src.as_bytes());
        while let Some(pattern) = matches.next() {
            for capture in pattern.captures() {
                found.add(QUERY.capture_names()[capture.index as usize], capture.node, src);
            }
        }
        found.bindings.retain(|bound| !bound.is_walrus || !found.formats.contains(&bound.name.start));
        found.bare_keywords(root, src);
        found.errors.sort_unstable_by_key(|error| (error.start, std::cmp::Reverse(error.end)));
        // Disjoint, so that their ends are sorted too.
        found.errors.dedup_by(|inner, outer| outer.covers(*inner));
        found
    }

    /// Finds the outermost parse errors, without a walk over all of a sound tree. Returns whether the tree is fit for queries.
    fn parse_errors(&mut self, root: Node<'_>) -> bool {
        let mut walk = root.walk();
        loop {
            let node = walk.node();
            let is_error = node.is_error() || node.is_missing();
            if is_error {
                self.errors.push(span(node));
                if node.child_count() > MAX_ERROR_CHILDREN {
                    return false;
                }
            }
            // A default of a type parameter (PEP 696) is an error to the grammar only.
            let enter = !is_error && node.has_error() && node.kind() != "type_parameter";
            if enter && walk.goto_first_child() {
                continue;
            }
            while !walk.goto_next_sibling() {
                if !walk.goto_parent() {
                    return true;
                }
            }
        }
    }

    /// Finds every `await` and `async` that is an identifier to the grammar. Both words are rare enough to look at each.
    fn bare_keywords(&mut self, root: Node<'_>, src: &str) {
        let sound: FxHashSet<usize> = self.awaits.iter().map(Node::start_byte).collect();
        for word in ["await", "async"] {
            for start in memmem::find_iter(src.as_bytes(), word).filter(|start| !sound.contains(start)) {
                let node = root.descendant_for_byte_range(start, start + word.len());
                self.errors.extend(node.filter(|&node| quirks::is_bare_keyword(node, src)).map(span));
            }
        }
    }

    fn add(&mut self, capture: &str, node: Node<'t>, src: &str) {
        match capture {
            "scope.function" => {
                self.open(
                    node,
                    ScopeKind::Function { is_async: tree::is_async(node), is_generator: false },
                    head(node),
                );
            }
            "scope.class" => self.open(node, ScopeKind::Class, head(node)),
            "scope.lambda" => self.open(node, ScopeKind::Lambda, head(node)),
            "scope.comprehension" => self.open(node, ScopeKind::Comprehension, first_iterable(node)),
            "scope.generator" => self.open(node, ScopeKind::GeneratorExpression, first_iterable(node)),
            "decorated" => {
                if let Some(definition) = node.child_by_field_name("definition") {
                    self.decorated.insert(span(definition).start, Decorators::of(node, src));
                }
            }
            "yield" => self.yields.push(span(node).start),
            "if" => self.typing_block(node, src),
            "assignment" => self.assignment(node, src),
            "target" => self.target(node, src),
            "walrus" => {
                if let (Some(name), Some(value)) = (node.child_by_field_name("name"), node.child_by_field_name("value"))
                {
                    self.bindings.push(Bound { name: span(name), kind: call_result(value, src), is_walrus: true });
                }
            }
            "format" => self.formats.push(span(node).start),
            "capture" => {
                let stands_alone = node.kind() == "identifier" || node.child_count() == 1;
                if stands_alone && text_of(node, src) != "_" {
                    self.bind(node, BindingKind::Other);
                }
            }
            "alias" => self.type_alias(node),
            "global" => self.globals.extend(named_children(node).map(span)),
            "nonlocal" => self.nonlocals.extend(named_children(node).map(span)),
            "import" => self.import(node, src),
            "from" => self.import_from(node, src),
            "call" => self.call(node, src),
            "await" => self.awaits.push(node),
            "async" => {
                let end = node.child(1).map_or(node.end_byte(), |word| word.end_byte());
                self.asyncs.push(Span::new(node.start_byte() as u32, end as u32));
            }
            _ => {}
        }
    }

    fn open(&mut self, node: Node<'t>, kind: ScopeKind, outside: Span) {
        self.scopes.push(Opened { node, kind, span: span(node), outside });
    }

    fn bind(&mut self, name: Node<'_>, kind: BindingKind) {
        self.bindings.push(Bound { name: span(name), kind, is_walrus: false });
    }

    fn typing_block(&mut self, node: Node<'_>, src: &str) {
        let Some(condition) = node.child_by_field_name("condition") else { return };
        let condition = text_of(condition, src);
        if condition == "TYPE_CHECKING" || condition.ends_with(".TYPE_CHECKING") {
            self.typing_only.extend(node.child_by_field_name("consequence").map(span));
        }
    }

    /// `a = b = f()`: each assignment is the right side of the one before.
    fn assignment(&mut self, outermost: Node<'_>, src: &str) {
        let mut targets = Vec::new();
        let mut value = Some(outermost);
        while let Some(assignment) = value.filter(|value| value.kind() == "assignment") {
            targets.extend(assignment.child_by_field_name("left"));
            value = assignment.child_by_field_name("right");
        }
        for left in targets {
            match value {
                Some(value) if left.kind() == "identifier" => self.bind(left, call_result(value, src)),
                Some(value) if left.kind() == "attribute" => self.store(left, Some(value), src),
                Some(_) => self.target(left, src),
                // `(x): T` makes nothing of `x`.
                None if left.kind() == "identifier" => self.bind(left, BindingKind::Declaration),
                None => {}
            }
        }
    }

    /// `name.attribute = …`
    fn store(&mut self, target: Node<'_>, value: Option<Node<'_>>, src: &str) {
        let object = target.child_by_field_name("object").filter(|object| object.kind() == "identifier");
        if let (Some(object), Some(name)) = (object, target.child_by_field_name("attribute")) {
            let value = match value {
                Some(value) if value.kind() == "none" => None,
                Some(value) => Some(match started(value, text_of(object, src), src) {
                    Some(started) => Attribute::Task(vec![started]),
                    None => match call_result(value, src) {
                        BindingKind::CallResult(callee) => Attribute::CallResult(callee),
                        _ if value.kind() == "list" && value.named_child_count() == 0 => Attribute::List,
                        _ => Attribute::Other,
                    },
                }),
                None => Some(Attribute::Other),
            };
            self.stored.push(Stored { object: span(object), name: span(name), value });
        }
    }

    /// Binds the names in a target, however deep they stand.
    fn target(&mut self, node: Node<'_>, src: &str) {
        let mut walk = node.walk();
        loop {
            let is_list = match walk.node().kind() {
                "identifier" => {
                    self.bind(walk.node(), BindingKind::Other);
                    false
                }
                "attribute" => {
                    self.store(walk.node(), None, src);
                    false
                }
                "pattern_list" | "tuple_pattern" | "list_pattern" | "list_splat_pattern" => true,
                // In `del` and behind `as`, where the grammar has expressions for targets.
                "expression_list" | "tuple" | "list" | "list_splat" | "parenthesized_expression" => true,
                "as_pattern_target" | "delete_statement" => true,
                _ => false,
            };
            if is_list && walk.goto_first_child() {
                continue;
            }
            while !walk.goto_next_sibling() {
                if !walk.goto_parent() {
                    return;
                }
            }
        }
    }

    /// `X` of `type X = …` and `type X[T] = …`; nothing of `type(self).x = …`, which the grammar takes for one.
    fn type_alias(&mut self, node: Node<'_>) {
        let name = match node.kind() {
            "generic_type" | "subscript" => node.named_child(0),
            _ => Some(node),
        };
        if let Some(name) = name.filter(|name| name.kind() == "identifier") {
            self.bind(name, BindingKind::Other);
        }
    }

    fn import(&mut self, node: Node<'_>, src: &str) {
        for name in named_children(node) {
            let (path, bound) = match alias(name) {
                Some((path, alias)) => (Some(path), Some(alias)),
                None => (name.named_child(0), name.named_child(0)),
            };
            if let (Some(path), Some(bound)) = (path, bound) {
                self.bind(bound, BindingKind::Import(dotted(path, src)));
            }
        }
    }

    fn import_from(&mut self, node: Node<'_>, src: &str) {
        let module_node = node.child_by_field_name("module_name");
        let module = module_node.map_or_else(|| "__future__".to_owned(), |module| dotted(module, src));
        for name in named_children(node).filter(|&child| Some(child) != module_node) {
            if name.kind() == "wildcard_import" {
                self.star_imports.push(module);
                return;
            }
            let (path, bound) = alias(name).unwrap_or((name, name));
            let dot = if module.ends_with('.') { "" } else { "." };
            self.bind(bound, BindingKind::Import(format!("{module}{dot}{}", dotted(path, src))));
        }
    }

    fn call(&mut self, node: Node<'_>, src: &str) {
        let Some(callee) = node.child_by_field_name("function") else { return };
        let callee = quirks::without_star(callee);
        let name = match callee.kind() {
            "identifier" => Some(span(callee)),
            "attribute" => callee.child_by_field_name("attribute").map(span),
            _ => None,
        };
        let call = CallSite { span: self.without_star(node, src), callee: self.without_star(callee, src), name };
        self.calls.push(call);
    }

    /// [`quirks::expression_span`], looked up once for all the calls of `*f()()()`.
    fn without_star(&mut self, node: Node<'_>, src: &str) -> Span {
        let Span { start, end } = span(node);
        if src.as_bytes().get(start as usize) != Some(&b'*') {
            return Span::new(start, end);
        }
        let start = *self.stars.entry(start).or_insert_with(|| quirks::expression_span(node).start);
        Span::new(start, end)
    }
}

/// The task that `create_task(worker())` makes, to be kept in an attribute of `owner`.
fn started(value: Node<'_>, owner: &str, src: &str) -> Option<Started> {
    let by = value.child_by_field_name("function").filter(|_| value.kind() == "call")?;
    let by = super::names::without_blanks(text_of(by, src));
    if !matches!(by.rsplit('.').next(), Some("create_task" | "ensure_future")) {
        return None;
    }
    let first =
        named_children(value.child_by_field_name("arguments")?).next().filter(|first| first.kind() == "call")?;
    let callee = first.child_by_field_name("function").filter(|callee| is_dotted(*callee))?;
    let runs = super::names::without_blanks(text_of(callee, src));
    let method = runs.split_once('.').filter(|(of, _)| *of == owner).map(|(_, method)| format!(".{method}"));
    Some(Started { by, runs: method.unwrap_or(runs) })
}

/// The parameters of a `def` or `lambda`: the name of each, and its annotation.
pub(super) fn parameters<'t>(function: Node<'t>, src: &str) -> Vec<(Node<'t>, Option<String>)> {
    let parameter = |node: Node<'t>| {
        let name = match node.kind() {
            "default_parameter" | "typed_default_parameter" => node.child_by_field_name("name")?,
            "typed_parameter" => node.named_child(0)?,
            _ => node,
        };
        match name.kind() {
            "list_splat_pattern" | "dictionary_splat_pattern" => Some((name.named_child(0)?, None)),
            _ => Some((name, node.child_by_field_name("type").map(|annotation| text_of(annotation, src).to_owned()))),
        }
    };
    let all = function.child_by_field_name("parameters").into_iter().flat_map(named_children);
    all.filter_map(parameter).filter(|(name, _)| name.kind() == "identifier").collect()
}

/// The names of the type parameters of a `def` or `class`: the `T` of `T`, `T: bound`, `*T` and `**T`.
pub(super) fn type_parameters(node: Node<'_>, src: &str) -> Vec<Span> {
    let first_name = |mut node: Node<'_>| {
        while node.kind() != "identifier" {
            node = node.named_child(0)?;
        }
        Some(span(node))
    };
    let mut names = Vec::new();
    let mut is_default = false;
    for parameter in node.child_by_field_name("type_parameters").into_iter().flat_map(named_children) {
        // The grammar does not know defaults: in `T = int` it takes `T =` for an error, in `T: int = str` `= str`.
        let text = text_of(parameter, src);
        if !is_default && !text.starts_with('=') {
            names.extend(first_name(parameter));
        }
        is_default = parameter.is_error() && text.ends_with('=');
    }
    names
}

/// The identifiers below the nodes of these spans that stand for names, bindings among them.
pub(super) fn names(root: Node<'_>, below: &[Span], src: &str) -> Vec<Span> {
    let mut names = Vec::new();
    let mut members = FxHashSet::default();
    let mut cursor = cursor();
    for inner in below {
        let Some(node) = root.descendant_for_byte_range(inner.start as usize, inner.end as usize) else { continue };
        let mut matches = cursor.matches(&NAMES, node, src.as_bytes());
        while let Some(pattern) = matches.next() {
            for capture in pattern.captures() {
                match NAMES.capture_names()[capture.index as usize] {
                    "member" => drop(members.insert(span(capture.node))),
                    _ => names.push(span(capture.node)),
                }
            }
        }
    }
    names.retain(|name| !members.contains(name));
    names
}

/// The path and the alias of `path as alias`.
fn alias(name: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    Some((name.child_by_field_name("name")?, name.child_by_field_name("alias")?))
}

/// The text of a dotted name without the blanks, line breaks and comments that Python allows in it.
fn dotted(node: Node<'_>, src: &str) -> String {
    match node.kind() {
        "identifier" => text_of(node, src).to_owned(),
        _ => super::names::without_blanks(text_of(node, src)),
    }
}

/// The part of a `def`, `class` or `lambda` before its body.
fn head(node: Node<'_>) -> Span {
    let Span { start, end } = span(node);
    Span::new(start, node.child_by_field_name("body").map_or(end, |body| span(body).start))
}

/// The first iterable of a comprehension: `HERE` in `[… for x in HERE …]`.
fn first_iterable(node: Node<'_>) -> Span {
    let first = named_children(node).find(|child| child.kind() == "for_in_clause");
    let end = first.unwrap_or(node).end_byte() as u32;
    let start =
        first.and_then(|clause| clause.child_by_field_name("right")).map_or(end, |iterable| span(iterable).start);
    Span::new(start, end)
}

/// How `name = VALUE` binds the name.
fn call_result(value: Node<'_>, src: &str) -> BindingKind {
    let callee = if value.kind() == "call" { value.child_by_field_name("function") } else { None };
    match callee {
        None if matches!(value.kind(), "true" | "false") => BindingKind::Bool(value.kind() == "true"),
        Some(callee) if is_dotted(callee) => BindingKind::CallResult(dotted(callee, src)),
        _ => BindingKind::Other,
    }
}

/// Whether it is a name or attributes of a name.
pub(super) fn is_dotted(mut node: Node<'_>) -> bool {
    while node.kind() == "attribute" {
        let Some(object) = node.child_by_field_name("object") else { return false };
        node = object;
    }
    node.kind() == "identifier"
}
