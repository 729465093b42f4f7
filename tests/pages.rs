//! Runs the rules' Markdown pages: each is the documentation of a rule and its test suite in one.
//!
//! A page has fixed sections. A fenced `python` block in it is a whole file:
//!
//! - ```` ```python ````: a comment `# error: [rule]`, `# warning: [rule]` or `# hint: [rule]` at the end of a line is an
//!   expected finding on that line; several may follow each other. Exactly the marked findings must appear.
//! - ```` ```python fix="TITLE" ````, after such a block: the text that the fix of this title leaves. Marks in it say what is
//!   still found; without marks, nothing may be.
//! - ```` ```python norun="REASON" ````: not run under CPython.
//!
//! Fences are of backticks or of tildes; Markdown wants tildes where the title of a fix holds a backtick.
//!
//! Marks are the page's, not the programs': they are cut off before anything is analysed, run or compared. The rules that are on
//! by default look for findings; on the page of a rule that is off by default, all of them.
//!
//! CPython in development mode has the last word. The section "The error Python gives" quotes the errors in `text` blocks
//! (the traceback around them is welcome; there is no such block where the rule is about no error of its own). A block with an error
//! or a warning of the page's rule must print one of them, and each of them must be printed by some block; where none is quoted,
//! it must print an error of its own. A block without must run to its end without a complaint. So must every fixed text, except
//! that what its block printed beside the quoted errors, as the error of a task, may come to light in it. Fixes that the page
//! does not show are tried on every block, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod oracle;
#[allow(dead_code)]
mod repair;

use aiolint::project::{OFF_BY_DEFAULT, Settings};
use aiolint::report::{Finding, Level};
use aiolint::rules::{RULES, Rule};

use oracle::{Program, complaint};

const SECTIONS: [&str; 7] =
    ["What it finds", "The error Python gives", "Why", "Example", "Fixes", "What it does not flag", "Configuration"];
const SILENT_SECTION: &str = "What it does not flag";
const ERROR_SECTION: &str = "The error Python gives";

// ---------------------------------------------------------------------------------------------------------- reading a page

#[derive(Debug)]
struct Page {
    title: String,
    sections: Vec<String>,
    /// The errors that the `text` blocks of their section quote.
    errors: Vec<String>,
    examples: Vec<Example>,
}

/// A block and the fixed texts that follow it.
#[derive(Debug)]
struct Example {
    code: Code,
    /// It is not run under CPython.
    norun: bool,
    fixed: Vec<(String, Code)>,
}

#[derive(Debug)]
struct Code {
    section: String,
    /// Where the block stands in the page, for messages.
    page_line: usize,
    /// Without marks.
    source: String,
    marks: Vec<Mark>,
}

/// A finding as a page names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Mark {
    /// From 1.
    line: usize,
    level: &'static str,
    rule: String,
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Hint => "hint",
    }
}

/// Reads a page; what it cannot read is a problem, told in the second part.
fn read(markdown: &str) -> (Page, Vec<String>) {
    let mut page = Page { title: String::new(), sections: Vec::new(), errors: Vec::new(), examples: Vec::new() };
    let mut problems = Vec::new();
    let mut lines = markdown.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let page_line = number + 1;
        if let Some(title) = line.strip_prefix("# ") {
            page.title = title.trim().to_owned();
        } else if let Some(section) = line.strip_prefix("## ") {
            page.sections.push(section.trim().to_owned());
        } else if let Some((fence, info)) = fence(line) {
            let body: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != fence).collect();
            let section = page.sections.last().cloned().unwrap_or_default();
            let (language, attributes) = info.split_once(' ').unwrap_or((info, ""));
            match language {
                "python" => {
                    let (source, marks) = cut_marks(&body);
                    let code = Code { section, page_line, source, marks };
                    if fence.starts_with('`') && info.contains('`') {
                        problems.push(format!("line {page_line}: a backtick after a fence of backticks; take `~~~`"));
                    }
                    match (attribute(attributes, "fix"), attribute(attributes, "norun")) {
                        (Some(title), _) => match page.examples.last_mut() {
                            Some(example) => example.fixed.push((title.to_owned(), code)),
                            None => problems.push(format!("line {page_line}: a fixed text with nothing before it")),
                        },
                        (None, norun) if attributes.is_empty() || norun.is_some_and(|why| !why.is_empty()) => {
                            page.examples.push(Example { code, norun: norun.is_some(), fixed: Vec::new() });
                        }
                        _ => problems.push(format!("line {page_line}: what does `{attributes}` mean?")),
                    }
                }
                "text" if section == ERROR_SECTION => {
                    page.errors.extend(body.iter().filter_map(|line| complaint(line)))
                }
                _ => {}
            }
        }
    }
    (page, problems)
}

/// The fence that a line opens, and the words after it.
fn fence(line: &str) -> Option<(&str, &str)> {
    let marker = line.chars().next().filter(|marker| matches!(marker, '`' | '~'))?;
    let (fence, info) = line.split_at(line.len() - line.trim_start_matches(marker).len());
    (fence.len() >= 3).then(|| (fence, info.trim()))
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    attributes.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"')
}

