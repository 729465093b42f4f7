//! What can be said on the command line.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{FalseyValueParser, PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::rules::RULES;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Finds asyncio mistakes in Python, and fixes them.
#[derive(Debug, Parser)]
#[command(name = "aiolint", version, styles = STYLES, disable_help_subcommand = true, subcommand_required = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Whether to colour the output; `auto` asks the terminal, NO_COLOR and CLICOLOR_FORCE.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check files and print what is wrong in them
    #[command(
        after_help = "Exit status: 0 if nothing was found, 1 if something was, 2 if something could not be checked."
    )]
    Check(CheckArgs),
    /// Print the settings that hold for a file or folder, and where each comes from
    Config(ConfigArgs),
    /// Serve an editor: the language server, on standard input and output
    Server {
        /// What many editors add on their own; there is no other way to talk
        #[arg(long, hide = true)]
        stdio: bool,
    },
    /// Explain a rule, or find the rule behind an error that Python printed
    Explain {
        /// The name of a rule, or the text of an error, or a part of it
        #[arg(value_name = "RULE|TEXT", required = true, num_args = 1..)]
        what: Vec<String>,
    },
    /// List the rules
    Rules {
        /// How to print them
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        output_format: OutputFormat,
    },
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// The words after `aiolint check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files or folders to check; `-` is standard input [default: .]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Apply the safe fixes
    #[arg(long)]
    pub fix: bool,
    /// Take the unsafe fixes too: they change what the program does, as intended
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Write nothing, print what `--fix` would change; exit with 1 if that is anything
    #[arg(long)]
    pub diff: bool,
    /// What goes before the configuration files.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output_format: OutputFormat,
    /// Print how often each rule was broken instead of where
    #[arg(long)]
    pub statistics: bool,
    /// Exit with 0 even if something was found
    #[arg(short, long)]
    pub exit_zero: bool,
    /// Print what was found and nothing else
    #[arg(short, long)]
    pub quiet: bool,
    /// Neither use nor keep what was found in earlier runs
    #[arg(short, long, env = "AIOLINT_NO_CACHE", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub no_cache: bool,
    /// Where to keep what was found [default: .aiolint_cache beside the configuration, or here]
    #[arg(long, value_name = "DIR", env = "AIOLINT_CACHE_DIR", value_hint = ValueHint::DirPath, hide_env_values = true)]
    pub cache_dir: Option<PathBuf>,
    /// Say how much was looked at, on standard error
    #[arg(short, long)]
    pub verbose: bool,
    /// What to call standard input
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub stdin_filename: Option<PathBuf>,
}

/// The words after `aiolint config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The file or folder
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, default_value = ".")]
    pub path: PathBuf,
    /// What goes before the configuration files.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// How to print them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output_format: OutputFormat,
}

/// What goes before, or in place of, the configuration files.
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// Only these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_names(), hide_possible_values = true)]
    pub select: Vec<String>,
    /// Not these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_names(), hide_possible_values = true)]
    pub ignore: Vec<String>,
    /// Take this configuration file for every file instead of the nearest one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "isolated")]
    pub config: Option<PathBuf>,
    /// Look for no configuration file
    #[arg(long)]
    pub isolated: bool,
}

/// `--color`
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Color {
    /// If the output is a terminal
    Auto,
    /// Also into a file or pipe
    Always,
    /// Not at all
    Never,
}

/// `--output-format`
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

fn rule_names() -> PossibleValuesParser {
    PossibleValuesParser::new(RULES.iter().map(|rule| PossibleValue::new(rule.name).help(rule.summary)))
}
