//! The rules as users know them: names, levels, pages.

use crate::report::Level;

/// A rule as users know it.
#[derive(Debug)]
pub struct Rule {
    /// Stable, kebab-case.
    pub name: &'static str,
    /// The level of its certain findings.
    pub level: Level,
    /// One line: what it finds.
    pub summary: &'static str,
    /// The texts that Python prints for this defect; `aiolint explain "TEXT"` searches them.
    pub errors: &'static [&'static str],
    /// The Markdown page.
    pub page: &'static str,
}

/// Every rule, in the order in which documentation lists them.
pub static RULES: &[Rule] = &[
    Rule {
        name: "result-before-done",
        level: Level::Error,
        summary: "`result()` on a task or future that is not done",
        errors: &["InvalidStateError: Result is not set."],
        page: include_str!("result-before-done.md"),
    },
    Rule {
        name: "exception-before-done",
        level: Level::Error,
        summary: "`exception()` on a task or future that is not done",
        errors: &["InvalidStateError: Exception is not set."],
        page: include_str!("exception-before-done.md"),
    },
    Rule {
        name: "cancelled-task-unguarded",
        level: Level::Error,
        summary: "a cancelled task whose `CancelledError` nothing expects",
        errors: &["CancelledError"],
        page: include_str!("cancelled-task-unguarded.md"),
    },
    Rule {
        name: "coroutine-never-awaited",
        level: Level::Error,
        summary: "a coroutine that nothing awaits",
        errors: &[
            "RuntimeWarning: coroutine 'work' was never awaited",
            "RuntimeWarning: Enable tracemalloc to get the object allocation traceback",
        ],
        page: include_str!("coroutine-never-awaited.md"),
    },
    Rule {
        name: "coroutine-reused",
        level: Level::Error,
        summary: "a coroutine that is awaited again",
        errors: &[
            "RuntimeError: cannot reuse already awaited coroutine",
            "RuntimeError: coroutine is being awaited already",
        ],
        page: include_str!("coroutine-reused.md"),
    },
    Rule {
        name: "dangling-task",
        level: Level::Warning,
        summary: "a task that nothing holds, or in a variable that nobody reads",
        errors: &["Task exception was never retrieved", "Task was destroyed but it is pending!"],
        page: include_str!("dangling-task.md"),
    },
    Rule {
        name: "task-exception-never-retrieved",
        level: Level::Warning,
        summary: "a task that can fail, and whose exception nobody asks for",
        errors: &["Task exception was never retrieved"],
        page: include_str!("task-exception-never-retrieved.md"),
    },
    Rule {
        name: "task-error-unhandled",
        level: Level::Warning,
        summary: "an `await` or `result()` that raises what the task raised",
        errors: &[],
        page: include_str!("task-error-unhandled.md"),
    },
    Rule {
        name: "await-outside-async",
        level: Level::Error,
        summary: "`await` where Python does not take it: in a plain `def`, a `lambda`, a class body, at module level",
        errors: &[
            "SyntaxError: 'await' outside async function",
            "SyntaxError: 'await' outside function",
            "SyntaxError: 'async for' outside async function",
            "SyntaxError: 'async with' outside async function",
            "SyntaxError: asynchronous comprehension outside of an asynchronous function",
        ],
        page: include_str!("await-outside-async.md"),
    },
    Rule {
        name: "unused-ignore-comment",
        level: Level::Hint,
        summary: "a suppression comment that silences nothing",
        errors: &[],
        page: include_str!("unused-ignore-comment.md"),
    },
];

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

impl Rule {
    /// Where its page stands on the web: the link of every diagnostic.
    pub fn url(&self) -> String {
        format!("https://github.com/aiolint/aiolint/blob/main/server/rules/{}.md", self.name)
    }
}
