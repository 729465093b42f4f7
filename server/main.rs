//! The `aiolint` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    aiolint::cli::run(std::env::args_os(), aiolint::lsp::run)
}
