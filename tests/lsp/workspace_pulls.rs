//! `workspace/diagnostic`: answered when all is checked, or once there is something new.

use std::fs;

use serde_json::{Value, json};

use crate::workspace::{APP, ASYNC, BAD, CLEAN, NEVER, Project};

fn pulling(files: &[(&str, &str)], mode: &str) -> Project {
    let capabilities = json!({
        "textDocument": { "diagnostic": {} },
        "workspace": { "diagnostics": { "refreshSupport": true } },
    });
    Project::start(files, &capabilities, &json!({ "diagnosticMode": mode }))
}

/// Which file, what kind of report, how many findings; in order.
fn shown(project: &Project, items: &Value) -> Vec<(String, String, usize)> {
    let folder = project.uri("");
    let shown = |item: &Value| {
        let name = item["uri"].as_str().unwrap().strip_prefix(&folder).unwrap().to_owned();
        let findings = item["items"].as_array().map_or(0, Vec::len);
        (name, item["kind"].as_str().unwrap().to_owned(), findings)
    };
    let mut all: Vec<_> = items.as_array().unwrap().iter().map(shown).collect();
    all.sort();
    all
}

fn ids(items: &Value) -> Value {
    let id = |item: &Value| json!({ "uri": item["uri"], "value": item["resultId"] });
    items.as_array().unwrap().iter().map(id).collect()
}

fn expected(items: &[(&str, &str, usize)]) -> Vec<(String, String, usize)> {
    items.iter().map(|&(name, kind, findings)| (name.to_owned(), kind.to_owned(), findings)).collect()
}

#[test]
fn an_answer_in_one_piece_waits_for_all_files() {
    let mut project = pulling(&[("a.py", BAD), ("b.py", BAD), ("clean.py", CLEAN)], "workspace");
    let pull = |previous: &Value| json!({ "previousResultIds": previous });
    let first = project.client.request("workspace/diagnostic", pull(&json!([])));
    let items = &first["result"]["items"];
    assert_eq!(shown(&project, items), expected(&[("a.py", "full", 1), ("b.py", "full", 1)]));
    assert_eq!(items[0]["items"][0]["code"], NEVER);
    let known = ids(items);
    let same = project.client.request("workspace/diagnostic", pull(&known));
    let same = shown(&project, &same["result"]["items"]);
    assert_eq!(same, expected(&[("a.py", "unchanged", 0), ("b.py", "unchanged", 0)]));
    // The client is told to ask again.
    project.write("a.py", CLEAN);
    fs::remove_file(project.folder.path().join("b.py")).unwrap();
    project.tell(&[("a.py", 2), ("b.py", 3)]);
    while !project.client.asked.iter().any(|asked| asked == "workspace/diagnostic/refresh") {
        project.client.next();
    }
    let other = project.client.request("workspace/diagnostic", pull(&known));
    assert_eq!(shown(&project, &other["result"]["items"]), expected(&[("a.py", "full", 0), ("b.py", "full", 0)]));
    project.finish();
}

#[test]
fn who_takes_parts_is_held_and_answered_when_there_is_something_new() {
    let mut project = pulling(&[("a.py", BAD), ("lib.py", ASYNC), ("app.py", APP)], "workspace");
    let pull = |previous: &Value| json!({ "previousResultIds": previous, "partialResultToken": "parts" });
    let id = project.client.ask("workspace/diagnostic", pull(&json!([])));
    let items = answered(&mut project, id);
    assert_eq!(shown(&project, &items), expected(&[("a.py", "full", 1), ("app.py", "full", 1)]));
    let known = ids(&items);
    // Held: what comes after it is answered first.
    let held = project.client.ask("workspace/diagnostic", pull(&known));
    project.client.assert_alive();
    project.write("lib.py", "def load(): pass\n");
    project.tell(&[("lib.py", 2)]);
    let news = answered(&mut project, held);
    assert_eq!(shown(&project, &news), expected(&[("app.py", "full", 0)]));
    // One that is cancelled, and one that another takes the place of.
    let known = all_known(&mut project);
    let held = project.client.ask("workspace/diagnostic", pull(&known));
    project.client.notify("$/cancelRequest", json!({ "id": held }));
    assert_eq!(project.client.answer(&json!(held))["error"]["code"], -32800);
    let old = project.client.ask("workspace/diagnostic", pull(&known));
    let new = project.client.ask("workspace/diagnostic", pull(&known));
    assert_eq!(project.client.answer(&json!(old))["result"], json!({ "items": [] }));
    // An open document is told with its version.
    project.open("a.py", CLEAN);
    let news = project.client.answer(&json!(new));
    assert_eq!(shown(&project, &news["result"]["items"]), expected(&[("a.py", "full", 0)]));
    assert_eq!(news["result"]["items"][0]["version"], 1);
    project.finish();
}

