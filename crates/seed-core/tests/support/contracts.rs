//! Random contracts that are sound: they can be read, and resolved with their own defaults as facts.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// A value that others can refer to.
#[derive(Clone, Debug)]
struct Known {
    /// As it is written in `${…}`.
    word: String,
    /// Active whatever the facts are.
    sure: bool,
    /// Text, so that it can stand inside other text.
    text: bool,
    /// In no backend.
    nowhere: bool,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Level {
    Case,
    Entry,
    Field,
}

#[derive(Default)]
struct Maker {
    dice: Dice,
    known: Vec<Known>,
    /// Entries with fields.
    groups: Vec<String>,
}

const TEXTS: [&str; 10] = [
    "plain",
    "with spaces, commas: and a colon",
    "\"quoted\" and 'single'",
    "two\nlines\n",
    "trailing space ",
    "# no comment",
    "${config.text}",
    "at ${env} in ${config.domain}",
    "$${not} a reference, {{ .x }} no template",
    "true",
];

const CONDITIONS: [&str; 5] = [
    "config.features.on",
    "!config.features.off",
    "env == \"dev\"",
    "has(config.nothing) || config.tier == \"gold\"",
    "named",
];

const NAMES: [&str; 12] = [
    "alpha",
    "beta/one",
    "gamma-two",
    "delta_3",
    "Epsilon",
    "zeta",
    "eta/a/b",
    "theta",
    "iota",
    "9kappa",
    "lambda",
    "mu",
];

/// A random contract as JSON.
pub(crate) fn contract(dice: Dice) -> Value {
    let mut maker = Maker {
        dice,
        ..Maker::default()
    };
    maker.contract()
}

impl Maker {
    fn text(&mut self) -> Value {
        self.dice.word(&TEXTS).into()
    }

    /// Puts a member in, now and then.
    fn maybe(
        &mut self,
        members: &mut Map<String, Value>,
        key: &str,
        value: fn(&mut Self) -> Value,
    ) {
        if self.dice.rarely(4) {
            let value = value(self);
            members.insert(key.to_owned(), value);
        }
    }

    fn contract(&mut self) -> Value {
        let mut contract = Map::new();
        contract.insert("version".into(), 1.into());
        contract.insert("name".into(), self.dice.word(&["shop", "a-1"]).into());
        self.maybe(&mut contract, "root", |_| "..".into());
        self.maybe(&mut contract, "env", |_| "dev".into());
        let files = if self.dice.rarely(2) {
            json!(["facts/${env}.yaml"])
        } else {
            json!([])
        };
        contract.insert(
            "config".into(),
            json!({"files": files, "defaults": facts()}),
        );
        contract.insert("conditions".into(), self.conditions());
        self.backends(&mut contract);
        contract.insert("store".into(), self.store());
        self.maybe(
            &mut contract,
            "cluster",
            |it| json!({"context": it.text(), "server": "https://k.example.com"}),
        );
        self.maybe(&mut contract, "emit", Self::emit);
        self.maybe(
            &mut contract,
            "x-anchors",
            |it| json!({"any": [it.text(), null, 1.5]}),
        );
        let secrets = self.secrets();
        contract.insert("secrets".into(), secrets);
        let targets = self.targets();
        contract.insert("targets".into(), targets);
        let files = self.files();
        contract.insert("files".into(), files);
        Value::Object(contract)
    }

    fn conditions(&mut self) -> Value {
        let named = self.dice.word(&[
            "config.features.on",
            "true",
            "config.size > 3 && env != \"prod\"",
        ]);
        json!({"named": named, "other_2": "named && !config.features.off"})
    }

    fn condition(&mut self) -> Value {
        match self.dice.roll(CONDITIONS.len() + 1) {
            0 => true.into(),
            at => CONDITIONS[at - 1].into(),
        }
    }

    fn store(&mut self) -> Value {
        match self.dice.roll(3) {
            0 => json!({"name": "main-store"}),
            1 => json!({"kind": "SecretStore", "name": "store-${env}"}),
            _ => json!({"kind": "ClusterSecretStore", "name": "main-store"}),
        }
    }

    fn labels(&mut self) -> Value {
        match self.dice.roll(3) {
            0 => json!({"team": "core"}),
            1 => json!({"example.com/part-of": "${config.domain}", "empty": ""}),
            _ => json!({"team": "core", "on": "1"}),
        }
    }

