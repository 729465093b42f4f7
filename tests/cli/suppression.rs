//! Suppression comments. In the texts here, every `FAIL` is a finding of `result-before-done` and every `LOSE` one of
//! `exception-before-done`.

use aiolint::project::Settings;
use aiolint::report::suppression::{self, Source, UNUSED_IGNORE_COMMENT};
use aiolint::report::{Applicability, Finding, Level, TextEdit};
use aiolint::text::Span;
use aiolint::tree::Tree;

const RULES: &[&str] = &["result-before-done", "exception-before-done", UNUSED_IGNORE_COMMENT];

fn source_of<R>(text: &str, settings: &Settings, broken: &[Span], use_it: impl FnOnce(&Source) -> R) -> R {
    let (mut comments, mut strings) = (Vec::new(), Vec::new());
    if suppression::mentions(text) {
        suppression::collect(Tree::parse(text).root(), text, 0, &mut comments, &mut strings);
    }
    use_it(&Source { text, comments: &comments, strings: &strings, broken, rules: RULES, settings })
}

fn findings(text: &str) -> Vec<Finding> {
    let of = |word: &str, rule: &'static str| -> Vec<Finding> {
        text.match_indices(word)
            .map(|(at, _)| Finding {
                rule,
                level: Level::Error,
                span: Span::new(at as u32, (at + word.len()) as u32),
                message: "it fails".to_owned(),
                related: Vec::new(),
                fixes: Vec::new(),
            })
            .collect()
    };
    [of("FAIL", RULES[0]), of("LOSE", RULES[1])].concat()
}

fn checked_with(text: &str, settings: &Settings, broken: &[Span]) -> Vec<Finding> {
    source_of(text, settings, broken, |source| suppression::apply(findings(text), source))
}

/// The findings that are left, each as its line (from 1), what it spans and, for a hint, what it says.
fn checked(text: &str) -> Vec<String> {
    shown(text, &checked_with(text, &Settings::default(), &[]))
}

fn shown(text: &str, findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let line = text[..finding.span.start as usize].lines().count().max(1)
                + usize::from(text[..finding.span.start as usize].ends_with('\n') && finding.span.start > 0);
            let spanned = finding.span.of(text);
            if finding.rule == UNUSED_IGNORE_COMMENT {
                assert_eq!(finding.level, Level::Hint);
                format!("{line}: {spanned} → {}", finding.message)
            } else {
                format!("{line}: {spanned}")
            }
        })
        .collect()
}

fn applied(text: &str, edits: &[TextEdit]) -> String {
    let mut text = text.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.content);
    }
    text
}

/// The text after the first fix of its only finding.
fn fixed(text: &str) -> (String, Applicability) {
    let findings = checked_with(text, &Settings::default(), &[]);
    let [finding] = findings.as_slice() else { panic!("one finding expected: {findings:?}") };
    let fix = &finding.fixes[0];
    (applied(text, &fix.edits), fix.applicability)
}

fn safe(text: &str) -> (String, Applicability) {
    (text.to_owned(), Applicability::Safe)
}

#[track_caller]
fn silent(text: &str) {
    assert_eq!(checked(text), [""; 0], "{text}");
}

#[test]
fn a_comment_silences_its_line() {
    silent("FAIL  # aiolint: ignore[result-before-done]\n");
    silent("FAIL  # aiolint: ignore\n");
    silent("FAIL  #aiolint:ignore\n");
    silent("FAIL  # aiolint: ignore[ result-before-done , ]\n");
    silent("FAIL; LOSE  # aiolint: ignore[exception-before-done,result-before-done]\n");
    silent("FAIL  # aiolint: ignore[result-before-done] because the callback has run\n");
    silent("FAIL  # pragma: no cover  # aiolint: ignore[result-before-done]\n");
    silent("FAIL  # aiolint: ignore[result-before-done]  # noqa: E501\r\nx\r\n");
    silent("x\rFAIL # aiolint: ignore\ry\r");
    silent("é = FAIL  # aiolint: ignore");
}

#[test]
fn it_silences_nothing_else() {
    assert_eq!(checked("FAIL\nFAIL  # aiolint: ignore\nFAIL\n"), ["1: FAIL", "3: FAIL"]);
    assert_eq!(checked("FAIL; LOSE  # aiolint: ignore[exception-before-done]\n"), ["1: FAIL"]);
    assert_eq!(checked("FAIL  # aiolint: ignoring\n"), ["1: FAIL"]);
    assert_eq!(checked("FAIL  # aiolint: ignore_it\n"), ["1: FAIL"]);
    assert_eq!(checked("FAIL  # aiolint is great\n"), ["1: FAIL"]);
    assert_eq!(checked("FAIL, '# aiolint: ignore', '# noqa'\n"), ["1: FAIL"]);
    assert_eq!(checked("'''\n# aiolint: ignore-file\n'''\nFAIL\n"), ["4: FAIL"]);
}