fn cut_marks(lines: &[&str]) -> (String, Vec<Mark>) {
    let mut source = String::new();
    let mut marks = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mut code = *line;
        while let Some((rest, mark)) = cut_last_mark(code, index + 1) {
            code = rest;
            marks.push(mark);
        }
        source.push_str(code);
        source.push('\n');
    }
    marks.sort();
    (source, marks)
}

fn cut_last_mark(line: &str, number: usize) -> Option<(&str, Mark)> {
    let (code, comment) = line.rsplit_once('#')?;
    let (level, rule) = comment.trim().strip_suffix(']')?.split_once(": [")?;
    let level = [Level::Error, Level::Warning, Level::Hint].map(word).into_iter().find(|word| *word == level)?;
    Some((code.trim_end(), Mark { line: number, level, rule: rule.to_owned() }))
}

// --------------------------------------------------------------------------------------------------------- judging a page

/// The settings under which a rule's page is run.
fn settings(rule: &Rule) -> Settings {
    let all = OFF_BY_DEFAULT.contains(&rule.name);
    let select = all.then(|| RULES.iter().map(|rule| rule.name.to_owned()).collect());
    Settings { select, ..Settings::default() }
}

fn found(rule: &Rule, source: &str) -> Vec<(Mark, Finding)> {
    let findings = repair::findings_under(source, settings(rule));
    let mark = |finding: &Finding| Mark {
        line: repair::line(source, finding.span.start),
        level: word(finding.level),
        rule: finding.rule.to_owned(),
    };
    findings.into_iter().map(|finding| (mark(&finding), finding)).collect()
}

fn problems_of_shape(rule: &Rule, page: &Page) -> Vec<String> {
    let mut problems = Vec::new();
    if page.title != rule.name {
        problems.push(format!("the title is `{}`", page.title));
    }
    if page.sections != SECTIONS {
        problems.push(format!("the sections are {:?}", page.sections));
    }
    if page.errors.iter().map(String::as_str).ne(rule.errors.iter().copied()) {
        problems.push(format!("the errors quoted are {:?}, those of the rule {:?}", page.errors, rule.errors));
    }
    if !page.examples.iter().any(|example| example.code.marks.iter().any(|mark| mark.rule == rule.name)) {
        problems.push("no block shows the rule's finding".to_owned());
    }
    for Example { code, .. } in &page.examples {
        if code.section == SILENT_SECTION && !code.marks.is_empty() {
            problems.push(format!("line {}: a mark in a section that is silent", code.page_line));
        }
    }
    problems
}

fn problems_of_findings(rule: &Rule, page: &Page) -> Vec<String> {
    let fixed = page.examples.iter().flat_map(|example| example.fixed.iter().map(|(_, code)| code));
    let mut problems = Vec::new();
    for code in page.examples.iter().map(|example| &example.code).chain(fixed) {
        let mut found: Vec<Mark> = found(rule, &code.source).into_iter().map(|(mark, _)| mark).collect();
        found.sort();
        if found != code.marks {
            problems.push(format!("line {}: marked {:#?}\nfound {found:#?}", code.page_line, code.marks));
        }
    }
    problems
}

fn problems_of_fixes(rule: &Rule, page: &Page) -> Vec<String> {
    let mut problems = Vec::new();
    for example in &page.examples {
        let found = found(rule, &example.code.source);
        for (title, fixed) in &example.fixed {
            let fixes = found.iter().flat_map(|(_, finding)| &finding.fixes);
            let offered: Vec<_> = fixes.clone().filter(|fix| fix.title == *title).collect();
            let [fix] = offered[..] else {
                let titles: Vec<_> = fixes.map(|fix| &fix.title).collect();
                let line = fixed.page_line;
                problems.push(format!("line {line}: {} fixes are titled {title:?} of {titles:#?}", offered.len()));
                continue;
            };
            let text = repair::apply(&example.code.source, fix);
            if text != fixed.source {
                let diff = similar::TextDiff::from_lines(&fixed.source, &text);
                let diff = diff.unified_diff().header("the page", "the fix").to_string();
                problems.push(format!("line {}: {title:?} leaves another text:\n{diff}", fixed.page_line));
            }
        }
    }
    problems
}

/// What a text has to do under CPython.
enum Verdict {
    /// One of the quoted errors, or any where none is quoted.
    Prints,
    IsClean,
    /// It is repaired: it prints no more than the block at this index did, and none of the quoted errors.
    AddsNothing(usize),
    /// It is repaired, by a fix that the page does not show; a task's own error may come to light.
    NoLongerPrints,
}

