//! Manifests: what a target becomes, on which backend, for which release.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

use insta::assert_snapshot;
use seed_core::contract::parse;
use seed_core::manifest::{EsoVersion, Options, Output, With, emit};
use seed_core::resolve::{Request, Resolved, resolve};
use seed_core::yaml::{self, Limits};
use serde_json::Value;

fn options(version: &str, available: &[&str]) -> Options {
    Options {
        version: version.parse().unwrap(),
        available: available.iter().map(|id| id.parse().unwrap()).collect(),
        with: With::default(),
    }
}

/// The contract for the environment `dev`, with its own defaults as facts.
fn resolved(source: &str, request: &Request) -> Resolved {
    let (contract, _) = parse(source).unwrap_or_else(|errors| panic!("{errors}\n{source}"));
    let request = Request {
        env: Some("dev".to_owned()),
        facts: contract.defaults.clone(),
        ..request.clone()
    };
    match resolve(&contract, source, &request) {
        Ok((resolved, _)) => resolved,
        Err(errors) => panic!("{errors}\n{source}"),
    }
}

fn latest() -> Options {
    options("2.9", &[])
}

fn text_of(output: &Output) -> String {
    let files = output
        .manifests
        .iter()
        .map(|file| format!("== {}\n{}", file.path, file.text));
    files.collect()
}

fn emitted(source: &str, options: &Options) -> String {
    match emit(&resolved(source, &Request::default()), options) {
        Ok(output) => text_of(&output),
        Err(err) => format!("error: {err}\n"),
    }
}

