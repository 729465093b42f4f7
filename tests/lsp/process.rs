//! The real binary: how it ends, and what a client may do to its streams.

use std::io::BufReader;

use serde_json::{Value, json};

use crate::client::{Client, Process, Wire, at, frame, framed, range, read_message};

const URI: &str = "file:///project/a.py";

fn client() -> Client<Process> {
    let mut client = Client::spawn();
    client.initialize(json!({}));
    client
}

#[test]
fn exit_after_shutdown_ends_it_with_0_while_stdin_is_open() {
    for shutdown in [
        json!({ "jsonrpc": "2.0", "id": 9, "method": "shutdown" }),
        json!({ "jsonrpc": "2.0", "id": 9, "method": "shutdown", "params": null }),
        json!({ "jsonrpc": "2.0", "id": 9, "method": "shutdown", "params": {} }),
    ] {
        let mut client = client();
        client.write(&shutdown);
        assert_eq!(client.answer(&json!(9)).get("error"), None, "{shutdown}");
        client.notify("exit", Value::Null);
        assert_eq!(client.wire.wait(), Some(0));
        assert!(client.wire.stdin.is_some());
    }
}

#[test]
fn exit_without_shutdown_ends_it_with_1() {
    for mut client in [client(), Client::spawn()] {
        client.write(&json!({ "jsonrpc": "2.0", "method": "exit" }));
        assert_eq!(client.wire.wait(), Some(1));
    }
}

#[test]
fn the_end_of_stdin_ends_it() {
    let mut uninitialized = Client::spawn();
    uninitialized.wire.stdin = None;
    assert_eq!(uninitialized.wire.wait(), Some(1));

    let mut client = client();
    client.open(URI, 1, "x = 1\n");
    let hover = client.ask("textDocument/hover", at(URI, 0, 0));
    client.wire.stdin = None;
    assert!(client.answer(&json!(hover)).get("result").is_some());
    assert_eq!(client.wire.wait(), Some(1));

    let mut shut_down = self::client();
    shut_down.request("shutdown", Value::Null);
    shut_down.wire.stdin = None;
    assert_eq!(shut_down.wire.wait(), Some(0));
}

#[test]
fn a_closed_stdout_ends_it() {
    let (mut process, stdout) = Process::spawn_unread();
    drop(stdout);
    process
        .send(&frame(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "capabilities": {} } })));
    assert_eq!(process.wait(), Some(1));
}

#[cfg(unix)]
#[test]
fn it_ends_with_its_editor() {
    // Any process can be the editor.
    let (mut editor, _stdout) = Process::spawn_unread();
    let mut client = Client::spawn();
    client.initialize_with(json!({ "processId": editor.id, "capabilities": {} }));
    client.assert_alive();
    editor.stdin = None;
    editor.wait();
    assert_eq!(client.wire.wait(), Some(1));
}

#[test]
fn a_client_that_writes_before_it_reads_loses_nothing() {
    let (mut process, stdout) = Process::spawn_unread();
    let initialize = json!({ "jsonrpc": "2.0", "id": -1, "method": "initialize", "params": { "capabilities": {} } });
    process.send(&frame(&initialize));
    process.send(&frame(&json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} })));
    // Far more than both pipes hold, questions and answers.
    let requests = 20_000;
    for id in 0..requests {
        let hover = json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/hover", "params": at(URI, 0, 0) });
        process.send(&frame(&hover));
    }
    let mut stdout = BufReader::new(stdout);
    let mut ids: Vec<i64> =
        (0..=requests).map(|_| read_message(&mut stdout).unwrap()["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(-1..requests));
    process.send(&frame(&json!({ "jsonrpc": "2.0", "id": 1, "method": "shutdown" })));
    process.send(&frame(&json!({ "jsonrpc": "2.0", "method": "exit" })));
    assert_eq!(process.wait(), Some(0));
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let mut client = client();
    // Each is worth a line in the log; together they fill the pipe several times.
    for _ in 0..5000 {
        client.wire.send(&framed(b"[\"what a client should never send\"]"));
    }
    client.assert_alive();
    assert_eq!(client.finish(), Some(0));
}

#[test]
fn a_large_document_is_taken() {
    let mut client = client();
    let line = "x = 'a line of some length, which nobody will ever read'\n";
    client.open(URI, 1, &line.repeat((2 << 20) / line.len()));
    client.published(1);
    client.change(URI, 2, json!([{ "range": range((1, 0), (1, 0)), "text": "y" }]));
    client.published(2);
    assert_eq!(client.finish(), Some(0));
}

#[test]
fn hostile_documents_are_taken() {
    let deep = 100_000;
    let call = "import asyncio\nasync def f():\n    t = asyncio.create_task(g())\n    ";
    let mut client = client();
    for (version, text) in [
        "\0".repeat(1 << 20),
        "(".repeat(10_000),
        format!("x = {}t.result(){}\n", "(".repeat(deep), ")".repeat(deep)),
        format!("{call}x = {}t.result(){}\n", "[".repeat(deep), "]".repeat(deep)),
        format!("{call}x = t{}.result()\n", ".a".repeat(deep)),
        format!("{call}x = {}t.result()\n", "not ".repeat(deep)),
        format!("{call}x = t.result(){}\n", " + 1".repeat(deep)),
        format!("{call}{}", (0..300).map(|n| format!("{}if t.result():\n", " ".repeat(n + 4))).collect::<String>()),
        "result \r".repeat(10_000),
    ]
    .iter()
    .enumerate()
    {
        client.open(URI, version as i64, text);
        client.published(version as i64);
        client.request("textDocument/hover", at(URI, 3, 8));
        let place = range((0, 0), (4, 0));
        client.request(
            "textDocument/codeAction",
            json!({ "textDocument": { "uri": URI }, "range": place, "context": { "diagnostics": [] } }),
        );
    }
    assert_eq!(client.finish(), Some(0));
}

#[test]
fn a_client_that_never_reads_can_still_end_it() {
    let (mut process, _stdout) = Process::spawn_unread();
    process
        .send(&frame(&json!({ "jsonrpc": "2.0", "id": -1, "method": "initialize", "params": { "capabilities": {} } })));
    for id in 0..5000 {
        let hover = json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/hover", "params": at(URI, 0, 0) });
        process.send(&frame(&hover));
    }
    process.send(&frame(&json!({ "jsonrpc": "2.0", "id": "end", "method": "shutdown" })));
    process.send(&frame(&json!({ "jsonrpc": "2.0", "method": "exit" })));
    assert_eq!(process.wait(), Some(0));
    assert!(process.stdin.is_some());
}
