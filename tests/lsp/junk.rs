//! Whatever comes over the stream, the messages before and after it are served.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::client::{Client, Pipes, Wire, frame, framed, range};

const HOVER: &str = r#"{"jsonrpc":"2.0","id":"x","method":"textDocument/hover","params":{"textDocument":{"uri":"file:///a.py"},"position":{"line":0,"character":0}}}"#;

fn client() -> Client<Pipes> {
    let mut client = Client::in_process();
    client.initialize(json!({}));
    client
}

/// Sends junk, and expects the next request to be answered and the session to end in order.
fn survives(junk: &[u8]) {
    let mut client = client();
    client.wire.send(junk);
    client.assert_alive();
    client.wire.send(junk);
    assert!(client.finish(), "after {:?}", String::from_utf8_lossy(junk));
}

fn malformed_bodies() -> Vec<Vec<u8>> {
    let deep = format!(r#"{{"jsonrpc":"2.0","method":"x","params":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let deep_elsewhere = format!(r#"{{"jsonrpc":"2.0","method":"x","y":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let bodies: &[&[u8]] = &[
        b"",
        b"{",
        b"null",
        b"[]",
        b"42",
        b"\"text\"",
        b"{}",
        br#"{"jsonrpc":"2.0"}"#,
        br#"{"jsonrpc":"2.0","id":1}"#,
        br#"{"jsonrpc":"1.0","id":1,"method":"shutdown"}"#,
        br#"{"jsonrpc":"2.0","method":7}"#,
        br#"{"jsonrpc":"2.0","id":{},"method":"shutdown"}"#,
        br#"{"jsonrpc":"2.0","id":1.5,"method":"shutdown"}"#,
        br#"{"jsonrpc":"2.0","method":"x","params":1e999}"#,
        br#"{"jsonrpc":"2.0","method":"x","extra":1e999}"#,
        br#"{"jsonrpc":"2.0","method":"x","method":"y"}"#,
        br#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":"#,
        b"\xff\xfe{\x00",
        br#"["2.0","shutdown",null,1]"#,
        br#"[{"jsonrpc":"2.0","id":7,"method":"shutdown"}]"#,
        br#"{"jsonrpc":"2.0","id":99,"result":null}"#,
        br#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"?"}}"#,
        deep.as_bytes(),
        deep_elsewhere.as_bytes(),
    ];
    bodies.iter().map(|body| framed(body)).collect()
}

fn malformed_headers() -> Vec<Vec<u8>> {
    let headers = [
        "Content-Length: -5\r\n\r\n{}",
        "Content-Length: many\r\n\r\n{}",
        "Content-Length:\r\n\r\n{}",
        "Content-Length: 99999999999999999999999999\r\n\r\n{}",
        "Content-Length: 9999999999\r\n\r\n{}",
        "Content-Length: 5\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"x\"}",
        "Content-Length: 30\r\n{\"jsonrpc\":\"2.0\",\"method\":\"x\"}",
        "Content-Length: 0\r\n\r\n",
        "Content-Type: application/json\r\n\r\n",
        "starting up...\n",
        "\r\n\r\n\r\n",
        "\0\0\0\0",
        "no line break",
        "Content-Length",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
    ];
    let long =
        ["x".repeat(100_000), "Content-Length: ".repeat(1000), format!("Content-Length: {}\r\n", "0".repeat(10_000))];
    headers.iter().map(ToString::to_string).chain(long).map(String::into_bytes).collect()
}

#[test]
fn malformed_bodies_are_dropped() {
    malformed_bodies().iter().for_each(|junk| survives(junk));
}

#[test]
fn malformed_headers_are_skipped() {
    malformed_headers().iter().for_each(|junk| survives(junk));
}

#[test]
fn one_process_survives_all_of_it() {
    let mut client = Client::spawn();
    client.initialize(json!({}));
    for junk in [malformed_bodies(), malformed_headers()].concat() {
        client.wire.send(&junk);
        client.assert_alive();
    }
    assert_eq!(client.finish(), Some(0));
}

#[test]
fn a_length_that_is_too_great_costs_only_its_own_message() {
    for excess in [1, 30, 100_000, 100_000_000] {
        let body = r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#;
        let header = format!("Content-Length: {}\r\n\r\n", body.len() + excess);
        survives(format!("{header}{body}").as_bytes());
    }
}

#[test]
fn text_that_looks_like_a_header_is_text() {
    let mut client = client();
    let text = "Content-Length: 5\r\n\r\nContent-Length: 7\n\n";
    let open = json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params":
        { "textDocument": { "uri": "file:///a.py", "version": 3, "languageId": "python", "text": text } } });
    // In pieces, so that the body is incomplete for a while.
    for piece in frame(&open).chunks(7) {
        client.wire.send(piece);
    }
    client.published(3);
    assert!(client.finish());
}

