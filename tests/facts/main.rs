//! Scopes, bindings and what names mean: small sources against a readable dump, and the standard library against CPython.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cpython;
mod meaning;
mod resolution;
mod scopes;

use std::fmt::Write as _;

use aiolint::facts::{BindingKind, Facts, ItemNames, ModuleNames, Names, Resolved, Scope, ScopeId, ScopeKind, extract};
use aiolint::tree::{self, Tree};

fn facts(src: &str) -> Facts {
    extract(Tree::parse(src).root(), src)
}

fn title(scope: &Scope, src: &str) -> String {
    let name = scope.name.map_or("", |name| name.of(src));
    let kind = match scope.kind {
        ScopeKind::Module => "module".to_owned(),
        ScopeKind::Class => format!("class {name}"),
        ScopeKind::Function { is_async, is_generator } => {
            format!(
                "{}def {name}{}",
                if is_async { "async " } else { "" },
                if is_generator { " generator" } else { "" }
            )
        }
        ScopeKind::Lambda => "lambda".to_owned(),
        ScopeKind::Comprehension => "comprehension".to_owned(),
        ScopeKind::GeneratorExpression => "genexp".to_owned(),
    };
    format!("{kind}{}", if scope.broken { " broken" } else { "" })
}

fn how(kind: &BindingKind) -> String {
    match kind {
        BindingKind::Parameter(None) => "parameter".to_owned(),
        BindingKind::Parameter(Some(annotation)) => format!("parameter: {annotation}"),
        BindingKind::Import(path) => format!("import {path}"),
        BindingKind::Function { is_async, is_generator, decorated, .. } => {
            let flag = |set: bool, text: &'static str| if set { text } else { "" };
            format!("{}{}{}def", flag(*decorated, "@"), flag(*is_async, "async "), flag(*is_generator, "generator "))
        }
        BindingKind::Class => "class".to_owned(),
        BindingKind::CallResult(callee) => format!("{callee}()"),
        BindingKind::TypeParameter => "type parameter".to_owned(),
        BindingKind::Declaration => "declared".to_owned(),
        BindingKind::Other | BindingKind::Bool(_) => "other".to_owned(),
    }
}

/// One line per scope, its names below it.
fn dump(src: &str) -> String {
    let facts = facts(src);
    let mut out = String::new();
    for (index, scope) in facts.scopes.iter().enumerate() {
        let depth = facts.outwards(ScopeId(index as u32)).count() - 1;
        let indent = "  ".repeat(depth);
        writeln!(out, "{indent}{}", title(scope, src)).unwrap();
        let mut names: Vec<_> = scope.symbols.iter().collect();
        names.sort_by_key(|(name, _)| *name);
        for (name, symbol) in names {
            let mut words: Vec<String> = symbol.bindings.iter().map(|b| how(&b.kind)).collect();
            let flags = [
                (symbol.is_global, "GLOBAL"),
                (symbol.is_nonlocal, "NONLOCAL"),
                (symbol.captured, "captured"),
                (symbol.rebound_inside, "rebound"),
                (symbol.bindings.iter().any(|b| b.typing_only), "typing-only"),
            ];
            words.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word.to_owned()));
            writeln!(out, "{indent}  .{name}: {}", words.join(", ")).unwrap();
        }
    }
    out
}

fn check(src: &str, expected: &str) {
    assert_eq!(dump(src).trim_end(), expected.trim(), "{src}");
}

/// Whose name each `probe` in the source is: the line of each, and the scope.
fn owners(src: &str) -> String {
    let facts = facts(src);
    let owner = |at: usize| match facts.resolve(facts.scope_at(at as u32), "probe") {
        Resolved::Module => "the module's".to_owned(),
        Resolved::Local(id) => title(facts.scope(id).unwrap(), src),
    };
    let line = |at: usize| src[..at].matches('\n').count() + 1;
    src.match_indices("probe").map(|(at, _)| format!("{}: {}\n", line(at), owner(at))).collect()
}

fn check_owners(src: &str, expected: &str) {
    assert_eq!(owners(src).trim_end(), expected.trim(), "{src}");
}

/// What each argument of a call of `probe` means, one per line.
fn meanings(src: &str) -> String {
    let tree = Tree::parse(src);
    let facts = extract(tree.root(), src);
    let module = ModuleNames::from_items([ItemNames::Parsed(&facts)]);
    let names = Names { facts: &facts, module: &module, src };
    let mut out = String::new();
    for call in facts.calls.iter().filter(|call| call.callee.of(src) == "probe") {
        let node = tree.root().descendant_for_byte_range(call.span.start as usize, call.span.end as usize).unwrap();
        for argument in tree::named_children(node.child_by_field_name("arguments").unwrap()) {
            let dotted = names.dotted(call.scope, argument);
            assert_eq!(dotted, names.dotted_text(call.scope, tree::text_of(argument, src)), "as a node and as text");
            writeln!(out, "{}", dotted.as_deref().unwrap_or("?")).unwrap();
        }
    }
    out
}

fn check_meanings(src: &str, expected: &str) {
    assert_eq!(meanings(src).trim_end(), expected.trim(), "{src}");
}

/// How `dotted` is spelled at each `here` in the source.
fn spellings(src: &str, dotted: &str) -> String {
    let facts = facts(src);
    let module = ModuleNames::from_items([ItemNames::Parsed(&facts)]);
    let names = Names { facts: &facts, module: &module, src };
    let spelled = |at| names.spelling(at, dotted).unwrap_or_else(|| "?".to_owned());
    src.match_indices("here").map(|(at, _)| spelled(at as u32)).collect::<Vec<_>>().join(" ")
}
