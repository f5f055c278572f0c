//! `contract.md`: every field of a contract, from the JSON Schema that the program prints.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The sections after the first, each a definition of the schema, in the order of the page.
const SECTIONS: [&str; 40] = [
    "setting",
    "text",
    "condition",
    "key",
    "value-name",
    "store",
    "backend",
    "backend-gcpsm",
    "backend-aws-sm",
    "backend-azure-kv",
    "backend-vault",
    "backend-kubernetes",
    "backend-local",
    "backend-store",
    "pace",
    "secret",
    "field",
    "case",
    "generate",
    "base64url",
    "chars",
    "password",
    "derive",
    "bcrypt",
    "htpasswd",
    "sha256",
    "provide",
    "mint",
    "check",
    "url-check",
    "rotate",
    "target",
    "manifest",
    "file",
    "tree",
    "labels",
    "interval",
    "size",
    "least",
    "limit",
];

/// Definitions that are said where they are used.
const INLINE: [&str; 5] = [
    "always",
    "boolean",
    "expanded",
    "fact-boolean",
    "fact-number",
];

/// Which example contract stands under which section.
const EXAMPLES: [(&str, &str); 11] = [
    ("", "config"),
    ("text", "references"),
    ("backend", "backends"),
    ("secret", "secrets"),
    ("field", "fields"),
    ("case", "cases"),
    ("generate", "generators"),
    ("derive", "derivations"),
    ("check", "checks"),
    ("target", "targets"),
    ("file", "files"),
];

const INTRODUCTION: &str = "\
<!-- Made by `make docs` from the JSON Schema that `seed schema` prints, and from docs/examples. -->

# The contract

One YAML file says which secrets an environment needs, where each value comes from, and which Kubernetes
Secrets it ends up in. It holds no secret value and belongs in version control.

`seed schema > contract.schema.json` writes the same as a JSON Schema, for completion and checks in an
editor. `seed check` says what is wrong with a contract, and where.

Whatever is not on this page is refused: unknown fields, duplicate keys, several documents in one file, YAML
tags, and fields that are written but empty. `<<` merges mappings, and top-level keys that begin with `x-`
are ignored, so that YAML anchors have a place.
";

/// Returns the page. `examples` are the example contracts by name.
pub(super) fn page(schema: &Value, examples: &BTreeMap<String, String>) -> Result<String, String> {
    let page = Page { schema, examples };
    page.whole()
}

struct Page<'a> {
    schema: &'a Value,
    examples: &'a BTreeMap<String, String>,
}

