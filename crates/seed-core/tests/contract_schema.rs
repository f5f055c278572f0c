//! The JSON Schema against the parser: what one knows, the other knows.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

#[path = "support/contracts.rs"]
mod contracts;
#[path = "support/dice.rs"]
mod dice;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use dice::Dice;
use jsonschema::Validator;
use proptest::prelude::*;
use seed_core::contract::{parse, schema};
use seed_core::yaml::{self, Limits, Style};
use serde_json::{Value, json};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(schema()).unwrap());
static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());

fn refusals(contract: &Value) -> Vec<String> {
    VALIDATOR
        .iter_errors(contract)
        .map(|err| format!("{}: {err}", err.instance_path()))
        .collect()
}

fn errors(source: &str) -> Vec<String> {
    match parse(source) {
        Ok(_) => Vec::new(),
        Err(found) => found
            .iter()
            .map(|found| match &found.help {
                Some(help) => format!("{}: {help}", found.message),
                None => found.message.clone(),
            })
            .collect(),
    }
}

fn written(contract: &Value) -> String {
    yaml::write(contract, Style::Readable).to_string()
}

/// The words in backticks.
fn words(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The words that the parser lists in the error about one that it does not know.
fn known_to_parser(source: &str, help: &str) -> String {
    let source = format!("version: 1\nname: a\n{source}");
    let errors = errors(&source);
    let found = errors.iter().find_map(|error| error.split_once(help));
    match found {
        Some((_, list)) => list.to_owned(),
        None => panic!("{errors:#?}\n{source}"),
    }
}

fn at(pointer: &str) -> &'static Value {
    match SCHEMA.pointer(pointer) {
        Some(found) => found,
        None => panic!("the schema has no {pointer}"),
    }
}

const NONSENSE: &str = "unheard-of-quux";

/// Where the schema has a mapping, and a contract with an unknown field in it.
const MAPPINGS: &[(&str, &str)] = &[
    ("", "QUUX: 1"),
    ("/properties/config", "config: {QUUX: 1}"),
    ("/properties/cluster", "cluster: {QUUX: 1}"),
    ("/properties/emit", "emit: {QUUX: 1}"),
    ("/$defs/store", "store: {QUUX: 1}"),
    ("/$defs/backend-gcpsm", "backends: {gcpsm: {QUUX: 1}}"),
    ("/$defs/backend-aws-sm", "backends: {aws-sm: {QUUX: 1}}"),
    ("/$defs/backend-azure-kv", "backends: {azure-kv: {QUUX: 1}}"),
    (
        "/$defs/backend-vault",
        "backends: {b: {kind: vault, QUUX: 1}}",
    ),
    (
        "/$defs/backend-kubernetes",
        "backends: {kubernetes: {QUUX: 1}}",
    ),
    ("/$defs/backend-local", "backends: {local: {QUUX: 1}}"),
    (
        "/$defs/backend-store",
        "backends: {gcpsm: {store: {QUUX: 1}}}",
    ),
    ("/$defs/pace", "backends: {gcpsm: {pace: {QUUX: 1}}}"),
    ("/$defs/field", "secrets: {a: {fields: {b: {QUUX: 1}}}}"),
    ("/$defs/case", "secrets: {a: {cases: [{QUUX: 1}]}}"),
    ("/$defs/provide", "secrets: {a: {provide: {QUUX: 1}}}"),
    ("/$defs/mint", "secrets: {a: {mint: {QUUX: 1}}}"),
    ("/$defs/check", "secrets: {a: {value: b, check: {QUUX: 1}}}"),
    (
        "/$defs/url-check",
        "secrets: {a: {value: b, check: {url: {QUUX: 1}}}}",
    ),
    (
        "/$defs/rotate/anyOf/1",
        "secrets: {a: {value: b, rotate: {QUUX: 1}}}",
    ),
    (
        "/$defs/base64url",
        "secrets: {a: {generate: {base64url: {QUUX: 1}}}}",
    ),
    (
        "/$defs/chars",
        "secrets: {a: {generate: {chars: {QUUX: 1}}}}",
    ),
    (
        "/$defs/password",
        "secrets: {a: {generate: {password: {QUUX: 1}}}}",
    ),
    (
        "/$defs/bcrypt",
        "secrets: {a: {derive: {bcrypt: {QUUX: 1}}}}",
    ),
    (
        "/$defs/htpasswd",
        "secrets: {a: {derive: {htpasswd: {QUUX: 1}}}}",
    ),
    (
        "/$defs/sha256",
        "secrets: {a: {derive: {sha256: {QUUX: 1}}}}",
    ),
    ("/$defs/target", "targets: {a/b: {QUUX: 1}}"),
    ("/$defs/manifest", "targets: {a/b: {manifest: {QUUX: 1}}}"),
    ("/$defs/file", "files: {a: {QUUX: 1}}"),
];

