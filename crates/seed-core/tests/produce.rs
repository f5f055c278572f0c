//! Values made from a contract, put into documents, and taken out again.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use seed_core::backend::Kind;
use seed_core::contract::parse;
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::{Inventory, Presence};
use seed_core::name::{EntryKey, ValueId};
use seed_core::plan::{Input, Plan, plan};
use seed_core::produce::{
    FillError, Maker, PreflightError, ProduceError, ReadBackError, StoreError, Values, accept,
    document, preflight, read_back,
};
use seed_core::resolve::{Availability, Place, Request, Resolved, resolve};
use seed_core::secret::SecretValue;
use seed_core::value::{Derivation, NewlineChange, verify};

/// 2026-11-22T15:04:05Z.
const NOW: i64 = 1_795_359_845;

const PEM: &str =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";

/// The settings that each kind needs before a contract can be resolved.
fn settings(kind: Kind) -> &'static str {
    match kind {
        Kind::AwsSm => "{region: eu-central-1}",
        Kind::AzureKv => "{vault: \"https://seed.vault.azure.net\"}",
        Kind::Gcpsm => "{project: seed}",
        Kind::Kubernetes => "{context: seed, namespace: source}",
        Kind::Local => "{file: seed.age}",
        Kind::Vault => "{address: \"https://vault.example.com\", mount: secret}",
    }
}

fn resolved_on(kind: Kind, secrets: &str) -> Resolved {
    let settings = settings(kind);
    let source = format!(
        "version: 1\nname: shop\nbackend: {kind}\nbackends:\n  {kind}: {settings}\nsecrets:\n{secrets}"
    );
    let (contract, _) = parse(&source).unwrap_or_else(|errors| panic!("{errors:#?}\n{source}"));
    match resolve(&contract, &source, &Request::default()) {
        Ok((resolved, _)) => resolved,
        Err(errors) => panic!("{errors:#?}\n{source}"),
    }
}

fn resolved(secrets: &str) -> Resolved {
    resolved_on(Kind::Local, secrets)
}

fn id(text: &str) -> ValueId {
    text.parse().unwrap()
}

fn secret(text: &str) -> SecretValue {
    text.to_owned().into()
}

fn values(pairs: &[(&str, &str)]) -> Values {
    let value = |(name, text): &(&str, &str)| (id(name), Arc::new(secret(text)));
    pairs.iter().map(value).collect()
}

fn make_with(
    resolved: &Resolved,
    name: &str,
    values: &Values,
    given: Option<&str>,
) -> Result<SecretValue, ProduceError> {
    let unchecked = BTreeSet::new();
    let available: Availability = values.keys().cloned().collect();
    let maker = Maker {
        resolved,
        available: &available,
        unchecked: &unchecked,
    };
    let given = given.map(secret);
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    maker.produce(&id(name), values, given.as_ref(), &mut rng, NOW)
}

fn make(resolved: &Resolved, name: &str, pairs: &[(&str, &str)]) -> Result<String, ProduceError> {
    let made = make_with(resolved, name, &values(pairs), None)?;
    Ok(made.expose_text().unwrap().to_owned())
}

fn give(resolved: &Resolved, name: &str, given: &str) -> Result<String, ProduceError> {
    let made = make_with(resolved, name, &Values::new(), Some(given))?;
    Ok(made.expose_text().unwrap().to_owned())
}

fn put(resolved: &Resolved, entry: &str, values: &Values) -> Result<Document, StoreError> {
    let entry = &resolved.entries[&entry.parse::<EntryKey>().unwrap()];
    let Some(Place::Backend { kind, .. }) = &entry.place else {
        panic!("it is kept nowhere");
    };
    let ids: Vec<ValueId> = values.keys().cloned().collect();
    document(entry, *kind, &ids, values)
}

