//! What the compiler does not see: who may know whom, what must be explained, what must not be there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

use aiolint::rules::RULES;

/// The stages, in the order of the data. A stage knows those before it only.
const STAGES: [&str; 13] =
    ["text", "items", "tree", "facts", "project", "flow", "tasks", "report", "fixes", "rules", "engine", "lsp", "cli"];

/// Files may have this many lines.
const LINES: usize = 600;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];

/// The files of the repository (what git ignores is left out): paths from its root with `/` in them, and their texts.
fn files(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let walk = ignore::WalkBuilder::new(root).require_git(false).hidden(false).build();
    let mut files: Vec<_> = walk
        .map(|entry| entry.expect("an entry of the repository"))
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .filter_map(|entry| {
            let name = entry.path().strip_prefix(root).expect("a path in the repository").to_str()?.replace('\\', "/");
            let text = wanted(&name).then(|| std::fs::read_to_string(entry.path()).expect("a text"))?;
            Some((name, text))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn rust_of_server(name: &str) -> bool {
    name.starts_with("server/") && name.ends_with(".rs")
}

fn rust(name: &str) -> bool {
    name.ends_with(".rs") && !name.starts_with(".git/")
}

/// The stage that a file of the server belongs to; `lib.rs` and `main.rs` belong to none.
fn stage(name: &str) -> Option<usize> {
    let name = name.strip_prefix("server/")?;
    let folder = name.split('/').next()?.trim_end_matches(".rs");
    STAGES.iter().position(|stage| *stage == folder)
}

/// Lines with their numbers, without comments: those may speak of anything.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()));
    lines.filter(|(_, line)| !line.trim().is_empty())
}

/// Every line of code that holds one of the words, as a problem.
fn lines_with(files: &[(String, String)], words: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, text) in files {
        for (number, line) in code(text) {
            if words.iter().any(|word| line.contains(word)) {
                problems.push(format!("{name}:{number}: {}", line.trim()));
            }
        }
    }
    problems
}

fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// The modules that `crate::a` and `crate::{a::b, c}` name in a text without comments.
fn modules_named(code: &str) -> BTreeSet<&str> {
    let identifier = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let mut named = BTreeSet::new();
    for (at, marker) in code.match_indices("crate::") {
        let rest = &code[at + marker.len()..];
        named.insert(&rest[..identifier(rest)]);
        let mut depth = 0;
        let mut starts = rest.starts_with('{');
        for (index, character) in rest.char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' => starts = depth == 1,
                _ if starts && depth == 1 && !character.is_whitespace() => {
                    named.insert(&rest[index..index + identifier(&rest[index..])]);
                    starts = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    named
}

#[test]
fn modules_are_read_out_of_use_declarations() {
    let code =
        "use crate::text::Span; use crate::{\n facts::{Facts, ScopeId},\n rules,\n}; fn f() { crate::engine::g() }";
    assert_eq!(Vec::from_iter(modules_named(code)), ["", "engine", "facts", "rules", "text"]);
}

#[test]
fn a_stage_knows_only_those_to_its_left() {
    let mut problems = Vec::new();
    for (name, text) in files(rust_of_server) {
        let Some(stage) = stage(&name) else {
            assert!(["server/lib.rs", "server/main.rs"].contains(&&*name), "{name} belongs to no stage");
            continue;
        };
        let code: String = code(&text).flat_map(|(_, line)| [line, "\n"]).collect();
        let known = modules_named(&code);
        let right = STAGES[stage + 1..].iter().filter(|right| known.contains(**right));
        problems.extend(right.map(|right| format!("{name} knows `{right}`, which is to the right of it")));
    }
    none(&problems);
}

#[test]
fn only_lsp_names_the_protocol() {
    let files = files(|name| rust_of_server(name) && !name.starts_with("server/lsp/"));
    none(&lines_with(&files, &["tower_lsp", "lsp_types", "ls_types"]));
}

#[test]
fn the_engine_and_what_is_left_of_it_touch_nothing_outside() {
    let engine = STAGES.iter().position(|stage| *stage == "engine");
    let files = files(|name| rust_of_server(name) && stage(name).is_some() && stage(name) <= engine);
    let outside = ["std::fs", "std::net", "std::process", "std::io", "std::env", "std::thread", "print!", "println!"];
    none(&lines_with(&files, &outside));
}

#[test]
fn every_rule_has_its_page_and_every_page_its_rule() {
    let pages = files(|name| name.starts_with("server/rules/") && name.ends_with(".md"));
    let pages: Vec<_> = pages.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut rules: Vec<_> = RULES.iter().map(|rule| (format!("server/rules/{}.md", rule.name), rule.page)).collect();
    rules.sort();
    assert_eq!(pages, Vec::from_iter(rules.iter().map(|(name, page)| (name.as_str(), *page))));
}

#[test]
fn the_readme_names_every_rule() {
    let (_, readme) = &files(|name| name == "README.md")[0];
    let missing = RULES.iter().filter(|rule| !readme.contains(&format!("`{}`", rule.name)));
    none(&missing.map(|rule| format!("README.md does not name {}", rule.name)).collect::<Vec<_>>());
}

#[test]
fn each_capture_is_explained_in_the_head_of_its_query() {
    let mut problems = Vec::new();
    for (name, text) in files(|name| name.starts_with("queries/") && name.ends_with(".scm")) {
        let captures = |line: &str| -> Vec<String> {
            let after = line.split('@').skip(1);
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
            after.map(|text| text.chars().take_while(|c| is_part(*c)).collect::<String>()).collect()
        };
        let head = text.lines().take_while(|line| line.is_empty() || line.starts_with(';'));
        let explained: BTreeSet<_> =
            head.flat_map(captures).map(|capture| capture.trim_end_matches('.').to_owned()).collect();
        let used: BTreeSet<_> = text.lines().filter(|line| !line.starts_with(';')).flat_map(captures).collect();
        problems.extend(used.difference(&explained).map(|capture| format!("{name}: @{capture} is not explained")));
    }
    none(&problems);
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent = files(rust).into_iter().filter(|(_, text)| !text.starts_with("//! "));
    none(&silent.map(|(name, _)| format!("{name} does not open with `//!`")).collect::<Vec<_>>());
}

#[test]
fn the_architecture_names_every_part_of_the_server() {
    let (_, map) = &files(|name| name == "server/ARCHITECTURE.md")[0];
    let parts: BTreeSet<String> = files(|name| rust_of_server(name) && name != "server/lib.rs")
        .iter()
        .map(|(name, _)| match name["server/".len()..].split_once('/') {
            Some((folder, _)) => format!("{folder}/"),
            None => name["server/".len()..].to_owned(),
        })
        .collect();
    let missing = parts.iter().filter(|part| !map.contains(&format!("`{part}`")));
    none(&missing.map(|part| format!("server/ARCHITECTURE.md does not name `{part}`")).collect::<Vec<_>>());
}

/// `tests/engine.rs`, `rules/registry.rs`: what the map names by its path is there.
#[test]
fn the_map_names_no_file_that_is_gone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = std::fs::read_to_string(root.join("server/ARCHITECTURE.md")).expect("the map");
    let is_path = |name: &&str| name.contains('/') && name.ends_with(".rs") && !name.contains([' ', '*']);
    let is_there = |name: &&str| root.join(name).exists() || root.join("server").join(name).exists();
    let gone = map.split('`').filter(is_path).filter(|name| !is_there(name));
    none(&gone.map(|name| format!("server/ARCHITECTURE.md names `{name}`")).collect::<Vec<_>>());
}

#[test]
fn no_test_is_left_out_and_none_sleeps() {
    let tests =
        |name: &str| name.starts_with("tests/") && !name.starts_with("tests/fixtures/") && name != "tests/tidy.rs";
    let sources = files(|name| rust(name) && tests(name));
    let mut problems = lines_with(&sources, &["#[ignore", "thread::sleep", "time::sleep"]);
    problems.extend(lines_with(&files(rust_of_server), &["#[ignore", "thread::sleep"]));
    let prose = [".rs", ".py", ".snap", ".md"];
    let scripts = files(|name| tests(name) && !prose.iter().any(|end| name.ends_with(end)));
    problems.extend(lines_with(&scripts, &["sleep ", "sleep("]));
    none(&problems);
}

#[test]
fn files_are_short_enough_to_read() {
    let long: Vec<_> = files(rust).into_iter().filter(|(_, text)| text.lines().count() > LINES).collect();
    let allowed = |name: &str| LONG_FILES.iter().any(|(long, _)| *long == name);
    let mut problems: Vec<_> =
        long.iter().filter(|(name, _)| !allowed(name)).map(|(name, _)| format!("{name} is too long")).collect();
    let stale = LONG_FILES.iter().filter(|(allowed, _)| !long.iter().any(|(name, _)| name == allowed));
    problems.extend(stale.map(|(name, _)| format!("{name} is short now: take it off the list")));
    none(&problems);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut problems = Vec::new();
    for (name, text) in files(|name| name.ends_with(".md")) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name).parent().expect("a folder").to_path_buf();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '#']).next()) {
            if !link.is_empty() && !link.contains("://") && !folder.join(link).exists() {
                problems.push(format!("{name}: {link}"));
            }
        }
    }
    none(&problems);
}

#[test]
fn lock_files_name_no_host() {
    let locks = files(|name| name.ends_with("package-lock.json"));
    let hosts = locks.iter().filter(|(_, text)| text.contains("\"resolved\""));
    none(&hosts.map(|(name, _)| format!("{name}: npm install --omit-lockfile-registry-resolved")).collect::<Vec<_>>());
}

/// `docs/picture` draws it.
#[test]
fn the_picture_in_the_readme_is_what_the_program_prints() {
    let (_, svg) = &files(|name| name == "docs/demo.svg")[0];
    let lines = svg.lines().filter(|line| line.starts_with("<text"));
    let shown: Vec<String> = lines
        .map(|line| line.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect::<String>())
        .map(|line| line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        .collect();
    let command = shown[0].strip_prefix("$ aiolint ").expect("the first line is the command");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_aiolint"))
        .args(command.split(' '))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("COLUMNS", "110")
        .output()
        .expect("the program runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    // A long line takes several rows.
    assert_eq!(shown[1..].concat(), printed.replace('\n', ""), "run docs/picture");
}
