//! Fixes put onto texts, with made-up findings: `a` is to become `b`, and so on.

use std::sync::Arc;

use aiolint::report::apply::{Refusal, choose, fix_all};
use aiolint::report::{Applicability, Finding, Fix, Level, TextEdit};
use aiolint::text::Span;

fn edit(start: usize, end: usize, content: &str) -> TextEdit {
    TextEdit { span: Span::new(start as u32, end as u32), content: content.to_owned() }
}

fn finding(rule: &'static str, at: usize, fixes: Vec<(Applicability, Vec<TextEdit>)>) -> Finding {
    Finding {
        rule,
        level: Level::Error,
        span: Span::new(at as u32, at as u32 + 1),
        message: String::new(),
        related: Vec::new(),
        fixes: fixes
            .into_iter()
            .map(|(applicability, edits)| Fix { title: String::new(), applicability, edits })
            .collect(),
    }
}

/// Wherever `from` stands, `to` should.
fn replacing<'a>(from: &'a str, to: &'a str) -> impl FnMut(&str) -> Arc<[Finding]> + 'a {
    move |text| {
        let all = text
            .match_indices(from)
            .map(|(at, _)| finding("replace", at, vec![(Applicability::Safe, vec![edit(at, at + from.len(), to)])]));
        all.collect()
    }
}

#[test]
fn all_findings_are_fixed_and_counted() {
    let fixed = fix_all("a, x, a, a", Applicability::Safe, replacing("a", "béta")).unwrap_err();
    assert_eq!(fixed, Refusal::NeverEnds, "what comes holds what goes");
    let fixed = fix_all("a, x, a, a", Applicability::Safe, replacing("a", "é")).unwrap();
    assert_eq!(fixed.text, "é, x, é, é");
    assert_eq!(fixed.applied.into_iter().collect::<Vec<_>>(), [("replace", 3)]);
    assert!(fixed.findings.is_empty());
}

#[test]
fn a_text_that_needs_nothing_stays() {
    let fixed = fix_all("x = (", Applicability::Safe, |_| Arc::new([])).unwrap();
    assert_eq!(fixed.text, "x = (");
    assert!(fixed.applied.is_empty());
}

#[test]
fn fixes_that_break_the_program_are_refused() {
    assert_eq!(fix_all("a", Applicability::Safe, replacing("a", "(")).unwrap_err(), Refusal::Breaks);
    // It was broken before.
    assert_eq!(fix_all("a = 1\nx = (\n", Applicability::Safe, replacing("a", "b")).unwrap().text, "b = 1\nx = (\n");
}

#[test]
fn two_fixes_that_need_the_same_import_bring_it_once() {
    let analyse = |text: &str| -> Arc<[Finding]> {
        let known = text.starts_with("import m\n");
        text.match_indices('a')
            .map(|(at, _)| {
                let mut edits = vec![edit(at, at + 1, "m.b")];
                if !known {
                    edits.insert(0, edit(0, 0, "import m\n"));
                }
                finding("import", at, vec![(Applicability::Safe, edits)])
            })
            .collect()
    };
    let fixed = fix_all("x = a\ny = a\nz = a\n", Applicability::Safe, analyse).unwrap();
    assert_eq!(fixed.text, "import m\nx = m.b\ny = m.b\nz = m.b\n");
    assert_eq!(fixed.applied["import"], 3);
}

#[test]
fn of_fixes_in_each_others_way_the_first_is_applied() {
    let safe = |edits| vec![(Applicability::Safe, edits)];
    let findings = [
        finding("wraps", 2, safe(vec![edit(2, 2, "("), edit(8, 8, ")")])),
        finding("inside", 4, safe(vec![edit(4, 5, "b")])),
        finding("touches", 8, safe(vec![edit(8, 9, "c")])),
        finding("beyond", 10, safe(vec![edit(10, 11, "d")])),
    ];
    let rules: Vec<_> = choose(&findings, Applicability::Safe).iter().map(|(finding, _)| finding.rule).collect();
    assert_eq!(rules, ["wraps", "beyond"]);
}

#[test]
fn the_first_fix_that_is_good_enough_is_taken() {
    use Applicability::{Safe, Suggestion, Unsafe};
    let fixes = || vec![(Suggestion, "s"), (Unsafe, "u"), (Safe, "f")];
    let fixes = || fixes().into_iter().map(|(level, text)| (level, vec![edit(0, 1, text)])).collect();
    let findings = [finding("rule", 0, fixes())];
    let chosen = |least| choose(&findings, least)[0].1.edits[0].content.clone();
    assert_eq!(chosen(Safe), "f");
    assert_eq!(chosen(Unsafe), "u");
    assert_eq!(chosen(Suggestion), "s");
    assert!(choose(&[finding("rule", 0, vec![(Unsafe, vec![edit(0, 1, "")])])], Safe).is_empty());
    assert!(choose(&[finding("rule", 0, vec![(Safe, vec![])])], Safe).is_empty());
}

#[test]
fn many_neighbours_need_few_rounds() {
    let text = "a\n".repeat(10_000);
    let mut rounds = 0;
    let fixed = fix_all(&text, Applicability::Safe, |text| {
        rounds += 1;
        replacing("a\n", "")(text)
    });
    assert_eq!(fixed.unwrap().text, "");
    assert!(rounds < 20, "{rounds}");
}
