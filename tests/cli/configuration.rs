//! Configuration files: what they change, what is said of what is wrong in them, and `aiolint config`.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use super::sandbox::{Sandbox, UNUSED};

const JOBS: &str = "\
import asyncio
import logging
from lib.compat import deprecated


async def work():
    raise ValueError


def spawn(coro):
    return asyncio.create_task(coro)


class Pool:
    def start(self, coro):
        return asyncio.create_task(coro)

    @deprecated('stop')
    async def close(self):
        pass


@deprecated
async def refresh():
    pass


async def main():
    spawn(work())
    Pool().start(work())
    logging.info('%s', work())
    refresh()
    Pool().close()
    task = asyncio.create_task(work())
    logging.info('%s', task)
";

/// The lines on which findings of each rule stand.
fn found(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let output = sandbox.run(&[&["check", "--output-format", "json"], words].concat());
    let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let line = |finding: &serde_json::Value| {
        format!(
            "{} {} {}",
            finding["location"]["row"],
            finding["level"].as_str().unwrap(),
            finding["code"].as_str().unwrap()
        )
    };
    findings.as_array().unwrap().iter().map(line).collect()
}

/// The rules that are found in `x.py`, with their levels, under a configuration.
fn under(configuration: &str, words: &[&str]) -> Vec<String> {
    let program = "import asyncio\n\n\nasync def work():\n    raise ValueError\n\n\nasync def main():\n    work()\n    asyncio.create_task(work())\n";
    let sandbox = Sandbox::with(&[("x.py", program), ("aiolint.toml", configuration)]);
    found(&sandbox, words)
}

const NEVER: &str = "9 error coroutine-never-awaited";
const DANGLING: &str = "10 warning dangling-task";

#[test]
fn a_file_says_which_rules_run_and_how_grave_they_are() {
    assert_eq!(under("", &[]), [NEVER, DANGLING]);
    assert_eq!(under("select = ['dangling-task']", &[]), [DANGLING]);
    assert_eq!(under("select = []", &[]), [""; 0]);
    // A slip must not hide everything.
    assert_eq!(under("select = ['dangling-taks']", &[]), [NEVER, DANGLING]);
    assert_eq!(under("select = ['dangling-task'\nignore = []", &[]), [NEVER, DANGLING]);
    assert_eq!(under("ignore = ['dangling-task']", &[]), [NEVER]);
    assert_eq!(under("severity = { dangling-task = 'off' }", &[]), [NEVER]);
    assert_eq!(
        under("[severity]\ncoroutine-never-awaited = 'hint'", &[]),
        ["9 hint coroutine-never-awaited", DANGLING]
    );
    assert_eq!(
        under("per-file-ignores = { 'x.py' = ['dangling-task'], 'y.py' = ['coroutine-never-awaited'] }", &[]),
        [NEVER]
    );
}

#[test]
fn a_severity_turns_a_rule_on_that_is_off_by_default() {
    let program = "import asyncio\n\n\nasync def work():\n    raise ValueError\n\n\nasync def main():\n    await asyncio.create_task(work())\n";
    let sandbox = Sandbox::with(&[("x.py", program)]);
    assert_eq!(found(&sandbox, &[]), [""; 0]);
    sandbox.write("aiolint.toml", "severity = { task-error-unhandled = 'hint' }");
    assert_eq!(found(&sandbox, &[]), ["9 hint task-error-unhandled"]);
}

#[test]
fn the_command_line_goes_before_the_file() {
    assert_eq!(under("ignore = ['dangling-task']", &["--ignore", "coroutine-never-awaited"]), [""; 0]);
    assert_eq!(under("ignore = ['dangling-task']", &["--select", "dangling-task"]), [DANGLING]);
    assert_eq!(under("severity = { dangling-task = 'off' }", &["--select", "dangling-task"]), [DANGLING]);
    assert_eq!(under("select = ['dangling-task']", &["--select", "coroutine-never-awaited"]), [NEVER]);
    assert_eq!(under("per-file-ignores = { 'x.py' = ['dangling-task'] }", &["--select", "dangling-task"]), [""; 0]);
    assert_eq!(under("select = ['dangling-task']", &["--isolated"]), [NEVER, DANGLING]);
}

