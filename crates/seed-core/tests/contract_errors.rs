//! Broken contracts: each has one precise message at the right place.
#![expect(
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

#[path = "support/complaints.rs"]
mod complaints;

use complaints::{complaints, complaints_for};
use insta::assert_snapshot;
use proptest::prelude::*;
use seed_core::facts::Facts;
use seed_core::resolve::Request;

/// A contract with these top-level fields.
fn contract(fields: &str) -> String {
    format!("version: 1\nname: shop\n{fields}")
}

fn wrong(fields: &str) -> String {
    complaints(&contract(fields))
}

/// What is wrong with one entry `a`, written as a mapping in one line.
fn wrong_entry(entry: &str) -> String {
    wrong(&format!("secrets:\n  z: {{value: x}}\n  a: {entry}\n"))
}

/// What is wrong with one target, beside an entry `a`, an entry `e` with fields, and an optional `o`.
fn wrong_target(key: &str, target: &str) -> String {
    wrong(&format!(
        "secrets:
  a: {{generate: {{hex: 16}}}}
  e: {{fields: {{USER: {{value: x}}}}}}
  o: {{provide: {{how: ask}}, optional: true}}
targets:
  {key}: {target}
"
    ))
}

/// What is wrong with one entry `a` in a backend.
fn wrong_in(backend: &str, entries: &str) -> String {
    wrong(&format!(
        "backends: {{{backend}}}\nsecrets: {{{entries}}}\n"
    ))
}

