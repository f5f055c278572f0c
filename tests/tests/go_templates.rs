//! Go's own `text/template` turns emitted manifests back into the bytes that the contract means.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use seed_tests::shared;
use seed_tests::workspace::Workspace;
use seed_tests::yaml;
use serde_json::{Value, json};

type Test = Result<(), String>;
type Texts = BTreeMap<String, String>;

const HEAD: &str = "version: 1\nname: shop\nbackend: vault\nstore: {name: store}\n\
                    backends: {vault: {address: \"https://vault.example.com\", mount: kv}}\n";

/// Every character that means something to a Go template, to YAML, to JSON or to `seed`.
const HOSTILE: [&str; 44] = [
    "",
    " ",
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{- 3 -}}",
    "`",
    "``",
    "\\",
    "\\\\{{",
    "\"",
    "'",
    "{{/* a comment */}}",
    "{{/*",
    "{{\"{{\"}}",
    "{{ \"{{\" }}",
    "$",
    "$x",
    "{{ $x := 1 }}",
    "{{ $ }}",
    "|",
    "{{ . | printf \"%s\" }}",
    "{{ . }}",
    "{{ .token }}",
    "{{ .encryptionKey }}",
    "{{define \"x\"}}y{{end}}",
    "{{template \"x\"}}",
    "{{ range . }}{{ . }}{{ end }}",
    "{{ index . \"token\" }}",
    "\n",
    "a\nb\n",
    "\r\n",
    "\t",
    "\u{1}\u{7}\u{1b}\u{7f}",
    "\u{85}\u{a0}\u{2028}\u{feff}",
    "é🦀\u{301}",
    "{",
    "}",
    "{{{",
    "}}}",
    "{ {",
    "{{\n}}",
    "${token}",
];

#[test]
#[ignore = "asks Go's text/template: make e2e"]
fn every_hostile_text_comes_out_as_it_is_wherever_it_stands() -> Test {
    let mut targets = Vec::new();
    for (at, text) in HOSTILE.into_iter().enumerate() {
        // `$${` is a literal `${`, so a `$` cannot stand right before a reference.
        let text = &match text.strip_suffix('$') {
            Some(_) => format!("{text} "),
            None => text.to_owned(),
        };
        let (literal, token, salt) = (literal(text), stand_in("token"), stand_in("salt"));
        let fact = HOSTILE[at];
        let keys = [
            (
                "encoded",
                format!("{literal}${{token | base64}}"),
                format!("{text}{}", encoded("token")),
            ),
            (
                "before",
                format!("{literal}${{token}}"),
                format!("{text}{token}"),
            ),
            (
                "behind",
                format!("${{token}}{literal}"),
                format!("{token}{text}"),
            ),
            (
                "between",
                format!("${{token}}{literal}${{salt}}{literal}"),
                format!("{token}{text}{salt}{text}"),
            ),
            ("without", literal.clone(), text.clone()),
            (
                "fact",
                format!("${{config.f{at}}}${{salt}}${{config.f{at}}}"),
                format!("{fact}{salt}{fact}"),
            ),
            (
                "braces",
                format!("{{${{config.f{at}}}{{${{salt}}}}"),
                format!("{{{fact}{{{salt}}}"),
            ),
        ];
        targets.push(Target::new(at, &keys));
    }
    let facts = HOSTILE.into_iter().enumerate();
    let facts: serde_json::Map<String, Value> = facts
        .map(|(at, text)| (format!("f{at}"), json!(text)))
        .collect();
    expect(&targets, &facts)
}

/// The same through a few hundred texts that nobody chose.
#[test]
#[ignore = "asks Go's text/template: make e2e"]
fn drawn_texts_come_out_as_they_are() -> Test {
    let mut state = 42_u64;
    let mut roll = |sides: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % sides
    };
    let mut facts = serde_json::Map::new();
    let mut targets = Vec::new();
    for at in 0..400 {
        let (mut written, mut meant) = (String::new(), String::new());
        for piece in 0..=roll(5) {
            match roll(5) {
                0 => {
                    let name = ["token", "salt", "agent#API.KEY", "agent#api-key"][roll(4)];
                    written.push_str(&format!("${{{name}}}"));
                    meant.push_str(&stand_in(name));
                }
                1 => {
                    let text = HOSTILE[roll(HOSTILE.len())];
                    facts.insert(format!("f{at}-{piece}"), json!(text));
                    written.push_str(&format!("${{config.f{at}-{piece}}}"));
                    meant.push_str(text);
                }
                _ => {
                    let text = HOSTILE[roll(HOSTILE.len())];
                    // `$` cannot be written before a reference, as `$${` is how one is written literally.
                    let text = text.trim_end_matches('$');
                    written.push_str(&literal(text));
                    meant.push_str(text);
                }
            }
        }
        written.push_str("${token}");
        meant.push_str(&stand_in("token"));
        targets.push(Target::new(at, &[("text", written, meant)]));
    }
    expect(&targets, &facts)
}

