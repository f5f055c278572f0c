//! The list, in pages.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::secrets::{entry, text};
use super::service::State;
use super::store::{Refusal, Reply, Secret, refuse, with};

impl State {
    /// One page. What a list shows may be what was there some time ago.
    pub(super) fn list(&self, body: &Value) -> Reply {
        let most = body.get("MaxResults").and_then(Value::as_u64);
        let most = most.unwrap_or(100);
        if !(1..=100).contains(&most) {
            return refuse(
                "ValidationException",
                "Value at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100",
            );
        }
        let planned = body.get("IncludePlannedDeletion") == Some(&json!(true));
        let mut secrets = Cow::Borrowed(self.lagging.as_ref().unwrap_or(&self.secrets));
        for (name, (before, _)) in self.stale.iter().filter(|(_, (_, looks))| *looks > 0) {
            match before {
                Some(before) => drop(secrets.to_mut().insert(name.clone(), before.clone())),
                None => drop(secrets.to_mut().remove(name)),
            }
        }
        let mut matching = Vec::new();
        for (name, secret) in secrets.iter() {
            if (planned || secret.deleted.is_none()) && matches(body, name, secret)? {
                matching.push((name, secret));
            }
        }
        let begin = match text(body, "NextToken") {
            None => 0,
            Some(token) => match token.strip_prefix("after-").map(str::parse::<usize>) {
                Some(Ok(begin)) => begin,
                _ => {
                    return refuse(
                        "InvalidNextTokenException",
                        "The NextToken value is invalid.",
                    );
                }
            },
        };
        let most = usize::try_from(most).unwrap_or(100);
        let page: Vec<Value> = matching
            .iter()
            .skip(begin)
            .take(most)
            .map(|(name, secret)| {
                let mut entry = entry(name, secret);
                with(&mut entry, "SecretVersionsToStages", secret.stages());
                entry
            })
            .collect();
        let mut reply = json!({"SecretList": page});
        if begin + most < matching.len() {
            with(
                &mut reply,
                "NextToken",
                json!(format!("after-{}", begin + most)),
            );
        }
        Ok(reply)
    }
}

fn matches(body: &Value, name: &str, secret: &Secret) -> Result<bool, Refusal> {
    let filters = body.get("Filters").and_then(Value::as_array);
    for filter in filters.into_iter().flatten() {
        let values = filter.get("Values").and_then(Value::as_array);
        let mut values = values.into_iter().flatten().filter_map(Value::as_str);
        let fits = match text(filter, "Key").as_deref() {
            Some("name") => values.any(|value| fits(value, |prefix| name.starts_with(prefix))),
            Some("tag-key") => values.any(|value| {
                fits(value, |prefix| {
                    secret.tags.keys().any(|key| key.starts_with(prefix))
                })
            }),
            Some("tag-value") => values.any(|value| {
                fits(value, |prefix| {
                    secret.tags.values().any(|tag| tag.starts_with(prefix))
                })
            }),
            _ => {
                return refuse(
                    "ValidationException",
                    "Value at 'filters.1.member.key' failed to satisfy constraint",
                );
            }
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `!` turns a value round.
fn fits(value: &str, test: impl Fn(&str) -> bool) -> bool {
    match value.strip_prefix('!') {
        Some(value) => !test(value),
        None => test(value),
    }
}
