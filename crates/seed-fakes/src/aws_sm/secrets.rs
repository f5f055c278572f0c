//! Calls about one secret as a whole.

use serde_json::{Value, json};

use super::service::State;
use super::store::{CURRENT, Content, DAY, Reply, Secret, Stored, now, refuse, with};

impl State {
    pub(super) fn create(&mut self, body: &Value) -> Reply {
        let name = text(body, "Name").unwrap_or_default();
        check_name(&name)?;
        let content = content(body)?;
        let token = token(body)?;
        if let Some(known) = self.secrets.get(&name) {
            if known.deleted.is_some() {
                return refuse(
                    "InvalidRequestException",
                    "You can't create this secret because a secret with this name is already scheduled for deletion.",
                );
            }
            let again = token.as_deref().and_then(|token| known.version(token));
            return match (again, content) {
                (Some(stored), Some(content)) if stored.content == content && !self.forgetful => {
                    Ok(json!({"ARN": known.arn, "Name": name, "VersionId": token}))
                }
                _ => refuse(
                    "ResourceExistsException",
                    format!("The operation failed because the secret {name} already exists."),
                ),
            };
        }
        let tags = body.get("Tags").and_then(Value::as_array);
        let tags = tags.into_iter().flatten().filter_map(|tag| {
            let key = tag.get("Key").and_then(Value::as_str)?;
            let value = tag.get("Value").and_then(Value::as_str)?;
            Some((key.to_owned(), value.to_owned()))
        });
        let mut secret = Secret {
            arn: self.arn(&name),
            kms: text(body, "KmsKeyId"),
            tags: tags.collect(),
            deleted: None,
            changed: now(),
            versions: Vec::new(),
        };
        if secret.tags.len() > 50 {
            return refuse("InvalidParameterException", "Too many tags.");
        }
        let mut reply = json!({"ARN": secret.arn, "Name": name});
        if let Some(content) = content {
            let id = token.unwrap_or_else(|| self.next_id());
            let stages = [CURRENT.to_owned()].into();
            let stored = Stored { content, stages };
            secret.versions.push((id.clone(), stored));
            with(&mut reply, "VersionId", json!(id));
        }
        self.secrets.insert(name, secret);
        Ok(reply)
    }

    pub(super) fn describe(&mut self, body: &Value) -> Reply {
        let id = text(body, "SecretId").unwrap_or_default();
        let old = self.stale.get_mut(&id).filter(|(_, looks)| *looks > 0);
        if let Some((before, looks)) = old {
            *looks -= 1;
            let Some(secret) = before else {
                return unknown();
            };
            let mut reply = entry(&id, secret);
            with(&mut reply, "VersionIdsToStages", secret.stages());
            return Ok(reply);
        }
        let (name, secret) = self.find(body)?;
        let mut reply = entry(name, secret);
        with(&mut reply, "VersionIdsToStages", secret.stages());
        Ok(reply)
    }

    pub(super) fn delete(&mut self, body: &Value) -> Reply {
        let (name, secret) = self.find(body)?;
        let (name, arn) = (name.to_owned(), secret.arn.clone());
        let force = body.get("ForceDeleteWithoutRecovery") == Some(&json!(true));
        let window = body.get("RecoveryWindowInDays").and_then(Value::as_f64);
        if force && window.is_some() {
            return refuse(
                "InvalidParameterException",
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            );
        }
        let window = window.unwrap_or(30.0);
        if !(7.0..=30.0).contains(&window) {
            return refuse(
                "InvalidParameterException",
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            );
        }
        if secret.deleted.is_some() && !force {
            return marked();
        }
        let date = now() + if force { 0.0 } else { window * DAY };
        if force {
            self.secrets.remove(&name);
        } else if let Some(secret) = self.secrets.get_mut(&name) {
            secret.deleted = Some(date);
        }
        Ok(json!({"ARN": arn, "Name": name, "DeletionDate": date}))
    }

