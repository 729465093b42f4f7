//! What is kept from run to run: the findings must be those of a run that keeps nothing, whatever has changed in between.

use std::fs;
use std::path::Path;

use super::sandbox::{Output, Sandbox};

const LIBRARY: &str = "def load():\n    return 1\n";
const ASYNC_LIBRARY: &str = "async def load():\n    return 1\n";
const APPLICATION: &str = "import lib\n\n\nasync def main():\n    lib.load()\n    await lib.load()\n";

/// Runs the check, and again without the cache: both must say the same. Gives what was found, by file, line and rule, and how many
/// texts were analysed.
fn check(sandbox: &Sandbox, words: &[&str]) -> (Vec<String>, usize) {
    let words = [&["check", "--verbose", "--output-format", "json"], words].concat();
    let output = sandbox.run(&words);
    let fresh = sandbox.run(&[words.as_slice(), &["--no-cache"]].concat());
    assert_eq!(output.stdout, fresh.stdout);
    assert_eq!(output.code, fresh.code);
    (found(&output), analysed(&output))
}

fn found(output: &Output) -> Vec<String> {
    let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let line = |finding: &serde_json::Value| {
        let name = finding["filename"].as_str().unwrap().trim_start_matches("[HERE]/").to_owned();
        format!("{name}:{}: {}", finding["location"]["row"], finding["code"].as_str().unwrap())
    };
    findings.as_array().unwrap().iter().map(line).collect()
}

fn analysed(output: &Output) -> usize {
    let line = output.stderr.lines().find(|line| line.ends_with(" texts analysed")).expect(&output.stderr);
    line.rsplit(' ').nth(2).unwrap().parse().unwrap()
}

#[test]
fn what_did_not_change_is_not_analysed_again() {
    let sandbox = Sandbox::with(&[("lib.py", ASYNC_LIBRARY), ("app.py", APPLICATION), ("other.py", "x = 1\n")]);
    let finding = ["app.py:5: coroutine-never-awaited"];
    assert_eq!(check(&sandbox, &[]), (finding.map(str::to_owned).to_vec(), 3));
    assert_eq!(check(&sandbox, &[]), (finding.map(str::to_owned).to_vec(), 0));
    sandbox.write("other.py", "x = 2\n");
    assert_eq!(check(&sandbox, &[]).1, 1);
    sandbox.write("other.py", "x = 1\n");
    assert_eq!(check(&sandbox, &[]).1, 0, "it is known by its text, and not by its date");
    assert_eq!(check(&sandbox, &["app.py"]).1, 0);
    assert_eq!(check(&sandbox, &[]).1, 0, "a run over a part keeps the rest");
}

#[test]
fn a_change_elsewhere_is_heard_of_if_it_matters() {
    let sandbox = Sandbox::with(&[("lib.py", LIBRARY), ("app.py", APPLICATION)]);
    assert_eq!(check(&sandbox, &[]).0, [""; 0]);
    sandbox.write("lib.py", "def load():\n    return 2\n");
    assert_eq!(check(&sandbox, &[]).1, 1, "a body");
    sandbox.write("lib.py", ASYNC_LIBRARY);
    assert_eq!(check(&sandbox, &[]), (vec!["app.py:5: coroutine-never-awaited".to_owned()], 2));
    sandbox.write("lib.py", LIBRARY);
    assert_eq!(check(&sandbox, &[]), (Vec::new(), 1), "of each text the last findings are kept");
    fs::remove_file(sandbox.path("lib.py")).unwrap();
    assert_eq!(check(&sandbox, &[]), (Vec::new(), 1), "it is gone");
    sandbox.write("lib/__init__.py", ASYNC_LIBRARY);
    assert_eq!(check(&sandbox, &[]), (vec!["app.py:5: coroutine-never-awaited".to_owned()], 2), "another is there");
}

