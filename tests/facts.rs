//! Scopes, bindings and what names mean: small sources against a readable dump, and the standard library against CPython.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fmt::Write as _;

use aiolint::facts::{BindingKind, Facts, Scope, ScopeId, ScopeKind, extract};

fn parse(src: &str) -> tree_sitter::Tree {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).unwrap();
    parser.parse(src, None).unwrap()
}

fn facts(src: &str) -> Facts {
    extract(parse(src).root_node(), src)
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
        BindingKind::Function { is_async, is_generator, decorated } => {
            let flag = |set: bool, text: &'static str| if set { text } else { "" };
            format!("{}{}{}def", flag(*decorated, "@"), flag(*is_async, "async "), flag(*is_generator, "generator "))
        }
        BindingKind::Class => "class".to_owned(),
        BindingKind::CallResult(callee) => format!("{callee}()"),
        BindingKind::TypeParameter => "type parameter".to_owned(),
        BindingKind::Declaration => "declared".to_owned(),
        BindingKind::Other => "other".to_owned(),
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

#[test]
fn imports() {
    let src = "import a.b, c.d as e\nfrom . import x\nfrom ..p.q import (r as s,\n t)\nfrom z import *\nfrom __future__ import annotations\n";
    let expected = "\
module
  .a: import a
  .annotations: import __future__.annotations
  .e: import c.d
  .s: import ..p.q.r
  .t: import ..p.q.t
  .x: import .x
";
    assert_eq!(dump(src), expected);
    assert_eq!(facts(src).star_imports, ["z"]);
}
