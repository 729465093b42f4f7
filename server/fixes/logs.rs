//! How a fix logs an error, and the functions at module level that do it when a task is done.
//!
//! In: a [`Site`]. Out: the lines, in the author's words where the module has a logger of its own. A done callback has to ask
//! `cancelled()` first, for `exception()` raises `CancelledError` where the task was cancelled.

use super::edits::fresh_name;
use super::{Global, Site};

/// What a module calls its logger.
const LOGGERS: [&str; 8] = ["logger", "_logger", "log", "_log", "LOGGER", "_LOGGER", "LOG", "_LOG"];

/// The logger that a fix writes to.
pub(super) struct Logger {
    /// `logger`, or `logging.getLogger(__name__)`.
    name: String,
    /// The module that must be imported for that.
    pub imports: Vec<&'static str>,
}

impl Logger {
    /// The one for code at the site.
    pub fn at(site: &Site) -> Self {
        let own = |name: &&str| site.names.global(name) == Some(Global::Call("logging.getLogger".to_owned()));
        if let Some(name) = LOGGERS.iter().find(|name| own(name)) {
            return Self { name: (*name).to_owned(), imports: Vec::new() };
        }
        let mut imports = Vec::new();
        let function = site.spelled("logging.getLogger", &mut imports);
        Self { name: format!("{function}(__name__)"), imports }
    }

    /// The one for code at module level. `None` where `logging` is something else there.
    fn of_module(site: &Site) -> Option<Self> {
        let here = Self::at(site);
        if LOGGERS.contains(&here.name.as_str()) {
            return Some(here);
        }
        let imports = match site.names.global("logging") {
            None => vec!["logging"],
            Some(Global::Import(module)) if module == "logging" => Vec::new(),
            Some(_) => return None,
        };
        Some(Self { name: "logging.getLogger(__name__)".to_owned(), imports })
    }

    /// A line for an `except` block: it logs what was caught.
    pub fn caught(&self) -> String {
        format!("{}.exception(\"task failed\")", self.name)
    }

    /// A line that logs an exception.
    pub fn error(&self, exception: &str) -> String {
        format!("{}.error(\"task failed\", exc_info={exception})", self.name)
    }

    /// Two lines that log the error of a done task.
    pub fn error_of(&self, task: &str, unit: &str) -> [String; 2] {
        [
            format!("if not {task}.cancelled() and {task}.exception() is not None:"),
            format!("{unit}{}", self.error(&format!("{task}.exception()"))),
        ]
    }
}

/// A done callback at module level.
pub(super) struct Callback {
    pub name: String,
    /// What must stand before the item for it.
    pub definitions: Vec<String>,
    pub imports: Vec<&'static str>,
}

impl Callback {
    /// One that logs the task's error.
    pub fn logs(site: &Site, unit: &str) -> Option<Self> {
        Self::new(site, "_log_task_error", &[], unit, true)
    }

    /// One that takes the task out of the set at module level and logs its error. `known`: the set is there already.
    pub fn discards(site: &Site, set: &str, unit: &str, known: bool) -> Option<Self> {
        let one = set.trim_start_matches('_').trim_end_matches('s').to_lowercase();
        Self::new(site, &format!("_{one}_done"), &[format!("{set}.discard(task)")], unit, known)
    }

    fn new(site: &Site, base: &str, first: &[String], unit: &str, known: bool) -> Option<Self> {
        // A plain function of that name is the one that an earlier fix has brought.
        if known && site.names.global(base) == Some(Global::Function) {
            return Some(Self { name: base.to_owned(), definitions: Vec::new(), imports: Vec::new() });
        }
        let name = module_name(site, base);
        let logger = Logger::of_module(site)?;
        let body = first.iter().cloned().chain(logger.error_of("task", unit));
        let lines = body.flat_map(|line| [site.newline.to_owned(), unit.to_owned(), line]);
        let definition = format!("def {name}(task):{}", lines.collect::<String>());
        Some(Self { name, definitions: vec![definition], imports: logger.imports })
    }
}

/// A name like `base` for something new at module level.
pub(super) fn module_name(site: &Site, base: &str) -> String {
    let numbered = (2..100).map(|number| format!("{base}{number}"));
    let mut free = std::iter::once(base.to_owned()).chain(numbered).filter(|name| site.names.global(name).is_none());
    free.find(|name| fresh_name(site.src, name) == *name).unwrap_or_else(|| fresh_name(site.src, base))
}