#[test]
fn every_mapping_has_the_same_fields() {
    for (pointer, source) in MAPPINGS.iter().copied() {
        let list = known_to_parser(&source.replace("QUUX", NONSENSE), ": it has ");
        let properties = at(pointer)["properties"].as_object().unwrap();
        let expected: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(words(&list), expected, "{pointer}");
    }
}

/// An entry has other fields with `fields` than without, and the schema has both.
#[test]
fn an_entry_has_the_same_fields() {
    let single = format!("secrets: {{a: {{{NONSENSE}: 1}}}}");
    let several = format!("secrets: {{a: {{fields: {{b: {{value: c}}}}, {NONSENSE}: 1}}}}");
    let lists = [single, several].map(|source| known_to_parser(&source, ": it has "));
    let found: BTreeSet<&str> = lists.iter().flat_map(|list| words(list)).collect();
    let properties = at("/$defs/secret")["properties"].as_object().unwrap();
    let expected: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    assert_eq!(found, expected);
}

/// Where the schema has a choice, a contract with an unknown word in it, and what stands before the known ones.
const CHOICES: &[(&str, &str, &str)] = &[
    (
        "/$defs/generate/anyOf/2/properties",
        "secrets: {a: {generate: {QUUX: 1}}}",
        "there are ",
    ),
    (
        "/$defs/derive/properties",
        "secrets: {a: {derive: {QUUX: {of: b}}}}",
        "there are ",
    ),
    (
        "/$defs/bcrypt/properties/version/anyOf/0/enum",
        "secrets: {a: {derive: {bcrypt: {of: b, version: QUUX}}}}",
        "one of ",
    ),
    (
        "/$defs/store/properties/kind/enum",
        "store: {kind: QUUX, name: a}",
        "one of ",
    ),
    (
        "/$defs/backend-store/properties/kind/enum",
        "backends: {gcpsm: {store: {kind: QUUX, name: a}}}",
        "one of ",
    ),
    (
        "/$defs/secret/properties/newline/enum",
        "secrets: {a: {value: b, newline: QUUX}}",
        "one of ",
    ),
    (
        "/$defs/secret/properties/form/enum",
        "secrets: {a: {value: b, form: QUUX}}",
        "one of ",
    ),
    (
        "/$defs/secret/properties/encode/enum",
        "secrets: {a: {value: b, encode: QUUX}}",
        "one of ",
    ),
    (
        "/$defs/rotate/anyOf/0/enum",
        "secrets: {a: {value: b, rotate: QUUX}}",
        "one of ",
    ),
    (
        "/$defs/check/properties/pem/anyOf/0/enum",
        "secrets: {a: {value: b, check: {pem: QUUX}}}",
        "one of ",
    ),
    (
        "/$defs/url-check/properties/userinfo/anyOf/0/enum",
        "secrets: {a: {value: b, check: {url: {userinfo: QUUX}}}}",
        "one of ",
    ),
    (
        "/$defs/target/properties/creation/enum",
        "targets: {a/b: {creation: QUUX}}",
        "one of ",
    ),
    (
        "/$defs/target/properties/deletion/enum",
        "targets: {a/b: {deletion: QUUX}}",
        "one of ",
    ),
    (
        "/$defs/target/properties/refresh/enum",
        "targets: {a/b: {refresh: QUUX}}",
        "one of ",
    ),
    (
        "/$defs/target/properties/deliver/enum",
        "targets: {a/b: {deliver: QUUX}}",
        "one of ",
    ),
    (
        "/properties/emit/properties/refresh/enum",
        "emit: {refresh: QUUX}",
        "one of ",
    ),
    (
        "/properties/emit/properties/deletion/enum",
        "emit: {deletion: QUUX}",
        "one of ",
    ),
];

