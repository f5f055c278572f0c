//! The program and its subcommands.

use clap::{Args as _, Parser, Subcommand};
use seed_core::backend::Kind;

use super::common::{Format, GlobalArgs};
use super::set::SetArgs;
use super::subcommands::{
    ApplyArgs, CheckArgs, CompletionsArgs, EmitArgs, FilesArgs, GetArgs, ManArgs, PlanArgs,
    VerifyArgs,
};
use super::variables;
use crate::exit::Exit;

/// Seed a Kubernetes environment's secrets from one contract
///
/// Creates only what is missing, never overwrites, and writes the matching manifests for External Secrets Operator.
#[derive(Debug, Parser)]
#[command(name = "seed", version, max_term_width = 100, arg_required_else_help = true,
          disable_help_subcommand = true, after_help = AFTER_HELP, after_long_help = after_long_help())]
pub(crate) struct App {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what is there, what would be created, what a person must give, and what is blocked
    Plan(PlanArgs),
    /// Create what is missing, and write the contract's files
    Apply(ApplyArgs),
    /// Write manifests from the contract and the facts alone
    Emit(EmitArgs),
    /// Validate the contract and the facts
    Check(CheckArgs),
    /// Read what is stored, and hold it against the contract
    Verify(VerifyArgs),
    /// Store one value that you give
    Set(SetArgs),
    /// Print one value to stdout
    Get(GetArgs),
    /// Write the contract's files again from what is stored
    Files(FilesArgs),
    /// Print the JSON Schema of contracts
    #[command(after_help = "Example:\n  seed schema > contract.schema.json")]
    Schema,
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Write manual pages
    Man(ManArgs),
}

impl Command {
    /// What it prints. Schemas, scripts and manual pages are text in a form of their own.
    pub(crate) fn format(&self) -> Format {
        match self {
            Self::Plan(args) => args.format.into(),
            Self::Apply(args) => args.output.format,
            Self::Emit(args) => args.output.format,
            Self::Check(args) => args.output.format,
            Self::Verify(args) => args.output.format,
            Self::Set(args) => args.output.format,
            Self::Get(args) => args.output.format,
            Self::Files(args) => args.output.format,
            Self::Schema | Self::Completions(_) | Self::Man(_) => Format::Text,
        }
    }
}

const AFTER_HELP: &str = "\
Examples:
  seed check -c contracts/llm-platform.yaml --env ai-dev
  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local
  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --emit build/manifests";

/// The examples, the exit codes, what is guaranteed, and the variables.
fn after_long_help() -> String {
    let codes: String = Exit::ALL
        .into_iter()
        .map(|exit| format!("  {:<2}  {}\n", exit.code(), exit.meaning()))
        .collect();
    let guarantees: String = Kind::ALL.into_iter().map(guarantee).collect();
    let variables = variables::all(&Command::augment_subcommands(GlobalArgs::augment_args(
        clap::Command::new("seed"),
    )));
    format!(
        "{AFTER_HELP}\n\nExit codes:\n{codes}\nGuarantees:\n{guarantees}\nVariables:\n{}",
        variables.trim_end()
    )
}

fn guarantee(kind: Kind) -> String {
    let sure = kind.guarantee();
    let (word, promise, limit) = (sure.as_str(), sure.promise(), sure.limit());
    format!(
        "  {kind:<10}  {word}: {promise}; not guaranteed: {limit}\n",
        kind = kind.as_str()
    )
}