#[test]
fn the_top_level_is_strict() {
    assert_snapshot!(complaints(""), @"
    1:1 «» the contract is empty
          help: begin with `version: 1` and `name: …`
    ");
    assert_snapshot!(complaints("- a\n"), @"1:1 «» expected a contract (a mapping), found a list");
    assert_snapshot!(complaints("version: 2\nname: shop\n"), @"
    1:10 «2» this version of seed reads contracts of version 1, not 2
          help: write `version: 1`, or use a version of seed that knows this one
    ");
    assert_snapshot!(complaints("version: \"1\"\nname: shop\n"), @r#"
    1:10 «"1"» expected a whole number, found text
          help: write it without quotes: 1
    "#);
    assert_snapshot!(complaints("version: 1\nname: My_Shop\n"), @"
    2:7 «My_Shop» `My_Shop` is not a DNS label
          help: use at most 63 lower-case letters, digits and `-`, beginning and ending with a letter or a digit
    ");
    assert_snapshot!(wrong("secret: {}\n"), @"
    3:1 «secret» a contract has no field `secret`
          help: did you mean `secrets`?
    ");
    assert_snapshot!(wrong("stores: {name: a}\nquux: 1\n"), @"
    3:1 «stores» a contract has no field `stores`
          help: did you mean `store`?
    4:1 «quux» a contract has no field `quux`
          help: it has `backend`, `backends`, `cluster`, `conditions`, `config`, `emit`, `env`, `files`, `name`, `root`, `secrets`, `store`, `targets` and `version`
    ");
    assert_snapshot!(wrong("x-anchors: {any: [thing]}\n"), @"");
    assert_snapshot!(wrong("env: \"a b\"\n"), @r#"
    3:6 «"a b"» `a b` cannot name an environment
          help: use letters, digits, `-` and `_`, at most 63, beginning with a letter or a digit
    "#);
    assert_snapshot!(wrong("root:\n"), @"
    3:1 «root» `root` is written but empty
          help: give it a value, or remove the line
    ");
}

#[test]
fn yaml_that_readers_would_take_differently_is_refused() {
    assert_snapshot!(wrong("secrets:\n  a: {value: x}\n  a: {value: y}\n"), @"
    5:3 «a» the key `a` is written twice
          4:3 «a» first written here
    ");
    assert_snapshot!(wrong("---\nname: other\n"), @"
    3:1 «---» the file has more than one document
          help: remove everything from the second `---` on
    ");
    assert_snapshot!(wrong("secrets:\n  a: {when: !config.off, value: x}\n"), @"
    4:13 «!config.off» the YAML tag `!config.off` is not allowed
          help: put quotes around text that begins with `!`; in a condition write `!(…)` inside quotes
    ");
    assert_snapshot!(wrong("secrets:\n  a: !!str {value: x}\n"), @"
    4:6 «!!str» the YAML tag `!!str` is not allowed
          help: remove it; put quotes around what must be text
    ");
    assert_snapshot!(wrong("secrets:\n  ? {a: b}\n  : {value: x}\n"), @"
    4:5 «{» a key must be plain text
          help: put quotes around a value that begins with `${`, `{` or `[`
    ");
    assert_snapshot!(wrong("secrets:\n  a: {compose: ${b}}\n"), @r#"
    4:17 «{» the YAML is broken: a `,` or `}` is missing before this
          help: inside `{ }` and `[ ]` put quotes around it: `"${…}"`
    "#);
    assert_snapshot!(wrong("secrets:\n  a:\n    compose: {${b}: x}\n"), @r#"
    5:16 «{» the YAML is broken: a `,` or `}` is missing before this
          help: inside `{ }` and `[ ]` put quotes around it: `"${…}"`
    "#);
    assert_snapshot!(wrong("secrets:\n\ta: {value: x}\n"), @"
    4:2 «a» the YAML is broken: a tab stands where spaces must
          help: YAML is indented with spaces, not tabs
    ");
    assert_snapshot!(wrong("secrets:\n  a: {value: \"x}\n"), @r#"4:14 «"» the YAML is broken: the quote is never closed"#);
    assert_snapshot!(wrong("secrets:\n  a: {value: x\n"), @"4:6 «{» the YAML is broken: the `{` is never closed");
    assert_snapshot!(wrong("secrets:\n  a: *b\n"), @"
    4:6 «*» the YAML is broken: the alias has no anchor before it
          help: put quotes around text that begins with `*`
    ");
    assert_snapshot!(wrong("secrets:\n  a: &b [*b]\n"), @"
    4:10 «*b» the alias refers to itself
          help: take the alias out of what its anchor stands for
    ");
    assert_snapshot!(wrong("secrets:\n  <<: 5\n"), @"4:3 «<<» `<<` merges a mapping or a list of mappings");
}

#[test]
fn broken_yaml_says_what_to_do() {
    assert_snapshot!(wrong("secrets:\n  a: {description: a: b, value: x}\n"), @"
    4:21 «:» the YAML is broken: a `,` or `}` is missing before this
          help: close the bracket, or put quotes around text that has `, `, `: ` or ` #` in it
    ");
    assert_snapshot!(wrong("secrets:\n  a:\n    description: what: for\n"), @"
    5:22 «:» the YAML is broken: a key cannot stand here
          help: put quotes around text that begins with a sign, or that has `: ` or ` #` in it
    ");
    assert_snapshot!(wrong("secrets:\n  a:\n    value: @x\n"), @"
    5:12 «@» the YAML is broken: text cannot begin with this
          help: put quotes around text that begins with a sign, or that has `: ` or ` #` in it
    ");
    assert_snapshot!(wrong("secrets:\n  a:\n    value: %x\n"), @"
    5:12 «%» the YAML is broken: text cannot begin with this
          help: put quotes around text that begins with a sign, or that has `: ` or ` #` in it
    ");
    assert_snapshot!(wrong("secrets:\n  a:\n    value: *\n"), @"
    5:12 «*» the YAML is broken: `&` and `*` need a name
          help: put quotes around text that begins with a sign, or that has `: ` or ` #` in it
    ");
    assert_snapshot!(wrong("secrets:\n  a:\n    value: \"a\\d\"\n"), @r#"
    5:12 «"» the YAML is broken: this escape is unknown inside double quotes
          help: write `\\` for a backslash, or use single quotes
    "#);
    assert_snapshot!(wrong("secrets:\n  a:\n    value: 'a' b\n"), @"5:16 «b» the YAML is broken: something stands behind the closing quote");
    assert_snapshot!(wrong("secrets:\n  a:\n     value: x\n    when: \"true\"\n"), @"
    6:5 «w» the YAML is broken: a key is expected here
          help: lines that belong together begin in the same column
    ");
    assert_snapshot!(wrong("secrets:\n  a\n  b: {value: x}\n"), @"
    5:4 «:» the YAML is broken: a key cannot stand here
          help: the line above has no `:`; write `a:` if it is a key, or put quotes around what spans lines
    ");
    assert_snapshot!(wrong("secrets: }\n"), @"
    3:10 «}» the YAML is broken: a bracket is closed that was not opened
          help: put quotes around text that begins with a sign, or that has `: ` or ` #` in it
    ");
    assert_snapshot!(wrong("secrets: [a}\n"), @"3:10 «[» the YAML is broken: the `[` is closed by another bracket");
    assert_snapshot!(wrong("secrets:\n  - a\n  b: c\n"), @"
    5:3 «b» the YAML is broken: a `- ` is expected here
          help: lines that belong together begin in the same column
    ");
    assert_snapshot!(wrong("  secrets:\n"), @"
    3:10 «:» the YAML is broken: a key cannot stand here
          help: put quotes around text that begins with a sign, or that has `: ` or ` #` in it
    ");
    assert_snapshot!(wrong("secrets: {a: {compose: |\n  x}}\n"), @"
    3:24 «|» the YAML is broken: text cannot begin with this
          help: put quotes around text that begins with a sign, or that has `: ` or ` #` in it
    ");
}

#[test]
fn what_is_written_has_a_value() {
    assert_snapshot!(wrong_entry("{derive: {sha256: {of: }}}"), @"
    5:25 «of» `of` is written but empty
          help: give it a value, or remove the line
    ");
    assert_snapshot!(wrong("secrets:\n  z: {value: x}\n  a:\n    derive:\n      sha256:\n        of: #z\n"), @r##"
    8:9 «of» `of` is written but empty
          help: ` #` begins a comment in YAML; put quotes around it: "#z"
    "##);
    assert_snapshot!(wrong_entry("{value: null}"), @"
    5:7 «value» `value` is written but empty
          help: give it a value, or remove the line
    ");
    assert_snapshot!(wrong_entry("{value: ~}"), @"
    5:7 «value» `value` is written but empty
          help: give it a value, or remove the line
    ");
    assert_snapshot!(wrong("secrets:\n  a:\n"), @"
    4:3 «a» `a` is written but empty
          help: give it a value, or remove the line
    ");
    assert_snapshot!(wrong_target("a/b", "{data: {k: null}}"), @"
    8:16 «k» `k` is written but empty
          help: give it a value, or remove the line
    ");
    assert_snapshot!(wrong_entry("{fields: {}}"), @"5:15 «{» `fields` has no field");
    assert_snapshot!(wrong_entry("{cases: []}"), @"5:14 «[» `cases` has no case");
}

#[test]
fn types_are_what_they_must_be() {
    assert_snapshot!(wrong_entry("[value, x]"), @"5:6 «[» expected a secret (a mapping), found a list");
    assert_snapshot!(wrong_entry("{value: 5}"), @r#"
    5:14 «5» expected text, found the number `5`
          help: put it in quotes: "5"
    "#);
    assert_snapshot!(wrong_entry("{value: true}"), @r#"
    5:14 «true» expected text, found the boolean `true`
          help: put it in quotes: "true"
    "#);
    assert_snapshot!(wrong_entry("{value: {x: y}}"), @"5:14 «{» expected text, found a mapping");
    assert_snapshot!(wrong_target("a/b", "{data: {user: \"${a}\", port: 5432}}"), @r#"
    8:36 «5432» expected text, found the number `5432`
          help: put it in quotes: "5432"
    "#);
    assert_snapshot!(wrong_target("a/b", "{data: [a]}"), @"8:15 «[» expected a mapping, found a list");
    assert_snapshot!(wrong_target("a/b", "{data: {k: \"${a}\"}, immutable: \"yes\"}"), @r#"8:39 «"yes"» expected `true` or `false`, found text"#);
    assert_snapshot!(wrong_entry("{value: x, optional: 1}"), @"5:27 «1» expected `true` or `false`, found the number `1`");
    assert_snapshot!(wrong("backends:\n  vault: {address: 5, mount: secret}\n"), @r#"
    4:20 «5» expected text, found the number `5`
          help: put it in quotes: "5"
    "#);
    assert_snapshot!(wrong("backends:\n  gcpsm: {project: p, pace: {reads: 0}}\n"), @"4:37 «0» 0 is not between 1 and 1000000");
    assert_snapshot!(wrong("config: {defaults: [a]}\n"), @"3:20 «[» facts are a mapping, found a list");
    assert_snapshot!(wrong("config: {files: facts.yaml}\n"), @"
    3:17 «facts.yaml» expected a list, found text
          help: write it in brackets: [facts.yaml]
    ");
}

#[test]
fn names_that_mean_something_else_are_refused() {
    assert_snapshot!(wrong("secrets:\n  env: {value: x}\n  config.a: {value: x}\n  a b: {value: x}\n"), @"
    4:3 «env» `env` is reserved: in `${…}` it would mean something else
    5:3 «config.a» `config.a` is reserved: in `${…}` it would mean something else
    6:3 «a b» `a b` has the character ' ', which is not allowed here
    ");
    assert_snapshot!(wrong_entry("{fields: {\"a#b\": {value: x}}}"), @r#"5:16 «"a#b"» `a#b` has the character '#', which is not allowed here"#);
    assert_snapshot!(wrong("conditions: {config: \"true\", a-b: \"true\"}\n"), @"
    3:14 «config» `config` cannot name a condition
          help: use letters, digits and `_`, but not `config` or `env`
    3:30 «a-b» `a-b` cannot name a condition
          help: use letters, digits and `_`, but not `config` or `env`
    ");
    assert_snapshot!(wrong("backends: {none: {kind: vault}}\n"), @"3:12 «none» `none` stands for no backend and cannot name one");
    assert_snapshot!(wrong("backends: {gsm: {project: x}}\n"), @"
    3:12 «gsm» `gsm` is no kind of backend; known are gcpsm, aws-sm, azure-kv, vault, kubernetes and local
          help: a backend of another name says its `kind`
    ");
    assert_snapshot!(wrong("backends: {main: {kind: gcp}}\n"), @"3:25 «gcp» `gcp` is no kind of backend; known are gcpsm, aws-sm, azure-kv, vault, kubernetes and local");
}

#[test]
fn unknown_fields_name_the_one_that_was_meant() {
    assert_snapshot!(wrong_entry("{value: x, descripton: y}"), @"
    5:17 «descripton» a secret has no field `descripton`
          help: did you mean `description`?
    ");
    assert_snapshot!(wrong_entry("{genrate: {hex: 16}}"), @"
    5:7 «genrate» a secret has no field `genrate`
          help: did you mean `generate`?
    ");
    assert_snapshot!(wrong_entry("{value: x, quux: y}"), @"
    5:17 «quux» a secret has no field `quux`
          help: it has `backend`, `cases`, `check`, `compose`, `derive`, `description`, `encode`, `fields`, `forbidden`, `form`, `generate`, `key`, `labels`, `mint`, `newline`, `optional`, `placeholder`, `prefix`, `provide`, `rotate`, `suffix`, `value`, `value-key` and `when`
    ");
    assert_snapshot!(wrong_entry("{value: x, check: {size: 5}}"), @"
    5:25 «size» `check` has no field `size`
          help: it has `bytes`, `json`, `length`, `matches`, `max`, `min`, `one-of`, `pattern`, `pem`, `prefix` and `url`
    ");
    assert_snapshot!(wrong_target("a/b", "{data: {k: \"${a}\"}, extrakt: [e]}"), @"
    8:28 «extrakt» a target has no field `extrakt`
          help: did you mean `extract`?
    ");
    assert_snapshot!(wrong_entry("{generate: {hexx: 16}}"), @"
    5:18 «hexx» `hexx` is not a generator
          help: did you mean `hex`?
    ");
    assert_snapshot!(wrong_entry("{generate: {rsa: {bits: 4096}}}"), @"
    5:18 «rsa» `rsa` is not a generator of this version
          help: there are `alnum`, `base64`, `base64url`, `bytes`, `chars`, `fernet`, `hex`, `password`, `timestamp` and `uuid`
    ");
    assert_snapshot!(wrong_entry("{generate: hex}"), @"
    5:17 «hex» `hex` needs a size
          help: write `{hex: 32}`
    ");
    assert_snapshot!(wrong_entry("{generate: {hex: 16, base64: 16}}"), @"
    5:27 «base64» expected a generator and nothing else, found `hex` and `base64`
          help: leave one of them
    ");
    assert_snapshot!(wrong_entry("{derive: {argon2id: {of: z}}}"), @"
    5:16 «argon2id» `argon2id` is not a derivation of this version
          help: there are `bcrypt`, `htpasswd` and `sha256`
    ");
    assert_snapshot!(wrong("backends: {vault: {adress: \"https://v\"}}\n"), @"
    3:20 «adress» a backend has no field `adress`
          help: did you mean `address`?
    ");
}

#[test]
fn an_entry_has_one_source() {
    assert_snapshot!(wrong_entry("{description: what for}"), @"
    5:6 «{» nothing says where the value comes from
          help: give it one of `generate`, `derive`, `compose`, `value`, `provide`, `mint`, `forbidden` and `cases`
    ");
    assert_snapshot!(wrong_entry("{generate: {hex: 16}, value: x}"), @"
    5:28 «value» `value` cannot stand beside `generate`
          5:7 «generate» the value comes from here already
    ");
    assert_snapshot!(wrong_entry("{provide: {how: ask}, mint: {by: them}}"), @"
    5:28 «mint» `mint` cannot stand beside `provide`
          5:7 «provide» the value comes from here already
    ");
    assert_snapshot!(wrong_entry("{fields: {u: {value: x}}, generate: {hex: 16}}"), @"
    5:32 «generate» `generate` cannot stand beside `fields`
          help: give it to one of the fields
    ");
    assert_snapshot!(wrong_entry("{fields: {u: {value: x}}, check: {min: 1}}"), @"
    5:32 «check» `check` cannot stand beside `fields`
          help: give it to one of the fields
    ");
    assert_snapshot!(wrong_entry("{fields: {u: {fields: {v: {value: x}}}}}"), @"
    5:20 «fields» `fields` cannot stand inside `fields`
          help: a field is one value
    ");
    assert_snapshot!(wrong_entry("{cases: [{value: x}, {when: \"true\", value: y}]}"), @"
    5:15 «{» a case without `when` always holds, so the ones after it never do
          help: put it last
    ");
    assert_snapshot!(wrong_entry("{cases: [{cases: [{value: x}]}]}"), @"5:16 «cases» `cases` cannot stand inside `cases`");
    assert_snapshot!(wrong_entry("{optional: true, generate: {hex: 16}}"), @"
    5:17 «true» only a value that is provided or minted can be optional
          help: leave out `optional`, or use `when` to say when it is needed
    ");
    assert_snapshot!(wrong_entry("{prefix: sk-, compose: \"${z}\"}"), @"
    5:15 «sk-» `prefix` goes around a generated or provided value only
          help: write the text into `compose` or `value`
    ");
    assert_snapshot!(wrong_entry("{prefix: sk-, cases: [{when: \"true\", generate: {hex: 16}}, {value: x}]}"), @"
    5:15 «sk-» `prefix` goes around a generated or provided value only
          help: write the text into `compose` or `value`
    ");
    assert_snapshot!(wrong_entry("{value: x, rotate: sometimes}"), @"
    5:25 «sometimes» `sometimes` is not known here
          help: write one of `free` and `never`, or {careful: why}, or {with: [keys]}
    ");
    assert_snapshot!(wrong_entry("{value: x, rotate: {careful: why, with: [z]}}"), @"5:25 «{» `rotate` is `free`, `never`, `careful: why` or `with: [keys]`");
}

#[test]
fn references_name_what_there_is() {
    assert_snapshot!(wrong("secrets:\n  db-password: {value: x}\n  url: {compose: \"p:${db-pasword}@h\"}\n"), @"
    5:21 «${db-pasword}» `db-pasword` is not declared under `secrets`
          help: did you mean `db-password`?
    ");
    assert_snapshot!(wrong_entry("{compose: \"${nothing-like-it}\"}"), @"
    5:17 «${nothing-like-it}» `nothing-like-it` is not declared under `secrets`
          help: declare it, or write `config.…` for a fact
    ");
    assert_snapshot!(wrong_entry("{derive: {sha256: {of: \"${z}\"}}}"), @r#"
    5:29 «"${z}"» a value is named here without `${}`
          help: write `z`
    "#);
    assert_snapshot!(wrong_entry("{derive: {sha256: {of: zz}}}"), @"
    5:29 «zz» `zz` is not declared under `secrets`
          help: did you mean `z`?
    ");
    assert_snapshot!(wrong_entry("{derive: {bcrypt: {of: z, cost: \"${config.cost}\", rounds: 5}}}"), @"
    5:56 «rounds» `bcrypt` has no field `rounds`
          help: it has `cost`, `of` and `version`
    ");
    assert_snapshot!(wrong_entry("{value: \"${z}\"}"), @"
    5:15 «${z}» `z` cannot be used here
          help: only `config.…` and `env` can
    ");
    assert_snapshot!(wrong_entry("{generate: {hex: \"${z}\"}}"), @"
    5:24 «${z}» `z` cannot be used here
          help: only `config.…` and `env` can
    ");
}

#[test]
fn references_are_written_in_one_way() {
    assert_snapshot!(wrong_entry("{compose: \"${z\"}"), @"
    5:17 «${» `${` is never closed
          help: close it with `}`, or write `$${` for a literal `${`
    ");
    assert_snapshot!(wrong_entry("{compose: \"${z | upper}\"}"), @"
    5:17 «${z | upper}» `upper` is no filter
          help: known are `base64`, `json`, `name` and `urlencode`
    ");
    assert_snapshot!(wrong_entry("{compose: \"${z | urlencode | base46}\"}"), @"
    5:17 «${z | urlencode | base46}» `base46` is no filter
          help: did you mean `base64`?
    ");
    assert_snapshot!(wrong_entry("{compose: \"${z#field}\"}"), @"
    5:17 «${z#field}» `z` has no fields
          help: write `z`
    ");
    assert_snapshot!(wrong_target("a/b", "{data: {k: \"${e}\"}}"), @"
    8:20 «${e}» `e` has several fields
          help: name one of them, such as `e#USER`
    ");
    assert_snapshot!(wrong_target("a/b", "{data: {k: \"${e#USR}\"}}"), @"
    8:20 «${e#USR}» `e` has no field `USR`
          help: did you mean `e#USER`?
    ");
    assert_snapshot!(wrong_target("a/b", "{data: {k: \"${store.name}-${a}\"}}"), @"8:20 «${store.name}» `store.name`: the contract has no `store`");
    assert_snapshot!(wrong("backend: vualt\nbackends: {vault: {mount: a}}\n"), @"
    3:10 «vualt» `vualt` is not declared under `backends`
          help: did you mean `vault`?
    ");
    assert_snapshot!(wrong_entry("{value: x, rotate: {with: [q]}, check: {matches: p}}"), @"
    5:33 «q» `q` is not declared under `secrets`
          help: declare it, or write `config.…` for a fact
    5:55 «p» `p` is not declared under `secrets`
          help: declare it, or write `config.…` for a fact
    ");
}

#[test]
fn conditions_are_cel_over_facts_and_names() {
    assert_snapshot!(wrong_entry("{when: \"config.a &&\", value: x}"), @"5:24 «&» the condition is no CEL expression: it ends too early");
    assert_snapshot!(wrong_entry("{when: \"config.a = 5\", value: x}"), @"5:23 «=» the condition is no CEL expression: `=` is always written twice");
    assert_snapshot!(wrong_entry("{when: \"'ü' == ü\", value: x}"), @"5:21 «ü» the condition is no CEL expression: `ü` cannot stand here");
    assert_snapshot!(wrong_entry("{when: [a], value: x}"), @"5:13 «[» expected a condition, found a list");
    assert_snapshot!(wrong_entry("{when: identity, value: x}"), @"
    5:13 «identity» `identity` is neither `config`, `env` nor a named condition
          help: define it under `conditions`, or write `config.…` for a fact
    ");
    assert_snapshot!(wrong_entry("{when: \"env == 'dev'\", value: x}"), @r#"
    5:13 «"env == 'dev'"» the condition asks for `env`, and no environment is given
          help: give one with `--env`, SEED_ENV, or top-level `env:`
    "#);
    assert_snapshot!(wrong("conditions: {a: b, b: a}\nsecrets: {s: {when: a, value: x}}\n"), @"3:17 «b» conditions ask each other in a circle: `a` asks `b` asks `a`");
    assert_snapshot!(wrong("conditions: {a: nope}\n"), @"
    3:17 «nope» `nope` is neither `config`, `env` nor a named condition
          help: define it under `conditions`, or write `config.…` for a fact
    ");
}

#[test]
fn conditions_read_facts_that_exist() {
    let facts = "config: {defaults: {features: {llm-d: true, n8n: false}, size: 5}}\n";
    let with = |when: &str| {
        wrong(&format!(
            "{facts}secrets:\n  a:\n    when: {when}\n    value: x\n"
        ))
    };
    assert_snapshot!(with("config.features.llm-d"), @r#"
    6:31 «d» `d` is neither `config`, `env` nor a named condition
          help: CEL reads the hyphen as a minus; write `config.features["llm-d"]`
    "#);
    assert_snapshot!(with("config.features.n8m"), @"6:11 «config.features.n8m» `config.features.n8m` is in no facts file and not among the defaults; did you mean `config.features.n8n`?");
    assert_snapshot!(with("config.features.n8n && config.missing.entirely"), @"6:34 «config.missing.entirely» `config.missing.entirely` is in no facts file and not among the defaults");
    assert_snapshot!(with("has(config.missing.entirely)"), @"");
    assert_snapshot!(with("has(config.missing) && config.missing.entirely"), @"");
    assert_snapshot!(with("config.size"), @"6:11 «config.size» the condition gives a number, not true or false");
    assert_snapshot!(with("config.features > 5"), @"6:11 «config.features > 5» the condition has no answer: `>` does not work on a mapping and a number");
    assert_snapshot!(with("config.size.more"), @"6:11 «config.size.more» `config.size.more` is in no facts file and not among the defaults; did you mean `config.size`?");
}

#[test]
fn facts_and_the_environment_are_missed_where_they_are_used() {
    assert_snapshot!(wrong_entry("{value: \"at ${config.domain}\"}"), @"5:18 «${config.domain}» `config.domain` is in no facts file and not among the defaults");
    assert_snapshot!(wrong_entry("{value: \"at ${env}\"}"), @"
    5:18 «${env}» no environment is given
          help: name one with `--env`, in SEED_ENV, or with top-level `env:`
    ");
    assert_snapshot!(wrong("config: {defaults: {list: [1], half: 0.5, none: null}}\nsecrets:\n  a: {value: \"${config.list}\"}\n  b: {value: \"${config.half}\"}\n  c: {value: \"${config.none}\"}\n"), @"
    5:15 «${config.list}» `config.list` is a list; text, a whole number or a boolean is wanted
    6:15 «${config.half}» `config.half` is a number with a fraction; text, a whole number or a boolean is wanted
    7:15 «${config.none}» `config.none` is null; text, a whole number or a boolean is wanted
    ");
    assert_snapshot!(wrong("config: {defaults: {size: many, n: 9}}\nsecrets:\n  a: {generate: {hex: \"${config.size}\"}}\n  b: {generate: {hex: \"${config.n}\"}}\n  c: {value: \"${config.n}\"}\n"), @r#"5:23 «"${config.size}"» expected a whole number, found text"#);
    assert_snapshot!(wrong("backend: ${config.backend}\nbackends: {vault: {mount: a}}\n"), @"3:10 «${config.backend}» `config.backend` is in no facts file and not among the defaults");
}

#[test]
fn targets_are_what_kubernetes_takes() {
    let data = "{data: {k: \"${a}\"}}";
    assert_snapshot!(wrong_target("no-namespace", data), @r#"
    8:3 «no-namespace» `no-namespace` has no namespace
          help: write `namespace/name`, or `"{ns-a,ns-b}/name"`
    "#);
    assert_snapshot!(wrong_target("a/b/c", data), @r#"
    8:3 «a/b/c» `b/c` cannot be the name of a Secret
          help: write `namespace/name`, or `"{ns-a,ns-b}/name"`
    "#);
    assert_snapshot!(wrong_target("NS/b", data), @r#"
    8:3 «NS/b» `NS` cannot be a namespace
          help: write `namespace/name`, or `"{ns-a,ns-b}/name"`
    "#);
    assert_snapshot!(wrong_target("\"{a,b/c\"", data), @r#"
    8:3 «"{a,b/c"» `{a,b` cannot be a namespace
          help: write `namespace/name`, or `"{ns-a,ns-b}/name"`
    "#);
    assert_snapshot!(wrong_target("\"{a,}/c\"", data), @r#"
    8:3 «"{a,}/c"» a namespace of `{a,}/c` is empty
          help: write `namespace/name`, or `"{ns-a,ns-b}/name"`
    "#);
    assert_snapshot!(wrong_target("\"{a,a}/c\"", data), @r#"
    8:3 «"{a,a}/c"» `{a,a}/c` names `a` twice
          help: write `namespace/name`, or `"{ns-a,ns-b}/name"`
    "#);
    assert_snapshot!(wrong_target("ns/b", "{data: {\"a b\": \"${a}\"}}"), @r#"8:17 «"a b"» `a b` cannot be a key of a Secret: letters, digits, `-`, `_` and `.`, at most 253"#);
    assert_snapshot!(wrong_target("ns/b", "{data: {..a: \"${a}\"}}"), @"8:17 «..a» Kubernetes refuses `..a` as a key of a Secret");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, restart: [web]}"), @"
    8:39 «web» `web` is no workload
          help: write `deployment/name`, `statefulset/name` or `daemonset/name`
    ");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, manifest: {name: A_B}}"), @"8:46 «A_B» `A_B` cannot be the name of an ExternalSecret");
    let two = format!("{data}\n  \"{{ns,other}}/b\": {data}");
    assert_snapshot!(wrong_target("ns/b", &two), @r#"
    9:3 «"{ns,other}/b"» the Secret `ns/b` has two targets
          8:3 «ns/b» the first is here
    "#);
    let two = format!("{data}\n  ns/c: {{data: {{k: \"${{a}}\"}}, manifest: {{name: b}}}}");
    assert_snapshot!(wrong_target("ns/b", &two), @"
    9:3 «ns/c» the ExternalSecret `ns/b` has two targets: `ns/b` and `ns/c`
          8:3 «ns/b» the first is here
    ");
}

#[test]
fn targets_are_what_the_operator_takes() {
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a | urlencode}\"}}"), @"
    8:21 «${a | urlencode}» `urlencode` cannot be used in a target
          help: External Secrets Operator has no percent-encoding; make a secret with `compose` and refer to that
    ");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: literal}}"), @"
    8:3 «ns/b» no key of this Secret comes from a secret, so there is nothing to read from a store
          help: refer to a secret, or say who makes it with `made-by`
    ");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a | name}\"}}"), @"
    8:3 «ns/b» no key of this Secret comes from a secret, so there is nothing to read from a store
          help: refer to a secret, or say who makes it with `made-by`
    ");
    assert_snapshot!(wrong_target("ns/b", "{type: Opaque}"), @"
    8:3 «ns/b» no key of this Secret comes from a secret, so there is nothing to read from a store
          help: refer to a secret, or say who makes it with `made-by`
    ");
    assert_snapshot!(wrong_target("ns/b", "{extract: [a]}"), @"
    8:20 «a» `a` has no fields to spread
          help: write `${a}`
    ");
    assert_snapshot!(wrong_target("ns/b", "{extract: [f]}"), @"
    8:20 «f» `f` is not declared under `secrets`
          help: declare it, or write `config.…` for a fact
    ");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, creation: Merge, deletion: Delete}"), @"8:46 «deletion» `deletion: Delete` cannot stand beside `creation: Merge`");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, creation: None, deletion: Merge}"), @"8:45 «deletion» `deletion: Merge` cannot stand beside `creation: None`");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, creation: owner}"), @"
    8:39 «owner» `owner` is not known here
          help: write one of `Owner`, `Orphan`, `Merge`, `None` and `CreateOrMerge`
    ");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, interval: 1d}"), @"
    8:39 «1d» `1d` is no duration
          help: write it like `1h`, `15m` or `30s`
    ");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, interval: 90}"), @r#"
    8:39 «90» expected text, found the number `90`
          help: put it in quotes: "90"
    "#);
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, type: Opaque, template: {type: Opaque}}"), @"
    8:29 «type» `type` cannot stand beside `template`
          help: write it into the template block
    ");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, template: x}"), @"8:39 «x» expected a mapping, found text");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, patch: {spec: {refreshInterval: \"${a}\"}}}"), @"
    8:62 «${a}» `a` cannot be used here
          help: only `config.…` and `env` can
    ");
    assert_snapshot!(wrong_target("ns/b", "{data: {\"c.yaml\": \"p: ${o}\"}}"), @"
    8:31 «${o}» warning: this value may have any characters, and `c.yaml` is a document that they can break
          help: write `| json`, which quotes it, without quotes around it
    ");
    assert_snapshot!(wrong_target("ns/b", "{data: {k: \"${a}\"}, deliver: direct, refresh: OnChange, interval: 15m}"), @"
    8:46 «refresh» warning: `refresh` does nothing beside `deliver: direct`: it is for External Secrets Operator, which does not make this Secret
          help: leave `refresh` out
    8:65 «interval» warning: `interval` does nothing beside `deliver: direct`: it is for External Secrets Operator, which does not make this Secret
          help: leave `interval` out
    ");
}

#[test]
fn forbidden_names_appear_nowhere() {
    assert_snapshot!(wrong("secrets:
  RAILS_MASTER_KEY: {forbidden: decrypts everything}
  a: {fields: {RAILS_MASTER_KEY: {value: x}}}
targets:
  ns/b: {data: {RAILS_MASTER_KEY: \"${a#RAILS_MASTER_KEY}\"}}
files:
  f: {dotenv: {RAILS_MASTER_KEY: x}}
"), @"
    5:16 «RAILS_MASTER_KEY» `RAILS_MASTER_KEY` must not exist: decrypts everything
          4:33 «decrypts everything» forbidden here
    7:17 «RAILS_MASTER_KEY» `RAILS_MASTER_KEY` must not exist: decrypts everything
          4:33 «decrypts everything» forbidden here
    9:16 «RAILS_MASTER_KEY» `RAILS_MASTER_KEY` must not exist: decrypts everything
          4:33 «decrypts everything» forbidden here
    ");
    assert_snapshot!(wrong("secrets:
  K: {forbidden: decrypts everything}
  a: {value: x}
targets:
  ns/b: {data: {a: \"${a}\"}, template: {data: {K: \"{{ .a }}\"}}}
files:
  f: {json: {list: [{K: \"${a}\"}]}}
"), @"
    7:47 «K» `K` must not exist: decrypts everything
          4:18 «decrypts everything» forbidden here
    9:22 «K» `K` must not exist: decrypts everything
          4:18 «decrypts everything» forbidden here
    ");
}

#[test]
fn stored_names_fit_the_backend() {
    assert_snapshot!(wrong_in("gcpsm: {project: p}", "tls.crt: {value: x}"), @"
    4:11 «tls.crt» the stored name `tls.crt` has '.', which gcpsm does not take
          help: rename the secret, or give its stored name with `key:`
    ");
    assert_snapshot!(wrong_in("azure-kv: {vault: v}", "a: {value: x, key: a_b}"), @"
    4:11 «a» the stored name `a_b` has '_', which azure-kv does not take
          help: rename the secret, or give its stored name with `key:`
    ");
    assert_snapshot!(wrong_in("kubernetes: {namespace: n}", "a: {value: x, key: A}"), @"
    4:11 «a» the stored name `A` has 'A', which kubernetes does not take
          help: rename the secret, or give its stored name with `key:`
    ");
    assert_snapshot!(wrong_in("vault: {mount: secret}", "data/a: {value: x}"), @"
    4:11 «data/a» the stored name `data/a` does not work on vault: External Secrets Operator cuts off a first segment `data`
          help: rename the secret, or give its stored name with `key:`
    ");
    assert_snapshot!(wrong_in("vault: {mount: secret}", "secret/a: {value: x}"), @"
    4:11 «secret/a» the stored name `secret/a` begins with the mount's own name
          help: External Secrets Operator would cut it off; give another `prefix`
    ");
    assert_snapshot!(wrong_in("vault: {mount: secret}", "a: {value: x, key: /a}"), @"
    4:11 «a» the stored name `/a` does not work on vault: a leading `/` makes an empty path segment
          help: rename the secret, or give its stored name with `key:`
    ");
    assert_snapshot!(wrong_in("azure-kv: {vault: v}", "a/b: {value: x}, a-b: {value: y}"), @"
    4:28 «a-b» `a/b` and `a-b` are both stored as `a-b` in azure-kv
          4:11 «a/b» the first is here
          help: rename one, or give it another stored name with `key:`
    ");
    assert_snapshot!(wrong_in("azure-kv: {vault: v}", "ab: {value: x}, AB: {value: y}"), @"
    4:27 «AB» `ab` and `AB` are both stored as `AB` in azure-kv, where upper and lower case are the same
          4:11 «ab» the first is here
          help: rename one, or give it another stored name with `key:`
    ");
    assert_snapshot!(wrong_in("gcpsm: {project: p}", "ab: {value: x}, AB: {value: y}"), @"");
    assert_snapshot!(wrong_in("azure-kv: {vault: v}", "a: {fields: {a.b: {value: x}}}"), @"4:24 «a.b» the field `a.b` does not work on azure-kv: External Secrets Operator looks for a nested path first on Azure Key Vault, so a dot is ambiguous");
    assert_snapshot!(wrong_in("gcpsm: {project: p}", "a: {fields: {.b: {value: x}}}"), @"4:24 «.b» the field `.b` does not work on gcpsm: External Secrets Operator cannot read a property that begins with a dot from Google Secret Manager");
    assert_snapshot!(wrong_in("gcpsm: {project: p}, vault: {mount: m}", "a: {value: x}"), @"
    3:12 «gcpsm» the contract has several `backends`, and does not say which is in use
          help: add a line `backend: gcpsm`
    ");
    let long = "a".repeat(130);
    assert_snapshot!(wrong_in("azure-kv: {vault: v}", &format!("{long}: {{value: x}}")), @"
    4:11 «aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa» the stored name `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` has 130 characters; azure-kv takes at most 127
          help: rename the secret, or give its stored name with `key:`
    ");
}

#[test]
fn values_are_made_in_an_order() {
    assert_snapshot!(wrong("secrets:\n  a: {compose: \"${b}\"}\n  b: {derive: {sha256: {of: c}}}\n  c: {compose: \"x${a}\"}\n"), @"4:3 «a» values are made from each other in a circle: `a` from `b` from `c` from `a`");
    assert_snapshot!(wrong("secrets:\n  a: {compose: \"${a}\"}\n"), @"4:3 «a» values are made from each other in a circle: `a` from `a`");
    assert_snapshot!(wrong("secrets:\n  a: {compose: \"p:${b}\"}\n  b: {when: \"false\", value: x}\n"), @"
    4:19 «${b}» `b` is not active here: its condition is `false`
          help: give both the same `when`, or write `${a ?? b}` with something to take instead
    ");
    assert_snapshot!(wrong("secrets:\n  a: {derive: {sha256: {of: b}}}\n  b: {when: \"false\", value: x}\n"), @"
    4:29 «b» `b` is not active here: its condition is `false`
          help: give both the same `when`, or write `${a ?? b}` with something to take instead
    ");
    assert_snapshot!(wrong("secrets:\n  a: {compose: \"${b ?? c}\"}\n  b: {when: \"false\", value: x}\n  c: {value: y}\n"), @"");
    assert_snapshot!(wrong("secrets:\n  a: {fields: {X: {compose: \"${Y}\"}, Y: {compose: \"${X}\"}}}\n"), @"4:3 «a» values are made from each other in a circle: `a#X` from `a#Y` from `a#X`");
}

#[test]
fn paths_stay_below_the_root() {
    assert_snapshot!(wrong("files:\n  ../f: {text: x}\n  /f: {text: x}\n  ~/f: {text: x}\n  a//b: {text: x}\n"), @"
    4:3 «../f» `../f` must stay below `root`: no `.`, `..` or empty part
    5:3 «/f» `/f` must be relative to `root`
    6:3 «~/f» `~/f` must be relative to `root`
    7:3 «a//b» `a//b` must stay below `root`: no `.`, `..` or empty part
    ");
    assert_snapshot!(wrong("config: {files: [\"../${env}.yaml\"]}\nsecrets: {a: {provide: {file: /etc/passwd}}}\n"), @"4:31 «/etc/passwd» `/etc/passwd` must be relative to `root`");
    assert_snapshot!(wrong("config: {defaults: {up: ..}}\nfiles:\n  \"${config.up}/f\": {text: x}\nbackends: {local: {file: \"${config.up}/s.age\"}}\n"), @r#"6:26 «"${config.up}/s.age"» `../s.age` must stay below `root`: no `.`, `..` or empty part"#);
    assert_snapshot!(wrong("files:\n  f: {text: x, yaml: {a: b}}\n  g: {when: \"true\"}\n"), @"
    4:6 «{» a file needs exactly one of `text`, `yaml`, `json` and `dotenv`
    5:6 «{» a file needs exactly one of `text`, `yaml`, `json` and `dotenv`
    ");
    assert_snapshot!(wrong("files:\n  f: {yaml: {\"a-${config.b}\": x}}\n"), @r#"
    4:14 «"a-${config.b}"» a key is written as it is, so it cannot refer to anything
          help: write the name itself; `"${...entry}": true` stands for the fields of an entry
    "#);
    assert_snapshot!(wrong("files:\n  f: {dotenv: {\"A-B\": x, C: [x]}}\n"), @r#"
    4:16 «"A-B"» `A-B` cannot name a variable
    4:29 «[» expected text, since a dotenv file has no structure, found a list
    "#);
    assert_snapshot!(wrong("secrets: {a: {value: x}}\nfiles:\n  f: {yaml: {\"${...a}\": true, \"${...b}\": true, \"${...}\": true}}\n"), @r#"5:48 «"${...}"» write `"${...entry}": true` to spread an entry's fields"#);
    assert_snapshot!(wrong("secrets: {e: {fields: {u: {value: x}}}}\nfiles:\n  f: {yaml: {\"${...e}\": false, k: \"${e#v}\"}}\n"), @"5:25 «false» a spread is `true`, or left out");
}

#[test]
fn checks_that_no_value_passes_are_refused() {
    assert_snapshot!(wrong_entry("{generate: {hex: 16}, check: {length: 16}}"), @"5:7 «generate» `hex 16` can never pass its `check`: it makes 32 characters; 16 are wanted");
    assert_snapshot!(wrong_entry("{generate: {hex: 16}, prefix: sk-, check: {prefix: sk-}}"), @"5:7 «generate» `hex 16` can never pass its `check`: no value of it begins with `sk-`; a check sees the value before `prefix` and `suffix` are put around it");
    assert_snapshot!(wrong_entry("{generate: {hex: 16}, check: {length: 5, min: 1}}"), @"5:35 «{» `length` leaves nothing for `min` to say");
    assert_snapshot!(wrong_entry("{generate: {hex: 16}, check: {pattern: \"(\"}}"), @r#"
    5:45 «"("» `(` is not a regular expression
          help: unclosed group
    "#);
    assert_snapshot!(wrong_entry("{generate: {hex: 0}}"), @"5:23 «0» 0 is not between 1 and 4096");
    assert_snapshot!(wrong_entry("{generate: {chars: {length: 8, from: aa}}}"), @"5:43 «aa» `from` has 'a' twice");
    assert_snapshot!(wrong_entry("{cases: [{when: \"true\", generate: {hex: 16}}], check: {max: 8}}"), @"5:30 «generate» `hex 16` can never pass its `check`: it makes 32 characters; at most 8 are wanted");
    assert_snapshot!(wrong("config: {defaults: {n: 8}}\nsecrets:\n  a: {generate: {hex: 16}, check: {length: \"${config.n}\"}}\n"), @"5:7 «generate» `hex 16` can never pass its `check`: it makes 32 characters; 8 are wanted");
    assert_snapshot!(wrong_entry("{derive: {bcrypt: {of: z, cost: 31}}}"), @"
    5:38 «31» a hash of cost 31 takes minutes to make and to check
          help: at most 20 is accepted; 10 is usual
    ");
    assert_snapshot!(wrong_entry("{derive: {htpasswd: {user: \"a:b\", of: z}}}"), @r#"5:33 «"a:b"» a user name in a password file is not empty and has no colon or line break"#);
}

/// What is thrown at the parser by accident or on purpose ends in one message.
#[test]
fn hostile_texts_are_refused() {
    let mut bomb = String::from("x-a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let last = level - 1;
        bomb.push_str(&format!(
            "x-a{level}: &a{level} [{}]\n",
            vec![format!("*a{last}"); 10].join(", ")
        ));
    }
    assert_snapshot!(wrong(&bomb), @"
    8:47 «*a4» the file expands to more than 1000000 nodes
          help: use fewer aliases
    ");
    assert_snapshot!(wrong(&format!("x-deep: {}{}\n", "[".repeat(5000), "]".repeat(5000))), @"
    3:264 «[» the YAML is broken: it is nested too deep
          help: at most 64 levels are read
    ");
    assert_snapshot!(wrong(&format!("x-deep: {}\n", "{a: ".repeat(5000))), @"3:262 «a» nested more than 64 levels deep");
    let block: String = (0..3000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert_snapshot!(wrong(&format!("x-deep:\n{block}")), @"68:65 «a» nested more than 64 levels deep");
    assert_snapshot!(wrong(&format!("x-big: {}\n", "a".repeat(20 << 20))), @"the file has 20971550 bytes; at most 8388608 are read");
    assert_snapshot!(wrong("secrets: {a: {value: \"x\0y\"}}\n"), @"3:24 «\0» the file has a NUL byte\n      help: YAML is UTF-8 text without such bytes");
    assert_snapshot!(wrong("secrets: {a: {value: \"x\\0y\"}}\n"), @"");
    let when = format!("{}true{}", "(".repeat(2000), ")".repeat(2000));
    assert_snapshot!(wrong_entry(&format!("{{value: x, when: \"{when}\"}}")), @"5:32 «(» the condition is no CEL expression: brackets nest more than 8 deep");
    let junk: String = (0..100_000_u32)
        .map(|at| char::from((at.wrapping_mul(2_654_435_761) >> 24) as u8))
        .collect();
    assert!(!complaints(&junk).is_empty());
}

#[test]
fn facts_of_an_environment_are_judged_where_the_contract_uses_them() {
    let source = contract(
        "config: {files: [\"facts/${env}.yaml\"], defaults: {domain: x}}
backends: {vault: {mount: secret}}
targets:
  \"${config.ns}/b\": {data: {k: \"${a}\"}}
secrets: {a: {value: x}}
",
    );
    let request = |facts: &str| Request {
        env: Some("dev".to_owned()),
        facts: Facts::parse(facts).unwrap(),
        ..Request::default()
    };
    assert_snapshot!(complaints_for(&source, &request("ns: A")), @r#"
    4:12 «vault» warning: every environment shares the place of `vault`: nothing in it changes with `${env}` or a fact
          help: put `${env}` into its address, project, prefix or file
    6:3 «"${config.ns}/b"» `A` cannot be a namespace
    "#);
    assert_snapshot!(complaints_for(&source, &request("ns: a")), @"
    4:12 «vault» warning: every environment shares the place of `vault`: nothing in it changes with `${env}` or a fact
          help: put `${env}` into its address, project, prefix or file
    ");
    let elsewhere = Request {
        backend: Some("vualt".to_owned()),
        ..request("ns: a")
    };
    assert_snapshot!(complaints_for(&source, &elsewhere), @"
    `vualt` is not declared under `backends`
          help: did you mean `vault`?
    ");
    let unreadable = Request {
        manifests_for: Some("local".to_owned()),
        ..request("ns: a")
    };
    assert_snapshot!(complaints_for(&source, &unreadable), @"
    `local` is no store: External Secrets Operator cannot read it
          help: name another backend with `--for`
    4:12 «vault» warning: every environment shares the place of `vault`: nothing in it changes with `${env}` or a fact
          help: put `${env}` into its address, project, prefix or file
    ");
}

const PLATFORM: &str = include_str!("../../../contracts/llm-platform.yaml");

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Showing a complaint reads the text at its place, so each place exists.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}|[ -~\\n]{0,80}|[-{}\\[\\]:,#&*!|>'\"%@$\\\\ a\\n\\t]{0,60}") {
        complaints(&text);
        complaints(&contract(&text));
        complaints(&contract(&format!("secrets:\n  a: {{compose: \"{text}\", when: '{text}'}}\n")));
    }

    #[test]
    fn a_contract_with_a_hole_is_read_or_refused(
        from in 0..PLATFORM.len(),
        length in 0..200_usize,
        put in "[-{}\\[\\]:,#&*!|>'\"%@$\\\\ a\\n\\tü]{0,4}",
    ) {
        let (before, after) = PLATFORM.split_at(from);
        let after = after.get(length..).unwrap_or_default();
        let facts = Facts::parse("secret_backend: vault\ndomain: x\ncluster: {projectID: p}").unwrap();
        let request = Request { env: Some("dev".to_owned()), facts, ..Request::default() };
        complaints_for(&format!("{before}{put}{after}"), &request);
    }
}

#[test]
fn what_the_operator_or_kubernetes_would_refuse_is_an_error() {
    let with =
        |fields: &str| wrong_target("a/b", &format!("{{data: {{k: \"${{a}}\"}}, {fields}}}"));
    assert_snapshot!(with("type: bootstrap.kubernetes.io/token"), @"8:34 «bootstrap.kubernetes.io/token» External Secrets Operator refuses the type bootstrap.kubernetes.io/token");
    assert_snapshot!(with("template: {type: bootstrap.kubernetes.io/token}"), @"8:38 «{» External Secrets Operator refuses the type bootstrap.kubernetes.io/token");
    assert_snapshot!(with("type: kubernetes.io/service-account-token, annotations: {kubernetes.io/service-account.name: x}"), @"8:34 «kubernetes.io/service-account-» External Secrets Operator refuses service account tokens");
    assert_snapshot!(with("type: kubernetes.io/tls, deliver: direct"), @"8:34 «kubernetes.io/tls» Kubernetes refuses the type kubernetes.io/tls without the key `tls.crt`");
    assert_snapshot!(with("type: kubernetes.io/basic-auth, deliver: direct"), @"8:34 «kubernetes.io/basic-auth» Kubernetes refuses the type kubernetes.io/basic-auth without the key `username`");
    assert_snapshot!(with("labels: {\"a b\": c}"), @r#"8:37 «"a b"» `a b` cannot be the key of a label or an annotation"#);
    assert_snapshot!(with("labels: {a: \"b c\"}"), @r#"8:40 «"b c"» the label `a: b c` is not allowed: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"#);
    assert_snapshot!(with("annotations: {\"-a\": c}"), @r#"8:42 «"-a"» `-a` cannot be the key of a label or an annotation"#);
    assert_snapshot!(with("manifest: {labels: {a: \"b c\"}}"), @r#"8:51 «"b c"» the label `a: b c` is not allowed: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"#);
}

#[test]
fn labels_are_judged_once_their_facts_are_known() {
    let with = |facts: &str, rest: &str| {
        wrong(&format!(
            "config: {{defaults: {{{facts}}}}}\n{rest}secrets: {{a: {{value: x}}}}\ntargets:\n  n/a: {{data: {{k: \"${{a}}\"}}}}\n  n/b: {{data: {{k: \"${{a}}\"}}, labels: {{l: \"${{config.label}}\"}}}}\n"
        ))
    };
    assert_snapshot!(with("label: fine", ""), @"");
    assert_snapshot!(with("label: not fine", ""), @r#"7:40 «"${config.label}"» the label `l: not fine` is not allowed: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"#);
    // A default stands once in the contract, however many targets it is for.
    assert_snapshot!(with("label: fine, all: not fine", "emit: {labels: {l: \"${config.all}\"}}\n"), @r#"4:20 «"${config.all}"» the label `l: not fine` is not allowed: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"#);
}

#[test]
fn root_may_lie_above_the_contract_but_nowhere_that_depends_on_the_machine() {
    let sound = [".", "..", "../..", "../platform", "a/b"];
    assert!(
        sound
            .iter()
            .all(|root| wrong(&format!("root: {root}\n")).is_empty())
    );
    let wrong = ["/", "/etc", "~/a", "a/../..", "..\\a", "\"\""];
    let found: String = wrong
        .iter()
        .map(|root| self::wrong(&format!("root: {root}\n")))
        .collect();
    assert_snapshot!(found, @r#"
    3:7 «/» `root` is relative to the contract's directory, and `/` is not
          help: write it like `.`, `..` or `../platform`
    3:7 «/etc» `root` is relative to the contract's directory, and `/etc` is not
          help: write it like `.`, `..` or `../platform`
    3:7 «~/a» `root` is relative to the contract's directory, and `~/a` is not
          help: write it like `.`, `..` or `../platform`
    3:7 «a/../..» `a/../..` goes down and up again
          help: write it like `.`, `..` or `../platform`
    3:7 «..\a» `root` is relative to the contract's directory, and `..\a` is not
          help: write it like `.`, `..` or `../platform`
    3:7 «""» `root` is empty
          help: write it like `.`, `..` or `../platform`
    "#);
    assert_snapshot!(self::wrong("config: {defaults: {root: /etc}}\nroot: ${config.root}\n"), @"
    4:7 «${config.root}» `root` is relative to the contract's directory, and `/etc` is not
          help: write it like `.`, `..` or `../platform`
    ");
}

#[test]
fn a_source_that_bcrypt_would_cut_off_is_an_error() {
    let of = |source: &str| {
        wrong(&format!(
            "secrets:\n  a: {source}\n  b: {{derive: {{bcrypt: {{of: a}}}}}}\n"
        ))
    };
    assert_snapshot!(of("{generate: {hex: 36}}"), @"");
    assert_snapshot!(of("{generate: {hex: 36}, prefix: x}"), @"
    5:29 «a» `a` has 73 bytes at least; bcrypt reads no more than 72
          help: make the source shorter: 32 characters are plenty
    ");
    assert_snapshot!(of("{generate: {hex: 37}, provide: {how: ask}}"), @"");
}

#[test]
fn aliases_repeat_no_more_than_can_be_read() {
    let text = "lol".repeat(350_000);
    let found = wrong(&format!(
        "x-text: &t {text}\nx-bomb: [{}]\n",
        ["*t"; 10].join(", ")
    ));
    assert_snapshot!(found, @"
    4:38 «*t» aliases repeat more than 8388608 bytes of text
          help: use fewer aliases
    ");
    let (open, close) = ("[".repeat(40), "]".repeat(40));
    let found = wrong(&format!("x-a: &a {open}{close}\nx-b: {open}*a{close}\n"));
    assert_snapshot!(found, @"
    4:46 «*a» nested more than 64 levels deep
          help: use fewer aliases
    ");
}

#[test]
fn a_long_chain_of_conditions_takes_no_more_of_the_stack_than_a_short_one() {
    let chain: String = (0..3000)
        .map(|at| format!("  c{at}: c{}\n", at + 1))
        .collect();
    let source =
        format!("conditions:\n{chain}  c3000: \"true\"\nsecrets: {{s: {{when: c0, value: x}}}}\n");
    let small = std::thread::Builder::new().stack_size(2 << 20);
    let found = small.spawn(move || wrong(&source)).unwrap().join().unwrap();
    assert_snapshot!(found, @"");
}
