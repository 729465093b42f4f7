//! Bytes of a stream in, well-formed JSON-RPC messages out: nothing that an editor, or something in its place, writes can
//! bring down what reads these messages.
//!
//! The framework ends the process at the first malformed frame. So whatever goes on to it has been parsed into its own types
//! here first, and everything else is dropped and logged. A header is never believed beyond its own frame: where the length is
//! wrong, or junk stands between frames, reading goes on at the next `Content-Length`, and only what lay before is lost.

use std::str;

use memchr::{memchr, memchr2_iter};
use serde_json::Value;
use tower_lsp::jsonrpc::{Request, Response};
use tracing::{debug, warn};

use super::uris;

const LENGTH: &[u8] = b"content-length";
/// No header block is longer than this, in bytes.
const MAX_HEADER: usize = 4096;
/// No message is longer than this, in bytes.
const MAX_BODY: usize = 256 << 20;
/// A buffer that grew beyond this for one message is given back, in bytes.
const KEPT_CAPACITY: usize = 1 << 20;

/// One JSON-RPC message from the client.
#[derive(Debug)]
pub enum Message {
    /// A request, or a notification.
    Request(Request),
    /// The answer to a request of ours.
    Response(Response),
}

impl Message {
    /// The message as a frame that the framework reads without fail.
    pub fn to_frame(&self) -> serde_json::Result<Vec<u8>> {
        let body = match self {
            Self::Request(request) => serde_json::to_vec(request)?,
            Self::Response(response) => serde_json::to_vec(response)?,
        };
        let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        frame.extend_from_slice(&body);
        Ok(frame)
    }
}

/// Cuts a stream of bytes into messages.
#[derive(Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// Up to here the body of an incomplete frame holds no other header.
    searched: usize,
}

enum Header {
    Complete { body: usize, length: usize },
    Partial,
    Bad,
}

enum Step {
    Message(Box<Message>),
    Again,
    Wait,
}

impl Frames {
    /// Adds what was read from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, or `None` until more bytes have come.
    pub fn next(&mut self) -> Option<Message> {
        loop {
            match self.step() {
                Step::Message(message) => return Some(*message),
                Step::Again => {}
                Step::Wait => return None,
            }
        }
    }

    fn step(&mut self) -> Step {
        let Some(start) = find_header(&self.buffer) else {
            // The start of a header may stand at the very end.
            self.discard(self.buffer.len().saturating_sub(LENGTH.len() - 1));
            return Step::Wait;
        };
        self.discard(start);
        let (body, length) = match parse_header(&self.buffer) {
            Header::Complete { body, length } => (body, length),
            Header::Partial => return Step::Wait,
            Header::Bad => return self.reject("malformed header"),
        };
        if length > MAX_BODY {
            return self.reject("message too long");
        }
        let end = body + length;
        if self.buffer.len() < end {
            return self.resynchronise(body);
        }
        match parse_message(&self.buffer[body..end]) {
            Some(message) => {
                self.consume(end);
                Step::Message(Box::new(message))
            }
            None => self.reject("not a JSON-RPC message"),
        }
    }

    /// Looks for a header inside of an incomplete body. JSON can hold none, as a line break within a string is escaped: where
    /// one stands all the same, the length before it was too great, and waiting for that many bytes would swallow what follows.
    fn resynchronise(&mut self, body: usize) -> Step {
        let mut from = self.searched.max(body);
        while let Some(found) = find_header(&self.buffer[from..]) {
            let at = from + found;
            match parse_header(&self.buffer[at..]) {
                Header::Complete { .. } => {
                    warn!("dropped a message: its length reaches into the next one");
                    self.discard(at);
                    return Step::Again;
                }
                Header::Partial => {
                    self.searched = at;
                    return Step::Wait;
                }
                Header::Bad => from = at + 1,
            }
        }
        self.searched = self.buffer.len().saturating_sub(LENGTH.len()).max(from);
        Step::Wait
    }

