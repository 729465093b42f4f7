//! The whole workspace: files that nobody has opened are checked in the background, and told of as they change.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, Pipes, range};

pub const NEVER: &str = "coroutine-never-awaited";
pub const BAD: &str = "async def work():\n    pass\n\n\nasync def main():\n    work()\n";
pub const CLEAN: &str = "async def work():\n    pass\n\n\nasync def main():\n    await work()\n";
pub const APP: &str = "from lib import load\n\n\nasync def main():\n    load()\n";
pub const ASYNC: &str = "async def load():\n    return 1\n";

pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A folder with files, and a client that has it open.
pub struct Project {
    pub folder: TempDir,
    pub client: Client<Pipes>,
}

impl Project {
    /// A client with these capabilities and options, besides watching files.
    pub fn start(files: &[(&str, &str)], capabilities: &Value, options: &Value) -> Self {
        let project = Self { folder: TempDir::new().unwrap(), client: Client::in_process() };
        files.iter().for_each(|(name, text)| project.write(name, text));
        project.initialized(capabilities, options)
    }

    pub fn initialized(mut self, capabilities: &Value, options: &Value) -> Self {
        let mut capabilities = capabilities.clone();
        capabilities["workspace"]["didChangeWatchedFiles"] = json!({ "dynamicRegistration": true });
        self.client.initialize_with(json!({
            "processId": null,
            "capabilities": capabilities,
            "initializationOptions": options,
            "trace": "verbose",
            "workspaceFolders": [{ "uri": uri(self.folder.path()), "name": "project" }],
        }));
        self
    }

    /// One that wants all of the workspace and is published to.
    pub fn whole(files: &[(&str, &str)]) -> Self {
        Self::start(files, &json!({}), &json!({ "diagnosticMode": "workspace" }))
    }

    pub fn uri(&self, name: &str) -> String {
        uri(&self.folder.path().join(name))
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Says that these have come (1), changed (2) or gone (3).
    pub fn tell(&mut self, names: &[(&str, u64)]) {
        let changes: Vec<Value> =
            names.iter().map(|(name, kind)| json!({ "uri": self.uri(name), "type": kind })).collect();
        self.client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
    }

    pub fn open(&mut self, name: &str, text: &str) {
        let uri = self.uri(name);
        self.client.open(&uri, 1, text);
    }

    pub fn close(&mut self, name: &str) {
        let document = json!({ "textDocument": { "uri": self.uri(name) } });
        self.client.notify("textDocument/didClose", document);
    }

    /// What is published next: the name of the file below the folder, the version, and the rules.
    pub fn published(&mut self) -> (String, Option<i64>, Vec<String>) {
        let params = self.client.notification("textDocument/publishDiagnostics");
        let folder = format!("{}/", uri(self.folder.path()));
        let name = params["uri"].as_str().unwrap();
        let rules = params["diagnostics"].as_array().unwrap().iter();
        let rules = rules.map(|diagnostic| diagnostic["code"].as_str().unwrap().to_owned());
        (name.strip_prefix(&folder).unwrap_or(name).to_owned(), params["version"].as_i64(), rules.collect())
    }

    /// Expects exactly these to be published next, in any order.
    pub fn expect(&mut self, expected: &[(&str, Option<i64>, &[&str])]) {
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(name, version, rules)| {
                ((*name).to_owned(), *version, rules.iter().map(|&rule| rule.to_owned()).collect::<Vec<_>>())
            })
            .collect();
        let mut told: Vec<_> = expected.iter().map(|_| self.published()).collect();
        expected.sort();
        told.sort();
        assert_eq!(told, expected);
    }

    /// Ends the session; nothing else may have been published.
    pub fn finish(mut self) {
        assert_eq!(self.client.request("shutdown", Value::Null)["result"], Value::Null);
        let published = |message: &&Value| message["method"] == "textDocument/publishDiagnostics";
        assert_eq!(self.client.notifications.iter().find(published), None);
        assert!(self.client.finish());
    }

