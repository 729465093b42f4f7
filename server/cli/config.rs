//! `aiolint config`: a path in, the settings that hold for it out, each with where it comes from.
//!
//! As text it is TOML, so that it can be kept as an `aiolint.toml`; for programs it is JSON.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::args::{ConfigArgs, OutputFormat};
use super::configurations::Configurations;
use super::{CLEAN, TROUBLE, json, terminal, walk};
use crate::project::config::{Configuration, KEYS, Options, Placed, Project, SEVERITIES};
use crate::project::{OFF_BY_DEFAULT, Settings};
use crate::rules::RULES;

/// Prints what holds for a path.
///
/// # Errors
/// If `out` can't be written.
pub fn config(args: &ConfigArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let path = walk::absolute(&args.path);
    let configurations = Configurations::new(&args.settings);
    let configurations = match configurations {
        _ if !path.exists() => Err(format!("cannot read {}: there is no such file", terminal::shown(&path))),
        known => known,
    };
    let configurations = match configurations {
        Ok(configurations) => configurations,
        Err(problem) => {
            let _ = writeln!(err, "error: {problem}");
            return Ok(TROUBLE);
        }
    };
    // A folder stands for the files in it.
    let project = configurations.project(&if path.is_dir() { path.join("*") } else { path.clone() });
    let settings = configurations.resolve(&path, &project);
    let excluded = configurations.exclude_below(&path);
    let known = Known { words: &configurations.words, project: &project, settings: &settings };
    let name = terminal::shown(&path);
    let file = project.configuration.as_deref().map(|file| terminal::shown(&file.path));
    configurations.complain(err);
    match args.output_format {
        OutputFormat::Text => {
            writeln!(out, "# What holds for {name}")?;
            match file {
                Some(file) => writeln!(out, "# by {file}")?,
                None => writeln!(out, "# by no configuration file")?,
            }
            if excluded {
                writeln!(out, "# It is excluded: it is checked only where it is named.")?;
            }
            writeln!(out)?;
            for key in KEYS {
                let (value, from) = known.of(key);
                match value {
                    Value::Null => writeln!(out, "# {key} is not set")?,
                    value => writeln!(out, "{key} = {}  # {}", toml(&value), from.join(", "))?,
                }
            }
        }
        OutputFormat::Json => {
            let settings: Map<String, Value> = KEYS
                .into_iter()
                .map(|key| {
                    let (value, from) = known.of(key);
                    (key.to_owned(), json!({ "value": value, "from": from }))
                })
                .collect();
            let all = json!({ "path": path, "configuration": file, "excluded": excluded, "settings": settings });
            json::pretty(&all, out)?;
        }
    }
    Ok(CLEAN)
}

/// What is known of a path.
struct Known<'a> {
    words: &'a Options,
    project: &'a Project,
    settings: &'a Settings,
}

impl Known<'_> {
    /// What holds for a key, and where it comes from. Null where it is not set.
    fn of(&self, key: &str) -> (Value, Vec<String>) {
        let settings = self.settings;
        let is_default = |rule: &&str| !OFF_BY_DEFAULT.contains(rule) || settings.severity(rule).is_some();
        let default = || RULES.iter().map(|rule| rule.name).filter(is_default).collect();
        match key {
            "select" => {
                let names: Vec<&str> =
                    settings.select.as_ref().map_or_else(default, |names| names.iter().map(String::as_str).collect());
                (json!(names), self.source(|options| &options.select))
            }
            "ignore" => {
                // Those of the path itself come by another key.
                let own: Vec<&String> = self
                    .options()
                    .filter_map(|options| options.ignore.as_ref())
                    .flat_map(|names| &names.value)
                    .collect();
                let names: Vec<&String> = settings.ignore.iter().filter(|rule| own.contains(rule)).collect();
                (json!(names), self.sources(|options| &options.ignore))
            }
            "severity" => {
                let word = |severity| SEVERITIES.iter().find(|(_, known)| *known == severity).map(|(word, _)| *word);
                let all = settings.severity.iter().map(|(rule, severity)| (rule.clone(), json!(word(*severity))));
                (Value::Object(all.collect()), self.sources(|options| &options.severity))
            }
            "per-file-ignores" => {
                let all = self.strongest(|options| &options.per_file_ignores).map(|all| {
                    let ignores = all.iter().map(|(globs, rules)| (globs.patterns().join(", "), json!(rules)));
                    Value::Object(ignores.collect())
                });
                (all.unwrap_or_else(|| json!({})), self.source(|options| &options.per_file_ignores))
            }
            "python-version" => {
                let (major, minor) = settings.python;
                let mut from = self.source(|options| &options.python_version);
                if let Some((_, (path, line))) = &self.project.python
                    && self.options().all(|options| options.python_version.is_none())
                {
                    from = vec![format!("{}:{line}", terminal::shown(path))];
                }
                (json!(format!("{major}.{minor}")), from)
            }
            "exclude" => {
                let globs = self.strongest(|options| &options.exclude).map(|globs| json!(globs.patterns()));
                (globs.unwrap_or_else(|| json!([])), self.source(|options| &options.exclude))
            }
            "src" => {
                let src: Vec<String> = settings.src.iter().map(|path| terminal::shown(path)).collect();
                let value = if src.is_empty() { Value::Null } else { json!(src) };
                (value, self.source(|options| &options.src))
            }
            "environment" => {
                let environment = settings.environment.as_deref().map(terminal::shown);
                (json!(environment), self.source(|options| &options.environment))
            }
            "safe-decorators" => self.names(|options| &options.safe_decorators),
            "task-keepers" => self.names(|options| &options.task_keepers),
            _ => self.names(|options| &options.coroutine_consumers),
        }
    }

    fn names(&self, key: fn(&Options) -> &Option<Placed<crate::project::config::DottedNames>>) -> (Value, Vec<String>) {
        (self.strongest(key).map_or_else(|| json!([]), |names| json!(names.names())), self.source(key))
    }

    fn file(&self) -> Option<&Configuration> {
        self.project.configuration.as_deref()
    }

    /// What is said, the strongest last.
    fn options(&self) -> impl Iterator<Item = &Options> {
        self.file().map(|file| &file.options).into_iter().chain([self.words])
    }

    fn strongest<T>(&self, key: fn(&Options) -> &Option<Placed<T>>) -> Option<&T> {
        self.options().filter_map(|options| key(options).as_ref()).map(|placed| &placed.value).last()
    }

    /// Where the strongest value comes from.
    fn source<T>(&self, key: fn(&Options) -> &Option<Placed<T>>) -> Vec<String> {
        self.sources(key).pop().into_iter().collect()
    }

    /// Where all values come from; `default` where nowhere.
    fn sources<T>(&self, key: fn(&Options) -> &Option<Placed<T>>) -> Vec<String> {
        let file = self.file().and_then(|file| {
            let placed = key(&file.options).as_ref()?;
            Some(format!("{}:{}", terminal::shown(&file.path), file.line(placed.at)))
        });
        let words = key(self.words).as_ref().map(|_| "command line".to_owned());
        let all: Vec<String> = file.into_iter().chain(words).collect();
        if all.is_empty() { vec!["default".to_owned()] } else { all }
    }
}

/// A value in one line of TOML. Its strings are those of JSON.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| format!("{} = {}", json!(key), toml(value));
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