#[test]
fn a_module_that_hides_another_is_heard_of() {
    let sandbox = Sandbox::with(&[
        ("pyproject.toml", "[tool.aiolint]\nsrc = ['first', 'second']\n"),
        ("second/lib.py", ASYNC_LIBRARY),
        ("app.py", APPLICATION),
    ]);
    let finding = vec!["app.py:5: coroutine-never-awaited".to_owned()];
    assert_eq!(check(&sandbox, &[]).0, finding);
    sandbox.write("first/lib.py", LIBRARY);
    assert_eq!(check(&sandbox, &[]).0, [""; 0]);
    sandbox.write("first/lib.pyi", "async def load() -> int: ...\n");
    assert_eq!(check(&sandbox, &[]).0, finding);
    fs::remove_file(sandbox.path("second/lib.py")).unwrap();
    assert_eq!(check(&sandbox, &[]), (finding, 0), "nobody had looked there since");
}

#[test]
fn an_installed_package_is_heard_of() {
    let sandbox = Sandbox::with(&[("pyproject.toml", ""), ("app.py", APPLICATION)]);
    assert_eq!(check(&sandbox, &[]).0, [""; 0]);
    sandbox.write(".venv/lib/python3.12/site-packages/lib/__init__.py", ASYNC_LIBRARY);
    assert_eq!(check(&sandbox, &[]).0, ["app.py:5: coroutine-never-awaited"]);
    sandbox.write(".venv/lib/python3.12/site-packages/lib/__init__.py", LIBRARY);
    assert_eq!(check(&sandbox, &[]).0, [""; 0]);
}

#[test]
fn a_change_far_away_is_heard_of() {
    let sandbox = Sandbox::with(&[
        ("app.py", "from facade import load\n\n\nasync def main():\n    load()\n"),
        ("facade.py", "from inner import *\n"),
        ("inner.py", LIBRARY),
    ]);
    assert_eq!(check(&sandbox, &[]).0, [""; 0]);
    sandbox.write("inner.py", ASYNC_LIBRARY);
    assert_eq!(check(&sandbox, &[]).0, ["app.py:5: coroutine-never-awaited"]);
}

#[test]
fn other_settings_find_other_things() {
    let sandbox = Sandbox::with(&[("pyproject.toml", ""), ("lib.py", ASYNC_LIBRARY), ("app.py", APPLICATION)]);
    let finding = vec!["app.py:5: coroutine-never-awaited".to_owned()];
    assert_eq!(check(&sandbox, &[]).0, finding);
    assert_eq!(check(&sandbox, &["--ignore", "coroutine-never-awaited"]), (Vec::new(), 2));
    assert_eq!(check(&sandbox, &[]), (finding, 0), "those of before are kept beside");
    sandbox.write("pyproject.toml", "[tool.aiolint]\nignore = ['coroutine-never-awaited']\n");
    assert_eq!(check(&sandbox, &[]), (Vec::new(), 0), "the same settings from elsewhere");
    sandbox.write("pyproject.toml", "[tool.aiolint]\nsafe-decorators = ['task']\n");
    assert_eq!(check(&sandbox, &[]).1, 2);
}

#[test]
fn it_stands_beside_the_configuration_or_where_one_says() {
    let sandbox = Sandbox::with(&[("pyproject.toml", "[tool.aiolint]\n"), ("a/b.py", "x = 1\n")]);
    let is_cache = |name: &str| sandbox.path(name).join("CACHEDIR.TAG").is_file();
    let run = |words: &[&str], folder: &str, variables: &[(&str, &str)]| {
        let mut command = sandbox.command(&[&["check"], words].concat());
        let output = command.current_dir(sandbox.path(folder)).envs(variables.iter().copied()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success());
    };
    run(&["--no-cache"], "a", &[]);
    run(&[], "a", &[("AIOLINT_NO_CACHE", "1")]);
    assert!(!is_cache(".aiolint_cache") && !is_cache("a/.aiolint_cache"));
    run(&[], "a", &[]);
    assert!(is_cache(".aiolint_cache") && !is_cache("a/.aiolint_cache"));
    assert!(sandbox.read(".aiolint_cache/.gitignore").lines().any(|line| line == "*"), "git does not see it");
    run(&["--cache-dir", "elsewhere/cache"], "", &[]);
    assert!(is_cache("elsewhere/cache"));
    run(&[], "", &[("AIOLINT_CACHE_DIR", "third")]);
    assert!(is_cache("third"));
    run(&["--isolated"], "a", &[]);
    assert!(is_cache("a/.aiolint_cache"), "nobody says where the project is");
}

