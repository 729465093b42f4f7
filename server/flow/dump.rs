//! A graph as text, for tests and for whoever wonders why a finding is there.

use std::fmt::Write;

use super::graph::*;

/// One paragraph a block: its number, its instructions with the text they stand for, its end, and where exceptions go. Blocks
/// that nothing reaches are left out. `src` is the text of the item.
pub fn dump(graph: &Graph, src: &str) -> String {
    let mut out = String::new();
    let reached = reached(graph);
    for (index, block) in graph.blocks.iter().enumerate().filter(|(index, _)| reached[*index]) {
        let unwind = block.unwind.map(|to| format!(" !{}", name(to))).unwrap_or_default();
        let _ = writeln!(out, "{}{unwind}:", name(BlockId(index as u32)));
        for op in &block.ops {
            if let Some(line) = instruction(graph, &op.kind) {
                let text: String = op.span.of(src).split_whitespace().collect::<Vec<_>>().join(" ");
                let short: String = text.chars().take(40).collect();
                let _ = writeln!(out, "    {line:<32} | {short}");
            }
        }
        let _ = writeln!(out, "    -> {}", end(graph, &block.end, src));
    }
    out
}

fn reached(graph: &Graph) -> Vec<bool> {
    let mut reached = vec![false; graph.blocks.len()];
    let mut open = vec![BlockId(0)];
    while let Some(id) = open.pop() {
        let Some(block) = graph.blocks.get(id.0 as usize) else { continue };
        if std::mem::replace(&mut reached[id.0 as usize], true) {
            continue;
        }
        open.extend(graph.successors(block));
    }
    reached
}

fn name(id: BlockId) -> String {
    format!("b{}", id.0)
}

fn place(graph: &Graph, place: Place) -> String {
    match graph.locals.get(place.0 as usize) {
        Some(local) => local.name.clone(),
        None => format!("%{}", place.0),
    }
}

fn instruction(graph: &Graph, kind: &OpKind) -> Option<String> {
    let p = |&of: &Place| place(graph, of);
    let list = |of: &[Place]| of.iter().map(p).collect::<Vec<_>>().join(", ");
    Some(match kind {
        OpKind::Constant(dst, value) => format!("{} = {value:?}", p(dst)),
        OpKind::Path(dst, path) => format!("{} = <{path}>", p(dst)),
        OpKind::ResultOf(dst, path) => format!("{} = <{path}()>", p(dst)),
        OpKind::Definition(dst, name) => format!("{} = <def {name}>", p(dst)),
        OpKind::Receiver(dst, Receiver { class, is_class }) => {
            format!("{} = <{} {class}>", p(dst), if *is_class { "class" } else { "self of" })
        }
        OpKind::LocalCoroutineFunction { dst, name, .. } => format!("{} = <async def {name}>", p(dst)),
        OpKind::Shared { dst, name, method } => format!("{} = <shared {name}>.{method}", p(dst)),
        OpKind::Lambda { dst, callee } => format!("{} = lambda {}()", p(dst), p(callee)),
        OpKind::Opaque(dst) => format!("{} = ?", p(dst)),
        OpKind::Copy(dst, src) => format!("{} = {}", p(dst), p(src)),
        OpKind::Attribute { dst, src, name, .. } => format!("{} = {}.{name}", p(dst), p(src)),
        OpKind::Subscript { dst, src, index } => format!("{} = {}[{}]", p(dst), p(src), p(index)),
        OpKind::Call { dst, callee, args, guards, .. } => {
            let args: Vec<String> = args
                .iter()
                .map(|arg| match &arg.kind {
                    ArgKind::Positional => p(&arg.place),
                    ArgKind::Star => format!("*{}", p(&arg.place)),
                    ArgKind::Keyword(name) => format!("{name}={}", p(&arg.place)),
                    ArgKind::DoubleStar => format!("**{}", p(&arg.place)),
                })
                .collect();
            let guard = match guards.invalid {
                Guard::None => "",
                Guard::Broad => " broadly guarded",
                Guard::Explicit => " guarded",
            };
            format!("{} = {}({}){guard}", p(dst), p(callee), args.join(", "))
        }
        OpKind::Await { dst, src, .. } => format!("{} = await {}", p(dst), p(src)),
        OpKind::Display { dst, items } => {
            let items: Vec<String> =
                items.iter().map(|(item, star)| format!("{}{}", if *star { "*" } else { "" }, p(item))).collect();
            format!("{} = [{}]", p(dst), items.join(", "))
        }
        OpKind::Dict { dst, values, open } => {
            format!("{} = {{{}{}}}", p(dst), list(values), if *open { ", …" } else { "" })
        }
        OpKind::Store { object, name, src } => format!("{}.{name} = {}", p(object), p(src)),
        OpKind::StoreItem { object, src } => format!("{}[…] = {}", p(object), p(src)),
        OpKind::Return(src) => format!("return {}", p(src)),
        OpKind::Collect { dst, value } => format!("{} += [{}]", p(dst), p(value)),
        OpKind::Extend { dst, value } => format!("{} += {}", p(dst), p(value)),
        OpKind::Compare { dst, op, left, right } => format!("{} = {} {op:?} {}", p(dst), p(left), p(right)),
        OpKind::Not(dst, src) => format!("{} = not {}", p(dst), p(src)),
        OpKind::Compute(dst, parts) => format!("{} = compute({})", p(dst), list(parts)),
        OpKind::Unpack { src, targets, starred } => {
            let star = starred.map(|at| format!(" star {at}")).unwrap_or_default();
            format!("{} = unpack {}{star}", list(targets), p(src))
        }
        OpKind::Escape(src) => format!("escape {}", p(src)),
        OpKind::Capture(places) => format!("capture {}", list(places)),
        OpKind::Enter { dst, cm, is_async } => {
            format!("{} = {}enter {}", p(dst), if *is_async { "a" } else { "" }, p(cm))
        }
        OpKind::Exit { cm, is_async, after } => {
            format!("{}exit {} (swallowed: {})", if *is_async { "a" } else { "" }, p(cm), name(*after))
        }
        OpKind::Yield { dst } => format!("{} = yield", p(dst)),
        OpKind::Forget(src) => format!("del {}", p(src)),
        OpKind::Catch => "catch".to_owned(),
        OpKind::EndCatch | OpKind::Round | OpKind::Mention { .. } | OpKind::Drop(_) => return None,
    })
}

