//! The command line: clap types and nothing else.

mod common;
mod root;
mod set;
mod subcommands;
mod variables;

pub(crate) use common::{
    ClusterArgs, ContractArgs, Format, GivenArgs, PlanFormat, RunArgs, SelectArgs,
};
pub(crate) use root::{App, Command};
pub(crate) use set::SetArgs;
pub(crate) use subcommands::{
    ApplyArgs, Beside, CheckArgs, CompletionsArgs, EmitArgs, EmitOptions, FilesArgs, GetArgs,
    ManArgs, PlanArgs, VerifyArgs,
};
