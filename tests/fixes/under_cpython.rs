//! CPython as the judge: programs that ask too early, and each of their fixes alone.

#[allow(dead_code)]
#[path = "../oracle/mod.rs"]
pub(crate) mod oracle;

use oracle::{Program, complaint};

use crate::{Case, in_def};

/// The head of every program below.
pub(crate) const HEAD: &str = "\
import asyncio

async def work(value=1, delay=0.01):
    await asyncio.sleep(delay)
    return value

async def fail():
    await asyncio.sleep(0.01)
    raise ValueError('its own')

";

/// Bodies of `main`: each asks too early where it is marked. `true`: the task may be cancelled.
const EARLY: [(bool, &str); 30] = [
    (false, "task = asyncio.create_task(work())\nprint(⟦task.result()⟧)"),
    (false, "task = asyncio.create_task(work())\nawait asyncio.sleep(0)\nx = ⟦task.result()⟧\nprint(x)"),
    (false, "task = asyncio.create_task(work([1]))\nfor x in ⟦task.result()⟧:\n    print(x)"),
    (false, "task = asyncio.create_task(work(2))\nprint(-⟦task.result()⟧ ** 2, f'{task.result()!r:>4}')"),
    (false, "task = asyncio.create_task(work({'a': 1}))\nprint([*⟦task.result()⟧.items()])"),
    (false, "task = asyncio.create_task(work()); print(⟦task.result()⟧)"),
    (false, "task = asyncio.create_task(work())\nif task: print(⟦task.result()⟧); print(1)"),
    (false, "task = asyncio.create_task(work())\nwhile ⟦task.result()⟧ == 2:\n    pass"),
    (false, "task = asyncio.create_task(work())\nif not task:\n    pass\nelif ⟦task.result()⟧ == 1:\n    print('one')"),
    (false, "task = asyncio.create_task(work())\nprint(task and ⟦task.result()⟧)"),
    (false, "task = None\ntask = asyncio.create_task(work())\nif task is not None and ⟦task.result()⟧:\n    print(1)"),
    (false, "task = asyncio.create_task(work())\nprint(\n    '''a\n  b''',\n    ⟦task.result()⟧,  # asked\n)"),
    (false, "tasks = [asyncio.create_task(work(n)) for n in range(3)]\nprint([⟦t.result()⟧ for t in tasks])"),
    (
        false,
        "tasks = {n: asyncio.create_task(work(n)) for n in range(3)}\nprint(sum(⟦t.result()⟧ for t in tasks.values()))",
    ),
    (
        false,
        "tasks = {n: asyncio.create_task(work(n)) for n in range(3)}\nfor n, t in tasks.items():\n    tasks[n] = ⟦t.result()⟧",
    ),
    (false, "tasks = [asyncio.create_task(fail())]\nprint([t for t in tasks if ⟦t.exception()⟧])"),
    (false, "print(⟦asyncio.create_task(work()).result()⟧)"),
    (false, "print(⟦asyncio.create_task(fail()).exception()⟧)"),
    (
        false,
        "async with asyncio.TaskGroup() as group:\n    task = group.create_task(work())\n    print(⟦task.result()⟧)",
    ),
    (
        false,
        "a, b = (asyncio.create_task(work(n, n / 50)) for n in (0, 1))\nawait asyncio.wait([a, b], return_when='FIRST_COMPLETED')\nprint(a.result(), ⟦b.result()⟧)",
    ),
    (
        false,
        "task = asyncio.create_task(work(1, 0.05))\ntry:\n    await asyncio.wait_for(asyncio.shield(task), 0.01)\nexcept TimeoutError:\n    pass\nprint(⟦task.result()⟧)",
    ),
    (
        false,
        "future = asyncio.get_running_loop().create_future()\nasyncio.get_running_loop().call_later(0.01, future.set_result, 1)\nprint(⟦future.result()⟧)",
    ),
    (
        false,
        "task = asyncio.create_task(fail())\nif ⟦task.exception()⟧:\n    print(f'bad: {task.exception()}')\nelse:\n    print('good')",
    ),
    (
        false,
        "task = asyncio.create_task(fail())\nif not ⟦task.exception()⟧:\n    print('good')\nelse:\n    print(f'bad: {task.exception()}')",
    ),
    (
        false,
        "task = asyncio.create_task(work())\nexc = ⟦task.exception()⟧\nif exc is None:\n    print('good')\nelse:\n    print(exc)",
    ),
    (false, "task = asyncio.create_task(fail())\nif (exc := ⟦task.exception()⟧) is not None: print(exc)"),
    (true, "task = asyncio.create_task(work())\ntask.cancel()\nprint(⟦task.result()⟧)"),
    (true, "task = asyncio.create_task(work())\ntask.cancel()\nexc = ⟦task.exception()⟧\nif exc:\n    print(exc)"),
    (
        true,
        "task = asyncio.create_task(work())\ntask.cancel()\nif ⟦task.exception()⟧:\n    print('bad')\nelse:\n    print('good')",
    ),
    (
        true,
        "tasks = [asyncio.create_task(work(n)) for n in range(3)]\ntasks[0].cancel()\nprint([⟦t.result()⟧ for t in tasks])",
    ),
];