    /// What was analysed so far, and not asked for yet.
    fn traces(&mut self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        let traces = self.client.notifications.iter().filter(|message| message["method"] == "$/logTrace");
        let traces =
            traces.map(|message| message["params"]["message"].as_str().unwrap().replace(&folder, "")).collect();
        self.client.notifications.retain(|message| message["method"] != "$/logTrace");
        traces
    }

    fn settings(&mut self, settings: &Value) {
        self.client.notify("workspace/didChangeConfiguration", json!({ "settings": settings }));
    }
}

#[test]
fn files_that_nobody_opens_are_told_of_where_that_is_wanted() {
    let files = [("a.py", BAD), ("clean.py", CLEAN), ("sub/b.py", BAD), ("gen/c.py", BAD), ("venv/d.py", BAD)];
    let mut project = Project::start(&files, &json!({}), &json!({ "diagnosticMode": "workspace", "exclude": ["gen"] }));
    project.expect(&[("a.py", None, &[NEVER]), ("sub/b.py", None, &[NEVER])]);
    project.open("clean.py", CLEAN);
    project.expect(&[("clean.py", Some(1), &[])]);
    project.finish();

    for options in [json!(null), json!({ "diagnosticMode": "openFilesOnly" }), json!({ "diagnosticMode": "all" })] {
        let mut project = Project::start(&files, &json!({}), &options);
        project.open("a.py", BAD);
        project.expect(&[("a.py", Some(1), &[NEVER])]);
        project.close("a.py");
        project.expect(&[("a.py", None, &[])]);
        project.finish();
    }
}

#[test]
fn it_is_turned_on_and_off_while_it_runs() {
    let mut project = Project::start(&[("a.py", BAD), ("b.py", BAD)], &json!({}), &json!(null));
    project.open("a.py", BAD);
    project.expect(&[("a.py", Some(1), &[NEVER])]);
    project.settings(&json!({ "aiolint": { "diagnosticMode": "workspace" } }));
    project.expect(&[("b.py", None, &[NEVER])]);
    project.settings(&json!({ "aiolint": { "diagnosticMode": "openFilesOnly" } }));
    project.expect(&[("b.py", None, &[])]);
    project.settings(&json!({ "aiolint": { "diagnosticMode": "workspace" } }));
    project.expect(&[("b.py", None, &[NEVER])]);
    project.finish();
}

#[test]
fn an_open_file_counts_as_the_editor_has_it_and_a_closed_one_as_the_disk() {
    let mut project = Project::whole(&[("a.py", BAD)]);
    project.expect(&[("a.py", None, &[NEVER])]);
    project.open("a.py", CLEAN);
    project.expect(&[("a.py", Some(1), &[])]);
    // Nobody has saved it.
    project.close("a.py");
    project.expect(&[("a.py", None, &[NEVER])]);
    project.open("new.py", BAD);
    project.expect(&[("new.py", Some(1), &[NEVER])]);
    // Nor this one, ever.
    project.close("new.py");
    project.expect(&[("new.py", None, &[])]);
    project.open("a.py", CLEAN);
    project.expect(&[("a.py", Some(1), &[])]);
    project.write("a.py", CLEAN);
    project.tell(&[("a.py", 2)]);
    project.close("a.py");
    project.expect(&[("a.py", None, &[])]);
    project.finish();
}

