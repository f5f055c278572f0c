//! What became of manifests, for programs.

use std::path::Path;

use seed_core::manifest::{ManifestFile, Output};
use seed_core::resolve::Resolved;
use serde_json::{Value, json};

use crate::manifests::{Difference, Emitted};

/// The manifests themselves.
pub(crate) fn texts(resolved: &Resolved, output: &Output) -> Value {
    let text = |file: &ManifestFile| json!({"path": file.path, "text": file.text});
    json!({
        "version": 1,
        "contract": resolved.contract,
        "env": resolved.env,
        "manifests": output.manifests.iter().map(text).collect::<Vec<_>>(),
        "kustomization": text(&output.kustomization),
        "skipped": skipped(output),
    })
}

/// What became of the files of a directory, as a document of its own.
pub(crate) fn written(resolved: &Resolved, emitted: &Emitted) -> Value {
    let mut document = json!({
        "version": 1,
        "contract": resolved.contract,
        "env": resolved.env,
    });
    if let (Value::Object(document), Value::Object(part)) = (&mut document, files(emitted)) {
        document.extend(part);
    }
    document
}

/// What became of the files of a directory.
pub(super) fn files(emitted: &Emitted) -> Value {
    json!({
        "directory": emitted.directory.display().to_string(),
        "written": emitted.written.changed,
        "unchanged": emitted.written.unchanged,
        "stale": emitted.written.stale,
        "pruned": emitted.written.pruned,
        "skipped": skipped(&emitted.output),
    })
}

/// How a directory differs from what would be written.
pub(crate) fn differences(
    resolved: &Resolved,
    output: &Output,
    directory: &Path,
    found: &[Difference],
) -> Value {
    let difference = |found: &Difference| json!({"path": found.path, "change": found.change.as_str(), "diff": found.diff});
    json!({
        "version": 1,
        "contract": resolved.contract,
        "env": resolved.env,
        "directory": directory.display().to_string(),
        "up_to_date": found.is_empty(),
        "differences": found.iter().map(difference).collect::<Vec<_>>(),
        "skipped": skipped(output),
    })
}

fn skipped(output: &Output) -> Vec<Value> {
    let skipped = output.skipped.iter().map(|skipped| {
        json!({
            "secret": skipped.secret,
            "reason": skipped.reason,
            "made_by_others": skipped.made_by_others,
        })
    });
    skipped.collect()
}
