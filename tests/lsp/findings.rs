//! Findings of real programs as editors get them: diagnostics, code actions, hover texts.

use aiolint::text::{Change, Encoding, Position, Text};
use serde_json::{Value, json};

use crate::client::{Client, Pipes, Process, Wire, at, frame, framed, range};

const URI: &str = "file:///project/a.py";
const PROGRAM: &str = "\
import asyncio

async def work():
    return 1

async def main():
    task = asyncio.create_task(work())
    print(task.result())
";
/// That of `task.result()`.
fn place() -> Value {
    range((7, 10), (7, 23))
}

fn client(capabilities: Value) -> Client<Pipes> {
    let mut client = Client::in_process();
    client.initialize(capabilities);
    client
}

/// The diagnostics of this text.
fn diagnose<W: Wire>(client: &mut Client<W>, version: i64, text: &str) -> Vec<Value> {
    client.change(URI, version, json!([{ "text": text }]));
    client.published(version)["diagnostics"].as_array().unwrap().clone()
}

fn actions<W: Wire>(client: &mut Client<W>, place: &Value, context: Value) -> Vec<Value> {
    let params = json!({ "textDocument": { "uri": URI }, "range": place, "context": context });
    client.request("textDocument/codeAction", params)["result"].as_array().unwrap().clone()
}

fn titled<'a>(actions: &'a [Value], title: &str) -> &'a Value {
    actions.iter().find(|action| action["title"].as_str().unwrap().starts_with(title)).unwrap()
}

fn edits(action: &Value) -> &[Value] {
    action["edit"]["changes"][URI].as_array().unwrap()
}

/// What a client makes of these edits.
fn applied(text: &str, edits: &[Value], encoding: Encoding) -> String {
    let position = |value: &Value| Position {
        line: value["line"].as_u64().unwrap() as u32,
        character: value["character"].as_u64().unwrap() as u32,
    };
    let mut text = Text::new(text.to_owned());
    for edit in edits.iter().rev() {
        let range = Some((position(&edit["range"]["start"]), position(&edit["range"]["end"])));
        text.apply(&Change { range, text: edit["newText"].as_str().unwrap().to_owned() }, encoding);
    }
    text.as_str().to_owned()
}

#[test]
fn a_diagnostic_says_what_where_and_why() {
    let mut client = client(json!({ "textDocument": { "publishDiagnostics": { "relatedInformation": true } } }));
    client.open(URI, 1, PROGRAM);
    let mut published = client.published(1);
    let found = &mut published["diagnostics"][0];
    assert_eq!(found["data"]["rule"], "result-before-done");
    assert_eq!(found["data"].take()["fixes"][0]["applicability"], "unsafe");
    assert!(found["message"].take().as_str().unwrap().contains("InvalidStateError: Result is not set."));
    assert_eq!(
        published,
        json!({
            "uri": URI,
            "version": 1,
            "diagnostics": [{
                "range": place(),
                "severity": 1,
                "code": "result-before-done",
                "codeDescription": {
                    "href": "https://github.com/aiolint/aiolint/blob/main/server/rules/result-before-done.md",
                },
                "source": "aiolint",
                "message": null,
                "relatedInformation": [{
                    "location": { "uri": URI, "range": range((6, 11), (6, 38)) },
                    "message": "the task is made here",
                }],
                "data": null,
            }],
        })
    );
    assert!(client.finish());
}

#[test]
fn related_places_and_tags_are_sent_to_clients_that_show_them() {
    let text = PROGRAM.replace("    return 1", "    return 1  # aiolint: ignore");
    for (capabilities, shown) in
        [(json!({}), false), (json!({ "relatedInformation": true, "tagSupport": { "valueSet": [1, 2] } }), true)]
    {
        let mut client = client(json!({ "textDocument": { "publishDiagnostics": capabilities } }));
        client.open(URI, 1, &text);
        let published = client.published(1);
        let [unused, early] = published["diagnostics"].as_array().unwrap().as_slice() else { panic!("{published}") };
        assert_eq!(unused["severity"], 4);
        assert_eq!(unused.get("tags").is_some(), shown);
        assert_eq!(early.get("relatedInformation").is_some(), shown);
        assert!(early.get("tags").is_none());
        assert!(client.finish());
    }
}

