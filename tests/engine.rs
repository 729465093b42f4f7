//! The engine's promises to an editor: an edit costs the functions it touches, broken code keeps what was said of it, and a hover
//! tells a task's states.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use aiolint::engine::File;
use aiolint::project::Settings;
use aiolint::tasks::may_make_tasks;
use aiolint::text::{Change, Encoding};

const PROGRAM: &str = "\
import asyncio

async def work(delay=0.1):
    await asyncio.sleep(delay)

async def first():
    task = asyncio.create_task(work())
    return task.result(), 1

class Service:
    async def second(self):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        return task.exception()

    async def third(self):
        task = asyncio.create_task(work())
        await task
        return task.result()
";

fn open(text: &str) -> File {
    File::new(text.to_owned(), Arc::new(Settings::default()))
}

/// Replaces the only `old` in the file by `new`, as an editor would.
fn replace(file: &mut File, old: &str, new: &str) {
    let text = file.text();
    let mut places = text.as_str().match_indices(old).map(|(at, _)| at as u32);
    let (Some(start), None) = (places.next(), places.next()) else { panic!("`{old}` does not stand there once") };
    let end = start + old.len() as u32;
    let range = (text.position(start, Encoding::Utf8), text.position(end, Encoding::Utf8));
    file.edit(vec![Change { range: Some(range), text: new.to_owned() }], Encoding::Utf8);
}

/// The findings: the line from 1, and the text.
fn found(file: &mut File) -> Vec<(u32, String)> {
    let findings = file.findings();
    let at = |span: aiolint::text::Span| file.text().position(span.start, Encoding::Utf8).line + 1;
    findings.iter().map(|finding| (at(finding.span), finding.span.of(file.text().as_str()).to_owned())).collect()
}

/// How many functions are analysed to know the findings again.
fn cost(file: &mut File, edit: impl FnOnce(&mut File)) -> u64 {
    file.findings();
    let before = file.functions_analysed();
    edit(file);
    file.findings();
    file.functions_analysed() - before
}

#[test]
fn an_edit_analyses_the_function_it_touches() {
    let mut file = open(PROGRAM);
    assert_eq!(cost(&mut file, |file| replace(file, "return task.result(), 1", "await task; return task.result()")), 1);
    assert_eq!(cost(&mut file, |file| replace(file, "return task.exception()", "return repr(task.exception())")), 1);
    assert_eq!(found(&mut file), [(14, "task.exception()".to_owned())]);
}

#[test]
fn an_edit_above_costs_nothing() {
    let mut file = open(PROGRAM);
    assert_eq!(cost(&mut file, |file| replace(file, "import asyncio\n", "import asyncio\n\n# Two lines more.\n")), 0);
    assert_eq!(found(&mut file), [(10, "task.result()".to_owned()), (16, "task.exception()".to_owned())]);
    // Nor does one in a function that does for its callers what it did before.
    assert_eq!(
        cost(&mut file, |file| replace(file, "    await asyncio.sleep(delay)", "    await asyncio.sleep(2 * delay)")),
        1
    );
}

#[test]
fn what_a_name_means_matters_everywhere() {
    let mut file = open(PROGRAM);
    // The functions with a word that matters: one, and two methods.
    assert!(cost(&mut file, |file| replace(file, "import asyncio\n", "import trio as asyncio\n")) >= 3);
    assert_eq!(found(&mut file), []);
    replace(&mut file, "import trio as asyncio\n", "import asyncio\n");
    assert_eq!(found(&mut file).len(), 2);
}

/// What a task does that another method keeps is looked up again when that changes.
#[test]
fn a_task_of_another_method_is_followed_through_edits() {
    let mut file = open(
        "\
import asyncio

class Ticker:
    def start(self):
        self._task = asyncio.create_task(self._run())

    async def _run(self):
        while True:
            await asyncio.sleep(1)

    async def stop(self):
        self._task.cancel()
        await self._task
",
    );
    let stopped = [(13, "await self._task".to_owned())];
    assert_eq!(found(&mut file), stopped);
    let (calm, rude) = ("return await asyncio.sleep(1)", "await asyncio.sleep(1)");
    let handler =
        "try:\n                await asyncio.sleep(1)\n            except BaseException:\n                break";
    replace(&mut file, rude, handler);
    assert_eq!(found(&mut file), []);
    replace(&mut file, handler, calm);
    assert_eq!(found(&mut file), stopped);
    replace(&mut file, "class Ticker:", "def reset(ticker):\n    ticker._task = None\n\nclass Ticker:");
    assert_eq!(found(&mut file), []);
    replace(&mut file, "ticker._task = None", "ticker.task = None");
    assert_eq!(found(&mut file).len(), 1);
    replace(&mut file, "asyncio.create_task(self._run())", "asyncio.create_task(self.run())");
    assert_eq!(found(&mut file), []);
}