fn problems_under_cpython(rule: &Rule, page: &Page) -> Vec<String> {
    let mut programs = Vec::new();
    let mut verdicts = Vec::new();
    let mut add = |name: String, source: String, verdict| {
        programs.push(Program::new(name, source));
        verdicts.push(verdict);
        programs.len() - 1
    };
    for example in page.examples.iter().filter(|example| !example.norun) {
        let Example { code, fixed, .. } = example;
        let errs = code.marks.iter().any(|mark| mark.rule == rule.name && mark.level != "hint");
        let verdict = if errs { Verdict::Prints } else { Verdict::IsClean };
        let block = add(format!("line {}", code.page_line), code.source.clone(), verdict);
        for (title, code) in fixed {
            add(format!("line {}, {title:?}", code.page_line), code.source.clone(), Verdict::AddsNothing(block));
        }
        for (mark, finding) in found(rule, &code.source) {
            for fix in finding.fixes.iter().filter(|fix| !fixed.iter().any(|(title, _)| *title == fix.title)) {
                let name = format!("line {}, {:?} of the finding in its line {}", code.page_line, fix.title, mark.line);
                add(name, repair::apply(&code.source, fix), Verdict::NoLongerPrints);
            }
        }
    }
    let mut problems = Vec::new();
    let outcomes = oracle::run_all(&programs).unwrap_or_default();
    let is_quoted = |complaint: &String| page.errors.contains(complaint);
    for ((program, outcome), verdict) in programs.iter().zip(&outcomes).zip(&verdicts) {
        let complaints = outcome.complaints();
        let problem = match verdict {
            Verdict::Prints if complaints.is_empty() => "should print an error",
            Verdict::Prints if !page.errors.is_empty() && !complaints.iter().any(is_quoted) => {
                "should print a quoted error"
            }
            Verdict::IsClean if outcome.code != Some(0) || !complaints.is_empty() => {
                "should run to its end without a complaint"
            }
            Verdict::AddsNothing(block) => {
                let mut before = outcomes[*block].complaints();
                before.retain(|complaint| !is_quoted(complaint));
                // An error that comes to light may well end the program.
                let ends = outcome.code == Some(0) || !before.is_empty();
                if ends && complaints.iter().all(|complaint| before.contains(complaint)) {
                    continue;
                }
                "should print no quoted error, and no more than its block"
            }
            Verdict::NoLongerPrints if complaints.iter().any(is_quoted) => "should no longer print the quoted error",
            Verdict::NoLongerPrints if outcome.printed.contains("SyntaxError") => "should compile",
            _ => continue,
        };
        problems.push(format!("{} {problem}:\n{}\n{}", program.name, program.source, outcome.printed));
    }
    if !outcomes.is_empty() {
        let printed: Vec<String> = outcomes.iter().flat_map(oracle::Outcome::complaints).collect();
        let never = page.errors.iter().filter(|error| !printed.contains(error));
        problems.extend(never.map(|error| format!("no block prints {error:?}")));
    }
    problems
}

/// Runs a check on every page and tells all that is wrong at once.
fn on_every_page(check: impl Fn(&Rule, &Page) -> Vec<String>) {
    let mut problems = Vec::new();
    for rule in RULES {
        let (page, unread) = read(rule.page);
        let told = unread.into_iter().chain(check(rule, &page));
        problems.extend(told.map(|problem| format!("server/rules/{}.md: {problem}", rule.name)));
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n\n"));
}

#[test]
fn pages_have_the_fixed_sections_and_quote_the_rules_errors() {
    on_every_page(problems_of_shape);
}

#[test]
fn blocks_give_exactly_the_marked_findings() {
    on_every_page(problems_of_findings);
}

#[test]
fn fixes_leave_exactly_the_text_that_is_shown() {
    on_every_page(problems_of_fixes);
}

#[test]
fn cpython_agrees_with_every_block_and_every_fix() {
    on_every_page(problems_under_cpython);
}

// ------------------------------------------------------------------------------------------------------- judging the judge

/// A page that lies in every way that it can.
const LIES: &str = "\
# a-rule

## What it finds

```python
import asyncio
print('sound')  # error: [result-before-done]
```

~~~python fix=\"Repair what is `sound`\"
print('sound')
~~~

```python
import asyncio
asyncio.get_running_loop()
```

```python `sometimes`
```

## The error Python gives

```text
Traceback (most recent call last):
asyncio.exceptions.InvalidStateError: Result is not set.
```
";

#[test]
fn a_page_that_lies_is_caught() {
    let rule = &RULES[0];
    let (page, unread) = read(LIES);
    assert_eq!(unread.len(), 2, "a fence that Markdown cannot read, and words that mean nothing: {unread:?}");
    assert_eq!(page.examples.len(), 2);
    assert_eq!(page.examples[0].code.source, "import asyncio\nprint('sound')\n");
    assert_eq!(page.errors, rule.errors);
    assert_eq!(problems_of_shape(rule, &page).len(), 2, "title and sections");
    assert_eq!(problems_of_findings(rule, &page).len(), 1, "a mark without its finding");
    assert_eq!(problems_of_fixes(rule, &page).len(), 1, "a fix that nobody offers");
    let under_cpython = problems_under_cpython(rule, &page);
    if oracle::run_all(&[]).is_some() {
        assert_eq!(under_cpython.len(), 3, "two blocks, and an error that none prints: {under_cpython:?}");
    }
}
