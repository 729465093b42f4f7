//! The repairs of the rules about tasks: what is dropped, never asked, cancelled or not handled.

mod cancelled;
mod dangling;
mod never_retrieved;
mod under_cpython;

use aiolint::fixes::{
    Cancelled, Dangling, Draft, Global, Names, NeverRetrieved, Repair, Site, Unretrieved, definition_edit, draw_up,
    import_edit,
};
use aiolint::text::Span;

use crate::{apply, in_async};

/// What the lines at module level say, as far as these tests need it.
struct Lines<'a>(&'a str);

impl Names for Lines<'_> {
    fn spelling(&self, dotted: &str) -> Option<String> {
        let (module, name) = dotted.rsplit_once('.')?;
        let imported = |line: &str| self.0.lines().any(|other| other == line);
        if imported(&format!("from {module} import {name}")) {
            return Some(name.to_owned());
        }
        imported(&format!("import {module}")).then(|| dotted.to_owned())
    }

    fn global(&self, name: &str) -> Option<Global> {
        self.0.lines().find_map(|line| {
            if line == format!("import {name}") {
                Some(Global::Import(name.to_owned()))
            } else if line.starts_with(&format!("def {name}(")) {
                Some(Global::Function)
            } else if line == format!("{name} = set()") {
                Some(Global::Call("builtins.set".to_owned()))
            } else if line == format!("{name} = logging.getLogger(__name__)") {
                Some(Global::Call("logging.getLogger".to_owned()))
            } else {
                line.starts_with(&format!("{name} = ")).then_some(Global::Other)
            }
        })
    }
}

/// A defect that the marked expression has: from its span, and the text of the item.
type Defect = fn(Span, &str) -> Repair;

fn dangling(call: Span, _: &str) -> Repair {
    Repair::Dangling(Dangling { call })
}

fn kept(call: Span, text: &str) -> Repair {
    never_retrieved(call, target(call, text), false, Unretrieved::Kept)
}

/// The tasks are in `tasks`.
fn collected(call: Span, _: &str) -> Repair {
    never_retrieved(call, Some("tasks".to_owned()), true, Unretrieved::Kept)
}

fn waited(wait: Span, _: &str) -> Repair {
    never_retrieved(wait, None, true, Unretrieved::Waited(wait))
}

fn only_discarded(call: Span, _: &str) -> Repair {
    never_retrieved(call, None, false, Unretrieved::OnlyDiscarded(call))
}

fn never_retrieved(call: Span, held_by: Option<String>, in_collection: bool, how: Unretrieved) -> Repair {
    Repair::NeverRetrieved(NeverRetrieved { call, held_by, in_collection, how })
}

fn cancelled(at: Span, text: &str) -> Repair {
    cancelled_in(at, text, None)
}

/// The task is the parameter of the callback around: the last `def` or `lambda` before it.
fn in_callback(at: Span, text: &str) -> Repair {
    let before = &text[..at.start as usize];
    let start = before.rfind("def ").into_iter().chain(before.rfind("lambda")).max().unwrap();
    let tree = parse(text);
    let node = tree.root_node().descendant_for_byte_range(start, start + 3).unwrap().parent().unwrap();
    cancelled_in(at, text, Some(Span::new(node.start_byte() as u32, node.end_byte() as u32)))
}

fn cancelled_in(at: Span, text: &str, callback: Option<Span>) -> Repair {
    let is_await = at.of(text).starts_with("await ");
    let receiver = match is_await {
        true => Span::new(at.start + 6, at.end),
        false => Span::new(at.start, at.start + at.of(text).rfind('.').unwrap() as u32),
    };
    Repair::Cancelled(Cancelled { at, receiver, is_await, callback, is_kept: false })
}

fn unhandled(at: Span, _: &str) -> Repair {
    Repair::Unhandled(at)
}

/// `task` of `task = …`.
fn target(call: Span, text: &str) -> Option<String> {
    let line = text[..call.start as usize].lines().last()?.trim();
    Some(line.strip_suffix(" =")?.split_whitespace().last()?.to_owned())
}