impl Page<'_> {
    fn whole(&self) -> Result<String, String> {
        let definitions = self.schema.get("$defs").and_then(Value::as_object);
        let definitions = definitions.ok_or("the schema has no definitions")?;
        let known =
            |name: &&String| SECTIONS.contains(&name.as_str()) || INLINE.contains(&name.as_str());
        if let Some(name) = definitions.keys().find(|name| !known(name)) {
            return Err(format!(
                "no section of contract.md is for the definition `{name}`"
            ));
        }
        let mut text = format!("{INTRODUCTION}\n## Top level\n");
        self.properties(&mut text, self.schema);
        self.example(&mut text, "")?;
        for name in SECTIONS {
            let definition = definitions.get(name);
            let definition = definition.ok_or_else(|| format!("the schema has no `{name}`"))?;
            text.push_str(&format!(
                "\n## {}\n\n{}\n",
                title(definition),
                said(definition, "description")
            ));
            self.definition(&mut text, name, definition);
            self.example(&mut text, name)?;
        }
        Ok(text)
    }

    fn definition(&self, text: &mut String, name: &str, definition: &Value) {
        if name == "backend" {
            self.common(text);
        }
        let alternatives = definition.get("anyOf").and_then(Value::as_array);
        for alternative in alternatives.into_iter().flatten() {
            self.properties(text, alternative);
        }
        self.properties(text, definition);
    }

    fn example(&self, text: &mut String, section: &str) -> Result<(), String> {
        for (_, name) in EXAMPLES.iter().filter(|(at, _)| *at == section) {
            let example = self.examples.get(*name);
            let example =
                example.ok_or_else(|| format!("there is no docs/examples/{name}.yaml"))?;
            text.push_str(&format!(
                "\nAn example, [`docs/examples/{name}.yaml`](../examples/{name}.yaml):\n\n```yaml\n{example}```\n"
            ));
        }
        Ok(())
    }

    /// What every kind of backend takes, which `backend` does not say itself.
    fn common(&self, text: &mut String) {
        let local = self.schema.pointer("/$defs/backend-local/properties");
        let common: Map<String, Value> = local
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.as_str() != "kind" && self.is_common(name))
            .map(|(name, property)| (name.clone(), property.clone()))
            .collect();
        text.push_str("\nEvery backend takes these fields, and those of its kind:\n");
        self.table(text, &common, &[]);
    }

    fn is_common(&self, name: &str) -> bool {
        let kinds = SECTIONS.iter().filter(|kind| is_kind(kind));
        kinds.into_iter().all(|kind| {
            let pointer = format!("/$defs/{kind}/properties/{name}");
            self.schema.pointer(&pointer).is_some()
        })
    }

    fn properties(&self, text: &mut String, object: &Value) {
        let Some(properties) = object.get("properties").and_then(Value::as_object) else {
            return;
        };
        let kind = object.pointer("/properties/kind/const").is_some();
        let (shared, own): (Vec<_>, Vec<_>) = properties
            .iter()
            .filter(|(name, _)| !kind || !self.is_common(name))
            .partition(|(_, property)| {
                reference(property).is_some_and(|target| target.starts_with("secret/"))
            });
        let own: Map<String, Value> = own
            .into_iter()
            .map(|(name, property)| (name.clone(), property.clone()))
            .collect();
        let required = object.get("required").and_then(Value::as_array);
        let required: Vec<&str> = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        self.table(text, &own, &required);
        if !shared.is_empty() {
            let names: Vec<String> = shared.iter().map(|(name, _)| format!("`{name}`")).collect();
            text.push_str(&format!(
                "\nAs in a [secret](#secret): {}.\n",
                names.join(", ")
            ));
        }
        for (name, property) in &own {
            if property.get("properties").is_some() && reference(property).is_none() {
                text.push_str(&format!("\nFields of `{name}`:\n"));
                self.properties(text, property);
            }
        }
    }

    fn table(&self, text: &mut String, properties: &Map<String, Value>, required: &[&str]) {
        text.push_str("\n| field | value | meaning |\n| --- | --- | --- |\n");
        for (name, property) in properties {
            let mut meaning = said(property, "description").to_owned();
            if meaning.is_empty()
                && let Some(target) = reference(property)
            {
                let pointer = format!("/$defs/{target}");
                meaning = self
                    .schema
                    .pointer(&pointer)
                    .map(|it| said(it, "description").to_owned())
                    .unwrap_or_default();
            }
            if required.contains(&name.as_str()) {
                meaning.push_str(" Required.");
            }
            if let Some(default) = property.get("default") {
                meaning.push_str(&format!(" Default: {}.", shown(default)));
            }
            let value = self.value(property);
            text.push_str(&format!(
                "| `{name}` | {} | {} |\n",
                cell(&value),
                cell(&meaning)
            ));
        }
    }

    /// What can stand there, in a few words.
    fn value(&self, node: &Value) -> String {
        or(self.alternatives(node))
    }

    fn alternatives(&self, node: &Value) -> Vec<String> {
        if let Some(target) = reference(node) {
            return vec![self.link(target)];
        }
        if let Some(word) = node.get("const") {
            return vec![shown(word)];
        }
        if let Some(words) = node.get("enum").and_then(Value::as_array) {
            return words.iter().map(shown).collect();
        }
        if node.get("if").is_some() {
            return vec!["[Backend](#backend)".to_owned()];
        }
        match (
            node.get("type"),
            node.get("anyOf").and_then(Value::as_array),
        ) {
            (Some(Value::String(kind)), _) => vec![self.typed(kind, node)],
            (Some(Value::Array(kinds)), _) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                kinds.map(|kind| self.typed(kind, node)).collect()
            }
            (_, Some(parts)) => parts
                .iter()
                .flat_map(|part| self.alternatives(part))
                .collect(),
            (_, None) => vec!["anything".to_owned()],
        }
    }

    fn typed(&self, kind: &str, node: &Value) -> String {
        match kind {
            "array" => {
                let items = node.get("items").map(|items| self.value(items));
                format!("list of {}", items.unwrap_or_default())
            }
            "object" => match node.get("additionalProperties") {
                Some(entry @ Value::Object(_)) => format!("mapping of {}", self.value(entry)),
                Some(_) | None => "mapping".to_owned(),
            },
            "integer" => match (node.get("minimum"), node.get("maximum")) {
                (Some(least), Some(most)) => format!("{least} to {most}"),
                (_, _) => "whole number".to_owned(),
            },
            "string" => "text".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "number" => "a number".to_owned(),
            kind => format!("`{kind}`"),
        }
    }

    fn link(&self, target: &str) -> String {
        match target {
            "always" => "`true`".to_owned(),
            "boolean" => "`true`, `false`, or a fact that is one".to_owned(),
            "fact-number" | "fact-boolean" | "expanded" => "`${config.…}`".to_owned(),
            target => {
                let definition = self.schema.pointer(&format!("/$defs/{target}"));
                let title = definition.map(title).unwrap_or_default();
                format!("[{}](#{})", title, anchor(title))
            }
        }
    }
}

fn is_kind(section: &str) -> bool {
    section.starts_with("backend-") && section != "backend-store"
}

fn reference(node: &Value) -> Option<&str> {
    node.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn title(definition: &Value) -> &str {
    said(definition, "title")
}

fn said<'v>(node: &'v Value, word: &str) -> &'v str {
    node.get(word).and_then(Value::as_str).unwrap_or_default()
}

/// A value as it would be written in a contract.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => return items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    format!("`{text}`")
}

fn or(words: impl IntoIterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    let mut text = String::new();
    for (at, word) in all.iter().enumerate() {
        let before = match at {
            0 => "",
            at if at + 1 == all.len() => " or ",
            _ => ", ",
        };
        text.push_str(before);
        text.push_str(word);
    }
    text
}

fn anchor(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().replace(' ', "-")
}

/// A bar would end the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
