//! `--format json`: one document on stdout, whatever happens, and the words for people beside it.

#![expect(
    clippy::too_many_lines,
    reason = "a snapshot is as long as what it shows"
)]

use insta::assert_snapshot;
use seed_tests::workspace::{PLATFORM, Workspace};
use serde_json::Value;

type Test = Result<(), String>;

const SHOP: &str = "\
version: 1
name: shop
backend: local
store: {kind: ClusterSecretStore, name: store}
secrets:
  password: {generate: {hex: 16}}
  token: {provide: {how: the shop's console}, optional: true}
targets:
  shop/db: {data: {password: \"${password}\"}}
  shop/token: {data: {token: \"${token}\"}}
files:
  secrets/password: {text: \"${password}\"}
";

/// A workspace with a contract for the store of another backend, values in the local one.
fn shop() -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    let contract = SHOP.replace(
        "backend: local",
        "backend: vault\nbackends: {vault: {address: \"https://vault.example.com\"}}",
    );
    workspace.write("seed.yaml", &contract)?;
    Ok(workspace)
}

fn document(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|err| format!("{err}: {text}"))
}

#[test]
fn a_sound_contract_is_told_with_what_was_checked() -> Test {
    let workspace = Workspace::new()?;
    let line = "check -c contracts/llm-platform.yaml --format json";
    assert_snapshot!(workspace.seed(&format!("{line} --env ai-dev --all-backends"))?, @r#"
    {
      "version": 1,
      "sound": true,
      "file": "contracts/llm-platform.yaml",
      "contract": "llm-platform",
      "facts_checked": true,
      "env": "ai-dev",
      "backends": [
        "gcpsm",
        "aws-sm",
        "azure-kv",
        "vault",
        "kubernetes",
        "local"
      ],
      "secrets": {
        "declared": 18,
        "active": 17
      },
      "targets": {
        "active": 18
      },
      "diagnostics": [],
      "counts": {
        "errors": 0,
        "warnings": 0
      }
    }
    ---
    [exit status: 0]
    "#);
    assert_snapshot!(workspace.seed(line)?, @r#"
    {
      "version": 1,
      "sound": true,
      "file": "contracts/llm-platform.yaml",
      "contract": "llm-platform",
      "facts_checked": false,
      "env": null,
      "backends": null,
      "secrets": null,
      "targets": null,
      "diagnostics": [],
      "counts": {
        "errors": 0,
        "warnings": 0
      }
    }
    ---
    [exit status: 0]
    "#);
    Ok(())
}

#[test]
fn what_is_odd_and_what_is_wrong_has_its_place() -> Test {
    let workspace = Workspace::new()?;
    let odd = SHOP
        .replace("{token: ", "{token.json: \"a: ")
        .replace("\"${token}\"", "${token}\"");
    workspace.write("seed.yaml", &odd)?;
    assert_snapshot!(workspace.seed("check --format json")?, @r#"
    {
      "version": 1,
      "sound": true,
      "file": "seed.yaml",
      "contract": "shop",
      "facts_checked": true,
      "env": null,
      "backends": [
        "local"
      ],
      "secrets": {
        "declared": 2,
        "active": 2
      },
      "targets": {
        "active": 2
      },
      "diagnostics": [
        {
          "severity": "warning",
          "message": "this value may have any characters, and `token.json` is a document that they can break",
          "help": "write `| json`, which quotes it, without quotes around it",
          "file": "seed.yaml",
          "line": 10,
          "column": 39,
          "context": null
        }
      ],
      "counts": {
        "errors": 0,
        "warnings": 1
      }
    }
    ---
    warning: this value may have any characters, and `token.json` is a document that they can break
      --> seed.yaml:10:39
       |
    10 |   shop/token: {data: {token.json: "a: ${token}"}}
       |                                       ^^^^^^^^
       |
       = help: write `| json`, which quotes it, without quotes around it
    [exit status: 0]
    "#);
    let wrong = odd.replace("generate: {hex", "generate: {hexx");
    workspace.write("seed.yaml", &wrong)?;
    assert_snapshot!(workspace.seed("check --format json")?, @r#"
    {
      "version": 1,
      "sound": false,
      "error": {
        "message": "`seed.yaml` has 1 error",
        "causes": [],
        "hints": [],
        "exit_code": 2
      },
      "counts": {
        "errors": 1,
        "warnings": 0
      },
      "diagnostics": [
        {
          "severity": "error",
          "message": "`hexx` is not a generator",
          "help": "did you mean `hex`?",
          "file": "seed.yaml",
          "line": 6,
          "column": 25,
          "context": null
        }
      ]
    }
    ---
    error: `hexx` is not a generator
     --> seed.yaml:6:25
      |
    6 |   password: {generate: {hexx: 16}}
      |                         ^^^^
      |
      = help: did you mean `hex`?
    [exit status: 2]
    "#);
    // An error that only facts show stands beside the warning.
    let late = odd.replace("optional: true", "optional: true, when: config.some.fact");
    workspace.write("seed.yaml", &late)?;
    let outcome = workspace.seed("check --format json")?;
    assert_eq!(outcome.status.code(), Some(2));
    let checked = document(&outcome.stdout)?;
    assert_eq!(checked["counts"]["errors"], 1, "{outcome}");
    assert_eq!(checked["counts"]["warnings"], 1, "{outcome}");
    assert_eq!(checked["sound"], false);
    Ok(())
}

#[test]
fn a_contract_that_cannot_be_read_is_not_sound() -> Test {
    let workspace = Workspace::new()?;
    assert_snapshot!(workspace.seed("check --format json")?, @r#"
    {
      "version": 1,
      "sound": false,
      "error": {
        "message": "cannot read the contract `seed.yaml`",
        "causes": [
          "No such file or directory (os error 2)"
        ],
        "hints": [
          "name it with `--contract FILE`, or in SEED_CONTRACT"
        ],
        "exit_code": 2
      },
      "counts": {
        "errors": 0,
        "warnings": 0
      },
      "diagnostics": []
    }
    ---
    error: cannot read the contract `seed.yaml`
      caused by: No such file or directory (os error 2)
    hint: name it with `--contract FILE`, or in SEED_CONTRACT
    [exit status: 2]
    "#);
    Ok(())
}

#[test]
fn manifests_are_told_as_text_as_files_and_as_differences() -> Test {
    let workspace = shop()?;
    assert_snapshot!(workspace.seed("emit --format json")?, @r##"
    {
      "version": 1,
      "contract": "shop",
      "env": null,
      "manifests": [
        {
          "path": "shop/db.yaml",
          "text": "# Written by seed from the contract shop. Changes made here are lost: change the contract, then run `seed emit`.\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: db\n  namespace: shop\nspec:\n  refreshPolicy: Periodic\n  refreshInterval: 1h0m0s\n  secretStoreRef:\n    kind: ClusterSecretStore\n    name: store\n  target:\n    name: db\n    creationPolicy: Owner\n    deletionPolicy: Retain\n    template:\n      engineVersion: v2\n      mergePolicy: Replace\n      metadata:\n        annotations: {}\n        labels: {}\n  data:\n    - secretKey: password\n      remoteRef:\n        key: password\n        property: value\n        conversionStrategy: Default\n        decodingStrategy: None\n        metadataPolicy: None\n"
        }
      ],
      "kustomization": {
        "path": "kustomization.yaml",
        "text": "# Written by seed from the contract shop. Changes made here are lost: change the contract, then run `seed emit`.\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - shop/db.yaml\n"
      },
      "skipped": [
        {
          "secret": "shop/token",
          "reason": "token is optional and not known to be there",
          "made_by_others": false
        }
      ]
    }
    ---
      not written: shop/token (token is optional and not known to be there)
    Optional keys are taken for present with `--with-optional KEY`, or `--present` and the JSON of `seed plan`.
    [exit status: 0]
    "##);
    assert_snapshot!(workspace.seed("emit --format json --out out")?, @r#"
    {
      "version": 1,
      "contract": "shop",
      "env": null,
      "directory": "out",
      "written": [
        "shop/db.yaml",
        "kustomization.yaml"
      ],
      "unchanged": [],
      "stale": [],
      "pruned": [],
      "skipped": [
        {
          "secret": "shop/token",
          "reason": "token is optional and not known to be there",
          "made_by_others": false
        }
      ]
    }
    ---
    1 manifest and kustomization.yaml in out: 2 written, 0 unchanged.
      not written: shop/token (token is optional and not known to be there)
    Optional keys are taken for present with `--with-optional KEY`, or `--present` and the JSON of `seed plan`.
    [exit status: 0]
    "#);
    let again = document(&workspace.seed("emit --format json --check out")?.stdout)?;
    assert_eq!(again["up_to_date"], true);
    let manifest = workspace.read("out/shop/db.yaml")?;
    workspace.write("out/shop/db.yaml", &manifest.replace("1h0m0s", "5m"))?;
    workspace.write("out/old/db.yaml", &manifest)?;
    std::fs::remove_file(workspace.root().join("out/kustomization.yaml"))
        .map_err(|err| err.to_string())?;
    let outcome = workspace.seed("emit --format json --check out")?;
    assert_eq!(outcome.status.code(), Some(10), "{outcome}");
    let found = document(&outcome.stdout)?;
    assert_eq!(found["up_to_date"], false);
    let of = |name: &str| -> Vec<String> {
        let list = found["differences"].as_array();
        let text = |entry: &Value| entry[name].as_str().unwrap_or_default().to_owned();
        list.into_iter().flatten().map(text).collect()
    };
    assert_eq!(
        of("path"),
        ["shop/db.yaml", "kustomization.yaml", "old/db.yaml"]
    );
    assert_eq!(of("change"), ["changed", "missing", "stale"]);
    assert!(of("diff").iter().all(|diff| diff.starts_with("--- a/")));
    Ok(())
}

#[test]
fn files_and_values_are_documents_too() -> Test {
    let workspace = Workspace::new()?;
    let bytes = "version: 1\nname: bytes\nbackend: local\nsecrets:\n  key: {generate: {bytes: 64}}\n  \
                 text: {value: \"say \\\"hi\\\"\\n\"}\nfiles:\n  secrets/text: {text: \"${text}\"}\n";
    workspace.write("seed.yaml", bytes)?;
    assert_snapshot!(workspace.seed("files --format json")?, @r#"
    {
      "version": 1,
      "contract": "bytes",
      "env": null,
      "files": [
        {
          "path": "secrets/text",
          "outcome": "waits"
        }
      ],
      "errors": [],
      "notes": []
    }
    ---
    [exit status: 0]
    "#);
    workspace.seed("apply")?.success()?;
    workspace.write("secrets/text", "mine")?;
    assert_snapshot!(workspace.seed("files --format json")?, @r#"
    {
      "version": 1,
      "contract": "bytes",
      "env": null,
      "files": [
        {
          "path": "secrets/text",
          "outcome": "differs"
        }
      ],
      "errors": [],
      "notes": []
    }
    ---
    [exit status: 12]
    "#);
    assert_snapshot!(workspace.seed("get text --format json")?, @r#"
    {
      "version": 1,
      "key": "text",
      "value": "say \"hi\"\n"
    }
    ---
    [exit status: 0]
    "#);
    let value = document(&workspace.seed("get key --format json")?.success()?)?;
    let encoded = value["value_base64"].as_str().ok_or("no text")?;
    let decoded = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, encoded);
    assert!(
        decoded.map_err(|err| err.to_string())? == workspace.value("", "key")?,
        "not the stored bytes"
    );
    assert_eq!(value.as_object().map(serde_json::Map::len), Some(3));
    Ok(())
}

#[test]
fn what_failed_is_a_document_as_well() -> Test {
    let workspace = Workspace::new()?;
    let platform = "-c contracts/llm-platform.yaml --env ai-dev --backend kv --format json";
    assert_snapshot!(workspace.seed(&format!("plan {platform}"))?, @r#"
    {
      "version": 1,
      "error": {
        "message": "`kv` is not declared under `backends`",
        "causes": [],
        "hints": [
          "there are `gcpsm`, `aws-sm`, `azure-kv`, `vault`, `kubernetes` and `local`"
        ],
        "exit_code": 2
      }
    }
    ---
    error: `kv` is not declared under `backends`
    hint: there are `gcpsm`, `aws-sm`, `azure-kv`, `vault`, `kubernetes` and `local`
    [exit status: 2]
    "#);
    assert_snapshot!(workspace.seed("emit --format json --backend local -c nowhere.yaml")?, @r#"
    {
      "version": 1,
      "error": {
        "message": "cannot read the contract `nowhere.yaml`",
        "causes": [
          "No such file or directory (os error 2)"
        ],
        "hints": [
          "name it with `--contract FILE`, or in SEED_CONTRACT"
        ],
        "exit_code": 2
      }
    }
    ---
    error: cannot read the contract `nowhere.yaml`
      caused by: No such file or directory (os error 2)
    hint: name it with `--contract FILE`, or in SEED_CONTRACT
    [exit status: 2]
    "#);
    assert_snapshot!(workspace.seed("plan --format=json --exit-cod")?, @r#"
    {
      "version": 1,
      "error": {
        "message": "unexpected argument '--exit-cod' found",
        "causes": [],
        "hints": [
          "a similar argument exists: '--exit-code'"
        ],
        "exit_code": 2
      }
    }
    ---
    error: unexpected argument '--exit-cod' found

      tip: a similar argument exists: '--exit-code'

    Usage: seed plan --format <FORMAT> --exit-code

    For more information, try '--help'.
    [exit status: 2]
    "#);
    workspace.write("seed.yaml", &SHOP.replace("hex", "hexx"))?;
    for command in ["plan", "apply", "emit", "check", "get password", "files"] {
        let outcome = workspace.seed(&format!("{command} --format json"))?;
        assert_eq!(outcome.status.code(), Some(2), "{outcome}");
        let failure = document(&outcome.stdout)?;
        assert_eq!(failure["version"], 1);
        assert_eq!(failure["error"]["exit_code"], 2, "{outcome}");
        assert_eq!(failure["diagnostics"][0]["line"], 6, "{outcome}");
        assert!(outcome.stderr.contains("did you mean `hex`?"), "{outcome}");
    }
    Ok(())
}

#[test]
fn what_failed_beside_a_plan_or_a_report_is_in_the_same_document() -> Test {
    let workspace = Workspace::new()?;
    let two = "version: 1\nname: two\nbackend: one\nbackends:\n  one: {kind: local, file: one.age}\n  \
               two: {kind: local, file: two.age}\nsecrets:\n  a: {generate: {hex: 4}}\n  \
               b: {generate: {hex: 4}, backend: two}\n";
    workspace.write("seed.yaml", two)?;
    workspace.seed("apply")?.success()?;
    workspace.write("two.age", "no store")?;
    for (command, code) in [("plan", 1), ("apply", 1)] {
        let outcome = workspace.seed(&format!("{command} --format json"))?;
        assert_eq!(outcome.status.code(), Some(code), "{outcome}");
        let told = document(&outcome.stdout)?;
        assert_eq!(told["contract"], "two", "{outcome}");
        assert_eq!(
            told["errors"][0]["message"], "cannot ask the backend `two`",
            "{outcome}"
        );
        assert!(told["errors"][1].is_null(), "{outcome}");
        assert!(
            outcome
                .stderr
                .contains("error: cannot ask the backend `two`"),
            "{outcome}"
        );
    }
    Ok(())
}

#[test]
fn no_document_but_the_one_of_get_holds_a_value() -> Test {
    let workspace = Workspace::new()?;
    workspace
        .seed(&format!("apply {PLATFORM} --missing-ok --format json"))?
        .success()?;
    let values = workspace.values(PLATFORM)?;
    assert_eq!(values.len(), 15);
    for command in ["plan", "apply --missing-ok", "emit", "check", "files"] {
        let outcome = workspace.seed(&format!("{command} {PLATFORM} --format json"))?;
        document(&outcome.stdout)?;
        for (key, value) in &values {
            let value = String::from_utf8_lossy(value).into_owned();
            assert!(!outcome.stdout.contains(&value), "`{command}` tells {key}");
            assert!(!outcome.stderr.contains(&value), "`{command}` tells {key}");
        }
    }
    Ok(())
}
