//! What the client's JSON says about the settings. Nothing in it is fatal: what is not understood is logged and left out.

use serde_json::Value as Json;
use tracing::{debug, warn};

use crate::project::config::{Entry, KEYS, Options, Shape, Value, read};
use crate::rules::RULES;
use crate::text::Span;

/// Lists and tables nest no deeper than this in settings.
const DEPTH: u32 = 3;

/// What the client chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// What a configuration file could say as well.
    pub options: Options,
    /// The diagnostics of all files of the workspace are wanted, not only those of open ones.
    pub workspace: bool,
}

/// The setting that only an editor has. Its name and values are those of other Python servers.
const DIAGNOSTIC_MODE: &str = "diagnosticMode";

/// The settings in `initializationOptions` or in a configuration of the workspace: the keys of a configuration file and
/// `diagnosticMode`, as they are or under `aiolint` or `settings`. `None` where there are none.
pub fn parse(value: &Json) -> Option<Chosen> {
    let inner = ["aiolint", "settings"].iter().find_map(|name| value.get(name));
    if let Some(inner) = inner {
        return parse(inner);
    }
    let fields = value.as_object()?.iter();
    // What an editor's user has not set may come as null, and editors have keys of their own.
    let is_known = |key: &str| key == DIAGNOSTIC_MODE || KEYS.contains(&key);
    let (known, others): (Vec<_>, Vec<_>) =
        fields.filter(|(_, value)| !value.is_null()).partition(|(key, _)| is_known(key));
    for (key, _) in others {
        debug!("the setting `{key}` is not one of the server's");
    }
    if known.is_empty() {
        return None;
    }
    let mode = known.iter().find(|(key, _)| *key == DIAGNOSTIC_MODE).and_then(|(_, value)| value.as_str());
    if let Some(unknown) = mode.filter(|mode| !["openFilesOnly", "workspace"].contains(mode)) {
        warn!("in the editor's settings: `{DIAGNOSTIC_MODE}` is `openFilesOnly` or `workspace`, not `{unknown}`");
    }
    let keys = known.into_iter().filter(|(key, _)| *key != DIAGNOSTIC_MODE);
    let entries: Vec<Entry> = keys.map(|(key, value)| entry(key, value, DEPTH)).collect();
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    let (options, problems) = read(&entries, &rules);
    for problem in problems {
        warn!("in the editor's settings: {}", problem.message);
    }
    Some(Chosen { options, workspace: mode == Some("workspace") })
}

fn entry(key: &str, value: &Json, depth: u32) -> Entry {
    Entry { key: key.to_owned(), at: Span::default(), value: convert(value, depth) }
}

fn convert(value: &Json, depth: u32) -> Value {
    let shape = match value {
        Json::String(text) => Shape::String(text.clone()),
        Json::Array(_) | Json::Object(_) if depth == 0 => Shape::Other("a list or table"),
        Json::Array(items) => Shape::List(items.iter().map(|item| convert(item, depth - 1)).collect()),
        Json::Object(fields) => Shape::Table(fields.iter().map(|(key, value)| entry(key, value, depth - 1)).collect()),
        Json::Number(_) => Shape::Other("a number"),
        Json::Bool(_) => Shape::Other("`true` or `false`"),
        Json::Null => Shape::Other("null"),
    };
    Value { span: Span::default(), shape }
}
