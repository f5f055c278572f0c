//! The flags of `seed set`.

use std::path::PathBuf;

use clap::Args;
use seed_core::name::ValueId;

use super::common::{ContractArgs, OutputArgs, RunArgs};

/// `seed set`.
#[derive(Args, Debug)]
#[command(after_help = "\
Without --file and --from-env the value is asked for on a terminal, without echo; elsewhere stdin is read.
What exists is kept: --replace puts the value in its place, if nobody changes it meanwhile.

Examples:
  seed set shop-db-password -c contracts/minimal.yaml --backend local < password.txt
  seed set shop-db-password --file password.txt -c contracts/minimal.yaml --backend local --replace")]
pub(crate) struct SetArgs {
    /// The key, or `entry#field`
    #[arg(value_name = "KEY")]
    pub(crate) key: ValueId,
    /// Read the value from this file; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "from_env")]
    pub(crate) file: Option<PathBuf>,
    /// Take the value from a variable: this one, or the one that the contract suggests
    #[arg(
        long,
        value_name = "NAME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    pub(crate) from_env: Option<String>,
    /// Put the value in the place of one that exists
    #[arg(long)]
    pub(crate) replace: bool,
    /// Put the value in the place of a placeholder
    #[arg(long)]
    pub(crate) fill_placeholders: bool,
    /// Store the value even if it breaks its `check`
    #[arg(long)]
    pub(crate) skip_check: bool,
    /// Write to the place that is shown, and replace what needs care, without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Never ask; fail instead
    #[arg(long)]
    pub(crate) no_input: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}