    pub(super) fn restore(&mut self, body: &Value) -> Reply {
        let (name, _) = self.find(body)?;
        let name = name.to_owned();
        let Some(secret) = self.secrets.get_mut(&name) else {
            return unknown();
        };
        secret.deleted = None;
        Ok(json!({"ARN": secret.arn, "Name": name}))
    }

    pub(super) fn tag(&mut self, body: &Value) -> Reply {
        let (name, secret) = self.find(body)?;
        if secret.deleted.is_some() {
            return marked();
        }
        let name = name.to_owned();
        let Some(secret) = self.secrets.get_mut(&name) else {
            return unknown();
        };
        let tags = body.get("Tags").and_then(Value::as_array);
        for tag in tags.into_iter().flatten() {
            let (key, value) = (text(tag, "Key"), text(tag, "Value"));
            secret
                .tags
                .insert(key.unwrap_or_default(), value.unwrap_or_default());
        }
        Ok(json!({}))
    }

    /// Finds by name or ARN.
    pub(super) fn find(&self, body: &Value) -> Result<(&str, &Secret), super::store::Refusal> {
        let id = text(body, "SecretId").unwrap_or_default();
        if id.is_empty() {
            return refuse(
                "InvalidParameterException",
                "You must provide a value for the SecretId parameter.",
            );
        }
        let found = self.secrets.get_key_value(&id);
        let by_arn = || self.secrets.iter().find(|(_, secret)| secret.arn == id);
        match found.or_else(by_arn) {
            Some((name, secret)) => Ok((name, secret)),
            None => unknown(),
        }
    }
}

pub(super) fn entry(name: &str, secret: &Secret) -> Value {
    let tags = secret.tags.iter();
    let tags: Vec<Value> = tags.map(|(k, v)| json!({"Key": k, "Value": v})).collect();
    let mut entry = json!({
        "ARN": secret.arn, "Name": name, "Tags": tags, "LastChangedDate": secret.changed,
    });
    if let Some(key) = &secret.kms {
        with(&mut entry, "KmsKeyId", json!(key));
    }
    if let Some(date) = secret.deleted {
        with(&mut entry, "DeletedDate", json!(date));
    }
    entry
}

pub(super) fn text(body: &Value, member: &str) -> Option<String> {
    body.get(member)?.as_str().map(str::to_owned)
}

pub(super) fn unknown<T>() -> Result<T, super::store::Refusal> {
    refuse(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
}

pub(super) fn marked<T>() -> Result<T, super::store::Refusal> {
    refuse(
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
}

/// The value of a request, if it has one.
pub(super) fn content(body: &Value) -> Result<Option<Content>, super::store::Refusal> {
    let invalid = |message: &str| refuse("InvalidParameterException", message);
    let (content, bytes) = match (text(body, "SecretString"), text(body, "SecretBinary")) {
        (Some(_), Some(_)) => {
            return invalid(
                "You can't specify both a binary secret value and a string secret value in the same secret.",
            );
        }
        (Some(text), None) => {
            let bytes = text.len();
            (Content::Text(text), bytes)
        }
        (None, Some(base64)) => {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD.decode(&base64);
            let bytes = decoded.map_or(0, |bytes| bytes.len());
            (Content::Binary(base64), bytes)
        }
        (None, None) => return Ok(None),
    };
    match bytes {
        0 => invalid("The secret value must have length greater than or equal to 1."),
        1..=65_536 => Ok(Some(content)),
        _ => invalid("The secret value must have length less than or equal to 65536."),
    }
}

pub(super) fn token(body: &Value) -> Result<Option<String>, super::store::Refusal> {
    let token = text(body, "ClientRequestToken");
    if token
        .as_ref()
        .is_some_and(|t| !(32..=64).contains(&t.len()))
    {
        return refuse(
            "InvalidParameterException",
            "ClientRequestToken must be 32-64 characters long.",
        );
    }
    Ok(token)
}

fn check_name(name: &str) -> Result<(), super::store::Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if !(1..=512).contains(&name.len()) || !name.chars().all(allowed) {
        return refuse(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        );
    }
    Ok(())
}