/// What a parameter is depends on the calls, wherever they are edited.
#[test]
fn a_parameter_is_what_the_callers_give() {
    let mut file = open(
        "\
import asyncio

async def produce(queue):
    queue.put(1)

async def main():
    queue = asyncio.Queue()
    await produce(queue)
",
    );
    let lost = [(4, "queue.put(1)".to_owned())];
    assert_eq!(found(&mut file), lost);
    replace(&mut file, "queue = asyncio.Queue()", "queue = make()");
    assert_eq!(found(&mut file), []);
    replace(&mut file, "queue = make()", "queue = asyncio.PriorityQueue()");
    assert_eq!(found(&mut file), lost);
    replace(&mut file, "await produce(queue)\n", "await produce(queue)\n\nproducers = [produce]\n");
    assert_eq!(found(&mut file), []);
    replace(&mut file, "producers = [produce]", "producers = []");
    assert_eq!(found(&mut file), lost);
    assert_eq!(cost(&mut file, |file| replace(file, "await produce(queue)", "return await produce(queue)")), 1);
}

#[test]
fn a_broken_function_keeps_its_findings_and_they_move() {
    let mut file = open(PROGRAM);
    file.findings();
    replace(&mut file, "        await asyncio.sleep(0)\n", "        await asyncio.sleep(0\n");
    replace(&mut file, "import asyncio\n", "import asyncio\n\n");
    assert_eq!(found(&mut file), [(9, "task.result()".to_owned()), (15, "task.exception()".to_owned())]);
    let suspended = file.findings()[1].clone();
    assert_eq!(suspended.fixes, []);
    replace(&mut file, "        await asyncio.sleep(0\n", "        await task\n");
    assert_eq!(found(&mut file), [(9, "task.result()".to_owned())]);
}

#[test]
fn a_broken_function_says_nothing_new() {
    assert_eq!(found(&mut open(&PROGRAM.replace("asyncio.sleep(0)", "asyncio.sleep(0"))).len(), 1);
}

#[test]
fn a_method_hidden_by_a_broken_neighbour_keeps_its_findings() {
    let mut file = open(PROGRAM);
    file.findings();
    replace(
        &mut file,
        "    async def second(self):\n",
        "    async def zero(self):\n        x = [(\n\n    async def second(self):\n",
    );
    let lines: Vec<String> = found(&mut file).into_iter().map(|(_, text)| text).collect();
    assert_eq!(lines, ["task.result()", "task.exception()"]);
}

fn hover(text: &str, before: &str) -> Option<String> {
    let mut file = open(text);
    let offset = text.find(before).unwrap() + before.len();
    file.hover(offset as u32).map(|hover| hover.markdown)
}

#[test]
fn hover_on_a_finding_tells_its_evidence_and_its_page() {
    let hover = hover(PROGRAM, "return task.exc").unwrap();
    insta::assert_snapshot!(hover);
}

#[test]
fn hover_on_a_task_tells_its_states() {
    insta::assert_snapshot!("made", hover(PROGRAM, "async def third(self):\n        ta").unwrap());
    insta::assert_snapshot!("awaited", hover(PROGRAM, "        await task\n        return ta").unwrap());
}

#[test]
fn hover_elsewhere_tells_nothing() {
    assert_eq!(hover(PROGRAM, "async def wo"), None);
    assert_eq!(hover("", ""), None);
    assert_eq!(hover("x = 1", "x = 1"), None);
}

#[test]
fn a_task_needs_no_word_of_asyncio_in_the_file() {
    for made in ["create_task(work())", "create_future()", "run_in_executor(None, work)"] {
        let mut file = open(&format!("async def f(loop):\n    made = loop.{made}\n    return made.result()\n"));
        assert_eq!(found(&mut file), [(3, "made.result()".to_owned())], "{made}");
    }
}

/// A file that is not parsed because it makes no task has nothing to say: here with a word that has it parsed.
#[test]
fn files_without_tasks_have_no_findings() {
    let print = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let Ok(output) = std::process::Command::new("python3").args(["-c", print]).output() else {
        assert!(std::env::var_os("CI").is_none(), "no python3 in CI");
        return eprintln!("SKIPPED: no python3, so no standard library to look at");
    };
    let folder = String::from_utf8(output.stdout).unwrap();
    let files = std::fs::read_dir(folder.trim()).unwrap().map(|entry| entry.unwrap().path());
    let mut texts: Vec<String> = files.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    texts.retain(|text| !may_make_tasks(text) && text.contains("result") && text.len() < 50_000);
    assert!(texts.len() > 20, "{} files", texts.len());
    for text in texts {
        assert_eq!(found(&mut open(&(text + "\n# asyncio\n"))), []);
    }
}

#[test]
fn a_callback_may_stand_behind_any_character() {
    let text =
        "import asyncio\n\nasync def f():\n    🛒task.add_done_callback(done)\n\ndef done(task):\n    task.result()\n";
    assert_eq!(found(&mut open(text)), []);
}