#[test]
fn files_that_come_change_move_and_go_are_followed() {
    let mut project = Project::whole(&[("a.py", BAD), (".gitignore", "gen/\n")]);
    project.expect(&[("a.py", None, &[NEVER])]);
    project.write("a.py", CLEAN);
    project.write("sub/b.py", BAD);
    project.write("gen/c.py", BAD);
    project.tell(&[("a.py", 2), ("sub/b.py", 1), ("gen/c.py", 1)]);
    project.expect(&[("a.py", None, &[]), ("sub/b.py", None, &[NEVER])]);
    fs::rename(project.folder.path().join("sub"), project.folder.path().join("moved")).unwrap();
    // Some clients tell of folders only.
    let moved = json!([{ "oldUri": project.uri("sub"), "newUri": project.uri("moved") }]);
    project.client.notify("workspace/didRenameFiles", json!({ "files": moved }));
    project.expect(&[("moved/b.py", None, &[NEVER]), ("sub/b.py", None, &[])]);
    fs::remove_dir_all(project.folder.path().join("moved")).unwrap();
    project.client.notify("workspace/didDeleteFiles", json!({ "files": [{ "uri": project.uri("moved") }] }));
    project.expect(&[("moved/b.py", None, &[])]);
    // What git ignores now.
    project.write(".gitignore", "");
    project.tell(&[(".gitignore", 2)]);
    project.expect(&[("gen/c.py", None, &[NEVER])]);
    project.finish();
}

#[test]
fn a_switch_of_branches_is_followed_at_once() {
    let names: Vec<String> = (0..400).map(|index| format!("{}/{index}.py", index % 9)).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), CLEAN)).collect();
    let mut project = Project::whole(&files);
    // When this is told of, all before it is known.
    project.write("first.py", BAD);
    project.tell(&[("first.py", 1)]);
    project.expect(&[("first.py", None, &[NEVER])]);
    for name in &names[..300] {
        fs::remove_file(project.folder.path().join(name)).unwrap();
    }
    names[300..].iter().for_each(|name| project.write(name, BAD));
    let gone = names[..300].iter().map(|name| (name.as_str(), 3));
    let changed = names[300..].iter().map(|name| (name.as_str(), 2));
    let told: Vec<(&str, u64)> = gone.chain(changed).collect();
    told.chunks(50).for_each(|chunk| project.tell(chunk));
    let expected: Vec<(&str, Option<i64>, &[&str])> =
        names[300..].iter().map(|name| (name.as_str(), None, &[NEVER][..])).collect();
    project.expect(&expected);
    project.finish();
}

#[test]
fn a_change_costs_those_that_import_what_changed() {
    let other = APP.replace("load", "save");
    let both = format!("{ASYNC}\n\nasync def save():\n    return 1\n");
    let files = [("lib.py", both.as_str()), ("app.py", APP), ("other.py", &other), ("far.py", BAD)];
    let mut project = Project::whole(&files);
    let told: &[&str] = &[NEVER];
    project.expect(&[("app.py", None, told), ("other.py", None, told), ("far.py", None, told)]);
    project.open("lib.py", &both);
    project.expect(&[("lib.py", Some(1), &[])]);
    project.traces();
    // A body: nothing else is looked at.
    let lib = project.uri("lib.py");
    project.client.change(&lib, 2, json!([{ "range": range((1, 11), (1, 12)), "text": "2" }]));
    project.expect(&[("lib.py", Some(2), &[])]);
    // One of two functions: who imports the other one is not analysed.
    project.client.change(&lib, 3, json!([{ "range": range((0, 0), (0, 6)), "text": "" }]));
    project.expect(&[("lib.py", Some(3), &[]), ("app.py", None, &[])]);
    // On disk, too.
    project.write("lib.py", "async def load(): pass\n");
    project.tell(&[("lib.py", 2)]);
    project.close("lib.py");
    project.expect(&[("lib.py", None, &[]), ("app.py", None, told), ("other.py", None, &[])]);
    let mut traces = project.traces();
    traces.retain(|trace| !trace.contains("lib.py"));
    traces[1..].sort();
    // Without an async function in the module that it imports from, `app.py` is not worth a look.
    let analysed = |name: &str| format!("functions analysed in {name}: 1");
    assert_eq!(traces, [analysed("app.py"), analysed("app.py"), analysed("other.py")]);
    project.finish();
}