fn take(resolved: &Resolved, name: &str, stored: &Document) -> Result<SecretValue, ReadBackError> {
    let id = id(name);
    let entry = &resolved.entries[&id.entry];
    let Some(Place::Backend { kind, .. }) = &entry.place else {
        panic!("it is kept nowhere");
    };
    read_back(entry, resolved.value(&id).unwrap(), *kind, stored)
}

/// The names and bytes of a document; a single value has no name.
fn bytes(document: &Document) -> Vec<(String, Vec<u8>)> {
    match document {
        Document::Single(value) => vec![(String::new(), value.expose().to_vec())],
        Document::Fields(fields) => fields
            .iter()
            .map(|(name, value)| (name.to_owned(), value.value().expose().to_vec()))
            .collect(),
    }
}

#[test]
fn a_generated_value_passes_its_check_and_gets_its_affixes() {
    let resolved = resolved(
        "  key: {generate: {alnum: 24}, prefix: sk-, suffix: \"!\", check: {pattern: \"^[a-f]\"}}\n",
    );
    let made = make(&resolved, "key", &[]).unwrap();
    let inside = made.strip_prefix("sk-").unwrap().strip_suffix('!').unwrap();
    assert_eq!(inside.len(), 24);
    assert!(
        inside.starts_with(|c: char| ('a'..='f').contains(&c)),
        "only the hundredth chance"
    );
}

#[test]
fn a_check_that_no_draw_passes_ends_after_a_hundred_draws() {
    let resolved = resolved("  key: {generate: {alnum: 24}, check: {pattern: \"^a{24}$\"}}\n");
    let err = make(&resolved, "key", &[]).unwrap_err();
    assert!(matches!(err, ProduceError::Draw(_)));
    assert_eq!(
        err.to_string(),
        "none of 100 drawn values passed the check; the last one does not match `^a{24}$`"
    );
}

#[test]
fn the_time_of_creation_is_the_callers() {
    let resolved = resolved("  since: {generate: timestamp}\n");
    assert_eq!(
        make(&resolved, "since", &[]).unwrap(),
        "2026-11-22T15:04:05Z"
    );
}

#[test]
fn a_derived_value_belongs_to_its_source() {
    let resolved = resolved(
        "  password: {generate: {hex: 16}}\n  hash: {derive: {bcrypt: {of: password, cost: 4}}}\n",
    );
    let known = values(&[("password", "correct horse")]);
    let hash = make_with(&resolved, "hash", &known, None).unwrap();
    let Some(seed_core::resolve::ResolvedSource::Derive { derivation, of }) =
        &resolved.value(&id("hash")).unwrap().source
    else {
        panic!("it is derived");
    };
    assert!(matches!(derivation, Derivation::Bcrypt { .. }));
    assert!(verify(derivation, &known[of], &hash).unwrap());
    assert!(!verify(derivation, &secret("wrong horse"), &hash).unwrap());
}

#[test]
fn a_source_that_cannot_be_derived_from_is_named() {
    let resolved = resolved(
        "  password: {provide: {how: ask}}\n  hash: {derive: {bcrypt: {of: password, cost: 4}}}\n",
    );
    let long = "x".repeat(73);
    let err = make(&resolved, "hash", &[("password", &long)]).unwrap_err();
    assert_eq!(
        err.to_string(),
        "it cannot be derived from `password`: the source has 73 bytes; bcrypt reads no more than 72"
    );
    let err = make(&resolved, "hash", &[]).unwrap_err();
    assert_eq!(err, FillError::Missing(id("password")).into());
}

#[test]
fn a_composed_text_has_values_filters_and_stored_names() {
    let resolved = resolved_on(
        Kind::AwsSm,
        "  db/password: {generate: {hex: 16}}\n  url:\n    \
         compose: \"pg://u:${db/password | urlencode}@h/${db/password | name}?j=${db/password | json}\"\n",
    );
    assert_eq!(
        make(&resolved, "url", &[("db/password", "a/\"b")]).unwrap(),
        "pg://u:a%2F%22b@h/db/password?j=\"a/\\\"b\""
    );
}