#[test]
fn pulled_diagnostics_stay_unchanged_while_the_findings_do() {
    let mut client = client(json!({ "textDocument": { "diagnostic": { "relatedInformation": true } } }));
    client.open(URI, 1, PROGRAM);
    let pull = |previous: &Value| json!({ "textDocument": { "uri": URI }, "previousResultId": previous });
    let full = client.request("textDocument/diagnostic", pull(&Value::Null));
    assert_eq!(full["result"]["items"][0]["range"], place());
    assert!(full["result"]["items"][0].get("relatedInformation").is_some());
    let id = &full["result"]["resultId"];
    client.change(URI, 2, json!([{ "range": range((8, 0), (8, 0)), "text": "# below\n" }]));
    let same = client.request("textDocument/diagnostic", pull(id));
    assert_eq!(same["result"], json!({ "kind": "unchanged", "resultId": id }));
    client.change(URI, 3, json!([{ "range": range((0, 0), (0, 0)), "text": "# above\n" }]));
    let moved = client.request("textDocument/diagnostic", pull(id));
    assert_eq!(moved["result"]["items"][0]["range"], range((8, 10), (8, 23)));
    assert!(client.finish());
}

#[test]
fn columns_are_counted_in_the_encoding_that_was_agreed_on() {
    let text = PROGRAM.replace("print(", "print('é\u{1F600}', ");
    for (name, encoding, column) in
        [("utf-8", Encoding::Utf8, 20), ("utf-16", Encoding::Utf16, 17), ("utf-32", Encoding::Utf32, 16)]
    {
        let mut client = client(json!({ "general": { "positionEncodings": [name] } }));
        client.open(URI, 1, "");
        let found = diagnose(&mut client, 2, &text);
        let place = range((7, column), (7, column + 13));
        assert_eq!(found[0]["range"], place, "{name}");
        let hover = client.request("textDocument/hover", at(URI, 7, column + 2));
        assert_eq!(hover["result"]["range"], place);
        let replace = titled(&actions(&mut client, &place, json!({ "diagnostics": [] })), "Replace").clone();
        let fixed = applied(&text, edits(&replace), encoding);
        assert_eq!(fixed, text.replace("task.result()", "await task"));
        // An edit behind the wide characters.
        let insert = json!([{ "range": range((7, column), (7, column + 4)), "text": "other" }]);
        client.change(URI, 3, insert);
        // Nothing reads the task any more: that is said where it is made.
        assert_eq!(client.published(3)["diagnostics"][0]["range"], range((6, 11), (6, 38)));
        assert!(client.finish());
    }
}

#[test]
fn half_a_character_counts_as_one() {
    let mut client = client(json!({}));
    let text = PROGRAM.replace("print(", r"print('\ud83d', ").replace('\n', r"\n");
    let open = format!(
        r#"{{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{{"textDocument":{{"uri":"{URI}","version":1,"languageId":"python","text":"{text}"}}}}}}"#
    );
    client.wire.send(&framed(open.as_bytes()));
    assert_eq!(client.published(1)["diagnostics"][0]["range"], range((7, 15), (7, 28)));
    assert!(client.finish());
}

#[test]
fn every_fix_that_is_offered_repairs_the_program() {
    let mut client = client(json!({}));
    client.open(URI, 1, PROGRAM);
    // What VS Code asks at each move of the cursor: no diagnostics, an empty range.
    let cursor = range((7, 12), (7, 12));
    let offered = actions(&mut client, &cursor, json!({ "diagnostics": [], "triggerKind": 2 }));
    let titles: Vec<&str> = offered.iter().map(|action| action["title"].as_str().unwrap()).collect();
    assert_eq!(titles.first(), Some(&"Await `task` before asking (unsafe)"));
    assert_eq!(titles.last(), Some(&"Silence `result-before-done` on this line"));
    assert_eq!(titles.len(), 8, "{titles:?}");
    for (index, action) in offered.iter().enumerate() {
        assert_eq!(action["kind"], "quickfix");
        assert_eq!(action["diagnostics"][0]["code"], "result-before-done");
        assert!(action.get("isPreferred").is_none(), "no fix of this rule is safe");
        assert!(action.get("data").is_none());
        let fixed = applied(PROGRAM, edits(action), Encoding::Utf16);
        assert_eq!(diagnose(&mut client, 2 + index as i64, &fixed), [Value::Null; 0], "{fixed}");
    }
    assert!(client.finish());
}