/// What a user's own block says is executed; what a fact puts into it is not.
#[test]
#[ignore = "asks Go's text/template: make e2e"]
fn a_template_block_is_the_users_own_and_a_fact_in_it_is_not() -> Test {
    let contract = format!(
        "{HEAD}config: {{defaults: {{sly: \"{{{{ .token }}}}\", half: \"{{ .token }}}}\", plain: a.example.com}}}}\n{SECRETS}{}",
        r#"targets:
  n/merge:
    data: {token: "${token}", api-key: "${agent#api-key}"}
    template:
      engineVersion: v2
      mergePolicy: Merge
      metadata: {annotations: {note: "${config.sly} {${config.half}"}}
      data:
        text: 'k={{ index . "api-key" }} {{ "{{" }} ${config.sly} {${config.half}'
        host: '{{ printf "%s" "${config.plain}" }}'
  n/replace:
    data: {token: "${token}", api-key: "${agent#api-key}"}
    template: {mergePolicy: Replace, data: {only: "{{ .token | b64enc }}"}}
  n/extract:
    extract: [agent]
    annotations: {note: "${config.sly}", plain: "{{ .API_KEY }}"}
  n/extract-and-text:
    extract: [agent]
    data: {url: "https://${token}/{{ .API_KEY }}"}
"#
    );
    let secrets = secrets(&contract)?;
    let (token, key) = (stand_in("token"), stand_in("agent#api-key"));
    let own = &secrets["n/merge"];
    assert_eq!(own.data["token"], token);
    assert_eq!(own.data["api-key"], key);
    assert_eq!(
        own.data["text"],
        format!("k={key} {{{{ {{{{ .token }}}} {{{{ .token }}}}")
    );
    assert_eq!(own.data["host"], "a.example.com");
    assert_eq!(own.annotations["note"], "{{ .token }} {{ .token }}");
    let replaced = texts(&[("only", encoded("token"))]);
    assert_eq!(secrets["n/replace"].data, replaced);
    let fields = [
        ("API.KEY", stand_in("agent#API.KEY")),
        ("api-key", key.clone()),
    ];
    assert_eq!(secrets["n/extract"].data, texts(&fields));
    assert_eq!(secrets["n/extract"].annotations["note"], "{{ .token }}");
    assert_eq!(secrets["n/extract"].annotations["plain"], "{{ .API_KEY }}");
    let mut all = texts(&fields);
    all.insert(
        "url".to_owned(),
        format!("https://{token}/{{{{ .API_KEY }}}}"),
    );
    assert_eq!(secrets["n/extract-and-text"].data, all);
    Ok(())
}

#[test]
#[ignore = "asks Go's text/template: make e2e"]
fn filters_give_what_the_contract_means() -> Test {
    let contract = format!(
        "{HEAD}{SECRETS}targets:\n  n/s:\n    data:\n      json: 'a: ${{token | json}}'\n      base64: '${{token | base64}} {{{{'\n      \
         both: '${{token | json | base64}}'\n      name: '${{agent#API.KEY | name}} ${{salt}}'\n"
    );
    let secret = &secrets(&contract)?["n/s"];
    let quoted = json!(stand_in("token")).to_string();
    assert_eq!(secret.data["json"], format!("a: {quoted}"));
    assert_eq!(secret.data["base64"], format!("{} {{{{", encoded("token")));
    assert_eq!(secret.data["both"], base64(&quoted));
    assert_eq!(secret.data["name"], format!("agent {}", stand_in("salt")));
    Ok(())
}

const SECRETS: &str = "secrets:\n  token: {generate: {hex: 16}}\n  salt: {generate: {hex: 16}}\n  \
                       agent: {fields: {API.KEY: {generate: {hex: 16}}, api-key: {generate: {hex: 16}}}}\n";

/// A Secret of a contract: for each key what is written, and what it means.
struct Target {
    name: String,
    keys: Vec<(String, String, String)>,
}

impl Target {
    fn new(at: usize, keys: &[(&str, String, String)]) -> Self {
        let keys = keys.iter().cloned();
        Self {
            name: format!("n/s{at}"),
            keys: keys
                .map(|(key, written, meant)| (key.to_owned(), written, meant))
                .collect(),
        }
    }
}

/// A Secret as the operator would make it.
#[derive(Debug)]
struct Secret {
    data: Texts,
    annotations: Texts,
}