#[test]
fn a_finding_of_several_lines_is_silenced_where_it_starts_and_where_it_ends() {
    let finding = |text: &str| {
        let mut finding = findings("FAIL").remove(0);
        finding.span = Span::new(text.find("(a").unwrap() as u32, text.find("b)").unwrap() as u32 + 2);
        finding
    };
    let left = |text: &str| {
        source_of(text, &Settings::default(), &[], |source| suppression::apply(vec![finding(text)], source)).len()
    };
    assert_eq!(left("(a # aiolint: ignore\n.\nb)\n"), 0);
    assert_eq!(left("(a\n.\nb) # aiolint: ignore\n"), 0);
    assert_eq!(left("(a\n. # aiolint: ignore\nb)\n"), 2);
}

#[test]
fn lines_that_cannot_carry_a_comment_are_silenced_at_their_end() {
    silent("x = FAIL + \\\n  1 + \\\n  2  # aiolint: ignore\n");
    silent("x = f'''\n{FAIL}\n{FAIL}\n'''  # aiolint: ignore\n");
    silent("x = f'''\n{FAIL}\n''' + \\\n 2  # noqa\n");
    // The backslash at the end of a comment continues nothing.
    assert_eq!(checked("FAIL  # noqa: E501 C:\\\nFAIL  # aiolint: ignore\n"), ["1: FAIL"]);
    assert_eq!(checked("FAIL\n'''\n'''  # aiolint: ignore\n").len(), 2);
}

#[test]
fn a_comment_for_the_whole_file() {
    silent("FAIL\n\n# aiolint: ignore-file\nLOSE\n");
    silent("# aiolint: ignore-file[result-before-done]\nFAIL\nFAIL\n");
    assert_eq!(checked("# aiolint: ignore-file[result-before-done]\nFAIL\nLOSE\n"), ["3: LOSE"]);
    // It also silences the hints about the comments on lines.
    silent("# aiolint: ignore-file\nFAIL\nx  # aiolint: ignore\n");
}

#[test]
fn noqa() {
    silent("FAIL  # noqa\n");
    silent("FAIL  # NoQA\n");
    silent("FAIL  #noqa\n");
    silent("FAIL  # noqa - it has run\n");
    silent("FAIL  # noqa: result-before-done\n");
    silent("FAIL  # noqa:E501,result-before-done ASYNC101\n");
    silent("FAIL  # noqa : result-before-done because it has run\n");
    silent("FAIL  # type: ignore # noqa\n");
    assert_eq!(checked("FAIL  # noqa: F401\n"), ["1: FAIL"]);
    assert_eq!(checked("FAIL  # noqa:\n"), ["1: FAIL"]);
    assert_eq!(checked("FAIL  # noqa: it has run\n"), ["1: FAIL"]);
    assert_eq!(checked("FAIL  # noqas\n"), ["1: FAIL"]);
    // Those of other tools and bare ones are never called unused.
    silent("x  # noqa\nx  # noqa: F401\nx  # noqa:\nx  # noqa: reslt-before-done\n");
}

#[test]
fn an_unused_comment_is_reported_and_deleted() {
    assert_eq!(
        checked("x = 1  # aiolint: ignore\n"),
        ["1: # aiolint: ignore → Unused suppression: there is nothing to silence on this line."]
    );
    assert_eq!(fixed("x = 1  # aiolint: ignore\ny\n"), safe("x = 1\ny\n"));
    assert_eq!(fixed("x = 1  # aiolint: ignore\r\ny\r\n"), safe("x = 1\r\ny\r\n"));
    assert_eq!(fixed("if x:\n    # aiolint: ignore[result-before-done]\n    y\n"), safe("if x:\n    y\n"));
    assert_eq!(fixed("# aiolint: ignore-file\r\nx\r\n"), safe("x\r\n"));
    assert_eq!(fixed("x\n# aiolint: ignore"), safe("x\n"));
    assert_eq!(fixed("x  # aiolint: ignore[]\n"), safe("x\n"));
    assert_eq!(fixed("x  # aiolint: ignore  # keep\n"), safe("x  # keep\n"));
    assert_eq!(fixed("x  # aiolint: ignore[result-before-done] has run\n"), safe("x  # has run\n"));
    assert_eq!(fixed("x  # keep  # aiolint: ignore\n"), safe("x  # keep\n"));
    assert_eq!(fixed("x  # noqa: result-before-done\n"), safe("x\n"));
    assert_eq!(
        checked("# aiolint: ignore-file[result-before-done, exception-before-done]\nx\n"),
        ["1: # aiolint: ignore-file[result-before-done, exception-before-done] → Unused suppression: \
          there is no `result-before-done` or `exception-before-done` in this file."]
    );
}