#[test]
fn headers_come_in_any_case_and_company() {
    let length = HOVER.len();
    for header in [
        format!("content-length: {length}\r\n\r\n"),
        format!("CONTENT-LENGTH:{length}\r\n\r\n"),
        format!("Content-Length: {length}\n\n"),
        format!("Content-Type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: {length}\r\n\r\n"),
        format!("Content-Length: {length}\r\nContent-Type: text/plain; charset=latin-1\r\n\r\n"),
        format!("X-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\nContent-Length: {length}\r\n\r\n"),
        format!("junk without a line break content-length: {length}\r\n\r\n"),
    ] {
        let mut client = client();
        client.wire.send(format!("{header}{HOVER}").as_bytes());
        assert_eq!(client.answer(&json!("x")).get("error"), None, "{header}");
        assert!(client.finish());
    }
}

#[test]
fn a_message_may_come_byte_by_byte() {
    let mut client = client();
    for byte in framed(HOVER.as_bytes()) {
        client.wire.send(&[byte]);
    }
    assert_eq!(client.answer(&json!("x")).get("error"), None);
}

#[test]
fn text_that_is_not_unicode_is_mended() {
    let texts: &[&[u8]] =
        &[br"\ud800", br"\udc00\ud800", br"x\\\ud83d!", br"\ud83d\ude00", br"\ud83d\ud83d\ude00", b"\xff\x80 caf\xe9"];
    for text in texts {
        let head = br#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///a.py","version":5,"languageId":"python","text":""#;
        let mut client = client();
        client.wire.send(&framed(&[head, *text, b"\"}}}"].concat()));
        client.published(5);
        assert!(client.finish(), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn requests_with_wrong_parameters_are_refused_and_notifications_ignored() {
    let mut client = client();
    for params in [Value::Null, json!([]), json!({}), json!({ "textDocument": 1, "position": {} })] {
        assert_eq!(client.request("textDocument/hover", params.clone())["error"]["code"], -32602);
        for method in ["didOpen", "didChange", "didClose"] {
            client.notify(&format!("textDocument/{method}"), params.clone());
        }
        client.notify("$/cancelRequest", params.clone());
        client.notify("workspace/didChangeConfiguration", params);
    }
    client.notify("no/such/thing", json!({}));
    assert_eq!(client.request("no/such/thing", json!({}))["error"]["code"], -32601);
    client.assert_alive();
    assert!(client.finish());
}

#[test]
fn a_bad_initialize_can_be_followed_by_a_good_one() {
    let mut client = Client::in_process();
    assert_eq!(client.request("initialize", json!({ "capabilities": 3 }))["error"]["code"], -32602);
    assert_eq!(client.request("textDocument/hover", json!({}))["error"]["code"], -32002);
    client.initialize(json!({}));
    assert_eq!(client.request("initialize", json!({ "capabilities": {} }))["error"]["code"], -32600);
    assert!(client.finish());
}

/// Replaces a part of a stream by other bytes: where it starts, and how much of the rest it takes, in thousandths.
fn damage() -> impl Strategy<Value = (usize, usize, Vec<u8>)> {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..4),
        Just(b"\r\n".to_vec()),
        Just(b"Content-Length: 7\r\n\r\n".to_vec()),
        Just(b"Content-Length: 700\r\n\r\n{".to_vec()),
        Just(b"9".to_vec()),
    ];
    (0..1000_usize, prop_oneof![Just(0), 0..3_usize, 0..400_usize], bytes)
}

proptest! {
    #[test]
    fn a_damaged_stream_does_not_cost_the_next_request(damages in vec(damage(), 1..5), cuts in vec(1..200_usize, 1..8)) {
        let uri = "file:///a.py";
        let document = json!({ "uri": uri, "version": 1, "languageId": "python", "text": "é\u{1F600}\r\nx = 1\n" });
        let change = json!({
            "textDocument": { "uri": uri, "version": 2 },
            "contentChanges": [{ "range": range((0, 1), (1, 2)), "text": "y" }],
        });
        let mut stream = [
            frame(&json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document } })),
            framed(HOVER.as_bytes()),
            frame(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": change })),
        ]
        .concat();
        for (start, length, bytes) in damages {
            let start = stream.len() * start / 1000;
            let end = start + (stream.len() - start) * length / 1000;
            stream.splice(start..end, bytes);
        }
        let mut client = client();
        let mut rest = stream.as_slice();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            client.wire.send(piece);
            rest = after;
        }
        client.wire.send(rest);
        client.assert_alive();
        prop_assert!(client.finish());
    }
}