#[test]
fn standard_input_leaves_nothing() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run_with(&["check", "-"], b"x = 1\n").code, 0);
    assert!(!sandbox.path(".aiolint_cache").exists());
}

fn packs(sandbox: &Sandbox) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(sandbox.path(".aiolint_cache")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "pack")).collect()
}

#[test]
fn a_broken_cache_is_made_anew() {
    let sandbox = Sandbox::with(&[("lib.py", ASYNC_LIBRARY), ("app.py", APPLICATION)]);
    let all = check(&sandbox, &[]);
    let [pack] = packs(&sandbox).try_into().unwrap();
    let good = fs::read(&pack).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for broken in [&b""[..], b"hello", &good[..good.len() / 2], &flipped, &[good.as_slice(), b"x"].concat()] {
        fs::write(&pack, broken).unwrap();
        assert_eq!(check(&sandbox, &[]), all);
        assert_eq!(check(&sandbox, &[]), (all.0.clone(), 0));
    }
    // Neither does what stands in its place.
    fs::remove_file(&pack).unwrap();
    fs::create_dir(&pack).unwrap();
    let output = sandbox.run(&["check", "--output-format", "json"]);
    assert_eq!(found(&output), all.0);
    assert!(output.stderr.starts_with("warning: cannot keep what was found for the next time: "), "{}", output.stderr);
}

#[test]
fn where_nothing_can_be_written_it_works_on() {
    let sandbox = Sandbox::with(&[("lib.py", ASYNC_LIBRARY), ("app.py", APPLICATION), (".aiolint_cache", "a file")]);
    let output = sandbox.run(&["check", "--output-format", "json"]);
    assert_eq!(found(&output), ["app.py:5: coroutine-never-awaited"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.starts_with("warning: cannot keep what was found for the next time: "), "{}", output.stderr);
    assert_eq!(sandbox.run(&["check", "--quiet"]).stderr, "");
}

#[test]
fn two_runs_at_once_do_no_harm() {
    let sandbox = Sandbox::with(&[("lib.py", ASYNC_LIBRARY)]);
    for index in 0..40 {
        sandbox.write(&format!("app{index}.py"), APPLICATION);
    }
    let start = || {
        let mut command = sandbox.command(&["check", "--output-format", "json"]);
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let runs: Vec<_> = (0..4).map(|_| start()).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).matches("\"coroutine-never-awaited\"").count(), 40);
    }
    assert_eq!(check(&sandbox, &[]).1, 0);
    let names = fs::read_dir(sandbox.path(".aiolint_cache")).unwrap();
    assert_eq!(names.count(), 3, "nothing half-written is left");
}

#[test]
fn fixes_are_made_anew() {
    let sandbox = Sandbox::with(&[("lib.py", ASYNC_LIBRARY), ("app.py", APPLICATION), ("other.py", "x = 1\n")]);
    let all = check(&sandbox, &[]);
    assert_eq!(all.1, 3);
    let output = sandbox.run(&["check", "--fix", "--unsafe-fixes", "--verbose", "--output-format", "json"]);
    assert_eq!(found(&output), [""; 0]);
    assert_eq!(analysed(&output), 2, "the text with the finding, and what became of it");
    assert_eq!(check(&sandbox, &[]), (Vec::new(), 0));
}

/// Whatever happens to the files of a project, it finds what a run without it finds.
#[test]
fn it_finds_what_a_run_without_it_finds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
    let sandbox = Sandbox::new();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                sandbox.write(&name, fs::read(&path).unwrap());
                files.push(name);
            }
        }
    }
    files.sort();
    let before = check(&sandbox, &[]).0;
    assert!(!before.is_empty());
    let sources: Vec<&String> = files.iter().filter(|name| name.ends_with(".py") || name.ends_with(".pyi")).collect();
    for name in &sources {
        let text = sandbox.read(name);
        sandbox.write(name, text.replace("async def ", "def ").replace("await ", ""));
        check(&sandbox, &[]);
        fs::remove_file(sandbox.path(name)).unwrap();
        check(&sandbox, &[]);
        sandbox.write(name, &text);
    }
    assert_eq!(check(&sandbox, &[]).0, before);
    assert_eq!(check(&sandbox, &[]), (before, 0));
}