    fn emit(&mut self) -> Value {
        let mut emit = Map::new();
        self.maybe(&mut emit, "labels", Self::labels);
        self.maybe(&mut emit, "annotations", Self::labels);
        self.maybe(&mut emit, "interval", Self::interval);
        self.maybe(&mut emit, "refresh", |it| {
            it.dice
                .word(&["Periodic", "OnChange", "CreatedOnce"])
                .into()
        });
        self.maybe(&mut emit, "deletion", |it| {
            it.dice.word(&["Retain", "Delete", "Merge"]).into()
        });
        emit.into()
    }

    fn interval(&mut self) -> Value {
        self.dice
            .pick(&[
                json!("1h"),
                json!("90m"),
                json!("0"),
                json!(0),
                json!("1.5h30s"),
            ])
            .clone()
    }

    fn backends(&mut self, contract: &mut Map<String, Value>) {
        let mut backends = Map::new();
        let kinds = ["gcpsm", "aws-sm", "azure-kv", "vault", "kubernetes"];
        let first = self.dice.roll(kinds.len());
        let count = 1 + self.dice.roll(3);
        for kind in kinds.iter().cycle().skip(first).take(count) {
            let backend = self.backend(kind);
            backends.insert((*kind).to_owned(), backend);
        }
        if self.dice.rarely(3) {
            let mut second = self.backend("vault");
            second["kind"] = "vault".into();
            second["store"] = json!({"name": "second-store", "auth": {"tokenSecretRef": {"name": "${config.text}", "key": "t"}}});
            backends.insert("second".into(), second);
        }
        let chosen = if self.dice.rarely(3) {
            "${config.backend}"
        } else {
            kinds[first]
        };
        // The fact of that name is the first backend's.
        let defaults = contract["config"]["defaults"].as_object_mut();
        defaults
            .unwrap()
            .insert("backend".into(), kinds[first].into());
        contract.insert("backend".into(), chosen.into());
        contract.insert("backends".into(), backends.into());
    }

    fn backend(&mut self, kind: &str) -> Value {
        let mut backend = match kind {
            "gcpsm" => json!({"project": "project-${env}"}),
            "aws-sm" => json!({"region": "eu-central-1", "account": "123456789012"}),
            "azure-kv" => json!({"vault": "https://v-${env}.vault.azure.net"}),
            "vault" => json!({"address": "https://vault.example.com:8200", "mount": "secret"}),
            _ => json!({"context": "kind-${env}", "namespace": "source"}),
        };
        let members = backend.as_object_mut().unwrap();
        self.maybe(members, "prefix", |it| {
            it.dice.word(&["p-", "${env}-"]).into()
        });
        self.maybe(members, "labels", Self::labels);
        self.maybe(members, "pace", |it| match it.dice.roll(3) {
            0 => json!({"reads": 60}),
            1 => json!({"writes": 1}),
            _ => json!({"reads": 600, "writes": 30}),
        });
        self.maybe(members, "store", |it| match it.dice.roll(3) {
            0 => json!({"name": "own-store"}),
            1 => json!({"kind": "SecretStore", "name": "own-${env}", "auth": {"role": "reader", "n": 5, "list": [1, "1", null]}}),
            _ => json!({"auth": {"on": true, "text": "true"}}),
        });
        backend
    }

    fn secrets(&mut self) -> Value {
        let mut secrets = Map::new();
        for name in NAMES.into_iter().take(1 + self.dice.roll(NAMES.len())) {
            let entry = self.entry(name);
            secrets.insert(name.to_owned(), entry);
        }
        secrets.into()
    }

    fn entry(&mut self, name: &str) -> Value {
        let mut entry = Map::new();
        let when = self.dice.rarely(4);
        if when {
            entry.insert("when".into(), self.condition());
        }
        self.maybe(&mut entry, "description", Self::text_without_references);
        self.maybe(&mut entry, "labels", Self::labels);
        let mut nowhere = false;
        match self.dice.roll(12) {
            10 => drop(entry.insert(
                "key".into(),
                format!("stored-{}", name.replace(['/', '_'], "-").to_lowercase()).into(),
            )),
            11 => {
                nowhere = true;
                entry.insert("backend".into(), "none".into());
            }
            _ => {}
        }
        if self.dice.rarely(4) {
            let mut fields = Map::new();
            for field in ["USER", "pass-word", "_x", "KEY_2"]
                .into_iter()
                .take(1 + self.dice.roll(4))
            {
                let mut spec = Map::new();
                self.maybe(&mut spec, "description", Self::text_without_references);
                let own = self.dice.rarely(5);
                if own {
                    spec.insert("when".into(), self.condition());
                }
                let (sure, text) = self.value(&mut spec, Level::Field);
                fields.insert(field.to_owned(), spec.into());
                let word = format!("{name}#{field}");
                self.known.push(Known {
                    word,
                    sure: sure && !when && !own,
                    text,
                    nowhere,
                });
            }
            self.groups.push(name.to_owned());
            entry.insert("fields".into(), fields.into());
        } else {
            self.maybe(&mut entry, "value-key", |_| "password".into());
            let (sure, text) = self.value(&mut entry, Level::Entry);
            self.known.push(Known {
                word: name.to_owned(),
                sure: sure && !when,
                text,
                nowhere,
            });
        }
        entry.into()
    }

