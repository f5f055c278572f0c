//! Flags that several commands share.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgAction, Args, ColorChoice, ValueEnum};

/// Flags of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        env = "SEED_COLOR"
    )]
    pub(crate) color: ColorChoice,
    /// Print errors and data only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more on stderr (can be repeated); never a value
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Which contract, for which environment, with which facts.
#[derive(Args, Debug)]
#[command(next_help_heading = "Contract and facts")]
pub(crate) struct ContractArgs {
    /// The contract
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "seed.yaml",
        env = "SEED_CONTRACT"
    )]
    pub(crate) contract: PathBuf,
    /// The environment: what `${env}` stands for
    #[arg(long = "env", value_name = "NAME", env = "SEED_ENV")]
    pub(crate) env: Option<String>,
    /// Read facts from this file instead of the contract's `config.files` (can be repeated)
    #[arg(long, value_name = "FILE", env = "SEED_CONFIG", value_delimiter = ',')]
    pub(crate) config: Vec<PathBuf>,
    /// Set one fact to a YAML scalar (can be repeated)
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    /// Set one fact to text (can be repeated)
    #[arg(long, value_name = "PATH=TEXT")]
    pub(crate) set_string: Vec<String>,
    /// Keep values in this backend instead of the contract's
    #[arg(long, value_name = "NAME", env = "SEED_BACKEND")]
    pub(crate) backend: Option<String>,
}

/// How calls to a backend are made.
#[derive(Args, Debug)]
#[command(next_help_heading = "Backend calls")]
pub(crate) struct RunArgs {
    /// At most this many calls at once; the backend's own limit holds too
    #[arg(long, value_name = "N", env = "SEED_CONCURRENCY")]
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// Give up on a single call after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", env = "SEED_TIMEOUT",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// The age identity of the `local` backend; by default in the user's configuration directory
    #[arg(long, value_name = "FILE", env = "SEED_IDENTITY")]
    pub(crate) identity: Option<PathBuf>,
}

/// Values that a person gives.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Given values")]
pub(crate) struct GivenArgs {
    /// Take values from this YAML, JSON or dotenv file; `-` is stdin (can be repeated)
    ///
    /// The name says the format: `.json`, `.yaml`, `.yml`, `.env`, `.env.*`, `.dotenv`. For stdin and other names the text
    /// does: JSON begins with `{`, dotenv with a line `NAME=…`, everything else is YAML. Keys are written `entry` or
    /// `entry#field`, fields also nested (`entry: {field: …}`). In dotenv, and in variables `SEED_VALUE_<KEY>`, they are in
    /// upper case, with `__` for `#` and `_` for every other character that is not a letter or a digit.
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Vec<PathBuf>,
    /// Take this key's value from the variable that its `provide.env` names; `all` takes every one that is set (can be
    /// repeated)
    #[arg(long, value_name = "KEY")]
    pub(crate) from_env: Vec<String>,
}

/// Which keys.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Keys")]
pub(crate) struct SelectArgs {
    /// Only this key: `entry`, `entry#field`, or a pattern such as `litellm-*` (can be repeated)
    #[arg(long, value_name = "KEY")]
    pub(crate) only: Vec<String>,
    /// Not this key, named as for `--only` (can be repeated)
    #[arg(long, value_name = "KEY")]
    pub(crate) exclude: Vec<String>,
}

/// The cluster that the Secrets are in.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// Include the Secrets with `deliver: direct`, and the values that are kept only in them; `apply` creates what is
    /// missing there, and changes nothing that exists
    #[arg(long)]
    pub(crate) cluster: bool,
    /// The kubeconfig's context of that cluster, in place of the contract's
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub(crate) context: Option<String>,
}

/// What a command prints.
#[derive(Args, Debug)]
pub(crate) struct OutputArgs {
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one versioned document, errors too; never a value, unless the command prints values
    Json,
}

/// What is printed of a plan.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people
    #[default]
    Text,
    /// For programs: one versioned document, errors too; never a value
    Json,
    /// For a pull request
    Markdown,
}

impl From<PlanFormat> for Format {
    fn from(format: PlanFormat) -> Self {
        match format {
            PlanFormat::Text | PlanFormat::Markdown => Self::Text,
            PlanFormat::Json => Self::Json,
        }
    }
}
