//! What `seed verify` found, for programs. The same facts as for people, never a value.

use seed_core::judge::{Finding, Standing, Verification, Verified};
use seed_core::resolve::Resolved;
use serde_json::{Value, json};

use super::error_json::errors;
use super::plan_json;
use crate::backends::Asked;
use crate::error::CliError;
use crate::file_check::{CheckedFile, FileFinding, FileState};

/// The findings as one JSON document; `version` changes when its shape does.
pub(crate) fn verify(
    resolved: &Resolved,
    verification: &Verification,
    files: &[CheckedFile],
    asked: &Asked,
    failures: &[CliError],
) -> Value {
    let counts = verification.counts();
    let drifted = |file: &&CheckedFile| file.state() != FileState::Sound;
    json!({
        "version": 1,
        "contract": resolved.contract,
        "env": resolved.env,
        "backends": plan_json::backends(asked),
        "values": verification.values.iter().map(|it| value(resolved, it)).collect::<Vec<_>>(),
        "files": files.iter().map(file).collect::<Vec<_>>(),
        "errors": errors(failures),
        "notes": plan_json::notes(asked),
        "summary": {
            "sound": counts.sound,
            "drifted": counts.drifted,
            "placeholder": counts.placeholder,
            "broken": counts.broken,
            "blocked": counts.blocked,
            "missing": counts.missing,
            "optional": counts.left_out,
            "not_judged": counts.not_judged,
            "unread": counts.unread,
            "not_needed": counts.not_needed,
            "not_selected": counts.not_selected,
            "files": files.len(),
            "files_not_as_stored": files.iter().filter(drifted).count(),
        },
    })
}

fn value(resolved: &Resolved, verified: &Verified) -> Value {
    let declared = resolved.value(&verified.id);
    let finding = |it: &Finding| {
        json!({
            "kind": it.as_str(),
            "reason": it.to_string(),
            "hint": declared.and_then(|value| it.hint(value)),
        })
    };
    let (reason, findings) = match &verified.standing {
        Standing::Judged(findings) => (None, findings.as_slice()),
        Standing::LeftOut(state) | Standing::Missing(state) | Standing::Unread(state) => {
            (Some(state.to_string()), [].as_slice())
        }
        Standing::NotSelected => (None, [].as_slice()),
        Standing::NotNeeded(why) => (Some(why.clone()), [].as_slice()),
    };
    json!({
        "key": verified.id.to_string(),
        "state": verified.standing.as_str(),
        "reason": reason,
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn file(checked: &CheckedFile) -> Value {
    let finding = |it: &FileFinding| {
        json!({
            "kind": it.as_str(),
            "reason": it.reason(),
            "hint": it.hint(),
        })
    };
    json!({
        "path": checked.path,
        "state": checked.state().as_str(),
        "findings": checked.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