#[test]
fn filters_apply_from_left_to_right() {
    let resolved = resolved(
        "  key: {generate: {hex: 16}}\n  text: {compose: \"${key | base64 | urlencode}\"}\n",
    );
    assert_eq!(
        make(&resolved, "text", &[("key", "a")]).unwrap(),
        "YQ%3D%3D"
    );
}

#[test]
fn the_first_alternative_that_is_counted_on_is_taken() {
    let resolved = resolved(
        "  token: {provide: {how: ask}, optional: true}\n  other: {generate: {hex: 4}}\n  \
         text: {compose: \"<${token ?? other}>\"}\n",
    );
    let both = [("other", "o"), ("token", "t")];
    assert_eq!(make(&resolved, "text", &both).unwrap(), "<t>");
    assert_eq!(make(&resolved, "text", &both[..1]).unwrap(), "<o>");
}

#[test]
fn a_text_that_counts_on_a_value_is_never_made_without_it() {
    let resolved = resolved(
        "  token: {provide: {how: ask}, optional: true}\n  other: {generate: {hex: 4}}\n  \
         text: {compose: \"<${token ?? other}>\"}\n",
    );
    let available: Availability = [id("token"), id("other")].into_iter().collect();
    let unchecked = BTreeSet::new();
    let maker = Maker {
        resolved: &resolved,
        available: &available,
        unchecked: &unchecked,
    };
    assert_eq!(maker.sources(&id("text")), BTreeSet::from([id("token")]));
    let known = values(&[("other", "o")]);
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let err = maker
        .produce(&id("text"), &known, None, &mut rng, NOW)
        .unwrap_err();
    assert_eq!(err, FillError::Missing(id("token")).into());
}

#[test]
fn a_given_value_passes_its_forms_in_order() {
    let resolved = resolved(
        "  key: {provide: {how: ask}, check: {length: 3}, prefix: \"<\", suffix: \">\"}\n",
    );
    // The newline goes before the check looks, and the affixes come after it.
    assert_eq!(give(&resolved, "key", "abc\n").unwrap(), "<abc>");
    let err = give(&resolved, "key", "abcd").unwrap_err();
    assert_eq!(err.to_string(), "the value has 4 characters; 3 are wanted");
}

#[test]
fn a_key_is_checked_as_lines_and_formed_as_one_line_however_it_was_given() {
    let resolved = resolved(
        "  key: {provide: {how: ask}, check: {pem: private-key}, form: escape-newlines}\n",
    );
    let one_line = PEM.replace('\n', "\\n");
    assert_eq!(give(&resolved, "key", PEM).unwrap(), one_line);
    assert_eq!(give(&resolved, "key", &one_line).unwrap(), one_line);
    assert_eq!(give(&resolved, "key", PEM.trim_end()).unwrap(), one_line);
}

#[test]
fn what_became_of_the_newline_can_be_said() {
    let resolved = resolved("  key: {provide: {how: ask}}\n");
    let value = resolved.value(&id("key")).unwrap();
    let (made, change) = accept(value, &secret("abc\r\n")).unwrap();
    assert_eq!(
        (made.expose(), change),
        (&b"abc"[..], NewlineChange::Removed)
    );
    let (_, change) = accept(value, &secret("abc")).unwrap();
    assert_eq!(change, NewlineChange::Kept);
}

#[test]
fn a_placeholder_is_no_value() {
    let resolved =
        resolved("  key: {provide: {how: ask}}\n  free: {provide: {how: ask}, placeholder: []}\n");
    for (given, reason) in [
        ("", ProduceError::Empty),
        ("null", ProduceError::Placeholder),
        ("REPLACE_ME", ProduceError::Placeholder),
        ("<token>", ProduceError::Placeholder),
    ] {
        assert_eq!(give(&resolved, "key", given).unwrap_err(), reason);
        assert_eq!(give(&resolved, "free", given).unwrap(), given);
    }
    assert_eq!(
        give(&resolved, "key", " \n").unwrap_err(),
        ProduceError::Empty
    );
}

