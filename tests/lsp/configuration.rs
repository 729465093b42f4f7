//! Configuration files under a language server: read, watched, and told what is wrong in them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, Pipes, range};

const PROGRAM: &str = "async def work():\n    pass\n\n\nasync def main():\n    work()\n";
const NEVER: &str = "coroutine-never-awaited";

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

struct Project {
    folder: TempDir,
    client: Client<Pipes>,
}

impl Project {
    fn new(params: Value) -> Self {
        let folder = TempDir::new().unwrap();
        let mut client = Client::in_process();
        let mut params = params;
        params["processId"] = Value::Null;
        params["workspaceFolders"] = json!([{ "uri": uri(folder.path()), "name": "project" }]);
        client.initialize_with(params);
        Self { folder, client }
    }

    fn watched() -> Self {
        let watched = json!({ "didChangeWatchedFiles": { "dynamicRegistration": true } });
        Self::new(json!({ "capabilities": { "workspace": watched } }))
    }

    fn uri(&self, name: &str) -> String {
        uri(&self.folder.path().join(name))
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a file and says so.
    fn change(&mut self, name: &str, text: &str) {
        self.write(name, text);
        let changes = json!([{ "uri": self.uri(name), "type": 2 }]);
        self.client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
    }

    fn open(&mut self, name: &str, text: &str) {
        let uri = self.uri(name);
        self.client.open(&uri, 1, text);
    }

    /// The next that is published for this file: the rule, or code, and severity of each, with the place.
    fn published(&mut self, name: &str) -> Vec<(String, u64, Value)> {
        let uri = self.uri(name);
        loop {
            let params = self.client.notification("textDocument/publishDiagnostics");
            if params["uri"] == uri {
                let all = params["diagnostics"].as_array().unwrap().iter();
                let told = |diagnostic: &Value| {
                    let code = diagnostic["code"].as_str().unwrap().to_owned();
                    (code, diagnostic["severity"].as_u64().unwrap(), diagnostic["range"].clone())
                };
                return all.map(told).collect();
            }
        }
    }

    fn rules(&mut self, name: &str) -> Vec<String> {
        self.published(name).into_iter().map(|(rule, ..)| rule).collect()
    }
}

#[test]
fn findings_follow_the_file() {
    let mut project = Project::watched();
    project.write("aiolint.toml", "ignore = ['coroutine-never-awaited']\n");
    project.open("a/x.py", PROGRAM);
    assert_eq!(project.rules("a/x.py"), [""; 0]);
    project.change("aiolint.toml", "severity = { coroutine-never-awaited = 'hint' }\n");
    let told = project.published("a/x.py");
    assert_eq!((told.len(), told[0].0.as_str(), told[0].1), (1, NEVER, 4));
    // A nearer one holds alone.
    project.change("a/pyproject.toml", "[tool.aiolint]\nper-file-ignores = { 'x.py' = ['coroutine-never-awaited'] }\n");
    assert_eq!(project.rules("a/x.py"), [""; 0]);
    project.change("a/pyproject.toml", "[tool.aiolint]\n");
    assert_eq!(project.published("a/x.py")[0].1, 1);
    assert!(project.client.finish());
}

#[test]
fn what_is_wrong_is_told_in_the_file_until_it_is_repaired() {
    let mut project = Project::watched();
    project.write("aiolint.toml", "# ours\nslect = ['coroutine-reused']\n");
    project.open("x.py", PROGRAM);
    let configuration = ("configuration".to_owned(), 2, range((1, 0), (1, 5)));
    assert_eq!(project.published("aiolint.toml"), [configuration]);
    assert_eq!(project.rules("x.py"), [NEVER]);
    project.change("aiolint.toml", "# ours\nselect = ['coroutine-reused']\n");
    assert_eq!(project.published("aiolint.toml"), []);
    assert_eq!(project.rules("x.py"), [""; 0]);
    assert!(project.client.finish());
}

#[test]
fn what_is_wrong_is_forgotten_with_the_last_document_or_the_file() {
    let mut project = Project::watched();
    project.write("aiolint.toml", "colour = true\n");
    project.open("x.py", "");
    assert_eq!(project.rules("aiolint.toml"), ["configuration"]);
    let document = json!({ "textDocument": { "uri": project.uri("x.py") } });
    project.client.notify("textDocument/didClose", document);
    assert_eq!(project.rules("aiolint.toml"), [""; 0]);
    project.open("x.py", "");
    assert_eq!(project.rules("aiolint.toml"), ["configuration"]);
    fs::remove_file(project.folder.path().join("aiolint.toml")).unwrap();
    let changes = json!([{ "uri": project.uri("aiolint.toml"), "type": 3 }]);
    project.client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
    assert_eq!(project.rules("aiolint.toml"), [""; 0]);
    assert!(project.client.finish());
}

#[test]
fn a_configuration_that_is_open_counts_as_it_is_typed() {
    let mut project = Project::watched();
    project.write("aiolint.toml", "ignore = ['coroutine-never-awaited']\n");
    project.open("x.py", PROGRAM);
    assert_eq!(project.rules("x.py"), [""; 0]);
    project.open("aiolint.toml", "");
    assert_eq!(project.rules("x.py"), [NEVER]);
    let uri = project.uri("aiolint.toml");
    project.client.change(&uri, 2, json!([{ "range": range((0, 0), (0, 0)), "text": "select = ['é', 3]" }]));
    let told = project.published("aiolint.toml");
    // In UTF-16, and of the text that the client has.
    assert_eq!(
        told.iter().map(|(.., at)| at.clone()).collect::<Vec<_>>(),
        [range((0, 10), (0, 13)), range((0, 15), (0, 16))]
    );
    project.client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(project.rules("aiolint.toml"), [""; 0]);
    assert_eq!(project.rules("x.py"), [""; 0]);
    assert!(project.client.finish());
}

#[test]
fn nothing_is_said_about_what_is_excluded() {
    let mut project = Project::watched();
    project.write("aiolint.toml", "exclude = ['gen']\n");
    project.open("gen/x.py", PROGRAM);
    assert_eq!(project.rules("gen/x.py"), [""; 0]);
    project.change("aiolint.toml", "");
    assert_eq!(project.rules("gen/x.py"), [NEVER]);
    let settings = json!({ "settings": { "exclude": ["gen/*.py"] } });
    project.client.notify("workspace/didChangeConfiguration", settings);
    assert_eq!(project.rules("gen/x.py"), [""; 0]);
    assert!(project.client.finish());
}

#[test]
fn the_editor_goes_before_the_file() {
    let options = json!({ "severity": { NEVER: "warning" }, "trace": { "server": "off" }, "select": null });
    let mut project = Project::new(json!({ "capabilities": {}, "initializationOptions": options }));
    project.write("aiolint.toml", "[severity]\ncoroutine-never-awaited = 'hint'\n");
    project.open("x.py", PROGRAM);
    assert_eq!(project.published("x.py")[0].1, 2);
    project.client.notify("workspace/didChangeConfiguration", json!({ "settings": { "ignore": [NEVER] } }));
    assert_eq!(project.rules("x.py"), [""; 0]);
    assert!(project.client.finish());
}

#[test]
fn without_watching_the_files_are_read_when_a_document_is_opened() {
    let mut project = Project::new(json!({ "capabilities": {} }));
    project.open("x.py", PROGRAM);
    assert_eq!(project.rules("x.py"), [NEVER]);
    project.write("aiolint.toml", "ignore = ['coroutine-never-awaited']\n");
    project.open("y.py", "");
    assert_eq!(project.rules("x.py"), [""; 0]);
    assert!(project.client.asked.is_empty());
    assert!(project.client.finish());
}

#[test]
fn clients_that_watch_are_asked_to_and_those_that_pull_are_told() {
    let mut project = Project::new(json!({ "capabilities": {
        "textDocument": { "diagnostic": {} },
        "workspace": {
            "didChangeWatchedFiles": { "dynamicRegistration": true },
            "diagnostics": { "refreshSupport": true },
        },
    } }));
    project.open("x.py", PROGRAM);
    let document = json!({ "textDocument": { "uri": project.uri("x.py") } });
    let pulled = project.client.request("textDocument/diagnostic", document.clone());
    assert_eq!(pulled["result"]["items"][0]["code"], NEVER);
    assert_eq!(project.client.asked, ["client/registerCapability"]);
    project.change("aiolint.toml", "ignore = ['coroutine-never-awaited', 'none']\n");
    assert_eq!(project.rules("aiolint.toml"), ["configuration"]);
    while project.client.asked.len() < 2 {
        project.client.next();
    }
    assert_eq!(project.client.asked[1], "workspace/diagnostic/refresh");
    assert_eq!(project.client.request("textDocument/diagnostic", document)["result"]["items"], json!([]));
    assert!(project.client.finish());
}