#[test]
fn actions_are_found_by_place_and_by_diagnostic() {
    let mut client = client(json!({}));
    client.open(URI, 1, PROGRAM);
    let shown = client.published(1)["diagnostics"][0].clone();
    let mut bare = shown.clone();
    bare.as_object_mut().unwrap().retain(|name, _| ["range", "message", "code"].contains(&name.as_str()));
    let mut foreign = shown.clone();
    foreign["source"] = json!("another server");
    let elsewhere = range((7, 0), (7, 0));
    for (place, diagnostics, found) in [
        (place(), json!([]), true),
        (range((7, 10), (7, 10)), json!([]), true),
        (range((7, 23), (7, 23)), json!([]), true),
        (range((0, 0), (9, 0)), json!([]), true),
        (elsewhere.clone(), json!([]), false),
        (elsewhere.clone(), json!([shown]), true),
        (elsewhere.clone(), json!([bare]), true),
        (elsewhere.clone(), json!([foreign]), false),
    ] {
        let offered = actions(&mut client, &place, json!({ "diagnostics": diagnostics }));
        assert_eq!(!offered.is_empty(), found, "{place} {diagnostics}");
    }
    assert!(client.finish());
}

const WITH_SAFE_FIX: &str =
    "x = 1  # aiolint: ignore[result-before-done, exception-before-done]\ny = 2  # aiolint: ignore\n";

#[test]
fn only_the_kinds_that_were_asked_for_are_offered() {
    let mut client = client(json!({}));
    client.open(URI, 1, WITH_SAFE_FIX);
    let quickfix = "quickfix";
    let fix_all = "source.fixAll.aiolint";
    for (only, kinds) in [
        (json!(null), vec![quickfix, fix_all]),
        (json!([""]), vec![quickfix, fix_all]),
        (json!(["quickfix"]), vec![quickfix]),
        (json!(["source"]), vec![fix_all]),
        (json!(["source.fixAll"]), vec![fix_all]),
        (json!(["source.fixAll.aiolint"]), vec![fix_all]),
        (json!(["source.fix"]), vec![]),
        (json!(["source.fixAll.ruff"]), vec![]),
        (json!(["quickfix.aiolint"]), vec![]),
        (json!(["refactor", "source.fixAll"]), vec![fix_all]),
        (json!([]), vec![]),
    ] {
        let offered = actions(&mut client, &range((1, 9), (1, 9)), json!({ "diagnostics": [], "only": only }));
        let offered: Vec<&str> = offered.iter().map(|action| action["kind"].as_str().unwrap()).collect();
        assert_eq!(offered, kinds, "{only}");
    }
    assert!(client.finish());
}

#[test]
fn one_safe_fix_of_a_diagnostic_is_preferred() {
    let mut client = client(json!({}));
    client.open(URI, 1, WITH_SAFE_FIX);
    let offered = actions(&mut client, &range((0, 0), (2, 0)), json!({ "diagnostics": [], "only": ["quickfix"] }));
    assert_eq!(offered.len(), 2, "{offered:?}");
    for action in &offered {
        assert_eq!(action["isPreferred"], true);
        assert!(!action["title"].as_str().unwrap().contains("(safe)"));
    }
    assert!(client.finish());
}

#[test]
fn fix_all_applies_the_safe_fixes_and_no_other() {
    let text = format!("{WITH_SAFE_FIX}{PROGRAM}");
    let fixed = format!("x = 1\ny = 2\n{PROGRAM}");
    let resolves = json!({ "codeAction": { "resolveSupport": { "properties": ["edit"] } } });
    for (capabilities, resolved) in [(json!({}), false), (resolves, true)] {
        let mut client = client(json!({ "textDocument": capabilities }));
        client.open(URI, 1, &text);
        let offered = actions(&mut client, &place(), json!({ "diagnostics": [], "only": ["source.fixAll"] }));
        let [action] = offered.as_slice() else { panic!("{offered:?}") };
        assert_eq!(action.get("edit").is_none(), resolved);
        let whole = client.request("codeAction/resolve", action.clone())["result"].clone();
        assert_eq!(applied(&text, edits(&whole), Encoding::Utf16), fixed);
        assert!(client.finish());
    }
    // What nothing is left to be done for is not offered.
    let mut client = client(json!({}));
    client.open(URI, 1, PROGRAM);
    assert!(actions(&mut client, &place(), json!({ "diagnostics": [], "only": ["source"] })).is_empty());
    assert!(client.finish());
}

