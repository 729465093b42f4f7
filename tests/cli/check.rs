//! What `check` prints, and its exit codes.

use std::io::Read;
use std::process::Stdio;

use insta::assert_snapshot;

use super::sandbox::{CLEAN, Sandbox, UNUSED, program};

fn reports() -> Sandbox {
    Sandbox::with(&[("reports.py", &program("reports.py")), ("clean.py", CLEAN)])
}

#[test]
fn findings_for_people() {
    assert_snapshot!(reports().run(&["check"]).shown());
}

#[test]
fn findings_in_colour() {
    let output = reports().run(&["check", "--color", "always", "--select", "exception-before-done"]);
    assert_snapshot!(output.stdout.replace('\x1b', "␛"));
}

#[test]
fn findings_for_programs() {
    let output = reports().run(&["check", "--output-format", "json", "--ignore", "result-before-done"]);
    assert_snapshot!(output.shown());
}

#[test]
fn columns_are_code_points_and_rows_count_every_line_break() {
    let sandbox = Sandbox::with(&[("x.py", "a\rb\r\n'𝕏é'  # aiolint: ignore\n")]);
    let output = sandbox.run(&["check", "--output-format", "json"]);
    let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(findings[0]["location"], serde_json::json!({"row": 3, "column": 7}));
    assert_eq!(findings[0]["end_location"], serde_json::json!({"row": 3, "column": 24}));
    let text = sandbox.run(&["check"]).stdout;
    assert!(text.contains("x.py:3:7") && text.contains("3 | '𝕏é'  # aiolint: ignore"), "{text}");
}

#[test]
fn statistics() {
    assert_snapshot!(reports().run(&["check", "--statistics"]).shown());
    let output = reports().run(&["check", "--statistics", "--output-format", "json"]);
    let counts: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(counts[0]["count"], 2);
}

#[test]
fn nothing_found() {
    let sandbox = Sandbox::with(&[("x.py", CLEAN)]);
    assert_eq!(sandbox.run(&["check"]).shown(), "exit code: 0\n--- stdout\nAll checks passed!\n");
    assert_eq!(sandbox.run(&["check", "--quiet"]).shown(), "exit code: 0\n");
    assert_eq!(sandbox.run(&["check", "--output-format", "json"]).shown(), "exit code: 0\n--- stdout\n[]\n");
}

#[test]
fn exit_codes() {
    let sandbox = Sandbox::with(&[("bad.py", UNUSED), ("good.py", CLEAN)]);
    let code = |words: &[&str]| sandbox.run(words).code;
    assert_eq!(code(&["check", "good.py"]), 0);
    assert_eq!(code(&["check", "bad.py"]), 1);
    assert_eq!(code(&["check", "bad.py", "--exit-zero"]), 0);
    assert_eq!(code(&["check", "bad.py", "-e"]), 0);
    assert_eq!(code(&["check", "missing.py"]), 2);
    assert_eq!(code(&["check", "missing.py", "--exit-zero"]), 2);
    assert_eq!(code(&["check", "missing.py", "bad.py"]), 2);
    assert_eq!(code(&["check", "bad.py", "--ignore", "unused-ignore-comment"]), 0);
    assert_eq!(code(&["check", "--nonsense"]), 2);
    assert_eq!(code(&["nonsense"]), 2);
    assert_eq!(code(&[]), 2);
    assert_eq!(code(&["--help"]), 0);
    assert_eq!(code(&["--version"]), 0);
}

#[test]
fn quiet_prints_only_findings() {
    let output = Sandbox::with(&[("bad.py", UNUSED)]).run(&["check", "-q"]);
    assert!(output.stdout.ends_with("help: Delete the suppression (safe)\n\n"), "{}", output.stdout);
    assert_eq!(output.stderr, "");
}