#[test]
fn every_choice_has_the_same_words() {
    for (pointer, source, help) in CHOICES.iter().copied() {
        let list = known_to_parser(&source.replace("QUUX", NONSENSE), help);
        let expected: BTreeSet<&str> = match at(pointer) {
            Value::Object(properties) => properties.keys().map(String::as_str).collect(),
            list @ (Value::Array(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Number(_)
            | Value::String(_)) => list
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect(),
        };
        assert_eq!(words(&list), expected, "{pointer}");
    }
}

#[test]
fn every_kind_of_backend_is_known_to_both() {
    use seed_core::backend::Kind;
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let listed = at("/$defs/backend/properties/kind/enum")
        .as_array()
        .unwrap();
    assert_eq!(
        listed.iter().filter_map(Value::as_str).collect::<Vec<_>>(),
        kinds
    );
    let named = at("/properties/backends/properties").as_object().unwrap();
    assert_eq!(named.keys().map(String::as_str).collect::<Vec<_>>(), kinds);
}

#[test]
fn the_contracts_of_the_repository_are_valid() {
    for source in [
        include_str!("../../../contracts/llm-platform.yaml"),
        include_str!("../../../contracts/minimal.yaml"),
    ] {
        let node = yaml::parse(source, Limits::default()).unwrap();
        assert_eq!(refusals(&yaml::to_json(&node)), [""; 0]);
        assert_eq!(errors(source), [""; 0]);
    }
}

const WORDS: &[&str] = &[
    "a",
    "A",
    "9",
    "-a",
    "a-",
    "_a",
    "a_b",
    "a.b",
    ".a",
    "..",
    ".",
    "..a",
    "a..b",
    "a/b",
    "/a",
    "a/",
    "a//b",
    "a/./b",
    "a/../b",
    "~/a",
    "a~",
    "a\\b",
    "a b",
    " a",
    "a#b",
    "a#",
    "#a",
    "a#b#c",
    "ä",
    "",
    "env",
    "envs",
    "config",
    "config.a",
    "store.name",
    "store",
    "x-a",
    "true",
    "in",
    "has",
    "${env}",
    "${env}/a",
    "${config.a}",
    "${config.a}/${env}",
    "{a,b}/c",
    "{a, b}/c",
    "{a}/c",
    "{}/c",
    "{a,}/c",
    "a/b/c",
    "A/b",
    "a/b.c",
    "a/B",
    "a/b_c",
    "deployment/a",
    "deployment/A",
    "job/a",
    "1h",
    "1h30m",
    "90s",
    "1.5h",
    ".5h",
    ".h",
    "-1h",
    "1d",
    "1h ",
    "0",
    "µ",
    "${...a}",
    "${... a }",
    "${...env}",
    "${...config}",
    "config#a",
    "${...}",
    "x${...a}",
    "a${b}",
];

/// Words as keys and as texts with a form of their own.
#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn every_name_has_the_same_form() {
    let place = |place: &str, word: &str| match place {
        "name" => json!({"name": word}),
        "env" => json!({"env": word}),
        "condition" => json!({"conditions": {word: "true"}}),
        "backend" => json!({"backends": {word: {"kind": "gcpsm"}}}),
        "interval" => json!({"emit": {"interval": word}}),
        "entry" => json!({"secrets": {word: {"value": "b"}}}),
        "field" => json!({"secrets": {"a": {"fields": {word: {"value": "b"}}}}}),
        "value-key" => json!({"secrets": {"a": {"value": "b", "value-key": word}}}),
        "user" => {
            json!({"secrets": {"a": {"value": "b"}, "c": {"derive": {"htpasswd": {"user": word, "of": "a"}}}}})
        }
        "scheme" => json!({"secrets": {"a": {"value": "b", "check": {"url": {"scheme": word}}}}}),
        "target" => json!({"targets": {word: {"made-by": "x"}}}),
        "data" => json!({"targets": {"a/b": {"made-by": "x", "data": {word: "v"}}}}),
        "restart" => json!({"targets": {"a/b": {"made-by": "x", "restart": [word]}}}),
        "file" => json!({"files": {word: {"text": "t"}}}),
        "tree" => {
            json!({"files": {"f": {"yaml": {word: true}}}, "secrets": {"a": {"fields": {"b": {"value": "c"}}}}})
        }
        "variable" => json!({"files": {"f": {"dotenv": {word: "t"}}}}),
        other => panic!("{other}"),
    };
    let mut refused = 0;
    for name in [
        "name",
        "env",
        "condition",
        "backend",
        "interval",
        "entry",
        "field",
        "value-key",
        "user",
        "scheme",
        "target",
        "data",
        "restart",
        "file",
        "tree",
        "variable",
    ] {
        // What a reference means is no matter of form; whether there may be one is.
        let meant = |word: &&&str| !word.contains("...") && !word.contains("${b}");
        let here = |word: &&&str| name == "tree" || name == "variable" || meant(word);
        for word in WORDS.iter().filter(here).copied() {
            let mut contract = json!({"version": 1, "name": "a"});
            let more = place(name, word);
            contract
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let (refusals, errors) = (refusals(&contract), errors(&written(&contract)));
            assert_eq!(
                refusals.is_empty(),
                errors.is_empty(),
                "{name} {word:?}: {refusals:?} {errors:?}"
            );
            refused += usize::from(!refusals.is_empty());
        }
    }
    assert!(refused > 400, "{refused}");
}

