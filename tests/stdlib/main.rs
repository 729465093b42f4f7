//! The tables of the standard library: what a caller asks of them, and CPython as their judge (`cpython.py`, in words of its own).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
#[path = "../oracle/mod.rs"]
mod oracle;

use std::collections::BTreeSet;

use aiolint::facts::{ItemNames, ModuleNames, Names, ScopeId, extract};
use aiolint::project::stdlib::{self, Class, Decorated, Gives, Kind, Member, Takes, Versions, When};
use aiolint::tree::Tree;
use oracle::Program;
use serde_json::{Map, Value, json};

fn gives(gives: Gives) -> Value {
    match gives {
        // Which class it is depends on whose method it is; what is entered is judged by `Class::entered`.
        Gives::Unknown | Gives::Itself => Value::Null,
        Gives::Instance(path) => json!(path),
        Gives::Tuple(parts) => parts.iter().map(|part| self::gives(*part)).collect(),
    }
}

fn versions(versions: Versions) -> Value {
    json!([versions.since, versions.until])
}

fn row(member: Member) -> Value {
    let (kind, qualname) = match member.kind {
        Kind::Coroutine(qualname) => ("Coroutine", qualname),
        Kind::Function => ("Function", ""),
        Kind::Value => ("Value", ""),
        Kind::Other => ("Other", ""),
    };
    json!({"kind": kind, "qualname": qualname, "gives": gives(member.gives), "versions": versions(member.versions)})
}

/// The names of a class, inherited ones included.
fn names(class: &Class) -> BTreeSet<&'static str> {
    let own = class.members.iter().map(|member| member.name).chain(class.others.iter().copied());
    own.chain(class.bases.iter().flat_map(|base| names(stdlib::class(base).unwrap()))).collect()
}

fn tables() -> Value {
    let functions: Map<_, _> = stdlib::functions().iter().map(|f| (f.name.to_owned(), row(*f))).collect();
    let members = |class: &Class| -> Map<String, Value> {
        names(class).into_iter().map(|name| (name.to_owned(), row(class.member(name).unwrap()))).collect()
    };
    let classes: Map<_, _> = stdlib::classes().iter().map(|c| (c.path.to_owned(), members(c).into())).collect();
    let mut entered = Vec::new();
    for class in stdlib::classes() {
        for (is_async, enter) in [(true, "__aenter__"), (false, "__enter__")] {
            if class.member(enter).is_some() {
                entered.push(json!([class.path, is_async, class.entered(is_async).map(|class| class.path)]));
            }
        }
    }
    let consumers = stdlib::CONSUMERS.iter().map(|consumer| {
        let takes = match consumer.takes {
            Takes::First(keyword) => ("First", keyword),
            Takes::Each => ("Each", ""),
            Takes::Elements(keyword) => ("Elements", keyword),
        };
        let when = format!("{:?}", consumer.when);
        json!({"path": consumer.path, "takes": takes, "when": when, "versions": versions(consumer.versions)})
    });
    let decorators = stdlib::DECORATORS.iter().map(|(path, decorated)| json!([path, format!("{decorated:?}")]));
    json!({
        "functions": functions,
        "classes": classes,
        "entered": entered,
        "consumers": consumers.collect::<Value>(),
        "only_look": stdlib::ONLY_LOOK,
        "decorators": decorators.collect::<Value>(),
        "neutral_bases": stdlib::NEUTRAL_BASES,
    })
}

#[test]
fn cpython_agrees() {
    // JSON in a JSON string is a literal that Python reads, too.
    let tables = json!(tables().to_string());
    let source = format!("import json\nTABLES = json.loads({tables})\n{}", include_str!("cpython.py"));
    let Some(outcomes) = oracle::run_all(&[Program::new("tables", source)]) else { return };
    let printed = &outcomes[0].printed;
    assert_eq!(outcomes[0].code, Some(0), "{printed}");
    assert_eq!(printed.lines().filter(|line| !line.starts_with("judged by 3.")).collect::<Vec<_>>(), [""; 0]);
}

/// They are searched by halves.
#[test]
fn tables_are_sorted_and_name_what_is_there() {
    let sorted = |names: &[&str]| assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    sorted(&Vec::from_iter(stdlib::functions().iter().map(|function| function.name)));
    sorted(&Vec::from_iter(stdlib::classes().iter().map(|class| class.path)));
    sorted(&Vec::from_iter(stdlib::CONSUMERS.iter().map(|consumer| consumer.path)));
    sorted(&Vec::from_iter(stdlib::DECORATORS.iter().map(|(path, _)| *path)));
    sorted(stdlib::ONLY_LOOK);
    sorted(stdlib::NEUTRAL_BASES);
    let mut given: Vec<Gives> = stdlib::functions().iter().map(|function| function.gives).collect();
    for class in stdlib::classes() {
        sorted(&Vec::from_iter(class.members.iter().map(|member| member.name)));
        sorted(class.others);
        given.extend(class.members.iter().map(|member| member.gives));
        assert!(class.bases.iter().all(|base| stdlib::class(base).is_some()), "{class:?}");
    }
    while let Some(gives) = given.pop() {
        match gives {
            Gives::Instance(path) => assert!(stdlib::class(path).is_some(), "{path}"),
            Gives::Tuple(parts) => given.extend(parts),
            Gives::Unknown | Gives::Itself => {}
        }
    }
}