fn end(graph: &Graph, end: &Terminator, src: &str) -> String {
    let list = |of: &[BlockId]| of.iter().map(|&id| name(id)).collect::<Vec<_>>().join(" | ");
    match end {
        Terminator::Dead => "dead".to_owned(),
        Terminator::Return => "return".to_owned(),
        Terminator::Goto(to) => name(*to),
        Terminator::Branch { test, condition, then, otherwise, .. } => {
            let same = condition
                .and_then(|id| graph.conditions.get(id.0 as usize))
                .map(|c| format!(" `{}`", c.text))
                .unwrap_or_default();
            format!("if {}{same} {} else {}", place(graph, *test), name(*then), name(*otherwise))
        }
        Terminator::Iterate { iter, element, body, end, first, nonempty, is_async, .. } => format!(
            "{}{} {} in {}: {} else {}{}",
            if *is_async { "async " } else { "" },
            if *first { "first" } else { "next" },
            place(graph, *element),
            place(graph, *iter),
            name(*body),
            name(*end),
            if *nonempty { " (not empty)" } else { "" },
        ),
        Terminator::Raise(Some(kinds), _) => format!("raise {}", kinds.describe()),
        Terminator::Raise(None, _) => "raise again".to_owned(),
        Terminator::Dispatch(arms) => {
            let arms: Vec<String> =
                arms.iter().map(|arm| format!("{} {}", arm.taken.describe(), name(arm.to))).collect();
            format!("except {}", arms.join(" | "))
        }
        Terminator::Enter { body, resume } => {
            let resume = match resume {
                Resume::At(blocks) => blocks.iter().rev().map(|&block| name(block)).collect::<Vec<_>>().join(", "),
                Resume::Unwind => "unwind".to_owned(),
            };
            format!("finally {} then {resume}", name(*body))
        }
        Terminator::EndFinally(_) => "as noted".to_owned(),
        Terminator::Choice(of) => list(of),
    }
    .replace('\n', if src.is_empty() { " " } else { "⏎" })
}