    /// Gives up the header at the start of the buffer; reading goes on right behind its first byte.
    fn reject(&mut self, why: &str) -> Step {
        let shown = String::from_utf8_lossy(&self.buffer[..self.buffer.len().min(120)]);
        warn!("dropped a message, {why}: {shown:?}");
        self.consume(1);
        Step::Again
    }

    fn discard(&mut self, bytes: usize) {
        if bytes > 0 {
            debug!("skipped {bytes} bytes outside of any message");
            self.consume(bytes);
        }
    }

    fn consume(&mut self, bytes: usize) {
        self.buffer.drain(..bytes);
        self.searched = 0;
        if self.buffer.capacity() > KEPT_CAPACITY && self.buffer.len() < KEPT_CAPACITY / 2 {
            self.buffer.shrink_to(KEPT_CAPACITY);
        }
    }
}

fn find_header(bytes: &[u8]) -> Option<usize> {
    memchr2_iter(b'c', b'C', bytes)
        .find(|&at| bytes[at..].get(..LENGTH.len()).is_some_and(|name| name.eq_ignore_ascii_case(LENGTH)))
}

/// Parses the header block at the start of `bytes`. Lines may end without a carriage return, and names in any case.
fn parse_header(bytes: &[u8]) -> Header {
    let mut length = None;
    let mut at = 0;
    loop {
        let Some(line_end) = memchr(b'\n', &bytes[at..bytes.len().min(MAX_HEADER)]) else {
            return if bytes.len() < MAX_HEADER { Header::Partial } else { Header::Bad };
        };
        let line = bytes[at..at + line_end].trim_ascii();
        at += line_end + 1;
        if line.is_empty() {
            return length.map_or(Header::Bad, |length| Header::Complete { body: at, length });
        }
        let Some(colon) = memchr(b':', line) else { return Header::Bad };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if !name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Header::Bad;
        }
        if name.eq_ignore_ascii_case(LENGTH) {
            match str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()) {
                Some(number) => length = Some(number),
                None => return Header::Bad,
            }
        }
        if at >= MAX_HEADER {
            return Header::Bad;
        }
    }
}

/// One JSON object that is a request, a notification or a response. Text that is not Unicode is mended rather than dropped, for
/// a lost edit would leave the document wrong until it is opened again.
fn parse_message(body: &[u8]) -> Option<Message> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let mut text = String::from_utf8_lossy(body).into_owned().into_bytes();
    mend_surrogates(&mut text);
    match serde_json::from_slice::<Request>(&text) {
        Ok(request) if !request.method().is_empty() => Some(Message::Request(normalise(request))),
        _ => serde_json::from_slice(&text).ok().map(Message::Response),
    }
}

/// Takes away what the framework refuses though it does no harm: parameters of `shutdown`, URIs with characters that ought to
/// have been escaped.
fn normalise(request: Request) -> Request {
    let (method, id, params) = request.into_parts();
    let mut builder = Request::build(method.clone());
    if let Some(id) = id {
        builder = builder.id(id);
    }
    match params {
        None | Some(Value::Null) => builder.finish(),
        Some(_) if method == "shutdown" => builder.finish(),
        Some(mut params) => {
            uris::mend(&mut params);
            builder.params(params).finish()
        }
    }
}

/// Replaces each escaped half of a surrogate pair that stands alone by U+FFFD. JavaScript clients send them when the cursor
/// cuts a character; no Rust string can hold them.
fn mend_surrogates(json: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = memchr(b'\\', &json[at..]) {
        at += found;
        match escaped_unit(&json[at..]) {
            Some(0xD800..=0xDBFF) if matches!(escaped_unit(&json[at + 6..]), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                json[at + 2..at + 6].copy_from_slice(b"fffd");
                at += 6;
            }
            _ => at += 2,
        }
        if at >= json.len() {
            return;
        }
    }
}

/// The UTF-16 unit that a `\uXXXX` at the start of `json` stands for.
fn escaped_unit(json: &[u8]) -> Option<u16> {
    let digits = json.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}