#[test]
fn who_is_held_is_let_go_at_the_end() {
    let mut project = pulling(&[("a.py", BAD)], "openFilesOnly");
    let held = json!({ "previousResultIds": [], "partialResultToken": "parts" });
    let held = project.client.ask("workspace/diagnostic", held);
    project.client.notify("textDocument/didSave", json!({ "textDocument": { "uri": project.uri("a.py") } }));
    let end = project.client.ask("shutdown", Value::Null);
    assert_eq!(project.client.answer(&json!(held))["result"], json!({ "items": [] }));
    assert_eq!(project.client.answer(&json!(end))["result"], Value::Null);
}

/// What the answer to a request holds.
fn answered(project: &mut Project, id: i64) -> Value {
    project.client.answer(&json!(id))["result"]["items"].take()
}

/// All results, pulled in one piece.
fn all_known(project: &mut Project) -> Value {
    let all = project.client.request("workspace/diagnostic", json!({ "previousResultIds": [] }));
    ids(&all["result"]["items"])
}

#[test]
fn a_file_that_was_closed_is_pulled_as_it_is_on_disk() {
    let mut project = pulling(&[("a.py", BAD)], "workspace");
    all_known(&mut project);
    project.open("a.py", CLEAN);
    let document = json!({ "textDocument": { "uri": project.uri("a.py") } });
    let open = project.client.request("textDocument/diagnostic", document.clone());
    assert_eq!(open["result"]["items"], json!([]));
    project.close("a.py");
    // VS Code asks for it once more.
    let closed = project.client.request("textDocument/diagnostic", document);
    assert_eq!(closed["result"]["items"][0]["code"], NEVER);
    project.finish();
}

#[test]
fn with_open_files_only_no_others_are_pulled() {
    let mut project = pulling(&[("a.py", BAD), ("b.py", BAD)], "openFilesOnly");
    assert_eq!(all_known(&mut project), json!([]));
    project.open("a.py", BAD);
    let held = json!({ "previousResultIds": [], "partialResultToken": "parts" });
    let answer = project.client.request("workspace/diagnostic", held);
    assert_eq!(shown(&project, &answer["result"]["items"]), expected(&[("a.py", "full", 1)]));
    let held = json!({ "previousResultIds": ids(&answer["result"]["items"]), "partialResultToken": "parts" });
    let held = project.client.ask("workspace/diagnostic", held);
    let settings = json!({ "settings": { "diagnosticMode": "workspace" } });
    project.client.notify("workspace/didChangeConfiguration", settings);
    let items = answered(&mut project, held);
    assert_eq!(shown(&project, &items), expected(&[("b.py", "full", 1)]));
    project.finish();
}

#[test]
fn a_client_that_pulls_documents_only_is_published_the_others() {
    let mut project = pulling(&[("a.py", BAD), ("b.py", BAD)], "workspace");
    project.expect(&[("a.py", None, &[NEVER]), ("b.py", None, &[NEVER])]);
    // What is open is pulled, and not shown twice.
    project.open("a.py", BAD);
    project.expect(&[("a.py", None, &[])]);
    project.close("a.py");
    project.expect(&[("a.py", None, &[NEVER])]);
    // Once it asks for all it is published nothing more.
    let all = project.client.request("workspace/diagnostic", json!({ "previousResultIds": [] }));
    assert_eq!(shown(&project, &all["result"]["items"]), expected(&[("a.py", "full", 1), ("b.py", "full", 1)]));
    project.expect(&[("a.py", None, &[]), ("b.py", None, &[])]);
    project.finish();
}
