//! The protocol, message by message, with a server in this process.

use serde_json::{Value, json};

use crate::client::{Client, Pipes, Wire, at, frame, range};

const URI: &str = "file:///project/a.py";

fn client(capabilities: Value) -> Client<Pipes> {
    let mut client = Client::in_process();
    client.initialize(capabilities);
    client
}

#[test]
fn the_position_encoding_is_the_cheapest_that_the_client_takes() {
    for (offered, taken) in [
        (json!(["utf-16", "utf-8"]), "utf-8"),
        (json!(["utf-32", "utf-8", "utf-16"]), "utf-8"),
        (json!(["utf-32", "utf-16"]), "utf-16"),
        (json!(["utf-32"]), "utf-32"),
        (json!(["utf-7"]), "utf-16"),
        (json!([]), "utf-16"),
        (Value::Null, "utf-16"),
    ] {
        let mut client = Client::in_process();
        let answer = client.initialize(json!({ "general": { "positionEncodings": offered } }));
        assert_eq!(answer["capabilities"]["positionEncoding"], taken, "{offered}");
        assert!(client.finish());
    }
}

#[test]
fn the_answer_to_initialize_says_what_is_offered() {
    let mut client = Client::in_process();
    let resolves = json!({ "textDocument": { "codeAction": { "resolveSupport": { "properties": ["edit"] } } } });
    let answer = client.initialize(resolves);
    let capabilities = &answer["capabilities"];
    assert_eq!(capabilities["textDocumentSync"], json!({ "openClose": true, "change": 2 }));
    assert_eq!(capabilities["hoverProvider"], true);
    assert_eq!(
        capabilities["codeActionProvider"],
        json!({ "codeActionKinds": ["quickfix", "source.fixAll.aiolint"], "resolveProvider": true })
    );
    assert_eq!(answer["serverInfo"], json!({ "name": "aiolint", "version": env!("CARGO_PKG_VERSION") }));
}

#[test]
fn diagnostics_are_published_to_clients_that_do_not_pull() {
    let mut client = Client::in_process();
    let answer = client.initialize(json!({}));
    assert!(answer["capabilities"].get("diagnosticProvider").is_none());
    client.open(URI, 1, "x = 1\n");
    assert_eq!(client.published(1), json!({ "uri": URI, "version": 1, "diagnostics": [] }));
    client.change(URI, 2, json!([{ "range": range((0, 4), (0, 5)), "text": "2" }]));
    client.published(2);
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": URI } }));
    let cleared = client.notification("textDocument/publishDiagnostics");
    assert_eq!(cleared, json!({ "uri": URI, "diagnostics": [] }));
    assert!(client.finish());
}

#[test]
fn what_a_message_costs_is_told_to_who_asks() {
    let mut client = client(json!({}));
    client.open(URI, 1, "async def work(): pass\n\nasync def main(): work()\n");
    client.published(1);
    assert!(client.notifications.is_empty(), "{:?}", client.notifications);
    client.notify("$/setTrace", json!({ "value": "messages" }));
    client.change(URI, 2, json!([{ "range": range((2, 0), (2, 0)), "text": "\n" }]));
    client.change(URI, 3, json!([{ "range": range((0, 18), (0, 22)), "text": "1" }]));
    let told = client.notification("$/logTrace");
    assert_eq!(told["message"], "functions analysed in /project/a.py: 1");
    assert!(client.finish());
}