fn parse(text: &str) -> tree_sitter::Tree {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).unwrap();
    parser.parse(text, None).unwrap()
}

/// The fixes of the marked expression in a file whose last item holds it: the item starts at the last line without indentation
/// that begins with `async def`, `def` or `class`, or at the file's start.
fn fixed_on(python: (u8, u8), source: &str, defect: Defect) -> Vec<(String, String, Draft)> {
    let file = source.replace(['⟦', '⟧'], "");
    let marked = source.find('⟦').expect("the expression is marked");
    let headers = ["async def ", "def ", "class "];
    let starts = file.match_indices('\n').map(|(at, _)| at + 1).chain([0]);
    let item = starts.filter(|&at| at < marked && headers.iter().any(|header| file[at..].starts_with(header))).max();
    let item = item.unwrap_or_default();
    // The next item's comments are not this one's.
    let end = file[marked..].find("\nasyncio.run").map_or(file.len(), |at| marked + at + 1);
    let text = &file[item..end];
    let start = marked - item;
    let length = source.find('⟧').expect("the expression is marked") - marked - '⟦'.len_utf8();
    let call = Span::new(start as u32, (start + length) as u32);
    let tree = parse(text);
    let newline = if file.contains("\r\n") { "\r\n" } else { "\n" };
    let in_async = text[..start].rfind("def ").is_some_and(|at| text[..at].ends_with("async "));
    let site = Site { src: text, root: tree.root_node(), in_async, names: &Lines(&file), newline, python };
    let drafts = draw_up(&site, &defect(call, text));
    let complete = |draft: Draft| {
        let edits = &draft.edits;
        assert!(edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start), "{}: {edits:?}", draft.title);
        let mut edits: Vec<_> = draft.imports.iter().map(|module| import_edit(&file, module)).collect();
        if !draft.definitions.is_empty() {
            edits.push(definition_edit(&file, item as u32, &draft.definitions));
        }
        edits.extend(draft.edits.iter().cloned().map(|mut edit| {
            edit.span = edit.span.shifted(item as u32);
            edit
        }));
        edits.sort_by_key(|edit| edit.span);
        let fixed = apply(&file, &edits);
        assert!(!parse(&fixed).root_node().has_error(), "{}:\n{fixed}", draft.title);
        (draft.title.clone(), fixed, draft)
    };
    drafts.into_iter().map(complete).collect()
}

/// Each title with the lines of `async def f` after its fix. Tests about imports and definitions look at the whole file.
fn fixed(lines: &str, defect: Defect) -> Vec<(String, String)> {
    let head = "import asyncio\nimport contextlib\nimport logging\n\nlogger = logging.getLogger(__name__)\n";
    let source = format!("{head}{}", in_async(lines));
    let lines_of = |text: &str| text.strip_prefix(head).map(str::to_owned);
    let fixed = fixed_on((3, 11), &source, defect).into_iter();
    fixed.map(|(title, text, _)| (title, lines_of(&text).unwrap_or(text))).collect()
}

fn titles(lines: &str, defect: Defect) -> Vec<String> {
    fixed(lines, defect).into_iter().map(|(title, _)| title).collect()
}

fn check(lines: &str, defect: Defect, title: &str, expected: &str) {
    let fixed = fixed(lines, defect);
    let Some((_, text)) = fixed.iter().find(|(found, _)| found == title) else {
        panic!("no fix `{title}` of\n{lines}\nbut {:?}", titles(lines, defect))
    };
    assert_eq!(*text, in_async(expected), "`{title}` of\n{lines}");
}

fn after(source: &str, defect: Defect, title: &str) -> String {
    let fixed = fixed_on((3, 11), source, defect);
    let titles: Vec<&String> = fixed.iter().map(|(title, ..)| title).collect();
    match fixed.iter().find(|(found, ..)| found == title) {
        Some((_, text, _)) => text.clone(),
        None => panic!("no fix `{title}` of\n{source}\nbut {titles:?}"),
    }
}

/// What a dropped task is offered, in a module that has no set for it.
const IN_SET: &str = "Keep it in `background_tasks` and log its error";