#[test]
fn an_unused_name_is_reported_and_deleted_from_the_list() {
    let text = "FAIL  # aiolint: ignore[result-before-done, exception-before-done]\n";
    assert_eq!(
        checked(text),
        ["1: exception-before-done → Unused suppression: there is no `exception-before-done` on this line."]
    );
    assert_eq!(fixed(text), safe("FAIL  # aiolint: ignore[result-before-done]\n"));
    assert_eq!(fixed("x  # noqa: E501, result-before-done,F401 text\n"), safe("x  # noqa: E501, F401 text\n"));
}

#[test]
fn of_two_comments_that_silence_the_same_one_is_unused() {
    let text = "FAIL  # aiolint: ignore[result-before-done]  # aiolint: ignore[result-before-done]\n";
    assert_eq!(fixed(text), safe("FAIL  # aiolint: ignore[result-before-done]\n"));
}

#[test]
fn an_unknown_name_is_reported_with_the_nearest() {
    let text = "FAIL  # aiolint: ignore[reslt-before-done]\n";
    assert_eq!(
        checked(text),
        [
            "1: FAIL",
            "1: reslt-before-done → Unknown rule `reslt-before-done` in this suppression: did you mean `result-before-done`?"
        ]
    );
    assert_eq!(
        fixed("x  # aiolint: ignore[reslt-before-done]\n"),
        ("x  # aiolint: ignore[result-before-done]\n".to_owned(), Applicability::Suggestion)
    );
    assert_eq!(fixed("x  # aiolint: ignore[E501]\n"), ("x\n".to_owned(), Applicability::Suggestion));
    assert_eq!(
        checked("x  # aiolint: ignore[E501\n"),
        ["1: # aiolint: ignore[E501 → This suppression has no effect: its `]` is missing."]
    );
}

#[test]
fn a_rule_that_does_not_run_leaves_its_comments_alone() {
    let without = |ignore: &str, text: &str| {
        let settings = Settings { ignore: vec![ignore.to_owned()], ..Settings::default() };
        shown(text, &checked_with(text, &settings, &[]))
    };
    let text = "x  # aiolint: ignore[result-before-done]\nx  # aiolint: ignore\n";
    assert_eq!(without("result-before-done", text), [""; 0]);
    assert_eq!(without("exception-before-done", text).len(), 1);
    assert_eq!(without(UNUSED_IGNORE_COMMENT, text), [""; 0]);
}

#[test]
fn the_hint_can_be_silenced_by_name() {
    silent("x  # aiolint: ignore[result-before-done, unused-ignore-comment]\n");
    silent("# aiolint: ignore-file[unused-ignore-comment]\nx  # aiolint: ignore\n");
    assert_eq!(fixed("x  # aiolint: ignore[unused-ignore-comment]\n"), safe("x\n"));
}

#[test]
fn nothing_is_called_unused_in_code_that_does_not_parse() {
    let text = "x  # aiolint: ignore\ny  # aiolint: ignore\n";
    let left = checked_with(text, &Settings::default(), &[Span::new(0, 21)]);
    assert_eq!(shown(text, &left).len(), 1);
    assert_eq!(left[0].span.start, 24);
}

#[test]
fn many_comments_are_no_trouble() {
    let text =
        "FAIL # aiolint: ignore-file[exception-before-done] # aiolint: ignore[result-before-done]\n".repeat(20_000);
    assert_eq!(checked_with(&text, &Settings::default(), &[]).len(), 20_000);
}

#[test]
fn silencing_a_line() {
    let silenced = |text: &str| {
        let at = text.find("FAIL").unwrap() as u32;
        let edit = source_of(text, &Settings::default(), &[], |source| {
            suppression::silencing_edit("result-before-done", Span::new(at, at + 4), source)
        });
        let text = applied(text, &[edit]);
        assert!(!checked(&text).iter().any(|left| left.ends_with("FAIL")), "{text}");
        text
    };
    assert_eq!(silenced("FAIL\n"), "FAIL  # aiolint: ignore[result-before-done]\n");
    assert_eq!(silenced("FAIL"), "FAIL  # aiolint: ignore[result-before-done]");
    assert_eq!(silenced("FAIL  \r\nx"), "FAIL  # aiolint: ignore[result-before-done]\r\nx");
    assert_eq!(silenced("FAIL  # text\n"), "FAIL  # text  # aiolint: ignore[result-before-done]\n");
    assert_eq!(
        silenced("FAIL  # aiolint: ignore[exception-before-done]\n"),
        "FAIL  # aiolint: ignore[exception-before-done, result-before-done]\n"
    );
    assert_eq!(silenced("FAIL + \\\n 1\n"), "FAIL + \\\n 1  # aiolint: ignore[result-before-done]\n");
    assert_eq!(
        silenced("# aiolint:\nx = f'''\n{FAIL}\n'''\n"),
        "# aiolint:\nx = f'''\n{FAIL}\n'''  # aiolint: ignore[result-before-done]\n"
    );
}
