//! A Python process that runs programs and says which error came up at which places; see `cpython.py`.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

const PROGRAM: &str = concat!(include_str!("watching.py"), "\n\n", include_str!("cpython.py"));

pub struct Python {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The last program used a name that was not bound.
    pub unbound: bool,
}

#[derive(Serialize)]
pub struct Request<'a> {
    pub source: &'a str,
    pub seed: u64,
    /// So many runs, and more, up to `most`, while something is still to be seen on the `doubtful` lines.
    pub runs: usize,
    pub most: usize,
    /// Rules, and lines on which something should happen.
    pub doubtful: &'a [(&'static str, usize)],
}

/// A place at which the error of a rule can come up, and in how many runs it did.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Row")]
pub struct Site {
    pub rule: String,
    /// The line where a reader looks first, then those of the calls around it: it may be reported at any of them.
    pub lines: Vec<usize>,
    pub reached: usize,
    /// The error came up.
    pub happened: usize,
    /// It came up in a run that repairs an `InvalidStateError` before it.
    pub masked: usize,
    /// The same for runs and ways that a reader thinks of first: `fold` in `cpython.py`.
    pub plainly_reached: usize,
    pub plainly_happened: usize,
}

type Row = (String, Vec<usize>, usize, usize, usize, usize, usize);

impl From<Row> for Site {
    fn from((rule, lines, reached, happened, masked, plainly_reached, plainly_happened): Row) -> Self {
        Self { rule, lines, reached, happened, masked, plainly_reached, plainly_happened }
    }
}

#[derive(Deserialize)]
struct Answer {
    sites: Vec<Site>,
    /// It is no valid Python, or does not end.
    broken: Option<String>,
    unbound: bool,
}

impl Site {
    /// It can happen.
    pub fn happens(&self) -> bool {
        self.happened + self.masked > 0
    }

    /// It happens whenever the program comes there.
    pub fn certain(&self) -> bool {
        self.plainly_reached > 0 && self.plainly_happened == self.plainly_reached
    }

    /// The same, also where something else that always fails leaves no run to judge by.
    pub fn always(&self) -> bool {
        self.certain() || self.plainly_reached == 0 && self.reached > 0 && self.happened == self.reached
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, reached, happened, masked, plainly_reached, plainly_happened, .. } = self;
        write!(f, "{rule}: {happened} of {reached}, plainly {plainly_happened} of {plainly_reached}")?;
        if *happened == 0 && *masked > 0 { write!(f, ", {masked} as if repaired before") } else { Ok(()) }
    }
}

impl Python {
    pub fn start(python: &Path) -> Self {
        let mut child = Command::new(python)
            .args(["-I", "-B", "-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let requests = child.stdin.take().expect("stdin is piped");
        let answers = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, requests, answers, unbound: false }
    }

    /// The places that were reached; or why the program is none.
    pub fn run(&mut self, request: &Request<'_>) -> Result<Vec<Site>, String> {
        let mut line = serde_json::to_string(request).expect("a request is plain data");
        line.push('\n');
        self.requests.write_all(line.as_bytes()).expect("Python listens");
        line.clear();
        self.answers.read_line(&mut line).expect("Python answers");
        let answer: Answer = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.unbound = answer.unbound;
        match answer.broken {
            Some(why) => Err(why),
            None => Ok(answer.sites),
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
