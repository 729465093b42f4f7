//! A client for tests. Every wait has a generous deadline and ends with the event it waits for.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(30);

/// A message as it goes over the wire.
pub fn frame(message: &Value) -> Vec<u8> {
    framed(message.to_string().as_bytes())
}

/// A body with its header.
pub fn framed(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// Reads a message; `None` at the end of the stream.
pub fn read_message(stream: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => length = line.strip_prefix("Content-Length: ").unwrap().parse().unwrap(),
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

/// Carries bytes to a server and messages back.
pub trait Wire {
    fn send(&mut self, bytes: &[u8]);
    /// The next message; `None` when the server has closed the stream.
    fn receive(&mut self) -> Option<Value>;
}

/// A server in this process.
pub struct Pipes {
    runtime: Runtime,
    to_server: WriteHalf<DuplexStream>,
    from_server: ReadHalf<DuplexStream>,
    read: Vec<u8>,
    server: Option<JoinHandle<bool>>,
}

impl Pipes {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        let (input, output) = tokio::io::split(theirs);
        let server = Some(runtime.spawn(aiolint::lsp::serve(input, output)));
        let (from_server, to_server) = tokio::io::split(ours);
        Self { runtime, to_server, from_server, read: Vec::new(), server }
    }
}

impl Wire for Pipes {
    fn send(&mut self, bytes: &[u8]) {
        let write = self.to_server.write_all(bytes);
        self.runtime.block_on(async { timeout(DEADLINE, write).await.expect("the server reads").unwrap() });
    }

    fn receive(&mut self) -> Option<Value> {
        loop {
            let mut rest = self.read.as_slice();
            if rest.windows(4).any(|bytes| bytes == b"\r\n\r\n")
                && let Some(message) = read_message(&mut rest)
            {
                let taken = self.read.len() - rest.len();
                self.read.drain(..taken);
                return Some(message);
            }
            let read = self.from_server.read_buf(&mut self.read);
            let count =
                self.runtime.block_on(async { timeout(DEADLINE, read).await.expect("the server writes").unwrap() });
            if count == 0 {
                return None;
            }
        }
    }
}

/// The real binary. It ends at the latest when its stdin is dropped.
pub struct Process {
    pub id: u32,
    pub stdin: Option<ChildStdin>,
    messages: Receiver<Value>,
    exit_code: Receiver<Option<i32>>,
}

impl Process {
    fn spawn() -> Self {
        let (mut process, stdout) = Self::spawn_unread();
        let (sender, messages) = channel();
        process.messages = messages;
        let mut stdout = BufReader::new(stdout);
        thread::spawn(move || {
            while let Some(message) = read_message(&mut stdout) {
                let _ = sender.send(message);
            }
        });
        process
    }

    /// A server whose output nobody reads yet.
    pub fn spawn_unread() -> (Self, ChildStdout) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aiolint"))
            .arg("server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A pipe that nobody reads: the log must not stop the server.
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (id, stdin, stdout) = (child.id(), child.stdin.take(), child.stdout.take().unwrap());
        let (sender, exit_code) = channel();
        thread::spawn(move || sender.send(child.wait().unwrap().code()));
        (Self { id, stdin, messages: channel().1, exit_code }, stdout)
    }

    /// Waits for the end of the process; its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.exit_code.recv_timeout(DEADLINE).expect("the server ends")
    }
}

impl Wire for Process {
    fn send(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn receive(&mut self) -> Option<Value> {
        match self.messages.recv_timeout(DEADLINE) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the server writes nothing"),
        }
    }
}

/// A client with its wire to a server.
pub struct Client<W> {
    pub wire: W,
    next_id: i64,
    /// Notifications that nobody has asked for yet.
    pub notifications: VecDeque<Value>,
    /// Methods of the server's requests, in order.
    pub asked: Vec<String>,
    /// What `workspace/configuration` is answered with.
    pub configuration: Value,
}

impl Client<Pipes> {
    pub fn in_process() -> Self {
        Self::over(Pipes::start())
    }

    /// Ends the session in order; whether the server took it so.
    pub fn finish(mut self) -> bool {
        assert_eq!(self.request("shutdown", Value::Null)["result"], Value::Null);
        self.notify("exit", Value::Null);
        let server = self.wire.server.take().unwrap();
        self.wire.runtime.block_on(async { timeout(DEADLINE, server).await.expect("the server ends").unwrap() })
    }
}

impl Client<Process> {
    pub fn spawn() -> Self {
        Self::over(Process::spawn())
    }

    /// Ends the session in order; the exit code.
    pub fn finish(mut self) -> Option<i32> {
        assert_eq!(self.request("shutdown", Value::Null)["result"], Value::Null);
        self.notify("exit", Value::Null);
        self.wire.wait()
    }
}

impl<W: Wire> Client<W> {
    fn over(wire: W) -> Self {
        Self { wire, next_id: 0, notifications: VecDeque::new(), asked: Vec::new(), configuration: Value::Null }
    }

    pub fn initialize(&mut self, capabilities: Value) -> Value {
        self.initialize_with(json!({ "processId": std::process::id(), "capabilities": capabilities }))
    }

    pub fn initialize_with(&mut self, params: Value) -> Value {
        let mut answer = self.request("initialize", params);
        self.notify("initialized", json!({}));
        answer["result"].take()
    }

    pub fn write(&mut self, message: &Value) {
        self.wire.send(&frame(message));
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request; its id.
    pub fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.next_id += 1;
        self.write(&json!({ "jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params }));
        self.next_id
    }

    /// Sends a request and waits for its answer.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        self.answer(&json!(id))
    }

    /// Waits for the answer to the request with this id.
    pub fn answer(&mut self, id: &Value) -> Value {
        loop {
            let message = self.next();
            if message.get("method").is_none() && message["id"] == *id {
                return message;
            }
        }
    }

    /// The next message. Requests of the server are answered on the way, and notifications kept.
    pub fn next(&mut self) -> Value {
        let message = self.wire.receive().expect("the server is there");
        if let Some(method) = message["method"].as_str() {
            if let Some(id) = message.get("id") {
                self.asked.push(method.to_owned());
                let result = match method {
                    "workspace/configuration" => json!([self.configuration]),
                    _ => Value::Null,
                };
                let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
                self.write(&answer);
            } else {
                self.notifications.push_back(message.clone());
            }
        }
        message
    }

    /// Waits for a notification of this method; its parameters.
    pub fn notification(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.notifications.iter().position(|message| message["method"] == method) {
                return self.notifications.remove(at).unwrap()["params"].take();
            }
            self.next();
        }
    }

    /// Waits for the diagnostics of this version.
    pub fn published(&mut self, version: i64) -> Value {
        loop {
            let params = self.notification("textDocument/publishDiagnostics");
            if params["version"] == version {
                return params;
            }
        }
    }

    pub fn open(&mut self, uri: &str, version: i64, text: &str) {
        let document = json!({ "uri": uri, "version": version, "languageId": "python", "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    pub fn change(&mut self, uri: &str, version: i64, changes: Value) {
        let document = json!({ "uri": uri, "version": version });
        self.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// Fails unless the server still answers.
    pub fn assert_alive(&mut self) {
        let answer = self.request("textDocument/hover", at("file:///none.py", 0, 0));
        assert!(answer.get("result").is_some(), "{answer}");
    }
}

pub fn at(uri: &str, line: u32, character: u32) -> Value {
    json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } })
}

pub fn range(start: (u32, u32), end: (u32, u32)) -> Value {
    json!({
        "start": { "line": start.0, "character": start.1 },
        "end": { "line": end.0, "character": end.1 },
    })
}
