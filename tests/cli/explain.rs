//! `explain` and `rules`.

use insta::assert_snapshot;

use super::sandbox::Sandbox;

fn explain(words: &str) -> (i32, String) {
    let output = Sandbox::new().run(&["explain", words]);
    (output.code, format!("{}{}", output.stdout, output.stderr))
}

#[track_caller]
fn leads_to(text: &str, rule: &str) {
    let (code, output) = explain(text);
    assert_eq!(code, 0, "{text}: {output}");
    assert!(output.starts_with(&format!("# {rule}\n")), "{text}: {output}");
}

#[test]
fn a_rule_by_its_name() {
    leads_to("result-before-done", "result-before-done");
    leads_to(" Exception-Before-Done ", "exception-before-done");
    leads_to("unused-ignore-comment", "unused-ignore-comment");
}

#[test]
fn a_rule_by_what_python_printed() {
    let rule = "result-before-done";
    leads_to("InvalidStateError: Result is not set.", rule);
    leads_to("asyncio.exceptions.InvalidStateError: Result is not set.", rule);
    leads_to("result is not SET", rule);
    leads_to("esult is not", rule);
    leads_to(
        "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    task.result()\n\
         asyncio.exceptions.InvalidStateError: Result is\n not set.\n",
        rule,
    );
    leads_to("exception=InvalidStateError('Result is not set.')", rule);
    leads_to(
        "<Task finished name='Task-1' coro=<main() done> exception=InvalidStateError('Result is not set.')>",
        rule,
    );
    leads_to("Exception is not set", "exception-before-done");
    leads_to("SyntaxError: 'await' outside function", "await-outside-async");
    leads_to("SyntaxError: 'async with' outside async function", "await-outside-async");
    leads_to("asynchronous comprehension outside of an asynchronous function", "await-outside-async");
}

#[test]
fn what_python_printed_of_a_task() {
    leads_to("asyncio.exceptions.CancelledError", "cancelled-task-unguarded");
    leads_to("Task was destroyed but it is pending!", "dangling-task");
}

#[test]
fn words_need_no_quotes() {
    let output = Sandbox::new().run(&["explain", "Exception", "is", "not", "set"]);
    assert!(output.stdout.starts_with("# exception-before-done\n"));
}

#[test]
fn several_rules_are_listed() {
    assert_snapshot!(explain("InvalidStateError").1);
    let (_, lost) = explain("Task exception was never retrieved");
    assert!(["dangling-task", "task-exception-never-retrieved"].iter().all(|rule| lost.contains(rule)), "{lost}");
}

#[test]
fn no_rule() {
    assert_snapshot!(explain("result-before-dome").1);
    assert_eq!(explain("result-before-dome").0, 2);
    assert_snapshot!("nothing_near", explain("ZeroDivisionError: division by zero").1);
    assert_eq!(explain("").0, 2);
    assert_eq!(explain("'").0, 2);
    assert_eq!(explain("<<<<'\"é").0, 2);
}

#[test]
fn a_page_on_a_terminal() {
    let page = Sandbox::new().run(&["explain", "unused-ignore-comment", "--color", "always"]).stdout;
    let page: Vec<&str> = page.lines().collect();
    for line in [
        "\x1b[1munused-ignore-comment\x1b[0m",
        "\x1b[1mWhat it finds\x1b[0m",
        "| \x1b[36m# aiolint: ignore\x1b[0m | every rule on its line |",
        "    \x1b[36mimport asyncio\x1b[0m",
        "  \x1b[1mDelete the suppression:\x1b[0m",
        "\x1b[1mDelete the suppression\x1b[0m is safe. An explanation after it stays as a comment; in a list only the unused \
         name goes.",
    ] {
        assert!(page.contains(&line), "{line}\n{page:#?}");
    }
    assert!(!page.iter().any(|line| line.contains("```")));
    // A title with a backtick in it takes a fence of tildes.
    let tildes = Sandbox::new().run(&["explain", "dangling-task", "--color", "always"]).stdout;
    assert!(
        tildes.contains("\x1b[1mKeep it as `task` and await it at the end:\x1b[0m") && !tildes.contains("~~~"),
        "{tildes}"
    );
    // Where nobody looks, the page comes as it is written.
    let plain = Sandbox::new().run(&["explain", "unused-ignore-comment"]).stdout;
    assert_eq!(plain, aiolint::rules::find("unused-ignore-comment").unwrap().page);
}

#[test]
fn the_rules() {
    let output = Sandbox::new().run(&["rules"]);
    assert_snapshot!(output.shown());
    let json = Sandbox::new().run(&["rules", "--output-format", "json"]);
    let rules: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(rules[0]["code"], "result-before-done");
    assert_eq!(rules[0]["level"], "error");
    assert_eq!(rules[0]["errors"][0], "InvalidStateError: Result is not set.");
}
