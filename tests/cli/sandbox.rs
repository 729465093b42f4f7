//! A folder of its own for each test, and the program run in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// An unused suppression: a finding with a safe fix in any kind of file.
pub const UNUSED: &str = "x = 1  # aiolint: ignore\n";
/// The same, fixed.
pub const CLEAN: &str = "x = 1\n";

pub struct Sandbox {
    folder: TempDir,
}

pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub bytes: Vec<u8>,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// A sandbox with these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        for (name, text) in files {
            sandbox.write(name, text);
        }
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aiolint"));
        command.args(words).current_dir(self.path(""));
        for variable in
            ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE", "AIOLINT_NO_CACHE", "AIOLINT_CACHE_DIR"]
        {
            command.env_remove(variable);
        }
        command
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.run_with(words, b"")
    }

    /// Runs the program with this standard input.
    pub fn run_with(&self, words: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // It may end without reading all.
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        let _ = writer.join().unwrap();
        let normalized = |bytes: &[u8]| {
            let here = self.path("");
            let here = here.to_str().unwrap().trim_end_matches(['/', '\\']);
            String::from_utf8_lossy(bytes).replace(here, "[HERE]")
        };
        Output {
            code: output.status.code().expect("it ends by itself"),
            stdout: normalized(&output.stdout),
            stderr: normalized(&output.stderr),
            bytes: output.stdout,
        }
    }

    /// The files that `check` with these words finds an unused suppression in.
    pub fn checked(&self, words: &[&str]) -> Vec<String> {
        let output = self.run(&[&["check", "--output-format", "json"], words].concat());
        assert_eq!(output.stderr, "");
        let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        let names = findings.as_array().unwrap().iter().map(|finding| finding["filename"].as_str().unwrap());
        names.map(|name| name.strip_prefix("[HERE]/").unwrap_or(name).to_owned()).collect()
    }
}

impl Output {
    /// Both streams and the exit code, for a snapshot.
    pub fn shown(&self) -> String {
        let part = |name: &str, text: &str| if text.is_empty() { String::new() } else { format!("--- {name}\n{text}") };
        format!("exit code: {}\n{}{}", self.code, part("stdout", &self.stdout), part("stderr", &self.stderr))
    }
}

/// A program kept beside the tests.
pub fn program(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/programs").join(name);
    fs::read_to_string(path).unwrap()
}