#[test]
fn an_action_that_is_not_ours_comes_back_as_it_is() {
    let mut client = client(json!({}));
    for action in [
        json!({ "title": "theirs" }),
        json!({ "title": "theirs", "data": "file:///a.py" }),
        json!({ "title": "theirs", "data": { "document": 7 } }),
        json!({ "title": "theirs", "edit": { "changes": {} }, "data": { "document": URI } }),
    ] {
        assert_eq!(client.request("codeAction/resolve", action.clone())["result"], action);
    }
    assert!(client.finish());
}

#[test]
fn edits_name_the_version_for_clients_that_check_it() {
    let mut client = client(json!({ "workspace": { "workspaceEdit": { "documentChanges": true } } }));
    client.open(URI, 1, "");
    diagnose(&mut client, 6, PROGRAM);
    let offered = actions(&mut client, &place(), json!({ "diagnostics": [] }));
    assert_eq!(
        titled(&offered, "Replace")["edit"],
        json!({ "documentChanges": [{
            "textDocument": { "uri": URI, "version": 6 },
            "edits": [{ "range": place(), "newText": "await task" }],
        }] })
    );
    assert!(client.finish());
}

#[test]
fn silencing_works_wherever_the_line_ends_and_adds_to_what_stands_there() {
    let both = PROGRAM.replace("task.result()", "task.result(), task.exception()");
    let comment = PROGRAM.replace("task.result())", "task.result())  # why not?");
    let continued = PROGRAM.replace("print(task.result())", "x = task.result() + \\\n        1");
    let string = PROGRAM.replace("print(task.result())", "x = f'''{task.result()}\n  more'''");
    let brackets = PROGRAM.replace("print(task.result())", "print(\n        task.result(),\n    )\r\n");
    for text in [both, comment, continued, string, brackets, PROGRAM.replace('\n', "\r\n"), PROGRAM.replace('\n', "\r")]
    {
        let mut client = client(json!({}));
        client.open(URI, 0, "");
        let mut current = text.clone();
        for round in 1..5 {
            let found = diagnose(&mut client, round, &current);
            let Some(first) = found.first() else { break };
            let offered = actions(&mut client, &first["range"], json!({ "diagnostics": [] }));
            current = applied(&current, edits(titled(&offered, "Silence")), Encoding::Utf16);
        }
        assert_eq!(diagnose(&mut client, 9, &current), [Value::Null; 0], "{current}");
        assert_eq!(current.matches("# aiolint: ignore[").count(), 1, "{current}");
        assert!(client.finish());
    }
}

#[test]
fn one_line_is_silenced_by_one_action_a_rule() {
    let mut client = client(json!({}));
    let two = "    other = asyncio.create_task(work())\n    print(task.result(), other.result(), task.exception())";
    client.open(URI, 1, &PROGRAM.replace("    print(task.result())", two));
    let offered = actions(&mut client, &range((8, 0), (9, 0)), json!({ "diagnostics": [] }));
    let early = |action: &&Value| action["title"].as_str().unwrap().starts_with("Await `other`");
    assert_eq!(offered.iter().filter(early).count(), 1, "{offered:#?}");
    let silences = offered.iter().filter(|action| action["title"].as_str().unwrap().starts_with("Silence"));
    assert_eq!(silences.count(), 1);
    assert!(client.finish());
}