    fn text_without_references(&mut self) -> Value {
        self.dice.word(&TEXTS[..6]).into()
    }

    /// A source and what stands beside it. Tells whether the value is active whatever the facts are, and whether it is
    /// text.
    fn value(&mut self, spec: &mut Map<String, Value>, level: Level) -> (bool, bool) {
        self.maybe(spec, "rotate", Self::rotate);
        match self.dice.roll(9) {
            0 | 1 => (true, self.generate(spec)),
            2 => {
                spec.insert("value".into(), self.text());
                (true, true)
            }
            3 => {
                let provide = self.provide();
                spec.insert("provide".into(), provide);
                if self.dice.rarely(2) {
                    spec.insert("optional".into(), true.into());
                }
                self.maybe(spec, "newline", |it| it.dice.word(&["none", "one"]).into());
                self.maybe(spec, "form", |_| "escape-newlines".into());
                self.maybe(spec, "encode", |_| "base64".into());
                self.maybe(spec, "prefix", Self::text);
                self.maybe(spec, "suffix", Self::text);
                self.maybe(spec, "placeholder", |_| {
                    json!(["TODO", "<word>", "FIX…", null, ""])
                });
                self.maybe(spec, "check", Self::check);
                (true, true)
            }
            4 => {
                spec.insert("mint".into(), json!({"by": "the portal"}));
                self.maybe(spec, "optional", |_| true.into());
                (true, true)
            }
            5 => match self.sure_text() {
                Some(of) => {
                    spec.insert("derive".into(), self.derive(&of));
                    (true, true)
                }
                None => (true, self.generate(spec)),
            },
            6 => {
                spec.insert("compose".into(), self.compose());
                (true, true)
            }
            7 if level != Level::Case => {
                let cases = self.cases(spec);
                spec.insert("cases".into(), cases);
                (false, false)
            }
            // The name of a field may be that of another entry's field too.
            _ if level != Level::Entry => (true, self.generate(spec)),
            _ => {
                spec.insert("forbidden".into(), self.text_without_references());
                (false, false)
            }
        }
    }

    fn cases(&mut self, spec: &mut Map<String, Value>) -> Value {
        // What stands beside `cases` holds for each of them.
        self.maybe(spec, "newline", |_| "one".into());
        let count = 1 + self.dice.roll(3);
        let mut cases = Vec::new();
        for at in 0..count {
            let mut case = Map::new();
            if at + 1 < count || self.dice.rarely(2) {
                case.insert("when".into(), self.condition());
            }
            self.value(&mut case, Level::Case);
            cases.push(case.into());
        }
        Value::Array(cases)
    }

    fn generate(&mut self, spec: &mut Map<String, Value>) -> bool {
        let recipes = [
            (json!({"hex": 16}), json!({"length": 32})),
            (json!("uuid"), json!({"pattern": "^[0-9a-f-]+$", "min": 36})),
            (
                json!({"hex": "${config.size}"}),
                json!({"max": 8192, "prefix": ""}),
            ),
            (json!({"fernet": true}), json!({"bytes": 44})),
            (json!("timestamp"), json!({"length": 20})),
            (json!({"alnum": 20}), json!({"min": "${config.size}"})),
            (
                json!({"base64": 24}),
                json!({"json": "${config.features.off}"}),
            ),
            (
                json!({"base64url": {"bytes": 8, "padding": false}}),
                json!({}),
            ),
            (
                json!({"chars": {"length": 6, "from": "abc€: #"}}),
                json!({"max": 6}),
            ),
            (json!({"password": 12}), json!({"length": 12})),
            (
                json!({"password": {"length": "${config.size}", "symbols": 2, "from": "!#", "lower": 0}}),
                json!({"min": 10}),
            ),
            (json!({"bytes": 9}), json!({"bytes": 9})),
        ];
        let at = self.dice.roll(recipes.len());
        let (recipe, check) = &recipes[at];
        spec.insert("generate".into(), recipe.clone());
        if self.dice.rarely(3) {
            spec.insert("check".into(), check.clone());
        }
        self.maybe(spec, "provide", Self::provide);
        self.maybe(spec, "prefix", |_| "sk-".into());
        self.maybe(spec, "suffix", |_| "-${config.domain}".into());
        at + 1 < recipes.len()
    }

