//! What one file says of another: an edit here, and what is published there.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, Pipes, range};

const APP: &str = "from lib import load\n\n\nasync def main():\n    load()\n";
const PLAIN: &str = "def load():\n    return 1\n";
const ASYNC: &str = "async def load():\n    return 1\n";

struct Project {
    folder: TempDir,
    client: Client<Pipes>,
}

impl Project {
    fn new() -> Self {
        let mut client = Client::in_process();
        let watched = json!({ "didChangeWatchedFiles": { "dynamicRegistration": true } });
        client.initialize(json!({ "workspace": watched }));
        Self { folder: TempDir::new().unwrap(), client }
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.folder.path().join(name).display())
    }

    fn open(&mut self, name: &str, text: &str) {
        let uri = self.uri(name);
        self.client.open(&uri, 1, text);
    }

    fn told(&mut self, name: &str, change: u64) {
        let changes = json!([{ "uri": self.uri(name), "type": change }]);
        self.client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
    }

    /// What is published next: the name of the file, and the rules.
    fn published(&mut self) -> (String, Vec<String>) {
        let params = self.client.notification("textDocument/publishDiagnostics");
        let name = params["uri"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let rules = params["diagnostics"].as_array().unwrap().iter();
        (name, rules.map(|diagnostic| diagnostic["code"].as_str().unwrap().to_owned()).collect())
    }

    fn expect(&mut self, name: &str, rules: &[&str]) {
        assert_eq!(self.published(), (name.to_owned(), rules.iter().map(|&rule| rule.to_owned()).collect()));
    }
}

fn replaced(start: (u32, u32), end: (u32, u32), text: &str) -> Value {
    json!([{ "range": range(start, end), "text": text }])
}

#[test]
fn an_edit_in_one_file_is_seen_in_another() {
    let mut project = Project::new();
    project.open("lib.py", PLAIN);
    project.expect("lib.py", &[]);
    project.open("app.py", APP);
    project.expect("app.py", &[]);
    let lib = project.uri("lib.py");
    project.client.change(&lib, 2, replaced((0, 0), (0, 0), "async "));
    project.expect("app.py", &["coroutine-never-awaited"]);
    project.expect("lib.py", &[]);
    project.client.change(&lib, 3, replaced((0, 0), (0, 6), ""));
    project.expect("app.py", &[]);
    project.expect("lib.py", &[]);
}

#[test]
fn an_edit_that_changes_nothing_for_others_is_told_of_its_own_file_only() {
    let mut project = Project::new();
    project.open("lib.py", ASYNC);
    project.expect("lib.py", &[]);
    project.open("app.py", APP);
    project.expect("app.py", &["coroutine-never-awaited"]);
    let lib = project.uri("lib.py");
    project.client.change(&lib, 2, replaced((1, 11), (1, 12), "2"));
    project.expect("lib.py", &[]);
    project.client.change(&lib, 3, replaced((1, 11), (1, 12), "3"));
    project.expect("lib.py", &[]);
}

#[test]
fn a_file_on_disk_that_comes_changes_and_goes_is_seen() {
    let mut project = Project::new();
    let path = project.folder.path().join("lib.py");
    project.open("app.py", APP);
    project.expect("app.py", &[]);
    fs::write(&path, ASYNC).unwrap();
    project.told("lib.py", 1);
    project.expect("app.py", &["coroutine-never-awaited"]);
    fs::write(&path, PLAIN).unwrap();
    project.told("lib.py", 2);
    project.expect("app.py", &[]);
    fs::write(&path, ASYNC).unwrap();
    project.told("lib.py", 2);
    project.expect("app.py", &["coroutine-never-awaited"]);
    fs::remove_file(&path).unwrap();
    project.told("lib.py", 3);
    project.expect("app.py", &[]);
}

#[test]
fn what_the_editor_has_counts_until_it_is_closed() {
    let mut project = Project::new();
    fs::write(project.folder.path().join("lib.py"), PLAIN).unwrap();
    project.open("app.py", APP);
    project.expect("app.py", &[]);
    project.open("lib.py", ASYNC);
    project.expect("app.py", &["coroutine-never-awaited"]);
    project.expect("lib.py", &[]);
    let lib = project.uri("lib.py");
    project.client.notify("textDocument/didClose", json!({ "textDocument": { "uri": lib } }));
    project.expect("lib.py", &[]);
    project.expect("app.py", &[]);
}

#[test]
fn a_finding_goes_though_no_function_is_left_to_analyse() {
    let mut project = Project::new();
    project.open("lib.py", ASYNC);
    project.expect("lib.py", &[]);
    // Without `load` nothing in it has a word that makes it worth a look.
    project.open("app.py", "from lib import load\n\n\ndef main():\n    load()\n");
    project.expect("app.py", &["coroutine-never-awaited"]);
    let lib = project.uri("lib.py");
    project.client.change(&lib, 2, replaced((0, 0), (0, 6), ""));
    project.expect("app.py", &[]);
    project.expect("lib.py", &[]);
}

#[test]
fn a_client_that_watches_nothing_sees_files_of_the_disk_when_it_opens_another() {
    let mut client = Client::in_process();
    client.initialize(json!({}));
    let mut project = Project { folder: TempDir::new().unwrap(), client };
    project.open("app.py", APP);
    project.expect("app.py", &[]);
    fs::write(project.folder.path().join("lib.py"), ASYNC).unwrap();
    fs::write(project.folder.path().join("other.py"), "").unwrap();
    project.open("other.py", "");
    project.expect("app.py", &["coroutine-never-awaited"]);
    project.expect("other.py", &[]);
}
