//! Several answers in, the one that holds out: [`Settings`] of a file.
//!
//! What the editor or the command line says goes before what the file says, key by key, with two exceptions that ruff's users
//! know: rules that are ignored add up, and who selects rules there is asked nothing else about which run. Severities are told rule by
//! rule.

use std::path::Path;
use std::sync::Arc;

use super::trust::Trusted;
use super::{DottedNames, Options, Placed, Severity, Trust};
use crate::project::{OLDEST, Settings};

/// What one source says, and the folder that its paths are relative to.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// What it says.
    pub options: &'a Options,
    /// Its folder.
    pub folder: &'a Path,
}

/// The settings of the file at `path`. `layers` are in order, each stronger than those before it; `required` is the Python of
/// the project.
pub fn settings(path: &Path, layers: &[Layer<'_>], required: Option<(u8, u8)>) -> Settings {
    let mut settings = Settings { python: required.unwrap_or(OLDEST), ..Settings::default() };
    for Layer { options, folder } in layers {
        if let Some(Placed { value, .. }) = &options.select {
            settings.select = Some(value.clone());
            settings.ignore.clear();
            settings.severity.retain(|(_, severity)| *severity != Severity::Off);
        }
        settings.ignore.extend(options.ignore.iter().flat_map(|ignore| ignore.value.iter().cloned()));
        for (rule, severity) in options.severity.iter().flat_map(|severity| &severity.value) {
            settings.severity.retain(|(known, _)| known != rule);
            settings.severity.push((rule.clone(), *severity));
        }
        if let Some(version) = &options.python_version {
            settings.python = version.value;
        }
        if let Some(src) = &options.src {
            settings.src = src.value.iter().map(|src| joined(folder, src)).collect();
        }
        if let Some(environment) = &options.environment {
            settings.environment = Some(joined(folder, &environment.value));
        }
    }
    let ignores = layers.iter().filter_map(|of| Some((of.options.per_file_ignores.as_ref()?, of.folder))).next_back();
    if let Some((ignores, folder)) = ignores {
        let below = path.strip_prefix(folder).unwrap_or(path);
        let hit = ignores.value.iter().filter(|(globs, _)| globs.cover(below));
        settings.ignore.extend(hit.flat_map(|(_, rules)| rules.iter().cloned()));
    }
    settings.ignore.sort();
    settings.ignore.dedup();
    let trusted = |list: fn(&Options) -> &Option<Placed<DottedNames>>| {
        let strongest = layers.iter().filter_map(|of| Some((list(of.options).as_ref()?, of.folder))).next_back();
        strongest.map(|(names, folder)| Trusted::new(&names.value, path, folder)).unwrap_or_default()
    };
    settings.trust = Arc::new(Trust {
        safe_decorators: trusted(|options| &options.safe_decorators),
        task_keepers: trusted(|options| &options.task_keepers),
        coroutine_consumers: trusted(|options| &options.coroutine_consumers),
    });
    settings
}

/// Without the `.` and the slashes at the end that people write.
fn joined(folder: &Path, path: &str) -> std::path::PathBuf {
    folder.join(path).components().collect()
}
