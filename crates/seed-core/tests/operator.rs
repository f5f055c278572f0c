//! Random manifests in the hands of a small External Secrets Operator: what it makes is what the contract says.
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
#[path = "support/resolved.rs"]
mod resolved;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dice::Dice;
use proptest::prelude::*;
use resolved::try_resolved;
use seed_core::manifest::{Options, With, emit};
use seed_core::name::ValueId;
use seed_core::resolve::{
    Alternative, Availability, Place, Resolved, ResolvedPart, ResolvedTarget, ResolvedText,
    TargetValue,
};
use seed_core::text::Filter;
use seed_core::yaml::{self, Limits, Style};
use serde_json::Value;

/// What the operator makes of a manifest: values fetched by store, key and property, then Go's template printed.
struct Operator<'a> {
    resolved: &'a Resolved,
}

impl Operator<'_> {
    /// The value that a store gives for a reference: here, a text that says which value it is.
    fn fetch(&self, remote: &Value) -> String {
        let (key, property) = (remote["key"].as_str().unwrap(), remote["property"].as_str());
        let mut found = Vec::new();
        for (entry, value) in self.resolved.values() {
            let Some(Place::Backend { kind, name, .. }) = &entry.manifest_place else {
                continue;
            };
            let field = value
                .id
                .field
                .as_ref()
                .or(kind.is_map().then_some(&entry.value_key));
            if name.as_str() == key && field.map(seed_core::name::FieldName::as_str) == property {
                assert_eq!(
                    remote["decodingStrategy"] == "Base64",
                    value.is_stored_base64(*kind)
                );
                found.push(secret(&value.id));
            }
        }
        found.sort();
        found.dedup();
        assert!(!found.is_empty(), "nothing is stored as {key} {property:?}");
        found.remove(0)
    }

    /// The Secret's data.
    fn secret(&self, manifest: &Value) -> BTreeMap<String, String> {
        let items = manifest["spec"]["data"].as_array().unwrap();
        let fetched: BTreeMap<String, String> = items
            .iter()
            .map(|item| {
                (
                    item["secretKey"].as_str().unwrap().to_owned(),
                    self.fetch(&item["remoteRef"]),
                )
            })
            .collect();
        assert_eq!(fetched.len(), items.len(), "a key is fetched twice");
        match manifest["spec"]["target"]["template"].get("data") {
            None => fetched,
            Some(data) => {
                let data = data.as_object().unwrap();
                data.iter()
                    .map(|(key, template)| {
                        (key.clone(), print(template.as_str().unwrap(), &fetched))
                    })
                    .collect()
            }
        }
    }
}

/// A value with everything in it that could be taken for something else.
fn secret(id: &ValueId) -> String {
    format!("<{id}> {{{{ .x }}}} ${{pass}} \"\\\n")
}

/// Go's text/template, as far as manifests use it.
fn print(template: &str, variables: &BTreeMap<String, String>) -> String {
    let mut printed = String::new();
    let mut rest = template;
    while let Some((before, action)) = rest.split_once("{{") {
        printed.push_str(before);
        let (action, after) = if let Some(literal) = action.strip_prefix(" \"") {
            let (text, after) = literal.split_once("\" }}").unwrap();
            (text.to_owned(), after)
        } else {
            let (pipeline, after) = action.split_once("}}").unwrap();
            (evaluated(pipeline, variables), after)
        };
        printed.push_str(&action);
        rest = after;
    }
    printed + rest
}

/// `.variable | pipe | pipe`.
fn evaluated(pipeline: &str, variables: &BTreeMap<String, String>) -> String {
    let mut pipes = pipeline.split('|').map(str::trim);
    let variable = pipes.next().unwrap().strip_prefix('.').unwrap();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    assert!(variable.chars().all(word) && !variable.starts_with(|c: char| c.is_ascii_digit()));
    let value = variables[variable].clone();
    pipes.fold(value, |value, pipe| piped(pipe, &value))
}

fn piped(pipe: &str, value: &str) -> String {
    match pipe {
        "b64enc" => STANDARD.encode(value),
        "toJson" => Value::from(value).to_string(),
        other => panic!("{other}"),
    }
}

/// What the contract says the Secret holds.
fn wanted(
    resolved: &Resolved,
    target: &ResolvedTarget,
    available: &Availability,
) -> BTreeMap<String, String> {
    let mut data = BTreeMap::new();
    for entry in &target.extract {
        for value in resolved.entries[entry]
            .values
            .iter()
            .filter(|it| it.activity.is_active() && !it.is_forbidden())
        {
            if !value.optional || available.has(&value.id) {
                data.insert(
                    value.id.field.as_ref().unwrap().to_string(),
                    secret(&value.id),
                );
            }
        }
    }
    for (key, value) in &target.data {
        data.remove(key);
        let TargetValue::Text(text) = value else {
            continue;
        };
        data.extend(expected(resolved, text, available).map(|text| (key.clone(), text)));
    }
    data
}

