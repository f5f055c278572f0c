//! Stored values held against a contract: every finding once, and once not.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

#[path = "support/resolved.rs"]
mod resolved;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insta::assert_snapshot;
use seed_core::judge::{Doubt, Follows, Standing, Stored, Verdict, follows, judge, verify};
use seed_core::name::ValueId;
use seed_core::plan::{Selection, State};
use seed_core::produce::Values;
use seed_core::resolve::Resolved;
use seed_core::secret::SecretValue;

/// Of `correct horse`, cost 4.
const HASH: &str = "$2a$04$AiNqzb9/sQ7td8X/0eEZd.zCM7dP7jro1uJphaXg8rM2DGZIEi7/a";

const PEM: &str =
    r"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";

fn contract(secrets: &str) -> Resolved {
    let head = "version: 1\nname: shop\nbackend: local\nbackends: {local: {file: seed.age}}\n\
                config: {defaults: {host: db}}\nsecrets:\n";
    resolved::try_resolved(&format!("{head}{secrets}"))
        .unwrap_or_else(|errors| panic!("{errors}\n{secrets}"))
}

fn id(text: &str) -> ValueId {
    text.parse().unwrap()
}

/// What is stored: a text for each key, and a state for each that has none.
#[derive(Default)]
struct Store {
    values: Values,
    states: BTreeMap<ValueId, State>,
}

impl Store {
    fn of(values: &[(&str, &str)]) -> Self {
        let value = |(key, text): &(&str, &str)| {
            let value: SecretValue = (*text).to_owned().into();
            (id(key), Arc::new(value))
        };
        Self {
            values: values.iter().map(value).collect(),
            states: BTreeMap::new(),
        }
    }

    fn and(mut self, key: &str, state: State) -> Self {
        self.states.insert(id(key), state);
        self
    }

    fn stored(&self) -> Stored<'_> {
        Stored {
            values: &self.values,
            states: &self.states,
        }
    }
}

/// Every finding of one value, none of which may show any stored text.
fn said(resolved: &Resolved, key: &str, store: &Store) -> String {
    let found = judge(resolved, &id(key), store.stored(), &BTreeSet::new());
    let value = resolved.value(&id(key)).unwrap();
    let lines: Vec<String> = found
        .iter()
        .map(|finding| {
            let hint = finding.hint(value);
            let hint = hint.map_or_else(String::new, |hint| format!(": {hint}"));
            format!(
                "{} ({:?}): {finding}{hint}",
                finding.as_str(),
                finding.weight()
            )
        })
        .collect();
    let lines = lines.join("\n");
    for value in store.values.values() {
        let text = value.expose_text().unwrap().trim();
        assert!(text.is_empty() || !lines.contains(text), "{lines}");
    }
    if lines.is_empty() {
        "sound".to_owned()
    } else {
        lines
    }
}

/// What is said of `a`, for one stored text after the other.
fn each(secret: &str, texts: &[&str]) -> String {
    let resolved = contract(&format!("  a: {secret}\n"));
    let found = texts
        .iter()
        .map(|text| said(&resolved, "a", &Store::of(&[("a", text)])));
    found.collect::<Vec<_>>().join("\n")
}