#[test]
fn a_given_value_replaces_a_draw_and_nothing_else() {
    let resolved = resolved(
        "  key: {generate: {hex: 16}, provide: {how: ask}}\n  bare: {generate: {hex: 16}}\n  \
         text: {compose: \"<${key}>\"}\n  user: {value: shop}\n  asked: {provide: {how: ask}}\n  \
         later: {mint: {by: n8n}}\n",
    );
    assert_eq!(give(&resolved, "key", "mine").unwrap(), "mine");
    // The known password of a pair whose hash is stored.
    assert_eq!(give(&resolved, "bare", "mine").unwrap(), "mine");
    for other in ["text", "user", "later"] {
        assert_eq!(
            give(&resolved, other, "mine").unwrap_err(),
            ProduceError::NotAsked
        );
    }
    assert_eq!(make(&resolved, "key", &[]).unwrap().len(), 32);
    assert_eq!(make(&resolved, "user", &[]).unwrap(), "shop");
    assert_eq!(
        make(&resolved, "asked", &[]).unwrap_err(),
        ProduceError::NotGiven
    );
    assert_eq!(
        make(&resolved, "later", &[]).unwrap_err(),
        ProduceError::Unknown(id("later"))
    );
}

#[test]
fn a_check_can_be_skipped_for_one_value() {
    let resolved = resolved(
        "  key: {provide: {how: ask}, check: {prefix: hf_}}\n  b: {provide: {how: ask}, check: {prefix: hf_}}\n",
    );
    let available = Availability::default();
    let unchecked = BTreeSet::from([id("key")]);
    let maker = Maker {
        resolved: &resolved,
        available: &available,
        unchecked: &unchecked,
    };
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let given = secret("new-format");
    let mut make = |name| maker.produce(&id(name), &Values::new(), Some(&given), &mut rng, NOW);
    assert_eq!(make("key").unwrap().expose(), b"new-format");
    assert!(matches!(make("b"), Err(ProduceError::Check(_))));
}

#[test]
fn one_value_stands_alone_or_under_its_key() {
    let secrets =
        "  plain: {generate: {hex: 4}}\n  named: {generate: {hex: 4}, value-key: token}\n";
    for kind in Kind::ALL {
        let resolved = resolved_on(kind, secrets);
        let key = |entry, want: &str| {
            let stored = put(&resolved, entry, &values(&[(entry, "abc")])).unwrap();
            let name = if kind.is_map() { want } else { "" };
            assert_eq!(
                bytes(&stored),
                [(name.to_owned(), b"abc".to_vec())],
                "{kind}"
            );
        };
        key("plain", "value");
        key("named", "token");
    }
}

#[test]
fn fields_stand_in_the_contracts_order() {
    let resolved = resolved(
        "  agent:\n    fields:\n      ZED: {compose: \"${ABLE}!\"}\n      ABLE: {generate: {hex: 4}}\n",
    );
    let stored = put(
        &resolved,
        "agent",
        &values(&[("agent#ABLE", "a"), ("agent#ZED", "a!")]),
    );
    let names: Vec<String> = bytes(&stored.unwrap())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["ZED", "ABLE"]);
    // A write may put in only some of them.
    let part = put(&resolved, "agent", &values(&[("agent#ZED", "a!")])).unwrap();
    assert_eq!(bytes(&part), [("ZED".to_owned(), b"a!".to_vec())]);
}

