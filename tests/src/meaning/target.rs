//! The template of the Secret, and what its absence means.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, as_written};
use super::template::{Text, Variables};

/// `spec.target.template`, and what its absence means.
pub(crate) struct Template<'a> {
    /// Its metadata; none where there is no template, and the `ExternalSecret`'s own is copied.
    metadata: Option<Fields<'a>>,
    data: Vec<(&'a str, &'a str)>,
    /// Whether the keys of `spec.data` reach the Secret beside those of the template.
    passes: bool,
    pub(crate) secret_type: String,
    pub(crate) others: BTreeMap<String, Value>,
}

impl<'a> Template<'a> {
    pub(crate) fn read(template: Option<&'a Value>) -> Result<Self, String> {
        let fields = Fields::new(template, "spec.target.template", &TEMPLATE)?;
        let metadata = Fields::new(
            fields.value("metadata"),
            "spec.target.template.metadata",
            &TEMPLATE_METADATA,
        )?;
        let engine = fields.text_or("engineVersion", "v2")?;
        let policy = fields.text_or("mergePolicy", "Replace")?;
        if engine != "v2" || !["Merge", "Replace"].contains(&policy.as_str()) {
            return Err(format!(
                "no template has the engine `{engine}` and policy `{policy}`"
            ));
        }
        let data = fields.texts("data")?;
        let nothing = data.is_empty() && fields.list("templateFrom")?.is_empty();
        Ok(Self {
            metadata: template.map(|_| metadata),
            data,
            passes: nothing || policy == "Merge",
            secret_type: fields.text_or("type", "Opaque")?,
            others: as_written([&fields, &metadata], &["templateFrom", "finalizers"]),
        })
    }

    /// Returns a map of the Secret's metadata. Only the template's own texts are templates.
    pub(crate) fn texts(
        &self,
        name: &str,
        own: &Fields<'_>,
        variables: &Variables,
    ) -> Result<BTreeMap<String, Text>, String> {
        let entries = self
            .metadata
            .as_ref()
            .unwrap_or(own)
            .texts(name)?
            .into_iter();
        let texts = entries.map(|(key, text)| {
            let text = match self.metadata {
                Some(_) => rendered(text, name, key, variables)?,
                None => Text::literal(text),
            };
            Ok((key.to_owned(), text))
        });
        texts.collect()
    }

    /// Returns the keys of the Secret.
    pub(crate) fn keys(&self, variables: &Variables) -> Result<BTreeMap<String, Text>, String> {
        let mut keys = BTreeMap::new();
        if self.passes {
            let named = variables.named.iter();
            keys.extend(
                named.map(|(key, source)| (key.clone(), Text::from_source(source.clone()))),
            );
        }
        for (key, text) in &self.data {
            keys.insert((*key).to_owned(), rendered(text, "data", key, variables)?);
        }
        Ok(keys)
    }
}

fn rendered(text: &str, map: &str, key: &str, variables: &Variables) -> Result<Text, String> {
    Text::template(text, variables)
        .map_err(|err| format!("`spec.target.template…{map}[{key}]`: {err}"))
}

const TEMPLATE: [&str; 6] = [
    "data",
    "engineVersion",
    "mergePolicy",
    "metadata",
    "templateFrom",
    "type",
];

const TEMPLATE_METADATA: [&str; 3] = ["annotations", "finalizers", "labels"];