fn expect(targets: &[Target], facts: &serde_json::Map<String, Value>) -> Test {
    let written: serde_json::Map<String, Value> = targets
        .iter()
        .map(|target| {
            let keys = target.keys.iter();
            let data: Texts = keys
                .map(|(key, written, _)| (key.clone(), written.clone()))
                .collect();
            (target.name.clone(), json!({"data": data}))
        })
        .collect();
    let contract = format!(
        "{HEAD}config: {}\n{SECRETS}targets: {}\n",
        readable(&json!({"defaults": facts})),
        readable(&Value::Object(written))
    );
    let secrets = secrets(&contract)?;
    for target in targets {
        let secret = &secrets[&target.name];
        assert_eq!(secret.data.len(), target.keys.len(), "{}", target.name);
        for (key, written, meant) in &target.keys {
            assert_eq!(&secret.data[key], meant, "{written:?}");
            // A value stands only where the text refers to it.
            for name in VALUES {
                let refers = written.contains(&format!("${{{name}}}"));
                assert!(
                    refers || !secret.data[key].contains(&stand_in(name)),
                    "{name} in {written:?}"
                );
            }
        }
    }
    Ok(())
}

/// JSON that is YAML too, which has fewer characters outside of escapes.
fn readable(json: &Value) -> String {
    let escaped = |c: char| match c {
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
            format!("\\u{:04x}", u32::from(c))
        }
        c => c.to_string(),
    };
    json.to_string().chars().map(escaped).collect()
}

const VALUES: [&str; 4] = ["token", "salt", "agent#API.KEY", "agent#api-key"];

/// A value that would be noticed wherever it came out, and that is hostile itself.
fn stand_in(name: &str) -> String {
    format!("[{name}: {{{{ .salt }}}} ${{token}} \"\\`\né]")
}

fn encoded(name: &str) -> String {
    base64(&stand_in(name))
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn texts(pairs: &[(&str, String)]) -> Texts {
    pairs
        .iter()
        .map(|(key, text)| ((*key).to_owned(), text.clone()))
        .collect()
}

/// How a text is written in a contract so that it is only text.
fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// Emits a contract, has Go execute the templates with stand-ins for what the store holds, and gives the Secrets.
fn secrets(contract: &str) -> Result<BTreeMap<String, Secret>, String> {
    let workspace = Workspace::new()?;
    workspace.write("go.yaml", contract)?;
    let emitted = workspace.seed("emit -c go.yaml --env dev")?.success()?;
    let mut places = Vec::new();
    let mut cases = Vec::new();
    for object in yaml::documents(&emitted)? {
        if object["kind"] != "ExternalSecret" {
            continue;
        }
        let (namespace, name) = (
            &object["metadata"]["namespace"],
            &object["metadata"]["name"],
        );
        places.push(format!(
            "{}/{}",
            namespace.as_str().unwrap(),
            name.as_str().unwrap()
        ));
        let items = object["spec"]["data"].as_array().unwrap();
        let values: Texts = items.iter().map(value_of).collect();
        assert_eq!(values.len(), items.len(), "two items have one key");
        cases.push(json!({"object": object, "values": values}));
    }
    let distinct: BTreeSet<&String> = places.iter().collect();
    assert_eq!(distinct.len(), places.len());
    assert!(!places.is_empty(), "nothing is emitted\n{emitted}");
    let answers = execute(&Value::Array(cases))?;
    let mut secrets = BTreeMap::new();
    for (place, answer) in places.into_iter().zip(answers.as_array().unwrap()) {
        let error = answer["error"].as_str().unwrap();
        assert!(error.is_empty(), "{place}: {error}\n{emitted}");
        let texts = |field: &str| {
            serde_json::from_value::<Texts>(answer[field].clone()).unwrap_or_default()
        };
        let secret = Secret {
            data: texts("data"),
            annotations: texts("annotations"),
        };
        secrets.insert(place, secret);
    }
    Ok(secrets)
}

/// What an item of `spec.data` reads, and the key that it reads it into.
fn value_of(item: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let reference = &item["remoteRef"];
    let (key, property) = (text(&reference["key"]), text(&reference["property"]));
    let name = if property == "value" {
        key
    } else {
        format!("{key}#{property}")
    };
    (text(&item["secretKey"]), stand_in(&name))
}

fn execute(cases: &Value) -> Result<Value, String> {
    let program = shared::repository()?.join("tests/e2e/gotemplate/main.go");
    let mut go = Command::new("go")
        .arg("run")
        .arg(program)
        .env("GO111MODULE", "off")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|err| format!("go: {err}"))?;
    let mut stdin = go.stdin.take().ok_or("go has no stdin")?;
    stdin
        .write_all(cases.to_string().as_bytes())
        .map_err(|err| err.to_string())?;
    drop(stdin);
    let output = go.wait_with_output().map_err(|err| err.to_string())?;
    if !output.status.success() {
        return Err(format!("go ended with {}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|err| err.to_string())
}