#[test]
fn placeholders_are_seen_through_affixes_form_and_newlines() {
    assert_snapshot!(each(
        "{generate: {hex: 4}, prefix: sk-, suffix: '-x'}",
        &["sk-01234567-x", "CHANGEME", "sk-changeme-x", "sk--x", "<your key>\n"],
    ), @"
    sound
    placeholder (Placeholder): is a placeholder for a value that is still to come: `seed apply --fill-placeholders` puts the value in its place
    placeholder (Placeholder): is a placeholder for a value that is still to come: `seed apply --fill-placeholders` puts the value in its place
    placeholder (Placeholder): is a placeholder for a value that is still to come: `seed apply --fill-placeholders` puts the value in its place
    placeholder (Placeholder): is a placeholder for a value that is still to come: `seed apply --fill-placeholders` puts the value in its place
    ");
    assert_snapshot!(each("{provide: {how: ask}, form: escape-newlines}", &["REPLACE_ME", "x"]), @"
    placeholder (Placeholder): is a placeholder for a value that is still to come: `seed set a --fill-placeholders` puts the value in its place
    sound
    ");
    assert_snapshot!(each("{mint: {by: the portal}}", &["TODO", "x"]), @"
    placeholder (Placeholder): is a placeholder for a value that is still to come: the portal has to write it
    sound
    ");
    assert_eq!(
        each("{provide: {how: ask}, placeholder: []}", &["TODO"]),
        "sound"
    );
}

#[test]
fn a_placeholder_that_the_contract_itself_says_is_no_placeholder() {
    assert_eq!(each("{value: 'null'}", &["null"]), "sound");
    assert_snapshot!(each("{value: host}", &["TODO"]), @"placeholder (Placeholder): is a placeholder for a value that is still to come: `seed apply --fill-placeholders` puts the value in its place");
    let resolved = contract("  a: {generate: {hex: 4}}\n  b: {derive: {sha256: {of: a}}}\n");
    let store = Store::of(&[("a", "01234567"), ("b", "CHANGEME")]);
    assert_snapshot!(said(&resolved, "b", &store), @"placeholder (Placeholder): is a placeholder for a value that is still to come: `seed apply --fill-placeholders` puts the value in its place");
}

#[test]
fn affixes_of_the_contract_are_missed() {
    assert_snapshot!(each(
        "{generate: {hex: 4}, prefix: sk-, suffix: '-x'}",
        &["01234567-x", "sk-01234567", "sk-x"],
    ), @"
    prefix (Broken): does not begin with the prefix `sk-`: remove it from the backend, and `seed apply` makes it again
    suffix (Broken): does not end with the suffix `-x`: remove it from the backend, and `seed apply` makes it again
    suffix (Broken): does not end with the suffix `-x`: remove it from the backend, and `seed apply` makes it again
    ");
}

#[test]
fn checks_look_at_what_accept_looks_at_and_tell_no_length() {
    let check = "{provide: {how: ask}, prefix: sk-, check: {min: 4, max: 6, pattern: '^[a-z]+$'}}";
    assert_snapshot!(each(check, &["sk-abcd", "sk-abc", "sk-abcdefg", "sk-ABCD"]), @"
    sound
    check (Broken): breaks `min`: the value has fewer than 4 characters: `seed set a --replace` puts the right value in its place; `--skip-check a` if the rule no longer holds
    check (Broken): breaks `max`: the value has more than 6 characters: `seed set a --replace` puts the right value in its place; `--skip-check a` if the rule no longer holds
    check (Broken): breaks `pattern`: the value does not match `^[a-z]+$`: `seed set a --replace` puts the right value in its place; `--skip-check a` if the rule no longer holds
    ");
    assert_snapshot!(each("{provide: {how: ask}, check: {length: 3}}", &["abc", "ab"]), @"
    sound
    check (Broken): breaks `length`: the value does not have 3 characters: `seed set a --replace` puts the right value in its place; `--skip-check a` if the rule no longer holds
    ");
    assert_snapshot!(each("{provide: {how: ask}, check: {bytes: 3}}", &["abc", "ab"]), @"
    sound
    check (Broken): breaks `bytes`: the value does not have 3 bytes: `seed set a --replace` puts the right value in its place; `--skip-check a` if the rule no longer holds
    ");
    assert_snapshot!(each("{provide: {how: ask}, check: {json: true}}", &["[1]", "[1,"]), @"
    sound
    check (Broken): breaks `json`: the value is not JSON: `seed set a --replace` puts the right value in its place; `--skip-check a` if the rule no longer holds
    ");
    let pem = "{provide: {how: ask}, form: escape-newlines, check: {pem: private-key}}";
    assert_snapshot!(each(pem, &[PEM, "hunter2"]), @"
    sound
    check (Broken): breaks `pem`: the value has no PEM block: `seed set a --replace` puts the right value in its place; `--skip-check a` if the rule no longer holds
    ");
    let longer = format!(
        "{{provide: {{how: ask}}, form: escape-newlines, check: {{min: {}}}}}",
        PEM.len()
    );
    assert_snapshot!(each(&longer, &[PEM]), @"check (Broken): breaks `min`: the value has fewer than 82 characters: `seed set a --replace` puts the right value in its place; `--skip-check a` if the rule no longer holds");
    let lines = "{provide: {how: ask}, form: escape-newlines, check: {length: 3}}";
    assert_snapshot!(each(lines, &[r"a\nb", r"a\nbc"]), @"
    sound
    check (Broken): breaks `length`: the value does not have 3 characters: `seed set a --replace` puts the right value in its place; `--skip-check a` if the rule no longer holds
    ");
}

#[test]
fn a_check_that_is_not_to_be_tried_is_not() {
    let resolved = contract("  a: {provide: {how: ask}, check: {length: 3}}\n");
    let store = Store::of(&[("a", "four")]);
    let unchecked = BTreeSet::from([id("a")]);
    assert_eq!(judge(&resolved, &id("a"), store.stored(), &unchecked), []);
    assert_eq!(
        judge(&resolved, &id("a"), store.stored(), &BTreeSet::new()).len(),
        1
    );
}

#[test]
fn an_end_that_nobody_meant_is_noted() {
    assert_snapshot!(each("{provide: {how: ask}}", &["token", "token\n", "a\nb"]), @"
    sound
    newline (Note): ends in a line break, which is taken off a given value: `seed set a --replace` puts the right value in its place
    sound
    ");
    assert_snapshot!(each("{provide: {how: ask}, newline: one}", &["token", "token\n", "token\n\n"]), @"
    newline (Note): does not end in exactly one line break, as a given value does: `seed set a --replace` puts the right value in its place
    sound
    newline (Note): does not end in exactly one line break, as a given value does: `seed set a --replace` puts the right value in its place
    ");
    let armored = PEM.replace("\\n", "\n");
    assert_snapshot!(each("{provide: {how: ask}}", &[&armored, armored.trim_end()]), @"
    sound
    newline (Note): does not end in exactly one line break, as a given value does: `seed set a --replace` puts the right value in its place
    ");
    // Text that is not armored may mean its `\n` either way, and `seed` stores this for `a` and a line break.
    let escaped = "{provide: {how: ask}, form: escape-newlines, newline: one}";
    assert_eq!(each(escaped, &["a\\n"]), "sound");
    assert_eq!(each("{generate: {bytes: 3}}", &["ab\n"]), "sound");
    assert_eq!(each("{mint: {by: the app}}", &["ab\n"]), "sound");
}

#[test]
fn values_that_are_not_selected_are_not_judged() {
    let resolved = contract("  a: {value: one}\n  b: {value: one}\n");
    let store = Store::of(&[("a", "other"), ("b", "other")]);
    let selection = Selection {
        only: Some(BTreeSet::from([id("b")])),
        excluded: BTreeSet::new(),
    };
    let verification = verify(&resolved, store.stored(), &selection, &BTreeSet::new());
    let verdicts = verification
        .values
        .iter()
        .map(|value| value.standing.verdict());
    assert_eq!(
        verdicts.collect::<Vec<_>>(),
        [Verdict::NotSelected, Verdict::Drifted]
    );
}

#[test]
fn values_of_another_recipe_are_noted_where_nobody_may_give_one() {
    let texts = ["01234567", "0123456", "0123456X"];
    assert_snapshot!(each("{generate: {hex: 4}}", &texts), @"
    sound
    recipe (Note): is no value that `hex 4` makes; somebody gave another
    recipe (Note): is no value that `hex 4` makes; somebody gave another
    ");
    let given = each("{generate: {hex: 4}, provide: {how: ask}}", &texts);
    assert_eq!(given, "sound\nsound\nsound");
    assert_snapshot!(each("{generate: {bytes: 3}}", &["abc", "ab"]), @"
    sound
    recipe (Note): is no value that `bytes 3` makes; somebody gave another
    ");
}

#[test]
fn hashes_are_tried_against_their_sources() {
    let resolved = contract(
        "  p: {provide: {how: ask}}\n\
         \x20 b: {derive: {bcrypt: {of: p, cost: 4}}}\n\
         \x20 h: {derive: {htpasswd: {of: p, user: ann, cost: 4}}}\n\
         \x20 s: {derive: {sha256: {of: p}}}\n",
    );
    let line = HASH.replace("$2a", "$2y");
    let other = HASH.replace("zCM7", "zCM8");
    let digest = "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631";
    let found: Vec<String> = [
        ("b", HASH.to_owned()),
        ("b", line.clone()),
        ("b", HASH.replace("$04", "$05")),
        ("b", other),
        ("b", "hunter2".to_owned()),
        ("h", format!("ann:{line}")),
        ("h", format!("bob:{line}")),
        ("h", line),
        ("s", digest.to_owned()),
        ("s", digest.replace('4', "5")),
        ("s", digest.to_uppercase()),
    ]
    .into_iter()
    .map(|(key, product)| {
        let store = Store::of(&[("p", "correct horse"), (key, &product)]);
        format!("{key}: {}", said(&resolved, key, &store))
    })
    .collect();
    assert_snapshot!(found.join("\n"), @"
    b: sound
    b: parameters (Drifted): is a hash of version 2y, where the contract asks for 2a: remove it from the backend, and `seed apply` makes it again
    b: mismatch (Broken): was not made from p as it is stored: remove it from the backend, and `seed apply` makes it again
    b: mismatch (Broken): was not made from p as it is stored: remove it from the backend, and `seed apply` makes it again
    b: mismatch (Broken): is no bcrypt hash: remove it from the backend, and `seed apply` makes it again
    h: sound
    h: mismatch (Broken): is a password line of another user: remove it from the backend, and `seed apply` makes it again
    h: mismatch (Broken): is no password line: remove it from the backend, and `seed apply` makes it again
    s: sound
    s: mismatch (Broken): was not made from p as it is stored: remove it from the backend, and `seed apply` makes it again
    s: mismatch (Broken): is no sha256 in lower-case hex: remove it from the backend, and `seed apply` makes it again
    ");
}

#[test]
fn a_source_that_nothing_can_be_derived_from_made_no_product() {
    let resolved = contract(
        "  p: {provide: {how: ask}, placeholder: []}\n  b: {derive: {bcrypt: {of: p, cost: 4}}}\n",
    );
    let long = "x".repeat(73);
    let store = Store::of(&[("p", &long), ("b", HASH)]);
    assert_snapshot!(said(&resolved, "b", &store), @"mismatch (Broken): was not made from p as it is stored, which has more bytes than bcrypt reads: remove it from the backend, and `seed apply` makes it again");
}

#[test]
fn a_hash_that_takes_too_long_is_not_tried() {
    let resolved =
        contract("  p: {provide: {how: ask}}\n  b: {derive: {bcrypt: {of: p, cost: 4}}}\n");
    let store = Store::of(&[("p", "correct horse"), ("b", &HASH.replace("$04", "$31"))]);
    assert_snapshot!(said(&resolved, "b", &store), @"
    parameters (Drifted): is a hash of cost 31, where the contract asks for 4: remove it from the backend, and `seed apply` makes it again
    not-judged (NotJudged): not judged: a hash of cost 31 takes too long to try
    ");
}

#[test]
fn texts_drift_when_facts_or_sources_do() {
    let resolved = contract(
        "  p: {provide: {how: ask}}\n  o: {provide: {how: ask}, optional: true}\n\
         \x20 v: {value: '${config.host}'}\n\
         \x20 c: {compose: 'x://${p | urlencode}@${config.host}/${o ?? config.host}'}\n",
    );
    let found: Vec<String> = [
        ("v", "db", None),
        ("v", "old", None),
        ("c", "x://a%2Fb@db/db", None),
        ("c", "x://a%2Fb@old/db", None),
        ("c", "x://a%2Fb@db/db", Some("o")),
        ("c", "x://a%2Fb@db/extra9", Some("o")),
    ]
    .into_iter()
    .map(|(key, text, more)| {
        let more = more.map(|key| (key, "extra9"));
        let values: Vec<_> = [("p", "a/b"), (key, text)]
            .into_iter()
            .chain(more)
            .collect();
        let store = Store::of(&values).and("o", State::Absent);
        said(&resolved, key, &store)
    })
    .collect();
    assert_snapshot!(found.join("\n"), @"
    sound
    drifted (Drifted): differs from what the contract and its sources give now: remove it from the backend, and `seed apply` makes it again
    sound
    drifted (Drifted): differs from what the contract and its sources give now: remove it from the backend, and `seed apply` makes it again
    drifted (Drifted): differs from what the contract and its sources give now: remove it from the backend, and `seed apply` makes it again
    sound
    ");
}

#[test]
fn a_product_without_its_source_is_half_a_pair_and_an_unread_source_tells_nothing() {
    let resolved = contract(
        "  p: {provide: {how: ask}}\n  m: {mint: {by: the portal}}\n\
         \x20 o: {provide: {how: ask}, optional: true}\n\
         \x20 p-hash: {derive: {sha256: {of: p}}}\n\
         \x20 m-hash: {derive: {sha256: {of: m}}}\n\
         \x20 o-text: {compose: 'x${o}'}\n",
    );
    let hidden = || State::Hidden {
        reason: "denied".to_owned(),
    };
    let digest = "0a".repeat(32);
    let found: Vec<String> = [
        ("p-hash", digest.as_str(), Some(("p", State::Absent))),
        ("p-hash", &digest, Some(("p", State::Empty))),
        ("p-hash", &digest, Some(("p", hidden()))),
        ("p-hash", &digest, Some(("p", State::Present))),
        ("p-hash", &digest, None),
        ("m-hash", &digest, Some(("m", State::Absent))),
        ("o-text", "x", Some(("o", State::Absent))),
        ("o-text", "x", Some(("o", hidden()))),
    ]
    .into_iter()
    .map(|(key, text, state)| {
        let store = Store::of(&[(key, text)]);
        let store = state
            .into_iter()
            .fold(store, |store, (key, state)| store.and(key, state));
        format!("{key}: {}", said(&resolved, key, &store))
    })
    .collect();
    assert_snapshot!(found.join("\n"), @"
    p-hash: half-pair (Broken): is made from p, which is not there: give the known value of p, which must match, or remove this one from the backend
    p-hash: half-pair (Broken): is made from p, which is not there: give the known value of p, which must match, or remove this one from the backend
    p-hash: not-judged (NotJudged): not judged: p was not read: make p readable
    p-hash: not-judged (NotJudged): not judged: p was not read: make p readable
    p-hash: not-judged (NotJudged): not judged: p was not read: make p readable
    m-hash: not-compared (Note): not compared with m, which is not there and need not be
    o-text: not-compared (Note): not compared with o, which is not there and need not be
    o-text: not-judged (NotJudged): not judged: o was not read: make o readable
    ");
}

#[test]
fn whether_a_product_follows_can_be_asked_with_a_value_in_place_of_an_absent_source() {
    let resolved =
        contract("  p: {provide: {how: ask}}\n  b: {derive: {bcrypt: {of: p, cost: 12}}}\n");
    let ask = |values: &[(&str, &str)]| {
        follows(
            &resolved,
            &id("b"),
            Store::of(values).and("p", State::Absent).stored(),
        )
    };
    assert_eq!(
        ask(&[("b", HASH)]),
        Follows::CannotTell(Doubt::Missing(id("p")))
    );
    assert_eq!(ask(&[("b", HASH), ("p", "correct horse")]), Follows::Yes);
    assert!(matches!(
        ask(&[("b", HASH), ("p", "wrong horse")]),
        Follows::No(_)
    ));
    assert_eq!(ask(&[]), Follows::CannotTell(Doubt::Unread(id("b"))));
    let source = follows(&resolved, &id("p"), Store::default().stored());
    assert_eq!(source, Follows::Yes, "it is made from nothing");
}

#[test]
fn every_value_has_a_standing_and_what_was_not_read_is_never_absent() {
    let resolved = contract(
        "  a: {provide: {how: ask}}\n  o: {provide: {how: ask}, optional: true}\n\
         \x20 f: {forbidden: not here}\n  off: {when: 'false', generate: {hex: 4}}\n",
    );
    let states = [
        None,
        Some(State::Absent),
        Some(State::Empty),
        Some(State::Deleted { until: None }),
        Some(State::Disabled {
            reason: "off".to_owned(),
        }),
        Some(State::Exists),
        Some(State::Present),
        Some(State::Hidden {
            reason: "denied".to_owned(),
        }),
        Some(State::Unknown {
            reason: "down".to_owned(),
        }),
        Some(State::WrongShape {
            found: "several".to_owned(),
        }),
    ];
    let mut table = String::new();
    for state in states {
        let mut store = Store::default();
        for key in ["a", "o", "f", "off"] {
            store
                .states
                .extend(state.clone().map(|state| (id(key), state)));
        }
        let verification = verify(&resolved, store.stored(), &Selection::ALL, &BTreeSet::new());
        let verdicts: Vec<String> = verification
            .values
            .iter()
            .map(|value| format!("{} {:?}", value.standing.as_str(), value.standing.verdict()))
            .collect();
        let seen = state.as_ref().map_or("nobody looked", State::as_str);
        table.push_str(&format!("{seen}: {}\n", verdicts.join(", ")));
    }
    assert_snapshot!(table, @"
    nobody looked: unknown Unread, unknown Unread, unknown Unread, not-needed NotNeeded
    absent: absent Missing, absent LeftOut, not-needed NotNeeded, not-needed NotNeeded
    empty: empty Missing, empty LeftOut, not-needed NotNeeded, not-needed NotNeeded
    deleted: deleted Blocked, deleted LeftOut, not-needed NotNeeded, not-needed NotNeeded
    disabled: disabled Blocked, disabled Blocked, broken Broken, not-needed NotNeeded
    exists: exists Unread, exists Unread, broken Broken, not-needed NotNeeded
    present: present Unread, present Unread, broken Broken, not-needed NotNeeded
    hidden: hidden Unread, hidden Unread, hidden Unread, not-needed NotNeeded
    unknown: unknown Unread, unknown Unread, unknown Unread, not-needed NotNeeded
    wrong-shape: broken Broken, broken Broken, broken Broken, not-needed NotNeeded
    ");
}

#[test]
fn the_greatest_finding_decides_and_each_value_counts_once() {
    let resolved = contract(
        "  p: {provide: {how: ask}, check: {length: 3, prefix: x}}\n  t: {value: one, check: {length: 9}}\n\
         \x20 g: {generate: {hex: 4}}\n  f: {forbidden: not here}\n  n: {generate: {hex: 4}}\n",
    );
    let store = Store::of(&[("p", "four"), ("t", "two"), ("g", "short"), ("f", "there")])
        .and("n", State::Absent);
    let verification = verify(&resolved, store.stored(), &Selection::ALL, &BTreeSet::new());
    assert_snapshot!(format!("{:?}", verification.counts()), @"Counts { sound: 1, drifted: 0, placeholder: 0, broken: 3, blocked: 0, missing: 1, left_out: 0, not_judged: 0, unread: 0, not_needed: 0, not_selected: 0 }");
    let of = |key: &str| {
        verification
            .values
            .iter()
            .find(|value| value.id == id(key))
            .unwrap()
    };
    assert_eq!(of("t").standing.verdict(), Verdict::Broken, "drifted too");
    assert_eq!(
        of("g").standing.verdict(),
        Verdict::Sound,
        "a note is no fault"
    );
    assert!(matches!(&of("p").standing, Standing::Judged(findings) if findings.len() == 2));
}