#[test]
fn the_nearest_file_holds_alone() {
    let sandbox = Sandbox::with(&[
        ("pyproject.toml", "[tool.aiolint]\nignore = ['unused-ignore-comment']\n"),
        ("a/x.py", UNUSED),
        ("own/aiolint.toml", "python-version = '3.12'\n"),
        ("own/x.py", UNUSED),
        ("other/pyproject.toml", "[tool.ruff]\n"),
        ("other/x.py", UNUSED),
        ("both/aiolint.toml", "ignore = ['unused-ignore-comment']\n"),
        ("both/pyproject.toml", "[tool.aiolint]\npython-version = '3.12'\n"),
        ("both/x.py", UNUSED),
    ]);
    assert_eq!(sandbox.checked(&[]), ["own/x.py"]);
    // Given by name, it goes for all.
    assert_eq!(sandbox.checked(&["--config", "both/pyproject.toml"]).len(), 4);
    assert_eq!(sandbox.checked(&["--isolated"]).len(), 4);
    let output = sandbox.run(&["check", "--config", "none.toml"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.starts_with("error: cannot read none.toml: "), "{}", output.stderr);
}

#[test]
fn what_is_excluded_is_checked_only_by_name() {
    let sandbox = Sandbox::with(&[
        ("aiolint.toml", "exclude = ['gen', 'a/*.py', '*_pb2.py']\n"),
        ("x.py", UNUSED),
        ("x_pb2.py", UNUSED),
        ("a/x.py", UNUSED),
        ("a/b/x.py", UNUSED),
        ("a/gen/x.py", UNUSED),
        ("gen/x.py", UNUSED),
        ("gen/sub/aiolint.toml", ""),
        ("gen/sub/x.py", UNUSED),
    ]);
    assert_eq!(sandbox.checked(&[]), ["a/b/x.py", "x.py"]);
    assert_eq!(sandbox.checked(&["a/x.py"]), ["a/x.py"]);
    assert_eq!(sandbox.checked(&["gen"]), ["gen/sub/x.py", "gen/x.py"]);
    let excluded = |path: &str| sandbox.run(&["config", path]).stdout.contains("It is excluded");
    assert!(excluded("gen/x.py") && excluded("gen/sub/x.py") && excluded("a/x.py"));
    assert!(!excluded("x.py") && !excluded("a/b/x.py") && !excluded("."));
}

#[test]
fn the_python_is_that_of_the_file_or_what_the_project_requires() {
    let sandbox = Sandbox::with(&[
        ("pyproject.toml", "[project]\nname = 'x'\nrequires-python = '>=3.9'\n"),
        ("new/aiolint.toml", "python-version = '3.13'\n"),
        ("new/x.py", ""),
        ("x.py", ""),
    ]);
    let python = |words: &[&str]| {
        let output = sandbox.run(&[&["config"], words].concat()).stdout;
        output.lines().find(|line| line.starts_with("python-version")).unwrap().to_owned()
    };
    assert_eq!(python(&["x.py"]), "python-version = \"3.9\"  # pyproject.toml:3");
    assert_eq!(python(&["new"]), "python-version = \"3.13\"  # new/aiolint.toml:1");
    assert_eq!(python(&["x.py", "--isolated"]), "python-version = \"3.11\"  # default");
}

#[test]
fn what_is_wrong_is_told_at_its_place_and_the_rest_holds() {
    let configuration = "\
slect = ['dangling-task']
ignore = ['unused-ignore-coment', 7, 'dangling-task']
per_file_ignores = 3
select = 'dangling-task'
python-version = 3.12
exclude = ['vendor', '[a']
src = 'src'
environment = ''
task-keepers = ['app.spawn', 'not a name']
coroutine-consumers = { a = 1 }
colour = true

[severity]
coroutine-reused = 'warn'
dangling-tsak = 'hint'
coroutine-never-awaited = 'fatal'
result-before-done = 'hint'

[per-file-ignores]
'tests/[' = ['dangling-task']
'tests' = ['no-such-rule', 'coroutine-reused']

[tool.aiolint]
";
    let sandbox = Sandbox::with(&[("aiolint.toml", configuration), ("x.py", "x = 1\n"), ("sub/y.py", "y = 1\n")]);
    assert_snapshot!(sandbox.run(&["check"]).shown());
    let told = sandbox.run(&["config", "x.py"]);
    assert_eq!(told.stderr, sandbox.run(&["check"]).stderr);
    assert!(told.stdout.contains("\nignore = [\"dangling-task\"]  # aiolint.toml:2\n"), "{}", told.stdout);
    assert!(told.stdout.contains("\nseverity = { \"result-before-done\" = \"hint\" }"), "{}", told.stdout);
    assert_eq!(sandbox.run(&["check", "--quiet"]).shown(), "exit code: 0\n");
}

#[test]
fn broken_toml_is_one_problem_and_what_can_be_read_holds() {
    let sandbox =
        Sandbox::with(&[("aiolint.toml", "ignore = ['unused-ignore-comment']\nselect = [\n"), ("x.py", UNUSED)]);
    let output = sandbox.run(&["check"]);
    assert_eq!(output.code, 0, "{}", output.shown());
    assert!(output.stderr.starts_with("warning: aiolint.toml:2:"), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    // What is wrong elsewhere in a file of many tools is theirs to tell, unless ours may be what suffers.
    let sandbox = Sandbox::with(&[("pyproject.toml", "[tool.other\nx = 1\n"), ("x.py", "")]);
    assert_eq!(sandbox.run(&["check"]).stderr, "");
    sandbox.write("pyproject.toml", "[tool.other\nx = 1\n[tool.aiolint]\nselct = []\n");
    let told = sandbox.run(&["check"]).stderr;
    assert!(told.starts_with("warning: pyproject.toml:1:12: no valid TOML"), "{told}");
}

#[test]
fn hostile_files_are_told_of_in_time() {
    let sandbox = Sandbox::with(&[("x.py", UNUSED)]);
    let many: String = (0..20_000).map(|index| format!("key{index} = {index}\n")).collect();
    for (name, text) in [
        ("deep key", format!("{}b = 1\n", "a.".repeat(100_000))),
        ("deep table", format!("[{}b]\nx = 1\n", "a.".repeat(100_000))),
        ("deep list", format!("select = {}", "[".repeat(100_000))),
        ("deep inline table", format!("select = {}", "{a=".repeat(100_000))),
        ("many keys", many),
        ("no text", "\u{0}\u{1}\u{2}".repeat(1000)),
    ] {
        sandbox.write("aiolint.toml", &text);
        let output = sandbox.run(&["check"]);
        assert_eq!(output.code, 1, "{name}");
        let problems = output.stderr.lines().count();
        assert!((1..=101).contains(&problems), "{name}: {problems}");
    }
    sandbox.write("aiolint.toml", b"ignore = ['unused-ignore-comment'] # caf\xe9\n");
    assert_eq!(sandbox.run(&["check"]).code, 0);
}

#[test]
fn the_settings_for_people_and_for_programs() {
    let sandbox = Sandbox::with(&[
        (
            "pyproject.toml",
            "[project]\nrequires-python = '>=3.10'\n\n[tool.aiolint]\nignore = ['dangling-task']\n\
          severity = { coroutine-reused = 'warning' }\nper-file-ignores = { 'tests/**' = ['coroutine-never-awaited'] }\n\
          exclude = ['gen']\nsrc = ['src', './lib/']\nenvironment = '.venv'\ntask-keepers = ['app.jobs.*']\n",
        ),
        ("tests/x.py", ""),
    ]);
    assert_snapshot!(sandbox.run(&["config", "tests/x.py", "--ignore", "coroutine-reused"]).shown());
    assert_snapshot!(sandbox.run(&["config", "--output-format", "json"]).shown());
    assert_snapshot!(Sandbox::with(&[]).run(&["config"]).shown());
    assert_eq!(sandbox.run(&["config", "none.py"]).code, 2);
}

#[test]
fn what_config_prints_is_a_configuration() {
    let sandbox =
        Sandbox::with(&[("aiolint.toml", "ignore = ['dangling-task']\nsafe-decorators = ['a.b.*']\n"), ("x.py", "")]);
    let printed = sandbox.run(&["config", "x.py"]).stdout;
    sandbox.write("aiolint.toml", &printed);
    let again = sandbox.run(&["config", "x.py"]);
    assert_eq!(again.stderr, "");
    let values = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| Some(line.split_once("  # ")?.0.to_owned())).collect()
    };
    assert_eq!(values(&again.stdout), values(&printed));
}

