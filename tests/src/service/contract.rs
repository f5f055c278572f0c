//! Contracts whose values one backend keeps.

use serde_json::{Value, json};

use super::UnderTest;

/// A contract of what this backend keeps, with further settings of it, and these lines below `secrets`.
pub fn contract(service: &dyn UnderTest, more: &Value, secrets: &str) -> Result<String, String> {
    let mut settings = service.settings();
    let object = settings.as_object_mut().ok_or("settings are no mapping")?;
    object.extend(more.as_object().cloned().unwrap_or_default());
    let kind = service.kind();
    Ok(format!(
        "version: 1\nname: services\nbackend: {kind}\nbackends: {{{kind}: {settings}}}\n\
         store: {{name: secret-store}}\nsecrets:\n{secrets}"
    ))
}

/// So many random values: `key-0` and so on.
pub fn many(keys: usize) -> String {
    let keys = 0..keys;
    keys.map(|key| format!("  key-{key}: {{generate: {{hex: 16}}}}\n"))
        .collect()
}

/// A pace at which a stand-in is not kept waiting, as the real service would be.
pub fn unpaced() -> Value {
    json!({"pace": {"reads": 1_000_000, "writes": 1_000_000}})
}
