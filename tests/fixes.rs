//! The fixes on their own: a marked call in, each title and the text after it out; and CPython as the judge of whether they help.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use aiolint::fixes::{Draft, Method, Names, Site, before_done, import_edit};
use aiolint::report::TextEdit;
use aiolint::text::Span;

/// How a test's file spells `asyncio.NAME`: with this prefix, or not at all.
struct Spelling(Option<&'static str>);

impl Names for Spelling {
    fn spelling(&self, dotted: &str) -> Option<String> {
        let name = dotted.strip_prefix("asyncio.").expect("only names of asyncio are needed");
        self.0.map(|prefix| format!("{prefix}{name}"))
    }
}

/// A file whose call in question stands between `⟦` and `⟧`, and what the analysis would say about it.
#[derive(Clone, Copy)]
struct Case<'a> {
    source: &'a str,
    may_be_cancelled: bool,
    can_wait: bool,
    prefix: Option<&'static str>,
}

impl<'a> Case<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, may_be_cancelled: false, can_wait: true, prefix: Some("asyncio.") }
    }

    fn text(&self) -> String {
        self.source.replace(['⟦', '⟧'], "")
    }

    fn drafts(&self) -> Vec<Draft> {
        let text = self.text();
        let start = self.source.find('⟦').expect("the call is marked");
        let end = self.source.find('⟧').expect("the call is marked") - '⟦'.len_utf8();
        let call = Span::new(start as u32, end as u32);
        let dot = call.of(&text).rfind('.').expect("it is a method");
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&tree_sitter_python::LANGUAGE.into()).unwrap();
        let tree = parser.parse(&text, None).unwrap();
        let site = Site {
            src: &text,
            root: tree.root_node(),
            call,
            receiver: Span::new(call.start, call.start + dot as u32),
            method: if call.of(&text).ends_with("exception()") { Method::Exception } else { Method::Result },
            in_async: true,
            may_be_cancelled: self.may_be_cancelled,
            can_wait: self.can_wait,
            names: &Spelling(self.prefix),
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
        };
        before_done(&site)
    }

    /// Each title with the file after its fix.
    fn fixed(&self) -> Vec<(String, String)> {
        let text = self.text();
        let apply_draft = |draft: Draft| {
            let mut edits = draft.edits;
            assert!(edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start), "{}: {edits:?}", draft.title);
            edits.splice(0..0, draft.imports.iter().map(|module| import_edit(&text, module)));
            (draft.title, apply(&text, &edits))
        };
        self.drafts().into_iter().map(apply_draft).collect()
    }

    fn titles(&self) -> Vec<String> {
        self.drafts().into_iter().map(|draft| draft.title).collect()
    }

    fn after(&self, title: &str) -> String {
        let fixed = self.fixed();
        match fixed.iter().find(|(found, _)| found == title) {
            Some((_, text)) => text.clone(),
            None => panic!("no fix `{title}` for {}, only {:?}", self.source, self.titles()),
        }
    }
}

fn apply(text: &str, edits: &[TextEdit]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for edit in edits {
        out.push_str(&text[at..edit.span.start as usize]);
        out.push_str(&edit.content);
        at = edit.span.end as usize;
    }
    out + &text[at..]
}

/// The lines in an `async def`.
fn in_async(lines: &str) -> String {
    in_def("async def f():", lines)
}

fn in_def(header: &str, lines: &str) -> String {
    let mut out = format!("{header}\n");
    for line in lines.lines() {
        out.push_str(&if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
    }
    out
}

fn check(lines: &str, title: &str, expected: &str) {
    let source = in_async(lines);
    assert_eq!(Case::new(&source).after(title), in_async(expected), "`{title}` of\n{lines}");
}

#[test]
fn a_plain_question_gets_every_fix() {
    check("x = ⟦task.result()⟧", "Await `task` before asking", "await task\nx = task.result()");
    check("x = ⟦task.result()⟧", "Replace with `await task`", "x = await task");
}
