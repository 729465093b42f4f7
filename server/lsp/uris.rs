//! Names of documents: what clients write where a URI is due, the key under which a document is kept, and its path.
//!
//! One file has many spellings (`file:///c%3A/x.py`, `file:///C:/x.py`), so documents are keyed by the path that a URI stands
//! for, and only what has no path by its text.

use std::path::PathBuf;

use serde_json::Value;
use tower_lsp::ls_types::Uri;

/// Escapes in place what may not stand in a URI: some editors send brackets, blanks or letters beyond ASCII as they are.
pub fn mend(params: &mut Value) {
    match params {
        Value::Array(items) => items.iter_mut().for_each(mend),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if matches!(name.as_str(), "uri" | "rootUri" | "oldUri" | "newUri") => {
                        if let Some(escaped) = escape(text) {
                            *text = escaped;
                        }
                    }
                    other => mend(other),
                }
            }
        }
        _ => {}
    }
}

/// `uri` with every illegal byte percent-encoded; nothing where all are legal.
fn escape(uri: &str) -> Option<String> {
    if uri.parse::<Uri>().is_ok() {
        return None;
    }
    let bytes = uri.as_bytes();
    let mut escaped = String::with_capacity(uri.len() + 16);
    for (at, &byte) in bytes.iter().enumerate() {
        let hex = |offset| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        let legal = match byte {
            b'%' => hex(1) && hex(2),
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(&byte),
        };
        if legal {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(escaped)
}

/// The path of a `file:` URI; `None` for any other.
pub fn path(uri: &Uri) -> Option<PathBuf> {
    let is_file = uri.scheme().as_str().eq_ignore_ascii_case("file");
    uri.to_file_path().filter(|_| is_file).map(|path| path.into_owned())
}

/// What a document is kept under: the path of a `file:` URI, decoded, a drive's letter in upper case; the text of any other.
/// Bytes, because a path need not be Unicode.
pub fn key(uri: &Uri) -> Vec<u8> {
    if !uri.scheme().as_str().eq_ignore_ascii_case("file") {
        return uri.as_str().as_bytes().to_vec();
    }
    let host = uri.authority().map(|authority| authority.host()).unwrap_or_default();
    let host = if host.eq_ignore_ascii_case("localhost") { "" } else { host };
    let mut key = [host.as_bytes(), &uri.path().decode().to_bytes()].concat();
    if let [b'/', drive, b':', ..] = key.as_mut_slice() {
        drive.make_ascii_uppercase();
    }
    key
}
