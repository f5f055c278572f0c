//! How a Secret is made that is not like all others.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The type of a Secret that has none of its own.
pub(crate) const OPAQUE: &str = "Opaque";

/// What a Secret has beside its values and labels.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Form {
    /// Its type; `Opaque` without one.
    pub kind: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Whether it can be changed.
    pub immutable: Option<bool>,
}

impl Form {
    /// Adds the annotations to those that an object has.
    pub(crate) fn annotate(&self, metadata: &mut Map<String, Value>) {
        if self.annotations.is_empty() {
            return;
        }
        let all = metadata
            .entry("annotations")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(all) = all {
            let own = self.annotations.iter();
            all.extend(own.map(|(key, text)| (key.clone(), Value::from(text.as_str()))));
        }
    }
}
