//! What is asked of a mount.

use std::collections::BTreeMap;

use serde_json::json;

use super::errors::{denied, error};
use super::service::State;
use super::store::{Change, Entry, Mount, Outcome};
use crate::{Answer, Request};

impl State {
    pub(super) fn kv(
        &mut self,
        operation: &str,
        namespace: &str,
        path: &str,
        request: &Request,
    ) -> Answer {
        let now = self.now();
        let no_route = || {
            error(
                404,
                &format!("no handler for route \"{path}\". route entry not found."),
            )
        };
        let Some((mount, _, name)) = self.route(namespace, path) else {
            return no_route();
        };
        let hidden_updates = self.hidden_updates;
        let Some(mount) = self.mounts.get_mut(&(namespace.to_owned(), mount)) else {
            return no_route();
        };
        if mount.version == 1 {
            // It takes any path and any body, and overwrites.
            mount.entries.remove(path);
            mount.write(path, &json!({"data": request.json()}), now);
            return Answer::empty(204);
        }
        let exists = mount.entries.get(&name).is_some_and(Entry::is_live);
        if operation == "write" && hidden_updates && exists {
            return denied();
        }
        let changes = matches!(operation, "write" | "patch" | "undelete");
        let before = mount.entries.get(&name).filter(|_| changes).cloned();
        let shown = shown(&mount.entries, &mut self.stale, operation, &name);
        let kept = shown.map(|shown| std::mem::replace(&mut mount.entries, shown));
        let outcome = act(mount, operation, &name, request, now);
        if let Some(kept) = kept {
            mount.entries = kept;
        }
        if changes && self.lag > 0 {
            let old = (before, self.lag);
            self.stale.entry(name).or_insert(old);
        }
        match outcome {
            Ok(outcome) => self.told(outcome),
            Err(refused) => refused,
        }
    }

    fn told(&self, outcome: Outcome) -> Answer {
        match outcome {
            Outcome::Data(data) => self.success(&data),
            Outcome::Gone(data) => self.with_data(404, &data),
            Outcome::Done => Answer::empty(204),
            Outcome::Nothing => Answer::json(404, &json!({"errors": []})),
            Outcome::Bare => Answer::empty(404),
            Outcome::CasMismatch => error(
                400,
                "check-and-set parameter did not match the current version",
            ),
            Outcome::Refused(text) => error(400, text),
        }
    }
}

/// Does what is asked of one entry or folder.
fn act(
    mount: &mut Mount,
    operation: &str,
    name: &str,
    request: &Request,
    now: String,
) -> Result<Outcome, Answer> {
    let body = request.json();
    let outcome = match operation {
        "list" => mount.list(name),
        "metadata" => mount.metadata(name),
        "forget" => {
            mount.entries.remove(name);
            Outcome::Done
        }
        "read" => {
            let version = request
                .parameter("version")
                .and_then(|number| number.parse().ok());
            mount.read(name, version.unwrap_or(0))
        }
        "subkeys" => mount.subkeys(name),
        "write" => mount.write(name, &body, now),
        "patch" if request.header("content-type") != Some("application/merge-patch+json") => {
            return Err(error(
                415,
                "PATCH requires Content-Type of application/merge-patch+json",
            ));
        }
        "patch" => mount.patch(name, &body, now),
        "delete" if body.is_null() => mount.delete(name, &now),
        "delete" => mount.each(name, &body, &Change::Delete(now)),
        "undelete" => mount.each(name, &body, &Change::Undelete),
        "destroy" => mount.each(name, &body, &Change::Destroy),
        _ => {
            return Err(error(
                405,
                "1 error occurred:\n\t* unsupported operation\n\n",
            ));
        }
    };
    Ok(outcome)
}

/// What a look sees instead of what is there, if it lags behind.
fn shown(
    entries: &BTreeMap<String, Entry>,
    stale: &mut BTreeMap<String, (Option<Entry>, usize)>,
    operation: &str,
    name: &str,
) -> Option<BTreeMap<String, Entry>> {
    let is_list = operation == "list";
    if !is_list && !matches!(operation, "metadata" | "read" | "subkeys") {
        return None;
    }
    let mut seen = None;
    for (known, (before, looks)) in stale.iter_mut().filter(|(_, (_, looks))| *looks > 0) {
        if !is_list && known != name {
            continue;
        }
        let seen = seen.get_or_insert_with(|| entries.clone());
        match before {
            Some(before) => drop(seen.insert(known.clone(), before.clone())),
            None => drop(seen.remove(known)),
        }
        if !is_list {
            *looks -= 1;
        }
    }
    seen
}