#[test]
fn diagnostics_are_only_pulled_by_clients_that_do() {
    let mut client = Client::in_process();
    let answer = client.initialize(json!({ "textDocument": { "diagnostic": {} } }));
    assert_eq!(
        answer["capabilities"]["diagnosticProvider"],
        json!({ "identifier": "aiolint", "interFileDependencies": true, "workspaceDiagnostics": false })
    );
    let whole = json!({ "capabilities": { "textDocument": { "diagnostic": {} } },
        "initializationOptions": { "diagnosticMode": "workspace" } });
    let whole = Client::in_process().initialize_with(whole);
    assert_eq!(whole["capabilities"]["diagnosticProvider"]["workspaceDiagnostics"], true);
    client.open(URI, 1, "x = 1\n");
    let pull = |previous: &Value| json!({ "textDocument": { "uri": URI }, "previousResultId": previous });
    let full = client.request("textDocument/diagnostic", pull(&Value::Null));
    assert_eq!(full["result"]["kind"], "full");
    assert_eq!(full["result"]["items"], json!([]));
    let id = &full["result"]["resultId"];
    let same = client.request("textDocument/diagnostic", pull(id));
    assert_eq!(same["result"], json!({ "kind": "unchanged", "resultId": id }));
    client.change(URI, 2, json!([{ "text": "y = 1\n" }]));
    let other = client.request("textDocument/diagnostic", pull(&json!("of another server")));
    assert_eq!(other["result"]["kind"], "full");
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": URI } }));
    let closed = client.request("textDocument/diagnostic", pull(&Value::Null));
    assert_eq!(closed["result"]["items"], json!([]));
    assert_eq!(client.request("shutdown", Value::Null)["result"], Value::Null);
    assert!(client.notifications.is_empty(), "{:?}", client.notifications);
}

#[test]
fn one_file_is_one_document_however_its_name_is_spelled() {
    for (opened, changed) in [
        ("file:///c%3A/code/a.py", "file:///C:/code/a.py"),
        ("file:///code/caf%C3%A9.py", "file:///code/caf%c3%a9.py"),
        ("file:///code/%5Bx%5D.py", "file:///code/[x].py"),
        ("file:///code/a%20b.py", "file:///code/a b.py"),
        ("file:///code/\u{e9}.py", "file:///code/%C3%A9.py"),
        ("file:///code/100%.py", "file:///code/100%25.py"),
        ("file:///a.py", "file://localhost/a.py"),
        ("untitled:Untitled-1", "untitled:Untitled-1"),
    ] {
        let mut client = client(json!({}));
        client.open(opened, 1, "");
        client.published(1);
        client.change(changed, 2, json!([{ "text": "x = 1\n" }]));
        client.published(2);
        assert!(client.finish(), "{opened}");
    }
}

#[test]
fn paths_that_are_not_unicode_are_kept_apart() {
    let mut client = client(json!({}));
    for (version, uri) in [(1, "file:///%FF.py"), (2, "file:///%FE.py")] {
        client.open(uri, version, "");
        assert_eq!(client.published(version)["uri"], uri);
    }
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": "file:///%FF.py" } }));
    client.change("file:///%FE.py", 3, json!([]));
    client.published(3);
    assert!(client.finish());
}

#[test]
fn changes_to_a_document_that_is_not_open_are_ignored() {
    let mut client = client(json!({}));
    client.change(URI, 2, json!([{ "range": range((0, 0), (9, 9)), "text": "x" }]));
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": URI } }));
    client.assert_alive();
    assert!(client.notifications.is_empty());
    assert!(client.finish());
}

#[test]
fn odd_versions_and_ranges_are_taken_as_they_come() {
    let mut client = client(json!({}));
    client.open(URI, 7, "x = 1\n");
    client.published(7);
    client.open(URI, 1, "x = 2\n");
    client.published(1);
    let far = range((4_000_000_000, 9), (0, u32::MAX));
    client.change(URI, 0, json!([{ "range": far, "rangeLength": 3, "text": "y" }]));
    client.published(0);
    client.change(URI, 0, json!([]));
    client.published(0);
    assert!(client.finish());
}