/// What a program writes leads to the paths that the table has.
#[test]
fn paths_are_those_of_resolved_names() {
    let names = stdlib::functions().iter().map(|function| function.name);
    for path in names.chain(stdlib::classes().iter().map(|class| class.path)) {
        let source = format!("import asyncio, contextlib, pdb, unittest\n{path}\n");
        let facts = extract(Tree::parse(&source).root(), &source);
        let module = ModuleNames::from_items([ItemNames::Parsed(&facts)]);
        let names = Names { facts: &facts, module: &module, src: &source };
        assert_eq!(names.dotted_text(ScopeId(0), path).as_deref(), Some(path));
        // `asyncio.queues.Queue` is `asyncio.Queue`.
        if let Some(("asyncio", name)) = path.rsplit_once('.') {
            assert_eq!(names.dotted_text(ScopeId(0), &format!("asyncio.tasks.{name}")).as_deref(), Some(path));
        }
    }
}

fn qualname(path: &str) -> Option<&'static str> {
    match stdlib::coroutine_function(path)?.kind {
        Kind::Coroutine(qualname) => Some(qualname),
        _ => None,
    }
}

#[test]
fn coroutine_functions_have_the_name_of_the_warning() {
    assert_eq!(qualname("asyncio.sleep"), Some("sleep"));
    assert_eq!(qualname("asyncio.Queue.put"), Some("Queue.put"));
    assert_eq!(qualname("asyncio.LifoQueue.put"), Some("Queue.put"));
    assert_eq!(qualname("asyncio.BoundedSemaphore.acquire"), Some("Semaphore.acquire"));
    // A condition has the method of its lock.
    assert_eq!(qualname("asyncio.Condition.acquire"), Some("Lock.acquire"));
    assert_eq!(qualname("asyncio.AbstractEventLoop.create_server"), Some("BaseEventLoop.create_server"));
    assert_eq!(qualname("asyncio.subprocess.Process.wait"), Some("Process.wait"));
    for path in
        ["asyncio.gather", "asyncio.Queue.put_nowait", "asyncio.AbstractEventLoop.run_in_executor", "time.sleep"]
    {
        assert_eq!(qualname(path), None, "{path}");
    }
    let versions = stdlib::coroutine_function("asyncio.to_thread").unwrap().versions;
    assert!(!versions.contain(8) && versions.contain(9) && versions.contain(14));
}

#[test]
fn members_are_inherited_and_their_absence_is_known() {
    let queue = stdlib::class("asyncio.PriorityQueue").unwrap();
    assert!(matches!(queue.member("get").unwrap().kind, Kind::Coroutine("Queue.get")));
    assert_eq!(queue.member("get_nowait").unwrap().kind, Kind::Other);
    assert_eq!(queue.member("fetch"), None);
    assert!(stdlib::class("queue.Queue").is_none());
}

#[test]
fn known_calls_give_known_instances() {
    let streams = Gives::Tuple(&[Gives::Instance("asyncio.StreamReader"), Gives::Instance("asyncio.StreamWriter")]);
    assert_eq!(stdlib::awaited("asyncio.open_connection"), streams);
    assert_eq!(stdlib::called("asyncio.open_connection"), Gives::Unknown);
    assert_eq!(stdlib::called("asyncio.Queue"), Gives::Instance("asyncio.Queue"));
    assert_eq!(stdlib::called("asyncio.get_running_loop"), Gives::Instance("asyncio.AbstractEventLoop"));
    assert_eq!(stdlib::awaited("asyncio.EventLoop.create_server"), Gives::Instance("asyncio.Server"));
    let process = stdlib::class("asyncio.subprocess.Process").unwrap();
    let stdin = process.member("stdin").unwrap();
    assert_eq!((stdin.kind, stdin.gives), (Kind::Value, Gives::Instance("asyncio.StreamWriter")));
}

#[test]
fn with_binds_what_is_entered() {
    let entered = |path: &str, is_async| stdlib::class(path).unwrap().entered(is_async).map(|class: &Class| class.path);
    assert_eq!(entered("asyncio.Server", true), Some("asyncio.Server"));
    assert_eq!(entered("asyncio.TaskGroup", true), Some("asyncio.TaskGroup"));
    assert_eq!(entered("asyncio.Lock", true), None);
    assert_eq!(entered("asyncio.Runner", false), Some("asyncio.Runner"));
    assert_eq!(entered("asyncio.Runner", true), None);
}

#[test]
fn consumers_are_found_by_any_heir_of_their_class() {
    let consumer = stdlib::consumer("asyncio.EventLoop.create_task").unwrap();
    assert_eq!((consumer.takes, consumer.when), (Takes::First("coro"), When::Called));
    assert_eq!(stdlib::consumer("asyncio.wait_for").unwrap().when, When::Awaited);
    assert!(stdlib::consumer("asyncio.Queue.put").is_none() && stdlib::consumer("builtins.print").is_none());
    assert!(stdlib::only_looks("builtins.print") && !stdlib::only_looks("builtins.list"));
}

#[test]
fn decorators_and_bases_have_their_twins_in_typing_extensions() {
    assert_eq!(stdlib::decorator("typing_extensions.override"), Some(Decorated::Same));
    assert_eq!(stdlib::decorator("functools.wraps"), Some(Decorated::Renamed));
    assert_eq!(stdlib::decorator("functools.singledispatch"), None);
    assert!(stdlib::is_neutral_base("typing_extensions.Protocol") && stdlib::is_neutral_base("builtins.object"));
    assert!(!stdlib::is_neutral_base("threading.Thread") && !stdlib::is_neutral_base("Protocol"));
}
