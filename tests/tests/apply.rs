//! `seed apply` and `seed plan` on the local store: what a run creates, keeps, refuses and says.

#![expect(
    clippy::too_many_lines,
    reason = "a snapshot is as long as what it shows"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use insta::assert_snapshot;
use seed_tests::binary::seed_binary;
use seed_tests::cli::Sealed;
use seed_tests::workspace::{PLATFORM, Workspace, changed};

type Test = Result<(), String>;

/// One value for each thing that can become of one.
const EVERY_KIND: &str = r#"version: 1
name: every-kind
backend: gcpsm
backends: {gcpsm: {project: example}}
store: {name: secret-store}
config: {defaults: {extra: false}}
secrets:
  password: {description: Opens the door, generate: {hex: 16}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  url: {compose: "postgresql://app:${password | urlencode}@db:5432/app"}
  user: {value: app}
  token:
    provide: {how: "dashboard, API tokens", url: "https://example.com/tokens"}
  header: {compose: "Bearer ${token}"}
  license: {provide: {how: sales@example.com}, optional: true}
  session: {mint: {by: the application}}
  spare: {when: config.extra, generate: {hex: 16}}
  entry:
    fields:
      id: {value: "7"}
      key: {generate: {hex: 16}}
targets:
  app/app:
    data: {PASSWORD: "${password}", HEADER: "${header}", SESSION: "${session}"}
  app/others:
    made-by: a chart
    data: {LICENSE: "${license}"}
files:
  secrets/password: {text: "${password}\n"}
  secrets/header: {text: "${header}\n"}
"#;

#[test]
fn the_first_run_creates_and_the_second_changes_nothing() -> Test {
    let workspace = Workspace::new()?;
    let line = format!("apply {PLATFORM} --emit build/manifests --missing-ok");
    assert_snapshot!(workspace.seed(&line)?, @"
    llm-platform · env ai-dev · local, file .seed/ai-dev.age      contracts/llm-platform.yaml

      + litellm-master-key              created
      + litellm-salt-key                created
      + vllm-api-key                    created
      + litellm-db-password             created
      + litellm-grafana-ro-password     created
      + n8n-encryption-key              created
      + oauth2-proxy-cookie-secret      created
      + dex-admin-password              created
      + dex-admin-hash                  created
      + dex-argocd-client-secret        created
      + dex-grafana-client-secret       created
      + dex-litellm-client-secret       created
      + dex-oauth2-proxy-client-secret  created
      + dex-open-webui-client-secret    created
      + dex-tabby-client-secret         created

    Applied: 15 created, 1 for you to provide, 1 optional, 1 not needed.

      You still have to provide (`seed set KEY`):
        cloudflare-api-token: Cloudflare dashboard, My Profile, API Tokens; permissions Zone:Read and DNS:Edit for the one zone
          https://dash.cloudflare.com/profile/api-tokens

      You may provide (`seed set KEY`):
        hf-token: Hugging Face, Settings, Access Tokens; read access, needed for gated models only
          https://huggingface.co/settings/tokens

      Files:
        secrets/dex-admin-password: written

      13 manifests and kustomization.yaml in build/manifests: 14 written, 0 unchanged.
        not written: agentgateway-system/anthropic-api-key (anthropic-api-key: config.features.egress is false)
        not written: kserve/hf-token (hf-token is optional and not known to be there)
        They read from gcpsm. The values are in local, so gcpsm needs its own before they are applied.

      Secrets that somebody else makes:
        experience/key-portal         made by the key-portal chart
        experience/openwebui-secrets  made by the open-webui bootstrap Job, which asks LiteLLM for a virtual key
        experience/tabby-secrets      made by the tabby bootstrap Job, which asks LiteLLM for a virtual key
        n8n/n8n-litellm-secrets       made by the n8n bootstrap Job, which asks LiteLLM for a virtual key
    ---
    [exit status: 0]
    ");
    let before = workspace.files()?;
    let manifests = before.keys().filter(|path| path.contains("/manifests/"));
    assert!(manifests.count() > 14, "{:?}", before.keys());
    assert_snapshot!(workspace.seed(&line)?, @"
    llm-platform · env ai-dev · local, file .seed/ai-dev.age      contracts/llm-platform.yaml

    Applied: 15 exist, 1 for you to provide, 1 optional, 1 not needed.

      You still have to provide (`seed set KEY`):
        cloudflare-api-token: Cloudflare dashboard, My Profile, API Tokens; permissions Zone:Read and DNS:Edit for the one zone
          https://dash.cloudflare.com/profile/api-tokens

      You may provide (`seed set KEY`):
        hf-token: Hugging Face, Settings, Access Tokens; read access, needed for gated models only
          https://huggingface.co/settings/tokens

      Files:
        secrets/dex-admin-password: unchanged

      13 manifests and kustomization.yaml in build/manifests: 0 written, 14 unchanged.
        not written: agentgateway-system/anthropic-api-key (anthropic-api-key: config.features.egress is false)
        not written: kserve/hf-token (hf-token is optional and not known to be there)
        They read from gcpsm. The values are in local, so gcpsm needs its own before they are applied.

      Secrets that somebody else makes:
        experience/key-portal         made by the key-portal chart
        experience/openwebui-secrets  made by the open-webui bootstrap Job, which asks LiteLLM for a virtual key
        experience/tabby-secrets      made by the tabby bootstrap Job, which asks LiteLLM for a virtual key
        n8n/n8n-litellm-secrets       made by the n8n bootstrap Job, which asks LiteLLM for a virtual key
    ---
    [exit status: 0]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn what_a_person_must_give_ends_a_run_with_11() -> Test {
    let workspace = Workspace::new()?;
    let outcome = workspace.seed(&format!("apply {PLATFORM}"))?;
    assert_eq!(outcome.status.code(), Some(11), "{outcome}");
    let outcome = workspace.seed(&format!("apply {PLATFORM} --missing-ok"))?;
    assert_eq!(outcome.status.code(), Some(0), "{outcome}");
    Ok(())
}

#[test]
fn without_identity_nothing_of_dex_is_made() -> Test {
    let workspace = Workspace::new()?;
    let platform = format!("{PLATFORM} --set features.identity=false");
    let outcome = workspace.seed(&format!(
        "apply {platform} --emit build/manifests --missing-ok"
    ))?;
    assert_snapshot!(outcome, @"
    llm-platform · env ai-dev · local, file .seed/ai-dev.age      contracts/llm-platform.yaml

      + litellm-master-key           created
      + litellm-salt-key             created
      + vllm-api-key                 created
      + litellm-db-password          created
      + litellm-grafana-ro-password  created
      + n8n-encryption-key           created

    Applied: 6 created, 1 for you to provide, 1 optional, 10 not needed.

      You still have to provide (`seed set KEY`):
        cloudflare-api-token: Cloudflare dashboard, My Profile, API Tokens; permissions Zone:Read and DNS:Edit for the one zone
          https://dash.cloudflare.com/profile/api-tokens

      You may provide (`seed set KEY`):
        hf-token: Hugging Face, Settings, Access Tokens; read access, needed for gated models only
          https://huggingface.co/settings/tokens

      8 manifests and kustomization.yaml in build/manifests: 9 written, 0 unchanged.
        not written: monitoring/grafana-oidc (dex-grafana-client-secret: config.features.identity is false)
        not written: argocd/argocd-dex-oidc (dex-argocd-client-secret: config.features.identity is false)
        not written: dex/dex-secrets (dex-admin-hash: config.features.identity is false)
        not written: oauth2-proxy/oauth2-proxy-secrets (config.features.identity is false)
        not written: experience/open-webui-oidc (dex-open-webui-client-secret: config.features.identity is false)
        not written: agentgateway-system/anthropic-api-key (anthropic-api-key: config.features.egress is false)
        not written: kserve/hf-token (hf-token is optional and not known to be there)
        They read from gcpsm. The values are in local, so gcpsm needs its own before they are applied.

      Secrets that somebody else makes:
        experience/key-portal         made by the key-portal chart
        experience/openwebui-secrets  made by the open-webui bootstrap Job, which asks LiteLLM for a virtual key
        experience/tabby-secrets      made by the tabby bootstrap Job, which asks LiteLLM for a virtual key
        n8n/n8n-litellm-secrets       made by the n8n bootstrap Job, which asks LiteLLM for a virtual key
    ---
    [exit status: 0]
    ");
    let created = workspace.planned(PLATFORM, &["keep"])?;
    let of_identity = |key: &&String| key.starts_with("dex-") || key.starts_with("oauth2-");
    assert_eq!(created.iter().find(of_identity), None);
    let files = workspace.files()?;
    assert!(!files.contains_key("$ROOT/secrets"), "{:?}", files.keys());
    let manifests = files
        .iter()
        .filter(|(path, _)| path.starts_with("$ROOT/build/"));
    for (path, manifest) in manifests {
        let text = String::from_utf8_lossy(&manifest.bytes).into_owned();
        let asks = text
            .lines()
            .filter(|line| line.trim_start().starts_with("key:"));
        let wrong: Vec<&str> = asks
            .filter(|line| line.contains("dex-") || line.contains("oauth2-"))
            .collect();
        assert!(wrong.is_empty(), "{path}: {wrong:?}");
        assert!(!path.contains("dex") && !path.contains("oauth2"), "{path}");
    }
    Ok(())
}

#[test]
fn with_egress_the_key_of_the_provider_is_asked_for() -> Test {
    let workspace = Workspace::new()?;
    let asked = |facts: &str| workspace.planned(&format!("{PLATFORM} {facts}"), &["ask"]);
    assert_eq!(asked("")?, ["cloudflare-api-token"]);
    let with_egress = asked("--set features.egress=true")?;
    assert_eq!(with_egress, ["cloudflare-api-token", "anthropic-api-key"]);
    let outcome = workspace.seed(&format!("apply {PLATFORM} --set features.egress=true"))?;
    let said = "anthropic-api-key: Anthropic console, API keys";
    assert!(outcome.stdout.contains(said), "{outcome}");
    assert_eq!(outcome.status.code(), Some(11), "{outcome}");
    Ok(())
}

#[test]
fn plan_and_apply_say_the_same_in_text_and_json() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", EVERY_KIND)?;
    assert_snapshot!(workspace.seed("plan --backend local")?, @"
    every-kind · local, file .seed/every-kind.age                 seed.yaml

      + password   hex 16  (copy in secrets/password)
      + hash       bcrypt of password
      + url        text with password
      + user       literal
      ? token      you provide: dashboard, API tokens
                   https://example.com/tokens
      > header     waits for token
      . license    optional: sales@example.com
      ~ session    written later by the application
      - spare      not needed: config.extra is false
      + entry#id   literal
      + entry#key  hex 16

      Secrets that somebody else makes:
        app/others  made by a chart

    Plan: 6 to create, 1 for you to provide, 1 waiting, 1 written later, 1 optional, 1 not needed.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(workspace.seed("plan --format json --backend local")?, @r#"
    {
      "version": 1,
      "contract": "every-kind",
      "env": null,
      "offline": false,
      "backends": [
        {
          "name": "local",
          "kind": "local",
          "place": "file .seed/every-kind.age",
          "identity": null,
          "create": "atomic",
          "guaranteed": "the backend itself refuses to write over what exists, whoever writes",
          "not_guaranteed": "which of several runs makes a value"
        }
      ],
      "steps": [
        {
          "key": "password",
          "backend": "local",
          "name": "password",
          "state": "absent",
          "action": "create",
          "source": "hex 16",
          "description": "Opens the door",
          "files": [
            "secrets/password"
          ]
        },
        {
          "key": "hash",
          "backend": "local",
          "name": "hash",
          "state": "absent",
          "action": "create",
          "source": "bcrypt of password",
          "description": null,
          "files": []
        },
        {
          "key": "url",
          "backend": "local",
          "name": "url",
          "state": "absent",
          "action": "create",
          "source": "text with password",
          "description": null,
          "files": []
        },
        {
          "key": "user",
          "backend": "local",
          "name": "user",
          "state": "absent",
          "action": "create",
          "source": "literal",
          "description": null,
          "files": []
        },
        {
          "key": "token",
          "backend": "local",
          "name": "token",
          "state": "absent",
          "action": "ask",
          "source": "dashboard, API tokens",
          "description": null,
          "files": []
        },
        {
          "key": "header",
          "backend": "local",
          "name": "header",
          "state": "absent",
          "action": "wait",
          "source": "text with token",
          "description": null,
          "files": [
            "secrets/header"
          ],
          "waits_for": [
            "token"
          ],
          "optional": false
        },
        {
          "key": "license",
          "backend": "local",
          "name": "license",
          "state": "absent",
          "action": "optional",
          "source": "sales@example.com",
          "description": null,
          "files": []
        },
        {
          "key": "session",
          "backend": "local",
          "name": "session",
          "state": "absent",
          "action": "minted",
          "source": "written later by the application",
          "description": null,
          "files": [],
          "by": "the application"
        },
        {
          "key": "spare",
          "backend": null,
          "name": null,
          "state": null,
          "action": "not-needed",
          "source": "",
          "description": null,
          "files": [],
          "reason": "config.extra is false"
        },
        {
          "key": "entry#id",
          "backend": "local",
          "name": "entry",
          "state": "absent",
          "action": "create",
          "source": "literal",
          "description": null,
          "files": []
        },
        {
          "key": "entry#key",
          "backend": "local",
          "name": "entry",
          "state": "absent",
          "action": "create",
          "source": "hex 16",
          "description": null,
          "files": []
        }
      ],
      "made_by_others": [
        {
          "secret": "app/others",
          "by": "a chart"
        }
      ],
      "errors": [],
      "notes": [],
      "summary": {
        "create": 6,
        "ask": 1,
        "wait": 1,
        "blocked": 0,
        "keep": 0,
        "minted": 1,
        "optional": 1,
        "not_needed": 1,
        "not_selected": 0
      }
    }
    ---
    [exit status: 0]
    "#);
    assert_snapshot!(workspace.seed("apply --format json --emit build/manifests --backend local")?, @r#"
    {
      "version": 1,
      "contract": "every-kind",
      "env": null,
      "backends": [
        {
          "name": "local",
          "kind": "local",
          "place": "file .seed/every-kind.age",
          "identity": null,
          "create": "atomic",
          "guaranteed": "the backend itself refuses to write over what exists, whoever writes",
          "not_guaranteed": "which of several runs makes a value"
        }
      ],
      "verdict": "waiting",
      "outcomes": [
        {
          "key": "password",
          "backend": "local",
          "name": "password",
          "outcome": "created"
        },
        {
          "key": "hash",
          "backend": "local",
          "name": "hash",
          "outcome": "created"
        },
        {
          "key": "url",
          "backend": "local",
          "name": "url",
          "outcome": "created"
        },
        {
          "key": "user",
          "backend": "local",
          "name": "user",
          "outcome": "created"
        },
        {
          "key": "token",
          "backend": "local",
          "name": "token",
          "outcome": "ask"
        },
        {
          "key": "header",
          "backend": "local",
          "name": "header",
          "outcome": "wait",
          "waits_for": [
            "token"
          ],
          "optional": false
        },
        {
          "key": "license",
          "backend": "local",
          "name": "license",
          "outcome": "optional"
        },
        {
          "key": "session",
          "backend": "local",
          "name": "session",
          "outcome": "minted",
          "by": "the application"
        },
        {
          "key": "spare",
          "backend": null,
          "name": null,
          "outcome": "not-needed",
          "reason": "config.extra is false"
        },
        {
          "key": "entry#id",
          "backend": "local",
          "name": "entry",
          "outcome": "created"
        },
        {
          "key": "entry#key",
          "backend": "local",
          "name": "entry",
          "outcome": "created"
        }
      ],
      "files": [
        {
          "path": "secrets/password",
          "outcome": "written"
        },
        {
          "path": "secrets/header",
          "outcome": "waits"
        }
      ],
      "manifests": {
        "directory": "build/manifests",
        "written": [
          "app/app.yaml",
          "kustomization.yaml"
        ],
        "unchanged": [],
        "stale": [],
        "pruned": [],
        "skipped": [
          {
            "secret": "app/others",
            "reason": "made by a chart",
            "made_by_others": true
          }
        ]
      },
      "errors": [],
      "notes": [],
      "summary": {
        "created": 6,
        "restored": 0,
        "kept": 0,
        "lost": 0,
        "dropped": 0,
        "failed": 0,
        "uncertain": 0,
        "skipped": 0,
        "cancelled": 0,
        "ask": 1,
        "wait": 1,
        "blocked": 0,
        "minted": 1,
        "optional": 1,
        "not_needed": 1,
        "not_selected": 0
      }
    }
    ---
    [exit status: 11]
    "#);
    assert_snapshot!(workspace.seed("apply --backend local")?, @"
    every-kind · local, file .seed/every-kind.age                 seed.yaml

      > header  waits for token

    Applied: 6 exist, 1 for you to provide, 1 waiting, 1 written later, 1 optional, 1 not needed.

      You still have to provide (`seed set KEY`):
        token: dashboard, API tokens
          https://example.com/tokens

      You may provide (`seed set KEY`):
        license: sales@example.com

      Files:
        secrets/password: unchanged
        secrets/header: not written: a value that it needs is not there yet

      Secrets that somebody else makes:
        app/others  made by a chart
    ---
    [exit status: 11]
    ");
    Ok(())
}

#[test]
fn a_plan_changes_nothing() -> Test {
    let workspace = Workspace::new()?;
    let before = workspace.files()?;
    workspace.seed(&format!("plan {PLATFORM}"))?.success()?;
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn exit_codes_of_plan_tell_what_is_pending() -> Test {
    let workspace = Workspace::new()?;
    let code = |arguments: &str| Ok::<_, String>(workspace.seed(arguments)?.status.code());
    let minimal = "-c contracts/minimal.yaml --backend local";
    assert_eq!(code(&format!("plan {minimal}"))?, Some(0));
    assert_eq!(code(&format!("plan {minimal} --exit-code"))?, Some(10));
    workspace.seed(&format!("apply {minimal}"))?.success()?;
    assert_eq!(code(&format!("plan {minimal} --exit-code"))?, Some(0));
    assert_eq!(code(&format!("plan {PLATFORM} --exit-code"))?, Some(11));

    let pair = "version: 1\nname: pair\nbackend: local\nsecrets:\n  hash: {value: x}\n";
    workspace.write("seed.yaml", pair)?;
    workspace.seed("apply")?.success()?;
    let whole = pair.replace(
        "hash: {value: x}",
        "password: {generate: {hex: 16}}\n  hash: {derive: {bcrypt: {of: password}}}",
    );
    workspace.write("seed.yaml", &whole)?;
    assert_eq!(code("plan --exit-code")?, Some(12));
    assert_eq!(code("plan")?, Some(0));
    Ok(())
}

#[test]
fn a_copy_that_git_would_take_is_refused_before_anything_is_written() -> Test {
    let workspace = Workspace::new()?;
    git(&workspace, &["init", "--quiet"])?;
    let before = workspace.files()?;
    let line = format!("apply {PLATFORM} --missing-ok");
    assert_snapshot!(workspace.seed(&line)?, @"
    ---
    error: `secrets/dex-admin-password` would hold secret values
    hint: git does not ignore it: add the line `/secrets/dex-admin-password` to .gitignore
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed(&format!("files {PLATFORM}"))?, @"
    ---
    error: `secrets/dex-admin-password` would hold secret values
    hint: git does not ignore it: add the line `/secrets/dex-admin-password` to .gitignore
    [exit status: 2]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);

    workspace.write(".gitignore", "/secrets/dex-admin-password\n")?;
    workspace.write("secrets/dex-admin-password", "committed by accident\n")?;
    git(
        &workspace,
        &["add", "--force", "secrets/dex-admin-password"],
    )?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed(&line)?, @"
    ---
    error: `secrets/dex-admin-password` would hold secret values
    hint: git tracks it: run `git -C $ROOT rm --cached -- secrets/dex-admin-password`, and add it to .gitignore
    [exit status: 2]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);

    git(
        &workspace,
        &["rm", "--quiet", "-f", "secrets/dex-admin-password"],
    )?;
    workspace.seed(&line)?.success()?;
    let copy = workspace.read("secrets/dex-admin-password")?;
    let value = workspace.value(PLATFORM, "dex-admin-password")?;
    assert_eq!(copy.trim_end().as_bytes(), value);
    Ok(())
}

#[test]
fn files_of_what_is_not_needed_are_not_asked_about() -> Test {
    let workspace = Workspace::new()?;
    git(&workspace, &["init", "--quiet"])?;
    let line = format!("apply {PLATFORM} --missing-ok --set features.identity=false");
    workspace.seed(&line)?.success()?;
    Ok(())
}

#[test]
fn a_file_that_somebody_changed_is_kept_until_it_is_forced() -> Test {
    let workspace = Workspace::new()?;
    let line = format!("apply {PLATFORM} --missing-ok");
    workspace.seed(&line)?.success()?;
    let copy = workspace.read("secrets/dex-admin-password")?;
    workspace.write("secrets/dex-admin-password", "mine\n")?;
    assert_snapshot!(only(&workspace.seed(&line)?.to_string(), &["Files:", "secrets/", "[exit"]), @"
      Files:
        secrets/dex-admin-password: differs from what is stored, and was kept; `seed files --force` replaces it
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed(&format!("files {PLATFORM}"))?, @"
      secrets/dex-admin-password: differs from what is stored, and was kept; `seed files --force` replaces it
    ---
    [exit status: 12]
    ");
    assert_eq!(workspace.read("secrets/dex-admin-password")?, "mine\n");
    assert_snapshot!(workspace.seed(&format!("files {PLATFORM} --force"))?, @"
      secrets/dex-admin-password: replaced
    ---
    [exit status: 0]
    ");
    assert!(
        workspace.read("secrets/dex-admin-password")? == copy,
        "not the stored value"
    );
    assert_snapshot!(workspace.seed(&format!("files {PLATFORM}"))?, @"
      secrets/dex-admin-password: unchanged
    ---
    [exit status: 0]
    ");
    workspace.seed(&line)?.success()?;
    Ok(())
}

#[test]
fn what_holds_values_is_for_its_owner_only() -> Test {
    let workspace = Workspace::new()?;
    workspace
        .seed(&format!("apply {PLATFORM} --missing-ok"))?
        .success()?;
    let files = workspace.files()?;
    let ours = ["$ROOT/.seed", "$ROOT/secrets", "$HOME/.config/seed"];
    let modes: Vec<String> = files
        .iter()
        .filter(|(path, _)| ours.iter().any(|ours| path.starts_with(ours)))
        .map(|(path, found)| format!("{:o} {path}", found.mode))
        .collect();
    assert_snapshot!(modes.join("\n"), @"
    700 $HOME/.config/seed
    600 $HOME/.config/seed/identity.txt
    600 $HOME/.config/seed/identity.txt.lock
    700 $ROOT/.seed
    600 $ROOT/.seed/ai-dev.age
    600 $ROOT/.seed/ai-dev.age.lock
    700 $ROOT/secrets
    600 $ROOT/secrets/dex-admin-password
    ");
    Ok(())
}

#[test]
fn without_its_identity_a_store_is_not_taken_for_empty() -> Test {
    let workspace = Workspace::new()?;
    let line = format!("apply {PLATFORM} --missing-ok");
    workspace.seed(&line)?.success()?;
    let identity = workspace.home().join(".config/seed/identity.txt");
    let aside = workspace.home().join("aside");
    fs::rename(&identity, &aside).map_err(|err| err.to_string())?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed(&format!("plan {PLATFORM}"))?, @"
    ---
    error: cannot ask the backend `local`
      caused by: look up what is stored: the store `.seed/ai-dev.age` exists, but the identity `$HOME/.config/seed/identity.txt` that opens it does not; put that file back, or move the store away to start with an empty one
    [exit status: 1]
    ");
    assert_snapshot!(workspace.seed(&line)?, @"
    llm-platform · env ai-dev · local, file .seed/ai-dev.age      contracts/llm-platform.yaml

    ---
    error: cannot ask the backend `local`
      caused by: look up what is stored: the store `.seed/ai-dev.age` exists, but the identity `$HOME/.config/seed/identity.txt` that opens it does not; put that file back, or move the store away to start with an empty one
    [exit status: 1]
    ");
    assert_snapshot!(workspace.seed(&format!("get vllm-api-key {PLATFORM}"))?, @"
    ---
    error: cannot read `vllm-api-key`: read `vllm-api-key`: the store `.seed/ai-dev.age` exists, but the identity `$HOME/.config/seed/identity.txt` that opens it does not; put that file back, or move the store away to start with an empty one
    [exit status: 1]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);

    let elsewhere = format!("plan {PLATFORM} --identity {} --exit-code", aside.display());
    assert_eq!(workspace.seed(&elsewhere)?.status.code(), Some(11));
    Ok(())
}

#[test]
fn an_identity_of_somebody_else_opens_nothing() -> Test {
    let workspace = Workspace::new()?;
    let line = format!("apply {PLATFORM} --missing-ok");
    workspace.seed(&line)?.success()?;
    let minimal = "apply -c contracts/minimal.yaml --backend local --identity other.txt";
    workspace.seed(minimal)?.success()?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed(&format!("{line} --identity other.txt"))?, @"
    llm-platform · env ai-dev · local, file .seed/ai-dev.age      contracts/llm-platform.yaml

    ---
    error: cannot ask the backend `local`
      caused by: look up what is stored: the identity `other.txt` does not open the store `.seed/ai-dev.age`
    [exit status: 1]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn a_store_that_cannot_be_read_is_not_taken_for_empty() -> Test {
    let workspace = Workspace::new()?;
    let line = format!("apply {PLATFORM} --missing-ok");
    workspace.seed(&line)?.success()?;
    let store = workspace.root().join(".seed/ai-dev.age");
    let sound = fs::read(&store).map_err(|err| err.to_string())?;
    let half = sound.get(..sound.len() / 2).unwrap_or_default();
    for broken in [half, b"no store", b""] {
        fs::write(&store, broken).map_err(|err| err.to_string())?;
        let before = workspace.files()?;
        let outcome = workspace.seed(&line)?;
        assert_eq!(outcome.status.code(), Some(1), "{outcome}");
        assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    }
    assert_snapshot!(workspace.seed(&line)?, @"
    llm-platform · env ai-dev · local, file .seed/ai-dev.age      contracts/llm-platform.yaml

    ---
    error: cannot ask the backend `local`
      caused by: look up what is stored: the store `.seed/ai-dev.age` cannot be understood: it is cut short, changed, or not a store of seed; put a good copy back, or move it away to start with an empty store
    [exit status: 1]
    ");
    fs::write(&store, &sound).map_err(|err| err.to_string())?;
    fs::set_permissions(&store, fs::Permissions::from_mode(0o644))
        .map_err(|err| err.to_string())?;
    assert_snapshot!(workspace.seed(&line)?, @"
    llm-platform · env ai-dev · local, file .seed/ai-dev.age      contracts/llm-platform.yaml

    ---
    error: cannot ask the backend `local`
      caused by: look up what is stored: `.seed/ai-dev.age` can be read or changed by others (mode 644); run `chmod 600` on it
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn manifests_that_are_not_ours_stop_a_run_before_it_writes_values() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("build/manifests/dex/dex-secrets.yaml", "kind: mine\n")?;
    let before = workspace.files()?;
    let line = format!("apply {PLATFORM} --missing-ok --emit build/manifests");
    assert_snapshot!(workspace.seed(&line)?, @"
    ---
    error: `build/manifests/dex/dex-secrets.yaml` was not written by seed and is not replaced
    hint: move it away, or choose another directory
    [exit status: 1]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn a_copy_that_cannot_be_written_leaves_a_report() -> Test {
    let workspace = Workspace::new()?;
    let elsewhere = workspace.home().join("elsewhere");
    fs::create_dir(&elsewhere).map_err(|err| err.to_string())?;
    let link = workspace.root().join("secrets");
    std::os::unix::fs::symlink(&elsewhere, link).map_err(|err| err.to_string())?;
    let outcome = workspace.seed(&format!("apply {PLATFORM} --missing-ok"))?;
    assert_snapshot!(outcome, @"
    llm-platform · env ai-dev · local, file .seed/ai-dev.age      contracts/llm-platform.yaml

      + litellm-master-key              created
      + litellm-salt-key                created
      + vllm-api-key                    created
      + litellm-db-password             created
      + litellm-grafana-ro-password     created
      + n8n-encryption-key              created
      + oauth2-proxy-cookie-secret      created
      + dex-admin-password              created
      + dex-admin-hash                  created
      + dex-argocd-client-secret        created
      + dex-grafana-client-secret       created
      + dex-litellm-client-secret       created
      + dex-oauth2-proxy-client-secret  created
      + dex-open-webui-client-secret    created
      + dex-tabby-client-secret         created

    Applied: 15 created, 1 for you to provide, 1 optional, 1 not needed.

      You still have to provide (`seed set KEY`):
        cloudflare-api-token: Cloudflare dashboard, My Profile, API Tokens; permissions Zone:Read and DNS:Edit for the one zone
          https://dash.cloudflare.com/profile/api-tokens

      You may provide (`seed set KEY`):
        hf-token: Hugging Face, Settings, Access Tokens; read access, needed for gated models only
          https://huggingface.co/settings/tokens

      Secrets that somebody else makes:
        experience/key-portal         made by the key-portal chart
        experience/openwebui-secrets  made by the open-webui bootstrap Job, which asks LiteLLM for a virtual key
        experience/tabby-secrets      made by the tabby bootstrap Job, which asks LiteLLM for a virtual key
        n8n/n8n-litellm-secrets       made by the n8n bootstrap Job, which asks LiteLLM for a virtual key
    ---
    error: cannot write `secrets/dex-admin-password`
      caused by: `secrets` is a symbolic link, which is not followed
    [exit status: 4]
    ");
    assert_eq!(
        fs::read_dir(&elsewhere)
            .map_err(|err| err.to_string())?
            .count(),
        0
    );
    Ok(())
}

#[test]
fn a_wrong_value_stops_everything() -> Test {
    let workspace = Workspace::new()?;
    let contract = "version: 1\nname: wrong\nbackend: local\nsecrets:\n  good: {generate: {hex: 16}}\n  \
                    bad: {value: \"1234\", check: {min: 40}}\n";
    workspace.write("seed.yaml", contract)?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed("apply")?, @"
    wrong · local, file .seed/wrong.age                           seed.yaml

    ---
    error: the value of `bad` is wrong; nothing was written
      caused by: the value has 4 characters; at least 40 are wanted
    [exit status: 2]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn without_a_home_the_identity_must_be_named() -> Test {
    let workspace = Workspace::new()?;
    let shell = Sealed::new("/bin/sh".as_ref())?;
    let script = format!("unset HOME; exec \"$0\" plan {PLATFORM}");
    let seed = seed_binary()?;
    let outcome = shell.run(
        workspace.root(),
        ["-c".as_ref(), script.as_ref(), seed.as_os_str()],
    )?;
    assert_snapshot!(outcome, @"
    ---
    error: there is no directory for the identity of the `local` backend: neither HOME nor XDG_CONFIG_HOME is set
    hint: name a file with `--identity`, or in SEED_IDENTITY
    [exit status: 2]
    ");
    Ok(())
}

/// Returns the lines with one of these texts.
fn only(text: &str, wanted: &[&str]) -> String {
    let lines = text
        .lines()
        .filter(|line| wanted.iter().any(|wanted| line.contains(wanted)));
    lines.collect::<Vec<_>>().join("\n")
}

fn git(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(workspace.root())
        .args(arguments)
        .env("HOME", workspace.home())
        .output()
        .map_err(|err| format!("git: {err}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