#[test]
fn hover_tells_of_findings_and_tasks_in_the_format_of_the_client() {
    for (formats, kind) in [
        (json!(["markdown", "plaintext"]), "markdown"),
        (json!(["plaintext", "markdown"]), "markdown"),
        (json!(["plaintext"]), "plaintext"),
        (Value::Null, "markdown"),
    ] {
        let mut client = client(json!({ "textDocument": { "hover": { "contentFormat": formats } } }));
        client.open(URI, 1, PROGRAM);
        let on_finding = client.request("textDocument/hover", at(URI, 7, 18))["result"].clone();
        assert_eq!(on_finding["range"], place());
        assert_eq!(on_finding["contents"]["kind"], kind);
        let text = on_finding["contents"]["value"].as_str().unwrap();
        assert!(text.contains("result-before-done") && text.contains("line 7: the task is made here"), "{text}");
        assert_eq!(text.contains('`'), kind == "markdown", "{text}");
        assert_eq!(text.contains("**") || text.contains("]("), kind == "markdown", "{text}");
        let on_task = client.request("textDocument/hover", at(URI, 6, 6))["result"].clone();
        assert!(on_task.is_null() || on_task["contents"]["kind"] == kind, "{on_task}");
        assert_eq!(client.request("textDocument/hover", at(URI, 3, 6))["result"], Value::Null);
        assert!(client.finish());
    }
}

#[test]
fn settings_decide_which_rules_run() {
    let ignore = json!({ "ignore": ["result-before-done"] });
    let select = json!({ "select": ["exception-before-done"] });
    for options in [ignore.clone(), select, json!({ "settings": ignore }), json!({ "aiolint": ignore })] {
        let mut client = Client::in_process();
        client.initialize_with(json!({ "processId": null, "capabilities": {}, "initializationOptions": options }));
        client.open(URI, 1, PROGRAM);
        assert_eq!(client.published(1)["diagnostics"], json!([]), "{options}");
        assert!(client.finish());
    }
    // They may change, in a push or in the answer to a question of ours.
    let mut client = client(json!({}));
    client.open(URI, 1, PROGRAM);
    assert_ne!(client.published(1)["diagnostics"], json!([]));
    client.notify("workspace/didChangeConfiguration", json!({ "settings": { "aiolint": ignore } }));
    assert_eq!(client.published(1)["diagnostics"], json!([]));
    client.notify("workspace/didChangeConfiguration", json!({ "settings": {} }));
    assert_ne!(client.published(1)["diagnostics"], json!([]));
    assert!(client.finish());

    let mut client = Client::in_process();
    client.configuration = ignore;
    client.initialize(json!({ "workspace": { "configuration": true } }));
    while client.asked.is_empty() {
        client.next();
    }
    client.assert_alive();
    client.open(URI, 1, PROGRAM);
    assert_eq!(client.published(1)["diagnostics"], json!([]));
    assert!(client.finish());
}

#[test]
fn findings_follow_a_thousand_edits() {
    let mut client: Client<Process> = Client::spawn();
    client.initialize(json!({}));
    client.open(URI, 0, "");
    // The program typed key by key, deleted, and typed again until there were a thousand keys.
    let mut bytes = Vec::new();
    let mut version = 0;
    let mut key = |range: Value, text: &str| {
        version += 1;
        bytes.extend(frame(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
            "textDocument": { "uri": URI, "version": version },
            "contentChanges": [{ "range": range, "text": text }],
        } })));
        version
    };
    let last = loop {
        let (mut line, mut column, mut last) = (0, 0, 0);
        for character in PROGRAM.chars() {
            last = key(range((line, column), (line, column)), &character.to_string());
            (line, column) = if character == '\n' { (line + 1, 0) } else { (line, column + 1) };
        }
        if last > 1000 {
            break last;
        }
        key(range((0, 0), (99, 0)), "");
    };
    client.wire.send(&bytes);
    let mut versions = Vec::new();
    let newest = loop {
        let params = client.notification("textDocument/publishDiagnostics");
        versions.push(params["version"].as_i64().unwrap());
        if versions.last() == Some(&last) {
            break params;
        }
    };
    assert!(versions.is_sorted_by(|one, other| one < other), "{versions:?}");
    assert_eq!(newest["diagnostics"][0]["range"], place());
    assert_eq!(client.request("shutdown", Value::Null)["result"], Value::Null);
    assert!(client.notifications.is_empty(), "nothing follows the newest");
}