fn expected(resolved: &Resolved, text: &ResolvedText, available: &Availability) -> Option<String> {
    let mut expected = String::new();
    for part in text.parts() {
        match part {
            ResolvedPart::Literal(literal) => expected.push_str(literal),
            ResolvedPart::Name(entry) => expected.push_str(
                resolved.entries[entry]
                    .manifest_place
                    .as_ref()
                    .and_then(Place::name)
                    .unwrap(),
            ),
            ResolvedPart::Value {
                alternatives,
                filters,
            } => {
                let chosen = alternatives.iter().find(|alternative| match alternative {
                    Alternative::Optional(id) => available.has(id),
                    Alternative::Literal(_) | Alternative::Required(_) => true,
                })?;
                match chosen {
                    Alternative::Literal(literal) => expected.push_str(literal),
                    Alternative::Optional(id) | Alternative::Required(id) => {
                        let filtered =
                            filters
                                .iter()
                                .fold(secret(id), |value, filter| match filter {
                                    Filter::Base64 => piped("b64enc", &value),
                                    Filter::Json => piped("toJson", &value),
                                    Filter::Name | Filter::Urlencode => {
                                        panic!("no filter of a target")
                                    }
                                });
                        expected.push_str(&filtered);
                    }
                }
            }
        }
    }
    Some(expected)
}

/// A random contract with some of its optional values there.
fn random(dice: Dice, luck: &mut Dice) -> Option<(String, Resolved, Options)> {
    let source = yaml::write(&contracts::contract(dice), Style::Readable).to_string();
    let resolved = try_resolved(&source).ok()?;
    let optional = resolved.values().filter(|(_, value)| value.optional);
    let optional: Vec<ValueId> = optional.map(|(_, value)| value.id.clone()).collect();
    let options = Options {
        version: luck.word(&["2.9", "2.8"]).parse().unwrap(),
        available: optional.into_iter().filter(|_| luck.roll(2) == 1).collect(),
        with: With::default(),
    };
    Some((source, resolved, options))
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_operator_makes_what_the_contract_says(
        dice in Dice::strategy(300),
        luck in Dice::strategy(20),
    ) {
        judged::the_operator_makes_what_the_contract_says(dice, luck)?;
    }

    #[test]
    fn the_same_contract_gives_the_same_bytes(
        dice in Dice::strategy(300),
        luck in Dice::strategy(20),
    ) {
        judged::the_same_contract_gives_the_same_bytes(dice, luck)?;
    }
}

/// The properties, out of the reach of the macro.
mod judged {
    use super::*;

    pub(super) fn the_operator_makes_what_the_contract_says(
        dice: Dice,
        mut luck: Dice,
    ) -> Result<(), TestCaseError> {
        let Some((source, resolved, options)) = random(dice, &mut luck) else {
            return Ok(());
        };
        let output = emit(&resolved, &options)
            .map_err(|err| TestCaseError::fail(format!("{err}\n{source}")))?;
        let operator = Operator {
            resolved: &resolved,
        };
        let mut emitted = BTreeSet::new();
        for file in &output.manifests {
            let node = yaml::parse(&file.text, Limits::default())
                .map_err(|err| TestCaseError::fail(err.message))?;
            let manifest = yaml::to_json(&node);
            let name = manifest["spec"]["target"]["name"].as_str().unwrap();
            let namespace = manifest["metadata"]["namespace"].as_str().unwrap();
            let target = resolved
                .targets
                .iter()
                .find(|target| target.secret == name && target.namespace == namespace)
                .unwrap();
            prop_assert_eq!(
                operator.secret(&manifest),
                wanted(&resolved, target, &options.available),
                "{}\n{}",
                file.text,
                source
            );
            emitted.insert((namespace.to_owned(), name.to_owned()));
        }
        for target in &resolved.targets {
            let secret = format!("{}/{}", target.namespace, target.secret);
            let skipped = output
                .skipped
                .iter()
                .any(|skipped| skipped.secret == secret);
            let known = emitted.contains(&(target.namespace.clone(), target.secret.clone()));
            prop_assert!(skipped != known, "{secret} in\n{source}");
        }
        Ok(())
    }

    pub(super) fn the_same_contract_gives_the_same_bytes(
        dice: Dice,
        mut luck: Dice,
    ) -> Result<(), TestCaseError> {
        let Some((source, resolved, options)) = random(dice, &mut luck) else {
            return Ok(());
        };
        let first = emit(&resolved, &options).unwrap();
        let again = try_resolved(&source).map_err(TestCaseError::fail)?;
        prop_assert_eq!(first, emit(&again, &options).unwrap());
        Ok(())
    }
}