#[test]
fn what_is_stored_as_base64_is_read_as_what_it_was() {
    let secrets = "  raw: {generate: {bytes: 8}}\n  agent: {fields: {raw: {generate: {bytes: 8}}}}\n  \
                   text: {provide: {how: ask}, encode: base64}\n";
    let raw = [0, 0xff, 0xfe, b'\n', 1, 2, 3, 4];
    for kind in Kind::ALL {
        let resolved = resolved_on(kind, secrets);
        for (entry, name) in [("raw", "raw"), ("agent", "agent#raw"), ("text", "text")] {
            let known = Values::from([(id(name), Arc::new(SecretValue::new(raw.to_vec())))]);
            let stored = put(&resolved, entry, &known).unwrap();
            let base64 = bytes(&stored)[0].1 == b"AP/+CgECAwQ=";
            let declared = resolved.value(&id(name)).unwrap().is_stored_base64(kind);
            assert_eq!(base64, declared, "{name} on {kind}");
            assert_eq!(
                take(&resolved, name, &stored).unwrap().expose(),
                raw,
                "{name} on {kind}"
            );
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_where_only_text_is_stored() {
    let secrets = "  key: {provide: {how: ask}}\n  agent: {fields: {key: {provide: {how: ask}}}}\n";
    let refuses = |kind, entry, name| {
        let resolved = resolved_on(kind, secrets);
        let known = Values::from([(id(name), Arc::new(SecretValue::new(vec![0xff])))]);
        match put(&resolved, entry, &known) {
            Ok(_) => false,
            Err(err) => {
                assert_eq!(err, StoreError::NotText { id: id(name), kind });
                true
            }
        }
    };
    let single: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| refuses(*kind, "key", "key"))
        .collect();
    assert_eq!(single, [Kind::AzureKv, Kind::Vault]);
    let fields = Kind::ALL
        .into_iter()
        .filter(|kind| refuses(*kind, "agent", "agent#key"));
    assert_eq!(
        fields.collect::<Vec<_>>(),
        [Kind::Gcpsm, Kind::AwsSm, Kind::AzureKv, Kind::Vault]
    );
}

#[test]
fn the_limit_counts_what_is_stored_at_the_edge_and_one_over() {
    let secrets = "  key: {provide: {how: ask}}\n  agent: {fields: {k: {provide: {how: ask}}}}\n";
    for kind in Kind::ALL {
        let resolved = resolved_on(kind, secrets);
        let max = kind.rule().max_bytes;
        let around_single = if kind.is_map() { "value".len() } else { 0 };
        let around_field = match kind {
            Kind::AwsSm | Kind::AzureKv | Kind::Gcpsm => "{\"k\":\"\"}".len(),
            Kind::Kubernetes | Kind::Local | Kind::Vault => "k".len(),
        };
        for (entry, name, around) in [
            ("key", "key", around_single),
            ("agent", "agent#k", around_field),
        ] {
            let of = |size: usize| put(&resolved, entry, &values(&[(name, &"x".repeat(size))]));
            assert!(of(max - around).is_ok(), "{name} on {kind}");
            let bytes = max + 1;
            assert_eq!(
                of(bytes - around).unwrap_err(),
                StoreError::TooLarge { bytes, kind, max },
                "{name} on {kind}"
            );
        }
    }
}

#[test]
fn an_empty_value_is_refused_where_nobody_could_read_it() {
    let secrets = "  key: {provide: {how: ask}, placeholder: []}\n  agent: {fields: {k: {provide: {how: ask}}}}\n";
    for kind in Kind::ALL {
        let resolved = resolved_on(kind, secrets);
        let refused = put(&resolved, "key", &values(&[("key", "")])).is_err();
        assert_eq!(refused, !kind.stores_empty(), "{kind}");
        assert!(
            put(&resolved, "agent", &values(&[("agent#k", "")])).is_ok(),
            "{kind}"
        );
    }
}

#[test]
fn a_stored_number_is_read_as_its_text() {
    let resolved = resolved("  agent: {fields: {port: {provide: {how: ask}}}}\n");
    let mut fields = Fields::new();
    assert!(fields.insert("port", FieldValue::Raw(secret("5432"))));
    let stored = Document::Fields(fields);
    assert_eq!(
        take(&resolved, "agent#port", &stored).unwrap().expose(),
        b"5432"
    );
}

#[test]
fn what_is_not_as_declared_is_said_without_a_guess() {
    let resolved = resolved(
        "  agent: {fields: {port: {provide: {how: ask}}}}\n  key: {provide: {how: ask}, encode: base64}\n",
    );
    let err = |name, stored: &Document| take(&resolved, name, stored).unwrap_err();
    let single = Document::Single(secret("a canary"));
    let other = put(&resolved, "agent", &values(&[])).unwrap();
    assert_eq!(err("agent#port", &single), ReadBackError::WrongShape);
    assert_eq!(
        err("agent#port", &other),
        ReadBackError::NoField("port".to_owned())
    );
    assert_eq!(err("key", &other), ReadBackError::WrongShape);
    assert_eq!(err("key", &single), ReadBackError::NotBase64);
}

fn planned(resolved: &Resolved, given: &BTreeMap<ValueId, SecretValue>) -> Plan {
    let place = |entry: &seed_core::resolve::ResolvedEntry| match &entry.place {
        Some(Place::Backend { name, .. }) => Some((name.clone(), Presence::Absent)),
        Some(Place::Nowhere) | None => None,
    };
    let inventory: Inventory = resolved.entries.values().filter_map(place).collect();
    plan(Input::new(
        resolved,
        &BTreeMap::from([(resolved.backend.clone(), inventory)]),
        &given.keys().cloned().collect(),
    ))
}

#[test]
fn every_wrong_input_is_found_before_the_first_write() {
    let resolved = resolved_on(
        Kind::Gcpsm,
        "  fine: {generate: {hex: 4}}\n  token: {provide: {how: ask}, check: {min: 40}}\n  \
         user: {value: shop, check: {prefix: x}}\n  large: {provide: {how: ask}}\n  \
         text: {compose: \"${fine}!\"}\n  good: {provide: {how: ask}}\n  \
         agent: {fields: {k: {provide: {how: ask}}}}\n",
    );
    let given: BTreeMap<ValueId, SecretValue> = [
        ("token", "canary-canary".to_owned()),
        ("large", "canary".repeat(20_000)),
        ("text", "canary".to_owned()),
        ("good", "canary".to_owned()),
        ("agent#k", "TODO".to_owned()),
    ]
    .map(|(name, text)| (id(name), text.into()))
    .into();
    let plan = planned(&resolved, &given);
    let available = Maker::counted_on(&plan);
    let unchecked = BTreeSet::new();
    let maker = Maker {
        resolved: &resolved,
        available: &available,
        unchecked: &unchecked,
    };
    let wrong: Vec<String> = preflight(&maker, &plan, &given)
        .into_iter()
        .map(|(id, err)| format!("{id}: {err}"))
        .collect();
    assert_eq!(
        wrong,
        [
            "token: the value has 13 characters; at least 40 are wanted",
            "user: the value does not begin with `x`",
            "large: the entry has 120000 bytes as it is stored; gcpsm takes at most 65536",
            "text: the value is given, and the contract makes it from others or leaves it to a service",
            "agent#k: the value is a placeholder for one that is still to come",
        ]
    );
}

#[test]
fn texts_of_given_values_and_literals_are_tried_before_the_first_write() {
    let resolved = resolved_on(
        Kind::AwsSm,
        "  twice: {compose: \"${long}${text}\"}\n  text: {compose: \"${long}/${word}\"}\n  \
         long: {provide: {how: ask}}\n  word: {value: shop}\n  drawn: {generate: {hex: 4}}\n  \
         open: {compose: \"${text}${text}${drawn}\"}\n  \
         checked: {compose: \"${word}!\", check: {max: 2}}\n  \
         raw: {provide: {how: ask}, encode: base64}\n  \
         bytes: {fields: {a: {compose: \"${raw}\"}}}\n  \
         both: {fields: {a: {compose: \"${long}\"}, b: {compose: \"${long}\"}, c: {generate: {hex: 4}}}}\n",
    );
    let given = BTreeMap::from([
        (id("long"), "canary".repeat(9_000).into()),
        (id("raw"), SecretValue::new(vec![0xff])),
    ]);
    let plan = planned(&resolved, &given);
    let (available, unchecked) = (Maker::counted_on(&plan), BTreeSet::new());
    let maker = Maker {
        resolved: &resolved,
        available: &available,
        unchecked: &unchecked,
    };
    let wrong = preflight(&maker, &plan, &given).into_iter();
    let wrong: Vec<String> = wrong.map(|(id, err)| format!("{id}: {err}")).collect();
    assert_eq!(
        wrong,
        [
            "twice: the entry has 108005 bytes as it is stored; aws-sm takes at most 65536",
            "checked: the value has 5 characters; at most 2 are wanted",
            "bytes#a: `bytes#a` is not UTF-8 text, and aws-sm stores only text here: give it `encode: base64`",
            "both#b: the entry has 108015 bytes as it is stored; aws-sm takes at most 65536",
        ]
    );
}

#[test]
fn no_error_contains_a_value() {
    const CANARY: &str = "canary-3f9a1c";
    let resolved = resolved_on(
        Kind::AzureKv,
        "  key: {provide: {how: ask}, check: {length: 3, url: {scheme: https}, json: true, one-of: [x]}}\n  \
         hash: {derive: {bcrypt: {of: key, cost: 4}}}\n  text: {compose: \"${key | json}\", check: {max: 1}}\n  \
         raw: {generate: {bytes: 8}}\n  coded: {compose: \"${raw | json}\"}\n",
    );
    let mut said = String::new();
    let mut note = |err: &dyn std::error::Error| {
        said.push_str(&format!("{err}\n{err:?}\n"));
    };
    note(&give(&resolved, "key", CANARY).unwrap_err());
    note(&make(&resolved, "hash", &[("key", &CANARY.repeat(9))]).unwrap_err());
    note(&make(&resolved, "hash", &[("key", &format!("{CANARY}\0"))]).unwrap_err());
    note(&make(&resolved, "text", &[("key", CANARY)]).unwrap_err());
    let broken = Values::from([(
        id("raw"),
        Arc::new(SecretValue::new([CANARY.as_bytes(), &[0xff]].concat())),
    )]);
    note(&make_with(&resolved, "coded", &broken, None).unwrap_err());
    note(&put(&resolved, "key", &values(&[("key", &CANARY.repeat(9_000))])).unwrap_err());
    note(&take(&resolved, "raw", &Document::Single(secret(CANARY))).unwrap_err());
    let given = BTreeMap::from([(id("key"), secret(CANARY))]);
    let plan = planned(&resolved, &given);
    let (available, unchecked) = (Maker::counted_on(&plan), BTreeSet::new());
    let maker = Maker {
        resolved: &resolved,
        available: &available,
        unchecked: &unchecked,
    };
    for (_, err) in preflight(&maker, &plan, &given) {
        assert!(matches!(
            err,
            PreflightError::Produce(ProduceError::Check(_))
        ));
        note(&err);
    }
    said.push_str(&format!("{:?}", values(&[("key", CANARY)])));
    assert_eq!(said.lines().filter(|line| !line.is_empty()).count(), 17);
    assert!(
        !said.contains("canary") && !said.contains("3f9a1c"),
        "{said}"
    );
}

proptest! {
    #[test]
    fn what_is_stored_reads_back_as_what_was_made(
        text in ".{1,40}",
        kind in proptest::sample::select(Kind::ALL.to_vec()),
        encode in any::<bool>(),
    ) {
        let encode = if encode { ", encode: base64" } else { "" };
        let source = format!("{{provide: {{how: ask}}{encode}}}");
        let resolved = resolved_on(kind, &format!("  key: {source}\n  agent: {{fields: {{k: {source}}}}}\n"));
        for (entry, name) in [("key", "key"), ("agent", "agent#k")] {
            let stored = put(&resolved, entry, &values(&[(name, &text)])).unwrap();
            let back = take(&resolved, name, &stored).unwrap();
            prop_assert!(back.same_as(&secret(&text)));
        }
    }
}
