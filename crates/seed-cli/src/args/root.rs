//! The program and its subcommands.

use clap::{Parser, Subcommand};

use super::common::GlobalArgs;
use super::subcommands::{
    ApplyArgs, CheckArgs, CompletionsArgs, EmitArgs, FilesArgs, GetArgs, ManArgs, PlanArgs,
};

/// Seed a Kubernetes environment's secrets from one contract
///
/// Creates only what is missing, never overwrites, and writes the matching manifests for External Secrets Operator.
#[derive(Debug, Parser)]
#[command(name = "seed", version, max_term_width = 100, arg_required_else_help = true,
          disable_help_subcommand = true, after_help = AFTER_HELP, after_long_help = AFTER_LONG_HELP)]
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

const AFTER_HELP: &str = "\
Examples:
  seed check -c contracts/llm-platform.yaml --env ai-dev
  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local
  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --emit build/manifests";

const AFTER_LONG_HELP: &str = "\
Examples:
  seed check -c contracts/llm-platform.yaml --env ai-dev
  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local
  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --emit build/manifests

Exit codes:
  0   done, or nothing to do
  1   failed, nothing was written
  2   wrong usage, contract, facts or identity
  4   something was written, and something failed or is uncertain
  10  changes pending (`plan --exit-code`, `emit --check`)
  11  waiting for a person
  12  blocked, drifted or broken
  70  a bug in seed

Variables:
  SEED_CONTRACT     --contract
  SEED_ENV          --env
  SEED_CONFIG       --config, separated by commas
  SEED_BACKEND      --backend
  SEED_CONCURRENCY  --concurrency
  SEED_TIMEOUT      --timeout
  SEED_IDENTITY     --identity
  SEED_COLOR        --color
  NO_COLOR          no colour when set
  XDG_CONFIG_HOME, HOME  where the identity of the `local` backend is kept";