    fn provide(&mut self) -> Value {
        let mut provide = Map::new();
        self.maybe(&mut provide, "how", Self::text);
        self.maybe(&mut provide, "url", |_| "https://example.com/${env}".into());
        self.maybe(&mut provide, "env", |_| "TOKEN".into());
        self.maybe(&mut provide, "file", |_| "given/${env}/token".into());
        provide.into()
    }

    fn check(&mut self) -> Value {
        match self.dice.roll(5) {
            0 => json!({"min": 1, "max": 4000}),
            1 => json!({"one-of": ["a", "true", "5"]}),
            2 => {
                json!({"url": {"scheme": ["https", "postgresql"], "userinfo": "required", "path-suffix": "/${env}/"}})
            }
            3 => json!({"pem": "certificate"}),
            _ => json!({"url": {"scheme": "https"}, "json": false}),
        }
    }

    fn rotate(&mut self) -> Value {
        match (self.dice.roll(4), self.known.len()) {
            (0, _) => "never".into(),
            (1, _) => json!({"careful": "people present it: #1"}),
            (2, known) if known > 0 => {
                let with = &self.known[self.dice.roll(known)];
                json!({"with": [with.word]})
            }
            _ => "free".into(),
        }
    }

    fn derive(&mut self, of: &str) -> Value {
        match self.dice.roll(4) {
            0 => json!({"sha256": {"of": of}}),
            1 => json!({"bcrypt": {"of": of}}),
            2 => json!({"bcrypt": {"of": of, "cost": "${config.cost}", "version": "2y"}}),
            _ => json!({"htpasswd": {"user": "${config.domain}", "of": of, "cost": 4}}),
        }
    }

    fn sure_text(&mut self) -> Option<String> {
        let sure: Vec<&Known> = self
            .known
            .iter()
            .filter(|known| known.sure && known.text)
            .collect();
        let at = self.dice.roll(sure.len());
        sure.get(at).map(|known| known.word.clone())
    }