#[test]
fn what_the_user_knows_of_functions_goes_before_what_is_seen() {
    let sandbox = Sandbox::with(&[("app/jobs.py", JOBS)]);
    let (spawn, pool) = ("29 warning dangling-task", "30 warning dangling-task");
    let log = "31 error coroutine-never-awaited";
    let (refresh, close) = ("32 error coroutine-never-awaited", "33 error coroutine-never-awaited");
    let logged = "34 warning task-exception-never-retrieved";
    let all = [spawn, pool, log, refresh, close, logged];
    assert_eq!(found(&sandbox, &[]), all);
    let without = |gone: &[&str]| all.into_iter().filter(|line| !gone.contains(line)).collect::<Vec<_>>();
    for (configuration, gone) in [
        ("task-keepers = ['app.jobs.spawn']", &[spawn][..]),
        ("task-keepers = ['app.jobs.Pool.start']", &[pool]),
        ("task-keepers = ['Pool.*', 'logging.info']", &[pool, logged]),
        ("task-keepers = ['app.jobs.*']", &[spawn, pool]),
        ("task-keepers = ['other.jobs.*']", &[]),
        ("coroutine-consumers = ['logging.info']", &[log, logged]),
        ("coroutine-consumers = ['logging.warning', 'other.*']", &[]),
        ("safe-decorators = ['lib.compat.deprecated']", &[refresh, close]),
        ("safe-decorators = ['warnings.deprecated']", &[]),
    ] {
        sandbox.write("aiolint.toml", configuration);
        assert_eq!(found(&sandbox, &[]), without(gone), "{configuration}");
    }
}