#[test]
fn a_module_that_comes_or_goes_is_seen_by_those_that_import_it() {
    let mut project = Project::whole(&[("app.py", APP), ("bad.py", BAD)]);
    project.expect(&[("bad.py", None, &[NEVER])]);
    project.write("lib.py", ASYNC);
    project.tell(&[("lib.py", 1)]);
    project.expect(&[("app.py", None, &[NEVER])]);
    fs::remove_file(project.folder.path().join("lib.py")).unwrap();
    project.tell(&[("lib.py", 3)]);
    project.expect(&[("app.py", None, &[])]);
    // Back again, and then saved as many editors do it.
    project.write("lib.py", ASYNC);
    project.tell(&[("lib.py", 1)]);
    project.expect(&[("app.py", None, &[NEVER])]);
    project.write("new.py", "def load(): pass\n");
    fs::rename(project.folder.path().join("new.py"), project.folder.path().join("lib.py")).unwrap();
    project.tell(&[("lib.py", 3), ("lib.py", 1)]);
    project.expect(&[("app.py", None, &[])]);
    fs::remove_file(project.folder.path().join("lib.py")).unwrap();
    project.tell(&[("lib.py", 3)]);
    // A document that was never saved is a module while it is open.
    project.open("lib.py", ASYNC);
    project.expect(&[("lib.py", Some(1), &[]), ("app.py", None, &[NEVER])]);
    project.close("lib.py");
    project.expect(&[("lib.py", None, &[]), ("app.py", None, &[])]);
    project.finish();
}

#[test]
fn what_a_configuration_says_now_holds_for_closed_files() {
    let mut project = Project::whole(&[("a.py", BAD), ("b.py", BAD)]);
    project.expect(&[("a.py", None, &[NEVER]), ("b.py", None, &[NEVER])]);
    project.write("aiolint.toml", "exclude = ['b.py']\nseverity = { coroutine-never-awaited = 'off' }\ncolour = 1\n");
    project.tell(&[("aiolint.toml", 1)]);
    project.expect(&[("a.py", None, &[]), ("b.py", None, &[]), ("aiolint.toml", None, &["configuration"])]);
    project.write("aiolint.toml", "");
    project.tell(&[("aiolint.toml", 2)]);
    project.expect(&[("a.py", None, &[NEVER]), ("b.py", None, &[NEVER]), ("aiolint.toml", None, &[])]);
    project.finish();
}

#[test]
fn folders_come_and_go() {
    let mut project = Project::whole(&[("a.py", BAD)]);
    project.expect(&[("a.py", None, &[NEVER])]);
    let second = TempDir::new().unwrap();
    fs::create_dir(second.path().join("jobs")).unwrap();
    fs::write(second.path().join("lib.py"), ASYNC).unwrap();
    let app = second.path().join("jobs/app.py");
    fs::write(&app, APP).unwrap();
    let event = |added: bool| {
        let folder = json!([{ "uri": uri(second.path()), "name": "second" }]);
        let (added, removed) = if added { (folder, json!([])) } else { (json!([]), folder) };
        json!({ "event": { "added": added, "removed": removed } })
    };
    project.client.notify("workspace/didChangeWorkspaceFolders", event(true));
    // Modules are imported from the new folder.
    project.expect(&[(&uri(&app), None, &[NEVER])]);
    project.client.notify("workspace/didChangeWorkspaceFolders", event(false));
    project.expect(&[(&uri(&app), None, &[])]);
    project.finish();
}

/// The bar as the client sees it until it is gone.
fn bar(client: &mut Client<Pipes>) -> (Value, Vec<Value>) {
    let begin = client.notification("$/progress");
    let mut steps = vec![begin["value"].clone()];
    while steps.last().unwrap()["kind"] != "end" {
        let step = client.notification("$/progress");
        assert_eq!(step["token"], begin["token"]);
        steps.push(step["value"].clone());
    }
    (begin["token"].clone(), steps)
}