    /// A reference with its `${}`, safe whatever the facts are.
    fn reference(&mut self, filters: &[&'static str]) -> Option<String> {
        let texts: Vec<Known> = self
            .known
            .iter()
            .filter(|known| known.text && !known.nowhere)
            .cloned()
            .collect();
        if texts.is_empty() {
            return None;
        }
        let known = self.dice.pick(&texts).clone();
        let fallback = match (known.sure, self.dice.roll(3)) {
            (true, 0 | 1) => String::new(),
            (true, _) => format!(" ?? {}", self.dice.pick(&texts).word),
            (false, _) => match self.sure_text() {
                Some(sure)
                    if self
                        .known
                        .iter()
                        .any(|known| known.word == sure && !known.nowhere) =>
                {
                    format!(" ?? {sure}")
                }
                _ => " ?? config.text".to_owned(),
            },
        };
        let filter = match self.dice.roll(3) {
            0 | 1 => "",
            _ => self.dice.word(filters),
        };
        Some(format!("${{{}{fallback}{filter}}}", known.word))
    }

    fn compose(&mut self) -> Value {
        let mut text = self
            .dice
            .word(&["", "postgresql://u:", "a {{ b }} ", "{"])
            .to_owned();
        for _ in 0..self.dice.roll(3) {
            text.extend(self.reference(&[
                " | urlencode",
                " | base64",
                " | json",
                " | json | base64",
            ]));
            text.push_str(
                self.dice
                    .word(&["", "@db/x", "\n", " ${config.text}", "$${literal}"]),
            );
        }
        text.into()
    }

    fn targets(&mut self) -> Value {
        let mut targets = Map::new();
        for at in 0..self.dice.roll(6) {
            let key = match self.dice.roll(4) {
                0 => format!("ns-{at}/secret-{at}"),
                1 => format!("{{ns-a-{at}, ns-b-{at}}}/secret.{at}"),
                2 => format!("${{env}}-{at}/secret-{at}"),
                _ => format!("ns-{at}/secret-{at}-${{config.domain}}"),
            };
            if let Some(target) = self.target() {
                targets.insert(key, target);
            }
        }
        targets.into()
    }

    fn target(&mut self) -> Option<Value> {
        let mut target = Map::new();
        let mut data = Map::new();
        for key in ["user", "password", "config.yaml", "URL_1"]
            .into_iter()
            .take(1 + self.dice.roll(4))
        {
            data.insert(key.to_owned(), self.target_value()?);
        }
        if !data
            .values()
            .any(|text| text.as_str().is_some_and(reads_a_value))
        {
            data.insert("lone".into(), self.reference(&[""])?.into());
        }
        self.maybe(&mut target, "when", Self::condition);
        if self.dice.rarely(5) {
            target.insert("made-by".into(), "the \"chart\"".into());
            data.insert("unfed".into(), Value::Null);
        }
        if !self.groups.is_empty() && self.dice.rarely(4) {
            let group = self.dice.pick(&self.groups).clone();
            if self
                .known
                .iter()
                .all(|known| !known.nowhere || !known.word.starts_with(&group))
            {
                target.insert("extract".into(), json!([group]));
            }
        }
        target.insert("data".into(), data.into());
        self.policies(&mut target);
        self.maybe(&mut target, "type", |_| "kubernetes.io/basic-auth".into());
        self.maybe(&mut target, "labels", Self::labels);
        self.maybe(&mut target, "annotations", Self::labels);
        self.maybe(&mut target, "manifest", |it| match it.dice.roll(3) {
            0 => json!({"labels": it.labels()}),
            1 => json!({"annotations": it.labels()}),
            _ => json!({"labels": {"a": "b"}, "annotations": {"c": "d"}}),
        });
        Some(target.into())
    }

    fn policies(&mut self, target: &mut Map<String, Value>) {
        self.maybe(target, "immutable", |it| it.dice.rarely(2).into());
        self.maybe(target, "store", Self::store);
        self.maybe(target, "interval", Self::interval);
        self.maybe(target, "refresh", |it| {
            it.dice.word(&["Periodic", "OnChange"]).into()
        });
        self.maybe(target, "restart", |_| {
            json!(["deployment/web", "statefulset/db.x"])
        });
        self.maybe(target, "patch", |_| json!({"spec": {"refreshInterval": "${config.text}"}, "metadata": {"labels": null}, "n": 1.5}));
        self.maybe(target, "deliver", |it| {
            it.dice.word(&["external-secret", "direct"]).into()
        });
        match self.dice.roll(4) {
            0 => drop(target.insert(
                "creation".into(),
                self.dice.word(&["Owner", "Orphan"]).into(),
            )),
            1 => drop(target.insert(
                "deletion".into(),
                self.dice.word(&["Retain", "Delete", "Merge"]).into(),
            )),
            2 => drop(target.insert(
                "creation".into(),
                self.dice.word(&["Merge", "CreateOrMerge", "None"]).into(),
            )),
            _ => {}
        }
    }

    fn target_value(&mut self) -> Option<Value> {
        Some(match self.dice.roll(4) {
            0 | 1 => self.reference(&[" | base64", " | json", " | name"])?.into(),
            2 => self.text(),
            _ => format!("x: {} {{{{ y\n", self.reference(&[" | json"])?).into(),
        })
    }

    fn files(&mut self) -> Value {
        let mut files = Map::new();
        for at in 0..self.dice.roll(4) {
            let mut file = Map::new();
            self.maybe(&mut file, "when", Self::condition);
            let value = self.reference(&[" | urlencode"]).unwrap_or_default();
            let (form, content) = match self.dice.roll(4) {
                0 => ("text", format!("a {value}\n").into()),
                1 => (
                    "yaml",
                    json!({"a": {"b": value, "n": 1, "f": 0.5, "off": false, "none": null}, "list": [value, "x"]}),
                ),
                2 => ("json", json!({"a": value, "empty": {}})),
                _ => ("dotenv", json!({"A_1": value, "N": 5, "ON": true})),
            };
            file.insert(form.into(), content);
            if form != "text" && !self.groups.is_empty() && self.dice.rarely(2) {
                let group = self.dice.pick(&self.groups).clone();
                file[form][format!("${{...{group}}}")] = true.into();
            }
            files.insert(format!("out/${{env}}/file-{at}"), file.into());
        }
        files.into()
    }
}

/// Whether a store is read for a text: a stored name alone is known without.
fn reads_a_value(text: &str) -> bool {
    let reads = |rest: &str| {
        let inside = rest.split('}').next().unwrap_or_default();
        NAMES.iter().any(|name| inside.starts_with(name)) && !inside.contains("| name")
    };
    text.split("${").skip(1).any(reads)
}

/// What every contract of this file has as `config.defaults`.
fn facts() -> Value {
    json!({
        "features": {"on": true, "off": false},
        "tier": "gold",
        "size": 20,
        "cost": 4,
        "domain": "example.com",
        "text": "a fact with ${alpha}, {{ .alpha }} and \"quotes\"",
        "fraction": 1.5,
        "nothing-yet": null,
    })
}
