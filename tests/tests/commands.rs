//! Every command's help, examples and answers to wrong usage.

#![expect(
    clippy::too_many_lines,
    reason = "a snapshot is as long as what it shows"
)]

use std::path::Path;

use insta::assert_snapshot;
use seed_tests::binary::seed_binary;
use seed_tests::cli::Sealed;
use seed_tests::shared::repository;
use seed_tests::workspace::{PLATFORM, Workspace, changed};

type Test = Result<(), String>;

/// The commands, in the order of the help.
const COMMANDS: [&str; 9] = [
    "plan",
    "apply",
    "emit",
    "check",
    "get",
    "files",
    "schema",
    "completions",
    "man",
];

#[test]
fn help_fits_one_screen_and_its_long_form_has_codes_and_variables() -> Test {
    let workspace = Workspace::new()?;
    let short = workspace.seed("-h")?;
    assert!(short.stdout.lines().count() <= 40, "{short}");
    assert_snapshot!(short, @"
    Seed a Kubernetes environment's secrets from one contract

    Usage: seed [OPTIONS] <COMMAND>

    Commands:
      plan         Show what is there, what would be created, what a person must give, and what is
                   blocked
      apply        Create what is missing, and write the contract's files
      emit         Write manifests from the contract and the facts alone
      check        Validate the contract and the facts
      get          Print one value to stdout
      files        Write the contract's files again from what is stored
      schema       Print the JSON Schema of contracts
      completions  Print completions for a shell
      man          Write manual pages

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
          --color <WHEN>  When to use colour [env: SEED_COLOR=] [default: auto] [possible values: auto,
                          always, never]
      -q, --quiet         Print errors and data only
      -v, --verbose...    Say more on stderr (can be repeated); never a value

    Examples:
      seed check -c contracts/llm-platform.yaml --env ai-dev
      seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local
      seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --emit build/manifests
    ---
    [exit status: 0]
    ");
    assert_snapshot!(help("")?, @"
    Seed a Kubernetes environment's secrets from one contract

    Creates only what is missing, never overwrites, and writes the matching manifests for External
    Secrets Operator.

    Usage: seed [OPTIONS] <COMMAND>

    Commands:
      plan         Show what is there, what would be created, what a person must give, and what is
                   blocked
      apply        Create what is missing, and write the contract's files
      emit         Write manifests from the contract and the facts alone
      check        Validate the contract and the facts
      get          Print one value to stdout
      files        Write the contract's files again from what is stored
      schema       Print the JSON Schema of contracts
      completions  Print completions for a shell
      man          Write manual pages

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --color <WHEN>
              When to use colour

              [env: SEED_COLOR=]
              [default: auto]
              [possible values: auto, always, never]

      -q, --quiet
              Print errors and data only

      -v, --verbose...
              Say more on stderr (can be repeated); never a value

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
      XDG_CONFIG_HOME, HOME  where the identity of the `local` backend is kept
    ---
    [exit status: 0]
    ");
    let bare = workspace.seed("")?;
    assert_eq!(bare.stderr, short.stdout);
    assert_eq!(bare.status.code(), Some(2));
    Ok(())
}

#[test]
fn help_lists_the_commands() -> Test {
    let help = Workspace::new()?.seed("-h")?.success()?;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed: Vec<&str> = listed
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(listed, COMMANDS);
    Ok(())
}

#[test]
fn help_of_plan() -> Test {
    assert_snapshot!(help("plan")?, @"
    Show what is there, what would be created, what a person must give, and what is blocked

    Usage: seed plan [OPTIONS]

    Options:
          --format <FORMAT>
              What to print

              Possible values:
              - text: For people
              - json: For programs: versioned, the same facts, never a value

              [default: text]

          --exit-code
              End with 10, 11 or 12 when there is something to create, to give, or blocked

          --quick
              Ask only whether names exist, in the fewest calls

          --no-read
              Read no value, not even to see which fields an entry has

      -h, --help
              Print help (see a summary with '-h')

    Contract and facts:
      -c, --contract <FILE>
              The contract

              [env: SEED_CONTRACT=]
              [default: seed.yaml]

          --env <NAME>
              The environment: what `${env}` stands for

              [env: SEED_ENV=]

          --config <FILE>
              Read facts from this file instead of the contract's `config.files` (can be repeated)

              [env: SEED_CONFIG=]

          --set <PATH=VALUE>
              Set one fact to a YAML scalar (can be repeated)

          --set-string <PATH=TEXT>
              Set one fact to text (can be repeated)

          --backend <NAME>
              Keep values in this backend instead of the contract's

              [env: SEED_BACKEND=]

    Backend calls:
          --concurrency <N>
              At most this many calls at once; the backend's own limit holds too

              [env: SEED_CONCURRENCY=]

          --timeout <SECONDS>
              Give up on a single call after this many seconds

              [env: SEED_TIMEOUT=]
              [default: 30]

          --identity <FILE>
              The age identity of the `local` backend; by default in the user's configuration directory

              [env: SEED_IDENTITY=]

    Global options:
          --color <WHEN>
              When to use colour

              [env: SEED_COLOR=]
              [default: auto]
              [possible values: auto, always, never]

      -q, --quiet
              Print errors and data only

      -v, --verbose...
              Say more on stderr (can be repeated); never a value

    Examples:
      seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local
      seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local --exit-code --format json
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn help_of_apply() -> Test {
    assert_snapshot!(help("apply")?, @"
    Create what is missing, and write the contract's files

    Usage: seed apply [OPTIONS]

    Options:
          --format <FORMAT>
              What to print

              Possible values:
              - text: For people
              - json: For programs: versioned, the same facts, never a value

              [default: text]

          --emit <DIR>
              Also write manifests into this directory

          --missing-ok
              End with 0 when all that is left is for a person to give

          --yes
              Write to the place that is shown without asking

          --no-input
              Never ask; fail instead

      -h, --help
              Print help (see a summary with '-h')

    Contract and facts:
      -c, --contract <FILE>
              The contract

              [env: SEED_CONTRACT=]
              [default: seed.yaml]

          --env <NAME>
              The environment: what `${env}` stands for

              [env: SEED_ENV=]

          --config <FILE>
              Read facts from this file instead of the contract's `config.files` (can be repeated)

              [env: SEED_CONFIG=]

          --set <PATH=VALUE>
              Set one fact to a YAML scalar (can be repeated)

          --set-string <PATH=TEXT>
              Set one fact to text (can be repeated)

          --backend <NAME>
              Keep values in this backend instead of the contract's

              [env: SEED_BACKEND=]

    Backend calls:
          --concurrency <N>
              At most this many calls at once; the backend's own limit holds too

              [env: SEED_CONCURRENCY=]

          --timeout <SECONDS>
              Give up on a single call after this many seconds

              [env: SEED_TIMEOUT=]
              [default: 30]

          --identity <FILE>
              The age identity of the `local` backend; by default in the user's configuration directory

              [env: SEED_IDENTITY=]

    Manifests:
          --for <NAME>
              Write manifests that read from this backend

          --eso-version <VERSION>
              The release of External Secrets Operator that reads them

              [default: 2.9]

    Global options:
          --color <WHEN>
              When to use colour

              [env: SEED_COLOR=]
              [default: auto]
              [possible values: auto, always, never]

      -q, --quiet
              Print errors and data only

      -v, --verbose...
              Say more on stderr (can be repeated); never a value

    Examples:
      seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --missing-ok
      seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --emit build/manifests
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn help_of_emit() -> Test {
    assert_snapshot!(help("emit")?, @"
    Write manifests from the contract and the facts alone

    Usage: seed emit [OPTIONS]

    Options:
          --with-optional <KEY>  Take this optional key for present (can be repeated)
          --present <FILE>       Take for present what `seed plan --format json` wrote into this file as
                                 present; `-` is stdin
      -o, --out <DIR>            Write one file per Secret into this directory instead of all to stdout
          --check <DIR>          Compare with this directory instead of writing; end with 10 when it
                                 differs
      -h, --help                 Print help

    Contract and facts:
      -c, --contract <FILE>         The contract [env: SEED_CONTRACT=] [default: seed.yaml]
          --env <NAME>              The environment: what `${env}` stands for [env: SEED_ENV=]
          --config <FILE>           Read facts from this file instead of the contract's `config.files`
                                    (can be repeated) [env: SEED_CONFIG=]
          --set <PATH=VALUE>        Set one fact to a YAML scalar (can be repeated)
          --set-string <PATH=TEXT>  Set one fact to text (can be repeated)
          --backend <NAME>          Keep values in this backend instead of the contract's [env:
                                    SEED_BACKEND=]

    Manifests:
          --for <NAME>             Write manifests that read from this backend
          --eso-version <VERSION>  The release of External Secrets Operator that reads them [default:
                                   2.9]

    Global options:
          --color <WHEN>  When to use colour [env: SEED_COLOR=] [default: auto] [possible values: auto,
                          always, never]
      -q, --quiet         Print errors and data only
      -v, --verbose...    Say more on stderr (can be repeated); never a value

    Examples:
      seed emit -c contracts/llm-platform.yaml --env ai-dev
      seed emit -c contracts/llm-platform.yaml --env ai-dev --with-optional hf-token
      seed emit -c contracts/llm-platform.yaml --env ai-dev --out build/manifests
      seed emit -c contracts/llm-platform.yaml --env ai-dev --check build/manifests
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn help_of_check() -> Test {
    assert_snapshot!(help("check")?, @"
    Validate the contract and the facts

    Usage: seed check [OPTIONS]

    Options:
          --all-backends  Check names and sizes for every backend of the contract, not just the one in
                          use
      -h, --help          Print help

    Contract and facts:
      -c, --contract <FILE>         The contract [env: SEED_CONTRACT=] [default: seed.yaml]
          --env <NAME>              The environment: what `${env}` stands for [env: SEED_ENV=]
          --config <FILE>           Read facts from this file instead of the contract's `config.files`
                                    (can be repeated) [env: SEED_CONFIG=]
          --set <PATH=VALUE>        Set one fact to a YAML scalar (can be repeated)
          --set-string <PATH=TEXT>  Set one fact to text (can be repeated)
          --backend <NAME>          Keep values in this backend instead of the contract's [env:
                                    SEED_BACKEND=]

    Global options:
          --color <WHEN>  When to use colour [env: SEED_COLOR=] [default: auto] [possible values: auto,
                          always, never]
      -q, --quiet         Print errors and data only
      -v, --verbose...    Say more on stderr (can be repeated); never a value

    Examples:
      seed check -c contracts/llm-platform.yaml
      seed check -c contracts/llm-platform.yaml --env ai-dev --all-backends
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn help_of_get() -> Test {
    assert_snapshot!(help("get")?, @"
    Print one value to stdout

    Usage: seed get [OPTIONS] <KEY>

    Arguments:
      <KEY>  The key, or `entry#field`

    Options:
      -h, --help  Print help

    Contract and facts:
      -c, --contract <FILE>         The contract [env: SEED_CONTRACT=] [default: seed.yaml]
          --env <NAME>              The environment: what `${env}` stands for [env: SEED_ENV=]
          --config <FILE>           Read facts from this file instead of the contract's `config.files`
                                    (can be repeated) [env: SEED_CONFIG=]
          --set <PATH=VALUE>        Set one fact to a YAML scalar (can be repeated)
          --set-string <PATH=TEXT>  Set one fact to text (can be repeated)
          --backend <NAME>          Keep values in this backend instead of the contract's [env:
                                    SEED_BACKEND=]

    Backend calls:
          --concurrency <N>    At most this many calls at once; the backend's own limit holds too [env:
                               SEED_CONCURRENCY=]
          --timeout <SECONDS>  Give up on a single call after this many seconds [env: SEED_TIMEOUT=]
                               [default: 30]
          --identity <FILE>    The age identity of the `local` backend; by default in the user's
                               configuration directory [env: SEED_IDENTITY=]

    Global options:
          --color <WHEN>  When to use colour [env: SEED_COLOR=] [default: auto] [possible values: auto,
                          always, never]
      -q, --quiet         Print errors and data only
      -v, --verbose...    Say more on stderr (can be repeated); never a value

    Example:
      seed get vllm-api-key -c contracts/llm-platform.yaml --env ai-dev --backend local
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn help_of_files() -> Test {
    assert_snapshot!(help("files")?, @"
    Write the contract's files again from what is stored

    Usage: seed files [OPTIONS]

    Options:
          --force  Also replace files that differ from what is stored
      -h, --help   Print help

    Contract and facts:
      -c, --contract <FILE>         The contract [env: SEED_CONTRACT=] [default: seed.yaml]
          --env <NAME>              The environment: what `${env}` stands for [env: SEED_ENV=]
          --config <FILE>           Read facts from this file instead of the contract's `config.files`
                                    (can be repeated) [env: SEED_CONFIG=]
          --set <PATH=VALUE>        Set one fact to a YAML scalar (can be repeated)
          --set-string <PATH=TEXT>  Set one fact to text (can be repeated)
          --backend <NAME>          Keep values in this backend instead of the contract's [env:
                                    SEED_BACKEND=]

    Backend calls:
          --concurrency <N>    At most this many calls at once; the backend's own limit holds too [env:
                               SEED_CONCURRENCY=]
          --timeout <SECONDS>  Give up on a single call after this many seconds [env: SEED_TIMEOUT=]
                               [default: 30]
          --identity <FILE>    The age identity of the `local` backend; by default in the user's
                               configuration directory [env: SEED_IDENTITY=]

    Global options:
          --color <WHEN>  When to use colour [env: SEED_COLOR=] [default: auto] [possible values: auto,
                          always, never]
      -q, --quiet         Print errors and data only
      -v, --verbose...    Say more on stderr (can be repeated); never a value

    Examples:
      seed files -c contracts/llm-platform.yaml --env ai-dev --backend local
      seed files -c contracts/llm-platform.yaml --env ai-dev --backend local --force
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn help_of_what_needs_no_contract() -> Test {
    assert_snapshot!(help("schema")?, @"
    Print the JSON Schema of contracts

    Usage: seed schema [OPTIONS]

    Options:
      -h, --help  Print help

    Global options:
          --color <WHEN>  When to use colour [env: SEED_COLOR=] [default: auto] [possible values: auto,
                          always, never]
      -q, --quiet         Print errors and data only
      -v, --verbose...    Say more on stderr (can be repeated); never a value

    Example:
      seed schema > contract.schema.json
    ---
    [exit status: 0]
    ");
    assert_snapshot!(help("completions")?, @"
    Print completions for a shell

    Usage: seed completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>  Which shell [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help  Print help

    Global options:
          --color <WHEN>  When to use colour [env: SEED_COLOR=] [default: auto] [possible values: auto,
                          always, never]
      -q, --quiet         Print errors and data only
      -v, --verbose...    Say more on stderr (can be repeated); never a value

    Example:
      seed completions bash > seed.bash
    ---
    [exit status: 0]
    ");
    assert_snapshot!(help("man")?, @"
    Write manual pages

    Usage: seed man [OPTIONS]

    Options:
      -o, --out <DIR>  Write one page per command into this directory instead of the main page to stdout
      -h, --help       Print help

    Global options:
          --color <WHEN>  When to use colour [env: SEED_COLOR=] [default: auto] [possible values: auto,
                          always, never]
      -q, --quiet         Print errors and data only
      -v, --verbose...    Say more on stderr (can be repeated); never a value

    Examples:
      seed man
      seed man --out man1
    ---
    [exit status: 0]
    ");
    Ok(())
}

/// The long help, without the blanks with which lines end.
fn help(command: &str) -> Result<String, String> {
    let help = Workspace::new()?.seed(&format!("{command} --help"))?;
    let lines = help.to_string();
    let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
    Ok(lines.join("\n"))
}

/// Each example runs in a copy of the repository that was seeded before, in the order of the help.
/// What the platform's contract leaves for a person to give is no mistake of an example.
#[test]
fn examples_of_the_help_run() -> Test {
    let workspace = Workspace::new()?;
    let mut lines = examples(&workspace.seed("--help")?.success()?);
    for command in COMMANDS {
        let examples = examples(&workspace.seed(&format!("{command} --help"))?.success()?);
        assert!(!examples.is_empty(), "{command} has no example");
        lines.extend(examples);
    }
    workspace
        .seed(&format!("apply {PLATFORM} --missing-ok"))?
        .success()?;
    assert_snapshot!(statuses(&workspace, &lines)?, @"
     0  seed check -c contracts/llm-platform.yaml --env ai-dev
     0  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local
    11  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --emit build/manifests
     0  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local
    11  seed plan -c contracts/llm-platform.yaml --env ai-dev --backend local --exit-code --format json
     0  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --missing-ok
    11  seed apply -c contracts/llm-platform.yaml --env ai-dev --backend local --emit build/manifests
     0  seed emit -c contracts/llm-platform.yaml --env ai-dev
     0  seed emit -c contracts/llm-platform.yaml --env ai-dev --with-optional hf-token
     0  seed emit -c contracts/llm-platform.yaml --env ai-dev --out build/manifests
     0  seed emit -c contracts/llm-platform.yaml --env ai-dev --check build/manifests
     0  seed check -c contracts/llm-platform.yaml
     0  seed check -c contracts/llm-platform.yaml --env ai-dev --all-backends
     0  seed get vllm-api-key -c contracts/llm-platform.yaml --env ai-dev --backend local
     0  seed files -c contracts/llm-platform.yaml --env ai-dev --backend local
     0  seed files -c contracts/llm-platform.yaml --env ai-dev --backend local --force
     0  seed schema > contract.schema.json
     0  seed completions bash > seed.bash
     0  seed man
     0  seed man --out man1
    ");
    Ok(())
}

/// The commands below `Example:` or `Examples:`.
fn examples(help: &str) -> Vec<String> {
    let below = help.lines().skip_while(|line| !line.starts_with("Example"));
    let examples = below.skip(1).take_while(|line| line.starts_with("  seed "));
    examples.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn commands_of_the_readme_run() -> Test {
    let path = repository()?.join("README.md");
    let readme = std::fs::read_to_string(path).map_err(|err| err.to_string())?;
    let blocks = readme.split("```console\n").skip(1);
    let lines = blocks.flat_map(|block| block.lines().take_while(|line| *line != "```"));
    let lines: Vec<String> = lines
        .filter_map(|line| line.strip_prefix("$ "))
        .filter(|line| line.starts_with("seed "))
        .map(str::to_owned)
        .collect();
    assert_snapshot!(statuses(&Workspace::new()?, &lines)?, @"
    0  seed check -c contracts/minimal.yaml                    # is it sound? no network, no values
    0  seed plan -c contracts/minimal.yaml --backend local     # what is there, what would be created
    0  seed apply -c contracts/minimal.yaml --backend local    # create what is missing
    0  seed emit -c contracts/minimal.yaml                     # the ExternalSecret, for Google Secret Manager
    0  seed get shop-db-password -c contracts/minimal.yaml --backend local
    ");
    Ok(())
}

/// Runs lines of a shell one after the other, and returns each with how it ended.
fn statuses(workspace: &Workspace, lines: &[String]) -> Result<String, String> {
    let seed = seed_binary()?;
    let directory = seed.parent().ok_or("`seed` is in no directory")?;
    let shell = Sealed::new(Path::new("/bin/bash"))?.variable("BIN", directory);
    let shell = shell.variable("XDG_CONFIG_HOME", workspace.home().join(".config"));
    let mut statuses = Vec::new();
    for line in lines {
        let script = format!("PATH=\"$BIN:$PATH\"; {line}");
        let outcome = shell.run(workspace.root(), ["-c", &script])?;
        let code = outcome.status.code().ok_or_else(|| outcome.to_string())?;
        assert!([0, 10, 11].contains(&code), "{line}\n{outcome}");
        statuses.push(format!("{code:2}  {line}"));
    }
    Ok(statuses.join("\n"))
}

#[test]
fn completions_are_printed_for_every_shell() -> Test {
    let workspace = Workspace::new()?;
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = workspace.seed(&format!("completions {shell}"))?.success()?;
        assert!(script.contains("missing-ok"), "{shell}: {script}");
    }
    let bash = workspace.seed("completions bash")?.success()?;
    workspace.write("seed.bash", &bash)?;
    let checked =
        Sealed::new(Path::new("/bin/bash"))?.run(workspace.root(), ["-n", "seed.bash"])?;
    assert_eq!(checked.success()?, "");
    Ok(())
}

#[test]
fn manual_pages_are_written_for_every_command() -> Test {
    let workspace = Workspace::new()?;
    let page = workspace.seed("man")?.success()?;
    assert!(page.contains(".TH seed 1"), "{page}");
    assert_snapshot!(workspace.seed("man --out man1")?, @"
    ---
    [exit status: 0]
    ");
    let files = workspace.files()?;
    let pages = files
        .keys()
        .filter_map(|path| path.strip_prefix("$ROOT/man1/"));
    assert_snapshot!(pages.collect::<Vec<_>>().join("\n"), @"
    seed-apply.1
    seed-check.1
    seed-completions.1
    seed-emit.1
    seed-files.1
    seed-get.1
    seed-man.1
    seed-plan.1
    seed-schema.1
    seed.1
    ");
    Ok(())
}

#[test]
fn the_schema_is_json_and_names_its_dialect() -> Test {
    let workspace = Workspace::new()?;
    let schema = workspace.json("schema")?;
    assert!(schema["$schema"].is_string(), "{schema}");
    Ok(())
}

#[test]
fn two_runs_emit_the_same_bytes_and_a_check_agrees() -> Test {
    let workspace = Workspace::new()?;
    let once = workspace.seed(&format!("emit {PLATFORM}"))?;
    let again = workspace.seed(&format!("emit {PLATFORM}"))?;
    assert!(once.stdout_bytes == again.stdout_bytes && !once.stdout.is_empty());
    assert_snapshot!(workspace.seed(&format!("emit {PLATFORM} --out out"))?, @"
    ---
    13 manifests and kustomization.yaml in out: 14 written, 0 unchanged.
      not written: agentgateway-system/anthropic-api-key (anthropic-api-key: config.features.egress is false)
      not written: kserve/hf-token (hf-token is optional and not known to be there)
      not written: experience/key-portal (made by the key-portal chart)
      not written: experience/openwebui-secrets (made by the open-webui bootstrap Job, which asks LiteLLM for a virtual key)
      not written: experience/tabby-secrets (made by the tabby bootstrap Job, which asks LiteLLM for a virtual key)
      not written: n8n/n8n-litellm-secrets (made by the n8n bootstrap Job, which asks LiteLLM for a virtual key)
    Optional keys are taken for present with `--with-optional KEY`, or `--present` and the JSON of `seed plan`.
    [exit status: 0]
    ");
    let before = workspace.files()?;
    workspace
        .seed(&format!("emit {PLATFORM} --out out"))?
        .success()?;
    assert_snapshot!(workspace.seed(&format!("emit {PLATFORM} --check out"))?, @"
    ---
    out is up to date.
      not written: agentgateway-system/anthropic-api-key (anthropic-api-key: config.features.egress is false)
      not written: kserve/hf-token (hf-token is optional and not known to be there)
      not written: experience/key-portal (made by the key-portal chart)
      not written: experience/openwebui-secrets (made by the open-webui bootstrap Job, which asks LiteLLM for a virtual key)
      not written: experience/tabby-secrets (made by the tabby bootstrap Job, which asks LiteLLM for a virtual key)
      not written: n8n/n8n-litellm-secrets (made by the n8n bootstrap Job, which asks LiteLLM for a virtual key)
    Optional keys are taken for present with `--with-optional KEY`, or `--present` and the JSON of `seed plan`.
    [exit status: 0]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn a_check_shows_how_a_directory_differs() -> Test {
    let workspace = Workspace::new()?;
    let minimal = "emit -c contracts/minimal.yaml";
    workspace.seed(&format!("{minimal} --out out"))?.success()?;
    let manifest = workspace.read("out/shop/shop-db.yaml")?;
    workspace.write("out/shop/shop-db.yaml", &manifest.replace("1h0m0s", "5m"))?;
    workspace.write("out/shop/old.yaml", &manifest)?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed(&format!("{minimal} --check out"))?, @r#"
    --- a/shop/shop-db.yaml
    +++ b/shop/shop-db.yaml
    @@ -6,7 +6,7 @@
       namespace: shop
     spec:
       refreshPolicy: Periodic
    -  refreshInterval: 5m
    +  refreshInterval: 1h0m0s
       secretStoreRef:
         kind: ClusterSecretStore
         name: secret-store
    --- a/shop/old.yaml
    +++ b/shop/old.yaml
    @@ -1,39 +0,0 @@
    -# Written by seed from the contract shop. Changes made here are lost: change the contract, then run `seed emit`.
    -apiVersion: external-secrets.io/v1
    -kind: ExternalSecret
    -metadata:
    -  name: shop-db
    -  namespace: shop
    -spec:
    -  refreshPolicy: Periodic
    -  refreshInterval: 1h0m0s
    -  secretStoreRef:
    -    kind: ClusterSecretStore
    -    name: secret-store
    -  target:
    -    name: shop-db
    -    creationPolicy: Owner
    -    deletionPolicy: Retain
    -    template:
    -      engineVersion: v2
    -      mergePolicy: Replace
    -      metadata:
    -        annotations: {}
    -        labels: {}
    -      data:
    -        username: shop
    -        password: "{{ .shop_db_password }}"
    -        url: "{{ .shop_db_url }}"
    -  data:
    -    - secretKey: shop_db_password
    -      remoteRef:
    -        key: shop-db-password
    -        conversionStrategy: Default
    -        decodingStrategy: None
    -        metadataPolicy: None
    -    - secretKey: shop_db_url
    -      remoteRef:
    -        key: shop-db-url
    -        conversionStrategy: Default
    -        decodingStrategy: None
    -        metadataPolicy: None
    ---
    out differs; run `seed emit --out out`.
    [exit status: 10]
    "#);
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    assert_snapshot!(workspace.seed(&format!("{minimal} --out out"))?, @"
    ---
    1 manifest and kustomization.yaml in out: 1 written, 1 unchanged.
      shop/old.yaml is ours and no longer wanted; remove it.
    [exit status: 0]
    ");
    assert_snapshot!(workspace.seed(&format!("{minimal} --check nowhere"))?.status.code().unwrap_or_default(), @"10");
    Ok(())
}

#[test]
fn emit_replaces_nothing_that_is_not_ours() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("out/shop/shop-db.yaml", "kind: mine\n")?;
    let before = workspace.files()?;
    let line = "emit -c contracts/minimal.yaml --out out";
    assert_snapshot!(workspace.seed(line)?, @"
    ---
    error: `out/shop/shop-db.yaml` was not written by seed and is not replaced
    hint: move it away, or choose another directory
    [exit status: 1]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn what_a_plan_saw_can_be_emitted() -> Test {
    let workspace = Workspace::new()?;
    let token = "version: 1\nname: hf\nbackend: local\nbackends: {local: {file: .seed/ai-dev.age}}\n\
                 secrets: {hf-token: {value: hf_example}}\n";
    workspace.write("seed.yaml", token)?;
    workspace.seed("apply")?.success()?;
    let plan = workspace
        .seed(&format!("plan {PLATFORM} --format json"))?
        .success()?;
    workspace.write("plan.json", &plan)?;
    let emitted = |flags: &str| {
        workspace
            .seed(&format!("emit {PLATFORM} {flags}"))?
            .success()
    };
    assert!(!emitted("")?.contains("key: hf-token"));
    assert_eq!(
        emitted("--present plan.json")?,
        emitted("--with-optional hf-token")?
    );
    workspace.write("plan.json", "{}")?;
    assert_snapshot!(workspace.seed(&format!("emit {PLATFORM} --present plan.json"))?, @"
    ---
    error: `plan.json` is not what `seed plan --format json` writes
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn unknown_words_are_refused() -> Test {
    let workspace = Workspace::new()?;
    assert_snapshot!(workspace.seed("applly")?, @"
    ---
    error: unrecognized subcommand 'applly'

      tip: a similar subcommand exists: 'apply'

    Usage: seed [OPTIONS] <COMMAND>

    For more information, try '--help'.
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("apply {PLATFORM} --mising-ok"))?, @"
    ---
    error: unexpected argument '--mising-ok' found

      tip: a similar argument exists: '--missing-ok'

    Usage: seed apply --contract <FILE> --env <NAME> --backend <NAME> --missing-ok

    For more information, try '--help'.
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed("completions tcsh")?, @"
    ---
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("plan {PLATFORM} --quick --no-read"))?, @"
    ---
    error: the argument '--quick' cannot be used with '--no-read'

    Usage: seed plan --contract <FILE> --env <NAME> --backend <NAME> --quick

    For more information, try '--help'.
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn a_contract_that_is_not_there_is_named() -> Test {
    let workspace = Workspace::new()?;
    assert_snapshot!(workspace.seed("plan")?, @"
    ---
    error: cannot read the contract `seed.yaml`
      caused by: No such file or directory (os error 2)
    hint: name it with `--contract FILE`, or in SEED_CONTRACT
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed("check -c contracts")?, @"
    ---
    error: cannot read the contract `contracts`
      caused by: Is a directory (os error 21)
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn an_environment_must_be_known() -> Test {
    let workspace = Workspace::new()?;
    let platform = "plan -c contracts/llm-platform.yaml --backend local";
    assert_snapshot!(workspace.seed(platform)?, @r#"
    ---
    error: no environment is given
     --> contracts/llm-platform.yaml:8:25
      |
    8 |   files: ["environments/${env}/config.yaml"]
      |                         ^^^^^^
      |
      = help: name one with `--env`, in SEED_ENV, or with top-level `env:`
    [exit status: 2]
    "#);
    assert_snapshot!(workspace.seed(&format!("{platform} --env ai-prod"))?, @"
    ---
    error: cannot read the facts file `environments/ai-prod/config.yaml`
      caused by: No such file or directory (os error 2)
    hint: check `--env`, or name another file with `--config`
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("{platform} --env ../ai-dev"))?, @"
    ---
    error: `../ai-dev` cannot name an environment
    hint: use letters, digits, `-` and `_`, at most 63, beginning with a letter or a digit
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed("check -c contracts/llm-platform.yaml")?, @"
    contracts/llm-platform.yaml: the contract is sound. Facts, names and conditions are checked with `--env NAME`.
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn a_backend_must_be_declared_and_reachable() -> Test {
    let workspace = Workspace::new()?;
    let platform = "plan -c contracts/llm-platform.yaml --env ai-dev";
    assert_snapshot!(workspace.seed(&format!("{platform} --backend gcp"))?, @"
    ---
    error: `gcp` is not declared under `backends`
    --> contracts/llm-platform.yaml
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(platform)?, @"
    ---
    error: this version of seed cannot reach Google Secret Manager (backend `gcpsm`)
    hint: keep values in an encrypted file on this machine with `--backend local`; manifests still read from the contract's own backend
    [exit status: 2]
    ");
    let unknown = "version: 1\nname: x\nbackend: consul\nbackends: {consul: {address: \"https://x\"}}\n\
                   secrets: {a: {generate: {hex: 16}}}\n";
    workspace.write("seed.yaml", unknown)?;
    assert_snapshot!(workspace.seed("plan")?, @r#"
    ---
    error: `consul` is no kind of backend; known are gcpsm, aws-sm, azure-kv, vault, kubernetes and local
     --> seed.yaml:4:12
      |
    4 | backends: {consul: {address: "https://x"}}
      |            ^^^^^^
      |
      = help: a backend of another name says its `kind`
    [exit status: 2]
    "#);
    Ok(())
}

#[test]
fn facts_must_be_settings_with_a_path() -> Test {
    let workspace = Workspace::new()?;
    let outcome = |flags: &str| workspace.seed(&format!("plan {PLATFORM} {flags}"));
    assert_snapshot!(outcome("--set egress")?, @"
    ---
    error: `egress` is no `path=value`
    [exit status: 2]
    ");
    assert_snapshot!(outcome("--set =true")?, @"
    ---
    error: `--set =true` does not work
      caused by: `` is no path of a fact; write it like `features.egress`
    [exit status: 2]
    ");
    assert_snapshot!(outcome("--set features=[1")?, @"
    ---
    error: `--set features=[1` does not work
      caused by: the value for `features` is not one YAML scalar; use `--set-string` for text
    [exit status: 2]
    ");
    assert_snapshot!(outcome("--set features.egress=maybe")?, @"
    ---
    error: the condition gives text, not true or false
      --> contracts/llm-platform.yaml:84:11
       |
    84 |     when: config.features.egress
       |           ^^^^^^^^^^^^^^^^^^^^^^
    [exit status: 2]
    ");
    assert_snapshot!(outcome("--set-string features.egress=true")?, @"
    ---
    error: the condition gives text, not true or false
      --> contracts/llm-platform.yaml:84:11
       |
    84 |     when: config.features.egress
       |           ^^^^^^^^^^^^^^^^^^^^^^
    [exit status: 2]
    ");
    assert_snapshot!(outcome("--config nowhere.yaml")?, @"
    ---
    error: cannot read the facts file `nowhere.yaml`
      caused by: No such file or directory (os error 2)
    hint: check `--env`, or name another file with `--config`
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn keys_on_the_command_line_must_be_declared_and_fit() -> Test {
    let workspace = Workspace::new()?;
    assert_snapshot!(workspace.seed(&format!("emit {PLATFORM} --with-optional vllm-api-key"))?, @"
    ---
    error: `vllm-api-key` is not optional
    hint: `--with-optional` is for values that the contract marks `optional: true`
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("emit {PLATFORM} --with-optional hf-tokn"))?, @"
    ---
    error: `hf-tokn` is not declared under `secrets`
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("get dex-admin-pasword {PLATFORM}"))?, @"
    ---
    error: `dex-admin-pasword` is not declared under `secrets`
    hint: did you mean `dex-admin-password`?
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("get anthropic-api-key {PLATFORM}"))?, @"
    ---
    error: `anthropic-api-key` is not needed here: config.features.egress is false
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("get vllm-api-key {PLATFORM}"))?, @"
    ---
    error: `vllm-api-key` is not stored
    hint: `seed plan` shows what is there
    [exit status: 1]
    ");
    assert_snapshot!(workspace.seed(&format!("get .. {PLATFORM}"))?, @"
    ---
    error: invalid value '..' for '<KEY>': `..` must begin with a letter or a digit

    For more information, try '--help'.
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn manifests_need_a_store() -> Test {
    let workspace = Workspace::new()?;
    assert_snapshot!(workspace.seed(&format!("emit {PLATFORM} --for local"))?, @"
    ---
    error: `local` is no store: External Secrets Operator cannot read it
    --> contracts/llm-platform.yaml
     = help: name another backend with `--for`
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("emit {PLATFORM} --for nowhere"))?, @"
    ---
    error: `nowhere` is not declared under `backends`
    --> contracts/llm-platform.yaml
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("emit {PLATFORM} --eso-version 0.9"))?, @"
    ---
    error: invalid value '0.9' for '--eso-version <VERSION>': `0.9` is no version of External Secrets Operator that has external-secrets.io/v1; write 0.17 or later, such as 2.9

    For more information, try '--help'.
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn mistakes_in_a_contract_are_shown_at_their_place() -> Test {
    let workspace = Workspace::new()?;
    let wrong = "version: 1\nname: x\nbackend: local\nsecrets:\n  a: {generate: {hexx: 16}}\n  \
                 b: {compose: \"${c}\"}\n  d: {generate: {hex: 16}, whn: true}\n";
    workspace.write("seed.yaml", wrong)?;
    assert_snapshot!(workspace.seed("check")?, @"
    ---
    error: `hexx` is not a generator
     --> seed.yaml:5:18
      |
    5 |   a: {generate: {hexx: 16}}
      |                  ^^^^
      |
      = help: did you mean `hex`?
    error: a secret has no field `whn`
     --> seed.yaml:7:28
      |
    7 |   d: {generate: {hex: 16}, whn: true}
      |                            ^^^
      |
      = help: did you mean `when`?
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn every_backend_of_the_platform_takes_its_names() -> Test {
    let workspace = Workspace::new()?;
    let line = "check -c contracts/llm-platform.yaml --env ai-dev --all-backends";
    assert_snapshot!(workspace.seed(line)?, @"
    contracts/llm-platform.yaml: sound for env ai-dev, on gcpsm, aws-sm, azure-kv, vault, kubernetes, local. 17 of 18 secrets and 18 targets are active.
    ---
    [exit status: 0]
    ");
    Ok(())
}
