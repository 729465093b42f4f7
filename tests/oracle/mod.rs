//! CPython as the judge: programs in, what they printed out.
//!
//! Each program is a process of its own, `python -X dev program.py`, a few at a time, each with a time limit. A shared
//! interpreter would start faster, but a process ends as a user's does: its last warnings are printed while it dies.
//!
//! `PYTHON` names another interpreter than `python3`. Where there is none that serves, the caller gets `None` after a loud
//! message; with `CI` set, a panic, so that no machine that counts skips the judge without a word.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::Duration;

/// The programs use `TaskGroup` and `asyncio.timeout`.
const OLDEST: (u32, u32) = (3, 11);

/// Far more than any of them needs, even on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A program to run.
#[derive(Clone, Debug)]
pub struct Program {
    /// For messages only.
    pub name: String,
    /// The whole text of the file.
    pub source: String,
    /// Where it finds the modules beside it.
    pub beside: Option<PathBuf>,
}

/// What became of a program.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Exit code; `None` where a signal or the time limit ended it.
    pub code: Option<i32>,
    /// What it printed, to both streams, the errors last.
    pub printed: String,
}

impl Program {
    /// A program that imports nothing of its own.
    pub fn new(name: impl Into<String>, source: impl Into<String>) -> Self {
        Self { name: name.into(), source: source.into(), beside: None }
    }
}

impl Outcome {
    /// The errors and warnings that it printed, without what stands around them: the last line of each traceback, warnings,
    /// and the event loop's own reports. In their order, each without the path of its module (`asyncio.exceptions.`).
    pub fn complaints(&self) -> Vec<String> {
        self.printed.lines().filter_map(complaint).collect()
    }
}

/// The complaint that a line of output is, if it is one.
pub fn complaint(line: &str) -> Option<String> {
    if line.contains("exception was never retrieved") || line.starts_with("Task was destroyed") {
        return Some(line.to_owned());
    }
    // `program.py:3: RuntimeWarning: coroutine 'f' was never awaited`
    if let Some(at) = line.find("Warning: ") {
        let word = line[..at].rfind(' ').map_or(0, |space| space + 1);
        return Some(line[word..].to_owned());
    }
    // `asyncio.exceptions.InvalidStateError: Result is not set.`
    let head = line.split(':').next().unwrap_or_default();
    let name = head.rsplit('.').next().unwrap_or_default();
    let is_path = !head.is_empty() && head.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let is_error = ["Error", "Exception", "ExceptionGroup", "Interrupt"].iter().any(|end| name.ends_with(end));
    (is_path && is_error).then(|| format!("{name}{}", &line[head.len()..]))
}

/// Runs all programs, a few at a time; the outcomes are in the order of the programs.
pub fn run_all(programs: &[Program]) -> Option<Vec<Outcome>> {
    let python = python()?;
    let folder = tempfile::tempdir().expect("a folder for the programs");
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![None; programs.len()]);
    // They sleep more than they compute.
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get) * 2;
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(program) = programs.get(index) else { break };
                    let outcome = run(python, program, &folder.path().join(index.to_string()));
                    outcomes.lock().expect("no worker panicked")[index] = Some(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("no worker panicked");
    Some(outcomes.into_iter().map(|outcome| outcome.expect("every program was run")).collect())
}

fn run(python: &Path, program: &Program, folder: &Path) -> Outcome {
    std::fs::create_dir(folder).expect("a folder for the program");
    let file = folder.join("program.py");
    std::fs::write(&file, &program.source).expect("the program can be written");
    let mut command = Command::new(python);
    command.args(["-X", "dev", "-X", "utf8"]).arg(&file).current_dir(folder);
    for variable in ["PYTHONWARNINGS", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONOPTIMIZE", "PYTHONASYNCIODEBUG"] {
        command.env_remove(variable);
    }
    // Imports of modules that are beside the program must leave nothing behind there.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(beside) = &program.beside {
        command.env("PYTHONPATH", beside);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let printed = read_to_end(&mut child);
    if printed.is_none() {
        child.kill().expect("the program can be killed");
    }
    let code = child.wait().expect("the program can be waited for").code();
    Outcome { code, printed: printed.unwrap_or_else(|| format!("{}: stopped at the time limit", program.name)) }
}

/// Both streams to their ends, or `None` at the time limit.
fn read_to_end(child: &mut Child) -> Option<String> {
    let (send, receive) = mpsc::channel();
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    read_in_background(0, stdout, send.clone());
    read_in_background(1, stderr, send);
    let mut streams = [String::new(), String::new()];
    for _ in 0..2 {
        let (stream, text) = receive.recv_timeout(TIME_LIMIT).ok()?;
        streams[stream] = text;
    }
    Some(streams.concat())
}

fn read_in_background(stream: usize, mut from: impl Read + Send + 'static, to: mpsc::Sender<(usize, String)>) {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A stream that fails half-way has said what it had to say.
        let _ = from.read_to_end(&mut bytes);
        let _ = to.send((stream, String::from_utf8_lossy(&bytes).into_owned()));
    });
}

/// The interpreter's own path: a version manager's `python3` is a script that costs more than the program it starts.
pub fn python() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let wanted = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        match find(&wanted) {
            Ok(path) => Some(path),
            Err(why) if std::env::var_os("CI").is_some() => panic!("CPython is the judge of these tests: {why}"),
            Err(why) => {
                // Not `eprintln!`: the test harness would keep it to itself.
                let said = format!("\n***** NOT TESTED: CPython is the judge of these tests. {why} *****\n\n");
                std::io::stderr().write_all(said.as_bytes()).expect("stderr can be written");
                None
            }
        }
    });
    found.as_deref()
}

fn find(wanted: &str) -> Result<PathBuf, String> {
    let ask = "import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)";
    let answer = Command::new(wanted).args(["-c", ask]).output().map_err(|error| format!("{wanted}: {error}"))?;
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    let mut words = answer.trim().splitn(3, ' ');
    let mut number = || words.next().and_then(|word| word.parse::<u32>().ok());
    match (number(), number(), words.next()) {
        (Some(major), Some(minor), Some(path)) if (major, minor) >= OLDEST => Ok(PathBuf::from(path)),
        _ => Err(format!("{wanted} is not CPython {}.{} or newer: {answer}", OLDEST.0, OLDEST.1)),
    }
}
