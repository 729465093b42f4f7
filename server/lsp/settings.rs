//! What the client's JSON says about the settings. Nothing in it is fatal: what is not understood is logged and left out.

use serde_json::Value;
use tracing::warn;

use crate::project::Settings;
use crate::rules;

/// The settings in `initializationOptions` or in a configuration of the workspace: `{"select": […], "ignore": […]}`, as it is or
/// under `aiolint` or `settings`. `None` where there are none.
pub fn parse(value: &Value) -> Option<Settings> {
    let inner = ["aiolint", "settings"].iter().find_map(|name| value.get(name));
    if let Some(inner) = inner {
        return parse(inner);
    }
    let select = names(value, "select");
    let ignore = names(value, "ignore");
    if select.is_none() && ignore.is_none() {
        return None;
    }
    Some(Settings { select: select.unwrap_or_default(), ignore: ignore.unwrap_or_default(), ..Settings::default() })
}

fn names(value: &Value, field: &str) -> Option<Vec<String>> {
    let items = match value.get(field)? {
        Value::Array(items) => items,
        Value::Null => return None,
        _ => {
            warn!("the setting `{field}` is not a list of rules: ignored");
            return None;
        }
    };
    let known = items.iter().filter_map(|item| match item.as_str() {
        Some(name) if rules::find(name).is_some() => Some(name.to_owned()),
        _ => {
            warn!("the setting `{field}` names no rule with {item}: ignored");
            None
        }
    });
    Some(known.collect())
}
