//! Calls about versions and their stages.

use serde_json::{Value, json};

use super::secrets::{content, marked, text, token, unknown};
use super::service::State;
use super::store::{CURRENT, Content, Refusal, Reply, Secret, Stored, refuse, with};

impl State {
    pub(super) fn put(&mut self, body: &Value) -> Reply {
        let (name, secret) = self.find(body)?;
        if secret.deleted.is_some() {
            return marked();
        }
        let name = name.to_owned();
        let Some(content) = content(body)? else {
            return refuse(
                "InvalidParameterException",
                "You must provide either SecretString or SecretBinary.",
            );
        };
        let id = match token(body)? {
            Some(token) => token,
            None => self.next_id(),
        };
        let stages = body.get("VersionStages").and_then(Value::as_array);
        let mut stages: Vec<String> = match stages {
            Some(stages) => strings(stages),
            None => vec![CURRENT.to_owned()],
        };
        let asked = self.echoes.then(|| stages.clone());
        let Some(secret) = self.secrets.get_mut(&name) else {
            return unknown();
        };
        if let Some(known) = secret.version(&id) {
            if known.content != content {
                return refuse(
                    "ResourceExistsException",
                    "You can't modify a version that already exists.",
                );
            }
        } else {
            // Only the first version becomes the current one without being told.
            if secret.versions.is_empty() {
                stages.push(CURRENT.to_owned());
            }
            let stored = Stored {
                content,
                stages: [].into(),
            };
            secret.versions.push((id.clone(), stored));
            for stage in stages {
                secret.attach(&stage, &id);
            }
        }
        let stages = secret.version(&id).map(|stored| stored.stages.clone());
        let stages = match asked {
            Some(asked) => json!(asked),
            None => json!(stages),
        };
        Ok(json!({"ARN": secret.arn, "Name": name, "VersionId": id, "VersionStages": stages}))
    }

    pub(super) fn move_stage(&mut self, body: &Value) -> Reply {
        let (name, secret) = self.find(body)?;
        if secret.deleted.is_some() {
            return marked();
        }
        let name = name.to_owned();
        let stage = text(body, "VersionStage").unwrap_or_default();
        let to = text(body, "MoveToVersionId");
        let from = text(body, "RemoveFromVersionId");
        let attached = secret.staged(&stage);
        for id in to.iter().chain(&from) {
            if secret.version(id).is_none() {
                return refuse(
                    "ResourceNotFoundException",
                    format!("Secrets Manager can't find the specified secret version: {id}."),
                );
            }
        }
        if attached.is_some() && attached != from {
            let at = attached.unwrap_or_default();
            return refuse(
                "InvalidParameterException",
                format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version {at}, so you must explicitly reference that version in RemoveFromVersionId."
                ),
            );
        }
        if stage == CURRENT && to.is_none() {
            return refuse(
                "InvalidParameterException",
                "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
            );
        }
        let Some(secret) = self.secrets.get_mut(&name) else {
            return unknown();
        };
        match (to, from) {
            (Some(to), _) => secret.attach(&stage, &to),
            (None, Some(from)) => {
                if let Some(stored) = secret.version_mut(&from) {
                    stored.stages.remove(&stage);
                }
            }
            (None, None) => {
                return refuse(
                    "InvalidParameterException",
                    "You must specify a version to move to or to remove from.",
                );
            }
        }
        Ok(json!({"ARN": secret.arn, "Name": name}))
    }

    pub(super) fn value(&self, body: &Value) -> Reply {
        let (name, secret) = self.find(body)?;
        let stage = text(body, "VersionStage");
        value(name, secret, text(body, "VersionId"), stage)
    }

    pub(super) fn values(&self, body: &Value, denied: impl Fn(&str) -> Option<Refusal>) -> Reply {
        let ids = body.get("SecretIdList").and_then(Value::as_array);
        let Some(ids) = ids.map(|ids| strings(ids)).filter(|ids| !ids.is_empty()) else {
            return refuse(
                "InvalidParameterException",
                "You must provide either SecretIdList or Filters.",
            );
        };
        if ids.len() > 20 {
            return refuse(
                "ValidationException",
                "1 validation error detected: Value at 'secretIdList' failed to satisfy constraint: Member must have length less than or equal to 20",
            );
        }
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for id in ids {
            let one = json!({"SecretId": id});
            let got = match denied(&id) {
                Some(refusal) => Err(refusal),
                None => self.value(&one),
            };
            match got {
                Ok(value) => values.push(value),
                Err(refusal) => errors.push(json!({
                    "SecretId": id, "ErrorCode": refusal.code, "Message": refusal.message,
                })),
            }
        }
        Ok(json!({"SecretValues": values, "Errors": errors}))
    }
}

fn value(name: &str, secret: &Secret, id: Option<String>, stage: Option<String>) -> Reply {
    if secret.deleted.is_some() {
        return marked();
    }
    let stage = match &id {
        Some(_) => stage,
        None => Some(stage.unwrap_or_else(|| CURRENT.to_owned())),
    };
    let missing = |what: String| {
        refuse(
            "ResourceNotFoundException",
            format!("Secrets Manager can't find the specified secret value for {what}"),
        )
    };
    let id = match (id, &stage) {
        (Some(id), _) => id,
        (None, Some(stage)) => match secret.staged(stage) {
            Some(id) => id,
            None => return missing(format!("staging label: {stage}")),
        },
        (None, None) => return missing("no version".to_owned()),
    };
    let Some(stored) = secret.version(&id) else {
        return missing(format!("VersionId: {id}"));
    };
    if stage.is_some_and(|stage| !stored.stages.contains(&stage)) {
        return refuse(
            "InvalidRequestException",
            "You provided a VersionStage that is not associated to the provided VersionId.",
        );
    }
    let mut reply = json!({
        "ARN": secret.arn, "Name": name, "VersionId": id, "VersionStages": stored.stages,
    });
    match &stored.content {
        Content::Text(text) => with(&mut reply, "SecretString", json!(text)),
        Content::Binary(base64) => with(&mut reply, "SecretBinary", json!(base64)),
    }
    Ok(reply)
}

fn strings(values: &[Value]) -> Vec<String> {
    let texts = values.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
