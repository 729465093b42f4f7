//! A table in, [`Options`] and [`Problem`]s out. The same keys in every file and from every editor.

use super::{DottedNames, Entry, FileIgnores, Globs, Options, Placed, Problem, SEVERITIES, Severity, Shape, Value};
use crate::text::{Span, nearest};

/// Every key, in the order in which the documentation lists them.
pub const KEYS: [&str; 11] = [
    "select",
    "ignore",
    "per-file-ignores",
    "severity",
    "python-version",
    "exclude",
    "src",
    "environment",
    "safe-decorators",
    "task-keepers",
    "coroutine-consumers",
];

/// So many problems are told of one file: who has more has the wrong file.
const MAX_PROBLEMS: usize = 100;

/// What a table says; `rules` are the names of all rules.
pub fn read(table: &[Entry], rules: &[&str]) -> (Options, Vec<Problem>) {
    let mut reader = Reader { rules, problems: Vec::new() };
    let mut options = Options::default();
    for entry in table {
        reader.entry(entry, &mut options);
    }
    reader.problems.sort_by_key(|problem| problem.span);
    (options, reader.problems)
}

struct Reader<'a> {
    rules: &'a [&'a str],
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn entry(&mut self, entry: &Entry, options: &mut Options) {
        let key = entry.key.as_str();
        match key {
            "select" => {
                let names = self.rule_names(key, &entry.value);
                // Of names that nobody knows nothing is left, and that is not what they were meant for.
                let is_meant = |names: &Vec<String>| !names.is_empty() || entry.value.shape.is_empty();
                options.select = placed(entry, names.filter(is_meant));
            }
            "ignore" => options.ignore = placed(entry, self.rule_names(key, &entry.value)),
            "per-file-ignores" => options.per_file_ignores = placed(entry, self.per_file_ignores(entry)),
            "severity" => options.severity = placed(entry, self.severities(entry)),
            "python-version" => options.python_version = placed(entry, self.version(entry)),
            "exclude" => options.exclude = placed(entry, self.globs(entry)),
            "src" => options.src = placed(entry, self.texts(entry)),
            "environment" => options.environment = placed(entry, self.text(key, "a path", &entry.value)),
            "safe-decorators" => options.safe_decorators = placed(entry, self.dotted(entry)),
            "task-keepers" => options.task_keepers = placed(entry, self.dotted(entry)),
            "coroutine-consumers" => options.coroutine_consumers = placed(entry, self.dotted(entry)),
            _ => {
                let hint = match nearest(&key.replace('_', "-"), KEYS) {
                    Some(known) => format!("; did you mean `{known}`?"),
                    None if key == "tool" => ": here the keys stand at the top, without `[tool.aiolint]`".to_owned(),
                    None => format!("; the keys are {}", listed(&KEYS)),
                };
                self.problem(entry.at, format!("unknown key `{key}`{hint}"));
            }
        }
    }

    fn problem(&mut self, span: Span, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { span, message });
        }
    }

    fn wrong(&mut self, key: &str, wanted: &str, value: &Value) {
        self.problem(value.span, format!("`{key}` must be {wanted}, not {}", value.shape.described()));
    }

    fn text(&mut self, key: &str, wanted: &str, value: &Value) -> Option<String> {
        match &value.shape {
            Shape::String(text) if !text.is_empty() => Some(text.clone()),
            Shape::String(_) => {
                self.problem(value.span, format!("`{key}` must be {wanted}, and is empty"));
                None
            }
            _ => {
                self.wrong(key, &format!("{wanted} in quotes"), value);
                None
            }
        }
    }

    /// The strings of a list, with their values; those left out that are none.
    fn strings<'v>(&mut self, key: &str, of: &str, value: &'v Value) -> Option<Vec<(&'v Value, String)>> {
        let Shape::List(items) = &value.shape else {
            self.wrong(key, &format!("a list of {of}"), value);
            return None;
        };
        let strings = items.iter().filter_map(|item| match &item.shape {
            Shape::String(text) => Some((item, text.clone())),
            _ => {
                self.wrong(key, &format!("a list of {of}"), item);
                None
            }
        });
        Some(strings.collect())
    }

    fn texts(&mut self, entry: &Entry) -> Option<Vec<String>> {
        let strings = self.strings(&entry.key, "folders", &entry.value)?;
        Some(strings.into_iter().map(|(_, text)| text).collect())
    }

    fn rule_names(&mut self, key: &str, value: &Value) -> Option<Vec<String>> {
        let strings = self.strings(key, "rules", value)?;
        Some(strings.into_iter().filter(|(item, name)| self.is_rule(name, item.span)).map(|(_, name)| name).collect())
    }

    fn is_rule(&mut self, name: &str, span: Span) -> bool {
        let known = self.rules.contains(&name);
        if !known {
            let hint = nearest(name, self.rules.iter().copied())
                .map_or_else(|| "; `aiolint rules` lists them".to_owned(), |rule| format!("; did you mean `{rule}`?"));
            self.problem(span, format!("no rule is called `{name}`{hint}"));
        }
        known
    }

    fn per_file_ignores(&mut self, entry: &Entry) -> Option<Vec<FileIgnores>> {
        let Shape::Table(table) = &entry.value.shape else {
            self.wrong(&entry.key, "a table of patterns and lists of rules", &entry.value);
            return None;
        };
        let mut all = Vec::new();
        for Entry { key: pattern, at, value } in table {
            let globs = Globs::new([pattern.clone()], |_, why| self.problem(*at, bad_pattern(pattern, &why)));
            let rules = self.rule_names(pattern, value);
            if let Some(rules) = rules.filter(|_| !globs.patterns().is_empty()) {
                all.push((globs, rules));
            }
        }
        Some(all)
    }

    fn severities(&mut self, entry: &Entry) -> Option<Vec<(String, Severity)>> {
        let words = SEVERITIES.map(|(word, _)| word);
        let Shape::Table(table) = &entry.value.shape else {
            self.wrong(&entry.key, "a table of rules and severities", &entry.value);
            return None;
        };
        let mut all = Vec::new();
        for Entry { key: rule, at, value } in table {
            let is_rule = self.is_rule(rule, *at);
            let Some(word) = self.text(rule, &listed_or(&words), value) else { continue };
            match SEVERITIES.iter().find(|(known, _)| *known == word) {
                Some((_, severity)) if is_rule => all.push((rule.clone(), *severity)),
                Some(_) => {}
                None => {
                    // `warn` is three letters short.
                    let meant = words.into_iter().find(|known| word.len() > 2 && known.starts_with(&word));
                    let hint = match meant.or_else(|| nearest(&word, words)) {
                        Some(known) => format!("did you mean `{known}`?"),
                        None => format!("it is {}", listed_or(&words)),
                    };
                    self.problem(value.span, format!("`{word}` is no severity; {hint}"));
                }
            }
        }
        Some(all)
    }

    fn version(&mut self, entry: &Entry) -> Option<(u8, u8)> {
        let text = self.text(&entry.key, "a version such as \"3.12\"", &entry.value)?;
        let minor = text.strip_prefix("3.").filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        let version = minor.and_then(|minor| minor.parse().ok()).map(|minor| (3, minor));
        if version.is_none() {
            let hint = "write the major and the minor number, such as \"3.12\"";
            self.problem(entry.value.span, format!("`{text}` is no version of Python; {hint}"));
        }
        version
    }

    fn globs(&mut self, entry: &Entry) -> Option<Globs> {
        let strings = self.strings(&entry.key, "patterns", &entry.value)?;
        let globs = Globs::new(strings.iter().map(|(_, text)| text.clone()), |index, why| {
            if let Some((item, pattern)) = strings.get(index) {
                self.problem(item.span, bad_pattern(pattern, &why));
            }
        });
        Some(globs)
    }

    fn dotted(&mut self, entry: &Entry) -> Option<DottedNames> {
        let strings = self.strings(&entry.key, "dotted names", &entry.value)?;
        let names = DottedNames::new(strings.iter().map(|(_, text)| text.clone()), |index| {
            if let Some((item, name)) = strings.get(index) {
                let hint = "write it as it is imported, such as `package.module.function`, or `package.module.*`";
                self.problem(item.span, format!("`{name}` is no dotted name; {hint}"));
            }
        });
        Some(names)
    }
}

fn placed<T>(entry: &Entry, value: Option<T>) -> Option<Placed<T>> {
    value.map(|value| Placed { value, at: entry.at })
}

fn bad_pattern(pattern: &str, why: &str) -> String {
    format!("`{pattern}` is no pattern of paths: {why}")
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn listed_or(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or `{last}`", listed(before)),
        _ => listed(words),
    }
}