#[test]
fn a_consumed_coroutine_is_consumed() {
    let program = "async def work():\n    pass\n\n\ndef run_later(coro):\n    str(coro)\n\n\nasync def main():\n    \
                   coro = work()\n    run_later(coro)\n    await coro\n";
    let sandbox = Sandbox::with(&[("x.py", program)]);
    assert_eq!(found(&sandbox, &[]), [""; 0]);
    sandbox.write("aiolint.toml", "coroutine-consumers = ['x.run_later']");
    assert_eq!(found(&sandbox, &[]), ["12 error coroutine-reused"]);
}

#[test]
fn the_documentation_is_true() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md")).unwrap();
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    assert_eq!(headings, aiolint::project::config::KEYS);
    let mut examples = 0;
    for block in page.split("```toml\n").skip(1) {
        let example = block.split("```").next().unwrap();
        let name = if example.contains("[tool.aiolint]") { "pyproject.toml" } else { "aiolint.toml" };
        let sandbox = Sandbox::with(&[(name, example), ("x.py", "")]);
        let output = sandbox.run(&["config", "x.py"]);
        assert_eq!(output.stderr, "", "{example}");
        assert!(output.stdout.contains(&format!("by {name}")), "{example}");
        examples += 1;
    }
    assert!(examples > headings.len());
}
