//! A Python process that runs programs and says at which lines a task was asked too early; see `cpython.py`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

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
    pub doubtful: &'a [usize],
}

/// How often a line asked, and how often it was too early.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub times: usize,
    pub too_early: usize,
    /// How often it was too early only after an earlier question of that kind: as if that had been repaired.
    pub masked: usize,
}

#[derive(Deserialize)]
struct Answer {
    asked: Vec<(usize, usize, usize, usize)>,
    /// It is no valid Python, or does not end.
    broken: Option<String>,
    unbound: bool,
}

impl Asked {
    pub fn always(&self) -> bool {
        self.times > 0 && self.too_early == self.times
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too early {} times of {}", self.too_early, self.times)?;
        if self.masked > 0 { write!(f, ", {} as if repaired before", self.masked) } else { Ok(()) }
    }
}

impl Python {
    pub fn start(python: &Path) -> Self {
        let mut child = Command::new(python)
            .args(["-I", "-B", "-c", include_str!("cpython.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let requests = child.stdin.take().expect("stdin is piped");
        let answers = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, requests, answers, unbound: false }
    }

    /// The lines that asked; or why the program is none.
    pub fn run(&mut self, request: &Request<'_>) -> Result<BTreeMap<usize, Asked>, String> {
        let mut line = serde_json::to_string(request).expect("a request is plain data");
        line.push('\n');
        self.requests.write_all(line.as_bytes()).expect("Python listens");
        line.clear();
        self.answers.read_line(&mut line).expect("Python answers");
        let answer: Answer = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.unbound = answer.unbound;
        match answer.broken {
            Some(why) => Err(why),
            None => {
                let asked = answer.asked.into_iter();
                Ok(asked.map(|(line, times, too_early, masked)| (line, Asked { times, too_early, masked })).collect())
            }
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
