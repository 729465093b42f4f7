//! The rules about tasks, as far as the project and the command line decide what they say.

use super::sandbox::Sandbox;

/// One task that nothing holds, and one whose error nobody handles.
const PROGRAM: &str = "\
import asyncio


async def send(message):
    if not message:
        raise ValueError(message)


async def main():
    asyncio.create_task(send('hello'))
    task = asyncio.create_task(send(''))
    await task


asyncio.run(main())
";

/// The rules that `check` with these words names, and the titles of their fixes.
fn found(sandbox: &Sandbox, words: &[&str]) -> (Vec<String>, Vec<String>) {
    let output = sandbox.run(&[&["check", "--output-format", "json"], words].concat());
    assert_eq!(output.stderr, "");
    let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = findings.as_array().unwrap();
    let texts = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let fixes = findings.iter().flat_map(|finding| finding["fixes"].as_array().unwrap());
    let rules = findings.iter().map(|finding| texts(&finding["code"])).collect();
    (rules, fixes.map(|fix| texts(&fix["title"])).collect())
}

#[test]
fn a_task_group_is_offered_where_the_project_has_it() {
    let offered = |files: &[(&str, &str)]| {
        let (rules, fixes) = found(&Sandbox::with(files), &[]);
        assert_eq!(rules, ["dangling-task"]);
        fixes.contains(&"Start it in a task group".to_owned())
    };
    let project = |requires: &str| format!("[project]\nname = \"x\"\nrequires-python = \"{requires}\"\n");
    assert!(offered(&[("a.py", PROGRAM)]), "nothing says that the Python is old");
    assert!(offered(&[("a.py", PROGRAM), ("pyproject.toml", &project(">=3.11"))]));
    assert!(!offered(&[("a.py", PROGRAM), ("pyproject.toml", &project(">=3.9"))]));
}

#[test]
fn a_rule_that_is_off_by_default_runs_where_it_is_selected() {
    let sandbox = Sandbox::with(&[("a.py", PROGRAM)]);
    let rules = |words: &[&str]| found(&sandbox, words).0;
    assert_eq!(rules(&[]), ["dangling-task"]);
    assert_eq!(rules(&["--ignore", "dangling-task"]), [""; 0]);
    assert_eq!(rules(&["--select", "task-error-unhandled"]), ["task-error-unhandled"]);
    assert_eq!(rules(&["--select", "task-error-unhandled,dangling-task"]), ["dangling-task", "task-error-unhandled"]);
    assert_eq!(rules(&["--select", "task-error-unhandled", "--ignore", "task-error-unhandled"]), [""; 0]);
}
