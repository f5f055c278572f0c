//! What every command does, and its answers to wrong usage.

#![expect(
    clippy::too_many_lines,
    reason = "a snapshot is as long as what it shows"
)]

use std::path::Path;

use insta::assert_snapshot;
use seed_tests::cli::Sealed;
use seed_tests::help;
use seed_tests::workspace::{PLATFORM, Workspace, changed};

type Test = Result<(), String>;

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
    let written = files
        .keys()
        .filter_map(|path| path.strip_prefix("$ROOT/man1/"));
    let commands = help::all(&workspace)?;
    let mut wanted: Vec<String> = commands
        .iter()
        .map(|help| format!("seed {}", help.command).trim().replace(' ', "-") + ".1")
        .collect();
    wanted.sort();
    assert_eq!(written.collect::<Vec<_>>(), wanted);
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
    out differs; run `seed emit --out out --prune`.
    [exit status: 10]
    "#);
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    assert_snapshot!(workspace.seed(&format!("{minimal} --out out"))?, @"
    ---
    1 manifest and kustomization.yaml in out: 1 written, 1 unchanged.
      shop/old.yaml is ours and no longer wanted; `--prune` removes it.
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
    hint: name another with `--contract FILE`, or in SEED_CONTRACT
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
fn a_backend_must_be_declared_and_known() -> Test {
    let workspace = Workspace::new()?;
    let platform = "plan -c contracts/llm-platform.yaml --env ai-dev";
    assert_snapshot!(workspace.seed(&format!("{platform} --backend gcp"))?, @"
    ---
    error: `gcp` is not declared under `backends`
    hint: did you mean `gcpsm`?
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("{platform} --backend kv"))?, @"
    ---
    error: `kv` is not declared under `backends`
    hint: there are `gcpsm`, `aws-sm`, `azure-kv`, `vault`, `kubernetes` and `local`
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
      caused by: the value for `features` is not one YAML scalar; use `--set-string` for text, and `--config FILE` for more than one fact
    [exit status: 2]
    ");
    assert_snapshot!(outcome("--set features.egress=maybe")?, @"
    ---
    error: the condition gives text, not true or false
      --> contracts/llm-platform.yaml:87:11
       |
    87 |     when: config.features.egress
       |           ^^^^^^^^^^^^^^^^^^^^^^
    [exit status: 2]
    ");
    assert_snapshot!(outcome("--set features=true")?, @"
    ---
    error: `--set features=true` does not work
      caused by: `features` is a mapping; set one fact in it, such as `features.egress`
    [exit status: 2]
    ");
    assert_snapshot!(outcome("--set features={egress:true}")?, @"
    ---
    error: `--set features={egress:true}` does not work
      caused by: the value for `features` is not one YAML scalar; use `--set-string` for text, and `--config FILE` for more than one fact
    [exit status: 2]
    ");
    assert_snapshot!(outcome("--set-string features.egress=true")?, @"
    ---
    error: the condition gives text, not true or false
      --> contracts/llm-platform.yaml:87:11
       |
    87 |     when: config.features.egress
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

/// Values in the local store need no fact that only another backend or its manifests need.
#[test]
fn facts_of_a_backend_that_is_not_used_may_be_missing() -> Test {
    let workspace = Workspace::new()?;
    let contract = "version: 1\nname: x\nbackend: ${config.where.backend}\n\
                    backends: {gcpsm: {project: \"${config.cloud.project}\"}, local: {file: x.age}}\n\
                    secrets: {a: {generate: {hex: 4}}}\n";
    workspace.write("seed.yaml", contract)?;
    for command in [
        "plan",
        "plan --offline",
        "apply",
        "files",
        "get a",
        "verify",
    ] {
        workspace
            .seed(&format!("{command} --backend local"))?
            .success()?;
    }
    let missing = "`config.where.backend` is in no facts file";
    for command in [
        "plan",
        "emit --backend local",
        "apply --backend local --emit out",
    ] {
        let outcome = workspace.seed(command)?;
        assert_eq!(outcome.status.code(), Some(2), "{outcome}");
        assert!(outcome.stderr.contains(missing), "{outcome}");
    }
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
    hint: did you mean `hf-token`?
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
    hint: there are `gcpsm`, `aws-sm`, `azure-kv`, `vault`, `kubernetes` and `local`
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
