//! The streams that real editors sent: each is served to its end.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::client::Client;

const METHOD_NOT_FOUND: i64 = -32601;
const CANCELLED: i64 = -32800;

/// What an editor sent, up to its `shutdown`; some streams end without one.
struct Capture {
    editor: String,
    messages: Vec<Value>,
}

fn captures() -> Vec<Capture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/captures");
    let captures: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let mut messages: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            messages.retain(|message| message["method"] != "shutdown" && message["method"] != "exit");
            // The editor of the capture is long gone.
            messages[0]["params"]["processId"] = json!(std::process::id());
            Capture { editor: path.display().to_string(), messages }
        })
        .collect();
    assert_eq!(captures.len(), 8);
    captures
}

impl Capture {
    fn requests(&self) -> impl Iterator<Item = &Value> {
        self.messages.iter().filter(|message| is_request(message))
    }

    /// An error is due only to what is not offered, and to what was cancelled.
    fn check(&self, answer: &Value) {
        let cancelled = |id: &Value| {
            self.messages.iter().any(|message| message["method"] == "$/cancelRequest" && message["params"]["id"] == *id)
        };
        if let Some(code) = answer["error"]["code"].as_i64() {
            let expected = code == METHOD_NOT_FOUND || (code == CANCELLED && cancelled(&answer["id"]));
            assert!(expected, "{}: {answer}", self.editor);
        }
    }
}

fn is_request(message: &Value) -> bool {
    message.get("id").is_some() && message.get("method").is_some()
}

#[test]
fn every_editor_is_served_step_by_step() {
    for capture in captures() {
        let mut client = Client::spawn();
        for message in &capture.messages {
            client.write(message);
            if is_request(message) {
                capture.check(&client.answer(&message["id"]));
            }
        }
        assert_eq!(client.request("shutdown", Value::Null)["result"], Value::Null);
        client.notify("exit", Value::Null);
        assert_eq!(client.wire.wait(), Some(0), "{}", capture.editor);
    }
}

#[test]
fn every_editor_is_served_in_a_rush() {
    for capture in captures() {
        let mut client = Client::in_process();
        for message in &capture.messages {
            client.write(message);
        }
        let mut waiting: Vec<&Value> = capture.requests().map(|message| &message["id"]).collect();
        while !waiting.is_empty() {
            let message = client.next();
            if message.get("method").is_none() {
                capture.check(&message);
                waiting.retain(|id| **id != message["id"]);
            }
        }
        assert!(client.finish(), "{}", capture.editor);
    }
}