#[test]
fn rules_are_chosen_by_name() {
    let sandbox = reports();
    let rules = |words: &[&str]| {
        let output = sandbox.run(&[&["check", "--output-format", "json"], words].concat());
        let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        let mut rules: Vec<String> =
            findings.as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
        rules.sort();
        rules.dedup();
        rules
    };
    assert_eq!(rules(&[]), ["exception-before-done", "result-before-done", "unused-ignore-comment"]);
    assert_eq!(rules(&["--select", "result-before-done"]), ["result-before-done"]);
    let two = ["exception-before-done", "result-before-done"];
    assert_eq!(rules(&["--select", "result-before-done,exception-before-done"]), two);
    assert_eq!(rules(&["--select=result-before-done", "--select=exception-before-done"]), two);
    assert_eq!(rules(&["--ignore", "unused-ignore-comment"]), two);
    assert_eq!(rules(&["--select", "result-before-done", "--ignore", "result-before-done"]), [""; 0]);
}

#[test]
fn an_unknown_rule_is_refused_with_the_nearest() {
    let output = Sandbox::new().run(&["check", "--select", "reslt-before-done"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("a similar value exists: 'result-before-done'"), "{}", output.stderr);
}

#[test]
fn standard_input() {
    let sandbox = Sandbox::new();
    let output = sandbox.run_with(&["check", "-"], UNUSED.as_bytes());
    assert!(output.stdout.contains("--> -:1:8"), "{}", output.stdout);
    assert_eq!(output.code, 1);
    let named = sandbox.run_with(&["check", "-", "--stdin-filename", "a/b.py"], UNUSED.as_bytes());
    assert!(named.stdout.contains("--> a/b.py:1:8"), "{}", named.stdout);
    let json =
        sandbox.run_with(&["check", "-", "--stdin-filename", "a/b.py", "--output-format", "json"], UNUSED.as_bytes());
    assert!(json.stdout.contains("\"filename\": \"[HERE]/a/b.py\""), "{}", json.stdout);
    let both = sandbox.run(&["check", "-", "x.py"]);
    assert_eq!(both.shown(), "exit code: 2\n--- stderr\nerror: `-` cannot stand beside other paths\n");
}

#[test]
fn colour_only_where_it_is_wanted() {
    let sandbox = Sandbox::with(&[("bad.py", UNUSED)]);
    let colored = |words: &[&str], variable: Option<(&str, &str)>| {
        let mut command = sandbox.command(&[&["check"], words].concat());
        command.envs(variable);
        command.output().unwrap().stdout.contains(&0x1b)
    };
    assert!(!colored(&[], None), "not a terminal");
    assert!(colored(&["--color", "always"], None));
    assert!(colored(&["--color", "always", "--diff"], None));
    assert!(!colored(&["--color", "never"], Some(("CLICOLOR_FORCE", "1"))));
    assert!(colored(&[], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!colored(&[], Some(("NO_COLOR", "1"))));
}

#[test]
fn a_closed_pipe_is_no_trouble() {
    let sandbox = Sandbox::new();
    for index in 0..200 {
        sandbox.write(&format!("{index}.py"), UNUSED.repeat(50));
    }
    for words in [&["check"][..], &["check", "--output-format", "json"], &["check", "--diff"], &["rules"]] {
        let mut command = sandbox.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 1];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        // The pipe is closed here.
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!errors.contains("panic") && !errors.contains("error"), "{words:?}: {errors}");
        assert!(output.status.code().is_some_and(|code| code < 2), "{words:?}");
    }
}

#[test]
fn the_version() {
    assert_eq!(Sandbox::new().run(&["--version"]).stdout, format!("aiolint {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_server_starts_as_editors_start_it() {
    for words in [&["server"][..], &["server", "--stdio"]] {
        // The stream ends without a goodbye.
        let output = Sandbox::new().run(words);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    }
}

#[test]
fn completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = Sandbox::new().run(&["completions", shell]);
        assert_eq!(output.code, 0);
        assert!(output.stdout.contains("stdin-filename"), "{shell} knows the flags");
        let lists_values = ["bash", "fish", "zsh"].contains(&shell);
        assert!(!lists_values || output.stdout.contains("result-before-done"), "{shell} knows the rules");
    }
}