#[test]
fn a_bar_shows_how_far_it_is_and_can_be_taken_away() {
    let names: Vec<String> = (0..600).map(|index| format!("{index}.py")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), BAD)).collect();
    let capabilities = json!({ "window": { "workDoneProgress": true } });
    let options = json!({ "diagnosticMode": "workspace" });
    let mut project = Project::start(&files, &capabilities, &options);
    let (_, steps) = bar(&mut project.client);
    assert_eq!(project.client.asked, ["client/registerCapability", "window/workDoneProgress/create"]);
    assert_eq!(
        steps[0],
        json!({ "kind": "begin", "title": "Checking the workspace", "cancellable": true, "percentage": 0 })
    );
    let percentages: Vec<u64> =
        steps[1..steps.len() - 1].iter().map(|step| step["percentage"].as_u64().unwrap()).collect();
    assert!(percentages.is_sorted() && !percentages.is_empty(), "{percentages:?}");
    assert_eq!(steps[steps.len() - 2]["message"], "600/600 files");

    // Enough for some seconds.
    let functions: String = (0..40).map(|index| BAD.replace("main", &format!("main{index}"))).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), functions.as_str())).collect();
    let mut project = Project::start(&files, &capabilities, &options);
    let begin = project.client.notification("$/progress");
    // A keystroke does not wait for the end of it.
    project.open("mine.py", BAD);
    project.client.published(1);
    assert!(project.client.notifications.iter().all(|message| message["params"]["value"]["kind"] != "end"));
    project.client.notify("window/workDoneProgress/cancel", json!({ "token": begin["token"] }));
    while project.client.notification("$/progress")["value"]["kind"] != "end" {}
    // It goes on with what changes.
    project.write("new.py", BAD);
    project.tell(&[("new.py", 1)]);
    while project.published().0 != "new.py" {}
    assert!(project.client.finish());
}

#[test]
fn a_client_without_bars_is_shown_none() {
    let mut project = Project::whole(&[("a.py", BAD)]);
    project.expect(&[("a.py", None, &[NEVER])]);
    assert_eq!(project.client.asked, ["client/registerCapability"]);
    project.finish();
}

#[test]
fn nothing_in_a_workspace_stops_it() {
    let project = Project { folder: TempDir::new().unwrap(), client: Client::in_process() };
    for index in 0..3000 {
        let folder = project.folder.path().join(format!("node_modules/{}", index % 50));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{index}.py")), BAD).unwrap();
    }
    project.write("latin.py", b"# caf\xe9\nasync def f(): pass\nasync def g(): f()\n");
    project.write("nul.py", b"\0\0\0async def f(): pass\n");
    project.write("empty.py", "");
    project.write("broken.py", "async def f(:\n    f()\n)))\n");
    project.write("deep.py", format!("x = {}\n", "(".repeat(100_000)));
    project.write("pyproject.toml", "[tool.aiolint\n= = =\n");
    project.write(
        "ring/__init__.py",
        "from ring import load\nfrom . import *\nimport ring\n\nasync def main():\n    load()\n",
    );
    project.write("folder.py/inner.py", BAD);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let path = |name: &str| project.folder.path().join(name);
        symlink(".", path("loop")).unwrap();
        symlink("twin.py", path("twin.py")).unwrap();
        symlink("nowhere.py", path("gone.py")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path("pipe.py")).status().unwrap().success());
        project.write("secret.py", BAD);
        fs::set_permissions(path("secret.py"), fs::Permissions::from_mode(0o0)).unwrap();
        fs::create_dir(path("locked")).unwrap();
        fs::set_permissions(path("locked"), fs::Permissions::from_mode(0o0)).unwrap();
    }
    project.write("z.py", BAD);
    let mut project = project.initialized(&json!({}), &json!({ "diagnosticMode": "workspace" }));
    let mut told = Vec::new();
    // A superuser may read what is secret.
    while !["z.py", "folder.py/inner.py", "pyproject.toml"].iter().all(|name| told.iter().any(|known| known == name)) {
        told.push(project.published().0);
    }
    assert!(!told.iter().any(|name| name.contains("node_modules") || name.contains("loop")), "{told:?}");
    project.write("z.py", CLEAN);
    project.tell(&[("z.py", 2)]);
    while project.published() != ("z.py".to_owned(), None, Vec::new()) {}
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let locked = project.folder.path().join("locked");
        fs::set_permissions(locked, fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert!(project.client.finish());
}