/// A contract with one entry of every kind and these targets, on one backend.
fn on(backend: &str, targets: &str) -> String {
    format!(
        "version: 1
name: shop
config: {{defaults: {{domain: example.com, sly: \"${{pass}} and {{{{ .pass }}}}\"}}}}
backends:
{backend}
store: {{name: main-store}}
secrets:
  pass: {{generate: {{hex: 16}}}}
  team/api_key: {{generate: {{alnum: 20}}}}
  raw: {{generate: {{bytes: 8}}}}
  packed: {{provide: {{how: ask}}, encode: base64}}
  opt: {{provide: {{how: ask}}, optional: true}}
  off: {{when: \"env == 'prod'\", generate: {{hex: 16}}}}
  own: {{generate: {{hex: 16}}, value-key: token, key: stored-elsewhere}}
  app:
    fields:
      USER: {{value: admin}}
      PASS: {{generate: {{hex: 16}}}}
      BLOB: {{generate: {{bytes: 8}}}}
      EXTRA: {{provide: {{how: ask}}, optional: true}}
      OFF: {{when: \"env == 'prod'\", value: x}}
targets:
{targets}"
    )
}

const VAULT: &str = "  vault: {address: \"https://v\", mount: kv, prefix: \"${env}/\"}";

/// What is particular about each manifest: what is left out, the template's data, and what is read from where.
fn brief(output: &Output) -> String {
    let mut brief = String::new();
    for file in &output.manifests {
        let manifest = yaml::to_json(&yaml::parse(&file.text, Limits::default()).unwrap());
        let spec = &manifest["spec"];
        let left_out = file
            .text
            .lines()
            .filter(|line| line.starts_with("# Left out"));
        let template = spec["target"]["template"]["data"].as_object();
        let template = template
            .into_iter()
            .flatten()
            .map(|(key, text)| format!("{key} = {text}"));
        let items = spec["data"].as_array().unwrap().iter().map(item);
        let lines = left_out.map(str::to_owned).chain(template).chain(items);
        brief.extend([
            &file.path,
            " from ",
            spec["secretStoreRef"]["name"].as_str().unwrap(),
            "\n",
        ]);
        lines.for_each(|line| brief.extend(["  ", &line, "\n"]));
    }
    for skipped in &output.skipped {
        let others = if skipped.made_by_others {
            " (others)"
        } else {
            ""
        };
        brief.extend(["no ", &skipped.secret, others, ": ", &skipped.reason, "\n"]);
    }
    brief
}

fn item(item: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let remote = &item["remoteRef"];
    let words = [
        format!("{} < {}", text(&item["secretKey"]), text(&remote["key"])),
        text(&remote["property"]),
        text(&remote["decodingStrategy"]).replace("None", ""),
        text(&item["sourceRef"]["storeRef"]["name"]),
    ];
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

fn briefly(source: &str, options: &Options) -> String {
    match emit(&resolved(source, &Request::default()), options) {
        Ok(output) => brief(&output),
        Err(err) => format!("error: {err}\n"),
    }
}

/// [`brief`] for these targets on Vault.
fn of(targets: &str) -> String {
    briefly(&on(VAULT, targets), &latest())
}

#[test]
fn lone_references_keep_the_names_of_the_secret() {
    let target = "  ns/web: {data: {password: \"${pass}\", API_KEY: \"${team/api_key}\"}}\n";
    assert_snapshot!(emitted(&on(VAULT, target), &latest()), @"
    == ns/web.yaml
    # Written by seed from the contract shop, env dev. Changes made here are lost: change the contract, then run `seed emit`.
    apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata:
      name: web
      namespace: ns
    spec:
      refreshPolicy: Periodic
      refreshInterval: 1h0m0s
      secretStoreRef:
        kind: ClusterSecretStore
        name: main-store
      target:
        name: web
        creationPolicy: Owner
        deletionPolicy: Retain
        template:
          engineVersion: v2
          mergePolicy: Replace
          metadata:
            annotations: {}
            labels: {}
      data:
        - secretKey: password
          remoteRef:
            key: dev/pass
            property: value
            conversionStrategy: Default
            decodingStrategy: None
            metadataPolicy: None
        - secretKey: API_KEY
          remoteRef:
            key: dev/team/api_key
            property: value
            conversionStrategy: Default
            decodingStrategy: None
            metadataPolicy: None
    ");
}

#[test]
fn one_text_around_a_value_templates_every_key() {
    let target = "  ns/web:
    data:
      password: ${pass}
      url: \"p:${pass}@${config.domain}?${app#PASS}\"
      user: admin
      USER: \"${app#USER}\"
";
    assert_snapshot!(of(target), @r#"
    ns/web.yaml from main-store
      password = "{{ .pass }}"
      url = "p:{{ .pass }}@example.com?{{ .app_PASS }}"
      user = "admin"
      USER = "{{ .app_USER }}"
      pass < dev/pass value
      app_PASS < dev/app PASS
      app_USER < dev/app USER
    "#);
}

#[test]
fn filters_are_left_to_the_operator() {
    let target = "  ns/web:
    data:
      encoded: \"${pass | base64}\"
      quoted.json: '{\"p\": ${pass | json}}'
      both: \"${pass | json | base64}\"
      stored: \"${team/api_key | name}\"
      fact: \"${config.domain | base64} ${store.kind}/${store.name} ${env}\"
";
    assert_snapshot!(of(target), @r#"
    ns/web.yaml from main-store
      encoded = "{{ .pass | b64enc }}"
      quoted.json = "{\"p\": {{ .pass | toJson }}}"
      both = "{{ .pass | toJson | b64enc }}"
      stored = "dev/team/api_key"
      fact = "ZXhhbXBsZS5jb20= ClusterSecretStore/main-store dev"
      pass < dev/pass value
    "#);
}

#[test]
fn braces_come_out_as_they_are() {
    let target = "  ns/web:
    data:
      literal: \"a {{ .b }} {${pass}} $${c} {{`x`}} {\"
      sly: \"${config.sly}: ${pass}\"
";
    assert_snapshot!(of(target), @r#"
    ns/web.yaml from main-store
      literal = "a {{ \"{{\" }} .b }} {{ \"{\" }}{{ .pass }}} ${c} {{ \"{{\" }}`x`}} {{ \"{\" }}"
      sly = "${pass} and {{ \"{{\" }} .pass }}: {{ .pass }}"
      pass < dev/pass value
    "#);
}

#[test]
fn alternatives_are_decided_before_emission() {
    let target = "  ns/web:
    data:
      first: \"${opt ?? pass}\"
      second: \"${off ?? pass}\"
      third: \"${off ?? config.domain}\"
      fourth: \"${opt}\"
      fifth: \"${off}\"
      sixth: \"x ${off ?? opt}\"
";
    assert_snapshot!(of(target), @r#"
    ns/web.yaml from main-store
      # Left out: fifth (off: `env == 'prod'` is false)
      # Left out: fourth (opt is optional and not known to be there)
      # Left out: sixth (opt is optional and not known to be there)
      first = "{{ .pass }}"
      second = "{{ .pass }}"
      third = "example.com"
      pass < dev/pass value
    "#);
    let source = on(VAULT, target);
    assert_snapshot!(briefly(&source, &options("2.9", &["opt"])), @r#"
    ns/web.yaml from main-store
      # Left out: fifth (off: `env == 'prod'` is false)
      first = "{{ .opt }}"
      second = "{{ .pass }}"
      third = "example.com"
      fourth = "{{ .opt }}"
      sixth = "x {{ .opt }}"
      opt < dev/opt value
      pass < dev/pass value
    "#);
}

#[test]
fn an_extract_has_one_item_for_each_active_field() {
    assert_snapshot!(of("  ns/web: {extract: [app]}\n"), @"
    ns/web.yaml from main-store
      # Left out: EXTRA (app#EXTRA is optional and not known to be there)
      USER < dev/app USER
      PASS < dev/app PASS
      BLOB < dev/app BLOB Base64
    ");
    assert_snapshot!(of("  ns/web: {extract: [app], data: {PASS: \"${pass}\", more: \"x${pass}\"}}\n"), @r#"
    ns/web.yaml from main-store
      # Left out: EXTRA (app#EXTRA is optional and not known to be there)
      USER = "{{ .app_USER }}"
      BLOB = "{{ .app_BLOB }}"
      PASS = "{{ .pass }}"
      more = "x{{ .pass }}"
      app_USER < dev/app USER
      app_BLOB < dev/app BLOB Base64
      pass < dev/pass value
    "#);
}

#[test]
fn every_setting_of_a_target_has_its_place() {
    let target = "  ns/web:
    type: kubernetes.io/basic-auth
    labels: {app.kubernetes.io/part-of: \"${config.domain}\"}
    annotations: {note: a b}
    immutable: true
    manifest: {name: other, labels: {team: core}, annotations: {x: y}}
    store: {kind: SecretStore, name: near}
    creation: Orphan
    deletion: Merge
    refresh: OnChange
    interval: 90m
    patch: {metadata: {annotations: {x: null, domain: \"${config.domain}\"}}, spec: {refreshInterval: null}}
    data: {password: \"${pass}\"}
";
    assert_snapshot!(emitted(&on(VAULT, target), &latest()), @r#"
    == ns/other.yaml
    # Written by seed from the contract shop, env dev. Changes made here are lost: change the contract, then run `seed emit`.
    apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata:
      name: other
      namespace: ns
      labels:
        team: core
      annotations:
        domain: example.com
    spec:
      refreshPolicy: OnChange
      secretStoreRef:
        kind: SecretStore
        name: near
      target:
        name: web
        creationPolicy: Orphan
        deletionPolicy: Merge
        immutable: true
        template:
          engineVersion: v2
          mergePolicy: Replace
          type: kubernetes.io/basic-auth
          metadata:
            annotations:
              note: "a b"
            labels:
              app.kubernetes.io/part-of: example.com
      data:
        - secretKey: password
          remoteRef:
            key: dev/pass
            property: value
            conversionStrategy: Default
            decodingStrategy: None
            metadataPolicy: None
    "#);
}

#[test]
fn defaults_for_all_targets_lie_under_their_own() {
    let source = on(
        VAULT,
        "  ns/a: {data: {p: \"${pass}\"}, creation: Merge, manifest: {labels: {own: x}}}\n  ns/b: {data: {p: \"${pass}\"}, interval: \"0\"}\n",
    );
    let source = format!(
        "{source}emit: {{labels: {{own: y, team: core}}, annotations: {{a: b}}, interval: 2h, refresh: CreatedOnce, deletion: Delete}}\n"
    );
    let text = emitted(&source, &latest());
    let own = text.split_once("ns/b.yaml").unwrap();
    for word in [
        "own: x",
        "team: core",
        "a: b",
        "refreshInterval: 2h0m0s",
        "refreshPolicy: CreatedOnce",
        "deletionPolicy: Retain",
    ] {
        assert!(own.0.contains(word), "{word}: {}", own.0);
    }
    for word in [
        "own: \"y\"",
        "refreshInterval: \"0s\"",
        "deletionPolicy: Delete",
    ] {
        assert!(own.1.contains(word), "{word}: {}", own.1);
    }
}

#[test]
fn a_template_of_the_contract_is_taken_word_for_word() {
    let target = "  ns/web:
    data: {password: \"${pass}\"}
    extract: [app]
    template: {type: Opaque, data: {url: \"p:{{ .password }}@${config.domain}/{{ .USER }}\"}, metadata: {labels: {x: \"1\"}}}
";
    assert_snapshot!(of(target), @r#"
    ns/web.yaml from main-store
      # Left out: EXTRA (app#EXTRA is optional and not known to be there)
      url = "p:{{ .password }}@example.com/{{ .USER }}"
      USER < dev/app USER
      PASS < dev/app PASS
      BLOB < dev/app BLOB Base64
      password < dev/pass value
    "#);
    assert_snapshot!(of("  ns/web: {data: {password: \"x${pass}\"}, template: {data: {a: b}}}\n"), @"error: target `ns/web`: beside `template`, every value of `data` is a variable: a reference and nothing else");
}

#[test]
fn one_target_makes_a_manifest_in_each_namespace() {
    let target = "  \"{a,b}/web\": {data: {password: \"${pass}\"}}\n";
    let output = emit(
        &resolved(&on(VAULT, target), &Request::default()),
        &latest(),
    )
    .unwrap();
    let paths: Vec<&str> = output
        .manifests
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(paths, ["a/web.yaml", "b/web.yaml"]);
    assert!(output.manifests[1].text.contains("namespace: b\n"));
    assert_snapshot!(output.kustomization.text, @"
    # Written by seed from the contract shop, env dev. Changes made here are lost: change the contract, then run `seed emit`.
    apiVersion: kustomize.config.k8s.io/v1beta1
    kind: Kustomization
    resources:
      - a/web.yaml
      - b/web.yaml
    ");
}

#[test]
fn what_is_not_emitted_says_why() {
    let targets = "  ns/theirs: {made-by: the chart, data: {p: \"${pass}\", q: null}}
  ns/early: {deliver: direct, data: {p: \"${pass}\"}}
  ns/off: {data: {p: \"${off}\"}}
  ns/never: {when: \"env == 'prod'\", data: {p: \"${pass}\"}}
  ns/opt: {data: {p: \"${opt}\", user: admin}}
";
    assert_snapshot!(of(targets), @"
    no ns/theirs (others): made by the chart
    no ns/early (others): delivered directly: `seed apply --cluster` writes it
    no ns/off: off: `env == 'prod'` is false
    no ns/never: `env == 'prod'` is false
    no ns/opt: opt is optional and not known to be there
    ");
}

/// The items of one target with every kind of entry, on each backend.
#[test]
fn each_backend_reads_in_its_own_way() {
    let target = "  ns/web: {data: {a: \"${pass}\", b: \"${team/api_key}\", c: \"${raw}\", d: \"${packed}\", e: \"${own}\", f: \"${app#PASS}\", g: \"${app#BLOB}\"}}\n";
    let items = |backend: &str| briefly(&on(backend, target), &latest());
    assert_snapshot!(items("  gcpsm: {project: p, prefix: dev-}"), @"
    ns/web.yaml from main-store
      a < dev-pass
      b < dev-team-api_key
      c < dev-raw
      d < dev-packed Base64
      e < stored-elsewhere
      f < dev-app PASS
      g < dev-app BLOB Base64
    ");
    assert_snapshot!(items("  aws-sm: {region: r, prefix: dev/}"), @"
    ns/web.yaml from main-store
      a < dev/pass
      b < dev/team/api_key
      c < dev/raw
      d < dev/packed Base64
      e < stored-elsewhere
      f < dev/app PASS
      g < dev/app BLOB Base64
    ");
    assert_snapshot!(items("  azure-kv: {vault: v, prefix: dev-}"), @"
    ns/web.yaml from main-store
      a < dev-pass
      b < dev-team-api-key
      c < dev-raw Base64
      d < dev-packed Base64
      e < stored-elsewhere
      f < dev-app PASS
      g < dev-app BLOB Base64
    ");
    assert_snapshot!(items("  vault: {address: \"https://v\", mount: kv, prefix: dev/}"), @"
    ns/web.yaml from main-store
      a < dev/pass value
      b < dev/team/api_key value
      c < dev/raw value Base64
      d < dev/packed value Base64
      e < stored-elsewhere token
      f < dev/app PASS
      g < dev/app BLOB Base64
    ");
    assert_snapshot!(items("  kubernetes: {namespace: n, prefix: dev-}"), @"
    ns/web.yaml from main-store
      a < dev-pass value
      b < dev-team-api-key value
      c < dev-raw value
      d < dev-packed value Base64
      e < stored-elsewhere token
      f < dev-app PASS
      g < dev-app BLOB
    ");
}

const TWO: &str = "version: 1
name: shop
backend: gcpsm
backends:
  gcpsm: {project: p}
  vault: {mount: kv, store: {name: vault-store}}
  other: {kind: aws-sm, region: r}
store: {name: main-store}
secrets:
  near: {generate: {hex: 16}}
  far: {generate: {hex: 16}, backend: vault}
  lost: {generate: {hex: 16}, backend: other}
  nowhere: {generate: {hex: 16}, backend: none}
targets:
";

#[test]
fn keys_of_several_backends_have_a_store_each() {
    let with = |targets: &str| briefly(&format!("{TWO}{targets}"), &latest());
    assert_snapshot!(with("  ns/web: {data: {a: \"${near}\", b: \"${far}\"}}\n"), @"
    ns/web.yaml from main-store
      a < near
      b < far value vault-store
    ");
    assert_snapshot!(with("  ns/web: {data: {b: \"${far}\"}}\n"), @"
    ns/web.yaml from vault-store
      b < far value
    ");
    assert_snapshot!(with("  ns/web: {data: {b: \"${lost}\"}}\n"), @"error: the backend `other` has no store; add top-level `store: {kind, name}`, or `store` to the backend");
    assert_snapshot!(with("  ns/web: {data: {b: \"${nowhere}\"}}\n"), @"error: target `ns/web`: `nowhere` is kept in no backend, so nothing can read it; use `deliver: direct`");
}

#[test]
fn manifests_can_be_written_for_another_backend() {
    let source = format!("{TWO}  ns/web: {{data: {{a: \"${{near}}\"}}}}\n");
    let key = |request: &Request| match emit(&resolved(&source, request), &latest()) {
        Ok(output) => brief(&output),
        Err(err) => err.to_string(),
    };
    let name = |word: &str| Some(word.to_owned());
    assert_snapshot!(key(&Request { manifests_for: name("vault"), ..Request::default() }), @"
    ns/web.yaml from vault-store
      a < near value
    ");
    assert_snapshot!(key(&Request { backend: name("vault"), ..Request::default() }), @"
    ns/web.yaml from vault-store
      a < near value
    ");
    assert_snapshot!(key(&Request { backend: name("local"), ..Request::default() }), @"
    ns/web.yaml from main-store
      a < near
    ");
    let local =
        "version: 1\nname: t\nsecrets: {a: {value: x}}\ntargets: {ns/web: {data: {a: \"${a}\"}}}\n";
    assert_snapshot!(briefly(local, &latest()), @"error: `local` is no store: External Secrets Operator cannot read it; name another backend with `--for`");
}

#[test]
fn releases_get_the_fields_that_they_have() {
    let target = "  ns/web: {data: {password: \"${pass}\"}}\n";
    let source = on(VAULT, target);
    let lines = |version: &str| {
        let text = emitted(&source, &options(version, &[]));
        text.lines()
            .filter(|line| line.contains("Policy"))
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_snapshot!(lines("0.17"), @"refreshPolicy: Periodic, creationPolicy: Owner, deletionPolicy: Retain, mergePolicy: Replace, metadataPolicy: None");
    assert_snapshot!(lines("2.5"), @"refreshPolicy: Periodic, creationPolicy: Owner, deletionPolicy: Retain, mergePolicy: Replace, metadataPolicy: None, nullBytePolicy: Ignore");
    assert_snapshot!(lines("2.9"), @"refreshPolicy: Periodic, creationPolicy: Owner, deletionPolicy: Retain, mergePolicy: Replace, metadataPolicy: None");
    let merged = on(
        VAULT,
        "  ns/web: {data: {password: \"${pass}\"}, creation: CreateOrMerge}\n",
    );
    assert_snapshot!(emitted(&merged, &options("2.7", &[])), @"error: target `ns/web`: `creation: CreateOrMerge` needs External Secrets Operator 2.8, and --eso-version is 2.7");
    assert!(emitted(&merged, &options("2.8", &[])).contains("creationPolicy: CreateOrMerge"));
    assert_eq!(EsoVersion::LATEST, "2.9".parse().unwrap());
}