#[test]
fn a_cancelled_request_is_answered_all_the_same() {
    let mut client = client(json!({}));
    // The first question takes the owner a while; the others are cancelled meanwhile.
    client.open(URI, 1, &"async def f(t):\n    return t.result()\n".repeat(2_000));
    let mut bytes = Vec::new();
    for id in 100..200 {
        let hover = json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/hover", "params": at(URI, 0, 0) });
        bytes.extend(frame(&hover));
        bytes.extend(frame(&json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": id } })));
    }
    client.wire.send(&bytes);
    let (mut ids, mut cancelled) = (Vec::new(), 0);
    while ids.len() < 100 {
        let message = client.next();
        let Some(id) = message["id"].as_i64() else { continue };
        if let Some(error) = message.get("error") {
            assert_eq!(error["code"], -32800, "{message}");
            cancelled += 1;
        }
        ids.push(id);
    }
    ids.sort_unstable();
    assert!(ids.into_iter().eq(100..200));
    assert!(cancelled > 0);
    client.notify("$/cancelRequest", json!({ "id": "never sent" }));
    assert!(client.finish());
}

#[test]
fn settings_that_nobody_understands_are_not_fatal() {
    let mut client = Client::in_process();
    client.configuration = json!({ "select": ["no-such-rule", 7], "ignore": "text" });
    client.initialize_with(json!({
        "processId": null,
        "initializationOptions": { "select": { "a": 1 }, "unknown": true },
        "capabilities": { "workspace": {
            "configuration": true,
            "didChangeConfiguration": { "dynamicRegistration": true },
        } },
    }));
    for settings in [Value::Null, json!(3), json!([]), json!({ "aiolint": { "ignore": ["result-before-done"] } })] {
        client.notify("workspace/didChangeConfiguration", json!({ "settings": settings }));
    }
    // Once after `initialized`, and once after each change.
    while client.asked.iter().filter(|method| *method == "workspace/configuration").count() < 5 {
        client.next();
    }
    assert!(client.asked.iter().any(|method| method == "client/registerCapability"));
    assert!(client.finish());
}

#[test]
fn pulled_diagnostics_are_refreshed_when_the_settings_change() {
    let mut client = client(json!({
        "textDocument": { "diagnostic": {} },
        "workspace": { "diagnostics": { "refreshSupport": true } },
    }));
    client.open(URI, 1, "");
    client.notify("workspace/didChangeConfiguration", json!({ "settings": { "ignore": ["result-before-done"] } }));
    while client.asked.is_empty() {
        client.next();
    }
    assert_eq!(client.asked, ["workspace/diagnostic/refresh"]);
    assert!(client.finish());
}

#[test]
fn the_order_of_messages_is_kept_under_load() {
    let mut client = client(json!({}));
    client.open(URI, 0, "");
    let mut bytes = Vec::new();
    for version in 1..=1000 {
        bytes.extend(frame(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
            "textDocument": { "uri": URI, "version": version },
            "contentChanges": [{ "range": range((0, 0), (0, 0)), "text": "#" }],
        } })));
        let (id, params) = (10_000 + version, at(URI, 0, 0));
        bytes.extend(frame(&json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/hover", "params": params })));
    }
    client.wire.send(&bytes);
    let mut answers = 0;
    let mut versions = Vec::new();
    while answers < 1000 || versions.last() != Some(&1000) {
        let message = client.next();
        match message["params"]["version"].as_i64() {
            Some(version) => versions.push(version),
            None => answers += 1,
        }
    }
    assert!(versions.is_sorted_by(|one, other| one < other), "{versions:?}");
    assert!(client.finish());
}

#[test]
fn a_whole_session_may_be_sent_at_once() {
    let mut client = Client::in_process();
    let messages = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "processId": null, "capabilities": {} } }),
        json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }),
        json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params":
            { "textDocument": { "uri": URI, "version": 4, "languageId": "python", "text": "" } } }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "textDocument/hover", "params": at(URI, 0, 0) }),
        json!({ "jsonrpc": "2.0", "id": 3, "method": "shutdown", "params": {} }),
        json!({ "jsonrpc": "2.0", "method": "exit" }),
    ];
    client.wire.send(&messages.iter().flat_map(frame).collect::<Vec<u8>>());
    let (mut answered, mut published) = (Vec::new(), Vec::new());
    while let Some(message) = client.wire.receive() {
        match message["id"].as_i64() {
            Some(id) => answered.push((id, message.get("error").is_none())),
            None => published.push(message["params"]["version"].clone()),
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, [(1, true), (2, true), (3, true)]);
    assert_eq!(published, [4]);
}

#[test]
fn requests_after_shutdown_are_refused() {
    let mut client = client(json!({}));
    assert_eq!(client.request("shutdown", Value::Null)["result"], Value::Null);
    assert_eq!(client.request("textDocument/hover", at(URI, 0, 0))["error"]["code"], -32600);
    assert_eq!(client.request("shutdown", Value::Null)["error"]["code"], -32600);
    client.notify("exit", Value::Null);
    while client.wire.receive().is_some() {}
}
