//! The command line: arguments in; findings, fixed files, pages and an exit code out. A client of the engine like the language
//! server; files, terminals and exit codes are known only here.

mod args;
mod cache;
mod check;
mod config;
mod configurations;
mod explain;
mod json;
mod source;
mod style;
mod summary;
mod terminal;
mod walk;

use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{CommandFactory, Parser};

use args::{Cli, Color, Command};

/// Nothing was found.
const CLEAN: u8 = 0;
/// Something was found.
const FOUND: u8 = 1;
/// The command line is wrong, or something can't be read or written.
const TROUBLE: u8 = 2;

/// Does what the command line says; `words` start with the program's name, and `server` is what `aiolint server` runs.
pub fn run(words: impl IntoIterator<Item = OsString>, server: fn() -> ExitCode) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version come this way, too. If they can't be printed, there is nobody to tell.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { TROUBLE } else { CLEAN });
        }
    };
    if matches!(cli.command, Command::Server { .. }) {
        return server();
    }
    let stdout = io::stdout();
    let choice = match cli.color {
        Color::Auto => AutoStream::choice(&stdout),
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    let colored = choice != ColorChoice::Never;
    let is_terminal = stdout.is_terminal();
    // Without colour nothing is filtered: what stands in a file may hold escape sequences, and a diff must be exact.
    let choice = if colored { ColorChoice::Always } else { ColorChoice::AlwaysAnsi };
    let mut out = BufWriter::new(AutoStream::new(stdout.lock(), choice));
    let result = execute(cli.command, colored, is_terminal, &mut out).and_then(|code| out.flush().map(|()| code));
    match result {
        Ok(code) => ExitCode::from(code),
        // Whoever reads has seen enough, as in `aiolint check | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: cannot write the output: {error}");
            ExitCode::from(TROUBLE)
        }
    }
}

fn execute(command: Command, colored: bool, is_terminal: bool, out: &mut dyn Write) -> io::Result<u8> {
    // Not locked: a panic in a thread that checks a file is reported there.
    let mut err = io::stderr();
    match command {
        // `run` has started it: it has its own ways with the standard streams.
        Command::Server { .. } => Ok(CLEAN),
        Command::Check(args) => check::check(&args, colored, out, &mut err),
        Command::Config(args) => config::config(&args, out, &mut err),
        Command::Explain { what } => explain::explain(&what.join(" "), is_terminal, colored, out, &mut err),
        Command::Rules { output_format } => explain::rules(output_format, out).map(|()| CLEAN),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "aiolint", &mut script);
            out.write_all(&script).map(|()| CLEAN)
        }
    }
}
