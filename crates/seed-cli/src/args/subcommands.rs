//! The flags of each subcommand.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;
use seed_core::manifest::EsoVersion;
use seed_core::name::ValueId;

use super::common::{
    ClusterArgs, ContractArgs, GivenArgs, OutputArgs, PlanFormat, RunArgs, SelectArgs,
};

/// `seed plan`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local
  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local --exit-code --format json
  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local --only 'litellm-*'
  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local --deep --exit-code
  seed plan -c contracts/llm-platform.yaml --env ai-dev --offline --format markdown
  seed plan -c contracts/llm-platform.yaml --env ai-dev --offline --cluster")]
pub(crate) struct PlanArgs {
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: PlanFormat,
    /// End with 10, 11 or 12 when there is something to create, to give, or blocked
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Ask no backend: show what would happen if nothing existed yet
    #[arg(long, conflicts_with_all = ["exit_code", "no_read", "quick"])]
    pub(crate) offline: bool,
    /// Ask only whether names exist, in the fewest calls
    #[arg(long, conflicts_with = "no_read")]
    pub(crate) quick: bool,
    /// Read no value, not even to see which fields an entry has
    #[arg(long)]
    pub(crate) no_read: bool,
    /// Read every stored value, to see placeholders and texts that no longer follow from the contract
    #[arg(long, conflicts_with_all = ["offline", "quick", "no_read"])]
    pub(crate) deep: bool,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// `seed apply`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --missing-ok
  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --missing-ok --from-env all
  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --emit build/manifests
  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --only 'dex-*'
  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --fill-placeholders")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Also write manifests into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) emit: Option<PathBuf>,
    /// End with 0 when all that is left is for a person to give
    #[arg(long)]
    pub(crate) missing_ok: bool,
    /// Do not try the `check` of this key on its value (can be repeated)
    #[arg(long, value_name = "KEY")]
    pub(crate) skip_check: Vec<String>,
    /// Bring this deleted key back before anything is created, if the backend still can: named as for `--only` (can be
    /// repeated)
    #[arg(long, value_name = "KEY")]
    pub(crate) restore: Vec<String>,
    /// Create the Kubernetes namespace that values are kept in, if it is missing
    #[arg(long)]
    pub(crate) create_namespace: bool,
    /// Put values in the place of placeholders: read every stored value, and replace those that stand for "not yet"
    #[arg(long)]
    pub(crate) fill_placeholders: bool,
    /// Write to the place that is shown without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Never ask; fail instead
    #[arg(long)]
    pub(crate) no_input: bool,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) given: GivenArgs,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) manifests: EmitOptions,
}

/// What manifests are written for.
#[derive(Args, Debug)]
#[command(next_help_heading = "Manifests")]
pub(crate) struct EmitOptions {
    /// Write manifests that read from this backend
    #[arg(long = "for", value_name = "NAME")]
    pub(crate) manifests_for: Option<String>,
    /// The release of External Secrets Operator that reads them
    #[arg(long, value_name = "VERSION", default_value_t = EsoVersion::LATEST)]
    pub(crate) eso_version: EsoVersion,
    /// Write these too (separated by commas, can be repeated)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) with: Vec<Beside>,
}

/// What is written beside `ExternalSecret`s.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Beside {
    /// The namespaces that anything is in
    Namespaces,
    /// Service accounts, and the role that reads a source namespace
    Rbac,
    /// The store of each backend, limited to the namespaces that read through it
    Store,
}

/// `seed emit`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  seed emit -c contracts/llm-platform.yaml --env ai-dev
  seed emit -c contracts/llm-platform.yaml --env ai-dev --with-optional hf-token
  seed emit -c contracts/llm-platform.yaml --env ai-dev --for kubernetes --with store,rbac
  seed emit -c contracts/llm-platform.yaml --env ai-dev --out build/manifests --prune
  seed emit -c contracts/llm-platform.yaml --env ai-dev --check build/manifests --format json")]
pub(crate) struct EmitArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Take this optional key for present (can be repeated)
    #[arg(long, value_name = "KEY")]
    pub(crate) with_optional: Vec<ValueId>,
    /// Take for present what `seed plan --format json` wrote into this file as present; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) present: Option<PathBuf>,
    /// Write one file per Secret into this directory instead of all to stdout
    #[arg(short, long, value_name = "DIR", conflicts_with = "check")]
    pub(crate) out: Option<PathBuf>,
    /// Also remove manifests that this contract wrote into that directory, and writes no more
    #[arg(long, requires = "out")]
    pub(crate) prune: bool,
    /// Compare with this directory instead of writing; end with 10 when it differs
    #[arg(long, value_name = "DIR")]
    pub(crate) check: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
    #[command(flatten)]
    pub(crate) manifests: EmitOptions,
}

/// `seed check`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  seed check -c contracts/llm-platform.yaml
  seed check -c contracts/llm-platform.yaml --env ai-dev --all-backends
  seed check -c contracts/llm-platform.yaml --env ai-dev --format json")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Check names and sizes for every backend of the contract, not just the one in use
    #[arg(long)]
    pub(crate) all_backends: bool,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
}

/// `seed verify`.
#[derive(Args, Debug)]
#[command(after_help = "\
What is checked: placeholders, `check` rules, prefixes and suffixes, hashes against their sources and their \
parameters, texts and literals against what the contract gives now, shapes, values that must not exist, products whose \
source is gone, and the contract's files on disk. No value is printed, and nothing is written. \
Ends with 12 when something is drifted, a placeholder or broken, and with 1 when something could not be read; \
what is not there yet is listed, and no failure.

Examples:
  seed verify -c contracts/llm-platform.yaml --env ai-dev --backend local
  seed verify -c contracts/llm-platform.yaml --env ai-dev --backend local --only 'dex-*'")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Do not try the `check` of this key on its value (can be repeated)
    #[arg(long, value_name = "KEY")]
    pub(crate) skip_check: Vec<String>,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// `seed get`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  seed get vllm-api-key -c contracts/llm-platform.yaml --env ai-dev --backend local")]
pub(crate) struct GetArgs {
    /// The key, or `entry#field`
    #[arg(value_name = "KEY")]
    pub(crate) key: ValueId,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// `seed files`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  seed files -c contracts/llm-platform.yaml --env ai-dev --backend local
  seed files -c contracts/llm-platform.yaml --env ai-dev --backend local --force")]
pub(crate) struct FilesArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Also replace files that differ from what is stored
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// `seed completions`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  seed completions bash > seed.bash")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: Shell,
}

/// `seed man`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  seed man\n  seed man --out man1")]
pub(crate) struct ManArgs {
    /// Write one page per command into this directory instead of the main page to stdout
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print the file names of the pages instead
    #[arg(long, conflicts_with = "out")]
    pub(crate) list: bool,
}