/// Runs every program of a list in one interpreter and prints a line `=== done` after each: starting one costs more than they do.
const DRIVER: &str = r#"
import gc, json, signal, sys, traceback, warnings

def stop(*_):
    raise TimeoutError('it hangs')

signal.signal(signal.SIGALRM, stop)
sys.stderr = sys.stdout
# Each program's own, although their lines are the same.
warnings.simplefilter('always')
for source in json.loads(PROGRAMS):
    signal.alarm(10)
    try:
        exec(compile(source, 'program.py', 'exec'), {'__name__': '__main__'})
    except BaseException:
        traceback.print_exc()
    signal.alarm(0)
    gc.collect()
    print('=== done')
"#;

/// The complaints of each program, or nothing where no CPython is there to ask.
pub(crate) fn complaints(sources: &[&str]) -> Option<Vec<Vec<String>>> {
    let programs = serde_json::to_string(sources).unwrap();
    // JSON of a JSON text is a Python string, too.
    let driver = format!("PROGRAMS = {}\n{DRIVER}", serde_json::to_string(&programs).unwrap());
    let printed = oracle::run_all(&[Program::new("driver", driver)])?.remove(0).printed;
    let outputs: Vec<&str> = printed.split("=== done\n").collect();
    assert_eq!(outputs.len(), sources.len() + 1, "{printed}");
    // An exception group draws a line before the errors in it.
    let of = |output: &&str| output.lines().filter_map(|line| complaint(line.trim_start_matches([' ', '|']))).collect();
    Some(outputs[..sources.len()].iter().map(of).collect())
}

#[test]
fn cpython_sees_the_error_go_and_no_other_come() {
    let mut programs = Vec::new();
    for (may_be_cancelled, body) in EARLY {
        let source = format!("{HEAD}{}\nasyncio.run(main())\n", in_def("async def main():", body));
        let case = Case { may_be_cancelled, ..Case::new(&source) };
        let fixed = case.fixed();
        assert!(fixed.len() > 1 || body.contains(").result()"), "{body}");
        programs.push((None, case.text()));
        programs.extend(fixed.into_iter().map(|(title, text)| (Some(title), text)));
    }
    let sources: Vec<&str> = programs.iter().map(|(_, source)| source.as_str()).collect();
    let mut problems = String::new();
    for ((title, source), complaints) in programs.iter().zip(complaints(&sources).unwrap_or_default()) {
        let right = match title {
            None => complaints.iter().any(|complaint| complaint.starts_with("InvalidStateError: ")),
            // `await` raises what the task raises: that is what it is for.
            Some(_) => complaints.iter().all(|complaint| complaint == "ValueError: its own"),
        };
        if !right {
            problems.push_str(&format!("{title:?}\n{source}\n{complaints:#?}\n"));
        }
    }
    assert!(problems.is_empty(), "{problems}");
}