/// What names another value, in a contract that has everything that is named.
#[test]
fn every_word_for_a_value_has_the_same_form() {
    for word in WORDS {
        let contract = json!({"version": 1, "name": "a", "secrets": {"z": {"value": "b", "rotate": {"with": [word]}}}});
        let errors = errors(&written(&contract));
        let undeclared = errors.iter().any(|error| error.contains("is not declared"));
        let formed = errors.is_empty() || undeclared;
        assert_eq!(
            refusals(&contract).is_empty(),
            formed,
            "{word:?}: {errors:?}"
        );
    }
}

/// Errors about the shape of a contract, which a schema can see as well.
fn is_about_shape(error: &str) -> bool {
    let words = [
        "expected ",
        " is written but empty",
        " needs `",
        "cannot stand beside",
        "is not between",
    ];
    let unknown_field = error.contains(" has no field ") && error.contains(": ");
    // A reference to a field that the entry has not is no matter of shape.
    words.iter().any(|words| error.contains(words)) || (unknown_field && !error.contains('#'))
}

/// One random change to a random place.
fn mutate(dice: &mut Dice, contract: &mut Value) -> String {
    let mut places = Vec::new();
    collect(contract, String::new(), &mut places);
    let place = dice.pick(&places).clone();
    let values = [
        Value::Null,
        json!(true),
        json!(5),
        json!(-1),
        json!(1.5),
        json!("text"),
        json!(""),
        json!([]),
        json!({}),
        json!(["x"]),
        json!({"x": 1}),
        json!("${config.size}"),
        json!(5000),
        json!("never"),
        json!("1h"),
        json!([null]),
    ];
    let value = dice.pick(&values).clone();
    let names = vocabulary();
    let name = (*dice.pick(&names)).to_owned();
    let node = contract.pointer_mut(&place).unwrap();
    let what = match (dice.roll(3), node) {
        (0, Value::Object(members)) => {
            members.insert(name.clone(), value.clone());
            format!("put {name}: {value}")
        }
        (1, Value::Object(members)) if !members.is_empty() => {
            let gone = members
                .keys()
                .nth(dice.roll(members.len()))
                .unwrap()
                .clone();
            members.shift_remove(&gone);
            format!("removed {gone}")
        }
        (_, node) => {
            *node = value.clone();
            format!("set to {value}")
        }
    };
    format!("at {place:?} {what}")
}

fn collect(node: &Value, path: String, places: &mut Vec<String>) {
    // Facts and the blocks of other tools are free.
    if ["/config/defaults", "/x-anchors", "/patch", "/auth"]
        .iter()
        .any(|free| path.ends_with(free))
    {
        return;
    }
    match node {
        Value::Object(members) => {
            for (key, member) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(member, format!("{path}/{key}"), places);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                collect(item, format!("{path}/{at}"), places);
            }
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
    places.push(path);
}

/// Every name of a property, and some that are none.
fn vocabulary() -> Vec<&'static str> {
    let mut names = BTreeSet::from(["zz", "x-y", "${...alpha}", "UP", "a.b"]);
    let mut open = vec![&*SCHEMA];
    while let Some(node) = open.pop() {
        match node {
            Value::Object(members) => {
                if let Some(Value::Object(properties)) = members.get("properties") {
                    names.extend(properties.keys().map(String::as_str));
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
        }
    }
    names.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sound_contract_is_valid(dice in Dice::strategy(300)) {
        let contract = contracts::contract(dice);
        prop_assert_eq!(refusals(&contract), [""; 0], "{}", written(&contract));
    }

    #[test]
    fn a_changed_contract_is_refused_by_both_or_by_none(
        dice in Dice::strategy(150),
        mut change in Dice::strategy(8),
    ) {
        let mut contract = contracts::contract(dice);
        let what = mutate(&mut change, &mut contract);
        let source = written(&contract);
        let (refusals, errors) = (refusals(&contract), errors(&source));
        if errors.is_empty() {
            prop_assert_eq!(refusals, [""; 0], "{}\n{}", what, source);
        } else if errors.iter().any(|error| is_about_shape(error)) {
            prop_assert!(!refusals.is_empty(), "{}\n{:#?}\n{}", what, errors, source);
        }
    }
}
